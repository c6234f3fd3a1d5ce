"""Which stretches of a changed file are sent, and which are copied from its former version."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

MAX_STRETCHES = 2000
"""More would take too many of the 10,000 parts of a large file, since long ones are several."""


class DeltaStretch(NamedTuple):
    """Bytes of the new content: the former version has them in the same place, or they are sent."""

    offset: int
    length: int
    is_copy: bool

    @property
    def end(self) -> int:
        """The byte after the last one."""
        return self.offset + self.length


def plan_delta(
    unchanged: Sequence[bool], block_size: int, size: int, least_part: int
) -> list[DeltaStretch]:
    """Cut a file into stretches, in order, of which each can be a part: all but the last are long
    enough, and so is the last one if it is copied.

    No more than two times the least part is sent in addition for each run of changed blocks,
    unless there are so many runs that not all of them can be parts.

    :param unchanged: for each block, whether the former version has it in the same place
    :param size: bytes of the file, at least two times ``least_part``
    :param least_part: bytes that a part has to have
    """
    runs = []
    first = 0
    for is_copy, blocks in groupby(unchanged):
        last = first + len(list(blocks))
        start, end = first * block_size, min(last * block_size, size)
        runs.append(DeltaStretch(start, end - start, is_copy))
        first = last
    least_copy = least_part
    while len(plan := _joined(runs, least_part, least_copy)) > MAX_STRETCHES:
        least_copy *= 2
    if len(plan) == 1 and plan[0].is_copy:
        # As a large file the copy has a SHA-1 of all of it, which one made by one call has not.
        half = size // 2
        return [DeltaStretch(0, half, True), DeltaStretch(half, size - half, True)]
    return plan


def _joined(runs: list[DeltaStretch], least_part: int, least_copy: int) -> list[DeltaStretch]:
    """The runs without what is too short: that is sent with its neighbours."""
    plan: list[DeltaStretch] = []
    for run in runs:
        before = plan[-1] if plan and not plan[-1].is_copy else None
        missing = 0 if before is None else max(0, least_part - before.length)
        if run.is_copy and run.length - missing >= least_copy:
            if before is not None:
                plan[-1] = before._replace(length=before.length + missing)
            plan.append(DeltaStretch(run.offset + missing, run.length - missing, True))
        elif before is not None:
            plan[-1] = before._replace(length=run.end - before.offset)
        else:
            plan.append(run._replace(is_copy=False))
    return plan
