"""Many files in one call, over each way of moving bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    B2Api,
    Bucket,
    CopyItem,
    DownloadItem,
    ProgressListenerForTest,
    UploadItem,
    UploadSourceBytes,
)
from b2fast.exception import (
    DestinationIsADirectory,
    DestinationOutsideDirectory,
    FileNotPresent,
    InvalidArgument,
    InvalidUploadSource,
    UnusableFileName,
)

from ..conftest import PART_SIZE, Account
from ..helpers import bulk_threads
from .wire import DEADLINE

SMALL = PART_SIZE // 2
LARGE = 5 * PART_SIZE + 7
"""Sent in parts."""


def content_of(number: int, size: int = SMALL) -> bytes:
    return f'{number:07}'.encode() * (size // 7 + 1)


def read(bucket: Bucket, name: str, path: Path) -> bytes:
    bucket.download_file_by_name(name).save_to(path)
    return path.read_bytes()


def names(bucket: Bucket) -> list[str]:
    return [version.file_name for version, _ in bucket.ls(recursive=True)]


def test_a_tree_comes_back_as_it_was(bucket: Bucket, tmp_path: Path) -> None:
    source, target = tmp_path / 'source', tmp_path / 'target'
    expected = {}
    for number in range(30):
        path = source / f'directory {number % 3}' / f'file {number}'
        path.parent.mkdir(parents=True, exist_ok=True)
        size = [0, 1, SMALL, LARGE][number % 4]
        path.write_bytes(content_of(number, size)[:size])
        expected[path.relative_to(source).as_posix()] = path.read_bytes()
    uploads = bucket.upload_many((source / name, name) for name in expected)
    versions = [result.get() for result in uploads]
    assert sorted(version.file_name for version in versions) == sorted(expected)
    assert {version.size for version in versions} == {len(data) for data in expected.values()}
    downloads = list(bucket.download_many(bucket.ls(recursive=True), target))
    assert all(result.ok for result in downloads)
    assert {result.get().file_name for result in downloads} == set(expected)
    found = {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob('*')
        if path.is_file()
    }
    assert found == expected


def test_all_kinds_of_content(
    bucket: Bucket, make_file: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_file(b'from a file')
    items = [
        (path, 'path'),
        (str(path), 'text'),
        (b'bytes', 'bytes'),
        (bytearray(b'bytearray'), 'bytearray'),
        (memoryview(b'memoryview'), 'memoryview'),
        (UploadSourceBytes(b'source'), 'source'),
        UploadItem(b'item', 'item'),
    ]
    assert all(result.ok for result in bucket.upload_many(items))
    found = {name: read(bucket, name, tmp_path / 'found') for name in names(bucket)}
    assert found == {
        'path': b'from a file',
        'text': b'from a file',
        'bytes': b'bytes',
        'bytearray': b'bytearray',
        'memoryview': b'memoryview',
        'source': b'source',
        'item': b'item',
    }


@pytest.mark.parametrize('size', [SMALL, LARGE])
def test_items_win_over_the_parameters_for_all(bucket: Bucket, size: int) -> None:
    data = content_of(1, size)
    items = [(data, 'plain'), UploadItem(data, 'special', 'a/b', {'key': 'its own'})]
    results = bucket.upload_many(items, content_type='c/d', file_info={'key': 'of all'})
    found = {result.get().file_name: result.get() for result in results}
    assert found['plain'].content_type == 'c/d'
    assert found['plain'].file_info['key'] == 'of all'
    assert found['special'].content_type == 'a/b'
    assert found['special'].file_info['key'] == 'its own'


def test_errors_of_uploads_are_values(bucket: Bucket, tmp_path: Path) -> None:
    items: list[Any] = [
        (tmp_path / 'missing', 'missing'),
        (tmp_path, 'directory'),
        (b'', 'bad//name'),
        (b'good', 'good'),
        'nonsense',
        (b'', 7),
    ]
    results = list(bucket.upload_many(items))
    assert len(results) == len(items)
    errors = {str(result.item): type(result.error) for result in results}
    assert errors == {
        str(items[0]): InvalidUploadSource,
        str(items[1]): InvalidUploadSource,
        str(items[2]): UnusableFileName,
        str(items[3]): type(None),
        str(items[4]): TypeError,
        str(items[5]): TypeError,
    }
    assert names(bucket) == ['good']
    assert [result.get().file_name for result in results if result.ok] == ['good']


def test_the_error_of_a_result_is_raised_by_get(bucket: Bucket, tmp_path: Path) -> None:
    (result,) = bucket.upload_many([(tmp_path / 'missing', 'name')])
    assert not result.ok
    assert result.value is None
    with pytest.raises(InvalidUploadSource):
        result.get()


def test_errors_of_downloads_are_values(bucket: Bucket, tmp_path: Path) -> None:
    bucket.upload_bytes(b'content', 'name')
    (tmp_path / 'taken').mkdir()
    (tmp_path / 'file').write_bytes(b'')
    items: list[Any] = [
        ('name', tmp_path / 'good'),
        ('missing', tmp_path / 'missing'),
        ('name', tmp_path / 'taken'),
        ('name', tmp_path / 'no such directory' / 'name'),
        ('name', tmp_path / 'file' / 'name'),
        'name',
        7,
    ]
    results = {str(result.item): result for result in bucket.download_many(items)}
    errors = [type(results[str(item)].error).__name__ for item in items]
    assert errors == [
        'NoneType',
        'FileNotPresent',
        'DestinationIsADirectory',
        'DestinationDirectoryDoesntExist',
        'DestinationParentIsNotADirectory',
        'InvalidArgument',
        'TypeError',
    ]
    missing = results[str(items[1])].error
    assert isinstance(missing, FileNotPresent)
    assert 'missing' in str(missing)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['file', 'good', 'taken']
    assert (tmp_path / 'good').read_bytes() == b'content'


@pytest.mark.parametrize('name', ['../out', 'a/../../out', 'C:out', 'a\\..\\out', '..'])
def test_a_hostile_name_stays_in_the_cloud(bucket: Bucket, tmp_path: Path, name: str) -> None:
    bucket.upload_bytes(b'evil', name)
    directory = tmp_path / 'directory'
    (result,) = bucket.download_many(bucket.ls(recursive=True), directory)
    assert isinstance(result.error, ValueError)
    assert list(tmp_path.rglob('*')) == []
    (by_its_name,) = bucket.download_many([name], directory)
    assert isinstance(by_its_name.error, ValueError)


@pytest.mark.parametrize('kind', ['directory', 'deep', 'file', 'lost', 'relative'])
def test_links_do_not_lead_downloads_out(bucket: Bucket, tmp_path: Path, kind: str) -> None:
    outside, directory = tmp_path / 'outside', tmp_path / 'directory'
    for path in (outside / 'd', directory / 'a'):
        path.mkdir(parents=True)
    (outside / 'x').write_bytes(b'old')
    name, link, target = {
        'directory': ('a/l/new', 'a/l', str(outside)),
        'deep': ('a/l/d/new', 'a/l', str(outside)),
        'file': ('a/x', 'a/x', str(outside / 'x')),
        'lost': ('a/new', 'a/new', str(outside / 'new')),
        'relative': ('l/new', 'l', 'a/../../outside'),
    }[kind]
    (directory / link).symlink_to(target)
    bucket.upload_bytes(b'evil', name)
    (result,) = bucket.download_many([name], directory)
    assert isinstance(result.error, DestinationOutsideDirectory)
    assert (result.error.path, result.error.link) == (str(directory / name), str(directory / link))
    assert (outside / 'x').read_bytes() == b'old'
    assert sorted(path.name for path in outside.rglob('*')) == ['d', 'x']
    assert [result.ok for result in bucket.download_many([(name, directory / name)])] == [True]


def test_links_within_the_directory_are_followed(bucket: Bucket, tmp_path: Path) -> None:
    directory = tmp_path / 'directory'
    (directory / 'real').mkdir(parents=True)
    (directory / 'l').symlink_to('real')
    (tmp_path / 'link').symlink_to('directory')
    bucket.upload_bytes(b'content', 'l/new')
    (result,) = bucket.download_many(['l/new'], tmp_path / 'link')
    assert result.ok
    assert (directory / 'real/new').read_bytes() == b'content'


def test_a_folder_that_ls_names_is_no_path(bucket: Bucket, tmp_path: Path) -> None:
    bucket.upload_bytes(b'content', 'folder/name')
    ((version, folder),) = bucket.ls()
    assert folder == 'folder/'
    (result,) = bucket.download_many([(version, folder)], tmp_path)  # type: ignore[list-item]
    assert isinstance(result.error, TypeError)
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_folder_is_no_file(bucket: Bucket, tmp_path: Path) -> None:
    (result,) = bucket.download_many(['folder/'], tmp_path)
    assert isinstance(result.error, DestinationIsADirectory)
    assert list(tmp_path.iterdir()) == []


def test_a_version_is_downloaded_and_not_its_successor(bucket: Bucket, tmp_path: Path) -> None:
    old = bucket.upload_bytes(b'old', 'name')
    bucket.upload_bytes(b'new', 'name')
    items = [DownloadItem(old, tmp_path / 'old'), DownloadItem('name', tmp_path / 'new')]
    assert all(result.ok for result in bucket.download_many(items))
    assert (tmp_path / 'old').read_bytes() == b'old'
    assert (tmp_path / 'new').read_bytes() == b'new'


def test_delete_many(bucket: Bucket) -> None:
    versions = [bucket.upload_bytes(b'', f'name {number}') for number in range(12)]
    gone = bucket.upload_bytes(b'', 'gone')
    gone.delete()
    kept = bucket.upload_bytes(b'', 'kept')
    pairs: list[Any] = [(version.id_, version.file_name) for version in versions[:6]]
    items = [*pairs, *versions[6:], gone, None]
    results = list(bucket.delete_many(items))
    assert len(results) == len(items)
    assert {result.get().file_name for result in results if result.ok} == {
        version.file_name for version in versions
    }
    failed = [type(result.error) for result in results if not result.ok]
    assert sorted(error.__name__ for error in failed) == ['FileNotPresent', 'TypeError']
    assert names(bucket) == [kept.file_name]
    list(bucket.delete_many(bucket.ls(recursive=True)))
    assert names(bucket) == []


def test_copy_many(api: B2Api, bucket: Bucket, tmp_path: Path) -> None:
    source = bucket.upload_bytes(b'content', 'source', 'a/b', {'key': 'value'})
    other = api.create_bucket('another-bucket', 'allPrivate')
    items: list[Any] = [
        (source, 'by version'),
        (source.id_, 'by id'),
        CopyItem(source, 'changed', content_type='c/d', file_info={'key': 'other'}),
        (source, 'bad//name'),
        source,
    ]
    progress = ProgressListenerForTest()
    results = list(other.copy_many(items, progress_listener=progress))
    found = {result.get().file_name: result.get() for result in results if result.ok}
    assert sorted(found) == names(other) == ['by id', 'by version', 'changed']
    assert found['by version'].content_type == found['by id'].content_type == 'a/b'
    assert found['changed'].file_info == {'key': 'other'}
    errors = sorted(type(result.error).__name__ for result in results if not result.ok)
    assert errors == ['TypeError', 'UnusableFileName']
    assert read(other, 'by version', tmp_path / 'copy') == b'content'
    assert progress.get_calls()[-1] == 'bytes_completed(21)'


def test_items_are_read_as_they_are_needed(bucket: Bucket) -> None:
    taken = 0

    def endless() -> Iterator[tuple[bytes, str]]:
        nonlocal taken
        while True:
            taken += 1
            yield b'', f'name {taken}'

    results = bucket.upload_many(endless(), max_workers=2)
    assert taken == 0
    for number, result in enumerate(results, start=1):
        assert result.ok
        assert taken - number <= 8 * 2
        if number == 100:
            break
    results.close()
    assert taken <= 100 + 8 * 2
    assert len(names(bucket)) <= taken


def test_a_slow_source_of_items_holds_nothing_up(bucket: Bucket) -> None:
    """Each item is sent before the next one is there."""
    sent = threading.Event()

    class Sent(UploadSourceBytes):
        def open(self) -> Any:
            sent.set()
            return super().open()

    def slow() -> Iterator[tuple[UploadSourceBytes, str]]:
        for number in range(3):
            sent.clear()
            yield Sent(b'content'), f'name {number}'
            assert sent.wait(30)

    assert len(list(bucket.upload_many(slow()))) == 3


def test_an_error_of_the_items_themselves_is_raised(bucket: Bucket) -> None:
    def broken() -> Iterator[tuple[bytes, str]]:
        yield b'', 'name'
        raise OSError('no more items')

    with pytest.raises(OSError, match='no more items'):
        list(bucket.upload_many(broken()))


def test_no_items(bucket: Bucket) -> None:
    assert list(bucket.upload_many([])) == []
    assert list(bucket.delete_many(iter([]))) == []


def test_progress_is_that_of_all(bucket: Bucket, tmp_path: Path) -> None:
    sizes = [0, 1, SMALL, LARGE, LARGE + 1]
    items: list[Any] = [(bytes(size), f'name {size}') for size in sizes]
    progress = ProgressListenerForTest()
    assert all(r.ok for r in bucket.upload_many(items, progress_listener=progress))
    check_progress(progress.get_calls(), sum(sizes))
    progress = ProgressListenerForTest()
    listing = bucket.ls(recursive=True)
    downloads = bucket.download_many(listing, tmp_path, progress_listener=progress)
    assert all(r.ok for r in downloads)
    check_progress(progress.get_calls(), sum(sizes))


def check_progress(calls: list[str], total: int) -> None:
    numbers = {'set_total_bytes': [0], 'bytes_completed': [0]}
    for call in calls:
        name, number = call.rstrip(')').split('(')
        numbers[name].append(int(number))
        assert numbers['bytes_completed'][-1] <= numbers['set_total_bytes'][-1]
    assert numbers['bytes_completed'] == sorted(numbers['bytes_completed'])
    assert calls[-1] == f'bytes_completed({total})'
    assert numbers['set_total_bytes'][-1] == total


@pytest.mark.parametrize('call', ['upload_many', 'download_many', 'delete_many', 'copy_many'])
def test_at_least_one_worker(bucket: Bucket, call: str) -> None:
    with pytest.raises(InvalidArgument):
        getattr(bucket, call)([], max_workers=0)


def test_no_thread_stays(bucket: Bucket) -> None:
    list(bucket.delete_many([('4_z', 'name')] * 20))
    results = bucket.upload_many((b'', f'name {number}') for number in range(1000))
    next(results)
    results.close()
    for thread in bulk_threads():
        thread.join(DEADLINE)
    assert bulk_threads() == []


def test_a_refused_key_is_the_error_of_each_item(account: Account, bucket: Bucket) -> None:
    key = account.api.create_key(['listBuckets', 'readFiles'], 'a-key')
    api = account.new_api()
    api.authorize_account(key.id_, key.application_key, account.realm)
    results = list(api.get_bucket_by_name(bucket.name).upload_many([(b'', 'a'), (b'', 'b')]))
    assert [type(result.error).__name__ for result in results] == ['Unauthorized'] * 2
