"""The headers of an upload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..http_constants import FILE_INFO_HEADER_PREFIX
from ..utils.url import b2_url_encode

if TYPE_CHECKING:
    from ..encryption.setting import EncryptionSetting
    from ..file_lock import FileRetentionSetting, LegalHold


def upload_file_headers(
    upload_auth_token: str,
    file_name: str,
    content_length: int,
    content_type: str,
    content_sha1: str,
    file_info: Mapping[str, str],
    server_side_encryption: EncryptionSetting | None,
    file_retention: FileRetentionSetting | None,
    legal_hold: LegalHold | None,
    custom_upload_timestamp: int | None,
) -> dict[str, str]:
    """Make the headers of ``b2_upload_file``; see `AbstractRawApi.get_upload_file_headers`."""
    headers = {
        'Authorization': upload_auth_token,
        'Content-Length': str(content_length),
        'X-Bz-File-Name': b2_url_encode(file_name),
        'Content-Type': content_type,
        'X-Bz-Content-Sha1': content_sha1,
    }
    for name, value in file_info.items():
        headers[FILE_INFO_HEADER_PREFIX + name] = b2_url_encode(value)
    if server_side_encryption is not None:
        server_side_encryption.add_to_upload_headers(headers)
    if legal_hold is not None:
        legal_hold.add_to_upload_headers(headers)
    if file_retention is not None:
        file_retention.add_to_to_upload_headers(headers)
    if custom_upload_timestamp is not None:
        headers['X-Bz-Custom-Upload-Timestamp'] = str(custom_upload_timestamp)
    return headers
