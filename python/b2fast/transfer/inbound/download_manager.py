"""Opens downloads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...cancel import naming_transfer
from ...exception import FileNotPresent, InvalidArgument, InvalidRange
from ...progress import AbstractProgressListener, DoNothingProgressListener
from ..transfer_manager import TransferManager
from .downloaded_file import DownloadedFile
from .downloader.abstract import AbstractDownloader, is_decoded
from .downloader.parallel import ParallelDownloader
from .downloader.simple import SimpleDownloader

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...file_version import DownloadVersion
    from ..seam import OpenDownload


class DownloadManager(TransferManager):
    """Opens downloads and says how they shall be received.

    The first of ``strategies`` that suits a download is its `DownloadedFile.download_strategy`.
    Those that are made here stand for the way of the raw API's engine; one of the program's own,
    put into the list or into ``*_DOWNLOADER_CLASS``, does the work itself.

    :param write_buffer_size: bytes to collect before a write into a file object
    :param check_hash: verify the SHA-1 of whole files
    :param max_download_streams_per_file: connections per file; the workers' number if None
    """

    DEFAULT_MIN_PART_SIZE = 100 * 1024 * 1024
    """Bytes that a stretch of a file has at least in the first of ``strategies``."""
    PARALLEL_DOWNLOADER_CLASS = ParallelDownloader
    SIMPLE_DOWNLOADER_CLASS = SimpleDownloader
    MIN_CHUNK_SIZE = 8 * 1024
    MAX_CHUNK_SIZE = 1024 * 1024

    def __init__(
        self,
        write_buffer_size: int | None = None,
        check_hash: bool = True,
        max_download_streams_per_file: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_download_streams_per_file is not None and max_download_streams_per_file < 1:
            raise InvalidArgument('max_download_streams_per_file', 'must be at least 1')
        self.write_buffer_size = write_buffer_size
        self.check_hash = check_hash
        self._max_streams = max_download_streams_per_file
        common: dict[str, Any] = {
            'min_chunk_size': self.MIN_CHUNK_SIZE,
            'max_chunk_size': max(self.MAX_CHUNK_SIZE, write_buffer_size or 0),
            'align_factor': write_buffer_size,
            'thread_pool': self._thread_pool,
            'check_hash': check_hash,
        }
        self.strategies: list[AbstractDownloader] = [
            self.PARALLEL_DOWNLOADER_CLASS(
                min_part_size=self.DEFAULT_MIN_PART_SIZE,
                max_streams=max_download_streams_per_file,
                **common,
            ),
            self.SIMPLE_DOWNLOADER_CLASS(**common),
        ]
        self._of_engine = [
            strategy
            for strategy in self.strategies
            if type(strategy) in (ParallelDownloader, SimpleDownloader)
        ]

    def strategy_for(self, version: DownloadVersion, allow_seeking: bool) -> AbstractDownloader:
        """The first of ``strategies`` that suits. Raises `ValueError` if none does.

        :param allow_seeking: may it write at any offset, and read back?
        """
        for strategy in self.strategies:
            if strategy.is_suitable(version, allow_seeking):
                return strategy
        raise ValueError('no strategy suitable for download was found!')

    def does_work_itself(self, strategy: AbstractDownloader, version: DownloadVersion) -> bool:
        """Is the download left to the strategy, and not to the engine?

        The engine gives content as B2 stores it.
        """
        return strategy not in self._of_engine or is_decoded(version)

    def leaves_all_to_engine(self) -> bool:
        """Does no strategy of the program's own and no decoding come in for any download?"""
        return self.strategies == self._of_engine and not (
            self.services.api.api_config.decode_content
        )

    @property
    def streams_per_file(self) -> int:
        """How many connections one file is received over."""
        return self._max_streams or self.get_thread_pool_size()

    def chunk_size(self, downloaded_file: DownloadedFile) -> int:
        """How many bytes are received before they are written into a file object."""
        size = downloaded_file.write_buffer_size or self.MAX_CHUNK_SIZE
        return max(self.MIN_CHUNK_SIZE, min(size, self.MAX_CHUNK_SIZE))

    def download_file_from_url(
        self,
        url: str,
        progress_listener: AbstractProgressListener | None = None,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> DownloadedFile:
        """Open a download.

        :param range_: the first and the last byte to receive, from 0, both inclusive
        :param encryption: the key of an SSE-C file

        Raises `FileNotPresent` if there is no such file, `UnsatisfiableRange` for a range
        behind its end, and `InvalidRange` for one that reaches beyond it.
        """
        if range_ is not None:
            _check_range(range_)
        return self.downloaded_file(
            self._open(url, range_, encryption), progress_listener, range_, encryption
        )

    def downloaded_file(
        self,
        response: OpenDownload,
        progress_listener: AbstractProgressListener | None,
        range_: tuple[int, int] | None,
        encryption: EncryptionSetting | None,
    ) -> DownloadedFile:
        """What `download_file_from_url` makes of an open download."""
        try:
            api = self.services.api
            version = api.download_version_factory.from_response_headers(response.headers)
            response.continue_at(self.url_of_version(version))
            if range_ is not None and version.content_length != range_[1] - range_[0] + 1:
                raise InvalidRange(version.content_length, range_)
        except BaseException:
            response.close()
            raise
        return DownloadedFile(
            download_version=version,
            download_manager=self,
            range_=range_,
            response=response,
            encryption=encryption,
            progress_listener=progress_listener or DoNothingProgressListener(),
            write_buffer_size=self.write_buffer_size,
            check_hash=self.check_hash,
        )

    def url_of_version(self, version: DownloadVersion) -> str:
        """The URL of exactly this version, whatever its name stands for by now."""
        return self.services.session.get_download_url_by_id(version.id_)

    def open_again(self, downloaded_file: DownloadedFile) -> OpenDownload:
        """Open a download of the same version and range once more."""
        return self._open(
            self.url_of_version(downloaded_file.download_version),
            downloaded_file.range_,
            downloaded_file.encryption,
        )

    def _open(
        self, url: str, range_: tuple[int, int] | None, encryption: EncryptionSetting | None
    ) -> OpenDownload:
        return self.services.transfer_seam.open_download(url, range_, encryption)


@contextmanager
def naming(file_id_or_name: str) -> Iterator[None]:
    """Say in `FileNotPresent` which file was asked for, and in errors of a `cancel_scope`."""
    try:
        with naming_transfer(file_id_or_name, 'download it again'):
            yield
    except FileNotPresent as error:
        error.file_id_or_name = error.file_id_or_name or file_id_or_name
        raise


def _check_range(range_: tuple[int, int]) -> None:
    first, last = range_
    if not 0 <= first <= last:
        raise InvalidArgument('range_', f'{first}-{last} is not a range of bytes')
