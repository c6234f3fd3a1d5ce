"""Versions of files: as listings and calls tell them, and as a download tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from .encryption.setting import EncryptionSetting, EncryptionSettingFactory
from .exception import UnexpectedCloudBehaviour
from .file_info import StandardHeadersOfFileInfo
from .file_lock import NO_RETENTION_FILE_SETTING, FileRetentionSetting, LegalHold
from .http_constants import (
    FILE_INFO_HEADER_PREFIX,
    FILE_INFO_HEADER_PREFIX_LOWER,
    LARGE_FILE_SHA1,
    SRC_LAST_MODIFIED_MILLIS,
)
from .replication.types import ReplicationStatus
from .utils.headers import Headers
from .utils.http_date import parse_http_date
from .utils.range_ import EMPTY_RANGE, Range
from .utils.url import b2_url_decode, b2_url_encode

if TYPE_CHECKING:
    import datetime as dt

    from .api import B2Api
    from .progress import AbstractProgressListener
    from .transfer.inbound.downloaded_file import DownloadedFile
    from .types import Sha1HexDigest

_UNVERIFIED = 'unverified:'
_NO_SHA1 = 'none'
_HEADERS_OF_DOWNLOADS = (
    'content-length',
    'x-bz-file-id',
    'x-bz-file-name',
    'x-bz-content-sha1',
    'x-bz-upload-timestamp',
)
"""B2 sends these with every download (``b2_download_file_by_id``)."""


class FileIdAndName:
    """What is left of a version that was deleted, or of a large file that was cancelled."""

    def __init__(self, file_id: str, file_name: str) -> None:
        self.file_id = file_id
        self.file_name = file_name

    @classmethod
    def from_cancel_or_delete_response(cls, response: Mapping[str, Any]) -> Self:
        """Made from the answer of ``b2_cancel_large_file`` or ``b2_delete_file_version``."""
        return cls(response['fileId'], response['fileName'])

    def as_dict(self) -> dict[str, str]:
        """The same as data for JSON."""
        return {'action': 'delete', 'fileId': self.file_id, 'fileName': self.file_name}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FileIdAndName):
            return NotImplemented
        return (self.file_id, self.file_name) == (other.file_id, other.file_name)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.file_id!r}, {self.file_name!r})'


class BaseFileVersion:
    """What all sources tell about a version of a file.

    ``content_sha1`` is the digest, ``none`` (as B2 says of a large file) or None;
    ``content_sha1_verified`` is False if B2 took it from the uploader without a check.
    ``mod_time_millis`` is when the source of the upload was modified, or when the file was
    uploaded if the uploader did not say; both in milliseconds since 1970.
    """

    __slots__ = (
        'api',
        'content_sha1',
        'content_sha1_verified',
        'content_type',
        'file_info',
        'file_name',
        'file_retention',
        'id_',
        'legal_hold',
        'mod_time_millis',
        'replication_status',
        'server_side_encryption',
        'size',
        'upload_timestamp',
    )

    def __init__(
        self,
        api: B2Api,
        id_: str,
        file_name: str,
        size: int | str | None,
        content_type: str | None,
        content_sha1: str | None,
        file_info: dict[str, str],
        upload_timestamp: int,
        server_side_encryption: EncryptionSetting,
        file_retention: FileRetentionSetting = NO_RETENTION_FILE_SETTING,
        legal_hold: LegalHold = LegalHold.UNSET,
        replication_status: ReplicationStatus | None = None,
    ) -> None:
        self.api = api
        self.id_ = id_
        self.file_name = file_name
        # All answers of the service tell it, so who reads it need not ask whether it is there.
        self.size: int = size  # type: ignore[assignment]
        self.content_type = content_type
        self.content_sha1_verified = not (content_sha1 or '').startswith(_UNVERIFIED)
        self.content_sha1 = content_sha1 and content_sha1.removeprefix(_UNVERIFIED)
        self.file_info = file_info or {}
        self.upload_timestamp = upload_timestamp
        self.server_side_encryption = server_side_encryption
        self.file_retention = file_retention
        self.legal_hold = legal_hold
        self.replication_status = replication_status
        self.mod_time_millis = self._mod_time_millis()

    def _mod_time_millis(self) -> int:
        try:
            return int(self.file_info[SRC_LAST_MODIFIED_MILLIS])
        except (KeyError, ValueError):
            # One file with nonsense in its file info must not break the listing of a bucket.
            return self.upload_timestamp

    def as_dict(self) -> dict[str, Any]:
        """The same as data for JSON, named as in the native API."""
        result: dict[str, Any] = {
            'fileId': self.id_,
            'fileName': self.file_name,
            'fileInfo': self.file_info,
            'serverSideEncryption': self.server_side_encryption.as_dict(),
            'legalHold': self.legal_hold.value,
            'fileRetention': self.file_retention.as_dict(),
            'size': self.size,
            'replicationStatus': self.replication_status and self.replication_status.value,
        }
        if self.upload_timestamp is not None:
            result['uploadTimestamp'] = self.upload_timestamp
        if self.content_type is not None:
            result['contentType'] = self.content_type
        if self.content_sha1 is not None:
            prefix = '' if self.content_sha1_verified else _UNVERIFIED
            result['contentSha1'] = prefix + self.content_sha1
        return result

    def get_content_sha1(self) -> Sha1HexDigest | None:
        """The SHA-1 of the content in hex, whoever told it.

        B2 does not know that of a large file; the uploader may have told it in the file info
        (``large_file_sha1``). None if nobody did.
        """
        if self.content_sha1 is None or self.content_sha1 == _NO_SHA1:
            return self.file_info.get(LARGE_FILE_SHA1)
        return self.content_sha1

    def delete(self, bypass_governance: bool = False) -> FileIdAndName:
        """Delete this version (``b2_delete_file_version``).

        :param bypass_governance: delete it although governance retention protects it
        """
        return self.api.delete_file_version(self.id_, self.file_name, bypass_governance)

    def update_legal_hold(self, legal_hold: LegalHold) -> Self:
        """Set or take off the legal hold; returns a version that shows it."""
        return self._replace(
            legal_hold=self.api.update_file_legal_hold(self.id_, self.file_name, legal_hold)
        )

    def update_retention(
        self, file_retention: FileRetentionSetting, bypass_governance: bool = False
    ) -> Self:
        """Set the retention; returns a version that shows it.

        :param bypass_governance: shorten or remove governance retention too
        """
        return self._replace(
            file_retention=self.api.update_file_retention(
                self.id_, self.file_name, file_retention, bypass_governance
            )
        )

    def _replace(self, **changes: Any) -> Self:
        other = object.__new__(type(self))
        for name in self._all_slots():
            setattr(other, name, changes.get(name, getattr(self, name)))
        return other

    @classmethod
    def _all_slots(cls) -> list[str]:
        return [name for base in cls.__mro__ for name in getattr(base, '__slots__', ())]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            getattr(self, name) == getattr(other, name)
            for name in self._all_slots()
            if name != 'api'
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = ', '.join(
            f'{name}={getattr(self, name)!r}' for name in self._all_slots() if name != 'api'
        )
        return f'{type(self).__name__}({values})'


class FileVersion(StandardHeadersOfFileInfo, BaseFileVersion):
    """A version of a file: an upload, a hide marker, an unfinished large file or a folder.

    ``action`` tells which of these it is: ``upload``, ``hide``, ``start``, ``folder``, or
    whatever else the service says.
    """

    __slots__ = ('account_id', 'action', 'bucket_id', 'content_md5')

    DEFAULT_HEADERS_LIMIT = 7000
    ADVANCED_HEADERS_LIMIT = 2048

    def __init__(
        self,
        api: B2Api,
        id_: str,
        file_name: str,
        size: int | str | None,
        content_type: str | None,
        content_sha1: str | None,
        file_info: dict[str, str],
        upload_timestamp: int,
        account_id: str,
        bucket_id: str,
        action: str,
        content_md5: str | None,
        server_side_encryption: EncryptionSetting,
        file_retention: FileRetentionSetting = NO_RETENTION_FILE_SETTING,
        legal_hold: LegalHold = LegalHold.UNSET,
        replication_status: ReplicationStatus | None = None,
    ) -> None:
        super().__init__(
            api,
            id_,
            file_name,
            size,
            content_type,
            content_sha1,
            file_info,
            upload_timestamp,
            server_side_encryption,
            file_retention,
            legal_hold,
            replication_status,
        )
        self.account_id = account_id
        self.bucket_id = bucket_id
        self.content_md5 = content_md5
        self.action = action

    def as_dict(self) -> dict[str, Any]:
        """The same as data for JSON, named as in the native API."""
        result = super().as_dict()
        result['accountId'] = self.account_id
        result['bucketId'] = self.bucket_id
        if self.action is not None:
            result['action'] = self.action
        if self.content_md5 is not None:
            result['contentMd5'] = self.content_md5
        return result

    def _end_reading(self) -> None:
        """Set what the constructor sets besides its parameters' attributes.

        `version_pages` makes versions without a call of the constructor, if their own class has
        this method: it knows no other constructors.
        """

    def get_fresh_state(self) -> FileVersion:
        """What the service says about this version now."""
        return self.api.get_file_info(self.id_)

    def download(
        self,
        progress_listener: AbstractProgressListener | None = None,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> DownloadedFile:
        """Open a download of this version; see `B2Api.download_file_by_id`."""
        return self.api.download_file_by_id(self.id_, progress_listener, range_, encryption)

    @property
    def has_large_header(self) -> bool:
        """Are name and file info together above 2048 bytes?

        B2 takes up to 7000 bytes of them for a file, but only 2048 for one that is encrypted or
        in a bucket with Object Lock, so that such a file cannot be copied or replicated
        everywhere.
        """
        size = len('X-Bz-File-Name') + len(b2_url_encode(self.file_name))
        for name, value in self.file_info.items():
            size += len(FILE_INFO_HEADER_PREFIX + name) + len(b2_url_encode(value))
        return size > self.ADVANCED_HEADERS_LIMIT


class DownloadVersion(BaseFileVersion):
    """A version of a file, as the headers of a download tell it.

    ``size`` is that of the file, ``content_length`` that of the downloaded ``range_``.
    """

    __slots__ = (
        'cache_control',
        'content_disposition',
        'content_encoding',
        'content_language',
        'content_length',
        'expires',
        'range_',
    )

    def __init__(
        self,
        api: B2Api,
        id_: str,
        file_name: str,
        size: int,
        content_type: str | None,
        content_sha1: str | None,
        file_info: dict[str, str],
        upload_timestamp: int,
        server_side_encryption: EncryptionSetting,
        range_: Range,
        content_disposition: str | None,
        content_length: int,
        content_language: str | None,
        expires: str | None,
        cache_control: str | None,
        content_encoding: str | None,
        file_retention: FileRetentionSetting = NO_RETENTION_FILE_SETTING,
        legal_hold: LegalHold = LegalHold.UNSET,
        replication_status: ReplicationStatus | None = None,
    ) -> None:
        super().__init__(
            api,
            id_,
            file_name,
            size,
            content_type,
            content_sha1,
            file_info,
            upload_timestamp,
            server_side_encryption,
            file_retention,
            legal_hold,
            replication_status,
        )
        self.range_ = range_
        self.content_disposition = content_disposition
        self.content_length = content_length
        self.content_language = content_language
        self.expires = expires
        self.cache_control = cache_control
        self.content_encoding = content_encoding

    def expires_parsed(self) -> dt.datetime | None:
        """The ``Expires`` header as a moment. Raises `ValueError` if it is no HTTP date."""
        return None if self.expires is None else parse_http_date(self.expires)

    def as_dict(self) -> dict[str, Any]:
        """The same as data for JSON."""
        result = super().as_dict()
        for name, value in (
            ('cacheControl', self.cache_control),
            ('expires', self.expires),
            ('contentDisposition', self.content_disposition),
            ('contentEncoding', self.content_encoding),
            ('contentLanguage', self.content_language),
        ):
            if value is not None:
                result[name] = value
        return result


class FileVersionFactory:
    """Makes `FileVersion` of the file version objects in B2's answers."""

    FILE_VERSION_CLASS = FileVersion

    def __init__(self, api: B2Api) -> None:
        self.api = api

    def from_api_response(
        self, file_version_dict: dict[str, Any], force_action: str | None = None
    ) -> FileVersion:
        """Made from a file version object.

        :param force_action: the action, if the answer has none
        """
        if file_version_dict.get('action') is not None and force_action is not None:
            # AssertionError, since b2sdk's class raises it.
            raise AssertionError('the answer has an action of its own')
        action = file_version_dict.get('action') or force_action
        file_version_dict = {**file_version_dict, 'action': action}
        # API version 1 says size.
        size = file_version_dict.get('size', file_version_dict.get('contentLength'))
        if size is None:
            raise ValueError('no size or contentLength')
        return self.FILE_VERSION_CLASS(
            self.api,
            file_version_dict['fileId'],
            file_version_dict['fileName'],
            size,
            file_version_dict.get('contentType'),
            file_version_dict.get('contentSha1'),
            file_version_dict.get('fileInfo') or {},
            file_version_dict.get('uploadTimestamp'),  # type: ignore[arg-type]
            file_version_dict['accountId'],
            file_version_dict['bucketId'],
            action,  # type: ignore[arg-type]
            file_version_dict.get('contentMd5'),
            EncryptionSettingFactory.from_file_version_dict(file_version_dict),
            FileRetentionSetting.from_file_version_dict(file_version_dict),
            LegalHold.from_file_version_dict(file_version_dict),
            ReplicationStatus.from_api_value(file_version_dict.get('replicationStatus')),
        )


