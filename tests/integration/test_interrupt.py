"""Transfers that their owner stops: Ctrl-C, and progress listeners that raise."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from b2fast import AbstractProgressListener, Bucket, UploadSourceBytes
from b2fast._core.transfer import TEMPORARY_SUFFIXES
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, QUICK_RETRIES, Account
from ..interrupts import LISTENER, interrupt
from .wire import DEADLINE, Direction, connect, start, stoppable

MIB = 1024 * 1024
SMALL = 300 * 1024
LARGE = 6 * MIB

MakeFile = Callable[..., Path]
over_http = pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)

UPLOAD = (
    LISTENER
    + """
bucket.upload_local_file(args[0], 'name', min_part_size=int(args[1]), progress_listener=Listener())
"""
)
UPLOAD_OF_PARTS = f'args[1] = {MIB}' + UPLOAD
DOWNLOAD = (
    LISTENER
    + """
bucket.download_file_by_name('name', progress_listener=Listener()).save_to(args[0])
"""
)
SAVE = (
    LISTENER
    + """
import io
bucket.download_file_by_name('name', progress_listener=Listener()).save(io.BytesIO())
"""
)


def press_ctrl_c(
    account: Account, program: str, args: list[str | Path], direction: Direction, byte_count: int
) -> None:
    """Run a program over a wire that stops, and interrupt it while it waits for the rest."""
    with stoppable(account) as wire:
        wire.stop_after(direction, byte_count)
        process = start(account, program, args, realm=wire.url)
        interrupt(process, DEADLINE, lambda: wire.stopped.wait(DEADLINE))


@over_http
@pytest.mark.parametrize(
    ('size', 'part_size'), [(SMALL, LARGE), (LARGE, MIB)], ids=['small', 'large']
)
def test_ctrl_c_during_an_upload(
    account: Account, bucket: Bucket, make_file: MakeFile, size: int, part_size: int
) -> None:
    data = os.urandom(size)
    path = make_file(data)
    # What comes before the content is far less than what may pass, and this less than a part.
    press_ctrl_c(account, UPLOAD, [path, str(part_size)], 'up', SMALL // 2)
    assert list(bucket.ls()) == []
    version = bucket.upload_local_file(path, 'name', min_part_size=MIB)
    assert version.get_content_sha1() == hashlib.sha1(data).hexdigest()


@over_http
@pytest.mark.parametrize('size', [3 * MIB, 3 * LARGE], ids=['one stream', 'many streams'])
@pytest.mark.parametrize('old', [b'old', None], ids=['replacing', 'new'])
def test_ctrl_c_during_a_download(
    account: Account, bucket: Bucket, tmp_path: Path, size: int, old: bytes | None
) -> None:
    data = os.urandom(size)
    bucket.upload(UploadSourceBytes(data), 'name', min_part_size=3 * LARGE)
    target = tmp_path / 'target'
    if old is not None:
        target.write_bytes(old)
    before = set(os.listdir(tmp_path))
    press_ctrl_c(account, DOWNLOAD, [target], 'down', size * 2 // 3)
    left = set(os.listdir(tmp_path)) - before
    # What the engine has of a large file stays for the next download.
    assert left == set() or (account.has_engine and size > LARGE)
    assert all(name.endswith(TEMPORARY_SUFFIXES) for name in left)
    if old is not None:
        assert target.read_bytes() == old
    bucket.download_file_by_name('name').save_to(target)
    assert target.read_bytes() == data
    assert os.listdir(tmp_path) == ['target']


@over_http
def test_ctrl_c_during_a_download_into_memory(account: Account, bucket: Bucket) -> None:
    bucket.upload(UploadSourceBytes(bytes(3 * LARGE)), 'name', min_part_size=3 * LARGE)
    press_ctrl_c(account, SAVE, [], 'down', 2 * LARGE)


SOURCE = """
stored = bucket.get_file_info_by_name('stored')
parts = [
    WriteIntent(CopySource(stored.id_, length=stored.size), 0),
    WriteIntent(UploadSourceBytes(bytes(stored.size)), stored.size),
]
"""
STRATEGY = """
import io
own = ParallelDownloader(min_part_size=100, max_streams=4, force_chunk_size=10)
api.services.download_manager.strategies = [own]
bucket.download_file_by_name('stored').save(io.BytesIO())
"""


@over_http
@pytest.mark.parametrize(
    ('call', 'skip', 'program'),
    [
        ('b2_get_upload_url', 0, UPLOAD),
        ('b2_get_upload_part_url', 0, UPLOAD_OF_PARTS),
        ('b2_upload_part', 0, UPLOAD_OF_PARTS),
        ('b2_finish_large_file', 0, UPLOAD_OF_PARTS),
        ('b2_list_file_names', 0, 'list(bucket.ls())'),
        ('b2_copy_file', 0, "bucket.copy(bucket.get_file_info_by_name('small').id_, 'copy')"),
        ('b2_copy_part', 0, SOURCE + "bucket.create_file(parts, 'new')"),
        ('b2_upload_part', 0, SOURCE + "bucket.create_file_stream(iter(parts), 'new')"),
        ('b2_delete_file_version', 0, 'list(bucket.delete_many(bucket.ls()))'),
        ('b2_download_file_by_name', 0, "list(bucket.download_many(['small'], args[0] + 's'))"),
        # The first one is made by the main thread.
        ('b2_download_file_by_id', 1, STRATEGY),
    ],
)
def test_ctrl_c_while_the_service_does_not_answer(
    account: Account, bucket: Bucket, make_file: MakeFile, call: str, skip: int, program: str
) -> None:
    server = account.server
    assert server is not None
    bucket.upload_bytes(bytes(10), 'small')
    bucket.upload_bytes(bytes(5 * PART_SIZE), 'stored')
    path = make_file(bytes(LARGE))
    server.inject(Fault(call=call, delay=10 * DEADLINE, skip=skip, count=1000))
    before = server.calls[call]
    process = start(account, program, [path, str(LARGE)])
    try:
        while server.calls[call] <= before + skip and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert err.endswith('KeyboardInterrupt\n')
    assert process.returncode == -signal.SIGINT


class Impatient(AbstractProgressListener):
    """Has enough of it when something has arrived."""

    def set_total_bytes(self, total_byte_count: int) -> None:
        self.total = total_byte_count

    def bytes_completed(self, byte_count: int) -> None:
        raise LookupError(f'enough after {byte_count} bytes')


@pytest.mark.parametrize('size', [PART_SIZE, 5 * PART_SIZE], ids=['small', 'large'])
def test_listener_that_raises_in_an_upload(
    account: Account, bucket: Bucket, make_file: MakeFile, size: int
) -> None:
    path = make_file(bytes(size))
    with pytest.raises(LookupError, match='enough'):
        bucket.upload_local_file(path, 'name', progress_listener=Impatient())
    assert bucket.upload_local_file(path, 'other name').size == size


@pytest.mark.parametrize('size', [PART_SIZE, 5 * PART_SIZE], ids=['small', 'large'])
def test_listener_that_raises_in_a_download(bucket: Bucket, tmp_path: Path, size: int) -> None:
    bucket.upload_bytes(bytes(size), 'name')
    target = tmp_path / 'target'
    target.write_bytes(b'old')
    with pytest.raises(LookupError, match='enough'):
        bucket.download_file_by_name('name', Impatient()).save_to(target)
    # It may hear of a file as small as that only when it is complete.
    assert target.read_bytes() in (b'old', bytes(size))
    with pytest.raises(LookupError, match='enough'):
        bucket.download_file_by_name('name', Impatient()).save(io.BytesIO())
    assert os.listdir(tmp_path) == ['target']


@over_http
def test_listener_that_raises_while_the_download_stands(
    account: Account, bucket: Bucket, tmp_path: Path
) -> None:
    bucket.upload(UploadSourceBytes(bytes(3 * LARGE)), 'name', min_part_size=3 * LARGE)
    target = tmp_path / 'target'
    target.write_bytes(b'old')
    with stoppable(account) as wire:
        api = connect(account, QUICK_RETRIES, wire.url)
        wire.stop_after('down', 2 * LARGE)
        with pytest.raises(LookupError, match='enough'):
            api.get_bucket_by_name('a-bucket').download_file_by_name('name', Impatient()).save_to(
                target
            )
    assert target.read_bytes() == b'old'
    left = set(os.listdir(tmp_path)) - {'target'}
    assert left == set() or account.has_engine
    assert all(name.endswith(TEMPORARY_SUFFIXES) for name in left)
