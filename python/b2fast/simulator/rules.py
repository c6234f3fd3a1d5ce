"""The service's rules for names, file information and bucket settings (fact sheet: B2's
documentation of buckets, files, file information and lifecycle rules)."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from . import errors, header_values

BUCKET_TYPES = ('allPublic', 'allPrivate')
#: File information that becomes a header of its own in downloads.
HEADER_INFO = {
    'b2-content-disposition': 'Content-Disposition',
    'b2-content-language': 'Content-Language',
    'b2-expires': 'Expires',
    'b2-cache-control': 'Cache-Control',
    'b2-content-encoding': 'Content-Encoding',
}
#: Query parameters of downloads, and the headers they set instead of what is stored.
DOWNLOAD_OVERRIDES = {
    'b2ContentDisposition': 'Content-Disposition',
    'b2ContentLanguage': 'Content-Language',
    'b2Expires': 'Expires',
    'b2CacheControl': 'Cache-Control',
    'b2ContentEncoding': 'Content-Encoding',
    'b2ContentType': 'Content-Type',
}
MAX_PART_NUMBER = 10_000
#: Characters of a SHA-1 that follows the content (`hex_digits_at_end`).
DIGEST_LENGTH = 40
MAX_FILE_SIZE = 10_000_000_000_000
#: Most bytes of name and file information where B2 has the smaller limit.
SHORT_METADATA = 2048

_LENIENT_BUCKET_NAME = re.compile(r'[-a-zA-Z0-9]+')
_BUCKET_INFO_KEY = re.compile(r'[A-Za-z0-9_-]{1,50}')
_FILE_INFO_KEY = re.compile(r"[A-Za-z0-9\-_.~!#$%^&*'|+`]{1,50}")
_SHA1 = re.compile(r'[0-9a-fA-F]{40}')
_PRINTABLE = re.compile(r'[\x20-\x7e]+')
_CONTROL = re.compile(r'[\x00-\x1f\x7f]')
_OLD_SEGMENT_LIMIT = 250
# Not the system's tables: the same name gets the same type on every machine.
_TYPES = mimetypes.MimeTypes()
_LIFECYCLE_DAYS = (
    'daysFromHidingToDeleting',
    'daysFromUploadingToHiding',
    'daysFromStartingToCancelingUnfinishedLargeFiles',
)


def check_bucket_name(name: str, characters: str | None) -> None:
    """Refuses names that no bucket can have.

    :param characters: what names consist of, as in the brackets of a regular expression; None
        for the rule of b2sdk's simulator, which knows no length.
    """
    if characters is None:
        if not _LENIENT_BUCKET_NAME.fullmatch(name):
            raise errors.bad_json(f'illegal bucket name: {name}')
    elif not re.fullmatch(f'(?!(?i:b2-))[{characters}]{{6,63}}', name):
        raise errors.bad_request(
            f'Invalid bucket name: {name!r}; 6 to 63 characters of {characters}, not b2-...'
        )


def check_bucket_type(bucket_type: str) -> None:
    if bucket_type not in BUCKET_TYPES:
        raise errors.bad_request(f'Invalid bucket type: {bucket_type!r}')


def check_bucket_info(info: Mapping[str, str]) -> None:
    if len(info) > 10:
        raise errors.bad_request('bucketInfo: at most 10 entries')
    for key, value in info.items():
        if not _BUCKET_INFO_KEY.fullmatch(key) or not isinstance(value, str):
            raise errors.bad_request(f'bucketInfo: illegal entry {key!r}')
        if key == 'Cache-Control':
            header_values.check(key, value)


def check_lifecycle_rules(rules: Sequence[Mapping[str, Any]], overlaps: bool) -> None:
    """Refuses lifecycle rules that no bucket can have.

    :param overlaps: two rules may cover the same files.
    """
    if len(rules) > 100:
        raise errors.bad_request('lifecycleRules: at most 100 rules')
    prefixes = []
    for rule in rules:
        prefix = rule.get('fileNamePrefix')
        if not isinstance(prefix, str):
            raise errors.bad_request('lifecycleRules: fileNamePrefix is required')
        days = [rule[key] for key in _LIFECYCLE_DAYS if rule.get(key) is not None]
        if not days:
            raise errors.bad_request('lifecycleRules: a rule needs a number of days')
        if any(type(number) is not int or number < 1 for number in days):
            raise errors.bad_request('lifecycleRules: days have to be at least 1')
        prefixes.append(prefix)
    prefixes.sort()
    for first, second in pairwise(prefixes):
        if second.startswith(first) and not overlaps:
            raise errors.bad_request('lifecycleRules: two rules cover the same files')


def check_file_name(name: str, old: bool = False) -> None:
    """Refuses what B2 refuses since 2020: length and control characters.

    :param old: refuse what B2 refused before, too.
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise errors.bad_request('File names must be valid UTF-8') from None
    if not 1 <= size <= 1024:
        raise errors.bad_request('File names must be 1 to 1024 bytes of UTF-8')
    if _CONTROL.search(name):
        raise errors.bad_request('File names must not contain control characters')
    if old:
        _check_old_file_name(name)


