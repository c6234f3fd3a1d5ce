"""Listings of files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from b2fast import Bucket, FileVersion, Filter, listing
from b2fast.exception import FileNotHidden, FileNotPresent, MissingAccountData

from ..conftest import PART_SIZE, Account
from ..helpers import fill_for_listing


@pytest.fixture
def full_bucket(bucket: Bucket) -> Bucket:
    """The bucket of `fill_for_listing`."""
    fill_for_listing(bucket)
    return bucket


def names(entries: Iterable[tuple[FileVersion, str | None]]) -> list[tuple[str, str | None]]:
    return [(version.file_name, folder) for version, folder in entries]


def versions(entries: Iterable[tuple[FileVersion, str | None]]) -> list[tuple[str, str]]:
    return [(version.file_name, version.action) for version, _ in entries]


ROOT = [
    ('a', None),
    ('a.txt', None),
    ('a/b', 'a/'),
    ('c/x.txt', 'c/'),
    ('d', None),
    ('e/[z].txt', 'e/'),
    ('é', None),
]
RECURSIVE = ['a', 'a.txt', 'a/b', 'a/c/e', 'c/x.txt', 'c/y.csv', 'd', 'e/[z].txt', 'é']


@pytest.mark.parametrize('fetch_count', [1, 2, 3, 10000, None])
def test_root(full_bucket: Bucket, fetch_count: int | None) -> None:
    assert names(full_bucket.ls(fetch_count=fetch_count)) == ROOT


@pytest.mark.parametrize('fetch_count', [1, 2, 3, 10000, None])
def test_recursive(full_bucket: Bucket, fetch_count: int | None) -> None:
    listed = names(full_bucket.ls(recursive=True, fetch_count=fetch_count))
    assert listed == [(name, None) for name in RECURSIVE]


@pytest.mark.parametrize('fetch_count', [1, 2, 3, 10000, None])
def test_all_versions(full_bucket: Bucket, fetch_count: int | None) -> None:
    assert versions(full_bucket.ls(latest_only=False, fetch_count=fetch_count)) == [
        ('a', 'upload'),
        ('a', 'upload'),
        ('a.txt', 'upload'),
        ('a/b', 'upload'),
        ('b', 'hide'),
        ('b', 'upload'),
        ('c/x.txt', 'upload'),
        ('d', 'upload'),
        ('e/[z].txt', 'upload'),
        ('é', 'upload'),
    ]


@pytest.mark.parametrize('fetch_count', [1, 2, 3, 10000, None])
def test_all_versions_recursive(full_bucket: Bucket, fetch_count: int | None) -> None:
    listed = full_bucket.ls(latest_only=False, recursive=True, fetch_count=fetch_count)
    assert versions(listed) == [
        ('a', 'upload'),
        ('a', 'upload'),
        ('a.txt', 'upload'),
        ('a/b', 'upload'),
        ('a/c/d', 'hide'),
        ('a/c/d', 'upload'),
        ('a/c/e', 'upload'),
        ('b', 'hide'),
        ('b', 'upload'),
        ('c/x.txt', 'upload'),
        ('c/x.txt', 'hide'),
        ('c/x.txt', 'upload'),
        ('c/y.csv', 'upload'),
        ('d', 'upload'),
        ('e/[z].txt', 'upload'),
        ('é', 'upload'),
    ]


@pytest.mark.parametrize(
    ('path', 'expected'),
    [
        ('a/', [('a/b', None), ('a/c/e', 'a/c/')]),
        ('a/c', [('a/c/e', None)]),
        ('a/c/', [('a/c/e', None)]),
        ('a.txt', [('a.txt', None)]),
        ('c', [('c/x.txt', None), ('c/y.csv', None)]),
        ('/', []),
        ('missing', []),
        ('b', []),
        # A file and a folder of one name: the file is meant.
        ('a', [('a', None)]),
    ],
)
def test_paths(full_bucket: Bucket, path: str, expected: list[tuple[str, str | None]]) -> None:
    assert names(full_bucket.ls(path)) == expected


def test_versions_of_a_path(full_bucket: Bucket) -> None:
    assert versions(full_bucket.ls('a', latest_only=False)) == [('a', 'upload')] * 2
    assert versions(full_bucket.ls('b', latest_only=False)) == [('b', 'hide'), ('b', 'upload')]
    assert versions(full_bucket.ls('c', latest_only=False)) == [
        ('c/x.txt', 'upload'),
        ('c/x.txt', 'hide'),
        ('c/x.txt', 'upload'),
        ('c/y.csv', 'upload'),
    ]


def test_folder_of_a_hidden_file(full_bucket: Bucket) -> None:
    full_bucket.upload_bytes(b'x', 'b/below')
    # The path names a file that is there, if hidden; as in b2sdk, it is no folder then.
    assert names(full_bucket.ls('b')) == []
    assert names(full_bucket.ls('b/')) == [('b/below', None)]


@pytest.mark.parametrize(
    ('pattern', 'expected'),
    [
        ('*.txt', ['a.txt', 'c/x.txt', 'e/[z].txt']),
        ('a/*', ['a/b', 'a/c/e']),
        ('**/*.txt', ['c/x.txt', 'e/[z].txt']),
        ('c/?.txt', ['c/x.txt']),
        ('[ac]*', ['a', 'a.txt', 'a/b', 'a/c/e', 'c/x.txt', 'c/y.csv']),
        ('[!a]*', ['c/x.txt', 'c/y.csv', 'd', 'e/[z].txt', 'é']),
        ('*', RECURSIVE),
        ('e/[[]z].txt', ['e/[z].txt']),
        ('a', ['a']),
        ('c', []),
        ('', []),
        ('A*', []),
        ('a/[bc]*', ['a/b', 'a/c/e']),
    ],
)
def test_wildcards(full_bucket: Bucket, pattern: str, expected: list[str]) -> None:
    listed = names(full_bucket.ls(pattern, with_wildcard=True, recursive=True))
    assert listed == [(name, None) for name in expected]


def test_wildcards_need_recursion(full_bucket: Bucket) -> None:
    with pytest.raises(ValueError, match='recursive'):
        full_bucket.ls('*.txt', with_wildcard=True)


@pytest.mark.parametrize(
    ('filters', 'expected'),
    [
        ([], RECURSIVE),
        ([Filter.include('*.txt')], ['a.txt', 'c/x.txt', 'e/[z].txt']),
        ([Filter.exclude('*/*')], ['a', 'a.txt', 'd', 'é']),
        ([Filter.exclude('*'), Filter.include('*.csv')], ['c/y.csv']),
        (
            [Filter.exclude('*.txt'), Filter.include('c/*')],
            ['a', 'a/b', 'a/c/e', 'c/x.txt', 'c/y.csv', 'd', 'é'],
        ),
        (
            [Filter.include('*.txt'), Filter.exclude('c/*')],
            ['a', 'a.txt', 'a/b', 'a/c/e', 'd', 'e/[z].txt', 'é'],
        ),
    ],
)
def test_filters(full_bucket: Bucket, filters: list[Filter], expected: list[str]) -> None:
    assert names(full_bucket.ls(recursive=True, filters=filters)) == [
        (name, None) for name in expected
    ]


@pytest.mark.parametrize('fetch_count', [1, 2, 10000])
def test_folders_show_their_first_file_that_a_filter_lets_pass(
    full_bucket: Bucket, fetch_count: int
) -> None:
    listed = full_bucket.ls(
        fetch_count=fetch_count, filters=[Filter.include('*e'), Filter.include('*.csv')]
    )
    assert names(listed) == [('a/c/e', 'a/'), ('c/y.csv', 'c/')]


@pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
def test_folders_are_skipped_and_not_read(account: Account, full_bucket: Bucket) -> None:
    for number in range(30):
        full_bucket.upload_bytes(b'', f'c/{number}')
    assert account.server is not None, 'the server counts the calls'
    before = account.server.calls['b2_list_file_names']
    assert names(full_bucket.ls(fetch_count=5))[-4:] == [
        ('c/0', 'c/'),
        ('d', None),
        ('e/[z].txt', 'e/'),
        ('é', None),
    ]
    assert account.server.calls['b2_list_file_names'] - before <= 4


@pytest.mark.parametrize('before', [0, 1])
@pytest.mark.parametrize('fetch_count', [1, 2, 3, 10000])
def test_pages_that_are_asked_for_ahead(
    full_bucket: Bucket, fetch_count: int, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(latest_only: bool) -> list[str]:
        entries = full_bucket.ls(recursive=True, fetch_count=fetch_count, latest_only=latest_only)
        return [version.id_ for version, _ in entries]

    expected = listed(True), listed(False)
    monkeypatch.setattr(listing, '_ENTRIES_BEFORE_NEXT_PAGE', before)
    assert (listed(True), listed(False)) == expected


def test_an_error_of_a_page_ahead_comes_after_what_is_before(
    full_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, '_ENTRIES_BEFORE_NEXT_PAGE', 0)
    entries = full_bucket.ls(recursive=True, fetch_count=3)
    read = names([next(entries)])
    full_bucket.api.account_info.clear()
    read += names([next(entries), next(entries)])
    assert [name for name, _ in read] == RECURSIVE[:3]
    with pytest.raises(MissingAccountData):
        list(entries)


@pytest.mark.parametrize('fetch_count', [1, 2, 10000, None])
def test_list_file_versions(full_bucket: Bucket, fetch_count: int | None) -> None:
    listed = list(full_bucket.list_file_versions('c/x.txt', fetch_count))
    assert [version.action for version in listed] == ['upload', 'hide', 'upload']
    assert [version.size for version in listed] == [5, 0, 7]
    assert list(full_bucket.list_file_versions('c/', fetch_count)) == []
    assert list(full_bucket.list_file_versions('', fetch_count)) == []


@pytest.mark.parametrize('fetch_count', [0, -1])
def test_list_file_versions_with_an_impossible_count(bucket: Bucket, fetch_count: int) -> None:
    with pytest.raises(ValueError, match='fetch_count'):
        bucket.list_file_versions('a', fetch_count)


def test_listed_versions_are_those_of_the_uploads(bucket: Bucket) -> None:
    small = bucket.upload_bytes(b'x', 'name', file_info={'color': 'blue'})
    large = bucket.upload_bytes(bytes(3 * PART_SIZE), 'name')
    assert list(bucket.list_file_versions('name')) == [large, small]
    assert [version for version, _ in bucket.ls()] == [large]
    assert bucket.get_file_info_by_id(small.id_) == small


def start(bucket: Bucket, name: str) -> Any:
    return bucket.api.services.large_file.start_large_file(
        bucket.id_, name, 'text/plain', {'color': 'blue'}
    )


def test_unfinished_large_files(bucket: Bucket) -> None:
    started = [start(bucket, name) for name in ('x/1', 'x/2', 'y')]
    assert {entry.file_id for entry in bucket.list_unfinished_large_files(batch_size=1)} == {
        entry.file_id for entry in started
    }
    (of_y,) = bucket.list_unfinished_large_files(prefix='y')
    assert (of_y.file_name, of_y.content_type, of_y.file_info) == (
        'y',
        'text/plain',
        {'color': 'blue'},
    )
    assert of_y == started[2]
    assert names(bucket.ls()) == []
    assert versions(bucket.ls('y', latest_only=False)) == [('y', 'start')]
    cancelled = bucket.cancel_large_file(of_y.file_id)
    assert (cancelled.file_id, cancelled.file_name) == (of_y.file_id, 'y')
    assert len(list(bucket.list_unfinished_large_files())) == 2


def test_hide_and_unhide(bucket: Bucket) -> None:
    bucket.upload_bytes(b'x', 'name')
    marker = bucket.hide_file('name')
    assert (marker.action, marker.size, marker.file_name) == ('hide', 0, 'name')
    assert names(bucket.ls()) == []
    start(bucket, 'name')
    shown = bucket.unhide_file('name')
    assert (shown.file_id, shown.file_name) == (marker.id_, 'name')
    assert names(bucket.ls()) == [('name', None)]
    with pytest.raises(FileNotHidden):
        bucket.unhide_file('name')
    with pytest.raises(FileNotPresent, match='missing'):
        bucket.unhide_file('missing')


def test_delete_versions(bucket: Bucket) -> None:
    old = bucket.upload_bytes(b'old', 'name')
    new = bucket.upload_bytes(b'new', 'name')
    deleted = bucket.delete_file_version(new.id_, 'name')
    assert deleted.as_dict() == {'action': 'delete', 'fileId': new.id_, 'fileName': 'name'}
    assert [version for version, _ in bucket.ls()] == [old]
    old.delete()
    assert names(bucket.ls()) == []
    with pytest.raises(FileNotPresent):
        old.delete()
