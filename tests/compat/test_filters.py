"""Filters of file names."""

from __future__ import annotations

from typing import Any

from b2sdk import v3 as b2sdk
from b2sdk._internal.filter import FilterMatcher as TheirMatcher
from hypothesis import given, strategies as st

import b2fast
from b2fast.filter import FilterMatcher

patterns = st.one_of(
    st.text('ab*?/[]!.', max_size=6), st.sampled_from(['*', '*.txt', 'a/*', '[!a]*', '[a-b]', ''])
)
rules = st.lists(st.tuples(st.sampled_from(['include', 'exclude']), patterns), max_size=5)
names = st.text('abA/.[]!\n', max_size=8)


@given(rules, names)
def test_matching(rules: list[tuple[str, str]], name: str) -> None:
    def match(sdk: Any, matcher: Any) -> bool:
        filters = [getattr(sdk.Filter, kind)(pattern) for kind, pattern in rules]
        return matcher(filters).match(name)

    assert match(b2fast, FilterMatcher) is match(b2sdk, TheirMatcher)


@given(rules)
def test_what_filters_are(rules: list[tuple[str, str]]) -> None:
    for kind, pattern in rules:
        ours, theirs = (getattr(sdk.Filter, kind)(pattern) for sdk in (b2fast, b2sdk))
        assert repr(ours) == repr(theirs)
        assert (ours.type.name, ours.type.value, ours.pattern) == (
            theirs.type.name,
            theirs.type.value,
            theirs.pattern,
        )
        assert ours == b2fast.Filter(b2fast.FilterType(kind), pattern)
        assert ours != b2fast.Filter.include(pattern + 'x')
