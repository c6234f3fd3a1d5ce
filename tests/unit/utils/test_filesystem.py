"""Names from the cloud, before they become local paths."""

from __future__ import annotations

import os.path

import pytest
from b2sdk.v3 import validate_b2_file_name_as_path as reference
from hypothesis import given, strategies as st

from b2fast.utils.filesystem import validate_b2_file_name_as_path

hostile_names = st.text(alphabet='ab./\\:C\0', max_size=12)


@pytest.mark.parametrize(
    'name',
    ['a', 'a/b/c.txt', 'a..b', '...', '.hidden', 'a/', 'ab:c', '~/x', 'CON', 'ünï/日本', 'a b'],
)
def test_harmless_names_pass(name: str) -> None:
    validate_b2_file_name_as_path(name)


@pytest.mark.parametrize(
    'name', ['/a', '\\a', '/', 'C:/a', 'c:a', 'a:b', '\\\\server\\share', '//a']
)
def test_absolute_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match='absolute'):
        validate_b2_file_name_as_path(name)


@pytest.mark.parametrize(
    'name', ['.', '..', '../a', 'a/../b', 'a/..', 'a\\..\\b', 'a/..\\b', 'a/./b', 'a//b', 'a\\\\b']
)
def test_names_with_relative_or_empty_components_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match='component'):
        validate_b2_file_name_as_path(name)


def test_nul_is_refused() -> None:
    with pytest.raises(ValueError, match='NUL'):
        validate_b2_file_name_as_path('a\0b')


@given(hostile_names)
def test_an_accepted_name_stays_below_the_directory(name: str) -> None:
    try:
        validate_b2_file_name_as_path(name)
    except ValueError:
        return
    joined = os.path.normpath(os.path.join('/base/dir', name))
    assert joined == '/base/dir' or joined.startswith('/base/dir/')


@given(hostile_names)
def test_whatever_b2sdk_refuses_is_refused(name: str) -> None:
    try:
        reference(name)
    except ValueError:
        with pytest.raises(ValueError, match='file name'):
            validate_b2_file_name_as_path(name)
