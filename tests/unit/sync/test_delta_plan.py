"""How a changed file is cut into what is sent and what is copied."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from b2fast.sync import delta_plan
from b2fast.sync.delta_plan import DeltaStretch, plan_delta

LEAST = 100


def bytes_of(plan: list[DeltaStretch], is_copy: bool) -> set[int]:
    return {
        byte
        for stretch in plan
        if stretch.is_copy is is_copy
        for byte in range(stretch.offset, stretch.end)
    }


files = st.tuples(
    st.lists(st.booleans(), min_size=10, max_size=100),
    st.integers(20, 150),
    st.integers(0, 149),
).filter(lambda file: len(file[0]) * file[1] - file[2] % file[1] >= 2 * LEAST)


@given(file=files)
def test_any_file(file: tuple[list[bool], int, int]) -> None:
    unchanged, block_size, missing = file
    size = len(unchanged) * block_size - missing % block_size
    plan = plan_delta(unchanged, block_size, size, LEAST)

    # One after the other, from the first byte to the last.
    assert [stretch.offset for stretch in plan] == [0, *(stretch.end for stretch in plan[:-1])]
    assert plan[-1].end == size
    # Each can be a part.
    assert all(stretch.length >= LEAST for stretch in plan[:-1])
    assert all(stretch.length >= LEAST for stretch in plan if stretch.is_copy)
    assert plan[-1].length > 0
    # What is copied is unchanged, and little else is sent.
    changed = {byte for byte in range(size) if not unchanged[byte // block_size]}
    assert not changed & bytes_of(plan, True)
    runs = sum(
        not now and (number == 0 or unchanged[number - 1]) for number, now in enumerate(unchanged)
    )
    assert len(bytes_of(plan, False)) <= len(changed) + 2 * LEAST * runs


def test_what_is_unchanged_is_copied_in_two_parts() -> None:
    assert plan_delta([True] * 10, 50, 475, LEAST) == [(0, 237, True), (237, 238, True)]


def test_so_many_stretches_that_not_all_can_be_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta_plan, 'MAX_STRETCHES', 5)
    unchanged = ([False] * 4 + [True] * 4) * 20 + [True] * 50
    plan = plan_delta(unchanged, 50, len(unchanged) * 50, LEAST)
    # The long stretch at the end is still copied.
    assert len(plan) <= 5
    assert plan[-1].is_copy
    assert plan[-1].length >= 50 * 50