class DownloadVersionFactory:
    """Makes `DownloadVersion` of the headers of a download."""

    DOWNLOAD_VERSION_CLASS = DownloadVersion

    def __init__(self, api: B2Api) -> None:
        self.api = api

    @classmethod
    def range_and_size_from_header(cls, header: str) -> tuple[Range, int]:
        """The range and the size of the whole file in a ``Content-Range`` header."""
        range_, size = Range.from_header_with_size(header)
        if size is None:
            raise AssertionError('Total length was expected in Content-Range header')
        return range_, size

    @classmethod
    def file_info_from_headers(cls, headers: Mapping[str, str]) -> dict[str, str]:
        """The file info in the headers; its names are as the headers write them."""
        prefix = FILE_INFO_HEADER_PREFIX_LOWER
        return {
            name[len(prefix) :]: b2_url_decode(value)
            for name, value in headers.items()
            if name.lower().startswith(prefix)
        }

    def from_response_headers(self, headers: Mapping[str, str]) -> DownloadVersion:
        """Made from the headers of a response, whatever the case of their names.

        Raises `UnexpectedCloudBehaviour` if they are not those of a download.
        """
        headers = Headers(headers)
        missing = [name for name in _HEADERS_OF_DOWNLOADS if name not in headers]
        if missing:
            raise UnexpectedCloudBehaviour(
                f'a download without {", ".join(missing)}; is it a proxy that answers?'
            )
        content_length = int(headers['content-length'])
        if 'content-range' in headers:
            range_, size = self.range_and_size_from_header(headers['content-range'])
        else:
            range_ = Range(0, content_length - 1) if content_length else EMPTY_RANGE
            size = content_length
        return self.DOWNLOAD_VERSION_CLASS(
            self.api,
            headers['x-bz-file-id'],
            b2_url_decode(headers['x-bz-file-name']),
            size,
            headers.get('content-type'),
            headers['x-bz-content-sha1'],
            self.file_info_from_headers(headers),
            int(headers['x-bz-upload-timestamp']),
            EncryptionSettingFactory.from_response_headers(headers),
            range_,
            headers.get('content-disposition'),
            content_length,
            headers.get('content-language'),
            headers.get('expires'),
            headers.get('cache-control'),
            headers.get('content-encoding'),
            FileRetentionSetting.from_response_headers(headers),
            LegalHold.from_response_headers(headers),
            ReplicationStatus.from_response_headers(headers),
        )
