"""Downloads over a bad network, onto a bad disk, of files that change."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from b2fast import B2Api, Bucket, RetryPolicy, UploadSourceBytes
from b2fast._core.transfer import TEMPORARY_SUFFIXES
from b2fast.exception import (
    B2ConnectionError,
    B2Error,
    ChecksumMismatch,
    LocalFileError,
    ServiceError,
    TooManyRequests,
    TruncatedOutput,
)
from b2fast.simulator import Fault

from ..conftest import QUICK_RETRIES, Account
from .wire import connect, run, stoppable

MIB = 1024 * 1024
SMALL = 100_000
LARGE = 11 * MIB + 17
"""More than the engine's first request, so that several streams run."""
PATIENT = RetryPolicy(attempts=8, first_delay=0.001, max_delay=0.01, deadline=20)
BY_NAME = 'b2_download_file_by_name'
BY_ID = 'b2_download_file_by_id'

pytestmark = pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)
sizes = pytest.mark.parametrize('size', [SMALL, LARGE], ids=['small', 'large'])

Save = Callable[[Bucket, Path], None]


def many_streams(bucket: Bucket, target: Path) -> None:
    bucket.download_file_by_name('name').save_to(target)


def one_stream(bucket: Bucket, target: Path) -> None:
    bucket.download_file_by_name('name').save_to(target, allow_seeking=False)


def file_object(bucket: Bucket, target: Path) -> None:
    file = io.BytesIO()
    bucket.download_file_by_name('name').save(file)
    target.write_bytes(file.getvalue())


def stream(bucket: Bucket, target: Path) -> None:
    with bucket.download_file_by_name('name').open_stream() as opened:
        data = opened.read()
    target.write_bytes(data)


ways = pytest.mark.parametrize('save', [many_streams, one_stream, file_object, stream])


def upload(bucket: Bucket, data: bytes) -> None:
    bucket.upload(UploadSourceBytes(data), 'name', min_part_size=LARGE)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """Where there is an old file; nothing else may be there in the end."""
    path = tmp_path / 'target'
    path.write_bytes(b'old')
    yield path
    assert os.listdir(tmp_path) == ['target']


def discard_for_resume(account: Account, target: Path) -> None:
    """Remove what the engine may have kept of a large file."""
    for suffix in TEMPORARY_SUFFIXES if account.has_engine else ():
        target.with_name(f'.{target.name}{suffix}').unlink(missing_ok=True)


def inject(account: Account, **fault: object) -> None:
    assert account.server is not None
    account.server.inject(Fault(**fault))  # type: ignore[arg-type]


def calls(account: Account, call: str) -> int:
    assert account.server is not None
    return account.server.calls[call]


@sizes
@ways
@pytest.mark.parametrize('status', [408, 429, 500, 503])
def test_service_that_is_busy_five_times(
    account: Account, bucket: Bucket, target: Path, size: int, save: Save, status: int
) -> None:
    data = os.urandom(size)
    upload(bucket, data)
    inject(account, call=BY_NAME, status=status, count=5)
    inject(account, call=BY_ID, status=status, count=5)
    save(connect(account, PATIENT).get_bucket_by_name('a-bucket'), target)
    assert target.read_bytes() == data


@pytest.mark.parametrize(('status', 'error'), [(503, ServiceError), (429, TooManyRequests)])
def test_service_that_stays_busy(
    account: Account, bucket: Bucket, target: Path, status: int, error: type[Exception]
) -> None:
    upload(bucket, b'x')
    inject(account, call=BY_NAME, status=status, count=10_000)
    with pytest.raises(error):
        bucket.download_file_by_name('name')
    # QUICK_RETRIES says how often.
    assert calls(account, BY_NAME) == 5
    assert target.read_bytes() == b'old'


@ways
def test_service_that_becomes_busy(
    account: Account, bucket: Bucket, target: Path, save: Save
) -> None:
    upload(bucket, bytes(LARGE))
    inject(account, call=BY_NAME, cut_after=MIB)
    inject(account, call=BY_ID, status=503, count=10_000)
    with pytest.raises(ServiceError):
        save(bucket, target)
    assert target.read_bytes() == b'old'
    discard_for_resume(account, target)


@pytest.mark.parametrize('call', ['b2_list_file_names', 'b2_list_buckets', 'b2_get_file_info'])
def test_json_call_that_is_busy_five_times(account: Account, bucket: Bucket, call: str) -> None:
    version = bucket.upload_bytes(b'x', 'name')
    api = connect(account, PATIENT)
    inject(account, call=call, status=503, count=5)
    bucket = api.list_buckets('a-bucket')[0]
    assert [found.file_name for found, _ in bucket.ls()] == ['name']
    assert api.get_file_info(version.id_).size == 1
    assert calls(account, call) >= 6


