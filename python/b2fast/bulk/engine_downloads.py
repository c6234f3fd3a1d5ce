"""Small downloads by the Rust core."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .._core.transfer import Download, TransferError
from ..exception import AccessDenied, SSECKeyError
from ..transfer.engine_seam import EngineDownload
from ..transfer.errors import Direction, exception_of
from ..transfer.inbound.destination import destination_errors
from ..transfer.inbound.download_manager import naming
from ..utils.special_files import is_written_in_place
from .engine_lane import EngineLane
from .items import DownloadItem

if TYPE_CHECKING:
    from ..file_version import DownloadVersion
    from ..transfer.engine_seam import EngineSeam
    from .downloads import Downloads
    from .progress import BulkProgress, Share

_Given = tuple[DownloadItem, str]
"""An item and its path."""


class EngineDownloads(EngineLane[_Given, 'DownloadVersion']):
    """Downloads items; those that turn out to be small by the queue of the core."""

    def __init__(
        self, downloads: Downloads, seam: EngineSeam, workers: int, progress: BulkProgress
    ) -> None:
        self._downloads = downloads
        api = downloads.bucket.api
        self._session = api.session
        self._manager = api.services.download_manager
        self._versions = api.download_version_factory
        self._downloads_of_core = seam.bulk_downloads(workers, self._manager.check_hash)
        super().__init__(self._downloads_of_core, workers, progress)

    def start(self, ticket: int, item: Any) -> None:
        """See `Lane.start`."""
        given, path = self._downloads.complete(item)
        is_under_directory = given.local_path is None
        if not is_under_directory and is_written_in_place(path):
            self.start_in_thread(ticket, partial(self._downloads.download, (given, path)))
            return
        headers: dict[str, str] = {}
        if given.encryption is not None:
            given.encryption.add_to_download_headers(headers)
        self._downloads_of_core.push(
            ticket, self._downloads.url_of(given), list(headers.items()), path, is_under_directory
        )
        self._in_queue[ticket] = given, path

    def _fail(self, given: _Given, error: Exception) -> None:
        item, path = given
        if not isinstance(error, TransferError):
            raise error
        source = item.source
        name = source if isinstance(source, str) else source.id_
        try:
            with naming(name), destination_errors(path):
                raise exception_of(error, Direction.DOWNLOAD) from None
        except AccessDenied:
            raise SSECKeyError from None

    def _value_of(self, ticket: int, given: _Given, value: Any) -> DownloadVersion | None:
        if isinstance(value, Download):
            self.start_in_thread(ticket, partial(self._receive, given, value))
            return None
        return self._versions.from_response_headers(value)

    def _receive(self, given: _Given, download: Download, share: Share) -> DownloadVersion:
        opened = self._manager.downloaded_file(
            EngineDownload(download), share, None, given[0].encryption
        )
        return self._downloads.save(opened, given)
