"""The downloaders by themselves, and as strategies of a download manager."""

from __future__ import annotations

import errno
import gzip
import io
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    AbstractDownloader,
    Bucket,
    FileVersion,
    ParallelDownloader,
    PartToDownload,
    ProgressListenerForTest,
    Range,
    SimpleDownloader,
    WriterThread,
)
from b2fast.exception import (
    B2ConnectionError,
    ChecksumMismatch,
    FileNotPresent,
    ServiceError,
    TruncatedOutput,
)
from b2fast.simulator import Fault
from b2fast.transfer.inbound.downloader.parallel import gen_parts

from ..conftest import QUICK_RETRIES, Account
from ..helpers import sha1_of
from .wire import connect

DATA = bytes(range(256)) * 40
TIMEOUT = 60
"""Seconds after which something hangs."""

Download = Callable[..., tuple[int, str]]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as executor:
        yield executor


@pytest.fixture(params=['simple', 'parallel', 'parallel-few-threads'])
def downloader(request: pytest.FixtureRequest, pool: ThreadPoolExecutor) -> AbstractDownloader:
    if request.param == 'simple':
        return SimpleDownloader(thread_pool=pool, force_chunk_size=100)
    if request.param == 'parallel':
        return ParallelDownloader(min_part_size=1000, thread_pool=pool, force_chunk_size=100)
    return ParallelDownloader(
        min_part_size=500, max_streams=8, thread_pool=pool, force_chunk_size=100
    )


@pytest.fixture
def version(bucket: Bucket) -> FileVersion:
    return bucket.upload_bytes(DATA, 'file')


def download(
    bucket: Bucket,
    downloader: AbstractDownloader,
    file: Any,
    range_: tuple[int, int] | None = None,
    encryption: Any = None,
) -> tuple[int, str]:
    """Call a downloader as programs do that were written for b2sdk."""
    session = bucket.api.session
    url = session.get_download_url_by_name(bucket.name, 'file')
    with session.download_file_from_url(url, range_, encryption) as response:
        version = bucket.api.download_version_factory.from_response_headers(response.headers)
        return downloader.download(file, response, version, session, encryption)


@pytest.mark.parametrize('size', [0, 1, 499, 1000, 3001, len(DATA)])
def test_content(bucket: Bucket, downloader: AbstractDownloader, size: int) -> None:
    bucket.upload_bytes(DATA[:size], 'file')
    file = io.BytesIO(b'before, and what is behind stays' * 500)
    file.seek(7)
    expected = bytearray(file.getvalue())
    expected[7 : 7 + size] = DATA[:size]
    assert download(bucket, downloader, file) == (size, sha1_of(DATA[:size]))
    assert file.getvalue() == expected


@pytest.mark.usefixtures('version')
@pytest.mark.parametrize('range_', [(0, 0), (1, 5000), (9000, len(DATA) - 1)])
def test_range(bucket: Bucket, downloader: AbstractDownloader, range_: tuple[int, int]) -> None:
    file = io.BytesIO()
    data = DATA[range_[0] : range_[1] + 1]
    assert download(bucket, downloader, file, range_) == (len(data), sha1_of(data))
    assert file.getvalue() == data


@pytest.mark.usefixtures('version')
def test_range_that_reaches_beyond_the_end(bucket: Bucket, downloader: AbstractDownloader) -> None:
    file = io.BytesIO()
    last = len(DATA) + 5000
    assert download(bucket, downloader, file, (10, last)) == (len(DATA) - 10, sha1_of(DATA[10:]))
    assert file.getvalue() == DATA[10:]


@pytest.mark.usefixtures('version')
def test_response_of_a_downloaded_file(bucket: Bucket, downloader: AbstractDownloader) -> None:
    downloaded = bucket.download_file_by_name('file')
    file = io.BytesIO()
    received = downloader.download(
        file, downloaded.response, downloaded.download_version, bucket.api.session
    )
    assert received == (len(DATA), sha1_of(DATA))
    assert file.getvalue() == DATA