def _check_old_file_name(name: str) -> None:
    if '\\' in name:
        raise errors.bad_request('File names must not contain backslashes')
    segments = name.split('/')
    if '' in segments:
        raise errors.bad_request("File names must not start or end with '/' or contain '//'")
    if any(len(segment.encode()) > _OLD_SEGMENT_LIMIT for segment in segments):
        raise errors.bad_request('File names must not have segments of more than 250 bytes')


def check_content_type(content_type: str) -> None:
    """Refuses what cannot be sent in a header."""
    if not _PRINTABLE.fullmatch(content_type):
        raise errors.bad_request(f'Invalid content type: {content_type!r}')


def check_file_info(name: str, info: Mapping[str, str], limit: int) -> None:
    """Checks a file's own information.

    :param limit: most bytes of name and information.
    """
    for key, value in info.items():
        if not _FILE_INFO_KEY.fullmatch(key) or not isinstance(value, str):
            raise errors.bad_request(f'fileInfo: illegal entry {key!r}')
        if key.startswith('b2-') and key not in HEADER_INFO:
            raise errors.bad_request(f'fileInfo: {key!r} is reserved')
        if key in HEADER_INFO:
            header_values.check(HEADER_INFO[key], value)
    size = metadata_size(name, info)
    if size > limit:
        raise errors.bad_request(
            f'File name and file information take {size} bytes; the limit is {limit}',
            'metadata_exceeded',
        )


def metadata_size(name: str, info: Mapping[str, str]) -> int:
    """Returns how many bytes a file's name and information take in headers."""
    return len(encode(name)) + sum(len(key) + len(encode(value)) for key, value in info.items())


def download_overrides(get: Callable[[str], str | None], limit: int) -> dict[str, str]:
    """Returns the query parameters of a request that set headers of downloads.

    :param get: returns a parameter of the request, or None.
    :param limit: most bytes of all of them.
    """
    values = {name: text for name in DOWNLOAD_OVERRIDES if (text := get(name)) is not None}
    for name, text in values.items():
        header_values.check(DOWNLOAD_OVERRIDES[name], text)
    if sum(len(text.encode()) for text in values.values()) > limit:
        raise errors.bad_request(f'The headers of the download would exceed {limit} bytes')
    return values


#: What B2 never percent-encodes besides letters and digits ("Native API String Encoding").
SAFE = "._-/~!$'()*;=:@"


def encode(text: str) -> str:
    """Percent-encodes a file name or a value of file information for a header or URL."""
    return quote(text, safe=SAFE)


def resolve_content_type(content_type: str, file_name: str) -> str:
    """Replaces `b2/x-auto` by the type that belongs to the file name's extension."""
    if content_type != 'b2/x-auto':
        return content_type
    guessed, encoding = _TYPES.guess_type(file_name.rpartition('/')[2])
    if encoding == 'gzip':
        return 'application/gzip'
    return (guessed if encoding is None else None) or 'application/octet-stream'


def stored_sha1(claimed: str, computed: str, accepts_unverified: bool = False) -> str | None:
    """Returns what the service stores for an upload, or None if the claim is wrong.

    :param claimed: X-Bz-Content-Sha1: 40 hex digits, or `do_not_verify`.
    :param computed: hex digest of what arrived.
    :param accepts_unverified: 40 hex digits after `unverified:` are stored as they are.
    """
    if claimed == 'do_not_verify':
        return f'unverified:{computed}'
    prefix, colon, digits = claimed.partition(':')
    if accepts_unverified and colon and prefix == 'unverified' and _SHA1.fullmatch(digits):
        return claimed.lower()
    if not _SHA1.fullmatch(claimed):
        raise errors.bad_request('Invalid SHA1: X-Bz-Content-Sha1 takes 40 hex digits')
    return computed if claimed.lower() == computed else None


def check_page_size(count: int | None, default: int, maximum: int, field: str) -> int:
    """Returns how many entries a page has; None and 0 mean the default."""
    if not count:
        return default
    if not 0 < count <= maximum:
        raise errors.bad_request(f'{field} out of range: {count}', 'out_of_range')
    return count