def test_json_call_that_stays_busy(account: Account, api: B2Api) -> None:
    inject(account, call='b2_list_buckets', status=503, count=10_000)
    before = calls(account, 'b2_list_buckets')
    with pytest.raises(ServiceError, match='503'):
        api.list_buckets()
    assert calls(account, 'b2_list_buckets') == before + 5


@pytest.mark.parametrize('status', [429, 503])
def test_retry_after_beyond_the_deadline_is_not_waited_for(
    account: Account, bucket: Bucket, status: int
) -> None:
    """An hour would be waited for if the header were not read against the deadline."""
    upload(bucket, b'x')
    hurried = connect(account, RetryPolicy(first_delay=0.001, max_delay=0.01, deadline=30))
    inject(account, call=BY_NAME, status=status, retry_after=3600, count=10_000)
    inject(account, call='b2_list_file_names', status=status, retry_after=3600, count=10_000)
    bucket = hurried.get_bucket_by_name('a-bucket')
    for ask in (lambda: bucket.download_file_by_name('name'), lambda: list(bucket.ls())):
        with pytest.raises((ServiceError, TooManyRequests)) as caught:
            ask()
        assert caught.value.retry_after_seconds == 3600
    assert calls(account, BY_NAME) == calls(account, 'b2_list_file_names') == 1


def test_retry_after_takes_the_place_of_the_pause(account: Account, bucket: Bucket) -> None:
    """The policy's own pause would be beyond its deadline."""
    upload(bucket, b'x')
    slow = connect(account, RetryPolicy(first_delay=100, max_delay=100, deadline=40))
    inject(account, call=BY_NAME, status=503, retry_after=0)
    assert slow.get_bucket_by_name('a-bucket').download_file_by_name('name') is not None


