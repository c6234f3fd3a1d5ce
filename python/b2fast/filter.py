"""Filters of listings: which file names are shown."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self


class FilterType(Enum):
    """What a filter does with the names that match it."""

    INCLUDE = 'include'
    EXCLUDE = 'exclude'


@dataclass
class Filter:
    """Includes or excludes the file names that match a pattern.

    The pattern is one of the shell (``*``, ``?``, ``[abc]``, ``[!abc]``) for the whole name,
    where ``*`` matches ``/`` as well; upper and lower case differ.
    """

    type: FilterType
    pattern: str

    @classmethod
    def include(cls, pattern: str) -> Self:
        """Show what matches."""
        return cls(FilterType.INCLUDE, pattern)

    @classmethod
    def exclude(cls, pattern: str) -> Self:
        """Do not show what matches."""
        return cls(FilterType.EXCLUDE, pattern)


class FilterMatcher:
    """Applies filters in order: the last one that matches a name decides about it.

    A name that none matches is shown, unless all filters include.
    """

    def __init__(self, filters: Sequence[Filter]) -> None:
        self._filters = tuple(filters)
        self._default = not self._filters or any(
            filter_.type is FilterType.EXCLUDE for filter_ in self._filters
        )

    def match(self, name: str) -> bool:
        """Is the file of this name shown?"""
        for filter_ in reversed(self._filters):
            if fnmatch.fnmatchcase(name, filter_.pattern):
                return filter_.type is FilterType.INCLUDE
        return self._default
