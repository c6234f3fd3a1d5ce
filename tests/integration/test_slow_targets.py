"""Targets that take their time, or little at a time: nothing is lost, and memory is bounded."""

from __future__ import annotations

import io
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from b2fast import B2Api, Bucket, ParallelDownloader, SimpleDownloader, UploadSourceBytes

from ..conftest import Account
from .wire import DEADLINE

MIB = 1024 * 1024
DATA = bytes(number * 7 % 251 for number in range(10_000))


class Sparing(io.RawIOBase):
    """A file that takes a few bytes at a time, or none."""

    def __init__(self, most: int | None) -> None:
        super().__init__()
        self._most = most
        self.taken = b''

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int | None:
        if self._most is None:
            return None
        piece = bytes(data)[: self._most]
        self.taken += piece
        return len(piece)


@pytest.mark.parametrize('own', [False, True], ids=['usual', 'strategy of the program'])
def test_file_that_takes_little_at_a_time(account: Account, bucket: Bucket, own: bool) -> None:
    version = bucket.upload(UploadSourceBytes(DATA), 'name', min_part_size=20_000)
    if own:
        account.api.services.download_manager.strategies = [SimpleDownloader(force_chunk_size=999)]
    file = Sparing(7)
    version.download().save(file)  # type: ignore[arg-type]
    assert file.taken == DATA
    for most in (None, 0):
        with pytest.raises(BlockingIOError):
            version.download().save(Sparing(most))  # type: ignore[arg-type]


def settle(api: B2Api) -> int:
    """The bytes that were received, when no more come."""
    seen: list[int] = []
    give_up = time.monotonic() + DEADLINE
    while len(seen) < 30 or len(set(seen[-30:])) > 1:
        assert time.monotonic() < give_up
        seen.append(api.stats().bytes_received)
        time.sleep(0.002)
    return seen[-1]


class Slow(io.BytesIO):
    """A file whose first writes each last until no more is received."""

    def __init__(self, api: B2Api) -> None:
        super().__init__()
        self._api = api
        self._before = api.stats().bytes_received
        self._slow = 5
        self._written = 0
        self.most = 0

    def write(self, data: Any, /) -> int:
        if self._slow:
            self._slow -= 1
            self.most = max(self.most, settle(self._api) - self._before - self._written)
        self._written += len(data)
        return super().write(data)


@pytest.mark.parametrize('own', [False, True], ids=['usual', 'strategy of the program'])
def test_file_object_that_is_slow(account: Account, bucket: Bucket, own: bool) -> None:
    data = os.urandom(12 * MIB)
    version = bucket.upload(UploadSourceBytes(data), 'name', min_part_size=20 * MIB)
    most = MIB
    if own:
        streams, chunk = 3, 64 * 1024
        # Each has a chunk in its hands, besides what waits for the one that writes.
        most = (3 * streams + 1) * chunk
        account.api.services.download_manager.strategies = [
            ParallelDownloader(min_part_size=MIB, max_streams=streams, force_chunk_size=chunk)
        ]
    opened = version.download()
    file = Slow(account.api)
    opened.save(file)
    assert file.getvalue() == data
    assert 0 < file.most <= most


def test_pipe_that_is_read_slowly(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    data = os.urandom(6 * MIB)
    version = bucket.upload(UploadSourceBytes(data), 'name', min_part_size=20 * MIB)
    pipe = tmp_path / 'pipe'
    os.mkfifo(pipe)
    opened = version.download()
    before = account.api.stats().bytes_received
    received: list[bytes] = []
    ahead: list[int] = []

    def read() -> None:
        with pipe.open('rb', buffering=0) as file:
            for _ in range(3):
                received.append(file.read(1000))
                ahead.append(settle(account.api) - before - sum(map(len, received)))
            while piece := file.read(MIB):
                received.append(piece)

    reader = threading.Thread(target=read)
    reader.start()
    opened.save_to(pipe)
    reader.join()
    assert b''.join(received) == data
    # A chunk, and what the pipe holds.
    assert max(ahead) <= 2 * MIB
