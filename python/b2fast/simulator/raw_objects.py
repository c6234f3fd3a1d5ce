"""What `RawSimulator` is made of besides its buckets, as programs written for b2sdk know it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, cast

from b2fast._core.server import Content
from b2fast.encryption.setting import EncryptionSetting
from b2fast.file_lock import NO_RETENTION_FILE_SETTING, LegalHold

from . import rules
from .file import File, Part, encryption_fields, encryption_headers
from .ranges import clamp_range
from .raw_calls import client_errors
from .state import Key


class KeySimulator(Key):
    """An application key of `RawSimulator`."""

    def as_key(self) -> dict[str, Any]:
        """Returns the key as `b2_list_keys` answers it: without its secret."""
        buckets = self.buckets_or_none
        seconds = self.expiration_timestamp_or_none
        return {
            'accountId': self.account_id,
            'bucketIds': None if buckets is None else [bucket['id'] for bucket in buckets],
            'applicationKeyId': self.application_key_id,
            'capabilities': self.capabilities,
            'expirationTimestamp': None if seconds is None else seconds * 1000,
            'keyName': self.name,
            'namePrefix': self.name_prefix_or_none,
        }

    def as_created_key(self) -> dict[str, Any]:
        """Returns the key as `b2_create_key` answers it: with its secret."""
        return {**self.as_key(), 'applicationKey': self.key}

    def get_allowed(self) -> dict[str, Any]:
        """Returns what `b2_authorize_account` answers as `allowed`."""
        return {
            'buckets': self.buckets_or_none,
            'capabilities': self.capabilities,
            'namePrefix': self.name_prefix_or_none,
        }


class PartSimulator(Part):
    """A part of a large file in `RawSimulator`."""

    def as_list_parts_dict(self) -> dict[str, Any]:
        """Returns the part as `b2_list_parts` answers it."""
        return {
            'fileId': self.file_id,
            'partNumber': self.part_number,
            'contentLength': self.content_length,
            'contentSha1': self.content_sha1,
        }


class FileSimulator(File):
    """A file version in `RawSimulator`."""

    CHECK_ENCRYPTION: ClassVar[bool] = True
    SPECIAL_FILE_INFOS: ClassVar[dict[str, str]] = rules.HEADER_INFO

    @classmethod
    @contextmanager
    def dont_check_encryption(cls) -> Iterator[None]:
        """Lets every file be read without its customer's key, in a `with` statement."""
        cls.CHECK_ENCRYPTION = False
        try:
            yield
        finally:
            cls.CHECK_ENCRYPTION = True

    @property
    def parts(self) -> list[Part | None]:
        """The parts of a large file in the making at their numbers; None where there is none."""
        numbers = range(max(self.numbered_parts, default=-1) + 1)
        return [self.numbered_parts.get(number) for number in numbers]

    def sort_key(self) -> tuple[str, str]:
        """Returns the place in listings, by the counted IDs."""
        return self.name, self.file_id

    @property
    def data_bytes(self) -> bytes | None:
        """The content; None for unfinished files."""
        return None if self.action == 'start' else self.content.read()

    @data_bytes.setter
    def data_bytes(self, data: bytes) -> None:
        self.content = Content(data)

    @client_errors
    def finish(self, part_sha1_array: list[str]) -> None:
        """Makes a large file of its parts."""
        super().finish(part_sha1_array)

    @client_errors
    def check_encryption(self, request_encryption: EncryptionSetting | None) -> None:
        """Refuses a read without the right customer's key, unless checks are off."""
        if self.CHECK_ENCRYPTION:
            super().check_encryption(request_encryption)

    def add_part(self, part_number: int, part: Part) -> None:
        """Stores a part; a former part of that number is replaced."""
        self.numbered_parts[part_number] = part

    def is_allowed_to_read_file_retention(self, account_auth_token: str | None) -> bool:
        """Tells whether answers to this token show retention."""
        return self.bucket.service.may(account_auth_token, 'readFileRetentions')

    def is_allowed_to_read_file_legal_hold(self, account_auth_token: str | None) -> bool:
        """Tells whether answers to this token show legal holds."""
        return self.bucket.service.may(account_auth_token, 'readFileLegalHolds')

    def as_upload_result(self, account_auth_token: str | None) -> dict[str, Any]:
        """Returns the version as an upload answers it."""
        return self._as_dict(account_auth_token)

    def as_list_files_dict(self, account_auth_token: str | None) -> dict[str, Any]:
        """Returns the version as a listing answers it."""
        return self._as_dict(account_auth_token)

    def as_start_large_file_result(self, account_auth_token: str | None) -> dict[str, Any]:
        """Returns the version as `b2_start_large_file` answers it."""
        result = self._as_dict(account_auth_token)
        for field in ('contentLength', 'contentSha1', 'action'):
            del result[field]
        return result

    def _as_dict(self, account_auth_token: str | None) -> dict[str, Any]:
        result: dict[str, Any] = {
            'fileId': self.file_id,
            'fileName': self.name,
            'accountId': self.account_id,
            'bucketId': self.bucket.bucket_id,
            'contentLength': self.content_length,
            'contentType': self.content_type,
            'contentSha1': 'none' if self.content_sha1 is None else self.content_sha1,
            'fileInfo': self.file_info,
            'action': self.action,
            'uploadTimestamp': self.upload_timestamp,
            'replicationStatus': (
                None if self.replication_status is None else self.replication_status.value
            ),
        }
        if self.server_side_encryption is not None:
            result['serverSideEncryption'] = encryption_fields(self.server_side_encryption)
        reads_retention = self.is_allowed_to_read_file_retention(account_auth_token)
        result['fileRetention'] = {
            'isClientAuthorizedToRead': reads_retention,
            'value': self._retention_dict() if reads_retention else None,
        }
        reads_hold = self.is_allowed_to_read_file_legal_hold(account_auth_token)
        result['legalHold'] = {
            'isClientAuthorizedToRead': reads_hold,
            'value': self.legal_hold.value if reads_hold else None,
        }
        return result

    def _retention_dict(self) -> dict[str, Any]:
        retention = self.file_retention or NO_RETENTION_FILE_SETTING
        if retention.retain_until is None:
            return {'mode': retention.mode.value}
        return retention.as_dict()

    def list_parts(
        self, start_part_number: int | None, max_part_count: int | None
    ) -> dict[str, Any]:
        """Returns a page of the parts as `b2_list_parts` answers it."""
        parts, following = self.page_of_parts(start_part_number, max_part_count or 100)
        return {
            'parts': [cast(PartSimulator, part).as_list_parts_dict() for part in parts],
            'nextPartNumber': None if following is None else following.part_number,
        }

    @client_errors
    def as_download_headers(
        self,
        account_auth_token_or_none: str | None = None,
        range_: tuple[int, int] | None = None,
    ) -> dict[str, str]:
        """Returns the headers of a download.

        :param range_: first and last byte; the end is clamped to the file's.
        :raises UnsatisfiableRange: no byte of the file is inside.
        """
        served = None if range_ is None else clamp_range(range_, self.content_length)
        headers = self.download_headers(served)
        if account_auth_token_or_none is not None and self.bucket.is_file_lock_enabled:
            headers.update(self._lock_headers(account_auth_token_or_none))
        headers.update(encryption_headers(self.server_side_encryption))
        return headers

    def _lock_headers(self, account_auth_token: str) -> dict[str, str]:
        headers: dict[str, str] = {}
        withheld = []
        if not self.is_allowed_to_read_file_retention(account_auth_token):
            # The second name is as b2sdk's simulator spells it.
            withheld += ['X-Bz-File-Retention-Mode', 'X-Bz-File-Retain-Until-Timestamp']
        elif self.file_retention is not None:
            self.file_retention.add_to_to_upload_headers(headers)
        if not self.is_allowed_to_read_file_legal_hold(account_auth_token):
            withheld.append('X-Bz-File-Legal-Hold')
        elif self.legal_hold in (LegalHold.ON, LegalHold.OFF):
            headers['X-Bz-File-Legal-Hold'] = str(self.legal_hold.value)
        if withheld:
            headers['X-Bz-Client-Unauthorized-To-Read'] = ','.join(withheld)
        return headers
