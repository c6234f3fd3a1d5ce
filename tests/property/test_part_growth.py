"""Parts of content of unknown length: any stream that B2 can store fits into 10,000 of them."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given, settings, strategies as st

from b2fast import UploadSourceBytes, WriteIntent
from b2fast._core.planning import MAX_FILE_SIZE, MAX_PART_SIZE, MAX_PARTS
from b2fast.transfer.emerge.growth import grown_part_size
from b2fast.transfer.emerge.planner import PartSizes, plan_parts
from b2fast.transfer.emerge.unbound import read_parts

SMALLEST_PART = 5_000_000


@settings(max_examples=20, deadline=None)
@given(st.integers(SMALLEST_PART, MAX_PART_SIZE))
@example(SMALLEST_PART)
@example(MAX_PART_SIZE)
def test_parts_of_any_first_size_hold_the_largest_file(first: int) -> None:
    before, count = 0, 0
    while before < MAX_FILE_SIZE:
        size = grown_part_size(first, before)
        assert first <= size <= MAX_PART_SIZE
        # What is kept in memory is in proportion to what was sent.
        assert size <= max(first, before // 1000 + 1)
        before += size
        count += 1
    assert count <= MAX_PARTS


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(0, 6000), st.integers(1, 5000))
def test_a_stream_is_cut_into_parts_that_never_shrink(
    size: int, length: int, read_size: int
) -> None:
    content = bytes(number % 251 for number in range(length))
    parts = list(read_parts(io.BytesIO(content), size, read_size))
    lengths = [part.length for part in parts]
    assert sum(lengths) == length
    assert lengths[:-1] == sorted(lengths[:-1])
    # Up to here as if there were no growth.
    assert all(part == size for part in lengths[:1000][:-1])
    read = b''
    for part in parts:
        for stretch in part.stretches:
            assert isinstance(stretch.source, UploadSourceBytes)
            read += stretch.source.data_bytes
    assert read == content


@pytest.mark.parametrize('grow', [False, True])
def test_the_planner_of_streams_lets_parts_grow(grow: bool) -> None:
    sizes = PartSizes(minimum=1, recommended=1, maximum=3)
    source = UploadSourceBytes(bytes(5000))
    lengths = [part.length for part in plan_parts([WriteIntent(source)], sizes, grow=grow)]
    assert sum(lengths) == 5000
    assert set(lengths) == ({1, 2, 3} if grow else {1})
