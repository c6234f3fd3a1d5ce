"""Makes a large file of the parts of a plan."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ...cancel import ending_together, in_this_context
from ...exception import AlreadyFailed, PartSha1Mismatch, SourceChanged, UnboundStreamBufferTimeout
from ...progress import AbstractProgressListener, tell_retried
from ...utils.waiting import wait_for_first
from ..outbound.copy_source import CopySource
from ..outbound.file_upload import PartUpload
from ..outbound.large_file_upload_state import LargeFileUploadState
from ..outbound.progress_reporter import PartProgressReporter
from ..outbound.upload_source import AbstractUploadSource, UploadSourceLocalFileBase, name_of
from .part_content import PartContent, downloaded_bytes
from .planner import EmergePart
from .stretches import Stretch
from .units import Content, CopyUnit, PiecesUnit, RunUnit, Unit

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...large_file.part import Part
    from ...services import Services

DOWNLOADED_BYTES_AT_A_TIME = 64 * 1024 * 1024
"""What is kept in memory of stored files that are too short to be copied. One part may have more,
and then it is the only one."""

_TIME_TO_END = 0.5
"""Seconds that threads get to end after an error; Ctrl-C has to work within one."""


@dataclass(frozen=True, slots=True)
class Load:
    """What units need at a time, or may need.

    :ivar uploads: connections that send
    :ivar copies: calls that copy
    :ivar downloaded: bytes in memory
    :ivar units: units
    """

    uploads: int = 0
    copies: int = 0
    downloaded: int = 0
    units: int = 1


@dataclass(frozen=True, slots=True)
class _Running:
    unit: Unit
    load: Load
    thread: threading.Thread | None = None


class MonotonicProgress(AbstractProgressListener):
    """Passes on only what is more than before: a part that is sent again does not count down."""

    def __init__(self, listener: AbstractProgressListener) -> None:
        super().__init__()
        self._listener = listener
        self._last = 0

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Pass it on."""
        self._listener.set_total_bytes(total_byte_count)

    def bytes_completed(self, byte_count: int) -> None:
        """Pass it on if it is more."""
        if byte_count > self._last:
            self._last = byte_count
            self._listener.bytes_completed(byte_count)

    def bytes_retried(self, byte_count: int) -> None:
        """Pass it on."""
        tell_retried(self._listener, byte_count)


