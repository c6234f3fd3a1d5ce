"""The actions of a sync on a disk where not all is as it should be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER as NO_SETTINGS,
    B2Api,
    B2DownloadAction,
    B2Folder,
    B2Path,
    BasicSyncEncryptionSettingsProvider,
    Bucket,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    KeepOrDeleteMode,
    LocalDeleteAction,
    LocalFolder,
    Synchronizer,
)
from b2fast.exception import (
    B2Error,
    ChecksumMismatch,
    DestinationError,
    DestinationIsADirectory,
    DestinationOutsideDirectory,
    FileNotPresent,
    IncompleteSync,
    LocalFileError,
)

from ..conftest import PART_SIZE

OLD, NEW = b'what was there', b'new ' * PART_SIZE
NOW = 10**13


def fetch(
    api: B2Api, bucket: Bucket, target: Path, mode: KeepOrDeleteMode = KeepOrDeleteMode.NO_DELETE
) -> list[B2Error | None]:
    """Make the directory have what the bucket has; the error of each action."""
    folders = B2Folder(bucket.name, '', api), LocalFolder(target)
    synchronizer = Synchronizer(1, keep_days_or_delete=mode)
    errors: list[B2Error | None] = []
    for action in synchronizer._make_folder_sync_actions(*folders, NOW, None):
        try:
            action.run(bucket, None)
        except B2Error as error:
            errors.append(error)
        else:
            errors.append(None)
    return errors


def upload(bucket: Bucket, *names: str, modified: int = 4 * 10**12) -> None:
    for name in names:
        info = {'src_last_modified_millis': str(modified)}
        bucket.upload_bytes(NEW, name, file_info=info)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A directory to sync to; what is beside it is none of its business."""
    (tmp_path / 'target').mkdir()
    return tmp_path / 'target'


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory with a file, which has to stay."""
    (tmp_path / 'outside').mkdir()
    (tmp_path / 'outside' / 'file').write_bytes(OLD)
    return tmp_path / 'outside'


def test_a_download_makes_directories_and_sets_the_time(
    api: B2Api, bucket: Bucket, target: Path
) -> None:
    upload(bucket, 'a/b/c', 'a/d', modified=1234567890123)
    assert fetch(api, bucket, target) == [None, None]
    assert (target / 'a/b/c').read_bytes() == NEW
    assert (target / 'a/d').stat().st_mtime_ns == 1234567890123 * 10**6
    assert fetch(api, bucket, target) == []
    assert sorted(path.name for path in target.rglob('*')) == ['a', 'b', 'c', 'd']


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
def test_no_file_is_written_through_a_link_to_the_outside(
    api: B2Api, bucket: Bucket, target: Path, outside: Path
) -> None:
    (target / 'link').symlink_to(outside)
    (target / 'in').mkdir()
    (target / 'in' / 'nested').symlink_to(outside)
    upload(bucket, 'in/nested/new', 'link/file', 'link/x/new', 'plain')
    errors = fetch(api, bucket, target)
    assert [type(error) for error in errors] == [DestinationOutsideDirectory] * 3 + [type(None)]
    assert str(target / 'in/nested') in str(errors[0])
    assert [path.name for path in outside.iterdir()] == ['file']
    assert (outside / 'file').read_bytes() == OLD


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
def test_a_link_within_the_folder_is_followed_to_directories(
    api: B2Api, bucket: Bucket, target: Path
) -> None:
    (target / 'real').mkdir()
    (target / 'link').symlink_to('real')
    upload(bucket, 'link/file')
    assert fetch(api, bucket, target) == [None]
    assert (target / 'real' / 'file').read_bytes() == NEW


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
@pytest.mark.parametrize('inside', [True, False])
def test_a_link_in_the_place_of_a_file_is_replaced(
    api: B2Api, bucket: Bucket, target: Path, outside: Path, inside: bool
) -> None:
    """Written through, it would change a file of another name."""
    other = target / 'other' if inside else outside / 'file'
    other.write_bytes(OLD)
    os.utime(other, (5, 5))
    (target / 'link').symlink_to(other)
    upload(bucket, 'link')
    if inside:
        bucket.upload_bytes(OLD, 'other', file_info={'src_last_modified_millis': '5000'})
    assert fetch(api, bucket, target) == [None]
    assert not (target / 'link').is_symlink()
    assert (target / 'link').read_bytes() == NEW
    assert (target / 'link').stat().st_mtime_ns == 4 * 10**18
    assert other.read_bytes() == OLD
    assert {path.name for path in target.iterdir()} <= {'link', 'other'}


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
def test_a_pipe_in_the_place_of_a_file_is_replaced(
    api: B2Api, bucket: Bucket, target: Path
) -> None:
    os.mkfifo(target / 'pipe')
    upload(bucket, 'pipe')
    assert fetch(api, bucket, target) == [None]
    assert (target / 'pipe').is_file()
    assert (target / 'pipe').read_bytes() == NEW


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
def test_a_directory_in_the_place_of_a_file_stays(api: B2Api, bucket: Bucket, target: Path) -> None:
    (target / 'directory').mkdir()
    (target / 'directory' / 'kept').write_bytes(OLD)
    upload(bucket, 'directory')
    (error,) = fetch(api, bucket, target)
    assert isinstance(error, DestinationIsADirectory)
    assert (target / 'directory' / 'kept').read_bytes() == OLD


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
def test_a_whole_sync_keeps_to_its_folder(
    api: B2Api, bucket: Bucket, target: Path, outside: Path
) -> None:
    """What cannot be written is a failure of that file, and the rest is there."""
    (target / 'directory').mkdir()
    (target / 'directory' / 'kept').write_bytes(OLD)
    (target / 'file').write_bytes(OLD)
    (target / 'link').symlink_to(outside / 'file')
    (target / 'out').symlink_to(outside)
    os.mkfifo(target / 'pipe')
    upload(bucket, 'a', 'directory', 'file/below', 'link', 'out/file', 'out/new', 'pipe', 'z/z')
    with pytest.raises(IncompleteSync) as raised:
        Synchronizer(3).sync_folders(B2Folder(bucket.name, '', api), LocalFolder(target), NOW, None)
    assert raised.value.result is not None
    failures = {
        failure.path: type(failure.error)
        for failure in raised.value.result.failures
        if failure.action == 'download'
    }
    assert failures.keys() == {'directory', 'file/below', 'out/file', 'out/new'}
    assert all(issubclass(kind, B2Error) for kind in failures.values())
    assert failures['directory'] is DestinationIsADirectory
    assert failures['out/file'] is failures['out/new'] is DestinationOutsideDirectory
    for name in ('a', 'link', 'pipe', 'z/z'):
        assert (target / name).is_file()
        assert not (target / name).is_symlink()
        assert (target / name).read_bytes() == NEW
    assert (target / 'directory' / 'kept').read_bytes() == (target / 'file').read_bytes() == OLD
    assert [path.name for path in outside.iterdir()] == ['file']
    assert (outside / 'file').read_bytes() == OLD


def customer_key(number: int) -> EncryptionSetting:
    key = EncryptionKey(secret=bytes([number]) * 32, key_id=f'key {number}')
    return EncryptionSetting(EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, key)


@pytest.mark.parametrize('account', ['faithful', 'http'], indirect=True)
@pytest.mark.parametrize('size', [0, 5, 3 * PART_SIZE + 1])
def test_keys_of_each_bucket(api: B2Api, tmp_path: Path, size: int) -> None:
    """A file goes up with a key, into another bucket with another one, and comes down again."""
    source, target = tmp_path / 'source', tmp_path / 'target'
    for directory in (source, target):
        directory.mkdir()
    (source / 'file').write_bytes(b'x' * size)
    keys: dict[str, EncryptionSetting | None] = {
        name: customer_key(number) for number, name in enumerate(['first-bucket', 'second-bucket'])
    }
    first, second = (api.create_bucket(name, 'allPrivate') for name in keys)
    stored, copied = (B2Folder(name, '', api) for name in keys)
    for source_folder, dest_folder, bucket in (
        (LocalFolder(source), stored, first),
        (stored, copied, second),
        (copied, LocalFolder(target), second),
    ):
        (action,) = Synchronizer(1)._make_folder_sync_actions(
            source_folder,
            dest_folder,
            NOW,
            None,
            encryption_settings_provider=BasicSyncEncryptionSettingsProvider(keys, keys),
        )
        action.run(bucket, None)
    assert (target / 'file').read_bytes() == b'x' * size
    for bucket, key in ((first, 'key 0'), (second, 'key 1')):
        ((version, _),) = bucket.ls()
        assert version.server_side_encryption.mode is EncryptionMode.SSE_C
        assert version.file_info['sse_c_key_id'] == key


def download(bucket: Bucket, name: str, path: Path) -> B2DownloadAction:
    """The download of the newest version to a path."""
    version = next(version for version, _ in bucket.ls(name))
    return B2DownloadAction(B2Path(name, version, [version]), name, str(path), NO_SETTINGS)


@pytest.mark.parametrize('kind', ['file', 'link'])
def test_a_failed_download_leaves_the_old_file(
    bucket: Bucket, target: Path, outside: Path, kind: str
) -> None:
    path = target / 'file'
    if kind == 'file':
        path.write_bytes(OLD)
    else:
        path.symlink_to(outside / 'file')
    upload(bucket, 'file')
    action = download(bucket, 'file', path)
    bucket.delete_file_version(action.source_path.selected_version.id_, 'file')
    with pytest.raises(FileNotPresent):
        action.run(bucket, None)
    assert path.read_bytes() == OLD
    assert path.is_symlink() is (kind == 'link')
    assert [path.name for path in target.iterdir()] == ['file']


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
@pytest.mark.parametrize('kind', ['file', 'link'])
def test_wrong_content_replaces_nothing(
    bucket: Bucket,
    target: Path,
    outside: Path,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = target / 'file'
    if kind == 'file':
        path.write_bytes(OLD)
    else:
        path.symlink_to(outside / 'file')
    bucket.upload_bytes(b'x' * 50, 'file')
    action = download(bucket, 'file', path)
    opened: Callable[..., Any] = bucket.download_file_by_id

    def with_another_sha1(*arguments: Any, **named: Any) -> Any:
        file = opened(*arguments, **named)
        file.download_version.content_sha1 = '0' * 40
        return file

    monkeypatch.setattr(bucket, 'download_file_by_id', with_another_sha1)
    with pytest.raises(ChecksumMismatch):
        action.run(bucket, None)
    assert path.read_bytes() == OLD
    assert path.is_symlink() is (kind == 'link')
    assert [path.name for path in target.iterdir()] == ['file']


@pytest.mark.parametrize('account', ['raw'], indirect=True)
def test_a_path_of_another_name(bucket: Bucket, target: Path) -> None:
    """Whoever makes the action may have the file where they like."""
    upload(bucket, 'file')
    download(bucket, 'file', target / 'new' / 'place').run(bucket, None)
    assert (target / 'new' / 'place').read_bytes() == NEW


@pytest.mark.parametrize('account', ['raw'], indirect=True)
def test_a_file_that_is_a_directory_of_the_path(bucket: Bucket, target: Path) -> None:
    (target / 'a').write_bytes(OLD)
    upload(bucket, 'a/b')
    with pytest.raises((DestinationError, LocalFileError), match=str(target / 'a' / 'b')):
        download(bucket, 'a/b', target / 'a' / 'b').run(bucket, None)
    assert (target / 'a').read_bytes() == OLD


@pytest.mark.parametrize('account', ['raw'], indirect=True)
class TestLocalDelete:
    """`LocalDeleteAction` of files that the bucket does not have."""

    def test_a_file(self, api: B2Api, bucket: Bucket, target: Path) -> None:
        (target / 'a').mkdir()
        (target / 'a' / 'b').write_bytes(OLD)
        assert fetch(api, bucket, target, KeepOrDeleteMode.DELETE) == [None]
        assert list(target.rglob('*')) == [target / 'a']

    def test_of_a_link_the_link_only(
        self, api: B2Api, bucket: Bucket, target: Path, outside: Path
    ) -> None:
        (target / 'link').symlink_to(outside / 'file')
        assert fetch(api, bucket, target, KeepOrDeleteMode.DELETE) == [None]
        assert not (target / 'link').is_symlink()
        assert (outside / 'file').read_bytes() == OLD

    @pytest.mark.parametrize('inside', [True, False])
    def test_not_through_a_link(
        self, api: B2Api, bucket: Bucket, target: Path, outside: Path, inside: bool
    ) -> None:
        """Inside, it would delete a file that the bucket has."""
        place = outside
        if inside:
            place = target / 'real'
            place.mkdir()
            (place / 'file').write_bytes(OLD)
            time = (place / 'file').stat().st_mtime_ns // 10**6
            info = {'src_last_modified_millis': str(time)}
            bucket.upload_bytes(OLD, 'real/file', file_info=info)
        (target / 'a').mkdir()
        (target / 'a' / 'link').symlink_to(place)
        (error,) = fetch(api, bucket, target, KeepOrDeleteMode.DELETE)
        assert isinstance(error, LocalFileError)
        assert str(target / 'a' / 'link') in str(error)
        assert (place / 'file').read_bytes() == OLD

    def test_a_file_that_is_gone(self, bucket: Bucket, target: Path) -> None:
        LocalDeleteAction('a', str(target / 'a')).run(bucket, None)

    def test_a_directory_stays(self, bucket: Bucket, target: Path) -> None:
        (target / 'a').mkdir()
        with pytest.raises(LocalFileError, match=str(target / 'a')):
            LocalDeleteAction('a', str(target / 'a')).run(bucket, None)
        assert (target / 'a').is_dir()
