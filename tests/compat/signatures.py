"""Writes the signatures of a simulator's classes; as a program, of b2sdk's."""

from __future__ import annotations

import enum
import inspect
import json
import sys
from typing import Any

CLASSES = [
    'RawSimulator',
    'BucketSimulator',
    'FileSimulator',
    'PartSimulator',
    'KeySimulator',
    'FakeResponse',
]


def signatures(module: Any) -> dict[str, Any]:
    """Returns parameters with their defaults, and the values of plain class attributes."""
    return {name: members(getattr(module, name)) for name in CLASSES}


def members(cls: type) -> dict[str, Any]:
    found: dict[str, Any] = {'__init__': parameters(cls)}
    for name in dir(cls):
        if name.startswith('_'):
            continue
        member = inspect.getattr_static(cls, name)
        if isinstance(member, property):
            found[name] = 'property'
        elif callable(member) or isinstance(member, (classmethod, staticmethod)):
            attribute = getattr(cls, name)
            found[name] = 'class' if isinstance(attribute, type) else parameters(attribute)
        else:
            plain = isinstance(member, (bool, int, str, dict))
            found[name] = member if plain else type(member).__name__
    return found


def parameters(function: Any) -> list[list[str]]:
    return [
        [parameter.name, default(parameter.default)]
        for parameter in inspect.signature(function).parameters.values()
    ]


def default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return ''
    return f'={value.name}' if isinstance(value, enum.Enum) else f'={value!r}'


if __name__ == '__main__':
    from b2sdk._internal import raw_simulator

    json.dump(signatures(raw_simulator), sys.stdout)
