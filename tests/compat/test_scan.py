"""Scans of local trees and of buckets: the same paths in the same order.

The names are those that b2sdk scans rightly; `docs/compatibility.md` lists the others.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from b2sdk import v3 as b2sdk
from b2sdk.v3.exception import UnsupportedFilename
from hypothesis import given, strategies as st

import b2fast

from .outcomes import outcome, value_or_error
from .worlds import World, both_worlds

BOTH = [b2sdk, b2fast]

segments = st.one_of(
    st.sampled_from(['a', 'a.txt', 'a0', 'b', 'A', 'a b', 'é', 'z\uffff', 'z\U00010000', '.c']),
    st.text('ab0!~-', min_size=1, max_size=3),
)
names = st.lists(segments, min_size=1, max_size=3).map('/'.join)


@st.composite
def trees(draw: st.DrawFn) -> list[str]:
    """Names of files that can be in one directory: none is a directory of another."""
    drawn = draw(st.lists(names, max_size=12, unique=True))
    folders = {name[:end] for name in drawn for end, char in enumerate(name) if char == '/'}
    return [name for name in drawn if name not in folders]


regexes = st.sampled_from(['a', 'a$', '.*a$', 'b', '.*/a', 'a/b', '.*0', '.*\\.txt$', '[^a]*$'])
times = st.one_of(st.none(), st.integers(0, 6))
policies = st.fixed_dictionaries(
    {},
    optional={
        'exclude_dir_regexes': st.lists(regexes, min_size=1, max_size=2),
        'exclude_file_regexes': st.lists(regexes, min_size=1, max_size=2),
        'exclude_all_symlinks': st.booleans(),
        'exclude_modified_before': times,
        'exclude_modified_after': times,
    },
)


class Reporter:
    """Notes what it is told: the event, and the path that it is about."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, *arguments[:1]))


def plant(root: str, names: list[str]) -> None:
    """Make files; the times and sizes of two neighbours differ."""
    for number, name in enumerate(names):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_bytes(b'x' * number)
        time = (number % 7) * 1_000_000 + 999_999
        os.utime(path, ns=(time, time))


def scan(sdk: Any, folder: Any, arguments: dict[str, Any]) -> tuple[list[Any], Any]:
    """What is found, in order, and what the reporter is told, in any order."""
    reporter = Reporter()
    found = list(folder.all_files(reporter, sdk.ScanPoliciesManager(**arguments)))
    return found, sorted(reporter.calls)


@given(trees(), st.lists(st.tuples(names, names), max_size=2), policies)
def test_local_trees(tree: list[str], links: list[tuple[str, str]], policy: dict[str, Any]) -> None:
    """Links lead to files, to directories beside their own, or nowhere."""

    def seen(sdk: Any, root: str) -> Any:
        found, told = scan(sdk, sdk.LocalFolder(root), policy)
        return [(repr(path), path.absolute_path, path.size) for path in found], told

    with TemporaryDirectory() as directory:
        root = os.path.join(directory, 'root')
        plant(root + '-beside', ['beside', 'a/beside'])
        os.mkdir(root)
        plant(root, tree)
        for place, target in links:
            path = os.path.join(root, place)
            if os.path.lexists(path) or not os.path.isdir(os.path.dirname(path)):
                continue
            os.symlink(os.path.join(root + '-beside', target), path)
        theirs, ours = (seen(sdk, root) for sdk in BOTH)
    assert ours == theirs


@given(trees(), st.lists(st.tuples(names, names), max_size=3))
def test_links_within_a_tree(tree: list[str], links: list[tuple[str, str]]) -> None:
    """b2sdk goes through a link to a directory that it is in once; ours stops there."""

    def found(sdk: Any, root: str) -> list[str]:
        return [path.absolute_path for path in sdk.LocalFolder(root).all_files(Reporter())]

    with TemporaryDirectory() as root:
        plant(root, tree)
        for place, target in links:
            path = os.path.join(root, place)
            if not os.path.lexists(path) and os.path.isdir(os.path.dirname(path)):
                os.symlink(os.path.join(root, os.path.dirname(target)), path)
        theirs, ours = (found(sdk, root) for sdk in BOTH)
        known = set(ours)
        assert [path for path in theirs if path in known] == ours
        assert {os.path.realpath(path) for path in theirs} == set(map(os.path.realpath, ours))
        for path in set(theirs) - known:
            way = [path[:end] for end, char in enumerate(path) if char == '/' and end >= len(root)]
            places = [os.path.realpath(directory) for directory in way]
            assert len(set(places)) < len(places)


odd_segments = st.text('ab\\:\x01\n\x7f\udc80', min_size=1, max_size=4)


