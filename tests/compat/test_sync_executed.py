"""Whole syncs beside b2sdk: the trees, the buckets and the reports afterwards are the same."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from b2sdk import v3 as b2sdk
from hypothesis import assume, given, settings, strategies as st

import b2fast

from .sync_sides import DAY, LONG_AGO, Mode, arguments_of, modes, times
from .test_sync_actions import contents, tree
from .worlds import World, both_worlds

NOW = LONG_AGO + 20 * DAY

# None of them is a directory of another one.
names = st.sampled_from(['a!', 'a.txt', 'a/b/c', 'a/d', 'a0.txt', 'b', 'b c', 'é', 'z\uffff'])
# The smallest part of both simulators has 200 bytes.
sizes = st.sampled_from([0, 1, 5, 150, 199, 200, 201, 390, 400, 650, 1000])


class File(NamedTuple):
    """A file, or a version of one; those of a name begin with the same bytes, but changed ones."""

    name: str
    modified: int
    size: int
    is_changed: bool = False

    @property
    def content(self) -> bytes:
        seed = f'{self.name} {self.is_changed}'.encode()
        return b''.join(hashlib.sha1(seed + bytes([n])).digest() for n in range(50))[: self.size]


class Hide(NamedTuple):
    """A file is hidden."""

    name: str


files = st.builds(File, names, times, sizes, st.booleans())
trees = st.lists(files, max_size=6, unique_by=lambda file: file.name)
histories = st.lists(st.one_of(files, files, files, st.builds(Hide, names)), max_size=9)
# Neither simulator copies more at a time.
histories_to_copy = st.lists(
    st.one_of(files.filter(lambda file: file.size <= 200), st.builds(Hide, names)), max_size=9
)
arguments = st.fixed_dictionaries(
    {
        'newer_file_mode': modes('NewerFileSyncMode', 'SKIP', 'REPLACE'),
        'compare_version_mode': modes('CompareVersionMode', 'MODTIME', 'MODTIME', 'SIZE', 'NONE'),
        'allow_empty_source': st.just(True),
    },
    optional={
        'compare_threshold': st.sampled_from([0, 1, 5, DAY]),
        'dry_run': st.sampled_from([False, False, True]),
    },
)
keeping = st.one_of(
    st.just({}),
    st.just({'keep_days_or_delete': Mode('KeepOrDeleteMode', 'DELETE')}),
    st.builds(
        lambda days, mode: {'keep_days': days, 'keep_days_or_delete': mode},
        st.sampled_from([0, 1, 15, 40]),
        modes('KeepOrDeleteMode', 'KEEP_BEFORE_DELETE', 'NO_DELETE'),
    ),
)
keeping_here = st.sampled_from(
    [{}, {'keep_days': 3}, {'keep_days_or_delete': Mode('KeepOrDeleteMode', 'DELETE')}]
)
policies = st.fixed_dictionaries(
    {},
    optional={
        'exclude_file_regexes': st.lists(st.sampled_from(['a', '.*b$', 'é']), min_size=1),
        'exclude_modified_after': times,
    },
)


def plant(root: Path, tree: list[File]) -> None:
    for file in tree:
        path = root / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        os.utime(path, ns=(file.modified * 10**6,) * 2)


def stored(world: World, histories: dict[str, list[File | Hide]], folder: str) -> Any:
    """One of the folders of a new bucket that have these histories."""
    bucket = world.api.create_bucket('a-bucket', 'allPrivate')
    visible = set()
    for place, history in histories.items():
        for change in history:
            name = f'{place}/{change.name}'
            if isinstance(change, File):
                info = {'src_last_modified_millis': str(change.modified)}
                bucket.upload_bytes(change.content, name, file_info=info)
                visible.add(name)
            elif name in visible:
                bucket.hide_file(name)
                visible.remove(name)
    return world.sdk.B2Folder('a-bucket', folder, world.api)


def is_touched(history: list[File | Hide], file: File) -> bool:
    """Does a version have the content of the file, which is a part at least, at another time?"""
    return file.size >= 200 and any(
        version._replace(modified=file.modified) == file
        for version in history
        if isinstance(version, File)
    )


class Seen(NamedTuple):
    """What there is after a sync."""

    lines: list[str]
    counters: dict[str, Any]
    versions: Any
    files: Any


def synced(
    world: World, source: Any, dest: Any, options: dict[str, Any], *, progress: bool, workers: int
) -> tuple[list[str], dict[str, Any]]:
    """Sync; what was reported, and what the report counted."""
    sdk = world.sdk
    report = sdk.SyncReport(io.StringIO(), not progress)
    others = {name: value for name, value in options.items() if name != 'policies'}
    synchronizer = sdk.Synchronizer(
        workers,
        policies_manager=sdk.ScanPoliciesManager(**options['policies']),
        **arguments_of(sdk, others),
    )
    synchronizer.sync_folders(source, dest, NOW, report)
    report.close()
    lines = [] if progress else sorted(report.stdout.getvalue().splitlines())
    counted = {
        name: getattr(report, name)
        for name in (
            *('compare_count', 'compare_done', 'total_transfer_files', 'total_transfer_bytes'),
            *('transfer_files', 'transfer_bytes', 'errors_encountered', 'warnings'),
        )
    }
    if progress or source.folder_type() == 'b2':
        counted |= {'total_count': report.total_count, 'total_done': report.total_done}
    return lines, counted


def versions_of(bucket: Any) -> Any:
    """All versions, without what b2sdk notes for itself in files that are made of copies."""
    return [
        (
            *version[:4],
            {name: value for name, value in version[4].items() if name != 'plan_id'},
            version[5],
        )
        for version in contents(bucket)
    ]


MakeFolders = Callable[[World, Path], tuple[Any, Any]]
"""Makes the source and the destination in a world; what is local, in the directory."""


def check(make_folders: MakeFolders, options: dict[str, Any], progress: bool) -> None:
    """What there is after the first and the second sync is the same in both worlds.

    A file that is newer ends b2sdk's sync while its threads go on, so that is no mode here.
    """
    theirs, ours = (
        synced_twice(world, make_folders, options, progress=progress, workers=workers)
        for world, workers in zip(both_worlds(), (1, 3), strict=True)
    )
    assert ours == theirs
    # With days, a hide marker may be old enough to go, and the file below it is there no more.
    if not options.get('dry_run') and 'keep_days' not in options:
        assert (ours[1].counters['transfer_files'], ours[1].lines) == (0, [])


def synced_twice(
    world: World,
    make_folders: MakeFolders,
    options: dict[str, Any],
    *,
    progress: bool,
    workers: int,
) -> list[Seen]:
    with TemporaryDirectory() as root:
        source, dest = make_folders(world, Path(root))
        bucket = world.api.get_bucket_by_name('a-bucket')
        return [
            Seen(
                *synced(world, source, dest, options, progress=progress, workers=workers),
                versions_of(bucket),
                tree(root),
            )
            for _ in range(2)
        ]


@given(trees, histories, arguments, keeping, policies, st.booleans(), st.booleans())
@settings(max_examples=150)
def test_up(
    here: list[File],
    history: list[File | Hide],
    options: dict[str, Any],
    keeping: dict[str, Any],
    policies: dict[str, Any],
    progress: bool,
    incremental: bool,
) -> None:
    # All of such a version is copied by one call, and by b2sdk as a part with an empty one.
    assume(not incremental or not any(map(partial(is_touched, history), here)))
    mode = Mode('UploadMode', 'INCREMENTAL' if incremental else 'FULL')
    upload = {'upload_mode': mode, 'absolute_minimum_part_size': 200}

    def folders(world: World, root: Path) -> tuple[Any, Any]:
        plant(root, here)
        return world.sdk.LocalFolder(str(root)), stored(world, {'in': history}, 'in')

    check(folders, {**options, **keeping, 'policies': policies, **upload}, progress)


@given(histories, trees, arguments, keeping_here, policies, st.booleans())
@settings(max_examples=150)
def test_down(
    history: list[File | Hide],
    here: list[File],
    options: dict[str, Any],
    keeping: dict[str, Any],
    policies: dict[str, Any],
    progress: bool,
) -> None:
    def folders(world: World, root: Path) -> tuple[Any, Any]:
        plant(root, here)
        return stored(world, {'in': history}, 'in'), world.sdk.LocalFolder(str(root))

    check(folders, {**options, **keeping, 'policies': policies}, progress)


@given(histories_to_copy, histories, arguments, keeping, policies, st.booleans())
@settings(max_examples=150)
def test_copy(
    history: list[File | Hide],
    old_history: list[File | Hide],
    options: dict[str, Any],
    keeping: dict[str, Any],
    policies: dict[str, Any],
    progress: bool,
) -> None:
    """Within one bucket: each has IDs of its own in the simulators, which are then the same."""

    def folders(world: World, root: Path) -> tuple[Any, Any]:
        source = stored(world, {'in': history, 'to': old_history}, 'in')
        return source, world.sdk.B2Folder('a-bucket', 'to', world.api)

    check(folders, {**options, **keeping, 'policies': policies}, progress)


@pytest.mark.parametrize('all_compared', [False, True])
@given(
    st.tuples(*[st.integers(0, 10**6)] * 3),
    st.tuples(*[st.sampled_from([0, 1, 999, 1000, 10**4, 123456789, 5 * 10**12])] * 2),
    st.sampled_from([0, 0.001, 1, 2.5, 10**6]),
    st.booleans(),
)
def test_the_line_of_the_progress(
    all_compared: bool,
    counts: tuple[int, int, int],
    byte_counts: tuple[int, int],
    elapsed: float,
    all_counted: bool,
) -> None:
    def line(sdk: Any) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, 'time', lambda: 1000.0)
            report = sdk.SyncReport(io.StringIO(), False)
            report.update_total(counts[0])
            report.update_compare(counts[1])
            if all_counted:
                report.end_total()
            if all_compared:
                report.end_compare(counts[2] + 1, max(byte_counts))
            report.update_transfer(counts[2], 0)
            # All that is shown is shown anew after some time.
            patch.setattr(time, 'time', lambda: 1000.0 + elapsed)
            report.print_completion('done')
            report.update_transfer(0, min(byte_counts))
            patch.setattr(time, 'time', lambda: 2000.0 + elapsed)
            report.update_transfer(0, 0)
            text: str = report.stdout.getvalue().split('\r')[-2]
            return text.strip('\n')

    assert line(b2fast) == line(b2sdk)
