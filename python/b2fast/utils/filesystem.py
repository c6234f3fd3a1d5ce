"""What stands between a name in the cloud and a path on this machine."""

from __future__ import annotations

import os
import re

_SEPARATORS = re.compile(r'[/\\]')
_DRIVE = re.compile(r'[A-Za-z]:')


def validate_b2_file_name_as_path(file_name: str) -> None:
    """Refuse a file name that could lead out of the directory it is joined to.

    B2 accepts nearly every string as a file name, so a name that comes from a bucket may be
    hostile. Both ``/`` and ``\\`` count as separators and drive letters count as absolute on every
    system: a tree that was checked on one machine stays safe on another.

    :param file_name: a file name as B2 reports it
    :raises ValueError: if the name is absolute (a leading separator or a drive letter), has a
        component that is empty, ``.`` or ``..``, or contains a NUL character; a single trailing
        separator is accepted, since it names nothing outside
    """
    if '\0' in file_name:
        raise ValueError(f'file name contains a NUL character: {file_name!r}')
    components = _SEPARATORS.split(file_name)
    if (len(components) > 1 and components[0] == '') or _DRIVE.match(file_name):
        raise ValueError(f'file name is an absolute path: {file_name!r}')
    if any(component in ('.', '..') for component in components) or '' in components[:-1]:
        raise ValueError(f'file name has an empty, "." or ".." path component: {file_name!r}')


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
