"""Downloads that go on where a killed or failed one stopped."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from b2fast import AbstractProgressListener, Bucket, RetryPolicy, UploadSourceBytes
from b2fast._core.transfer import TEMPORARY_SUFFIXES
from b2fast.exception import B2Error, ChecksumMismatch, FileNotPresent, LocalFileError
from b2fast.simulator import Fault

from ..conftest import Account
from ..interrupts import KILLER
from .test_interrupt import DOWNLOAD
from .wire import DEADLINE, connect, run, start

MIB = 1024 * 1024
CHUNK = MIB // 2
KILLS = 50
FIRST_STRETCH = 4 * MIB
"""What the request asks for that opens a download."""
LARGE = 24 * MIB
HEADER, RECORD = 48, 36
"""Bytes of the journal; each record is of half a MiB where the file is a multiple of that."""
PART, JOURNAL, NEW_JOURNAL = (f'.target{suffix}' for suffix in TEMPORARY_SUFFIXES)
BY_NAME = 'b2_download_file_by_name'
BY_ID = 'b2_download_file_by_id'
HASTY = RetryPolicy(attempts=2, first_delay=0.001, max_delay=0.01, deadline=20)

DOWNLOADER = (
    KILLER
    + """
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        listener = Killer(int(line))
        bucket.download_file_by_name('name', progress_listener=listener).save_to(args[0])
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""
)
"""For each number that it reads, a child downloads until so many bytes are there, and kills itself.
Prints the status of each."""

pytestmark = pytest.mark.parametrize('account', ['http'], indirect=True)


class Recorder(AbstractProgressListener):
    def __init__(self) -> None:
        super().__init__()
        self.counts: list[int] = []

    def set_total_bytes(self, total_byte_count: int) -> None:
        assert total_byte_count == LARGE

    def bytes_completed(self, byte_count: int) -> None:
        self.counts.append(byte_count)


