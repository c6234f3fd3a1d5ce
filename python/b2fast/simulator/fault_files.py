"""Fault scripts as files (JSON or TOML) and as the bodies of admin calls."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_type_hints

from .faults import Fault, FaultScript

_TYPES = {name: get_args(hint) or (hint,) for name, hint in get_type_hints(Fault).items()}
_NAMES_OF_TYPES = {str: 'a string', int: 'an integer', float: 'a number', bool: 'true or false'}


class FaultFileError(ValueError):
    """A fault script that cannot be used; the message says where and why."""


def load_faults(path: str | os.PathLike[str]) -> FaultScript:
    """Reads a fault script: TOML if the file's name ends in `.toml`, JSON otherwise.

    :param path: a file with an object of `faults` (an array of objects with the fields of
        `Fault`) and `seed` (an integer, 0 by default).
    :raises FaultFileError: it is no such file.
    :raises OSError: it cannot be read.
    """
    name = os.fspath(path)
    content = Path(path).read_bytes()
    try:
        values = _parse(content, is_toml=name.endswith('.toml'))
        return script_of(values)
    except ValueError as error:
        raise FaultFileError(f'{name}: {error}') from None


def _parse(content: bytes, *, is_toml: bool) -> object:
    if not is_toml:
        return json.loads(content)
    import tomllib

    return tomllib.loads(content.decode())


def script_of(values: object) -> FaultScript:
    """Returns the script that a parsed file says.

    :raises FaultFileError: it says none.
    """
    if not isinstance(values, Mapping):
        raise FaultFileError('a fault script is an object with "faults" and perhaps "seed"')
    check_fields(values, ('faults', 'seed'))
    seed = values.get('seed', 0)
    if not _is_a(seed, (int,)):
        raise FaultFileError('seed has to be an integer')
    faults = values.get('faults', [])
    if not isinstance(faults, list):
        raise FaultFileError('faults has to be an array')
    return FaultScript(
        tuple(_fault_of(fault, number) for number, fault in enumerate(faults, 1)), seed
    )


def check_fields(values: Mapping[str, object], known: Iterable[str]) -> None:
    """Refuses fields that nobody would look at.

    :raises FaultFileError: there are some.
    """
    known = list(known)
    for name in values:
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f'did you mean "{close[0]}"?' if close else f'known are {", ".join(known)}'
            raise FaultFileError(f'unknown field "{name}"; {hint}')


def _fault_of(values: object, number: int) -> Fault:
    where = f'fault {number}'
    if not isinstance(values, Mapping):
        raise FaultFileError(f'{where} is not an object')
    try:
        check_fields(values, _TYPES)
        if 'call' not in values:
            raise FaultFileError('the field "call" is missing')
        for name, value in values.items():
            if not _is_a(value, _TYPES[name]):
                wanted = ' or '.join(
                    _NAMES_OF_TYPES[kind] for kind in _TYPES[name] if kind in _NAMES_OF_TYPES
                )
                raise FaultFileError(f'{name} has to be {wanted}, not {json.dumps(value)}')
        return Fault(**values)
    except ValueError as error:
        raise FaultFileError(f'{where}: {error}') from None


def _is_a(value: Any, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    if float in kinds:
        kinds = (*kinds, int)
    return isinstance(value, kinds)
