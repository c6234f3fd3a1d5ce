"""Scans of buckets over each way of asking for listings."""

from __future__ import annotations

from typing import Any

import pytest

from b2fast import (
    B2Api,
    B2Folder,
    Bucket,
    LocalFolder,
    ScanPoliciesManager,
    parse_folder,
    zip_folders,
)
from b2fast.exception import ServiceError

from ..conftest import Account
from ..helpers import Reporter, fill_for_listing

ODD = [
    '../up',
    '/root',
    'C:drive',
    'a//b',
    'a/../b',
    'a/./b',
    'folder/',
    '\\\\host\\share',
    'a' * 256,
]


def names(folder: Any, **policies: Any) -> list[str]:
    manager = ScanPoliciesManager(**policies)
    return [path.relative_path for path in folder.all_files(None, manager)]


def add(bucket: Bucket, *odd_names: str) -> None:
    """Make files of names that uploads refuse."""
    source = bucket.upload_bytes(b'x', 'zz')
    for name in odd_names:
        bucket.api.session.copy_file(source.id_, name, destination_bucket_id=bucket.id_)
    bucket.delete_file_version(source.id_, source.file_name)


def fail(*_: object) -> None:
    raise ServiceError('out of order')


class Pages:
    """Has listings come in pages of few entries, and notes how many were asked for at a time."""

    def __init__(self, api: B2Api, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
        self.asked: list[int] = []
        call = api.session.list_file_versions

        def in_small_pages(
            bucket_id: str, name: str, id_: str | None, count: int, prefix: str
        ) -> dict[str, Any]:
            self.asked.append(count)
            return call(bucket_id, name, id_, size, prefix)

        monkeypatch.setattr(api.session, 'list_file_versions', in_small_pages)


def test_all_of_a_bucket(api: B2Api, bucket: Bucket) -> None:
    fill_for_listing(bucket)
    found = list(B2Folder('a-bucket', '', api).all_files(None))
    assert [(path.relative_path, path.is_visible(), len(path.all_versions)) for path in found] == [
        ('a', True, 2),
        ('a.txt', True, 1),
        ('a/b', True, 1),
        ('a/c/d', False, 2),
        ('a/c/e', True, 1),
        ('b', False, 2),
        ('c/x.txt', True, 3),
        ('c/y.csv', True, 1),
        ('d', True, 1),
        ('e/[z].txt', True, 1),
        ('é', True, 1),
    ]
    assert all(path.selected_version is path.all_versions[0] for path in found)
    assert [path.size for path in found[:4]] == [5, 5, 3, 0]


def test_a_folder(api: B2Api, bucket: Bucket) -> None:
    """Also one that has a file of the same name, and one whose name begins another's."""
    fill_for_listing(bucket)
    for name in ('b2://a-bucket/a', 'b2://a-bucket/a/', 'b2:a-bucket/a'):
        folder = parse_folder(name, api)
        assert names(folder) == ['b', 'c/d', 'c/e']
        assert folder.make_full_path('c/d') == 'a/c/d'
    assert B2Folder('a-bucket', 'a/', api).make_full_path('b') == 'a/b'
    assert names(parse_folder('b2://a-bucket/no', api)) == []


def test_pages_are_asked_for_when_they_are_needed(
    api: B2Api, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many entries at a time as B2 gives; versions of one file may be on several pages."""
    fill_for_listing(bucket)
    folder = B2Folder('a-bucket', '', api)
    at_once = list(folder.all_files(None))
    pages = Pages(api, monkeypatch, size=2)
    files = folder.all_files(None)
    assert pages.asked == []
    found, asked = [], []
    for path in files:
        found.append(path)
        asked.append(len(pages.asked))
    assert found == at_once
    # Two versions of `a` are on the first page. That they are all is known with the second.
    assert asked[:-1] == [2, 2, 3, 4, 4, 5, 7, 7, 8, 8]
    assert set(pages.asked) == {10_000}


def test_pairs_come_before_the_scan_is_done(
    api: B2Api, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for number in range(10):
        bucket.upload_bytes(b'x', f'{number}')
        (tmp_path / f'{number}').write_bytes(b'x')
    pages = Pages(api, monkeypatch, size=3)
    pairs = zip_folders(LocalFolder(tmp_path), B2Folder('a-bucket', '', api), None)
    assert [path and path.relative_path for path in next(pairs)] == ['0', '0']
    assert len(pages.asked) == 1
    assert len(list(pairs)) == 9


def test_a_listing_that_fails_is_not_the_end_of_a_scan(
    api: B2Api, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_for_listing(bucket)
    pages = Pages(api, monkeypatch, size=4)
    files = B2Folder('a-bucket', '', api).all_files(None)
    assert next(files).relative_path == 'a'
    monkeypatch.setattr(api.session, 'list_file_versions', fail)
    with pytest.raises(ServiceError):
        list(files)
    assert len(pages.asked) == 1


def test_unfinished_files_are_none(account: Account, bucket: Bucket) -> None:
    api = account.api
    bucket.upload_bytes(b'x', 'a')
    for name in ('a', 'b'):
        api.session.start_large_file(bucket.id_, name, 'text/plain', {})
    folder = B2Folder('a-bucket', '', api)
    assert names(folder) == ['a']
    assert {version.action for version in folder.get_file_versions()} == {'start', 'upload'}


def test_versions_that_are_left_out_are_as_if_not_there(api: B2Api, bucket: Bucket) -> None:
    for modified in (1, 2, 3):
        bucket.upload_bytes(b'x', 'a', file_info={'src_last_modified_millis': str(modified)})
    bucket.upload_bytes(b'x', 'b', file_info={'src_last_modified_millis': 'no number'})
    policies = ScanPoliciesManager(exclude_modified_after=2)
    (found,) = B2Folder('a-bucket', '', api).all_files(None, policies)
    assert (found.mod_time, len(found.all_versions)) == (2, 2)


def test_folders_are_asked_about_once(api: B2Api, bucket: Bucket) -> None:
    """Those above it come first; what is in one that is left out is not asked about."""
    asked: list[str] = []

    class Policies(ScanPoliciesManager):
        def should_exclude_b2_directory(self, dir_path: str) -> bool:
            asked.append(dir_path)
            return super().should_exclude_b2_directory(dir_path)

    for name in ('a/b/c/1', 'a/b/c/2', 'a/d/3', 'ab/4', 'no/e/5', 'no/e/6', 'no/f', 'x'):
        bucket.upload_bytes(b'x', name)
    folder = B2Folder('a-bucket', '', api)
    found = folder.all_files(None, Policies(exclude_dir_regexes=['no$']))
    assert [path.relative_path for path in found] == ['a/b/c/1', 'a/b/c/2', 'a/d/3', 'ab/4', 'x']
    assert asked == ['a', 'a/b', 'a/b/c', 'a/d', 'ab', 'no']


def test_odd_names_are_reported_and_left_out(api: B2Api, bucket: Bucket) -> None:
    add(bucket, *ODD, 'good', 'z\\z')
    reporter = Reporter()
    folder = B2Folder('a-bucket', '', api)
    assert [path.relative_path for path in folder.all_files(reporter)] == ['good', 'z\\z']
    assert reporter.events == [('name', name) for name in sorted(ODD)]
    assert names(folder) == ['good', 'z\\z']
    without = reporter.events[:]
    policies = ScanPoliciesManager(exclude_file_regexes=['.*'])
    assert list(folder.all_files(reporter, policies)) == []
    assert reporter.events == without


def test_markers_of_folders_are_left_out(api: B2Api, bucket: Bucket) -> None:
    add(bucket, 'folder/', 'folder/below/')
    bucket.upload_bytes(b'x', 'folder/file')
    reporter = Reporter()
    found = B2Folder('a-bucket', 'folder', api).all_files(reporter)
    assert [path.relative_path for path in found] == ['file']
    assert reporter.events == [('name', 'folder/'), ('name', 'folder/below/')]
