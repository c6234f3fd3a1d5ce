"""Sizes of parts of content whose length is not known before its end."""

from __future__ import annotations

from ..._core.planning import MAX_PART_SIZE

# With parts of 5 MB to begin with, the least that B2 accepts, the largest file of 10 TB takes
# 8,912 of the 10,000 parts that it may have. A fixed size would end a stream at 50 GB, and a larger
# one to begin with would cost every stream the memory that only the longest need.
_PARTS_OF_WHAT_IS_THERE = 1000


def grown_part_size(size: int, before: int, most: int = MAX_PART_SIZE) -> int:
    """The size of the next part: at least a thousandth of what is before it.

    :param size: what parts have in the beginning, in bytes
    :param before: bytes of all parts before
    :param most: what no part may exceed unless the first ones do, in bytes
    """
    grown = -(-before // _PARTS_OF_WHAT_IS_THERE)
    return max(size, min(grown, most))
