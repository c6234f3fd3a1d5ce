"""Transfers that are ended from outside: by a token, and by a deadline."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    AbstractProgressListener,
    Bucket,
    BulkResult,
    CancelToken,
    CopySource,
    FaithfulSimulator,
    RetryPolicy,
    SimulatorServer,
    UploadSourceBytes,
    WriteIntent,
    cancel_scope,
)
from b2fast._core.transfer import TEMPORARY_SUFFIXES
from b2fast.exception import DeadlineExceeded, TransferCancelled
from b2fast.simulator import Fault

from ..clients.proxy import proxy_to
from ..conftest import PART_SIZE, QUICK_RETRIES, Account
from .wire import DEADLINE, connect, start, stoppable

MIB = 1024 * 1024
LARGE = 5 * PART_SIZE
over_http = pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)

MakeFile = Callable[..., Path]


class Canceller(AbstractProgressListener):
    """Cancels a token when the first bytes have moved."""

    def __init__(self, token: CancelToken) -> None:
        super().__init__()
        self.token = token

    def set_total_bytes(self, total_byte_count: int) -> None:
        pass

    def bytes_completed(self, byte_count: int) -> None:
        if byte_count:
            self.token.cancel()


def store(bucket: Bucket) -> list[str]:
    """What the acts need; the IDs in the order of a listing."""
    return [
        bucket.upload_bytes(bytes(10), 'small').id_,
        bucket.upload_bytes(bytes(LARGE), 'stored').id_,
    ]


def copied(bucket: Bucket) -> object:
    return bucket.copy(bucket.get_file_info_by_name('small').id_, 'new')


def made_of_parts(bucket: Bucket) -> object:
    source = bucket.get_file_info_by_name('stored')
    return bucket.create_file(
        [
            WriteIntent(CopySource(source.id_, length=LARGE), 0),
            WriteIntent(UploadSourceBytes(bytes(LARGE)), LARGE),
        ],
        'new',
    )


def deleted(bucket: Bucket) -> object:
    return list(bucket.delete_many([bucket.get_file_info_by_name('stored')]))


ACTS: dict[str, Callable[[Bucket], object]] = {
    'small upload': lambda bucket: bucket.upload_bytes(bytes(10), 'new'),
    'large upload': lambda bucket: bucket.upload_bytes(bytes(LARGE), 'new'),
    'stream': lambda bucket: bucket.upload_unbound_stream(io.BytesIO(bytes(LARGE)), 'new'),
    'download': lambda bucket: bucket.download_file_by_name('stored').save(io.BytesIO()),
    'listing': lambda bucket: list(bucket.ls()),
    'copy': copied,
    'parts': made_of_parts,
    'hiding': lambda bucket: bucket.hide_file('stored'),
    'many uploads': lambda bucket: list(bucket.upload_many([(b'1', 'new'), (b'2', 'new 2')])),
    'many deletions': deleted,
}
every_act = pytest.mark.parametrize('act', ACTS.values(), ids=ACTS)


@every_act
@pytest.mark.parametrize('way', ['token', 'deadline'])
def test_nothing_begins_when_it_is_over(
    bucket: Bucket, act: Callable[[Bucket], object], way: str
) -> None:
    stored = store(bucket)
    token = CancelToken()
    token.cancel()
    expected = TransferCancelled if way == 'token' else DeadlineExceeded
    scope = cancel_scope(token) if way == 'token' else cancel_scope(deadline=0)
    with scope, pytest.raises(expected):
        act(bucket)
    assert [version.id_ for version, _ in bucket.ls()] == stored
    assert list(bucket.list_unfinished_large_files()) == []


@every_act
def test_what_ends_in_time_is_not_concerned(
    bucket: Bucket, act: Callable[[Bucket], object]
) -> None:
    store(bucket)
    with cancel_scope(CancelToken(), deadline=DEADLINE):
        act(bucket)


def test_cancelled_upload_goes_on_later(
    account: Account, bucket: Bucket, make_file: MakeFile
) -> None:
    data = os.urandom(LARGE)
    path = make_file(data)
    token = CancelToken()
    with cancel_scope(token), pytest.raises(TransferCancelled) as caught:
        bucket.upload_local_file(path, 'name', progress_listener=Canceller(token))
    assert caught.value.file_name == 'name'
    assert 'the same upload sends the rest' in str(caught.value)
    unfinished = [large.file_id for large in bucket.list_unfinished_large_files()]
    assert len(unfinished) == 1
    version = bucket.upload_local_file(path, 'name')
    assert version.id_ == unfinished[0]
    assert version.get_content_sha1() == hashlib.sha1(data).hexdigest()


def test_cancelled_download_leaves_the_target(bucket: Bucket, tmp_path: Path) -> None:
    size = 3 * MIB
    bucket.upload(UploadSourceBytes(bytes(size)), 'name', min_part_size=size)
    target = tmp_path / 'target'
    target.write_bytes(b'old')
    token = CancelToken()
    with cancel_scope(token):
        opened = bucket.download_file_by_name('name', Canceller(token))
        token.cancel()
        with pytest.raises(TransferCancelled, match=r"'name': cancelled; .*again"):
            opened.save_to(target)
        with pytest.raises(TransferCancelled, match="'name': cancelled; download it again"):
            bucket.download_file_by_name('name')
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['target']


def test_cancelled_between_two_chunks(bucket: Bucket) -> None:
    size = 5 * MIB
    bucket.upload(UploadSourceBytes(bytes(size)), 'name', min_part_size=size)
    token = CancelToken()
    received = io.BytesIO()
    with cancel_scope(token), pytest.raises(TransferCancelled):
        bucket.download_file_by_name('name', Canceller(token)).save(received)
    assert 0 < received.tell() < size


@contextmanager
def cancelled_when(event: threading.Event) -> Iterator[CancelToken]:
    """A token that another thread cancels when something has happened."""
    token = CancelToken()

    def wait_and_cancel() -> None:
        event.wait(DEADLINE)
        token.cancel()

    thread = threading.Thread(target=wait_and_cancel)
    thread.start()
    try:
        yield token
    finally:
        thread.join()


@contextmanager
def cancelled_when_asked(
    server: SimulatorServer | FaithfulSimulator, call: str
) -> Iterator[CancelToken]:
    """A token that another thread cancels when one more call has arrived."""
    asked, over = threading.Event(), threading.Event()
    before = server.calls[call]

    def wait_for_call() -> None:
        while server.calls[call] == before and not over.wait(0.001):
            pass
        asked.set()

    watcher = threading.Thread(target=wait_for_call)
    watcher.start()
    try:
        with cancelled_when(asked) as token:
            try:
                yield token
            finally:
                over.set()
    finally:
        watcher.join()


@over_http
def test_upload_over_a_wire_that_stands(
    account: Account, bucket: Bucket, make_file: MakeFile
) -> None:
    data = os.urandom(6 * MIB)
    path = make_file(data)
    with stoppable(account) as wire, cancelled_when(wire.stopped) as token:
        away = connect(account, QUICK_RETRIES, wire.url).get_bucket_by_name('a-bucket')
        wire.stop_after('up', 2 * MIB)
        with cancel_scope(token), pytest.raises(TransferCancelled):
            away.upload_local_file(path, 'name', min_part_size=MIB)
    version = bucket.upload_local_file(path, 'name', min_part_size=MIB)
    assert version.get_content_sha1() == hashlib.sha1(data).hexdigest()


@over_http
def test_download_over_a_wire_that_stands(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    data = os.urandom(18 * MIB)
    bucket.upload(UploadSourceBytes(data), 'name', min_part_size=len(data))
    target = tmp_path / 'target'
    assert account.server is not None
    with stoppable(account) as wire, cancelled_when(wire.stopped) as token:
        away = connect(account, QUICK_RETRIES, wire.url).get_bucket_by_name('a-bucket')
        wire.stop_after('down', 12 * MIB)
        with cancel_scope(token), pytest.raises(TransferCancelled):
            away.download_file_by_name('name').save_to(target)
    names = os.listdir(tmp_path)
    assert all(name.endswith(TEMPORARY_SUFFIXES) for name in names)
    assert bool(names) is account.has_engine
    before = account.api.stats()
    bucket.download_file_by_name('name').save_to(target)
    assert target.read_bytes() == data
    received = (account.api.stats() - before).bytes_received
    assert (received < len(data)) is account.has_engine
    assert os.listdir(tmp_path) == ['target']


@over_http
@pytest.mark.parametrize('way', ['token', 'deadline'])
@pytest.mark.parametrize(
    ('call', 'act'),
    [
        ('b2_upload_file', 'small upload'),
        ('b2_get_upload_part_url', 'large upload'),
        ('b2_upload_part', 'large upload'),
        ('b2_upload_part', 'stream'),
        ('b2_finish_large_file', 'large upload'),
        ('b2_download_file_by_name', 'download'),
        ('b2_list_file_names', 'listing'),
        ('b2_copy_file', 'copy'),
        ('b2_copy_part', 'parts'),
        ('b2_upload_file', 'many uploads'),
        ('b2_delete_file_version', 'many deletions'),
    ],
)
def test_service_that_does_not_answer(
    account: Account, bucket: Bucket, call: str, act: str, way: str
) -> None:
    """The delay is longer than a test may take: only the end of the scope ends the wait."""
    store(bucket)
    server = account.server
    assert server is not None
    server.inject(Fault(call=call, delay=10 * DEADLINE, count=1000))
    if way == 'deadline':
        with cancel_scope(deadline=0.3), pytest.raises(DeadlineExceeded):
            ACTS[act](bucket)
        return
    with (
        cancelled_when_asked(server, call) as token,
        cancel_scope(token),
        pytest.raises(TransferCancelled),
    ):
        ACTS[act](bucket)


@pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
@pytest.mark.parametrize(
    ('call', 'act'),
    [
        ('b2_upload_file', 'small upload'),
        ('b2_get_upload_url', 'small upload'),
        ('b2_upload_part', 'large upload'),
        ('b2_download_file_by_name', 'download'),
        ('b2_list_file_names', 'listing'),
        ('b2_copy_part', 'parts'),
    ],
)
def test_no_pause_between_attempts_lasts_longer(
    account: Account, bucket: Bucket, call: str, act: str
) -> None:
    store(bucket)
    assert account.server is not None
    account.server.inject(Fault(call=call, status=503, retry_after=10 * DEADLINE, count=1000))
    patient = RetryPolicy(deadline=None)
    away = connect(account, patient).get_bucket_by_name('a-bucket')
    with cancel_scope(deadline=0.2), pytest.raises(DeadlineExceeded) as caught:
        ACTS[act](away)
    assert caught.value.seconds == 0.2


def test_scopes_within_scopes(bucket: Bucket) -> None:
    outer, inner = CancelToken(), CancelToken()
    with cancel_scope(outer, deadline=DEADLINE):
        with cancel_scope(inner):
            inner.cancel()
            with pytest.raises(TransferCancelled):
                bucket.upload_bytes(b'1', 'name')
        bucket.upload_bytes(b'2', 'name')
        with cancel_scope(deadline=0), pytest.raises(DeadlineExceeded) as caught:
            bucket.upload_bytes(b'3', 'name')
        assert caught.value.seconds == 0
        with cancel_scope(deadline=10 * DEADLINE):
            outer.cancel()
            with pytest.raises(TransferCancelled):
                bucket.upload_bytes(b'4', 'name')
    bucket.upload_bytes(b'5', 'name')
    assert len(list(bucket.list_file_versions('name'))) == 2


def test_deadline_of_an_outer_scope_comes_first(bucket: Bucket) -> None:
    with (
        cancel_scope(deadline=0),
        cancel_scope(CancelToken(), deadline=DEADLINE),
        pytest.raises(DeadlineExceeded) as caught,
    ):
        bucket.upload_bytes(b'1', 'name')
    assert caught.value.seconds == 0


def test_other_threads_take_part_if_they_want(bucket: Bucket) -> None:
    token = CancelToken()

    def free(name: str) -> str:
        return bucket.upload_bytes(b'content', name).file_name

    def bound(name: str) -> str:
        with cancel_scope(token):
            return free(name)

    with cancel_scope(token), ThreadPoolExecutor(2) as pool:
        token.cancel()
        assert pool.submit(free, 'free').result() == 'free'
        with pytest.raises(TransferCancelled, match='bound'):
            pool.submit(bound, 'bound').result()


@pytest.mark.parametrize('deadline', [-1, float('nan'), float('inf')])
def test_deadline_that_is_no_number_of_seconds(deadline: float) -> None:
    with pytest.raises(ValueError, match='deadline'), cancel_scope(deadline=deadline):
        pass


def test_token_says_what_it_is() -> None:
    token = CancelToken()
    assert repr(token) == '<CancelToken, not cancelled>'
    token.cancel()
    token.cancel()
    assert repr(token) == '<CancelToken, cancelled>'


@over_http
@pytest.mark.parametrize('call', ['upload_many', 'download_many', 'delete_many'])
def test_bulk_call_gives_what_is_done_and_raises(
    account: Account, bucket: Bucket, tmp_path: Path, call: str
) -> None:
    versions = [bucket.upload_bytes(b'content', f'name {number}') for number in range(100)]
    acts: dict[str, tuple[str, Callable[[Iterator[int]], Iterator[BulkResult[Any]]]]] = {
        'upload_many': (
            'b2_upload_file',
            lambda numbers: bucket.upload_many((b'new', f'new {n}') for n in numbers),
        ),
        'download_many': (
            'b2_download_*',
            lambda numbers: bucket.download_many((versions[n] for n in numbers), tmp_path),
        ),
        'delete_many': (
            'b2_delete_file_version',
            lambda numbers: bucket.delete_many(versions[n] for n in numbers),
        ),
    }
    fault, act = acts[call]
    assert account.server is not None
    account.server.inject(Fault(call=fault, delay=10 * DEADLINE, skip=5, count=1000))
    read: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    token = CancelToken()
    results: list[BulkResult[Any]] = []

    def take_all() -> None:
        for result in act(numbers()):
            results.append(result)
            if sum(result.ok for result in results) == 5:
                token.cancel()

    with cancel_scope(token), pytest.raises(TransferCancelled):
        take_all()
    assert sum(result.ok for result in results) == 5
    assert len(results) == len(read) < 100
    assert all(result.ok or isinstance(result.error, TransferCancelled) for result in results)
    # The connections that were broken off are replaced.
    account.server.clear_faults()
    assert len(list(bucket.delete_many(bucket.ls(latest_only=False, recursive=True)))) >= 5


@contextmanager
def address_that_takes_nobody() -> Iterator[str]:
    """The queue of its socket is full, so that connecting takes for ever."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(('127.0.0.1', 0))
        listener.listen(0)
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(listener.getsockname())
        yield f'127.0.0.1:{listener.getsockname()[1]}'


