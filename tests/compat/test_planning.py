from __future__ import annotations

import pytest
from b2sdk import v3 as b2sdk
from hypothesis import example, given, strategies as st

from b2fast._core.planning import choose_part_ranges


@given(
    st.one_of(st.integers(0, 100_000), st.integers(0, 10**14)),
    st.one_of(st.integers(1, 1000), st.integers(1, 10**9)),
)
@example(199, 100)
@example(200, 100)
@example(10_001, 1)
@example(50_000_000_001, 5_000_000)
def test_part_ranges_are_those_of_b2sdk(content_length, minimum_part_size):
    try:
        expected = b2sdk.choose_part_ranges(content_length, minimum_part_size)
    except AssertionError:
        with pytest.raises(AssertionError):
            choose_part_ranges(content_length, minimum_part_size)
    else:
        assert choose_part_ranges(content_length, minimum_part_size) == expected
