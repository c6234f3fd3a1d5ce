"""Downloads, over both ways of moving bytes."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from b2fast import Bucket, FileVersion, ProgressListenerForTest, Range
from b2fast.exception import (
    ChecksumMismatch,
    DestinationDirectoryDoesntAllowOperation,
    DestinationDirectoryDoesntExist,
    DestinationIsADirectory,
    DestinationParentIsNotADirectory,
    FileNotPresent,
    FileOrBucketNotFound,
    InvalidArgument,
    InvalidRange,
    LocalFileError,
)

from ..conftest import Account

DATA = bytes(range(256)) * 5
MTIME_MILLIS = 1_600_000_000_123

sizes = pytest.mark.parametrize('data', [b'', b'x', b'hello world', DATA], ids=len)


@pytest.fixture
def version(bucket: Bucket) -> FileVersion:
    """A large file of `DATA` under the name ``file``."""
    return bucket.upload_bytes(
        DATA, 'file', file_info={'src_last_modified_millis': str(MTIME_MILLIS)}
    )


@sizes
def test_save_to(bucket: Bucket, tmp_path: Path, data: bytes) -> None:
    bucket.upload_bytes(data, 'name')
    bucket.download_file_by_name('name').save_to(tmp_path / 'target')
    assert (tmp_path / 'target').read_bytes() == data
    assert os.listdir(tmp_path) == ['target']


@sizes
def test_save(bucket: Bucket, data: bytes) -> None:
    version = bucket.upload_bytes(data, 'name')
    file = io.BytesIO()
    bucket.download_file_by_id(version.id_).save(file)
    assert file.getvalue() == data


def test_save_goes_on_where_the_file_stands(version: FileVersion) -> None:
    file = io.BytesIO(b'0123456789')
    file.seek(4)
    version.download().save(file)
    assert file.getvalue() == b'0123' + DATA


def test_save_into_what_cannot_seek(version: FileVersion) -> None:
    chunks: list[bytes] = []

    class Sink:
        def write(self, data: bytes) -> int:
            chunks.append(bytes(data))
            return len(data)

    version.download().save(Sink())  # type: ignore[arg-type]
    assert b''.join(chunks) == DATA


def test_a_download_can_be_saved_again(version: FileVersion, tmp_path: Path) -> None:
    downloaded = version.download()
    downloaded.save_to(tmp_path / 'first')
    downloaded.save_to(tmp_path / 'second')
    file = io.BytesIO()
    downloaded.save(file)
    assert (tmp_path / 'first').read_bytes() == (tmp_path / 'second').read_bytes() == DATA
    assert file.getvalue() == DATA


def test_saving_again_gets_the_same_version(bucket: Bucket, version: FileVersion) -> None:
    downloaded = bucket.download_file_by_name('file')
    downloaded.save(io.BytesIO())
    bucket.upload_bytes(b'newer', 'file')
    file = io.BytesIO()
    downloaded.save(file)
    assert file.getvalue() == DATA


@pytest.mark.parametrize(
    ('first', 'last'),
    [(0, 0), (0, 4), (7, 300), (len(DATA) - 1, len(DATA) - 1), (0, len(DATA) - 1)],
)
def test_range(version: FileVersion, tmp_path: Path, first: int, last: int) -> None:
    downloaded = version.download(range_=(first, last))
    assert downloaded.range_ == (first, last)
    assert downloaded.download_version.range_ == Range(first, last)
    assert downloaded.download_version.content_length == last - first + 1
    assert downloaded.download_version.size == len(DATA)
    downloaded.save_to(tmp_path / 'target')
    assert (tmp_path / 'target').read_bytes() == DATA[first : last + 1]
    file = io.BytesIO()
    version.download(range_=(first, last)).save(file)
    assert file.getvalue() == DATA[first : last + 1]


@pytest.mark.parametrize('range_', [(5, 3), (-1, 3)])
def test_impossible_range(version: FileVersion, range_: tuple[int, int]) -> None:
    with pytest.raises(InvalidArgument, match='range_'):
        version.download(range_=range_)


def test_range_that_reaches_beyond_the_end(version: FileVersion) -> None:
    with pytest.raises(InvalidRange):
        version.download(range_=(1000, len(DATA)))


def test_whole_file_is_not_told_as_a_range(version: FileVersion) -> None:
    downloaded = version.download()
    assert downloaded.range_ is None
    assert downloaded.download_version.range_ == Range(0, len(DATA) - 1)
    assert downloaded.download_version.content_length == len(DATA)


def test_what_the_headers_tell(bucket: Bucket) -> None:
    version = bucket.upload_bytes(
        b'hello', 'dir/ü +', content_type='text/plain', file_info={'color': 'ü b'}
    )
    told = bucket.download_file_by_name('dir/ü +').download_version
    assert told.id_ == version.id_
    assert told.file_name == 'dir/ü +'
    assert told.content_type == 'text/plain'
    assert told.content_sha1 == version.content_sha1
    assert told.file_info == {'color': 'ü b'}
    assert told.upload_timestamp == version.upload_timestamp
    assert told.server_side_encryption == version.server_side_encryption
    assert told == bucket.get_file_info_by_name('dir/ü +')


def test_target_gets_the_time_of_the_source(version: FileVersion, tmp_path: Path) -> None:
    version.download().save_to(tmp_path / 'target')
    assert (tmp_path / 'target').stat().st_mtime_ns == MTIME_MILLIS * 1_000_000


def test_target_gets_the_time_of_the_upload_else(bucket: Bucket, tmp_path: Path) -> None:
    version = bucket.upload_bytes(b'x', 'name', custom_upload_timestamp=MTIME_MILLIS)
    version.download().save_to(tmp_path / 'target')
    assert (tmp_path / 'target').stat().st_mtime_ns == MTIME_MILLIS * 1_000_000


@pytest.mark.parametrize('millis', ['nonsense', '1' * 30, '-' + '1' * 30])
def test_time_that_makes_no_sense(bucket: Bucket, tmp_path: Path, millis: str) -> None:
    version = bucket.upload_bytes(b'x', 'name', file_info={'src_last_modified_millis': millis})
    version.download().save_to(tmp_path / 'target')
    assert (tmp_path / 'target').read_bytes() == b'x'


def test_old_file_is_replaced(version: FileVersion, tmp_path: Path) -> None:
    target = tmp_path / 'target'
    target.write_bytes(b'old' * 1000)
    target.chmod(0o640)
    with target.open('rb') as old:
        version.download().save_to(target)
        assert old.read() == b'old' * 1000
    assert target.read_bytes() == DATA
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_new_file_gets_the_permissions_of_the_umask(version: FileVersion, tmp_path: Path) -> None:
    (tmp_path / 'beside').write_bytes(b'')
    version.download().save_to(tmp_path / 'target')
    assert (tmp_path / 'target').stat().st_mode == (tmp_path / 'beside').stat().st_mode


def test_symbolic_link_is_followed(version: FileVersion, tmp_path: Path) -> None:
    (tmp_path / 'real').write_bytes(b'old')
    (tmp_path / 'link').symlink_to('real')
    version.download().save_to(tmp_path / 'link')
    assert (tmp_path / 'link').is_symlink()
    assert (tmp_path / 'real').read_bytes() == DATA


def test_dangling_symbolic_link_is_followed(version: FileVersion, tmp_path: Path) -> None:
    (tmp_path / 'link').symlink_to('not-yet')
    version.download().save_to(tmp_path / 'link')
    assert (tmp_path / 'not-yet').read_bytes() == DATA


def test_pipe_is_written_directly(version: FileVersion, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'pipe')
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append((tmp_path / 'pipe').read_bytes()))
    reader.start()
    version.download().save_to(tmp_path / 'pipe')
    reader.join()
    assert received == [DATA]
    assert stat.S_ISFIFO((tmp_path / 'pipe').stat().st_mode)


def test_device_is_written_directly(version: FileVersion) -> None:
    version.download().save_to('/dev/null')
    assert stat.S_ISCHR(os.stat('/dev/null').st_mode)


def test_full_device(version: FileVersion) -> None:
    with pytest.raises(OSError, match='No space left') as caught:
        version.download().save_to('/dev/full')
    assert caught.value.errno == errno.ENOSPC


def test_standard_output(version: FileVersion, capfdbinary: Any) -> None:
    version.download().save_to('/dev/stdout')
    assert capfdbinary.readouterr().out == DATA


def test_standard_output_that_is_appended_to_a_file(tmp_path: Path) -> None:
    out = tmp_path / 'out'
    out.write_bytes(b'before;')
    program = (
        'from b2fast import *\n'
        'raw = RawSimulator()\n'
        'api = B2Api(InMemoryAccountInfo(),'
        ' api_config=B2HttpApiConfig(_raw_api_class=lambda: raw))\n'
        'api.authorize_account(*raw.create_account())\n'
        "bucket = api.create_bucket('a-bucket', 'allPrivate')\n"
        "bucket.upload_bytes(b'content', 'name')\n"
        "print('text', end=';')\n"
        "bucket.download_file_by_name('name').save_to('/dev/stdout')\n"
    )
    with out.open('ab') as file:
        subprocess.run([sys.executable, '-c', program], stdout=file, check=True)
    assert out.read_bytes() == b'before;text;content'


def directory(tmp_path: Path) -> Path:
    return tmp_path


def in_missing_directory(tmp_path: Path) -> Path:
    return tmp_path / 'missing' / 'target'


def below_a_file(tmp_path: Path) -> Path:
    (tmp_path / 'file').write_bytes(b'')
    return tmp_path / 'file' / 'target'


@pytest.mark.parametrize(
    ('place', 'error'),
    [
        (directory, DestinationIsADirectory),
        (in_missing_directory, DestinationDirectoryDoesntExist),
        (below_a_file, DestinationParentIsNotADirectory),
    ],
)
def test_places_that_cannot_be_written(
    version: FileVersion,
    tmp_path: Path,
    place: Callable[[Path], Path],
    error: type[Exception],
) -> None:
    path = place(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error, match=path.name):
        version.download().save_to(path)
    assert sorted(tmp_path.iterdir()) == before


def test_empty_path(version: FileVersion) -> None:
    with pytest.raises(DestinationIsADirectory):
        version.download().save_to('')


def test_places_without_permission(
    version: FileVersion,
    shared_directory: Path,
    without_privileges: Callable[[], AbstractContextManager[None]],
) -> None:
    (shared_directory / 'directory').mkdir(mode=0o555)
    file = shared_directory / 'file'
    version.download().save_to(file)
    file.write_bytes(b'old')
    file.chmod(0o444)
    for path in (shared_directory / 'directory' / 'target', file):
        with without_privileges(), pytest.raises(DestinationDirectoryDoesntAllowOperation):
            version.download().save_to(path)
    assert file.read_bytes() == b'old'


def test_mode(version: FileVersion, tmp_path: Path) -> None:
    version.download().save_to(tmp_path / 'one', 'wb')
    version.download().save_to(tmp_path / 'two', 'wb+', allow_seeking=False)
    assert (tmp_path / 'one').read_bytes() == (tmp_path / 'two').read_bytes() == DATA
    with pytest.raises(InvalidArgument, match='mode'):
        version.download().save_to(tmp_path / 'three', 'ab')  # type: ignore[arg-type]
    assert not (tmp_path / 'three').exists()


def wrong_sha1(bucket: Bucket) -> FileVersion:
    """A large file whose file info has the SHA-1 of something else, which B2 cannot know."""
    other = hashlib.sha1(b'other').hexdigest()
    return bucket.upload_bytes(DATA, 'wrong', large_file_sha1=other)


def test_content_that_is_not_what_was_announced(bucket: Bucket, tmp_path: Path) -> None:
    version = wrong_sha1(bucket)
    target = tmp_path / 'target'
    target.write_bytes(b'old')
    with pytest.raises(ChecksumMismatch) as caught:
        version.download().save_to(target)
    assert caught.value.checksum_type == 'sha1'
    assert caught.value.expected == version.get_content_sha1()
    assert caught.value.actual == hashlib.sha1(DATA).hexdigest()
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['target']
    with pytest.raises(ChecksumMismatch):
        version.download().save(io.BytesIO())


def test_a_range_is_not_checked(bucket: Bucket) -> None:
    file = io.BytesIO()
    wrong_sha1(bucket).download(range_=(0, len(DATA) - 1)).save(file)
    assert file.getvalue() == DATA


def test_check_can_be_turned_off(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    version = wrong_sha1(bucket)
    api = account.new_api(check_download_hash=False)
    api.authorize_account(account.key_id, account.key, account.realm)
    api.download_file_by_id(version.id_).save_to(tmp_path / 'target')
    assert (tmp_path / 'target').read_bytes() == DATA


def test_sha1_that_is_none_is_not_checked(bucket: Bucket) -> None:
    version = bucket.upload_bytes(DATA, 'name', large_file_sha1='nonsense')
    file = io.BytesIO()
    version.download().save(file)
    assert file.getvalue() == DATA


def test_missing_files(bucket: Bucket, version: FileVersion) -> None:
    with pytest.raises(FileNotPresent, match='no-such-file'):
        bucket.download_file_by_name('no-such-file')
    # HEAD does not tell what of the two is missing.
    with pytest.raises(FileOrBucketNotFound, match='no-such-file'):
        bucket.get_file_info_by_name('no-such-file')
    bucket.delete_file_version(version.id_, 'file')
    with pytest.raises(FileNotPresent, match=version.id_):
        bucket.download_file_by_id(version.id_)
    with pytest.raises(FileNotPresent):
        bucket.get_file_info_by_id(version.id_)


def test_hidden_file(bucket: Bucket, version: FileVersion) -> None:
    bucket.hide_file('file')
    with pytest.raises(FileNotPresent):
        bucket.download_file_by_name('file')
    file = io.BytesIO()
    bucket.download_file_by_id(version.id_).save(file)
    assert file.getvalue() == DATA


@pytest.mark.parametrize('data', [b'', b'x', DATA], ids=len)
@pytest.mark.parametrize('to_path', [True, False])
def test_progress(bucket: Bucket, tmp_path: Path, data: bytes, to_path: bool) -> None:
    version = bucket.upload_bytes(data, 'name')
    with ProgressListenerForTest() as listener:
        downloaded = version.download(progress_listener=listener)
        assert listener.get_calls() == []
        if to_path:
            downloaded.save_to(tmp_path / 'target')
        else:
            downloaded.save(io.BytesIO())
    calls = listener.get_calls()
    assert calls[0] == f'set_total_bytes({len(data)})'
    assert calls[-2:] == [f'bytes_completed({len(data)})', 'close()']
    numbers = [int(call[len('bytes_completed(') : -1]) for call in calls[1:-1]]
    assert numbers == sorted(set(numbers))


def test_progress_of_a_range(version: FileVersion) -> None:
    listener = ProgressListenerForTest()
    version.download(progress_listener=listener, range_=(2, 5)).save(io.BytesIO())
    assert listener.get_calls() == ['set_total_bytes(4)', 'bytes_completed(4)']


def test_error_of_the_file_object_comes_back(version: FileVersion) -> None:
    class FullDisk(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            raise OSError(errno.ENOSPC, 'the disk is full')

    with pytest.raises(OSError, match='the disk is full'):
        version.download().save(FullDisk())  # type: ignore[arg-type]


@pytest.mark.parametrize('workers', [0, -1])
def test_impossible_numbers_of_workers(account: Account, workers: int) -> None:
    for parameter in (
        'max_upload_workers',
        'max_download_workers',
        'max_download_streams_per_file',
    ):
        with pytest.raises(InvalidArgument):
            account.new_api(**{parameter: workers})


def test_streams_and_buffer(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    version = bucket.upload_bytes(DATA * 100, 'name')
    api = account.new_api(max_download_streams_per_file=2, save_to_buffer_size=10)
    api.authorize_account(account.key_id, account.key, account.realm)
    downloaded = api.download_file_by_id(version.id_)
    downloaded.save_to(tmp_path / 'target')
    assert (tmp_path / 'target').read_bytes() == DATA * 100
    file = io.BytesIO()
    downloaded.save(file)
    assert file.getvalue() == DATA * 100


def test_expired_token(account: Account, bucket: Bucket, version: FileVersion) -> None:
    if account.server is not None:
        account.server.expire_tokens()
    else:
        token = account.api.account_info.get_account_auth_token()
        account.api.raw_api.expire_auth_token(token)  # type: ignore[attr-defined]
    file = io.BytesIO()
    bucket.download_file_by_name('file').save(file)
    assert file.getvalue() == DATA


def test_large_enough_for_many_requests(bucket: Bucket, tmp_path: Path) -> None:
    """The engine asks for a file in stretches; the first one has 4 MiB."""
    data = os.urandom(9 * 1024 * 1024 + 17)
    (tmp_path / 'source').write_bytes(data)
    bucket.upload_local_file(tmp_path / 'source', 'name', min_part_size=1_000_000)
    bucket.download_file_by_name('name').save_to(tmp_path / 'target')
    assert (tmp_path / 'target').read_bytes() == data
    file = io.BytesIO()
    bucket.download_file_by_name('name').save(file)
    assert file.getvalue() == data
    file = io.BytesIO()
    bucket.download_file_by_name('name', range_=(5, 7_000_000)).save(file)
    assert file.getvalue() == data[5:7_000_001]


def test_local_file_error_names_the_file() -> None:
    assert 'target' in str(LocalFileError('/some/target', errno.ENOSPC, 'full'))