@pytest.fixture
def data() -> bytes:
    return os.urandom(LARGE)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where there is an old file."""
    path = tmp_path / 'target'
    path.write_bytes(b'old')
    return path


def upload(bucket: Bucket, data: bytes) -> None:
    bucket.upload(UploadSourceBytes(data), 'name', min_part_size=2 * LARGE)


def recorded(target: Path) -> int:
    """How many bytes the journal says are there."""
    size = target.with_name(JOURNAL).stat().st_size
    return max(0, size - HEADER) // RECORD * CHUNK


def inject(account: Account, **fault: object) -> None:
    assert account.server is not None
    account.server.inject(Fault(**fault))  # type: ignore[arg-type]


def ranges_of(account: Account, before: int) -> list[tuple[int, int]]:
    """What was asked for by ID, as (start, end) in order, after so many requests."""
    assert account.server is not None
    ranges = []
    for request in account.server.requests[before:]:
        if request.call == BY_ID:
            assert request.range is not None
            first, last = request.range.removeprefix('bytes=').split('-')
            ranges.append((int(first), int(last) + 1))
    return sorted(ranges)


def resume(account: Account, bucket: Bucket, target: Path) -> list[tuple[int, int]]:
    """Download without trouble; returns what was asked for behind the opening request."""
    assert account.server is not None
    account.server.clear_faults()
    before = len(account.server.requests)
    bucket.download_file_by_name('name').save_to(target)
    assert os.listdir(target.parent) == ['target']
    return ranges_of(account, before)


def fail(account: Account, bucket: Bucket, target: Path, error: type[Exception] = B2Error) -> int:
    """Let a download over one stream fail behind its beginning; returns what was recorded."""
    inject(account, call=BY_ID, status=503, count=10_000)
    far = connect(account, HASTY).get_bucket_by_name(bucket.name)
    with pytest.raises(error):
        far.download_file_by_name('name').save_to(target, allow_seeking=False)
    assert account.server is not None
    account.server.clear_faults()
    return recorded(target)


def length_of(ranges: list[tuple[int, int]]) -> int:
    return sum(end - start for start, end in ranges)


def test_killed_at_random_moments(
    account: Account, bucket: Bucket, target: Path, data: bytes
) -> None:
    upload(bucket, data)
    moments = random.Random(8)
    for call in (BY_NAME, BY_ID):
        # Else all of it has arrived before the first progress is told.
        inject(account, call=call, bytes_per_second=32 * MIB, count=10_000)
    kept = most_kept = 0
    process = start(account, DOWNLOADER, [target], stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for _ in range(KILLS):
        process.stdin.write(f'{min(LARGE, kept + moments.randrange(6 * MIB))}\n')
        process.stdin.flush()
        assert int(process.stdout.readline()) == signal.SIGKILL
        if target.read_bytes() == data:
            # It was done. The rest may be there if it had not the time to remove it.
            target.write_bytes(b'old')
            kept = 0
            continue
        assert target.read_bytes() == b'old'
        now = recorded(target)
        assert now >= kept
        kept = now
        most_kept = max(most_kept, kept)
    _, err = process.communicate(timeout=DEADLINE)
    assert err == ''
    assert most_kept > FIRST_STRETCH
    asked_for = resume(account, bucket, target)
    assert target.read_bytes() == data
    assert length_of(asked_for) <= LARGE - kept


def test_only_the_rest_is_fetched(
    account: Account, bucket: Bucket, target: Path, data: bytes
) -> None:
    upload(bucket, data)
    kept = fail(account, bucket, target)
    assert kept == FIRST_STRETCH
    assert target.read_bytes() == b'old'
    assert sorted(os.listdir(target.parent)) == [JOURNAL, PART, 'target']
    asked_for = resume(account, bucket, target)
    assert target.read_bytes() == data
    assert asked_for[0][0] == kept
    assert length_of(asked_for) == LARGE - kept


def test_a_damaged_byte_costs_its_stretch(
    account: Account, bucket: Bucket, target: Path, data: bytes
) -> None:
    upload(bucket, data)
    kept = fail(account, bucket, target)
    with open(target.with_name(PART), 'r+b') as file:
        file.seek(3 * CHUNK + 1)
        byte = file.read(1)[0]
        file.seek(3 * CHUNK + 1)
        file.write(bytes([byte ^ 1]))
    asked_for = resume(account, bucket, target)
    assert target.read_bytes() == data
    assert asked_for[0] == (3 * CHUNK, 4 * CHUNK)
    assert asked_for[1][0] == kept
    assert length_of(asked_for) == LARGE - kept + CHUNK


@pytest.mark.parametrize('length', [0, HEADER - 1, HEADER, HEADER + 2 * RECORD + 7])
def test_a_torn_journal_serves_as_far_as_it_goes(
    account: Account, bucket: Bucket, target: Path, data: bytes, length: int
) -> None:
    upload(bucket, data)
    fail(account, bucket, target)
    os.truncate(target.with_name(JOURNAL), length)
    kept = max(0, length - HEADER) // RECORD * CHUNK
    asked_for = resume(account, bucket, target)
    assert target.read_bytes() == data
    # What nothing is recorded of begins with the request that opens the download.
    assert length_of(asked_for) == LARGE - (kept or FIRST_STRETCH)


def test_another_version_is_fetched_anew(
    account: Account, bucket: Bucket, target: Path, data: bytes
) -> None:
    upload(bucket, data)
    fail(account, bucket, target)
    newer = os.urandom(LARGE)
    upload(bucket, newer)
    asked_for = resume(account, bucket, target)
    assert target.read_bytes() == newer
    assert length_of(asked_for) == LARGE - FIRST_STRETCH


def test_progress_counts_what_was_there(
    account: Account, bucket: Bucket, target: Path, data: bytes
) -> None:
    upload(bucket, data)
    fail(account, bucket, target)
    listener = Recorder()
    bucket.download_file_by_name('name', listener).save_to(target)
    assert listener.counts == sorted(listener.counts)
    assert listener.counts[-1] == LARGE


def test_two_downloads_to_one_target(
    account: Account, bucket: Bucket, target: Path, data: bytes
) -> None:
    upload(bucket, data)
    other = os.urandom(LARGE)
    bucket.upload(UploadSourceBytes(other), 'other', min_part_size=2 * LARGE)
    fail(account, bucket, target)
    errors: list[BaseException] = []

    def download(name: str) -> None:
        try:
            bucket.download_file_by_name(name).save_to(target)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=download, args=(name,)) for name in ('name', 'other') * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert target.read_bytes() in (data, other)
    assert os.listdir(target.parent) == ['target']


def test_two_processes_and_one_target(
    account: Account, bucket: Bucket, target: Path, data: bytes
) -> None:
    """The slow one holds the partial file, and the quick one does without."""
    upload(bucket, data)
    inject(account, call=BY_NAME, bytes_per_second=MIB)
    process = start(account, DOWNLOAD, [target])
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == 'moving\n'
        run(account, 'bucket.download_file_by_name("name").save_to(args[0])', [target])
        assert target.read_bytes() == data
        _, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, err
    finally:
        process.kill()
        process.communicate()
    assert target.read_bytes() == data
    assert os.listdir(target.parent) == ['target']


def test_wrong_content_is_not_kept(
    account: Account, bucket: Bucket, target: Path, data: bytes
) -> None:
    upload(bucket, data)
    inject(account, call=BY_NAME, flip_at=MIB)
    fail(account, bucket, target)
    with pytest.raises(ChecksumMismatch):
        bucket.download_file_by_name('name').save_to(target)
    assert os.listdir(target.parent) == ['target']
    bucket.download_file_by_name('name').save_to(target)
    assert target.read_bytes() == data


def test_what_is_of_a_deleted_version_is_not_kept(
    account: Account, bucket: Bucket, target: Path, data: bytes
) -> None:
    upload(bucket, data)
    fail(account, bucket, target)
    opened = bucket.download_file_by_name('name')
    opened.download_version.delete()
    with pytest.raises(FileNotPresent):
        opened.save_to(target)
    assert os.listdir(target.parent) == ['target']


def test_a_disk_without_room_is_not_kept_full(
    account: Account, bucket: Bucket, target: Path, data: bytes
) -> None:
    upload(bucket, data)
    program = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))
try:
    bucket.download_file_by_name('name').save_to(args[0])
except OSError as error:
    print(type(error).__name__)
"""
    assert run(account, program, [target]) == f'{LocalFileError.__name__}\n'
    assert os.listdir(target.parent) == ['target']


