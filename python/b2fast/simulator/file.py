"""File versions, and the parts of large files in the making."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from b2fast._core.server import Content
from b2fast.encryption.setting import EncryptionSetting
from b2fast.encryption.types import EncryptionMode
from b2fast.file_lock import FileRetentionSetting, LegalHold

from . import errors, locks, rules
from .listing import Position

if TYPE_CHECKING:
    from .bucket import Bucket


def as_content(data: bytes | Content | None) -> Content:
    """Returns the content of a file, whichever door it came through."""
    return data if isinstance(data, Content) else Content(data or b'')


class Part:
    """An uploaded part of a large file.

    :param file_id: the large file.
    :param part_number: 1 to 10,000.
    :param content_length: bytes.
    :param content_sha1: 40 hex digits, after `unverified:` where nothing was claimed.
    :param part_data: the bytes.
    """

    def __init__(
        self,
        file_id: str,
        part_number: int,
        content_length: int,
        content_sha1: str,
        part_data: bytes | Content,
    ) -> None:
        self.file_id = file_id
        self.part_number = part_number
        self.content_length = content_length
        self.content_sha1 = content_sha1
        self.part_data = as_content(part_data)
        # Milliseconds since 1970 UTC.
        self.upload_timestamp = 0

    def content_md5(self, limit: int) -> str | None:
        """Returns the hex MD5; None for parts of more than `limit` bytes."""
        return None if self.content_length > limit else self.part_data.md5()

    def has_sha1(self, sha1: str) -> bool:
        return self.content_sha1.removeprefix('unverified:') == sha1.lower()


class File:
    """One version of a file: an upload, a hide marker or a large file in the making.

    :param account_id: the account that owns the bucket.
    :param bucket: the bucket it is in.
    :param file_id: names the version.
    :param action: `upload`, `hide` or `start`.
    :param name: the file name.
    :param content_type: MIME type; None for hide markers.
    :param content_sha1: as the service answers it: hex, `unverified:` and hex, or `none`.
    :param file_info: the file's own information.
    :param data_bytes: the content; None for hide markers and unfinished files.
    :param upload_timestamp: milliseconds since 1970 UTC; of a large file, when it started.
    :param range_: takes only these bytes of the content: first and last.
    :param server_side_encryption: how the service stores it.
    :param file_retention: until when it is protected.
    :param legal_hold: whether it is protected.
    :param replication_status: what replication made of it.
    """

    def __init__(
        self,
        account_id: str,
        bucket: Bucket,
        file_id: str,
        action: str,
        name: str,
        content_type: str | None,
        content_sha1: str | None,
        file_info: Mapping[str, str] | None,
        data_bytes: bytes | Content | None,
        upload_timestamp: int,
        range_: tuple[int, int] | None = None,
        server_side_encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = LegalHold.UNSET,
        replication_status: Any | None = None,
    ) -> None:
        self.account_id = account_id
        self.bucket = bucket
        self.file_id = file_id
        self.action = action
        self.name = name
        self.content_type = content_type
        self.content_sha1 = content_sha1
        self.file_info = dict(file_info or {})
        self.content = as_content(data_bytes)
        if range_ is not None:
            self.content = self.content.slice(range_[0], range_[1] + 1)
        self.upload_timestamp = upload_timestamp
        self.range_ = range_
        self.server_side_encryption = server_side_encryption
        self.file_retention = file_retention
        self.legal_hold = LegalHold.UNSET if legal_hold is None else legal_hold
        self.replication_status = replication_status
        self.numbered_parts: dict[int, Part] = {}
        self.position: Position = (0, 0)
        #: Of small content, when it was asked for.
        self.known_md5: str | None = None

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {self.name!r} {self.file_id} {self.action}>'

    @property
    def content_length(self) -> int:
        return len(self.content)

    @property
    def content_md5(self) -> str | None:
        """Hex MD5; None for large files and above the limit of the options."""
        if self.content_sha1 == 'none' or len(self.content) > self.bucket.profile.options.md5_limit:
            return None
        if self.known_md5 is None:
            self.known_md5 = self.content.md5()
        return self.known_md5

    def name_behind(self) -> str:
        """Returns the first name that can follow this one: the space is the first character."""
        return self.name + ' '

    def is_visible(self) -> bool:
        """Tells whether the version can be downloaded."""
        return self.action not in ('hide', 'start')

    def check_encryption(self, request_encryption: EncryptionSetting | None) -> None:
        """Refuses a read without the right customer's key (SSE-C).

        :param request_encryption: what the reader sent.
        :raises SimulatedError: 400 if a key is missing or not wanted, 403 if it is the wrong one.
        """
        needed = _customer_key_md5(self.server_side_encryption)
        given = _customer_key_md5(request_encryption)
        if needed is None:
            if given is not None:
                raise errors.bad_request('The object is not encrypted with a customer key')
        elif given is None:
            raise errors.encryption_key_missing()
        elif given != needed:
            raise errors.encryption_key_wrong()

    def check_deletable(self, now: int, bypass_governance: bool) -> None:
        """Refuses to delete a version under legal hold or retention.

        :param now: milliseconds since 1970 UTC.
        :param bypass_governance: lifts retention in governance mode.
        :raises SimulatedError: 401 `access_denied`.
        """
        if not locks.may_delete(self, now, bypass_governance):
            raise errors.access_denied(self.bucket.profile.options.locked_delete_status)

    def page_of_parts(self, start: int | None, count: int) -> tuple[list[Part], Part | None]:
        """Returns parts from a number on, and the first of the next page."""
        numbers = sorted(number for number in self.numbered_parts if number >= (start or 1))
        page = [self.numbered_parts[number] for number in numbers[: count + 1]]
        return page[:count], page[count] if len(page) > count else None

    def finish(self, part_sha1_array: list[str]) -> None:
        """Makes a large file of its parts.

        :param part_sha1_array: hex digests, part 1 first; they have to be those of all parts.
        :raises SimulatedError: 400; the file stays unfinished then.
        """
        last = max(self.numbered_parts, default=0)
        for number in range(1, last):
            if number not in self.numbered_parts:
                raise errors.part_not_uploaded(number)
        actual = [
            self.numbered_parts[number].content_sha1 for number in sorted(self.numbered_parts)
        ]
        for number, sha1 in enumerate(part_sha1_array, 1):
            part = self.numbered_parts.get(number)
            if part is None:
                raise errors.missing_part(number, part_sha1_array, actual)
            if not part.has_sha1(sha1):
                raise errors.parts_differ(number, part_sha1_array, actual)
        surplus = set(self.numbered_parts) - set(range(1, len(part_sha1_array) + 1))
        if surplus or not part_sha1_array:
            raise errors.parts_differ(min(surplus, default=1), part_sha1_array, actual)
        parts = [
            self.numbered_parts[number].part_data for number in range(1, len(part_sha1_array) + 1)
        ]
        self.content = Content.concat(parts)
        self.action = 'upload'
        self.numbered_parts = {}

    def download_headers(self, range_: tuple[int, int] | None = None) -> dict[str, str]:
        """Returns the headers of a download but those that lock and encryption add.

        :param range_: the bytes served, end exclusive; None for the whole file.
        """
        start, end = (0, self.content_length) if range_ is None else range_
        headers = {
            'content-length': str(end - start),
            'content-type': self.content_type or 'application/octet-stream',
            'x-bz-content-sha1': self.content_sha1 or 'none',
            'x-bz-upload-timestamp': str(self.upload_timestamp),
            'x-bz-file-id': self.file_id,
            'x-bz-file-name': rules.encode(self.name),
        }
        for key, value in self.file_info.items():
            if key in rules.HEADER_INFO:
                headers[rules.HEADER_INFO[key]] = value
            else:
                headers[f'X-Bz-Info-{key}'] = rules.encode(value)
        if range_ is not None:
            headers['Content-Range'] = f'bytes {start}-{end - 1}/{self.content_length}'
        return headers


def encryption_fields(setting: EncryptionSetting | None) -> dict[str, Any]:
    """Returns what answers tell of encryption, which is never key material."""
    if setting is None or setting.algorithm is None:
        return {'mode': None, 'algorithm': None}
    return {'mode': setting.mode.value, 'algorithm': setting.algorithm.value}


def encryption_headers(setting: EncryptionSetting | None) -> dict[str, str]:
    """Returns the headers that tell a reader how a file is encrypted."""
    key_md5 = _customer_key_md5(setting)
    if key_md5 is not None:
        return {
            'X-Bz-Server-Side-Encryption-Customer-Algorithm': 'AES256',
            'X-Bz-Server-Side-Encryption-Customer-Key-Md5': key_md5,
        }
    if setting is not None and setting.mode == EncryptionMode.SSE_B2:
        return {'X-Bz-Server-Side-Encryption': 'AES256'}
    return {}


def _customer_key_md5(setting: EncryptionSetting | None) -> str | None:
    if setting is None or setting.mode != EncryptionMode.SSE_C or setting.key is None:
        return None
    return setting.key.key_md5()
