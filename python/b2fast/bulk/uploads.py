"""Many uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..transfer.engine_seam import EngineSeam
from ..transfer.outbound.upload_source import (
    AbstractUploadSource,
    UploadSourceBytes,
    UploadSourceLocalFile,
    bytes_of,
)
from .items import Content, UploadItem, upload_item
from .progress import BulkProgress, Share
from .pump import Lane
from .threads import ThreadLane

if TYPE_CHECKING:
    from ..bucket import Bucket
    from ..file_version import FileVersion


class Uploads:
    """Uploads items to a bucket.

    :param defaults: what an item leaves open; its source and its name mean nothing
    """

    def __init__(self, bucket: Bucket, defaults: UploadItem) -> None:
        self.bucket = bucket
        self._defaults = defaults

    def complete(self, item: Any) -> UploadItem:
        """The item with what it leaves open. Raises `TypeError` for what is none."""
        given = upload_item(item)
        defaults = self._defaults
        return UploadItem(
            given.source,
            given.file_name,
            given.content_type or defaults.content_type,
            defaults.file_info if given.file_info is None else given.file_info,
            given.encryption or defaults.encryption,
            given.file_retention or defaults.file_retention,
            given.legal_hold or defaults.legal_hold,
        )

    def lane(self, workers: int, progress: BulkProgress) -> Lane[FileVersion]:
        """What uploads the items."""
        seam = self.bucket.api.services.transfer_seam
        if isinstance(seam, EngineSeam):
            from .engine_uploads import EngineUploads

            return EngineUploads(self, seam, workers, progress)
        return ThreadLane(
            lambda item, share: self.upload(self.complete(item), share), workers, progress
        )

    def upload(self, given: UploadItem, share: Share) -> FileVersion:
        """Upload one complete item; see `Bucket.upload`."""
        return self.bucket.upload(
            source_of(given.source),
            given.file_name,
            content_type=given.content_type,
            file_info=given.file_info,
            progress_listener=share,
            encryption=given.encryption,
            file_retention=given.file_retention,
            legal_hold=given.legal_hold,
        )


def source_of(content: Content) -> AbstractUploadSource:
    """The content of an item as a source. Raises what making that source raises."""
    match content:
        case AbstractUploadSource():
            return content
        case bytes() | bytearray() | memoryview():
            return UploadSourceBytes(bytes_of(content))
    return UploadSourceLocalFile(content)
