"""What b2sdk has and b2fast has not: names that can be imported, but not used.

A program that imports such a name and never uses it runs.  As soon as b2fast has a name it is
the real one, whether it is still listed here or not.
"""

from __future__ import annotations

import functools
from abc import ABCMeta
from collections.abc import Iterator
from typing import Any, NoReturn

from ..exception import FeatureNotSupported

_FEATURES: dict[str, dict[str, tuple[str, ...]]] = {
    'the set-up and monitoring of replication': {
        'replication.monitoring': (
            'ReplicationMonitor',
            'ReplicationReport',
            'ReplicationScanResult',
        ),
        'replication.setup': ('ReplicationSetupHelper',),
    },
}
"""Feature, b2sdk's module below `b2sdk._internal`, names."""

NAMES: dict[str, str] = {
    name: feature
    for feature, modules in _FEATURES.items()
    for names in modules.values()
    for name in names
}
"""The feature that each name belongs to."""

MODULES: dict[str, tuple[str, ...]] = {
    module: names for modules in _FEATURES.values() for module, names in modules.items()
}
"""The names of each module below `b2sdk._internal`."""


class _Absent(ABCMeta):
    """The class of classes that are not there: they can be subclassed, but have no instances."""

    _feature: str

    def __call__(cls, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise FeatureNotSupported(cls.__name__, cls._feature)

    def __getattr__(cls, name: str) -> _Value:
        # Python itself asks for such names, and takes an AttributeError for "no".
        if name.startswith('__'):
            raise AttributeError(f'type object {cls.__name__!r} has no attribute {name!r}')
        return _Value(f'{cls.__name__}.{name}', cls._feature)

    def __iter__(cls) -> Iterator[Any]:
        raise FeatureNotSupported(cls.__name__, cls._feature)


class _Value:
    """An attribute of a class that is not there: it can be passed on, as a default for example."""

    def __init__(self, name: str, feature: str) -> None:
        self._name = name
        self._feature = feature

    def __repr__(self) -> str:
        return f'<{self._name}, which b2fast does not have>'

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise FeatureNotSupported(self._name, self._feature)

    __call__ = __iter__ = __len__ = __getitem__ = __enter__ = __exit__ = _refuse

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith('__'):
            raise AttributeError(name)
        self._refuse()


@functools.cache
def placeholder(name: str) -> Any:
    """The class that stands in for one of `NAMES`."""
    return _Absent(name, (), {'_feature': NAMES[name], '__module__': __name__})
