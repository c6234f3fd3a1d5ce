"""Ranges of bytes, as HTTP writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_RANGE_HEADER = re.compile(r'^(?:bytes[ =])?(\d+)-(\d+)(?:/(?:(\d+)|\*))?$')


@dataclass(frozen=True, eq=True, order=True, slots=True)
class Range:
    """The bytes from ``start`` to ``end``, both inclusive and counted from 0.

    The range without any byte is `EMPTY_RANGE`; there is no other.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not (0 <= self.start <= self.end or (self.start, self.end) == (1, 0)):
            # AssertionError, since b2sdk's class raises it.
            raise AssertionError(f'Invalid range: {self!r}')

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.start}, {self.end})'

    @classmethod
    def from_header(cls, raw_range_header: str) -> Self:
        """The range in a ``Range`` or ``Content-Range`` header.

        Raises `ValueError` if it has not both ends.
        """
        return cls.from_header_with_size(raw_range_header)[0]

    @classmethod
    def from_header_with_size(cls, raw_range_header: str) -> tuple[Self, int | None]:
        """The range in a ``Content-Range`` header, and the size of the whole, if it is told.

        Raises `ValueError` if the header has not both ends of the range.
        """
        match = _RANGE_HEADER.match(raw_range_header)
        if match is None:
            raise ValueError(f'Invalid range header: {raw_range_header}')
        start, end, size = match.groups()
        return cls(int(start), int(end)), None if size is None else int(size)

    def size(self) -> int:
        """The number of bytes."""
        return self.end - self.start + 1

    def as_tuple(self) -> tuple[int, int]:
        """``(start, end)``"""
        return self.start, self.end

    def subrange(self, sub_start: int, sub_end: int) -> Self:
        """The part of this range from its byte ``sub_start`` to its byte ``sub_end``.

        Raises `AssertionError` if that reaches beyond this range.
        """
        if not 0 <= sub_start <= sub_end < self.size():
            raise AssertionError(f'{sub_start}-{sub_end} reaches beyond {self!r}')
        return type(self)(self.start + sub_start, self.start + sub_end)


EMPTY_RANGE = Range(1, 0)
