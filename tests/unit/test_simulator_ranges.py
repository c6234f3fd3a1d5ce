from __future__ import annotations

import pytest

from b2fast.simulator.errors import SimulatedError
from b2fast.simulator.ranges import parse_range


@pytest.mark.parametrize(
    ('header', 'expected'),
    [
        (None, None),
        ('bytes=0-0', (0, 1)),
        ('bytes=2-5', (2, 6)),
        ('bytes=2-', (2, 10)),
        ('bytes=2-99', (2, 10)),
        ('bytes=9-9', (9, 10)),
        ('bytes=-3', (7, 10)),
        ('bytes=-99', (0, 10)),
        # Not one range of bytes: the header is ignored.
        ('bytes=-', None),
        ('bytes=5-2', None),
        ('bytes=0-1,4-5', None),
        ('items=0-1', None),
        ('bytes=a-b', None),
    ],
)
def test_ranges_of_ten_bytes(header: str | None, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize(
    ('header', 'length'),
    [('bytes=10-', 10), ('bytes=10-12', 10), ('bytes=0-0', 0), ('bytes=-1', 0), ('bytes=-0', 10)],
)
def test_ranges_without_a_byte(header: str, length: int) -> None:
    with pytest.raises(SimulatedError) as caught:
        parse_range(header, length)
    assert (caught.value.status, caught.value.code) == (416, 'range_not_satisfiable')
