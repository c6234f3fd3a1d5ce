"""What takes part in a scan, and what a scan finds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from b2sdk import v3 as b2sdk
from hypothesis import given, strategies as st

import b2fast

from .outcomes import outcome

BOTH = [b2sdk, b2fast]

regexes = st.one_of(
    st.sampled_from(['a', 'a$', 'b/a$', '.*a', '.*\\.b$', '^b', '(a|b)$', 'a/', '', '(', '[', '$']),
    st.text('ab/.*$^()|', max_size=5),
    st.sampled_from(['A', 'b$']).map(lambda text: re.compile(text, re.IGNORECASE)),
)
times = st.one_of(st.none(), st.integers(-1, 4))
paths = st.text('ab/.', max_size=6)
arguments = st.fixed_dictionaries(
    {},
    optional={
        'exclude_dir_regexes': st.lists(regexes, max_size=2),
        'exclude_file_regexes': st.lists(regexes, max_size=2),
        'include_file_regexes': st.lists(regexes, max_size=2),
        'exclude_all_symlinks': st.booleans(),
        'exclude_modified_before': times,
        'exclude_modified_after': times,
        'exclude_uploaded_before': times,
        'exclude_uploaded_after': times,
    },
)


class Version:
    """What the policies look at."""

    def __init__(self, upload_timestamp: int, mod_time_millis: int) -> None:
        self.upload_timestamp = upload_timestamp
        self.mod_time_millis = mod_time_millis


@given(arguments, st.lists(paths, min_size=1, max_size=4), st.integers(0, 4), st.integers(0, 4))
def test_policies(
    arguments: dict[str, Any], relative_paths: list[str], uploaded: int, modified: int
) -> None:
    def decisions(sdk: Any) -> Any:
        manager = sdk.ScanPoliciesManager(**arguments)
        version = Version(uploaded, modified)
        return manager.exclude_all_symlinks, [
            (
                manager.should_exclude_relative_path(path),
                manager.should_exclude_local_path(sdk.LocalPath('/x', path, modified, 1)),
                manager.should_exclude_b2_file_version(version, path),
                manager.should_exclude_b2_directory(path),
                manager.should_exclude_local_directory(path),
            )
            for path in relative_paths
        ]

    theirs, ours = (outcome(lambda sdk=sdk: decisions(sdk)) for sdk in BOTH)
    assert ours == theirs


@given(regexes)
def test_prefix_of_a_directory(regex: Any) -> None:
    theirs, ours = (sdk.convert_dir_regex_to_dir_prefix_regex(regex) for sdk in BOTH)
    assert ours == theirs


@given(st.lists(regexes, max_size=3), paths)
def test_regex_set(regexes: list[Any], text: str) -> None:
    theirs, ours = (outcome(lambda sdk=sdk: sdk.RegexSet(regexes).matches(text)) for sdk in BOTH)
    assert ours == theirs


@given(times, times)
def test_integer_range(begin: int | None, end: int | None) -> None:
    def members(sdk: Any) -> list[int]:
        found = sdk.IntegerRange(begin, end)
        return [number for number in range(-2, 7) if number in found]

    theirs, ours = (outcome(lambda sdk=sdk: members(sdk)) for sdk in BOTH)
    assert ours == theirs


def test_local_paths() -> None:
    def seen(sdk: Any) -> Any:
        path = sdk.LocalPath('/root/a', 'a', 5, 6)
        return (
            repr(path),
            path.is_visible(),
            (path.absolute_path, path.relative_path, path.mod_time, path.size),
            [
                path == sdk.LocalPath(*other)
                for other in [
                    ('/root/a', 'a', 5, 6),
                    ('/root/b', 'a', 5, 6),
                    ('/root/a', 'b', 5, 6),
                    ('/root/a', 'a', 6, 6),
                    ('/root/a', 'a', 5, 7),
                ]
            ],
        )

    assert seen(b2fast) == seen(b2sdk)


@pytest.mark.parametrize('sdk', BOTH, ids=['b2sdk', 'b2fast'])
def test_paths_of_ones_own(sdk: Any) -> None:
    class Path(sdk.AbstractPath):  # type: ignore[misc]
        def is_visible(self) -> bool:
            return True

    assert repr(Path('a', 1, 2)) == "Path('a', 1, 2)"
    assert isinstance(sdk.LocalPath('/a', 'a', 1, 2), sdk.AbstractPath)
    with pytest.raises(TypeError):
        sdk.AbstractPath('a', 1, 2)


def test_paths_of_two_kinds_differ() -> None:
    path = b2fast.LocalPath('/root/a', 'a', 5, 6)
    assert path != 'a'
    assert path not in [None, 5]
