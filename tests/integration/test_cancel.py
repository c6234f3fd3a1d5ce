"""Transfers that are ended from outside: by a token, and by a deadline."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from b2fast import (
    AbstractProgressListener,
    Bucket,
    CancelToken,
    CopySource,
    UploadSourceBytes,
    WriteIntent,
    cancel_scope,
)
from b2fast._core.transfer import TEMPORARY_SUFFIXES
from b2fast.exception import DeadlineExceeded, TransferCancelled
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, QUICK_RETRIES, Account
from .wire import DEADLINE, connect, stoppable

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
    asked = threading.Event()

    def wait_until_asked() -> None:
        while server.calls[call] == before and not asked.wait(0.001):
            pass
        asked.set()

    before = server.calls[call]
    server.inject(Fault(call=call, delay=10 * DEADLINE, count=1000))
    watcher = threading.Thread(target=wait_until_asked)
    watcher.start()
    try:
        with cancelled_when(asked) as token:
            if way == 'token':
                with cancel_scope(token), pytest.raises(TransferCancelled):
                    ACTS[act](bucket)
            else:
                with cancel_scope(deadline=0.3), pytest.raises(DeadlineExceeded):
                    ACTS[act](bucket)
    finally:
        asked.set()
        watcher.join()
