"""What stands between a name in the cloud and a path on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from .windows_names import windows_problem

_SEPARATORS = re.compile(r'[/\\]')
_DRIVE = re.compile(r'[A-Za-z]:')
_CONTROL_CHARACTERS = re.compile('[\x00-\x1f\x7f]')
_MAX_SEGMENT_BYTES = 255
_PLAIN_PART = r"[\w !#$%&'()+,;=@\[\]^`{}~-][\w !#$%&'()+,;=@\[\]^`{}~.-]*"
_PLAIN = re.compile(f'{_PLAIN_PART}(?:/{_PLAIN_PART})*', re.ASCII)
_MAX_PLAIN_LENGTH = 250


def validate_b2_file_name_as_path(file_name: str) -> None:
    """Refuse a file name that could lead out of the directory it is joined to, or elsewhere in it.

    B2 accepts nearly every string as a file name, so a name that comes from a bucket may be
    hostile. Both ``/`` and ``\\`` count as separators and drive letters count as absolute on every
    system: a tree that was checked on one machine stays safe on another. On Windows, names that it
    would change or take for devices and streams are refused as well.

    :param file_name: a file name as B2 reports it
    :raises ValueError: if the name is absolute (a leading separator or a drive letter), has a
        component that is empty, ``.``, ``..`` or longer than a file system can hold, contains
        control characters, or has no encoding in UTF-8; a single trailing separator is accepted,
        since it names nothing outside
    """
    problem = problem_as_path(file_name, for_windows=os.name == 'nt')
    if problem is not None:
        raise ValueError(f'file name {problem}: {file_name!r}')


def problem_as_path(file_name: str, *, for_windows: bool) -> str | None:
    """Why a file name cannot be a path below a directory; None if it can.

    :param for_windows: is the path one of Windows?
    """
    if not for_windows and is_plain(file_name):
        return None
    control = _CONTROL_CHARACTERS.search(file_name)
    if control is not None:
        name = 'NUL' if control[0] == '\0' else 'control'
        return f'contains a {name} character'
    components = _SEPARATORS.split(file_name)
    if (len(components) > 1 and components[0] == '') or _DRIVE.match(file_name):
        return 'is an absolute path'
    if any(component in ('.', '..') for component in components) or '' in components[:-1]:
        return 'has an empty, "." or ".." path component'
    try:
        segments = file_name.encode().split(b'/')
    except UnicodeEncodeError:
        return 'has no encoding in UTF-8'
    if for_windows:
        problems = map(windows_problem, file_name.removesuffix('/').split('/'))
        return next((f'has a part that {problem}' for problem in problems if problem), None)
    if max(map(len, segments)) > _MAX_SEGMENT_BYTES:
        return f'has a part of more than {_MAX_SEGMENT_BYTES} bytes'
    return None


def path_below(directory: str, file_name: str) -> str:
    """Where the file of a name in a bucket belongs below a directory.

    :raises ValueError: if the name has no place there (`validate_b2_file_name_as_path`).
    """
    validate_b2_file_name_as_path(file_name)
    return fix_windows_path_limit(os.path.join(directory, file_name.replace('/', os.sep)))


def link_out_of(directory: str, file_name: str) -> str | None:
    """The symbolic link by which the path of a file leads out of the directory, if there is one.

    Links to what is in the directory are none. What others change afterwards goes unseen; a link
    that they change just now is taken for one.

    :param file_name: one that `path_below` accepts
    """
    for link in links_on_way(directory, file_name):
        real_directory = os.path.realpath(directory)
        try:
            real_place = os.path.realpath(link)
        except OSError:
            return link
        if os.path.commonpath([real_place, real_directory]) != real_directory:
            return link
    return None


def links_on_way(directory: str, way: str) -> Iterator[str]:
    """The symbolic links among the steps of a way below a directory.

    :param way: names with ``/`` in between; empty if there are none
    """
    place = directory
    for part in filter(None, way.split('/')):
        place = os.path.join(place, part)
        if os.path.islink(place):
            yield place


def unlink_below(directory: str, directories: str, name: str) -> None:
    """Remove a file below a directory by a way that goes through no symbolic link.

    What others make of the way meanwhile leads nowhere else.

    :param directories: those between the two, with ``/`` in between; empty if there are none
    """
    # To go through a directory needs no right to list it, where the system can tell them apart.
    flags = getattr(os, 'O_PATH', os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
    parent = os.open(directory or os.curdir, flags)
    try:
        for part in filter(None, directories.split('/')):
            child = os.open(part, flags | os.O_NOFOLLOW, dir_fd=parent)
            os.close(parent)
            parent = child
        os.unlink(name, dir_fd=parent)
    finally:
        os.close(parent)


def is_plain(file_name: str) -> bool:
    """Is it plain to see that the name breaks no rule of B2, and none of paths but on Windows?

    So it is with most names, and to go through the rules takes several times as long.
    """
    return len(file_name) <= _MAX_PLAIN_LENGTH and _PLAIN.fullmatch(file_name) is not None


def fix_windows_path_limit(path: str) -> str:
    r"""The path with the prefix that lets Windows accept more than 260 characters.

    Absolute paths get ``\\?\`` there, and shares (``\\server\...``) ``\\?\UNC\``; a path that has
    such a prefix, a relative one, and every path of another system stay as they are.
    """
    import platform

    if platform.system() != 'Windows' or path.startswith('\\\\?\\'):
        return path
    if path.startswith('\\\\'):
        return '\\\\?\\UNC\\' + path[2:]
    return '\\\\?\\' + path if os.path.isabs(path) else path
