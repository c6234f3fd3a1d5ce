"""What a caller gets wrong, or what changes under their hands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from b2fast import AbstractProgressListener, B2Api, Bucket
from b2fast.exception import (
    BucketIdNotFound,
    DestinationIsADirectory,
    FileOrBucketNotFound,
    InvalidAuthToken,
    InvalidUploadSource,
    MaxRetriesExceeded,
    NonExistentBucket,
    ResourceNotFound,
    SourceChanged,
    Unauthorized,
    UnusableFileName,
)

from ..conftest import PART_SIZE, Account
from .wire import calls_none, hold_uploads, restricted, run

MakeFile = Callable[..., Path]
over_http = pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)
sizes = pytest.mark.parametrize('size', [PART_SIZE, 5 * PART_SIZE], ids=['small', 'large'])


class Meddler(AbstractProgressListener):
    """Does something to the file of an upload once it is open, or once bytes have moved.

    :param late: wait until bytes have moved
    """

    def __init__(self, meddle: Callable[[], object], late: bool) -> None:
        super().__init__()
        self._meddle = meddle
        self._late = late
        self._done = False

    def set_total_bytes(self, total_byte_count: int) -> None:
        if not self._late:
            self._meddle()

    def bytes_completed(self, byte_count: int) -> None:
        if self._late and not self._done:
            self._done = True
            self._meddle()


def shrink(path: Path) -> None:
    os.truncate(path, 50)


def grow(path: Path) -> None:
    with path.open('ab') as file:
        file.write(b'more')


def modify(path: Path) -> None:
    with path.open('r+b') as file:
        file.write(b'other content')
    os.utime(path, ns=(0, 1))


@sizes
@pytest.mark.parametrize('change', [shrink, grow, modify])
def test_file_that_changes_after_it_was_opened(
    bucket: Bucket, make_file: MakeFile, size: int, change: Callable[[Path], None]
) -> None:
    path = make_file(os.urandom(size))
    listener = Meddler(lambda: change(path), late=False)
    with pytest.raises(SourceChanged, match='source'):
        bucket.upload_local_file(path, 'name', progress_listener=listener)


@pytest.mark.parametrize('change', [shrink, grow, modify])
def test_file_that_changes_between_hashing_and_sending(
    bucket: Bucket,
    make_file: MakeFile,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
) -> None:
    path = make_file(os.urandom(5 * PART_SIZE))
    session = bucket.api.session
    start = session.start_large_file

    def change_and_start(*args: object, **kwargs: object) -> dict[str, object]:
        change(path)
        return start(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(session, 'start_large_file', change_and_start)
    with pytest.raises(SourceChanged, match='source'):
        bucket.upload_local_file(path, 'name')
    assert list(bucket.ls()) == []


@over_http
@sizes
@pytest.mark.parametrize('change', [shrink, grow, modify])
def test_file_that_changes_while_it_is_sent(
    account: Account,
    bucket: Bucket,
    make_file: MakeFile,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    change: Callable[[Path], None],
) -> None:
    """The service's answer waits until the file has changed."""
    path = make_file(os.urandom(size))
    changed = hold_uploads(account, monkeypatch)

    def change_and_go_on() -> None:
        change(path)
        changed.set()

    with pytest.raises(SourceChanged, match='source'):
        bucket.upload_local_file(
            path, 'name', progress_listener=Meddler(change_and_go_on, late=True)
        )
    if size > PART_SIZE:
        assert list(bucket.ls()) == []


@sizes
def test_file_that_another_one_replaces_is_sent_as_it_was(
    bucket: Bucket, make_file: MakeFile, account: Account, size: int
) -> None:
    if not account.has_engine:
        pytest.skip('a stream opens the file for every attempt')
    data = os.urandom(size)
    path = make_file(data)
    other = make_file(bytes(size), 'other')
    version = bucket.upload_local_file(
        path, 'name', progress_listener=Meddler(lambda: other.replace(path), late=False)
    )
    assert version.size == size


UNREADABLE = """
os.setegid(65534)
os.seteuid(65534)
try:
    bucket.upload_local_file(args[0], 'name')
except PermissionError as error:
    print(error.errno, error.filename)
"""


@over_http
@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become somebody else')
@sizes
def test_unreadable_file(account: Account, bucket: Bucket, make_file: MakeFile, size: int) -> None:
    path = make_file(bytes(size))
    path.chmod(0o600)
    for directory in path.parents[:3]:
        directory.chmod(0o711)
    assert run(account, UNREADABLE, [path]) == f'13 {path}\n'
    assert list(bucket.ls()) == []


UNWRITABLE = """
from b2fast.exception import DestinationDirectoryDoesntAllowOperation
os.setegid(65534)
os.seteuid(65534)
for path in args:
    try:
        bucket.download_file_by_name('name').save_to(path)
    except DestinationDirectoryDoesntAllowOperation as error:
        print('refused')
"""


@over_http
@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become somebody else')
def test_unwritable_target(account: Account, bucket: Bucket, make_file: MakeFile) -> None:
    bucket.upload_bytes(b'x', 'name')
    old = make_file(b'old')
    for directory in old.parents[:3]:
        directory.chmod(0o711)
    assert run(account, UNWRITABLE, [old, old.parent / 'new']) == 'refused\nrefused\n'
    assert old.read_bytes() == b'old'
    assert os.listdir(old.parent) == ['source']


