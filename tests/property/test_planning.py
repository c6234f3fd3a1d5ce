from __future__ import annotations

import pytest
from hypothesis import assume, given, strategies as st

from b2fast._core.planning import (
    MAX_FILE_SIZE,
    MAX_PART_SIZE,
    MAX_PARTS,
    MIN_PART_SIZE,
    choose_part_ranges,
    plan_parts,
)

lengths = st.one_of(st.integers(0, 2000), st.integers(0, MAX_FILE_SIZE))
sizes = st.one_of(st.integers(1, 100), st.integers(MIN_PART_SIZE, 2 * MAX_PART_SIZE))


def assert_cover(parts: list[tuple[int, int]], length: int) -> None:
    end = 0
    for offset, size in parts:
        assert offset == end
        end += size
    assert end == length


def test_the_limits_are_those_of_b2():
    assert MIN_PART_SIZE == 5 * 1000**2
    assert MAX_PART_SIZE == 5 * 1000**3
    assert MAX_PARTS == 10_000
    assert MAX_FILE_SIZE == 10 * 1000**4


@given(lengths, sizes, st.integers(0, MIN_PART_SIZE))
def test_planned_parts_are_what_b2_takes(length, recommended, minimum):
    parts = plan_parts(length, recommended, minimum)
    assert_cover(parts, length)
    assert len(parts) <= MAX_PARTS
    part_sizes = {size for _, size in parts[:-1]}
    assert len(part_sizes) <= 1
    assert all(minimum <= size <= MAX_PART_SIZE for size in part_sizes)
    wanted = min(max(recommended, minimum), MAX_PART_SIZE)
    if length <= wanted:
        assert len(parts) == 1
    else:
        assert part_sizes == {max(wanted, -(-length // MAX_PARTS))}
        assert 1 <= parts[-1][1] <= parts[0][1]


@given(st.integers(MAX_FILE_SIZE + 1, 2**63), sizes)
def test_files_above_the_limit_are_refused(length, recommended):
    with pytest.raises(ValueError, match='larger than the 10000000000000 bytes'):
        plan_parts(length, recommended, MIN_PART_SIZE)


def test_parts_of_nothing_are_refused():
    with pytest.raises(ValueError, match='at least 1 byte'):
        plan_parts(10, 0, 0)


@given(sizes, st.integers(2, 20_000), st.integers(0, 1000))
def test_chosen_ranges_are_even(minimum, count, extra):
    length = minimum * count + extra
    ranges = choose_part_ranges(length, minimum)
    assert_cover(ranges, length)
    assert len(ranges) == min(length // minimum, MAX_PARTS)
    size = length // len(ranges)
    assert size >= minimum
    assert {part for _, part in ranges[:-1]} == {size}
    assert ranges[-1][1] == size + length % len(ranges)


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_content_for_less_than_two_parts_is_refused(length, minimum):
    assume(length < 2 * minimum or minimum == 0)
    with pytest.raises(AssertionError, match=r'parts|part size'):
        choose_part_ranges(length, minimum)
