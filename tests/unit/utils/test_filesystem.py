"""Names from the cloud, before they become local paths."""

from __future__ import annotations

import os.path
import re

import pytest
from b2sdk.v3 import validate_b2_file_name_as_path as reference
from hypothesis import given, strategies as st

from b2fast.utils.file_names import validate_b2_file_name
from b2fast.utils.filesystem import (
    is_plain,
    problem_as_path,
    validate_b2_file_name_as_path,
)

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


@pytest.mark.parametrize('name', ['a\nb', 'a/\x1b[2J', '\x01', 'a\x7f'])
def test_control_characters_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match='control character') as refused:
        validate_b2_file_name_as_path(name)
    assert not set(str(refused.value)) & set(map(chr, [*range(32), 127]))


@pytest.mark.parametrize('name', ['\udcff', 'a/\ud800b'])
def test_what_is_no_unicode_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match='UTF-8'):
        validate_b2_file_name_as_path(name)


@pytest.mark.parametrize('for_windows', [False, True])
def test_parts_have_a_limit(for_windows: bool) -> None:
    def problem(name: str) -> str | None:
        return problem_as_path(name, for_windows=for_windows)

    assert problem('/'.join(['a' * 255] * 3)) is None
    assert '255' in str(problem('a/' + 'a' * 256 + '/a'))
    # Windows counts in units of UTF-16, other systems in bytes of UTF-8.
    assert (problem('ü' * 200) is None) is for_windows
    assert problem('\U00010000' * 128) is not None


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('CON', 'device'),
        ('a/nul.txt/b', 'device'),
        ('Com1', 'device'),
        ('lpt\u00b2.tar.gz', 'device'),
        ('aux .c', 'device'),
        ('CONIN$', 'device'),
        ('nul:stream', 'device'),
        ('a.', 'dot or a space'),
        ('a /b', 'dot or a space'),
        ('.../a', 'dot or a space'),
        ('file:stream', "':'"),
        ('file::$DATA', "':'"),
        ('dir/ab:c', "':'"),
        ('a?', "'\\?'"),
        ('a*b', "'\\*'"),
        ('"a"', "'\"'"),
        ('<a>', "'<'"),
        ('a|b', "'\\|'"),
        ('a\\b', r"'\\\\'"),
    ],
)
def test_names_that_are_none_on_windows(name: str, words: str) -> None:
    assert re.search(words, str(problem_as_path(name, for_windows=True)))
    assert problem_as_path(name, for_windows=False) is None


@pytest.mark.parametrize(
    'name', ['CONSOLE', 'com10', 'null', 'a.con', 'COM', '.a', 'a b', 'a/', 'é']
)
def test_names_that_are_good_on_windows(name: str) -> None:
    assert problem_as_path(name, for_windows=True) is None


@given(st.text(alphabet='ab./\\:C\0 \u00b9', max_size=12))
def test_windows_takes_no_more_than_others(name: str) -> None:
    if problem_as_path(name, for_windows=False) is not None:
        assert problem_as_path(name, for_windows=True) is not None


@given(
    st.one_of(
        st.text('a. /-:\\', max_size=8), st.text(st.characters(max_codepoint=0x17F), max_size=8)
    ),
    st.integers(1, 40),
)
def test_plain_names_break_no_rule(name: str, times: int) -> None:
    if is_plain(name * times):
        validate_b2_file_name(name * times)
        validate_b2_file_name_as_path(name * times)


@pytest.mark.parametrize('name', ['a', 'dir 1/a_b-c.tar.gz', "{it's} #1/[x] (2), 50%~/$a&b;c=d!"])
def test_names_of_every_day_are_plain(name: str) -> None:
    assert is_plain(name)
    assert not is_plain(name + '\\')
    assert not is_plain('../' + name)


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
