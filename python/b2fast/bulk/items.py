"""What goes into a bulk call, and what comes out of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from ..file_version import DownloadVersion, FileVersion
from ..transfer.outbound.upload_source import AbstractUploadSource

if TYPE_CHECKING:
    from ..encryption.setting import EncryptionSetting
    from ..file_lock import FileRetentionSetting, LegalHold

LocalPath: TypeAlias = str | os.PathLike[str]
Content: TypeAlias = LocalPath | bytes | bytearray | memoryview | AbstractUploadSource
"""A local file by its path, or content in memory, or a source."""

_Value = TypeVar('_Value')


@dataclass(slots=True)
class BulkResult(Generic[_Value]):
    """What became of one item of a bulk call."""

    item: Any
    """The item as it was given."""
    value: _Value | None = None
    """What the call for one item returns; None if it failed."""
    error: Exception | None = None
    """Why it failed: what the call for one item raises; None if it succeeded."""

    @property
    def ok(self) -> bool:
        """Did it succeed?"""
        return self.error is None

    def get(self) -> _Value:
        """The value. Raises the error if there is one."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


@dataclass(slots=True)
class UploadItem:
    """A file to make. What is None is taken from the parameters of `Bucket.upload_many`."""

    source: Content
    file_name: str
    content_type: str | None = None
    file_info: dict[str, str] | None = None
    encryption: EncryptionSetting | None = None
    file_retention: FileRetentionSetting | None = None
    legal_hold: LegalHold | None = None


@dataclass(slots=True)
class DownloadItem:
    """A file to fetch.

    A name stands for its newest version. Without a path the file goes under the ``directory`` of
    `Bucket.download_many`.
    """

    source: FileVersion | DownloadVersion | str
    local_path: LocalPath | None = None
    encryption: EncryptionSetting | None = None


@dataclass(slots=True)
class CopyItem:
    """A file to copy. What is None is taken from the parameters of `Bucket.copy_many`."""

    source: FileVersion | DownloadVersion | str
    """A version, or its ID."""
    new_file_name: str
    content_type: str | None = None
    file_info: dict[str, str] | None = None
    source_encryption: EncryptionSetting | None = None
    destination_encryption: EncryptionSetting | None = None


def upload_item(item: Any) -> UploadItem:
    """An item of `Bucket.upload_many`. Raises `TypeError` for what is none."""
    match item:
        case UploadItem():
            return item
        case (source, str() as file_name):
            return UploadItem(source, file_name)
    raise TypeError(f'not (local path or content, file name) or an UploadItem: {_shown(item)}')


def download_item(item: Any) -> DownloadItem:
    """An item of `Bucket.download_many`. Raises `TypeError` for what is none."""
    match item:
        case DownloadItem():
            return item
        case FileVersion() | DownloadVersion() | str():
            return DownloadItem(item)
        case ((FileVersion() | DownloadVersion()) as version, None):
            # As `Bucket.ls` has it. A folder beside it is a name of the cloud and no path.
            return DownloadItem(version)
        case (str() as file_name, str() | os.PathLike() as local_path):
            return DownloadItem(file_name, local_path)
    raise TypeError(
        f'not a version, a file name, (file name, local path) or a DownloadItem: {_shown(item)}'
    )


def copy_item(item: Any) -> CopyItem:
    """An item of `Bucket.copy_many`. Raises `TypeError` for what is none."""
    match item:
        case CopyItem():
            return item
        case ((FileVersion() | DownloadVersion() | str()) as source, str() as new_file_name):
            return CopyItem(source, new_file_name)
    raise TypeError(f'not (version or file ID, new file name) or a CopyItem: {_shown(item)}')


def id_and_name(item: Any) -> tuple[str, str]:
    """An item of `Bucket.delete_many`. Raises `TypeError` for what is none."""
    match item:
        case (FileVersion() | DownloadVersion()) as version:
            return version.id_, version.file_name
        case ((FileVersion() | DownloadVersion()) as version, None):
            return version.id_, version.file_name
        case (str() as file_id, str() as file_name):
            return file_id, file_name
    raise TypeError(f'not a version or (file ID, file name): {_shown(item)}')


def _shown(item: Any) -> str:
    # Content may be long, and a setting may hold a key.
    if isinstance(item, tuple):
        return f'({", ".join(type(it).__name__ for it in item)})'
    return type(item).__name__
