"""Files that can lie side by side on every system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from ..utils.filesystem import problem_as_path
from .path import AbstractPath

if TYPE_CHECKING:
    from .report import ProgressReport

AnyPath = TypeVar('AnyPath', bound=AbstractPath)


def only_portable(
    paths: Iterable[AnyPath], reporter: ProgressReport | None = None
) -> Iterator[AnyPath]:
    """Those files of a scan that any file system can hold, Windows' and macOS' included.

    Left out are names that Windows does not take or would change, and files that would fall
    together with one that came before them: with names that differ in upper and lower case only, or
    in the composition of their characters (Unicode's canonical caseless matching), be it in a
    directory above them, and those in a directory that has the name of a file. Hidden files of a
    bucket pass, and nothing falls together with them.

    All paths are kept in memory, which a scan itself does not do.

    :param paths: for example what `B2Folder.all_files` finds
    :param reporter: is told what is left out (``invalid_name``)
    """
    spellings: dict[str, str] = {}
    for path in paths:
        name = path.relative_path
        if path.is_visible():
            problem = problem_as_path(name, for_windows=True) or _collision(name, spellings)
            if problem is not None:
                if reporter is not None:
                    reporter.invalid_name(name, problem)
                continue
        yield path


def _collision(name: str, spellings: dict[str, str]) -> str | None:
    """What the file falls together with; None if there is nothing, and it is noted then.

    :param spellings: by how they are compared, the files and, with ``/``, the directories so far
    """
    ends = [end for end, char in enumerate(name, 1) if char == '/']
    entries = {_compared(part): part for part in (*(name[:end] for end in ends), name)}
    for compared, part in entries.items():
        known = spellings.get(compared, part)
        if known != part:
            return f'falls together with {known!r}'
    spellings.update(entries)
    return None


def _compared(part: str) -> str:
    return _decomposed(_decomposed(part.rstrip('/')).casefold())


def _decomposed(text: str) -> str:
    return unicodedata.normalize('NFD', text)
