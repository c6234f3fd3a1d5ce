"""What the globs of scan policies match."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from b2fast import ScanPoliciesManager
from b2fast.exception import InvalidArgument


def excludes(glob: str, path: str) -> bool:
    """Is the file left out, by its own path or by a directory that it is in?"""
    return not ScanPoliciesManager(exclude_globs=[glob]).explain(path).included


@pytest.mark.parametrize(
    ('glob', 'matching', 'others'),
    [
        ('*.txt', ['a.txt', 'x/y/a.txt', '.txt', 'a\n.txt'], ['a.txt/x', 'a.TXT', 'a.txt2']),
        ('/*.txt', ['a.txt'], ['x/a.txt']),
        ('a/*.txt', ['a/1.txt', 'x/a/1.txt'], ['ba/1.txt', 'a/b/1.txt']),
        ('a', ['a', 'x/a'], ['a/x', 'ab']),
        ('a/', ['a/x', 'x/a/y/z'], ['a', 'x/a', 'ba/x']),
        ('/a/', ['a/x'], ['x/a/y']),
        ('/a*/', ['a/x', 'ab/x/y'], ['a', 'ba/x']),
        ('/a/**', ['a/x', 'a/x/y'], ['a', 'b/a/x']),
        ('/a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/bb', 'ab', 'a/b/c']),
        ('**/b', ['b', 'x/b'], ['xb', 'b/x']),
        ('**', ['a', 'a/b'], []),
        ('**/', ['a/b'], ['a']),
        ('a?c', ['abc', 'x/a.c'], ['ac', 'a/c']),
        ('[a-c]x', ['ax', 'cx'], ['dx', 'x']),
        ('[!a-c]x', ['dx', '^x', 'y/dx'], ['ax', 'x', '/x']),
        ('[^a]x', ['bx'], ['ax']),
        ('a[+-9]b', ['a+b', 'a0b'], ['a/b']),
        ('[]-]', [']', '-'], ['a']),
        ('[[]', ['['], ['a']),
        (r'\*\[\?', ['*[?'], ['a[b']),
        ('a.b+(c)|^$', ['a.b+(c)|^$'], ['axb+(c)|^$', 'a.b']),
        ('*a*b*c', ['abc', 'xaxbxc', 'abcabc'], ['acb', 'abcd', 'a/b/c']),
        ('*a*b*', ['ab', 'xaxbx', 'y/ab'], ['a/b', 'ab/c']),
        ('a/**/a/**/b', ['a/a/b', 'x/a/y/a/z/b'], ['a/b', 'a/x/b']),
        ('x*/y*/z', ['x1/y2/z', 'q/x/y/z'], ['x/z', 'x/y/w/z']),
    ],
)
def test_matches(glob: str, matching: list[str], others: list[str]) -> None:
    assert [path for path in matching if not excludes(glob, path)] == []
    assert [path for path in others if excludes(glob, path)] == []


NO_PATHS = ['', '/', '//', 'a//b', './a', '../a']
MALFORMED = [*NO_PATHS, 'a**', '**a', '***', '[a', '[a/b]', '[]', 'a\\', '[z-a]', 5, None]


@pytest.mark.parametrize('glob', MALFORMED)
@pytest.mark.parametrize('parameter', ['exclude_globs', 'include_globs'])
def test_malformed_globs(glob: Any, parameter: str) -> None:
    globs: dict[str, Any] = {'exclude_globs': ['*']}
    globs[parameter] = ['fine', glob]
    with pytest.raises(InvalidArgument) as caught:
        ScanPoliciesManager(**globs)
    assert parameter in str(caught.value)
    assert repr(glob) in str(caught.value)


def test_one_text_is_no_list() -> None:
    with pytest.raises(InvalidArgument, match='exclude_globs'):
        ScanPoliciesManager(exclude_globs='*.txt')


def test_nothing_to_be_included_from() -> None:
    with pytest.raises(InvalidArgument, match='include_globs'):
        ScanPoliciesManager(include_globs=['*.txt'])
    with pytest.raises(InvalidArgument, match='include_globs'):
        ScanPoliciesManager(exclude_dir_regexes=['a'], include_globs=['*.txt'])


def plain_match(parts: list[str], names: list[str]) -> bool:
    """The definition, without regard to time."""
    if not parts:
        return not names
    if parts[0] == '**':
        if len(parts) == 1:
            return bool(names)
        return any(plain_match(parts[1:], names[start:]) for start in range(len(names) + 1))
    return bool(names) and plain_name(parts[0], names[0]) and plain_match(parts[1:], names[1:])


def plain_name(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] == '*':
        return any(plain_name(pattern[1:], name[start:]) for start in range(len(name) + 1))
    return bool(name) and pattern[0] in ('?', name[0]) and plain_name(pattern[1:], name[1:])


names = st.text('ab', min_size=1, max_size=5)
parts = st.one_of(
    st.just('**'),
    st.text('ab?*', min_size=1, max_size=5).filter(lambda text: '**' not in text),
)


@given(
    st.lists(parts, min_size=1, max_size=5), st.lists(names, min_size=1, max_size=6), st.booleans()
)
@example(['a', '**', 'b', '**', 'a', 'b'], ['a', 'b', 'b', 'a', 'a', 'b'], True)
def test_what_matches_is_what_the_definition_says(
    parts: list[str], names: list[str], anchored: bool
) -> None:
    pattern = '/'.join(parts)
    expected = plain_match(parts if anchored else ['**', *parts], names)
    if parts == ['**'] and not anchored:
        expected = True
    assert excludes(f'/{pattern}' if anchored else pattern, '/'.join(names)) == expected


@pytest.mark.parametrize(
    'glob',
    ['*a' * 20 + 'b', '**/a/' * 12 + 'b', '**/*a*a*a*/' * 8 + '*a*a*b', 'a*/' * 20 + 'b'],
)
def test_no_pattern_takes_for_ever(glob: str) -> None:
    # What tries every way to cut a path would not be done within the time-out of the suite.
    policies = ScanPoliciesManager(exclude_globs=[glob, glob + '/'])
    for path in ('a' * 1000, 'a/' * 500 + 'a', ('a' * 30 + '/') * 30 + 'a'):
        assert policies.explain(path).included
