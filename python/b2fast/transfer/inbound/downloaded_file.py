"""A download whose headers are there and whose content is to be saved."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Literal

from ...cancel import naming_transfer
from ...exception import ChecksumMismatch, InvalidArgument, InvalidUserInput, TruncatedOutput
from ...progress import AbstractProgressListener, TransferProgress
from ...utils.mtime import mtime_ns_of
from ...utils.special_files import is_special, is_written_in_place, points_to_stdout
from .content_check import ContentCheck
from .continued_body import open_response
from .counting_writer import CountingWriter
from .destination import check_destination, check_place, destination_errors
from .download_stream import DownloadStream
from .downloader.abstract import is_decoded, write_all
from .replace import ReplacedFile

if TYPE_CHECKING:
    from pathlib import Path

    from ..._core.transfer import Place
    from ...encryption.setting import EncryptionSetting
    from ...file_version import DownloadVersion
    from ..seam import OpenDownload
    from .download_manager import DownloadManager
    from .downloader.abstract import AbstractDownloader

_SHA1 = re.compile(r'[0-9a-fA-F]{40}')
_MODES = (None, 'wb', 'wb+')
READ_AHEAD = 4 * 1024 * 1024
"""Bytes; what the first request of a download asks for."""


class DownloadedFile:
    """A file, or a range of it, that is ready to be received.

    ``download_version`` says what B2 told about it. The content is received by `save_to`, `save`
    or `open_stream`, and again by every further call.

    :param response: the open download
    :param write_buffer_size: bytes to collect before a write into a file object
    :param check_hash: verify the SHA-1 of whole files

    ``download_strategy`` is None until it is received, then the one of
    `DownloadManager.strategies` that suited.
    """

    def __init__(
        self,
        download_version: DownloadVersion,
        download_manager: DownloadManager,
        range_: tuple[int, int] | None,
        response: OpenDownload,
        encryption: EncryptionSetting | None,
        progress_listener: AbstractProgressListener,
        write_buffer_size: int | None = None,
        check_hash: bool = True,
    ) -> None:
        self.download_version = download_version
        self.download_manager = download_manager
        self.range_ = range_
        self.response = response
        self.encryption = encryption
        self.progress_listener = progress_listener
        self.write_buffer_size = write_buffer_size
        self.check_hash = check_hash
        self.download_strategy: AbstractDownloader | None = None
        self._used = False

    def save_to(
        self,
        path_: str | Path,
        mode: Literal['wb', 'wb+'] | None = None,
        allow_seeking: bool | None = None,
    ) -> None:
        """Receive the content into a local file.

        It is written beside the file, verified, and put in its place in one step, so that the
        old file stays if anything fails. The file gets the modification time of the version
        (``mod_time_millis``). Pipes, devices and the standard output are written directly.

        Of a file of 8 MiB or more, what has arrived is recorded in a journal beside the
        target. If the process dies, the network fails or Ctrl-C ends the download, the next one
        of the same version to the same path fetches only what is missing or damaged. That
        needs the engine: a raw API of one's own begins anew.

        :param mode: accepted as b2sdk does; the file is replaced in any case
        :param allow_seeking: False to receive the content in order over one connection

        Raises the `DestinationError` that fits the place, `ChecksumMismatch` or
        `TruncatedOutput` for content that is not what B2 announced, and `LocalFileError`, with
        its ``errno``, for a full disk and the like.
        """
        with self._closed_on_refusal():
            self._save_to(os.fspath(path_), mode, allow_seeking)

    def save_at(self, place: Place, path: str) -> None:
        """Receive the content into the file of a place below a directory; see `save_to`.

        :param path: what the user calls it
        """
        with self._closed_on_refusal():
            strategy = self._choose_strategy(True)
            if not place.replaces_all and is_special(place.path):
                with destination_errors(path), _open_in_place(place.path) as file:
                    self.save(file)
                return
            check_place(place, path)
            self._replace(place, path, strategy, None)

    def _save_to(self, path: str, mode: str | None, allow_seeking: bool | None) -> None:
        if mode not in _MODES:
            raise InvalidArgument('mode', "must be 'wb' or 'wb+'")
        strategy = self._choose_strategy(allow_seeking is not False and mode != 'wb')
        if is_written_in_place(path):
            self._save_in_place(path)
            return
        check_destination(path)
        self._replace(os.path.realpath(path), path, strategy, allow_seeking)

    def _replace(
        self,
        target: str | Place,
        path: str,
        strategy: AbstractDownloader,
        allow_seeking: bool | None,
    ) -> None:
        """Receive the content into a new file, which replaces the target; `path` is for errors."""
        version = self.download_version
        mtime_ns = mtime_ns_of(version.mod_time_millis)
        if self.download_manager.does_work_itself(strategy, version):
            with destination_errors(path), ReplacedFile(target, mtime_ns) as replaced:
                self._save_by(strategy, replaced.file)
            return
        response = self._take_response()
        try:
            progress = TransferProgress(self.progress_listener, version.content_length)
            with (
                naming_transfer(version.file_name, response.HOW_TO_GO_ON),
                destination_errors(path),
            ):
                response.save_to(
                    target,
                    sha1=self._expected_sha1(),
                    streams=self._streams(allow_seeking),
                    mtime_ns=mtime_ns,
                    progress=progress.update,
                )
            progress.finish()
        finally:
            response.close()

    def save(self, file: BinaryIO, allow_seeking: bool | None = None) -> None:
        """Receive the content into a file object, from where it stands.

        :param file: is written in order, whatever it can
        :param allow_seeking: False to rule out strategies of the program's own that seek

        Raises `ChecksumMismatch` or `TruncatedOutput` for content that is not what B2
        announced; what was written before stays written.
        """
        strategy = self._choose_strategy(allow_seeking is not False and _allows_seeking(file))
        if self.download_manager.does_work_itself(strategy, self.download_version):
            self._save_by(strategy, file)
            return
        length = self.download_version.content_length
        check = ContentCheck(self._expected_sha1(), length)
        response = self._take_response()
        try:
            progress = TransferProgress(self.progress_listener, length)
            with naming_transfer(self.download_version.file_name, 'download it again'):
                while chunk := response.read(self.download_manager.chunk_size(self)):
                    check.update(chunk)
                    write_all(file, chunk)
                    progress.update(check.received)
            check.finish()
            progress.finish()
        finally:
            response.close()

    def open_stream(self, read_ahead: int = READ_AHEAD) -> DownloadStream:
        """Open the content as a stream, to be read while it is received; see `DownloadStream`.

        :param read_ahead: how many bytes to receive, at most, before they are read

        The stream raises what `save` raises, but for errors of a file. It has to be closed, or
        used in a ``with`` block, if it is not read to its end. Raises `InvalidArgument` for a
        ``read_ahead`` that is not positive, and `InvalidUserInput` if the content is to be decoded
        (``decode_content``), which `save` does.
        """
        if read_ahead < 1:
            raise InvalidArgument('read_ahead', 'must be at least 1')
        version = self.download_version
        if is_decoded(version):
            raise InvalidUserInput('content that is to be decoded cannot be read as a stream')
        return DownloadStream(
            version.file_name,
            self._take_response(),
            ContentCheck(self._expected_sha1(), version.content_length),
            TransferProgress(self.progress_listener, version.content_length),
            read_ahead,
        )

    def _choose_strategy(self, allow_seeking: bool) -> AbstractDownloader:
        self.download_strategy = self.download_manager.strategy_for(
            self.download_version, allow_seeking
        )
        return self.download_strategy

    def _save_by(self, strategy: AbstractDownloader, file: BinaryIO) -> None:
        """Leave the work to a strategy, and verify what it did."""
        self._take_response().close()
        manager, version = self.download_manager, self.download_version
        session = manager.services.session
        progress = TransferProgress(self.progress_listener, version.content_length)
        with naming_transfer(version.file_name, 'download it again'):
            received, sha1 = strategy.download(
                CountingWriter(file, progress.update),  # type: ignore[arg-type]
                open_response(
                    session, manager.url_of_version(version), self.range_, self.encryption
                ),
                version,
                session,
                self.encryption,
            )
        if not is_decoded(version):
            if received != version.content_length:
                raise TruncatedOutput(received, version.content_length)
            expected = self._expected_sha1()
            if expected is not None and sha1 != expected.lower():
                raise ChecksumMismatch('sha1', expected, sha1)
        progress.finish()

    def _save_in_place(self, path: str) -> None:
        from pathlib import Path

        if points_to_stdout(Path(path)):
            # Opening the name would truncate a file that the output is appended to.
            sys.stdout.flush()
            self.save(sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        with destination_errors(path), open(path, 'wb') as file:
            self.save(file)

    def _take_response(self) -> OpenDownload:
        """The open download the first time, then a further one of the same version."""
        if not self._used:
            self._used = True
            return self.response
        return self.download_manager.open_again(self)

    @contextmanager
    def _closed_on_refusal(self) -> Iterator[None]:
        """Close the open download if an error comes before it is used; another can be opened."""
        try:
            yield
        except BaseException:
            if not self._used:
                self._take_response().close()
            raise

    def _expected_sha1(self) -> str | None:
        if not self.check_hash or self.range_ is not None:
            return None
        sha1 = self.download_version.get_content_sha1()
        return sha1 if sha1 is not None and _SHA1.fullmatch(sha1) else None

    def _streams(self, allow_seeking: bool | None) -> int:
        return 1 if allow_seeking is False else self.download_manager.streams_per_file


def _open_in_place(path: str) -> BinaryIO:
    """Open a pipe or a device to write it; a link in its place is not followed."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), 'wb')


def _allows_seeking(file: BinaryIO) -> bool:
    """Can the file be written at any offset and read back?"""
    try:
        return file.seekable() and file.read(0) == b''
    except (AttributeError, NotImplementedError, OSError, ValueError):
        return False
