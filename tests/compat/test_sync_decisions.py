"""What a sync would do, beside b2sdk: the same actions in the same order, or the same error."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import product
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from b2sdk import v3 as b2sdk
from hypothesis import given, settings, strategies as st

import b2fast

from .outcomes import outcome
from .sync_sides import (
    DAY,
    LONG_AGO,
    Change,
    LocalFile,
    Mode,
    Reporter,
    arguments_of,
    b2_folder,
    changes,
    decisions,
    described,
    local_files,
    local_folder,
    modes,
    moments,
    policies,
    regexes,
    settings_of_sync,
    sizes,
    times,
)
from .worlds import World, both_worlds

BOTH = [b2sdk, b2fast]


def assert_same_in_both(call: Callable[[Any], Any]) -> None:
    """Both libraries, each given to the call, come to the same."""
    theirs, ours = (call(sdk) for sdk in BOTH)
    assert ours == theirs


@given(local_files, changes, settings_of_sync, moments, policies)
@settings(max_examples=800)
def test_uploads(
    files: list[LocalFile],
    history: list[Change],
    settings: dict[str, Any],
    now: int,
    policy: dict[str, Any],
) -> None:
    assert_same_in_both(
        lambda sdk: decisions(
            sdk, local_folder(sdk, files), b2_folder(sdk, history), settings, now, policy
        )
    )


@given(changes, local_files, settings_of_sync, moments, policies)
@settings(max_examples=800)
def test_downloads(
    history: list[Change],
    files: list[LocalFile],
    settings: dict[str, Any],
    now: int,
    policy: dict[str, Any],
) -> None:
    assert_same_in_both(
        lambda sdk: decisions(
            sdk, b2_folder(sdk, history), local_folder(sdk, files), settings, now, policy
        )
    )


@given(changes, changes, st.booleans(), settings_of_sync, moments, policies)
@settings(max_examples=800)
def test_copies(
    history: list[Change],
    older_history: list[Change],
    in_one_bucket: bool,
    settings: dict[str, Any],
    now: int,
    policy: dict[str, Any],
) -> None:
    bucket = 'a-bucket' if in_one_bucket else 'another-bucket'
    assert_same_in_both(
        lambda sdk: decisions(
            sdk,
            b2_folder(sdk, history, folder='in'),
            b2_folder(sdk, older_history, bucket, 'to'),
            settings,
            now,
            policy,
        )
    )


def test_two_local_folders_are_refused() -> None:
    def decided(sdk: Any) -> Any:
        return decisions(sdk, local_folder(sdk, []), local_folder(sdk, []), {}, 0)

    assert_same_in_both(decided)
    assert decided(b2fast)[1] == (
        'ValueError',
        'Sync between two local folders is not supported!',
    )


@pytest.mark.parametrize('odd', ['../x', 'a//b', '/x', 'x/./y'])
def test_an_odd_name_does_not_end_the_sync(odd: str) -> None:
    """b2sdk's ends with an error there; ours reports it, and does the rest."""
    history = [Change('upload', name, 5, 5, 5) for name in ('!', odd, 'zz')]
    theirs, ours = (
        decisions(sdk, b2_folder(sdk, history), local_folder(sdk, []), {}, 0) for sdk in BOTH
    )
    assert theirs[1][0] == 'UnsupportedFilename'
    actions, error, calls = ours
    assert [fields['b2_file_name'] for _, _, _, fields in actions] == ['!', 'zz']
    assert error is None
    assert [call[1] for call in calls if call[0] == 'invalid_name'] == [odd]


def bucket_with(world: World, folder: str, history: list[Change]) -> Any:
    """A folder of a bucket of a simulator, whose uploads are at 5000 milliseconds and later."""
    bucket = world.api.create_bucket('a-bucket', 'allPrivate')
    for change in history:
        name = f'{folder}/{change.name}' if folder else change.name
        if change.action == 'upload':
            info = {}
            if change.modified is not None:
                info['src_last_modified_millis'] = str(change.modified)
            bucket.upload_bytes(b'x' * change.size, name, file_info=info)
        elif change.action == 'hide':
            # What is not visible cannot be hidden.
            outcome(lambda name=name: bucket.hide_file(name))
        else:
            world.api.session.start_large_file(bucket.id_, name, 'text/plain', {})
    return world.sdk.B2Folder('a-bucket', folder, world.api)


