"""Byte ranges of downloads and copies."""

from __future__ import annotations

import re

from . import errors

_RANGE = re.compile(r'bytes=(\d*)-(\d*)')


def parse_range(header: str | None, length: int) -> tuple[int, int] | None:
    """Resolves a Range header against a file of `length` bytes.

    Returns start and end (exclusive), or None for the whole file. A header that is not one
    range of bytes is ignored, as HTTP allows and B2 documented; the end is clamped to the
    file's.

    :raises SimulatedError: 416 when no byte of the file is inside.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        if not last:
            return None
        count = min(int(last), length)
        if not count:
            raise errors.range_not_satisfiable()
        return length - count, length
    if last and int(last) < int(first):
        return None
    return clamp_range((int(first), int(last) if last else None), length)


def clamp_range(wanted: tuple[int, int | None], length: int) -> tuple[int, int]:
    """Cuts an inclusive range at the end of a file; the returned end is exclusive.

    :raises SimulatedError: 416 when the range starts behind the file's last byte.
    """
    first, last = wanted
    if first >= length:
        raise errors.range_not_satisfiable()
    return first, length if last is None else min(last + 1, length)


def exact_range(wanted: tuple[int, int], length: int, beyond: int = 0) -> tuple[int, int]:
    """Checks a copy's inclusive range, which is not clamped; the returned end is exclusive.

    :param beyond: how many bytes behind the end it may reach all the same.
    :raises SimulatedError: 416 when the range does not lie inside the file.
    """
    first, last = wanted
    if not 0 <= first <= last < length + beyond:
        raise errors.range_not_satisfiable()
    return first, min(last + 1, length)
