"""What a sync leaves as it is: what policies exclude, and what stands for a folder in a bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    B2Api,
    B2Folder,
    Bucket,
    KeepOrDeleteMode,
    LocalFolder,
    NewerFileSyncMode,
    ScanPoliciesManager,
)
from b2fast.exception import IncompleteSync

from .test_sync import DELETE, NOW, read, stored, sync, write

DAY = 24 * 60 * 60 * 1000
HIDE = KeepOrDeleteMode.KEEP_BEFORE_DELETE
REPLACE = NewerFileSyncMode.REPLACE
WITHOUT_LOGS = ScanPoliciesManager(
    exclude_dir_regexes=['cache$', '.*/cache$'],
    exclude_file_regexes=[r'.*\.log$'],
    include_file_regexes=['kept/'],
)


def put(bucket: Bucket, files: dict[str, bytes], modified: int = NOW) -> None:
    info = {'src_last_modified_millis': str(modified)}
    for name, content in files.items():
        bucket.upload_bytes(content, name, file_info=info)


@pytest.mark.parametrize('mode', [DELETE, HIDE])
@pytest.mark.parametrize('keep', [False, True])
def test_uploads(
    mode: KeepOrDeleteMode, keep: bool, local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    excluded = {'a.log': b'1', 'cache/x': b'2', 'd/cache/e/y': b'3'}
    put(bucket, {**excluded, 'gone': b'4', 'kept/gone.log': b'5'})
    here = {'a': b'6', 'a.log': b'7', 'cache/x': b'8', 'kept/b.log': b'9'}
    write(local, here)
    for _ in range(2):
        sync(
            LocalFolder(local),
            remote,
            policies_manager=WITHOUT_LOGS,
            keep_days_or_delete=mode,
            keep_days=3,
            keep_excluded=keep,
        )
        expected = {'a': b'6', 'kept/b.log': b'9'} | (excluded if keep else {})
        assert stored(bucket) == expected
    assert read(local) == here


@pytest.mark.parametrize('keep', [False, True])
def test_downloads(keep: bool, local: Path, remote: B2Folder, bucket: Bucket) -> None:
    excluded = {'a.log': b'1', 'cache/x': b'2', 'd/cache/e/y': b'3'}
    write(local, {**excluded, 'gone': b'4'})
    put(bucket, {'a': b'6', 'a.log': b'7', 'kept/b.log': b'8'})
    sync(
        remote,
        LocalFolder(local),
        policies_manager=WITHOUT_LOGS,
        keep_days_or_delete=DELETE,
        keep_excluded=keep,
    )
    assert read(local) == {'a': b'6', 'kept/b.log': b'8'} | (excluded if keep else {})


@pytest.mark.parametrize('keep', [False, True])
def test_a_time_that_excludes_on_one_side(
    keep: bool, local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    """The policies exclude the one of the source in one case, and that of the destination."""
    policies = ScanPoliciesManager(exclude_modified_after=NOW + 1)
    put(bucket, {'excluded here': b'1'})
    put(bucket, {'excluded there': b'2'}, NOW + DAY)
    write(local, {'excluded here': b'3'}, NOW / 1000 + 5)
    write(local, {'a': b'4', 'excluded there': b'5'})
    sync(
        LocalFolder(local),
        remote,
        policies_manager=policies,
        keep_days_or_delete=DELETE,
        newer_file_mode=REPLACE,
        keep_excluded=keep,
    )
    assert stored(bucket) == (
        {'a': b'4', 'excluded here': b'1', 'excluded there': b'2'}
        if keep
        else {'a': b'4', 'excluded there': b'5'}
    )


def test_versions_of_the_source_that_are_left_are_synced(
    local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    """So a folder is restored as it was at a time."""
    put(bucket, {'a': b'old', 'b': b'old'})
    put(bucket, {'a': b'new', 'c': b'new'}, NOW + DAY)
    write(local, {'c': b'here', 'd': b'gone'})
    result = sync(
        remote,
        LocalFolder(local),
        policies_manager=ScanPoliciesManager(exclude_modified_after=NOW + 1),
        keep_days_or_delete=DELETE,
        keep_excluded=True,
    )
    assert read(local) == {'a': b'old', 'b': b'old', 'c': b'here'}
    assert (result.downloaded, result.deleted) == (2, 1)


def test_versions_below_an_excluded_one_stay(local: Path, remote: B2Folder, bucket: Bucket) -> None:
    put(bucket, {'a': b'old'})
    put(bucket, {'a': b'new'}, NOW + DAY)
    write(local, {'b': b'1'})
    for mode in (HIDE, DELETE):
        sync(
            LocalFolder(local),
            remote,
            policies_manager=ScanPoliciesManager(exclude_modified_after=NOW + 1),
            keep_days_or_delete=mode,
            keep_days=1,
            keep_excluded=True,
        )
    assert stored(bucket) == {'a': b'new', 'b': b'1'}
    assert len(list(bucket.ls('a', latest_only=False))) == 2


@pytest.mark.parametrize('up', [True, False])
def test_symbolic_links(
    up: bool, local: Path, remote: B2Folder, bucket: Bucket, tmp_path: Path
) -> None:
    files = {'link': b'1', 'd/link-to-directory/x': b'2', 'd/link-to-directory!': b'3'}
    put(bucket, files, NOW + DAY)
    write(tmp_path / 'other', {'x': b'other', 'y': b'other'})
    write(local, {'a': b'4', 'd/b': b'5'})
    (local / 'link').symlink_to(tmp_path / 'other/x')
    (local / 'd/link-to-directory').symlink_to(tmp_path / 'other')
    folders = (LocalFolder(local), remote)
    sync(
        *(folders if up else folders[::-1]),
        policies_manager=ScanPoliciesManager(exclude_all_symlinks=True),
        keep_days_or_delete=DELETE,
        keep_excluded=True,
    )
    if up:
        kept = {name: files[name] for name in ('link', 'd/link-to-directory/x')}
        assert stored(bucket) == {'a': b'4', 'd/b': b'5'} | kept
    else:
        assert (local / 'link').is_symlink()
        assert (local / 'd/link-to-directory').is_symlink()
        assert (local / 'd/link-to-directory!').read_bytes() == b'3'
        assert not (local / 'a').exists()
    assert read(tmp_path / 'other') == {'x': b'other', 'y': b'other'}


def store_at(bucket: Bucket, name: str, content: bytes) -> None:
    """Store a file of any name that B2 takes, as other programs do."""
    source = bucket.upload_bytes(content, 'source')
    bucket.api.session.copy_file(source.id_, name, destination_bucket_id=bucket.id_)
    bucket.delete_file_version(source.id_, 'source')


MARKERS = ['folder/', 'folder/deep/', 'other//', 'hidden/']


@pytest.mark.parametrize('direction', ['down', 'up', 'copy'])
def test_what_stands_for_a_folder_is_skipped(
    direction: str, api: B2Api, local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    put(bucket, {'folder/a': b'1'})
    for name in MARKERS:
        store_at(bucket, name, b'')
    api.session.hide_file(bucket.id_, 'hidden/')
    write(local, {'folder/b': b'2'})
    another = api.create_bucket('another-bucket', 'allPrivate')
    other = B2Folder('another-bucket', '', api)
    source, dest = {
        'down': (remote, LocalFolder(local)),
        'up': (LocalFolder(local), remote),
        'copy': (remote, other),
    }[direction]
    result: Any = sync(source, dest, keep_days_or_delete=DELETE)
    assert (result.failures, result.withheld) == ([], 0)
    assert result.deleted == (0 if direction == 'copy' else 1)
    if direction == 'down':
        assert read(local) == {'folder/a': b'1'}
    elif direction == 'up':
        assert [version.file_name for version, _ in bucket.ls(recursive=True)] == [
            'folder/',
            'folder/b',
            'folder/deep/',
            'other//',
        ]
    else:
        assert stored(another) == {'folder/a': b'1'}


def test_the_folder_that_is_synced_has_a_marker(api: B2Api, bucket: Bucket, local: Path) -> None:
    store_at(bucket, 'folder/', b'')
    put(bucket, {'folder/a': b'1'})
    sync(B2Folder('a-bucket', 'folder', api), LocalFolder(local), keep_days_or_delete=DELETE)
    assert read(local) == {'a': b'1'}


def test_content_under_the_name_of_a_folder_is_a_failure(
    local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    store_at(bucket, 'folder/', b'content')
    put(bucket, {'a': b'1'})
    write(local, {'b': b'2'})
    with pytest.raises(IncompleteSync, match='folder/') as caught:
        sync(remote, LocalFolder(local), keep_days_or_delete=DELETE)
    assert [failure.path for failure in caught.value.failures] == ['folder/']
    assert read(local) == {'a': b'1', 'b': b'2'}


@pytest.mark.parametrize('mode', [DELETE, KeepOrDeleteMode.NO_DELETE])
@pytest.mark.parametrize('has_both', [False, True])
def test_a_file_in_the_place_of_a_directory(
    mode: KeepOrDeleteMode, has_both: bool, local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    """If it is to be deleted, the way is free then; else it stays, and is an error."""
    put(bucket, {'a/b': b'1', 'a/c/d': b'2', 'e': b'3'})
    if has_both:
        put(bucket, {'a': b'4'})
    write(local, {'a': b'here'})
    options = {'keep_days_or_delete': mode}
    if mode is DELETE and not has_both:
        result = sync(remote, LocalFolder(local), **options)
        assert (result.downloaded, result.deleted) == (3, 1)
        assert read(local) == {'a/b': b'1', 'a/c/d': b'2', 'e': b'3'}
        return
    with pytest.raises(IncompleteSync) as caught:
        sync(remote, LocalFolder(local), **options)
    assert {failure.path for failure in caught.value.failures} == {'a/b', 'a/c/d'}
    assert all('/a/' in str(failure) for failure in caught.value.failures)
    assert {type(failure.error).__name__ for failure in caught.value.failures} == {
        'DestinationParentIsNotADirectory'
    }
    assert read(local) == {'a': b'here', 'e': b'3'}


def test_a_file_in_the_place_of_a_directory_stays_after_an_incomplete_scan(
    local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    put(bucket, {'a/b': b'1'})
    store_at(bucket, '../x', b'')
    write(local, {'a': b'here'})
    with pytest.raises(IncompleteSync) as caught:
        sync(remote, LocalFolder(local), keep_days_or_delete=DELETE)
    assert [failure.path for failure in caught.value.failures] == ['../x', 'a/b']
    assert read(local) == {'a': b'here'}


@pytest.mark.parametrize('mode', [DELETE, KeepOrDeleteMode.NO_DELETE])
def test_a_directory_in_the_place_of_a_file(
    mode: KeepOrDeleteMode, local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    put(bucket, {'a': b'1', 'b': b'2'})
    write(local, {'a/b/c': b'here', 'a/d': b'here', 'a!': b'here'})
    with pytest.raises(IncompleteSync) as caught:
        sync(remote, LocalFolder(local), keep_days_or_delete=mode)
    (failure,) = caught.value.failures
    assert (failure.path, failure.action) == ('a', 'download')
    assert type(failure.error).__name__ == 'DestinationIsADirectory'
    kept = {'a/b/c': b'here', 'a/d': b'here', 'b': b'2'}
    assert read(local) == kept | ({} if mode is DELETE else {'a!': b'here'})