@pytest.mark.parametrize('name', ['n' * 255, 'é' * 127, 'with\nnewline', ' '])
def test_names_of_every_kind(
    account: Account, bucket: Bucket, tmp_path: Path, data: bytes, name: str
) -> None:
    upload(bucket, data)
    target = tmp_path / name
    inject(account, call=BY_ID, status=503, count=10_000)
    far = connect(account, HASTY).get_bucket_by_name(bucket.name)
    with pytest.raises(B2Error):
        far.download_file_by_name('name').save_to(target, allow_seeking=False)
    left = os.listdir(tmp_path)
    assert len(left) == 2
    assert all(each.startswith('.') and each.endswith(TEMPORARY_SUFFIXES) for each in left)
    assert account.server is not None
    account.server.clear_faults()
    before = len(account.server.requests)
    bucket.download_file_by_name('name').save_to(target)
    assert length_of(ranges_of(account, before)) == LARGE - FIRST_STRETCH
    assert target.read_bytes() == data
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize('left', [PART, JOURNAL, NEW_JOURNAL])
def test_links_in_the_way_are_not_followed(
    account: Account, bucket: Bucket, target: Path, data: bytes, left: str
) -> None:
    upload(bucket, data)
    precious = target.parent / 'precious'
    precious.write_bytes(b'precious')
    target.with_name(left).symlink_to(precious)
    bucket.download_file_by_name('name').save_to(target)
    assert target.read_bytes() == data
    assert precious.read_bytes() == b'precious'
    assert not target.is_symlink()
