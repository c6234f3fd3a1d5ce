"""Downloads that are read as streams."""

from __future__ import annotations

import gc
import gzip
import io
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from b2fast import Bucket, CancelToken, ProgressListenerForTest, UploadSourceBytes, cancel_scope
from b2fast.exception import (
    ChecksumMismatch,
    InvalidArgument,
    InvalidUserInput,
    TransferCancelled,
    TruncatedOutput,
)
from b2fast.progress import DoNothingProgressListener, TransferProgress
from b2fast.transfer.inbound.content_check import ContentCheck
from b2fast.transfer.inbound.download_stream import DownloadStream
from b2fast.transfer.seam import OpenDownload

from ..conftest import Account
from ..helpers import sha1_of
from .wire import DEADLINE, connect, run, stoppable

MIB = 1024 * 1024
DATA = bytes(number * 7 % 251 for number in range(300_000))
over_http = pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)


def wait_until(is_so: Callable[[], bool]) -> None:
    give_up = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.001)


def reading_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == 'b2fast-read-ahead']


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Any:
    yield
    wait_until(lambda: not reading_threads())


@given(
    length=st.integers(0, 2000),
    read_ahead=st.integers(1, 3000),
    sizes=st.lists(st.integers(0, 1000), max_size=20),
    is_range=st.booleans(),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_reads(
    bucket: Bucket, length: int, read_ahead: int, sizes: list[int], is_range: bool
) -> None:
    data = DATA[:length]
    version = bucket.upload(UploadSourceBytes(data), 'name', min_part_size=5000)
    range_ = (length // 3, length - 1) if is_range and length else None
    expected = data[length // 3 :] if range_ else data
    listener = ProgressListenerForTest()
    with version.download(listener, range_=range_).open_stream(read_ahead) as stream:
        got = b''
        for size in sizes:
            piece = stream.read(size)
            assert len(piece) <= size
            assert bool(piece) == bool(size and len(got) < len(expected))
            got += piece
            assert stream.tell() == len(got)
        got += stream.read()
        assert stream.read(1) == b''
    assert got == expected
    assert listener.get_calls()[-1] == f'bytes_completed({len(expected)})'


def test_it_is_a_raw_stream(bucket: Bucket) -> None:
    text = ''.join(f'line {number}\n' for number in range(20_000))
    version = bucket.upload_bytes(text.encode(), 'name')
    lines = list(io.TextIOWrapper(io.BufferedReader(version.download().open_stream())))
    assert lines == text.splitlines(keepends=True)
    stream = version.download().open_stream()
    assert stream.readable()
    assert not stream.seekable()
    assert not stream.writable()
    buffer = bytearray(10)
    assert stream.readinto(buffer) == 10
    assert bytes(buffer) == text.encode()[:10]
    stream.close()
    for call in (stream.read, stream.tell, stream.readall):
        with pytest.raises(ValueError, match='closed'):
            call()


def test_each_stream_is_received_anew(bucket: Bucket) -> None:
    opened = bucket.upload_bytes(DATA, 'name').download()
    for _ in range(2):
        with opened.open_stream() as stream:
            assert stream.read(10) == DATA[:10]
    file = io.BytesIO()
    opened.save(file)
    assert file.getvalue() == DATA


def test_stream_that_is_never_read(bucket: Bucket) -> None:
    opened = bucket.upload_bytes(DATA, 'name').download()
    opened.open_stream().close()
    with pytest.raises(InvalidArgument, match='read_ahead'):
        opened.open_stream(0)


def test_content_that_is_to_be_decoded(account: Account, bucket: Bucket) -> None:
    bucket.upload_bytes(gzip.compress(DATA), 'name', content_encoding='gzip')
    account.api.api_config.decode_content = True
    opened = bucket.download_file_by_name('name')
    with pytest.raises(InvalidUserInput, match='decoded'):
        opened.open_stream()
    opened.response.close()


class Response(OpenDownload):
    """Gives bytes in pieces; may wait before one, or fail after all."""

    def __init__(self, data: bytes, error: BaseException | None = None) -> None:
        self._data = data
        self._error = error
        self.given = 0
        self.is_closed = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    @property
    def headers(self) -> Mapping[str, str]:
        raise NotImplementedError

    def continue_at(self, file_url: str) -> None:
        raise NotImplementedError

    def save_to(self, path: str, **settings: Any) -> None:
        raise NotImplementedError

    def read(self, size: int) -> bytes:
        assert self.may_go_on.wait(DEADLINE)
        piece = self._data[self.given : self.given + min(size, 100)]
        self.given += len(piece)
        if not piece and self._error is not None:
            raise self._error
        return piece

    def close(self) -> None:
        self.is_closed.set()


def stream_of(response: Response, length: int, read_ahead: int, sha1: str | None = None) -> Any:
    return DownloadStream(
        'name',
        response,
        ContentCheck(sha1, length),
        TransferProgress(DoNothingProgressListener(), length),
        read_ahead,
    )


@pytest.mark.parametrize('read_ahead', [1, 99, 100, 101, 1000])
def test_as_much_is_read_ahead_as_may_be(read_ahead: int) -> None:
    response = Response(DATA)
    piece = min(read_ahead, 100)
    with stream_of(response, len(DATA), read_ahead) as stream:
        assert response.given == 0
        for _ in range(20):
            assert stream.read(3)
            wait_until(lambda: response.given >= stream.tell() + read_ahead - piece)
            # What is ahead, and a piece that waits for room.
            assert response.given <= stream.tell() + read_ahead + piece
    assert response.is_closed.is_set()


@pytest.mark.parametrize(
    'error', [None, ChecksumMismatch('sha1', 'a', 'b'), KeyboardInterrupt(), MemoryError()]
)
def test_error_comes_behind_the_bytes_before_it(error: BaseException | None) -> None:
    response = Response(DATA[:450], error)
    stream = stream_of(response, 1000, 1000)
    assert stream.read(1) == DATA[:1]
    assert response.is_closed.wait(DEADLINE)
    got = DATA[:1]
    while len(got) < 450:
        got += stream.read(30)
    assert got == DATA[:450]
    for _ in range(2):
        with pytest.raises(TruncatedOutput if error is None else type(error)):
            stream.read(30)


def test_the_last_bytes_are_handed_out_if_all_are_right() -> None:
    data = DATA[:450]
    with stream_of(Response(data), 450, 1000, sha1_of(data)) as stream:
        assert stream.read() == data
    with stream_of(Response(data), 450, 1000, 'a' * 40) as stream:
        got = b''
        while len(got) < 400:
            got += stream.read(30)
        assert got == data[:400]
        with pytest.raises(ChecksumMismatch) as caught:
            stream.read(30)
        assert caught.value.actual == sha1_of(data)


@pytest.mark.parametrize('read_ahead', [1, 1000])
def test_stream_that_is_dropped(read_ahead: int) -> None:
    """Nothing but the stream keeps the thread."""
    response = Response(DATA)
    stream = stream_of(response, len(DATA), read_ahead)
    assert stream.read(1)
    del stream
    gc.collect()
    assert response.is_closed.wait(DEADLINE)


def test_stream_that_is_closed_while_it_waits() -> None:
    """What the thread waits for is not waited for."""
    response = Response(DATA)
    stream = stream_of(response, len(DATA), 1000)
    assert stream.read(1)
    response.may_go_on.clear()
    stream.close()
    response.may_go_on.set()
    assert response.is_closed.wait(DEADLINE)


@pytest.mark.parametrize('account', ['http'], indirect=True)
@pytest.mark.parametrize('way', ['close', 'error', 'drop'])
def test_stream_that_is_left_while_the_connection_stands_still(
    account: Account, bucket: Bucket, way: str
) -> None:
    bucket.upload(UploadSourceBytes(bytes(3 * MIB)), 'name', min_part_size=4 * MIB)
    with stoppable(account) as wire:
        api = connect(account, account.api.api_config.retry_policies, wire.url)
        wire.stop_after('down', MIB)
        stream = api.get_bucket_by_name('a-bucket').download_file_by_name('name').open_stream()
        assert stream.read(1) == b'\0'
        assert wire.stopped.wait(DEADLINE)
        if way == 'close':
            stream.close()
        elif way == 'error':
            with pytest.raises(ZeroDivisionError), stream:
                raise ZeroDivisionError
        else:
            del stream
            gc.collect()
        wait_until(lambda: not reading_threads())


@over_http
def test_stream_that_is_cancelled(account: Account, bucket: Bucket) -> None:
    bucket.upload(UploadSourceBytes(bytes(3 * MIB)), 'name', min_part_size=4 * MIB)
    token = CancelToken()
    with stoppable(account) as wire:
        api = connect(account, account.api.api_config.retry_policies, wire.url)
        wire.stop_after('down', 2 * MIB)
        opened = api.get_bucket_by_name('a-bucket').download_file_by_name('name')
        with cancel_scope(token), opened.open_stream() as stream:
            assert stream.read(1) == b'\0'
            assert wire.stopped.wait(DEADLINE)
            token.cancel()
            with pytest.raises(TransferCancelled, match='name'):
                stream.read()


@over_http
def test_program_that_ends_with_an_open_stream(account: Account, bucket: Bucket) -> None:
    bucket.upload(UploadSourceBytes(bytes(3 * MIB)), 'name', min_part_size=4 * MIB)
    program = """
stream = bucket.download_file_by_name('name').open_stream(1000)
print(len(stream.read(10)))
"""
    assert run(account, program) == '10\n'


@over_http
def test_fork(account: Account, bucket: Bucket) -> None:
    bucket.upload(UploadSourceBytes(bytes(3 * MIB)), 'name', min_part_size=4 * MIB)
    program = """
stream = bucket.download_file_by_name('name').open_stream(1000)
print(len(stream.read(10)), flush=True)
child = os.fork()
if child == 0:
    try:
        stream.read(10)
    except RuntimeError as error:
        print('parent' in str(error), flush=True)
    stream.close()
    del stream
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(len(stream.read()))
"""
    assert run(account, program) == f'10\nTrue\n{3 * MIB - 10}\n'


def test_several_threads_read_one_stream(bucket: Bucket) -> None:
    """Each byte goes to one of them."""
    stream = bucket.upload_bytes(DATA, 'name').download().open_stream(1000)
    pieces: list[bytes] = []

    def read() -> None:
        while piece := stream.read(1001):
            pieces.append(piece)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(b''.join(pieces)) == sorted(DATA)


def test_memory_follows_read_ahead(bucket: Bucket) -> None:
    """A consumer that does not read leaves the rest of the file where it is."""
    data = os.urandom(3 * MIB)
    version = bucket.upload(UploadSourceBytes(data), 'name', min_part_size=4 * MIB)
    stream = version.download().open_stream(MIB)
    assert stream.read(1) == data[:1]
    waiting: list[int] = []

    def settled() -> bool:
        waiting.append(stream._ahead._size)
        return len(waiting) > 100 and len(set(waiting[-100:])) == 1

    wait_until(settled)
    assert waiting[-1] <= MIB
    assert stream.read() == data[1:]