def no_file(directory: Path) -> Path:
    return directory / 'no-file'


def a_directory(directory: Path) -> Path:
    return directory


def a_pipe(directory: Path) -> Path:
    os.mkfifo(directory / 'pipe')
    return directory / 'pipe'


def a_link_to_nothing(directory: Path) -> Path:
    (directory / 'link').symlink_to('nothing')
    return directory / 'link'


def a_device(directory: Path) -> Path:
    return Path('/dev/zero')


@pytest.mark.parametrize('source', [no_file, a_directory, a_pipe, a_link_to_nothing, a_device])
def test_source_that_is_no_file(
    account: Account, bucket: Bucket, tmp_path: Path, source: Callable[[Path], Path]
) -> None:
    path = source(tmp_path)
    with calls_none(account), pytest.raises(InvalidUploadSource, match=path.name):
        bucket.upload_local_file(path, 'name')


@pytest.mark.parametrize(
    'name', ['', 'é' * 512 + 'x', 'x' * 1025, 'tab\t', 'line\n', '\x00', '\x1f', 'del\x7f']
)
def test_name_that_b2_refuses(
    account: Account, bucket: Bucket, make_file: MakeFile, name: str
) -> None:
    path = make_file(b'x')
    with calls_none(account):
        for upload in (
            lambda: bucket.upload_local_file(path, name),
            lambda: bucket.upload_bytes(b'x', name),
            lambda: bucket.upload_bytes(bytes(5 * PART_SIZE), name),
        ):
            with pytest.raises(UnusableFileName):
                upload()


def test_longest_name(bucket: Bucket) -> None:
    name = '/'.join(['é' * 102] * 5)
    assert len(name.encode()) == 1024
    assert bucket.upload_bytes(b'x', name).file_name == name


def test_target_that_is_a_directory(bucket: Bucket, tmp_path: Path) -> None:
    bucket.upload_bytes(b'x', 'name')
    (tmp_path / 'target' / 'inside').mkdir(parents=True)
    with pytest.raises(DestinationIsADirectory, match='target'):
        bucket.download_file_by_name('name').save_to(tmp_path / 'target')
    assert os.listdir(tmp_path / 'target') == ['inside']


def test_bucket_that_does_not_exist(api: B2Api) -> None:
    with pytest.raises(NonExistentBucket, match='no-such-bucket'):
        api.get_bucket_by_name('no-such-bucket')
    with pytest.raises((BucketIdNotFound, NonExistentBucket)):
        api.get_bucket_by_id('4a48fe8875c6214145260818')


@sizes
def test_bucket_that_is_deleted_meanwhile(api: B2Api, size: int) -> None:
    bucket = api.create_bucket('short-lived', 'allPrivate')
    version = bucket.upload_bytes(b'x', 'name')
    bucket.delete_file_version(version.id_, 'name')
    api.delete_bucket(bucket)
    with pytest.raises((ResourceNotFound, MaxRetriesExceeded)):
        bucket.upload_bytes(bytes(size), 'name')
    with pytest.raises(ResourceNotFound):
        bucket.download_file_by_name('name')
    with pytest.raises(BucketIdNotFound):
        bucket.get_fresh_state()


def test_file_that_is_deleted_meanwhile(bucket: Bucket) -> None:
    version = bucket.upload_bytes(b'x', 'name')
    bucket.delete_file_version(version.id_, 'name')
    with pytest.raises(FileOrBucketNotFound):
        bucket.download_file_by_name('name')
    with pytest.raises(FileOrBucketNotFound):
        bucket.download_file_by_id(version.id_)


@pytest.mark.parametrize('wrong', ['key', 'key_id'])
def test_wrong_key(account: Account, wrong: str) -> None:
    api = account.new_api()
    right = {'application_key_id': account.key_id, 'application_key': account.key}
    given = right | {
        'application_key' if wrong == 'key' else 'application_key_id': 'wrong-and-secret'
    }
    with pytest.raises(Unauthorized) as caught:
        api.authorize_account(realm=account.realm, **given)
    assert account.key not in str(caught.value)
    assert 'wrong-and-secret' not in str(caught.value)


@sizes
def test_key_that_may_not_write(account: Account, bucket: Bucket, size: int) -> None:
    reader = restricted(account, 'listBuckets', 'listFiles', 'readFiles')
    with pytest.raises(Unauthorized, match='listBuckets,listFiles,readFiles'):
        reader.upload_bytes(bytes(size), 'name')
    assert list(bucket.ls()) == []


@over_http
def test_key_that_may_not_read(account: Account, bucket: Bucket) -> None:
    bucket.upload_bytes(b'x', 'name')
    writer = restricted(account, 'listBuckets', 'writeFiles')
    with pytest.raises(Unauthorized) as caught:
        writer.download_file_by_name('name')
    assert not isinstance(caught.value, InvalidAuthToken)


@over_http
@sizes
def test_key_that_may_not_write_there(account: Account, bucket: Bucket, size: int) -> None:
    writer = restricted(
        account, 'listBuckets', 'writeFiles', 'readFiles', 'listFiles', prefix='mine/'
    )
    assert writer.upload_bytes(bytes(size), 'mine/name').size == size
    with pytest.raises(Unauthorized):
        writer.upload_bytes(bytes(size), 'yours/name')
