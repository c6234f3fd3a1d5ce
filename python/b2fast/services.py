"""What an API object is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .large_file.services import LargeFileServices
from .transfer.emerge.emerger import Emerger
from .transfer.engine_seam import EngineSeam, UploadLeases
from .transfer.inbound.download_manager import DownloadManager
from .transfer.outbound.copy_manager import CopyManager
from .transfer.outbound.upload_manager import UploadManager
from .transfer.seam import TransferSeam
from .transfer.stream_seam import StreamSeam

if TYPE_CHECKING:
    from .api import B2Api


class Services:
    """The managers that an API object hands its work to.

    The parameters are those of `B2Api`.
    """

    UPLOAD_MANAGER_CLASS = UploadManager
    COPY_MANAGER_CLASS = CopyManager
    DOWNLOAD_MANAGER_CLASS = DownloadManager
    LARGE_FILE_SERVICES_CLASS = LargeFileServices

    def __init__(
        self,
        api: B2Api,
        max_upload_workers: int | None = None,
        max_copy_workers: int | None = None,
        max_download_workers: int | None = None,
        save_to_buffer_size: int | None = None,
        check_download_hash: bool = True,
        max_download_streams_per_file: int | None = None,
    ) -> None:
        self.api = api
        self.session = api.session
        self.large_file = self.LARGE_FILE_SERVICES_CLASS(self)
        self.upload_manager = self.UPLOAD_MANAGER_CLASS(
            services=self, max_workers=max_upload_workers
        )
        self.copy_manager = self.COPY_MANAGER_CLASS(services=self, max_workers=max_copy_workers)
        self.download_manager = self.DOWNLOAD_MANAGER_CLASS(
            services=self,
            max_workers=max_download_workers,
            write_buffer_size=save_to_buffer_size,
            check_hash=check_download_hash,
            max_download_streams_per_file=max_download_streams_per_file,
        )
        self.emerger = Emerger(self)
        self._leases = UploadLeases(api.session)

    @property
    def transfer_seam(self) -> TransferSeam:
        """The way that bytes move: that of the raw API's engine, if it has one."""
        streams = StreamSeam(self.session)
        workers = self.upload_manager.get_thread_pool_size()
        engine = self.session.transfer_engine(max(workers, self.download_manager.streams_per_file))
        if engine is None:
            return streams
        return EngineSeam(self.session, engine, self._leases, workers, streams)
