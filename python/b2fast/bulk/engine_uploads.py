"""Small uploads by the Rust core."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from .._core.planning import MAX_PART_SIZE
from .._core.transfer import TransferError
from ..cancel import naming_transfer
from ..exception import WrongEncryptionSettingForFileWrite
from ..transfer.engine_seam import answer_of_upload
from ..transfer.errors import Direction, exception_of
from ..transfer.outbound.file_upload import FileUpload
from ..transfer.outbound.upload_source import (
    AbstractUploadSource,
    UploadSourceBytes,
    UploadSourceLocalFileBase,
    bytes_of,
    path_of_content,
)
from ..utils.file_names import validate_b2_file_name
from .engine_lane import EngineLane
from .items import Content, UploadItem

if TYPE_CHECKING:
    from ..file_version import FileVersion
    from ..transfer.engine_seam import EngineSeam
    from .progress import BulkProgress
    from .uploads import Uploads

_SMALL = 4 * 1024 * 1024
"""Bytes; a larger file has a progress of its own."""


class EngineUploads(EngineLane[UploadItem, 'FileVersion']):
    """Uploads items; those that are small, and that the core can read, by its queue."""

    def __init__(
        self, uploads: Uploads, seam: EngineSeam, workers: int, progress: BulkProgress
    ) -> None:
        self._uploads = uploads
        self._bucket = uploads.bucket
        self._headers_of = seam.headers_of
        self._versions = self._bucket.api.file_version_factory
        info = self._bucket.api.account_info
        minimum = info.get_absolute_minimum_part_size()
        takes_parts_from = minimum + max(info.get_recommended_part_size(), minimum)
        self._large_from = min(takes_parts_from, MAX_PART_SIZE + 1, _SMALL)
        self._uploads_of_core = seam.bulk_uploads(self._bucket.id_, workers, self._large_from)
        self._retried = 0
        super().__init__(self._uploads_of_core, workers, progress)

    def start(self, ticket: int, item: Any) -> None:
        """See `Lane.start`."""
        given = self._uploads.complete(item)
        content, sha1 = _of_core(given.source)
        is_file = isinstance(content, str)
        if content is None or not (is_file or len(content) < self._large_from):
            self.start_in_thread(ticket, partial(self._uploads.upload, given))
            return
        headers = self._checked_headers(given, 0 if isinstance(content, str) else len(content))
        if isinstance(content, str):
            self._uploads_of_core.push_file(ticket, content, headers, sha1)
        else:
            self._uploads_of_core.push_bytes(ticket, content, headers, sha1)
        self._in_queue[ticket] = given

    def finished(self, wait: float) -> Iterable[tuple[int, FileVersion | None, Exception | None]]:
        """See `Lane.finished`."""
        yield from super().finished(wait)
        retried = self._uploads_of_core.bytes_retried
        self._progress.add(retried=retried - self._retried)
        self._retried = retried

    def _checked_headers(self, given: UploadItem, length: int) -> list[tuple[str, str]]:
        validate_b2_file_name(given.file_name)
        encryption = given.encryption
        if encryption is not None and not encryption.can_be_used_for_file_write():
            raise WrongEncryptionSettingForFileWrite(encryption)
        upload = FileUpload(
            self._bucket.id_,
            given.file_name,
            given.content_type or self._bucket.DEFAULT_CONTENT_TYPE,
            given.file_info or {},
            encryption,
            given.file_retention,
            given.legal_hold,
        )
        return self._headers_of(upload, length)

    def _fail(self, given: UploadItem, error: Exception) -> None:
        if isinstance(error, TransferError):
            with naming_transfer(given.file_name, 'upload it again'):
                raise exception_of(error, Direction.UPLOAD) from None
        raise error

    def _value_of(self, ticket: int, given: UploadItem, value: Any) -> FileVersion | None:
        if value is None:
            # The ordinary way knows what to do with it, or what is wrong with it.
            self.start_in_thread(ticket, partial(self._uploads.upload, given))
            return None
        return self._versions.from_api_response(answer_of_upload(value))


def _of_core(content: Content) -> tuple[str | bytes | bytearray | None, str | None]:
    """The path or the bytes of a content that the core can read, and its SHA-1 if known."""
    match content:
        case str():
            return content, None
        case bytes() | bytearray() | memoryview():
            return bytes_of(content), None
        case UploadSourceBytes() if type(content).open is UploadSourceBytes.open:
            return content.data_bytes, content.content_sha1
        case UploadSourceLocalFileBase():
            path = path_of_content(content)
            return (None, None) if path is None else (str(path), content.content_sha1)
        case AbstractUploadSource():
            return None, None
    path_of_item = os.fspath(content)
    return (path_of_item, None) if isinstance(path_of_item, str) else (None, None)
