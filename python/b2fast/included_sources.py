"""Sources of others that are part of this package: none, unless somebody adds one.

Programs that print their licences ask for them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class IncludedSourceMeta:
    """A source of others.

    :param name: what it is called
    :param comment: how it is included
    :param files: the texts of its licence files, by name
    """

    name: str
    comment: str
    files: dict[str, str]


_included_sources: list[IncludedSourceMeta] = []


def add_included_source(src: IncludedSourceMeta) -> None:
    """Have a source listed by `get_included_sources`."""
    _included_sources.append(src)


def get_included_sources() -> list[IncludedSourceMeta]:
    """All sources that were added."""
    return _included_sources