@given(
    changes,
    st.sampled_from(['', 'in']),
    local_files,
    st.booleans(),
    settings_of_sync,
    st.sampled_from([0, 5005, LONG_AGO, LONG_AGO + 10 * DAY]),
)
@settings(max_examples=200)
def test_buckets_of_the_simulators(
    history: list[Change],
    folder: str,
    files: list[LocalFile],
    up: bool,
    settings: dict[str, Any],
    now: int,
) -> None:
    small = [change._replace(size=min(change.size, 100)) for change in history]

    def decided(world: World) -> Any:
        local, bucket = local_folder(world.sdk, files), bucket_with(world, folder, small)
        source, dest = (local, bucket) if up else (bucket, local)
        return decisions(world.sdk, source, dest, settings, now)

    theirs, ours = (decided(world) for world in both_worlds())
    assert ours == theirs


tree_policies = st.fixed_dictionaries(
    {},
    optional={
        'exclude_dir_regexes': st.lists(regexes, min_size=1, max_size=2),
        'exclude_file_regexes': st.lists(regexes, min_size=1, max_size=2),
        'exclude_modified_after': times,
    },
)
COUNTS = ('update_', 'end_')


def plant(root: str, files: list[LocalFile]) -> None:
    """Make the files, but for those whose names are directories of others."""
    for file in files:
        path = os.path.join(root, file.name)
        if any(other.name.startswith(f'{file.name}/') for other in files):
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as content:
            content.truncate(file.size)
        os.utime(path, ns=(file.modified * 1_000_000,) * 2)


@given(changes, local_files, st.booleans(), settings_of_sync, tree_policies, moments)
@settings(max_examples=150)
def test_directories(
    history: list[Change],
    files: list[LocalFile],
    up: bool,
    settings: dict[str, Any],
    policy: dict[str, Any],
    now: int,
) -> None:
    """Of buckets b2sdk leaves out other directories; `docs/compatibility.md` says which."""

    def decided(sdk: Any) -> Any:
        local, bucket = sdk.LocalFolder(root), b2_folder(sdk, history)
        source, dest = (local, bucket) if up else (bucket, local)
        actions, error, calls = decisions(sdk, source, dest, settings, now, policy if up else None)
        return actions, error, [call for call in calls if call[0].startswith(COUNTS)]

    with TemporaryDirectory() as root:
        plant(root, files)
        assert_same_in_both(decided)


NO_MEMBERS = [None, 0, 'SIZE', Mode('UploadMode', 'FULL')]


ATTRIBUTES = tuple(vars(b2sdk.Synchronizer(1)))
"""Ours has more."""


@pytest.mark.parametrize(
    'arguments',
    [
        *(
            {parameter: value}
            for parameter in ('newer_file_mode', 'keep_days_or_delete', 'compare_version_mode')
            for value in NO_MEMBERS
        ),
        *({'compare_threshold': value} for value in (-1, -0.5, 0, None, 7)),
        *(
            {'keep_days_or_delete': Mode('KeepOrDeleteMode', 'KEEP_BEFORE_DELETE'), **days}
            for days in ({}, {'keep_days': None}, {'keep_days': 0}, {'keep_days': -1})
        ),
        {'compare_threshold': -1, 'newer_file_mode': None},
        {'keep_days_or_delete': None, 'compare_version_mode': None},
    ],
    ids=str,
)
def test_arguments(arguments: dict[str, Any]) -> None:
    def made(sdk: Any) -> Any:
        try:
            synchronizer = sdk.Synchronizer(3, **arguments_of(sdk, arguments))
        except Exception as error:
            return type(error).__name__, str(error)
        plain = {**vars(synchronizer), 'policies_manager': None, 'sync_policy_manager': None}
        return {name: getattr(plain[name], 'name', plain[name]) for name in ATTRIBUTES}

    assert_same_in_both(made)