@given(st.lists(odd_segments, max_size=5, unique=True))
def test_odd_local_names(names: list[str]) -> None:
    """Ours takes backslashes, and leaves out what cannot be stored or would not come back."""
    found, reported = [], []
    with TemporaryDirectory() as root:
        plant(root, names)
        for sdk in BOTH:
            reporter = Reporter()
            files = sdk.LocalFolder(root).all_files(reporter)
            found.append({path.relative_path for path in files})
            reported.append({os.path.basename(path) for _, path in reporter.calls})
    theirs, ours = found
    assert all(
        each | left_out == set(names) for each, left_out in zip(found, reported, strict=True)
    )
    assert all('\\' in name for name in ours - theirs)
    assert all(set(name) & {'\x01', '\n'} or name[1:2] == ':' for name in theirs - ours)


changes = st.lists(
    st.tuples(st.sampled_from(['upload', 'upload', 'hide', 'start']), names, st.integers(0, 6)),
    max_size=15,
)
upload_times = st.one_of(st.none(), st.integers(5000, 5012))
b2_policies = st.fixed_dictionaries(
    {},
    optional={
        'exclude_file_regexes': st.lists(regexes, min_size=1, max_size=2),
        'exclude_modified_before': times,
        'exclude_uploaded_before': upload_times,
        'exclude_uploaded_after': upload_times,
    },
)


def fill(world: World, changes: list[tuple[str, str, int]]) -> Any:
    """A bucket with a history."""
    bucket = world.api.create_bucket('a-bucket', 'allPrivate')
    for action, name, modified in changes:
        if action == 'upload':
            info = {'src_last_modified_millis': str(modified)}
            bucket.upload_bytes(b'x' * modified, name, file_info=info)
        elif action == 'start':
            world.api.session.start_large_file(bucket.id_, name, 'text/plain', {})
        else:
            outcome(lambda name=name: bucket.hide_file(name))
    return bucket


def described(path: Any) -> Any:
    """A path of a bucket, as both libraries have it."""
    return (
        repr(path),
        path.relative_path,
        path.mod_time,
        path.size,
        path.is_visible(),
        path.selected_version.id_,
        [version.id_ for version in path.all_versions],
    )


@given(changes, st.sampled_from(['', '', 'a', 'b', 'a/b', 'A', 'é']), b2_policies)
def test_buckets(changes: list[tuple[str, str, int]], folder: str, policy: dict[str, Any]) -> None:
    """A file that is called like the scanned folder is left out: b2sdk finds nothing then."""
    changes = [change for change in changes if change[1] != folder]

    def seen(world: World) -> Any:
        fill(world, changes)
        scanned = world.sdk.B2Folder('a-bucket', folder, world.api)
        found, told = scan(world.sdk, scanned, policy)
        return [described(path) for path in found], told

    theirs, ours = (seen(world) for world in both_worlds())
    assert ours == theirs


odd_names = st.text('ab./\\:C', min_size=1, max_size=6)


@given(st.lists(odd_names, min_size=1, max_size=5, unique=True))
def test_odd_names(names: list[str]) -> None:
    """b2sdk's scan ends with an error at the first name that it refuses; ours reports it."""
    names.sort()
    scans = []
    for world in both_worlds():
        bucket = world.api.create_bucket('a-bucket', 'allPrivate')
        source = bucket.upload_bytes(b'x', 'zz')
        for name in names:
            world.api.session.copy_file(source.id_, name, destination_bucket_id=bucket.id_)
        bucket.delete_file_version(source.id_, 'zz')
        reporter = Reporter()
        files = world.sdk.B2Folder('a-bucket', '', world.api).all_files(reporter)
        scans.append((files, reporter))
    (their_files, _), (our_files, reporter) = scans
    found = [path.relative_path for path in our_files]
    reported = [name for event, name in reporter.calls if event == 'invalid_name']
    assert found == sorted(found)
    assert reported == sorted(reported)
    assert sorted(found + reported) == names
    refused = []
    try:
        list(their_files)
    except UnsupportedFilename as error:
        refused.append(error.filename)
    assert set(refused) <= set(reported)


@given(trees(), st.lists(regexes, max_size=2))
def test_directories_are_left_out_of_buckets_as_of_local_trees(
    tree: list[str], regexes: list[str]
) -> None:
    """b2sdk's scan of a local tree is the measure: its scan of a bucket asks for parents only."""
    policy = {'exclude_dir_regexes': regexes}
    with TemporaryDirectory() as root:
        plant(root, tree)
        expected, _ = scan(b2sdk, b2sdk.LocalFolder(root), policy)
    _, world = both_worlds()
    fill(world, [('upload', name, 1) for name in tree])
    found, _ = scan(b2fast, b2fast.B2Folder('a-bucket', '', world.api), policy)
    assert [path.relative_path for path in found] == [path.relative_path for path in expected]


@given(trees(), changes, policies, st.booleans())
def test_pairs(
    tree: list[str],
    changes: list[tuple[str, str, int]],
    policy: dict[str, Any],
    upwards: bool,
) -> None:
    if not upwards:
        policy = {key: value for key, value in policy.items() if key != 'exclude_dir_regexes'}

    def seen(world: World, root: str) -> Any:
        fill(world, changes)
        sdk = world.sdk
        local, bucket = sdk.LocalFolder(root), sdk.B2Folder('a-bucket', '', world.api)
        source, target = (local, bucket) if upwards else (bucket, local)
        reporter = Reporter()
        pairs = sdk.zip_folders(source, target, reporter, sdk.ScanPoliciesManager(**policy))
        return [repr(pair) for pair in pairs], reporter.calls

    with TemporaryDirectory() as root:
        plant(root, tree)
        theirs, ours = (seen(world, root) for world in both_worlds())
    assert ours == theirs


