"""Byte ranges of downloads and copies."""

from __future__ import annotations

import re

from . import errors
from .options import DEFAULT_OPTIONS, Options

_RANGE = re.compile(r'bytes=([0-9]*)-([0-9]*)')
# Longer than any file; numbers of more digits are cut to it.
_FAR = 10**18


def parse_range(
    header: str | None, length: int, options: Options = DEFAULT_OPTIONS
) -> tuple[int, int] | None:
    """Resolves a Range header against a file of `length` bytes.

    Returns start and end (exclusive), or None for the whole file. A header that is not one
    range of bytes is ignored, as HTTP allows and B2 documented, or refused if the options say
    so; the end is clamped to the file's.

    :raises SimulatedError: 416 when no byte of the file is inside.
    """
    if not header:
        return None
    match = _RANGE.fullmatch(header.strip())
    first, last = match.groups() if match else ('', '')
    is_suffix = not first and last and options.suffix_ranges
    is_range = first and (not last or _number(first) <= _number(last))
    if not is_suffix and not is_range:
        if options.malformed_range_status != 200:
            raise errors.malformed_range(options.malformed_range_status)
        return None
    if is_suffix:
        count = min(_number(last), length)
        if not count:
            raise errors.range_not_satisfiable()
        return length - count, length
    return clamp_range((_number(first), _number(last) if last else None), length)


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= len(str(_FAR)) else _FAR


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