@pytest.mark.parametrize(
    ('sync_type', 'delete', 'keep_days'),
    [
        *product(
            ['local-to-b2', 'b2-to-local', 'b2-to-b2', 'local-to-local', ''],
            [True, False],
            [None, 0, 0.5, 7, -1],
        )
    ],
)
def test_policy_classes(sync_type: str, delete: bool, keep_days: float | None) -> None:
    def chosen(sdk: Any) -> Any:
        return outcome(
            lambda: [
                each.__name__
                for each in sdk.POLICY_MANAGER.get_policy_class(
                    sync_type, delete, keep_days
                ).__mro__
                if each.__name__ in dir(sdk)
            ]
        )

    assert_same_in_both(chosen)


@given(
    st.sampled_from(['UpPolicy', 'DownPolicy', 'CopyAndDeletePolicy']),
    st.tuples(times, sizes, times, sizes),
    st.lists(st.sampled_from([None, 0, 1, 5, DAY]), max_size=1),
    st.fixed_dictionaries(
        {},
        optional={
            'compare_version_mode': st.one_of(
                modes('CompareVersionMode', 'MODTIME', 'SIZE', 'NONE'), st.none()
            ),
            'newer_file_mode': st.one_of(
                modes('NewerFileSyncMode', 'SKIP', 'REPLACE', 'RAISE_ERROR'), st.none()
            ),
        },
    ),
)
@settings(max_examples=300)
def test_comparison(
    policy: str,
    files: tuple[int, int, int, int],
    threshold: list[int | None],
    arguments: dict[str, Any],
) -> None:
    def different(sdk: Any) -> Any:
        source = sdk.LocalPath('/x', 'x', *files[:2])
        dest = sdk.LocalPath('/y', 'x', *files[2:])
        return outcome(
            lambda: bool(
                getattr(sdk, policy).files_are_different(
                    source, dest, *threshold, **arguments_of(sdk, arguments)
                )
            )
        )

    assert_same_in_both(different)


versions_of_one_file = st.lists(
    st.builds(Change, st.sampled_from(['upload', 'hide']), st.just('a'), st.none(), times, sizes),
    max_size=6,
)


@given(
    versions_of_one_file,
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 0.25, 1, 5, 9.5, 10, 11, -1]),
    st.one_of(moments, times),
)
@settings(max_examples=400)
def test_keeping_for_days(
    history: list[Change], has_source: bool, transferred: bool, keep_days: float, now: int
) -> None:
    def kept(sdk: Any) -> Any:
        dest = b2_folder(sdk, history)
        path = next(dest.all_files(None), None)
        source = sdk.LocalPath('/a', 'a', 0, 0) if has_source else None
        actions = sdk.make_b2_keep_days_actions(source, path, dest, transferred, keep_days, now)
        return [described(action, None) for action in actions]

    assert_same_in_both(kept)


def test_what_a_policy_manager_is_asked() -> None:
    """A subclass sees the same arguments in the same places, and decides."""

    def asked(sdk: Any) -> Any:
        calls = []

        class Manager(sdk.SyncPolicyManager):  # type: ignore[misc]
            def get_policy(self, *arguments: Any, **named: Any) -> Any:
                calls.append(
                    ([getattr(each, 'name', each) for each in plain(arguments)], sorted(named))
                )
                return super().get_policy(*arguments, **named)

            def get_policy_class(self, *arguments: Any) -> Any:
                calls.append(arguments)
                return sdk.UpAndDeletePolicy

        def plain(arguments: tuple[Any, ...]) -> list[Any]:
            return [
                repr(each) if hasattr(each, 'relative_path') else each
                for each in arguments
                if not hasattr(each, 'folder_type')
            ]

        source = local_folder(sdk, [LocalFile('a', 2, 3), LocalFile('b', 2, 3)])
        dest = b2_folder(sdk, [Change('upload', 'c', 5, 6, 7)])
        synchronizer = sdk.Synchronizer(1, sync_policy_manager=Manager(), keep_days=4)
        actions = list(synchronizer._make_folder_sync_actions(source, dest, 77, Reporter()))
        return calls, [str(action) for action in actions]

    assert_same_in_both(asked)
    assert asked(b2fast)[1] == [
        'b2_upload(/local/a, a, 2)',
        'b2_upload(/local/b, b, 2)',
        'b2_delete(c, a-bucket-0, )',
    ]
