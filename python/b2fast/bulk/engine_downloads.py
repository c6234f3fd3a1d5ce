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
from .downloads import Wanted
from .engine_lane import EngineLane

if TYPE_CHECKING:
    from ..file_version import DownloadVersion
    from ..transfer.engine_seam import EngineSeam
    from .downloads import Downloads
    from .progress import BulkProgress, Share


class EngineDownloads(EngineLane[Wanted, 'DownloadVersion']):
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
        wanted = self._downloads.complete(item)
        if wanted.anchor is None and is_written_in_place(wanted.path):
            self.start_in_thread(ticket, partial(self._downloads.download, wanted))
            return
        headers: dict[str, str] = {}
        if wanted.encryption is not None:
            wanted.encryption.add_to_download_headers(headers)
        url = self._downloads.url_of(wanted.source)
        self._downloads_of_core.push(ticket, url, list(headers.items()), wanted.path, wanted.anchor)
        self._in_queue[ticket] = wanted

    def _fail(self, given: Wanted, error: Exception) -> None:
        if not isinstance(error, TransferError):
            raise error
        source = given.source
        name = source if isinstance(source, str) else source.id_
        try:
            with naming(name), destination_errors(given.path):
                raise exception_of(error, Direction.DOWNLOAD) from None
        except AccessDenied:
            raise SSECKeyError from None

    def _value_of(self, ticket: int, given: Wanted, value: Any) -> DownloadVersion | None:
        if isinstance(value, Download):
            self.start_in_thread(ticket, partial(self._receive, given, value))
            return None
        return self._versions.from_response_headers(value)

    def _receive(self, given: Wanted, download: Download, share: Share) -> DownloadVersion:
        opened = self._manager.downloaded_file(
            EngineDownload(download), share, None, given.encryption
        )
        return self._downloads.save(opened, given)