class PartsOfLargeFile:
    """Sends and copies the parts of a large file side by side.

    As much is under way at a time as the managers of uploads and copies have workers; the next
    part is not asked for before there is room for it.

    :param encryption: of the large file
    :param finished: parts that are in the large file already, by their numbers; those with the
                same length and SHA-1 are not sent again
    :param most_units: how many units are under way at most; None for no limit but the workers'
    :param patience: seconds to wait for one to be done before `UnboundStreamBufferTimeout`
    """

    def __init__(
        self,
        services: Services,
        file_id: str,
        encryption: EncryptionSetting | None,
        progress: MonotonicProgress,
        finished: Mapping[int, Part],
        most_units: int | None = None,
        patience: float | None = None,
    ) -> None:
        self._services = services
        self._seam = services.transfer_seam
        self._file_id = file_id
        self._encryption = encryption
        self._finished = finished
        self._patience = patience
        self._state = LargeFileUploadState(progress)
        workers = services.upload_manager.get_thread_pool_size()
        copies = services.copy_manager.get_thread_pool_size()
        self._limit = Load(
            workers, copies, DOWNLOADED_BYTES_AT_A_TIME, most_units or workers + copies
        )
        self._running: dict[Future[Any], _Running] = {}
        self._sha1s: dict[int, str] = {}

    def store(self, units: Iterable[Unit]) -> list[str]:
        """Store all of them; returns the SHA-1 of each part, in order.

        Raises the first error of a part; what has not been started then never is.
        """
        try:
            with ending_together(), self._seam.large_file(self._file_id):
                for unit in units:
                    self._start(unit)
                while self._running:
                    self._collect()
        except BaseException as error:
            # Parts that are being sent look at this, and end.
            self._state.set_error(str(error) or type(error).__name__)
            self._wait_for_the_end()
            raise
        return [self._sha1s[number] for number in sorted(self._sha1s)]

    def _start(self, unit: Unit) -> None:
        load = self._load_of(unit)
        while not self._has_room(load):
            self._collect()
        if isinstance(unit, CopyUnit):
            self._running[self._copy(unit)] = _Running(unit, load)
            return
        future: Future[dict[int, str]] = Future()
        # Of the daemon kind: a connection that stands still must not hold up the end of the
        # program after Ctrl-C.
        thread = threading.Thread(
            target=in_this_context(self._run),
            args=(unit, future),
            name='b2fast-emerge',
            daemon=True,
        )
        self._running[future] = _Running(unit, load, thread)
        thread.start()

    def _run(self, unit: RunUnit | PiecesUnit, future: Future[dict[int, str]]) -> None:
        try:
            if isinstance(unit, RunUnit):
                future.set_result(self._send_run(unit))
            else:
                future.set_result(self._send_pieces(unit))
        except BaseException as error:
            future.set_exception(error)

    def _wait_for_the_end(self) -> None:
        """Give the threads that send the time to notice that there was an error."""
        end = time.monotonic() + _TIME_TO_END
        for running in self._running.values():
            if running.thread is not None:
                running.thread.join(max(0.0, end - time.monotonic()))

    def _load_of(self, unit: Unit) -> Load:
        if isinstance(unit, CopyUnit):
            return Load(copies=1)
        if isinstance(unit, RunUnit):
            return Load(uploads=min(len(unit.parts), self._limit.uploads))
        return Load(uploads=1, downloaded=downloaded_bytes(unit.part))

    def _has_room(self, load: Load) -> bool:
        loads = [running.load for running in self._running.values()]
        for field in fields(Load):
            used = sum(getattr(other, field.name) for other in loads)
            # What is too much by itself goes alone.
            if used and used + getattr(load, field.name) > getattr(self._limit, field.name):
                return False
        return True

    def _collect(self) -> None:
        """Wait for at least one unit and take its digests."""
        done = wait_for_first(self._running, self._patience)
        if not done:
            raise UnboundStreamBufferTimeout(f'no part was stored within {self._patience} seconds')
        for future in done:
            running = self._running.pop(future)
            if running.thread is not None:
                running.thread.join()
            result = future.result()
            if isinstance(running.unit, CopyUnit):
                self._sha1s[running.unit.number] = _checked_sha1(running.unit, result)
            else:
                self._sha1s.update(result)

    def _copy(self, unit: CopyUnit) -> Future[dict[str, Any]]:
        source = unit.stretch.source
        finished = self._finished.get(unit.number)
        is_there = finished is not None and finished.content_sha1 == unit.sha1
        assert isinstance(source, CopySource)
        return self._services.copy_manager.copy_part(
            self._file_id,
            source.get_copy_source_range(unit.stretch.offset, unit.stretch.length),
            unit.number,
            self._state,
            self._finished if is_there else None,
            destination_encryption=self._encryption,
            source_encryption=source.encryption,
        )

    def _send_pieces(self, unit: PiecesUnit) -> dict[int, str]:
        content = PartContent(self._services, unit.part, unit.sha1)
        try:
            part = PartUpload(unit.number, 0, unit.part.length, None)
            finished = self._finished.get(part.number)
            if finished is not None and _is_same(finished, part, content):
                self._state.update_part_bytes(part.length)
                return {part.number: finished.content_sha1}
            return self._send(content, [part])
        finally:
            content.forget()

    def _send_run(self, unit: RunUnit) -> dict[int, str]:
        content = unit.content
        stored: dict[int, str] = {}
        parts = []
        for part in unit.parts:
            finished = self._finished.get(part.number)
            if finished is not None and self._is_part(finished, part, content):
                self._state.update_part_bytes(part.length)
                stored[part.number] = finished.content_sha1
            else:
                parts.append(part)
        if parts:
            stored.update(self._send(content.whole(), parts, content))
        return stored

    def _is_part(self, finished: Part, part: PartUpload, content: Content) -> bool:
        stretch = Stretch(content.source, part.offset - content.start, part.length)
        return _is_same(finished, part, PartContent(self._services, EmergePart((stretch,))))

    def _send(
        self, source: AbstractUploadSource, parts: list[PartUpload], planned: Content | None = None
    ) -> dict[int, str]:
        """Send parts of a source; returns their digests by their numbers.

        :param planned: what it was when the file was planned, if it may have changed
        """
        length = sum(part.length for part in parts)
        reporter = PartProgressReporter(self._state)

        def progress(byte_count: int, retried: int) -> None:
            if self._state.has_error():
                raise AlreadyFailed(self._state.get_error_message())
            reporter.update(byte_count, retried)

        progress(0, 0)
        with self._seam.open(source) as content:
            if planned is not None:
                check_unchanged(planned.source, content.length, planned.size)
            sha1s = content.send_parts(self._file_id, parts, self._encryption, progress)
        reporter.bytes_completed(length)
        return dict(zip((part.number for part in parts), sha1s, strict=True))


def _checked_sha1(unit: CopyUnit, answer: dict[str, Any]) -> str:
    """The SHA-1 of a part that was copied. Raises `PartSha1Mismatch` if it is a wrong one."""
    sha1: str = answer['contentSha1']
    if unit.sha1 not in (None, sha1):
        raise PartSha1Mismatch(unit.number)
    return sha1


def check_unchanged(source: AbstractUploadSource, length: int, expected: int) -> None:
    """Raise `SourceChanged` for open content that is not what it was when the file was planned.

    :param length: what it has, in bytes
    :param expected: what it had
    """
    if length != expected:
        raise SourceChanged(name_of(source), f'it had {expected} bytes and has {length}')
    if isinstance(source, UploadSourceLocalFileBase):
        source.check_unchanged()


def _is_same(finished: Part, part: PartUpload, content: PartContent) -> bool:
    return finished.content_length == part.length and finished.content_sha1 == (
        part.sha1 or content.get_content_sha1()
    )