@sizes
@ways
@pytest.mark.parametrize('after', [0, 1, SMALL // 2])
def test_connection_that_is_cut(
    account: Account, bucket: Bucket, target: Path, size: int, save: Save, after: int
) -> None:
    data = os.urandom(size)
    upload(bucket, data)
    for call in (BY_NAME, BY_ID):
        inject(account, call=call, cut_after=after, count=3)
    save(bucket, target)
    assert target.read_bytes() == data


@ways
def test_what_arrived_is_not_asked_for_again(
    account: Account, bucket: Bucket, target: Path, save: Save
) -> None:
    data = os.urandom(SMALL)
    upload(bucket, data)
    for call in (BY_NAME, BY_ID):
        inject(account, call=call, cut_after=SMALL // 4, count=10_000)
    assert account.server is not None
    before = account.server.calls
    save(bucket, target)
    assert target.read_bytes() == data
    calls = account.server.calls - before
    assert calls[BY_NAME] + calls[BY_ID] == 4


@sizes
@ways
def test_download_that_stays_truncated(
    account: Account, bucket: Bucket, target: Path, size: int, save: Save
) -> None:
    upload(bucket, os.urandom(size))
    inject(account, call=BY_NAME, cut_after=SMALL // 2)
    inject(account, call=BY_ID, cut_after=0, count=10_000)
    with pytest.raises((TruncatedOutput, B2ConnectionError)):
        save(bucket, target)
    assert target.read_bytes() == b'old'
    if size == LARGE:
        discard_for_resume(account, target)


@sizes
@ways
def test_flipped_byte(
    account: Account, bucket: Bucket, target: Path, size: int, save: Save
) -> None:
    data = os.urandom(size)
    upload(bucket, data)
    inject(account, call=BY_NAME, flip_at=SMALL - 1)
    with pytest.raises(ChecksumMismatch) as caught:
        save(bucket, target)
    assert caught.value.expected != caught.value.actual
    assert target.read_bytes() == b'old'
    save(bucket, target)
    assert target.read_bytes() == data


def test_flipped_byte_of_a_later_stream(account: Account, bucket: Bucket, target: Path) -> None:
    if not account.has_engine:
        pytest.skip('there is one stream')
    upload(bucket, os.urandom(LARGE))
    inject(account, call=BY_ID, flip_at=5, skip=1)
    with pytest.raises(ChecksumMismatch):
        many_streams(bucket, target)
    assert target.read_bytes() == b'old'


@sizes
@ways
def test_file_that_is_replaced_meanwhile(
    account: Account, bucket: Bucket, target: Path, size: int, save: Save
) -> None:
    """Whatever happens to the name, all that arrives is of the version that was opened."""
    data = os.urandom(size)
    upload(bucket, data)
    inject(account, call=BY_NAME, cut_after=SMALL // 2)
    opened = bucket.download_file_by_name('name')
    upload(bucket, os.urandom(size))

    class Opened:
        def download_file_by_name(self, name: str) -> object:
            return opened

    save(Opened(), target)  # type: ignore[arg-type]
    assert target.read_bytes() == data


@ways
def test_file_that_is_deleted_meanwhile(
    account: Account, bucket: Bucket, target: Path, save: Save
) -> None:
    upload(bucket, bytes(LARGE))
    inject(account, call=BY_NAME, cut_after=SMALL // 2)
    opened = bucket.download_file_by_name('name')
    opened.download_version.delete()

    class Opened:
        def download_file_by_name(self, name: str) -> object:
            return opened

    with pytest.raises(FileNotFoundError):
        save(Opened(), target)  # type: ignore[arg-type]
    assert target.read_bytes() == b'old'


def test_account_token_that_expires_under_eight_downloads(
    account: Account, bucket: Bucket, tmp_path: Path
) -> None:
    assert account.server is not None
    data = os.urandom(LARGE)
    upload(bucket, data)
    before = calls(account, 'b2_authorize_account')
    account.server.expire_tokens()
    together = threading.Barrier(8)
    errors = []

    def download(number: int) -> None:
        together.wait()
        try:
            bucket.download_file_by_name('name').save_to(tmp_path / str(number))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=download, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert calls(account, 'b2_authorize_account') == before + 1
    assert all((tmp_path / str(number)).read_bytes() == data for number in range(8))


def test_account_token_that_expires_during_a_download(
    account: Account, bucket: Bucket, target: Path
) -> None:
    assert account.server is not None
    data = os.urandom(LARGE)
    upload(bucket, data)
    before = calls(account, 'b2_authorize_account')
    inject(account, call=BY_NAME, cut_after=MIB)
    opened = bucket.download_file_by_name('name')
    account.server.expire_tokens()
    opened.save_to(target)
    assert target.read_bytes() == data
    assert calls(account, 'b2_authorize_account') == before + 1


@sizes
def test_connection_that_breaks_for_good(
    account: Account, bucket: Bucket, target: Path, size: int
) -> None:
    upload(bucket, os.urandom(3 * MIB if size == SMALL else size))
    with stoppable(account) as wire:
        api = connect(account, QUICK_RETRIES, wire.url)
        far = api.get_bucket_by_name('a-bucket')
        wire.stop_after('down', 2 * MIB)
        opened = far.download_file_by_name('name')
        assert wire.stopped.wait(20)
        wire.close()
        with pytest.raises((ConnectionError, TruncatedOutput)):
            opened.save_to(target)
    assert target.read_bytes() == b'old'
    if size == LARGE:
        discard_for_resume(account, target)


SMALL_DISK = """
import resource, errno
resource.setrlimit(resource.RLIMIT_FSIZE, (int(args[1]), int(args[1])))
try:
    bucket.download_file_by_name('name').save_to(args[0])
except OSError as error:
    assert isinstance(error, B2Error), error
    print(errno.errorcode[error.errno], error.filename)
    assert os.path.basename(args[0]) in str(error)
""".replace('import resource', 'from b2fast.exception import B2Error\nimport resource')


@pytest.mark.parametrize('size', [3 * MIB, LARGE], ids=['one stream', 'many streams'])
def test_file_that_may_not_grow(account: Account, bucket: Bucket, target: Path, size: int) -> None:
    """A limit of the process, which is there on every system."""
    upload(bucket, bytes(size))
    assert run(account, SMALL_DISK, [target, str(2 * MIB)]) == f'EFBIG {target}\n'
    assert target.read_bytes() == b'old'


ON_A_SMALL_DISK = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o size=2m b2 "$0" && "$@"']
"""Begins a command in whose eyes, and in no others, a directory is a file system of 2 MiB."""

FULL_DISK = """
import errno
from b2fast.exception import LocalFileError
target = args[0] + '/target'
with open(target, 'wb') as file:
    file.write(b'old')
try:
    bucket.download_file_by_name('name').save_to(target)
except LocalFileError as error:
    print(errno.errorcode[error.errno], error.filename)
with open(target, 'rb') as file:
    print(file.read(), os.listdir(args[0]))
"""


@pytest.mark.parametrize('size', [3 * MIB, LARGE], ids=['one stream', 'many streams'])
def test_full_disk(account: Account, bucket: Bucket, tmp_path: Path, size: int) -> None:
    on_a_small_disk = [*ON_A_SMALL_DISK, str(tmp_path)]
    try:
        subprocess.run([*on_a_small_disk, 'true'], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip('no right to mount a file system')
    upload(bucket, bytes(size))
    printed = run(account, FULL_DISK, [tmp_path], prefix=on_a_small_disk)
    assert printed == f"ENOSPC {tmp_path}/target\nb'old' ['target']\n"


@sizes
def test_full_device(account: Account, bucket: Bucket, size: int) -> None:
    upload(bucket, bytes(size))
    with pytest.raises(LocalFileError) as caught:
        bucket.download_file_by_name('name').save_to('/dev/full')
    assert caught.value.errno == errno.ENOSPC
    assert isinstance(caught.value, B2Error)
