"""Files of several sources when something goes wrong."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    Bucket,
    CopySource,
    FileVersion,
    OutboundTransferSource,
    ProgressListenerForTest,
    UploadMode,
    UploadSourceBytes,
    UploadSourceLocalFile,
    UploadSourceLocalFileRange,
    UploadSourceStream,
    UploadSourceStreamRange,
)
from b2fast.exception import (
    B2Error,
    InvalidRange,
    InvalidUserInput,
    MaxRetriesExceeded,
    ServiceError,
    SourceChanged,
)
from b2fast.simulator import Fault
from b2fast.transfer.emerge import executor, part_content, units

from ..conftest import PART_SIZE, Account
from ..helpers import sha1_of
from .test_bad_input import grow, modify, shrink
from .test_emerge import CONTENT, content_of
from .test_interrupt import LISTENER, press_ctrl_c

over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
EXPECTED = CONTENT + b'sent' + CONTENT[:50] + CONTENT[100:1000]


@pytest.fixture
def sources(bucket: Bucket, make_file: Callable[..., Path]) -> list[OutboundTransferSource]:
    """A file, a short piece and a downloaded stretch, and a copy: `EXPECTED`."""
    stored = bucket.upload_bytes(CONTENT, 'stored')
    return [
        UploadSourceLocalFile(make_file(CONTENT)),
        UploadSourceBytes(b'sent'),
        CopySource(stored.id_, 0, 50),
        CopySource(stored.id_, 100, 900),
    ]


@over_http
@pytest.mark.parametrize(
    'fault',
    [
        {'call': 'b2_upload_part', 'status': 503},
        {'call': 'b2_upload_part', 'reset_upload_after': 50},
        {'call': 'b2_upload_part', 'cut_after': 5},
        {'call': 'b2_upload_part', 'expire_token': True},
        {'call': 'b2_copy_part', 'status': 503},
        {'call': 'b2_download_file_by_id', 'status': 503},
        {'call': 'b2_download_file_by_id', 'cut_after': 20},
        {'call': 'b2_start_large_file', 'status': 500},
        {'call': 'b2_finish_large_file', 'reset_after': 0},
    ],
    ids=lambda fault: '-'.join(map(str, fault.values())),
)
def test_what_passes(
    account: Account, bucket: Bucket, sources: list[OutboundTransferSource], fault: dict[str, Any]
) -> None:
    assert account.server is not None
    account.server.inject(Fault(count=2, **fault))
    version = bucket.concatenate(sources, 'file', recommended_upload_part_size=2000)
    assert content_of(bucket, version) == EXPECTED
    assert list(bucket.list_unfinished_large_files()) == []


@over_http
@pytest.mark.parametrize('call', ['b2_upload_part', 'b2_copy_part', 'b2_download_file_by_id'])
def test_what_stays(
    account: Account, bucket: Bucket, sources: list[OutboundTransferSource], call: str
) -> None:
    assert account.server is not None
    account.server.inject(Fault(call=call, status=503, count=10_000))
    with pytest.raises((MaxRetriesExceeded, ServiceError)) as caught:
        bucket.concatenate(sources, 'file')
    (unfinished,) = bucket.list_unfinished_large_files()
    assert unfinished.file_id in caught.value.__notes__[-1]
    assert caught.value.unfinished_large_file_id == unfinished.file_id
    account.server.clear_faults()
    version = bucket.concatenate(sources, 'file', continue_large_file_id=unfinished.file_id)
    assert content_of(bucket, version) == EXPECTED
    assert 'b2fast-emerge' not in [thread.name for thread in threading.enumerate()]


def test_listener_that_raises(bucket: Bucket, sources: list[OutboundTransferSource]) -> None:
    class Listener(ProgressListenerForTest):
        def bytes_completed(self, byte_count: int) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bucket.concatenate(sources, 'file', progress_listener=Listener())
    assert [version.file_name for version, _ in bucket.ls()] == ['stored']


@pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)
def test_ctrl_c_while_the_connection_stands_still(
    account: Account, bucket: Bucket, make_file: Callable[..., Path]
) -> None:
    program = (
        LISTENER
        + """