@pytest.mark.usefixtures('version')
@pytest.mark.parametrize('parallel', [False, True])
def test_without_a_hash(bucket: Bucket, pool: ThreadPoolExecutor, parallel: bool) -> None:
    common: dict[str, Any] = {
        'thread_pool': pool,
        'force_chunk_size': 100,
        'check_hash': False,
    }
    downloader: AbstractDownloader = SimpleDownloader(**common)
    if parallel:
        downloader = ParallelDownloader(min_part_size=1000, **common)
    file = io.BytesIO()
    assert download(bucket, downloader, file) == (len(DATA), '')
    assert file.getvalue() == DATA


def test_a_newer_version_in_between(
    bucket: Bucket, version: FileVersion, downloader: AbstractDownloader
) -> None:
    session = bucket.api.session
    url = session.get_download_url_by_name(bucket.name, 'file')
    file = io.BytesIO()
    with session.download_file_from_url(url) as response:
        found = bucket.api.download_version_factory.from_response_headers(response.headers)
        bucket.upload_bytes(DATA[::-1], 'file')
        received = downloader.download(file, response, found, session)
    assert received == (len(DATA), sha1_of(DATA))
    assert file.getvalue() == DATA


class FullDisk(io.BytesIO):
    """A file on a disk with room for some bytes."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def write(self, data: Any, /) -> int:
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


def within_time(work: Callable[[], object]) -> BaseException | None:
    """Do the work in a thread; returns what it raised. Fails if it hangs."""
    raised: list[BaseException | None] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)
        else:
            raised.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    assert not thread.is_alive(), 'it hangs'
    return raised[0]


@pytest.mark.usefixtures('version')
@pytest.mark.parametrize('room', [0, 50, 5000, len(DATA) - 1])
def test_full_disk(bucket: Bucket, downloader: AbstractDownloader, room: int) -> None:
    error = within_time(lambda: download(bucket, downloader, FullDisk(room)))
    assert isinstance(error, OSError)
    assert error.errno == errno.ENOSPC


class TricklingFile(io.BytesIO):
    """Takes a few bytes at a time, as unbuffered files may."""

    def write(self, data: Any, /) -> int:
        return super().write(data[:30])


@pytest.mark.usefixtures('version')
def test_file_that_takes_little_at_a_time(bucket: Bucket, downloader: AbstractDownloader) -> None:
    file = TricklingFile()
    assert download(bucket, downloader, file) == (len(DATA), sha1_of(DATA))
    assert file.getvalue() == DATA


class TestOverHttp:
    """With faults on the way."""

    pytestmark = pytest.mark.parametrize(
        'account', ['faithful', 'http', 'http-streams'], indirect=True
    )

    @staticmethod
    def _inject(account: Account, call: str, **fault: Any) -> None:
        assert account.server is not None
        account.server.inject(Fault(call=call, **fault))

    @pytest.mark.usefixtures('version')
    def test_connections_that_break(
        self, account: Account, bucket: Bucket, downloader: AbstractDownloader
    ) -> None:
        self._inject(account, 'b2_download_file_by_name', cut_after=150)
        self._inject(account, 'b2_download_file_by_id', cut_after=150, count=5)
        file = io.BytesIO()
        assert download(bucket, downloader, file) == (len(DATA), sha1_of(DATA))
        assert file.getvalue() == DATA

    @pytest.mark.usefixtures('version')
    def test_answers_that_are_lost_for_ever(
        self, account: Account, bucket: Bucket, downloader: AbstractDownloader
    ) -> None:
        self._inject(account, 'b2_download_file_by_name', cut_after=150)
        self._inject(account, 'b2_download_file_by_id', cut_after=0, count=1000)
        error = within_time(lambda: download(bucket, downloader, io.BytesIO()))
        assert isinstance(error, B2ConnectionError)

    @pytest.mark.usefixtures('version')
    def test_service_that_stays_busy(
        self, account: Account, bucket: Bucket, downloader: AbstractDownloader
    ) -> None:
        self._inject(account, 'b2_download_file_by_name', cut_after=150)
        self._inject(account, 'b2_download_file_by_id', status=503, count=1000)
        error = within_time(lambda: download(bucket, downloader, io.BytesIO()))
        assert isinstance(error, ServiceError)

    def test_content_that_is_decoded(
        self, account: Account, bucket: Bucket, tmp_path: Path
    ) -> None:
        packed = gzip.compress(DATA)
        bucket.upload_bytes(packed, 'file', content_encoding='gzip')
        assert account.server is not None
        api = connect(account, QUICK_RETRIES, decode_content=True)
        other = api.get_bucket_by_name(bucket.name)
        simple = SimpleDownloader(force_chunk_size=100)
        parallel = ParallelDownloader(min_part_size=100, force_chunk_size=100)
        downloaded = other.download_file_by_name('file')
        assert simple.is_suitable(downloaded.download_version, True)
        assert not parallel.is_suitable(downloaded.download_version, True)
        file = io.BytesIO()
        assert download(other, simple, file) == (len(packed), sha1_of(DATA))
        assert file.getvalue() == DATA
        downloaded.save_to(tmp_path / 'target')
        assert (tmp_path / 'target').read_bytes() == DATA
        bucket.download_file_by_name('file').save_to(tmp_path / 'packed')
        assert (tmp_path / 'packed').read_bytes() == packed


@pytest.mark.parametrize(
    'sizes',
    [
        {},
        {'min_chunk_size': 1},
        {'min_chunk_size': 5000, 'max_chunk_size': 4999},
        {'min_chunk_size': 1, 'max_chunk_size': 4095},
        {'min_chunk_size': 0, 'max_chunk_size': 5000},
    ],
)
def test_impossible_chunks(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match='impossible'):
        SimpleDownloader(**sizes)


def test_parts() -> None:
    parts = gen_parts(Range(10, 19), Range(100, 109), 4)
    assert [part.cloud_range for part in parts] == [
        Range(10, 11),
        Range(12, 13),
        Range(14, 16),
        Range(17, 19),
    ]
    assert repr(parts[0]) == 'PartToDownload(Range(10, 11), Range(100, 101))'
    assert isinstance(parts[0], PartToDownload)
    with pytest.raises(ValueError, match='cannot be 11 parts'):
        gen_parts(Range(10, 19), Range(100, 109), 11)


def test_writer() -> None:
    file = io.BytesIO()
    with WriterThread(file, max_queue_depth=1) as writer:
        writer.queue_write(5, b'world')
        writer.queue_write(0, b'hello')
    assert file.getvalue() == b'helloworld'
    assert writer.total == 10


def test_writer_of_a_full_disk() -> None:
    writer = WriterThread(FullDisk(10), max_queue_depth=1)

    def work() -> None:
        with writer:
            for _ in range(1000):
                writer.queue_write(0, bytes(3))

    error = within_time(work)
    assert isinstance(error, OSError)
    assert error.errno == errno.ENOSPC
    assert writer.total == 9


def test_writer_tells_an_error_at_the_end() -> None:
    with pytest.raises(OSError, match='space'), WriterThread(FullDisk(0), 5) as writer:
        writer.queue_write(0, b'x')


# As strategies of a download manager


def test_strategies_are_named(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    bucket.upload_bytes(DATA, 'file')
    manager = account.api.services.download_manager
    parallel, simple = manager.strategies
    assert isinstance(parallel, ParallelDownloader)
    assert isinstance(simple, SimpleDownloader)
    downloaded = bucket.download_file_by_name('file')
    assert downloaded.download_strategy is None
    downloaded.save_to(tmp_path / 'target')
    assert downloaded.download_strategy is parallel
    downloaded.save_to(tmp_path / 'target', allow_seeking=False)
    assert downloaded.download_strategy is simple
    downloaded.save(io.BytesIO())
    assert downloaded.download_strategy is parallel
    with (tmp_path / 'target').open('wb') as file:
        downloaded.save(file)
    assert downloaded.download_strategy is simple


class Shouting(SimpleDownloader):
    """A strategy of a program's own."""

    def download(self, file: Any, response: Any, *args: Any) -> tuple[int, str]:  # type: ignore[override]
        data = b''.join(response.iter_content(100)).upper()
        response.close()
        file.write(data)
        return len(data), sha1_of(data)