@over_http
@pytest.mark.parametrize(
    'act',
    [ACTS['listing'], ACTS['download'], lambda bucket: bucket.copy('file ID', 'new')],
    ids=['listing', 'download', 'copy'],
)
def test_connection_that_does_not_come_to_be(
    account: Account,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Bucket], object],
) -> None:
    info = account.api.account_info
    token = CancelToken()

    def cancelled_soon(url: str) -> str:
        # It was asked for to make the connection.
        threading.Timer(0.1, token.cancel).start()
        return url

    with address_that_takes_nobody() as address:
        for method in ('get_api_url', 'get_download_url'):
            monkeypatch.setattr(info, method, lambda: cancelled_soon(f'http://{address}'))
        with cancel_scope(token), pytest.raises(TransferCancelled):
            act(bucket)


@pytest.mark.parametrize('account', ['http-streams'], indirect=True)
@pytest.mark.parametrize(
    ('call', 'act'),
    [('b2_list_file_names', 'listing'), ('b2_upload_file', 'small upload')],
)
def test_service_behind_a_proxy_that_does_not_answer(
    account: Account, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, call: str, act: str
) -> None:
    server = account.server
    assert server is not None
    with proxy_to(account.realm) as proxy:
        monkeypatch.setenv('http_proxy', proxy)
        monkeypatch.setenv('no_proxy', '')
        away = connect(account, QUICK_RETRIES, 'http://b2.test').get_bucket_by_name('a-bucket')
        server.inject(Fault(call=call, delay=10 * DEADLINE, count=1000))
        with (
            cancelled_when_asked(server, call) as token,
            cancel_scope(token),
            pytest.raises(TransferCancelled),
        ):
            ACTS[act](away)


SIGNALLED = """
token = CancelToken()
signal.signal(signal.SIGTERM, lambda number, frame: token.cancel())
try:
    with cancel_scope(token):
        print('ready', flush=True)
        ACT
except exception.TransferCancelled as error:
    print(type(error).__name__, flush=True)
"""


@over_http
@pytest.mark.parametrize(
    ('call', 'act'),
    [
        ('b2_list_file_names', 'list(bucket.ls())'),
        ('b2_upload_file', "bucket.upload_bytes(b'content', 'new')"),
        ('b2_download_file_by_name', "bucket.download_file_by_name('small')"),
        ('b2_copy_file', 'bucket.copy(args[0], "copy")'),
    ],
)
def test_signal_handler_may_cancel(account: Account, bucket: Bucket, call: str, act: str) -> None:
    small, _ = store(bucket)
    server = account.server
    assert server is not None
    server.inject(Fault(call=call, delay=10 * DEADLINE, count=1000))
    before = server.calls[call]
    program = 'from b2fast import exception\n' + SIGNALLED.replace('ACT', act)
    process = start(account, program, [small])
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == 'ready\n'
        while server.calls[call] == before:
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
        process.communicate()
    assert (out, err, process.returncode) == ('TransferCancelled\n', '', 0)
