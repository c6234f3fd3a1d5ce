"""With ``keep_excluded`` a sync decides as if what is excluded on a side were on neither."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

import b2fast

from ...compat.sync_sides import (
    Change,
    LocalFile,
    arguments_of,
    b2_folder,
    changes,
    local_files,
    local_folder,
    policies,
    settings_of_sync,
)

usable_policies = policies.filter(
    lambda given: 'exclude_file_regexes' in given or not given.get('include_file_regexes')
)

NOW = 10**10


def decided(source: Any, dest: Any, options: dict[str, Any], policy: Any, **more: Any) -> Any:
    """The actions, or the error that ended them."""
    actions: list[str] = []
    try:
        synchronizer = b2fast.Synchronizer(1, **arguments_of(b2fast, options), **more)
        found = synchronizer._make_folder_sync_actions(source, dest, NOW, None, policy)
        actions += map(str, found)
    except (b2fast.exception.InvalidArgument, b2fast.exception.DestFileNewer) as error:
        return actions, str(error)
    return actions, None


def excluded_here(files: list[LocalFile], policy: Any) -> set[str]:
    return {
        file.name
        for file in files
        if policy.should_exclude_local_path(
            b2fast.LocalPath('', file.name, file.modified, file.size)
        )
    }


def excluded_there(folder: Any, policy: Any, *, is_source: bool) -> set[str]:
    """Of a source, files of which no version is left; else those with one that is excluded."""
    versions: dict[str, list[bool]] = {}
    for version in folder.get_file_versions():
        if version.action in ('upload', 'hide'):
            is_excluded = policy.should_exclude_b2_file_version(version, version.file_name)
            versions.setdefault(version.file_name, []).append(is_excluded)
    enough = all if is_source else any
    return {name for name, are_excluded in versions.items() if enough(are_excluded)}


def without(folder: Any, names: set[str]) -> Any:
    """The folder of a bucket without the files of these names."""
    versions = [each for each in folder.get_file_versions() if each.file_name not in names]
    folder.get_file_versions = lambda: iter(versions)
    return folder


@pytest.mark.parametrize('way', ['up', 'down', 'copy'])
@given(local_files, changes, changes, settings_of_sync, usable_policies)
@settings(max_examples=300)
def test_as_if_it_were_on_neither_side(
    way: str,
    files: list[LocalFile],
    history: list[Change],
    older_history: list[Change],
    options: dict[str, Any],
    given_policies: dict[str, Any],
) -> None:
    policy = b2fast.ScanPoliciesManager(**given_policies)

    def sides(names: set[str]) -> tuple[Any, Any]:
        here = local_folder(b2fast, [file for file in files if file.name not in names])
        stored = without(b2_folder(b2fast, history), names)
        older = without(b2_folder(b2fast, older_history, 'another'), names)
        return {'up': (here, stored), 'down': (stored, here), 'copy': (stored, older)}[way]

    source, dest = sides(set())
    left = (
        excluded_here(files, policy)
        if way == 'up'
        else excluded_there(source, policy, is_source=True)
    )
    left |= (
        excluded_here(files, policy)
        if way == 'down'
        else excluded_there(dest, policy, is_source=False)
    )
    assert decided(source, dest, options, policy, keep_excluded=True) == decided(
        *sides(left), options, policy
    )
