"""Real files to a bucket and back: the transfers of the demo, each phase with its figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from b2fast import AbstractProgressListener, Bucket
from b2fast.exception import B2Error
from b2fast.utils.filesystem import path_below

from .display import Progress, open_progress
from .local_files import LocalFile, first_difference

# B2's recommended part size. A longer file travels in parallel parts on its own; shorter ones
# travel side by side.
PARALLEL_FILE_SIZE = 100_000_000

# How long transfers under way may take to end when the phase is interrupted.
_GRACE_SECONDS = 5


@dataclass
class Phase:
    """What one phase moved or read, what it took, and which files failed in it, with the reason."""

    label: str
    files: int = 0
    byte_count: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Take the wall time and this process's CPU time of the block."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds = time.perf_counter() - wall
        self.cpu_seconds = time.process_time() - cpu


class RoundTrip:
    """Sends files to a bucket, lists them, fetches them and compares them with their sources."""

    def __init__(self, bucket: Bucket, download_dir: Path, workers: int) -> None:
        """
        :param download_dir: an existing directory, which the files go to under their names
        :param workers: how many short files are under way at once
        """
        self._bucket = bucket
        self._download_dir = download_dir
        self._workers = workers

    def upload(self, label: str, files: Sequence[LocalFile]) -> Phase:
        """Send every file under its name."""

        def send(file: LocalFile, listener: AbstractProgressListener | None) -> None:
            self._bucket.upload_local_file(str(file.path), file.name, progress_listener=listener)

        return self._transfer(label, files, send)

    def list(self, files: Sequence[LocalFile]) -> Phase:
        """List the bucket; a file that is not as it was sent is a failure."""
        phase = Phase('listing')
        with phase.measured():
            listed = {
                version.file_name: version.size for version, _ in self._bucket.ls(recursive=True)
            }
        phase.files = len(listed)
        sent = {file.name: file.size for file in files}
        for name in sent.keys() | listed.keys():
            if sent.get(name) != listed.get(name):
                phase.failures[name] = (
                    f'sent {sent.get(name)} bytes, the listing says {listed.get(name)}'
                )
        return phase

    def download(self, label: str, files: Sequence[LocalFile]) -> Phase:
        """Fetch every file below the download directory."""

        def fetch(file: LocalFile, listener: AbstractProgressListener | None) -> None:
            target = self._local_path(file.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            self._bucket.download_file_by_name(file.name, listener).save_to(target)

        return self._transfer(label, files, fetch)

    def compare(self, files: Sequence[LocalFile]) -> Phase:
        """Compare every fetched file with its source, byte by byte."""

        def check(file: LocalFile, listener: AbstractProgressListener | None) -> None:
            offset = first_difference(file.path, self._local_path(file.name))
            if offset is not None:
                raise ValueError(f'differs from its source at byte {offset}')
            if listener is not None:
                listener.bytes_completed(file.size)

        return self._transfer('comparison', files, check)

    def _local_path(self, name: str) -> Path:
        return Path(path_below(str(self._download_dir), name))

    def _transfer(
        self,
        label: str,
        files: Sequence[LocalFile],
        action: Callable[[LocalFile, AbstractProgressListener | None], None],
    ) -> Phase:
        """Do the action with every file: the short ones in a pool, the long ones in this thread.

        The action gets a listener for a long file only: a short one counts when it is done.
        """
        phase = Phase(label)
        long_files = [file for file in files if file.size > PARALLEL_FILE_SIZE]
        short_files = [file for file in files if file.size <= PARALLEL_FILE_SIZE]

        def one(file: LocalFile, listener: _Listener | None = None) -> None:
            try:
                action(file, listener)
            except (B2Error, OSError, ValueError) as error:
                phase.failures[file.name] = str(error)
            else:
                progress.advance(0 if listener else file.size, files=1)

        with (
            phase.measured(),
            open_progress(label, sum(file.size for file in files), len(files)) as progress,
        ):
            pool = ThreadPoolExecutor(self._workers)
            futures = [pool.submit(one, file) for file in short_files]
            try:
                for future in futures:
                    future.result()
                for file in long_files:
                    one(file, _Listener(progress))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                wait(futures, _GRACE_SECONDS)
                raise
            pool.shutdown()
        done = [file for file in files if file.name not in phase.failures]
        phase.files = len(done)
        phase.byte_count = sum(file.size for file in done)
        return phase


class _Listener(AbstractProgressListener):
    """Adds the progress of one file to that of its phase."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress
        self._completed = 0

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Nothing to do: the phase knows its total."""

    def bytes_completed(self, byte_count: int) -> None:
        self._progress.advance(byte_count - self._completed)
        self._completed = byte_count