@pytest.mark.parametrize(
    'name',
    [
        'local',
        '/tmp/local/',
        '',
        'b2',
        'B2://a-bucket/x',
        'b2id://x',
        'b2:/a-bucket/x',
        'b2:/',
        'b2:a-bucket',
        'b2:a-bucket/x/',
        'b2://a-bucket',
        'b2://a-bucket/',
        'b2://a-bucket/x',
        'b2://a-bucket/x/y/',
        'b2://a-bucket/é',
        'b2://a-bucket//x',
        'b2://a-bucket/x//',
        'b2://no-bucket/x',
        'b2://',
        'b2:///x',
    ],
)
def test_names_of_folders(name: str) -> None:
    def seen(world: World) -> Any:
        world.api.create_bucket('a-bucket', 'allPrivate')
        folder = world.sdk.parse_folder(name, world.api)
        attributes = {
            key: value for key, value in vars(folder).items() if key not in ('api', 'bucket')
        }
        return str(folder), folder.folder_type(), attributes, folder.make_full_path('f')

    theirs, ours = (outcome(lambda world=world: seen(world)) for world in both_worlds())
    assert ours == theirs


@pytest.mark.parametrize('name', ['local', 'b2://a-bucket/x/'])
def test_folder_classes_of_ones_own(name: str) -> None:
    def seen(world: World) -> Any:
        return world.sdk.parse_folder(
            name,
            world.api,
            local_folder_class=lambda *arguments: arguments,
            b2_folder_class=lambda *arguments: (arguments[:2], arguments[2] is world.api),
        )

    theirs, ours = (seen(world) for world in both_worlds())
    assert ours == theirs


# Of each kind one; relative to a directory that has `full/file` only.
@pytest.mark.parametrize(
    'root', ['full', 'empty', 'new', 'new/below', 'full/file', 'full/file/below', 'link', 'lost']
)
@pytest.mark.parametrize('method', ['ensure_present', 'ensure_non_empty'])
def test_roots(tmp_path: Path, root: str, method: str) -> None:
    def seen(sdk: Any) -> Any:
        place = tmp_path / sdk.__name__
        plant(str(place), ['full/file'])
        (place / 'empty').mkdir()
        (place / 'link').symlink_to('full')
        (place / 'lost').symlink_to('nowhere/at-all')
        folder = sdk.LocalFolder(place / root)
        name, text = outcome(getattr(folder, method)), (place / root).is_dir()
        return str(name).replace(sdk.__name__, ''), text

    assert seen(b2fast) == seen(b2sdk)


@pytest.mark.parametrize('root', [b'bytes', 5, None])
def test_no_roots(root: Any) -> None:
    theirs, ours = (outcome(lambda sdk=sdk: sdk.LocalFolder(root)) for sdk in BOTH)
    assert ours == theirs


@pytest.mark.parametrize(
    'name', ['a', 'a/b', '', 'a/', 'a..b/..c', 'é', 'a\\b', '../a', '/a', '..', 'a/../../b']
)
def test_full_paths_of_local_files(name: str) -> None:
    """Where both refuse a name, the texts differ."""

    theirs, ours = (
        value_or_error(lambda sdk=sdk: sdk.LocalFolder('/root').make_full_path(name))
        for sdk in BOTH
    )
    assert ours == theirs


versions = st.one_of(st.none(), st.integers(0, 3))


@given(st.lists(st.lists(versions, max_size=3), max_size=6))
def test_reports(scanned: list[list[int | None]]) -> None:
    """What is counted by the number of folders that have the path."""

    def seen(sdk: Any) -> Any:
        class Path(sdk.AbstractPath):  # type: ignore[misc]
            def __init__(self, version: int) -> None:
                super().__init__('a', 0, 0)
                self.selected_version = version

            def is_visible(self) -> bool:
                return True

        @dataclass(frozen=True)
        class Result(sdk.AbstractScanResult):  # type: ignore[misc]
            number: int

            @classmethod
            def from_files(cls, *files: Any) -> Any:
                return cls(sum(file is not None for file in files))

        class Report(sdk.CountAndSampleScanReport):  # type: ignore[misc]
            SCAN_RESULT_CLASS = Result

        report = Report()
        assert isinstance(report, sdk.AbstractScanReport)
        for files in scanned:
            report.add(*(None if version is None else Path(version) for version in files))
        return repr(report)

    assert seen(b2fast) == seen(b2sdk)


@pytest.mark.parametrize('name', ['AbstractScanReport', 'AbstractScanResult', 'AbstractFolder'])
def test_what_is_abstract_has_no_instances(name: str) -> None:
    for sdk in BOTH:
        with pytest.raises(TypeError, match='abstract'):
            getattr(sdk, name)()
