"""Paths that stand for something else than an ordinary file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

STDOUT_FILEPATH = Path('/dev/stdout')

_STDOUT_NAMES = frozenset({STDOUT_FILEPATH, Path('/dev/fd/1'), Path('/proc/self/fd/1')})
# Not all of /dev: /dev/shm holds ordinary files, and devices are told by their kind.
_DESCRIPTORS = ('/dev/fd/', '/dev/std', '/proc/')


def points_to_fifo(path: Path) -> bool:
    """Is it a named pipe, or a symbolic link to one?"""
    return path.is_fifo()


def points_to_stdout(path: Path) -> bool:
    """Is it a name of the standard output?"""
    return path in _STDOUT_NAMES


def is_special_file(path: str | os.PathLike[str]) -> bool:
    """Has the path the name of a device? What is there does not matter."""
    name = os.fspath(path)
    if name == os.devnull or name.startswith('/dev/'):
        return True
    import platform

    return platform.system() == 'Windows' and name.upper() in ('CON', 'NUL')


def is_written_in_place(path: str) -> bool:
    """Is it a pipe, a device or a descriptor, which cannot be replaced by a file?

    A descriptor (``/dev/fd/3``) may well be a regular file, but its owner wants the open file
    written and not the name.
    """
    if os.path.abspath(path).startswith(_DESCRIPTORS):
        return True
    return is_special(path)


def is_special(path: str) -> bool:
    """Is something there that is neither a file nor a directory?"""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
