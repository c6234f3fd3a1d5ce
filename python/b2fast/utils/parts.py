"""How a large file is cut into parts."""

from __future__ import annotations

from .._core import planning


def choose_part_ranges(content_length: int, minimum_part_size: int) -> list[tuple[int, int]]:
    """Cut content into parts that B2 accepts: at least two, at most 10,000, of equal size.

    :param content_length: size of the content in bytes, at least twice the minimum.
    :param minimum_part_size: size in bytes that every part reaches.
    :return: (offset, length) of each part, in order; the last one takes what remains.
    :raises AssertionError: if the content is too small or too large to be cut.
    """
    return planning.choose_part_ranges(content_length, minimum_part_size)
