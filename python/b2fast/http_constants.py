"""Names and limits of the native API that several layers need."""

from __future__ import annotations

import string

BUCKET_NAME_CHARS = string.ascii_lowercase + string.digits + '-'
"""What a bucket's name is made of."""
BUCKET_NAME_CHARS_UNIQ = BUCKET_NAME_CHARS
"""The characters of `BUCKET_NAME_CHARS` that make two names differ, whatever their case."""
BUCKET_NAME_LENGTH_RANGE = (6, 63)

LIST_FILE_NAMES_MAX_LIMIT = 10000
"""Most entries that one listing call returns; a transaction is billed per 1000."""

FILE_INFO_HEADER_PREFIX = 'X-Bz-Info-'
FILE_INFO_HEADER_PREFIX_LOWER = FILE_INFO_HEADER_PREFIX.lower()

SRC_LAST_MODIFIED_MILLIS = 'src_last_modified_millis'
"""File info key: when the source was modified, in milliseconds since 1970 (recommended by B2)."""
LARGE_FILE_SHA1 = 'large_file_sha1'
"""File info key: SHA-1 of a large file, which B2 itself does not know (recommended by B2)."""
SSE_C_KEY_ID_FILE_INFO_KEY_NAME = 'sse_c_key_id'
"""File info key: which customer key a file is encrypted with (a convention of b2sdk)."""
SSE_C_KEY_ID_HEADER = FILE_INFO_HEADER_PREFIX + SSE_C_KEY_ID_FILE_INFO_KEY_NAME

HEX_DIGITS_AT_END = 'hex_digits_at_end'
"""Value of ``X-Bz-Content-Sha1`` when the last 40 bytes of the body are the SHA-1."""

MEGABYTE = 1000 * 1000
GIGABYTE = 1000 * MEGABYTE

DEFAULT_MIN_PART_SIZE = 5 * MEGABYTE
DEFAULT_RECOMMENDED_UPLOAD_PART_SIZE = 100 * MEGABYTE
DEFAULT_MAX_PART_SIZE = 5 * GIGABYTE
