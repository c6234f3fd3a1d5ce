"""Names of a package whose modules are imported when the name is first used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any


def load_name(namespace: dict[str, Any], modules: Mapping[str, str], name: str) -> Any:
    """The value of a name, for the function ``__getattr__`` of a module.

    :param namespace: the ``globals()`` of the module; the value is kept there, where the next
        use finds it without this function
    :param modules: for each name the module that has it, relative to the package
    :raises AttributeError: if there is no such name.
    """
    module = modules.get(name)
    if module is None:
        raise AttributeError(f'module {namespace["__name__"]!r} has no attribute {name!r}')
    value = getattr(importlib.import_module(f'.{module}', namespace['__package__']), name)
    namespace[name] = value
    return value