@pytest.mark.parametrize('to_path', [False, True])
def test_strategy_of_the_program(
    account: Account, bucket: Bucket, tmp_path: Path, to_path: bool
) -> None:
    account.api.services.download_manager.strategies[:] = [Shouting(force_chunk_size=10)]
    target = tmp_path / 'target'

    def save(**arguments: Any) -> bytes:
        downloaded = bucket.download_file_by_name('file', **arguments)
        if to_path:
            downloaded.save_to(target)
            return target.read_bytes()
        file = io.BytesIO()
        downloaded.save(file)
        return file.getvalue()

    bucket.upload_bytes(b'LOUD', 'file', file_info={'src_last_modified_millis': '1000'})
    listener = ProgressListenerForTest()
    assert save(progress_listener=listener) == b'LOUD'
    assert listener.get_calls() == ['set_total_bytes(4)', 'bytes_completed(4)']
    if to_path:
        assert target.stat().st_mtime == 1
    bucket.upload_bytes(b'quiet', 'file')
    assert save(range_=(1, 2)) == b'UI'
    with pytest.raises(ChecksumMismatch):
        save()
    if to_path:
        assert target.read_bytes() == b'UI'
        assert os.listdir(tmp_path) == ['target']


def test_strategy_that_loses_bytes(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    class Losing(SimpleDownloader):
        def download(self, *args: Any) -> tuple[int, str]:  # type: ignore[override]
            length, sha1 = super().download(*args)
            return length - 1, sha1

    bucket.upload_bytes(DATA, 'file')
    account.api.services.download_manager.strategies[:] = [Losing(force_chunk_size=10)]
    with pytest.raises(TruncatedOutput):
        bucket.download_file_by_name('file').save_to(tmp_path / 'target')
    assert os.listdir(tmp_path) == []


def test_other_numbers_for_the_own_strategies(
    account: Account, bucket: Bucket, tmp_path: Path
) -> None:
    bucket.upload_bytes(DATA, 'file')
    manager = account.api.services.download_manager
    manager.strategies = [ParallelDownloader(min_part_size=100, max_streams=5, force_chunk_size=7)]
    bucket.download_file_by_name('file').save_to(tmp_path / 'target')
    assert (tmp_path / 'target').read_bytes() == DATA
    with pytest.raises(ValueError, match='no strategy'):
        bucket.download_file_by_name('file').save_to(tmp_path / 'target', allow_seeking=False)


@pytest.mark.parametrize('account', ['raw'], indirect=True)
def test_full_disk_below_a_strategy(account: Account, bucket: Bucket) -> None:
    bucket.upload_bytes(DATA, 'file')
    account.api.services.download_manager.strategies = [
        ParallelDownloader(min_part_size=100, max_streams=5, force_chunk_size=7)
    ]
    downloaded = bucket.download_file_by_name('file')
    error = within_time(lambda: downloaded.save(FullDisk(100)))
    assert isinstance(error, OSError)
    assert error.errno == errno.ENOSPC


def test_file_that_is_gone(bucket: Bucket, version: FileVersion, pool: ThreadPoolExecutor) -> None:
    downloader = ParallelDownloader(min_part_size=1000, thread_pool=pool, force_chunk_size=100)
    session = bucket.api.session
    url = session.get_download_url_by_id(version.id_)
    with session.download_file_from_url(url) as response:
        found = bucket.api.download_version_factory.from_response_headers(response.headers)
        version.delete()
        error = within_time(lambda: downloader.download(io.BytesIO(), response, found, session))
    assert isinstance(error, FileNotPresent)
