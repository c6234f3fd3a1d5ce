"""Writes what the classes of ``b2sdk.v2`` offer; run with b2sdk, or with b2fast in its place."""

import enum
import inspect
import json
import sys

import b2sdk.v2
import b2sdk.v2.exception

SIMPLE = (bool, int, float, str, tuple, type(None))


def parameters(function):
    return [
        [parameter.name, parameter.kind.name, default(parameter.default)]
        for parameter in inspect.signature(function).parameters.values()
    ]


def default(value):
    if value is inspect.Parameter.empty:
        return 'required'
    if isinstance(value, enum.Enum):
        return value.name
    return repr(value) if isinstance(value, SIMPLE) else 'an object'


def members(cls):
    found = {'__init__': parameters(cls)}
    for name in dir(cls):
        if name.startswith('_'):
            continue
        value = inspect.getattr_static(cls, name)
        if isinstance(value, property) or inspect.ismemberdescriptor(value):
            found[name] = 'attribute'
        elif isinstance(getattr(cls, name), type):
            found[name] = 'class'
        elif callable(getattr(cls, name)):
            found[name] = parameters(getattr(cls, name))
        else:
            found[name] = 'attribute'
    return found


def surface(names):
    return {name: members(getattr(b2sdk.v2, name)) for name in names}


if __name__ == '__main__':
    json.dump(surface(sys.argv[1:]), sys.stdout)
