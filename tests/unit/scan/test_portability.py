"""Files that would fall together on some system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from b2fast import LocalPath
from b2fast.scan.path import AbstractPath
from b2fast.scan.portability import only_portable

from ...helpers import Reporter


class Hidden(AbstractPath):
    def is_visible(self) -> bool:
        return False


def local(name: str) -> LocalPath:
    return LocalPath(f'/root/{name}', name, 0, 0)


def split(names: list[str]) -> tuple[list[str], dict[str, str]]:
    reporter = Reporter()
    paths = only_portable(map(local, names), reporter)
    return [path.relative_path for path in paths], reporter.problems


@pytest.mark.parametrize(
    ('first', 'second'),
    [
        ('A', 'a'),
        ('ü', 'u\u0308'),
        ('Ü', 'u\u0308'),
        ('STRASSE', 'straße'),
        ('dir/A', 'dir/a'),
        ('Dir/a', 'dir/b'),
        ('a/B/c', 'a/b/d'),
        ('a', 'a/b'),
        ('A', 'a/b'),
        ('a/b', 'a'),
    ],
)
def test_the_second_is_left_out(first: str, second: str) -> None:
    found, left_out = split([first, second, 'z'])
    assert found == [first, 'z']
    assert list(left_out) == [second]
    assert 'falls together with' in left_out[second]


def test_what_was_left_out_is_in_nobodys_way() -> None:
    found, left_out = split(['A/x', 'a/y', 'B', 'a.', 'c/a.'])
    assert found == ['A/x', 'B']
    assert sorted(left_out) == ['a.', 'a/y', 'c/a.']
    assert split(['C/nul', 'c/x'])[0] == ['c/x']


def test_names_of_other_systems_are_left_out() -> None:
    found, left_out = split(['a', 'b:c', 'd/con.txt', 'e/f'])
    assert found == ['a', 'e/f']
    assert sorted(left_out) == ['b:c', 'd/con.txt']


def test_hidden_files_fall_together_with_nothing() -> None:
    paths: list[AbstractPath] = [Hidden('A', 0, 0), local('a'), Hidden('a.', 0, 0)]
    assert list(only_portable(paths)) == paths


def test_one_at_a_time() -> None:
    taken = []

    def paths() -> Iterator[LocalPath]:
        for name in 'abc':
            taken.append(name)
            yield local(name)

    found = only_portable(paths())
    assert next(found).relative_path == 'a'
    assert taken == ['a']


@given(
    st.lists(
        st.lists(st.text('aAbüÜu\u0308\u017fsS', min_size=1, max_size=3), min_size=1, max_size=3)
    )
)
def test_what_is_left_can_lie_side_by_side(drawn: list[list[str]]) -> None:
    names = sorted({'/'.join(parts) for parts in drawn})
    found, left_out = split(names)
    assert sorted([*found, *left_out]) == names
    spelled: dict[str, set[tuple[str, bool]]] = {}
    for name in found:
        parts = name.split('/')
        for count in range(1, len(parts) + 1):
            part = '/'.join(parts[:count])
            same = unicodedata.normalize('NFC', unicodedata.normalize('NFC', part).upper())
            spelled.setdefault(same, set()).add((part, count == len(parts)))
    assert all(len(spellings) == 1 for spellings in spelled.values())
