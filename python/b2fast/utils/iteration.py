"""Help with iterators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import TypeVar

_T = TypeVar('_T')


def iterator_peek(iterator: Iterator[_T], count: int) -> tuple[list[_T], Iterator[_T]]:
    """Look at the first items of an iterator.

    :param count: how many to look at
    :return: these items, fewer if there are no more, and an iterator over all, these included;
        the iterator that was given must not be used any more.
    """
    peeked = list(islice(iterator, max(count, 0)))
    return peeked, chain(peeked, iterator)