from b2fast import UploadSourceBytes, UploadSourceLocalFile
sources = [UploadSourceLocalFile(args[0]), UploadSourceBytes(b'end')]
size = 1024 * 1024
bucket.concatenate(
    sources, 'name', progress_listener=Listener(), recommended_upload_part_size=size
)
"""
    )
    size = 6 * 1024 * 1024
    press_ctrl_c(account, program, [make_file(bytes(size))], 'up', size // 2)
    assert list(bucket.ls()) == []
    assert len(list(bucket.list_unfinished_large_files())) == 1


def test_ctrl_c(bucket: Bucket) -> None:
    def intents() -> Iterator[OutboundTransferSource]:
        for _ in range(3):
            yield UploadSourceBytes(CONTENT)
        signal.raise_signal(signal.SIGINT)
        yield UploadSourceBytes(CONTENT)

    # A shell has its background jobs ignore it.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            bucket.concatenate_stream(intents(), 'file')
    finally:
        signal.signal(signal.SIGINT, handler)
    assert list(bucket.ls()) == []


def test_ten_thousand_parts_and_one_more(bucket: Bucket, monkeypatch: Any) -> None:
    monkeypatch.setattr(units, 'MAX_PARTS', 3)

    def make(count: int) -> FileVersion:
        stream = io.BytesIO(bytes(count * PART_SIZE))
        return bucket.upload_unbound_stream(stream, 'file')

    assert make(3).size == 3 * PART_SIZE
    with pytest.raises(InvalidUserInput, match='more than 3 parts'):
        make(4)


def test_downloaded_stretches_wait_for_memory(bucket: Bucket, monkeypatch: Any) -> None:
    """Parts of several short copies are downloaded one at a time if they fill the memory."""
    stored = bucket.upload_bytes(CONTENT, 'stored')
    download = part_content.download_stretch
    running: set[int] = set()
    most = 0

    def counted(services: Any, source: CopySource) -> bytes:
        nonlocal most
        running.add(threading.get_ident())
        most = max(most, len(running))
        return download(services, source)

    send = executor.PartsOfLargeFile._send

    def send_and_forget(self: Any, *args: Any) -> Any:
        try:
            return send(self, *args)
        finally:
            running.discard(threading.get_ident())

    monkeypatch.setattr(part_content, 'download_stretch', counted)
    monkeypatch.setattr(executor.PartsOfLargeFile, '_send', send_and_forget)
    sources = [CopySource(stored.id_, number, PART_SIZE // 2) for number in range(40)]
    expected = b''.join(CONTENT[number : number + PART_SIZE // 2] for number in range(40))
    for limit, fits in ((2 * PART_SIZE, 2), (1, 1)):
        monkeypatch.setattr(executor, 'DOWNLOADED_BYTES_AT_A_TIME', limit)
        most = 0
        assert content_of(bucket, bucket.concatenate(sources, 'file')) == expected
        assert 1 <= most <= fits


MakeFile = Callable[..., Path]
Sources = list[OutboundTransferSource]


def alone(path: Path) -> Sources:
    """A large file of one source: it is hashed before it is started."""
    return [UploadSourceLocalFile(path)]


def whole(path: Path) -> Sources:
    return [UploadSourceLocalFile(path), UploadSourceBytes(bytes(PART_SIZE))]


def stretch(path: Path) -> Sources:
    return [
        UploadSourceLocalFileRange(path, offset=10, length=900),
        UploadSourceBytes(bytes(PART_SIZE)),
    ]


def pieces(path: Path) -> Sources:
    """Parts that only Python puts together."""
    sources: Sources = []
    for start in range(0, 900, 150):
        sources.append(UploadSourceLocalFileRange(path, offset=start, length=150))
        sources.append(UploadSourceBytes(b'between'))
    return sources


def small(path: Path) -> Sources:
    return [UploadSourceLocalFileRange(path, offset=10, length=20), UploadSourceBytes(b'sent')]


def small_stretch(path: Path) -> Sources:
    return [UploadSourceLocalFileRange(path, offset=10, length=20)]


@pytest.mark.parametrize('change', [shrink, grow, modify])
@pytest.mark.parametrize('make', [alone, whole, stretch, pieces, small, small_stretch])
@pytest.mark.parametrize('moment', ['start', 'send'])
def test_file_that_changes_after_it_was_planned(
    account: Account,
    bucket: Bucket,
    make_file: MakeFile,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], Sources],
    change: Callable[[Path], None],
    moment: str,
) -> None:
    path = make_file(CONTENT[:1000])
    sources = make(path)
    session = bucket.api.session
    changed = False
    if moment == 'start':
        change(path)
        changed = True

    def changing(call: Callable[..., Any]) -> Callable[..., Any]:
        def change_and_call(*args: Any, **kwargs: Any) -> Any:
            nonlocal changed
            if not changed:
                changed = True
                change(path)
            return call(*args, **kwargs)

        return change_and_call

    # Whatever is hashed beforehand has been; the engine asks for URLs.
    for call in ('start_large_file', 'upload_file', 'get_upload_url'):
        monkeypatch.setattr(session, call, changing(getattr(session, call)))
    with pytest.raises(SourceChanged, match='source'):
        bucket.concatenate(sources, 'file')
    assert changed
    # What is sent at one go may be stored before it shows, as it was when it was planned.
    for version, _ in bucket.ls():
        assert make is small_stretch
        assert content_of(bucket, version) == CONTENT[10:30]


@pytest.mark.parametrize('make', [whole, pieces])
def test_file_that_changes_between_its_parts(
    account: Account,
    bucket: Bucket,
    make_file: MakeFile,
    make: Callable[[Path], Sources],
) -> None:
    """No file has parts of two states of a source."""
    path = make_file(CONTENT[:1000])
    sources = make(path)

    def one_by_one() -> Iterator[OutboundTransferSource]:
        yield from sources
        modify(path)
        yield from sources

    with pytest.raises(SourceChanged, match='source'):
        bucket.concatenate_stream(one_by_one(), 'file')
    assert list(bucket.ls()) == []


@pytest.mark.parametrize('same_size', [True, False])
def test_file_that_changes_while_its_beginning_is_compared(
    bucket: Bucket, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch, same_size: bool
) -> None:
    """What is copied, sent and said of the whole belong together."""
    path = make_file(CONTENT[:1000])
    bucket.upload_local_file(path, 'file')
    path.write_bytes(CONTENT)
    session = bucket.api.session
    start = session.start_large_file

    def change_and_start(*args: Any, **kwargs: Any) -> Any:
        path.write_bytes(CONTENT[::-1] if same_size else CONTENT[:-1])
        return start(*args, **kwargs)

    monkeypatch.setattr(session, 'start_large_file', change_and_start)
    with pytest.raises(SourceChanged, match='source'):
        bucket.upload_local_file(path, 'file', upload_mode=UploadMode.INCREMENTAL)
    assert [version.size for version in bucket.list_file_versions('file')][-1:] == [1000]


class Changing:
    """Opens one content, and another one from the given time on."""

    def __init__(self, first: bytes, then: bytes, times: int) -> None:
        self._first = first
        self._then = then
        self._times = times

    def __call__(self) -> io.BytesIO:
        self._times -= 1
        return io.BytesIO(self._first if self._times >= 0 else self._then)


@pytest.mark.parametrize('times', range(5))
@pytest.mark.parametrize(
    'then', [CONTENT[:100], CONTENT[:1000][::-1], CONTENT[:1500]], ids=['short', 'other', 'long']
)
@pytest.mark.parametrize(
    ('way', 'part_size'),
    [(way, 2000) for way in ('alone', 'range', 'first', 'pieces', 'stream')]
    + [(way, 1100) for way in ('first', 'pieces', 'stream')]
    + [(way, 300) for way in ('alone', 'alone, stream')],
)
def test_stream_that_is_not_the_same_when_it_is_opened_again(
    bucket: Bucket, way: str, then: bytes, times: int, part_size: int
) -> None:
    """Each time it is opened may be the first at which it is another."""
    opener = Changing(CONTENT[:1000], then, times)
    states = [CONTENT[:1000], then[:1000]]
    end = b'end' * PART_SIZE
    source: OutboundTransferSource = UploadSourceStream(opener, 1000)
    sources = [source, UploadSourceBytes(end)]
    if way in ('alone', 'alone, stream', 'range'):
        sources = [source]
        end = b''
    if way == 'range':
        sources = [UploadSourceStreamRange(opener, 100, 150)]
        states = [state[100:250] for state in states]
    if way == 'pieces':
        sources = [UploadSourceBytes(b'a' * 50), UploadSourceStream(opener, 1000), sources[1]]
        states = [b'a' * 50 + state for state in states]
    concatenate = bucket.concatenate_stream if 'stream' in way else bucket.concatenate
    with suppress(SourceChanged):
        concatenate(iter(sources), 'file', recommended_upload_part_size=part_size)
    # It is one of the states; if the stream became longer, its first bytes.
    for version, _ in bucket.ls():
        content = content_of(bucket, version)
        assert content in [state + end for state in states]
        assert version.get_content_sha1() in (None, sha1_of(content))


def test_sha1_that_the_program_gives_wrongly(bucket: Bucket) -> None:
    """That is no change."""
    source = UploadSourceStream(lambda: io.BytesIO(CONTENT[:100]), 100, 'a' * 40)
    with pytest.raises(B2Error) as caught:
        bucket.concatenate([source], 'file')
    assert not isinstance(caught.value, SourceChanged)


def test_stretch_of_a_stored_file_that_is_not_there(bucket: Bucket) -> None:
    stored = bucket.upload_bytes(CONTENT[:100], 'stored')
    sources = [UploadSourceBytes(b'sent'), CopySource(stored.id_, 50, 51)]
    with pytest.raises(InvalidRange, match='only serve 50'):
        bucket.concatenate(sources, 'file')
    assert [version.file_name for version, _ in bucket.ls()] == ['stored']
