"""Finds b2fast where b2sdk is asked for."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..exception import B2sdkAlreadyImported
from .modules import Place, place_of
from .version import VERSION

if TYPE_CHECKING:
    from importlib.metadata import Distribution, DistributionFinder


def install_as_b2sdk() -> None:
    """Let ``import b2sdk`` and all imports from it find b2fast from now on, in this process.

    It does not matter whether b2sdk is installed. What is logged goes to the handlers of the
    logger ``b2sdk`` too, whose level counts. A second call does nothing. Processes that are
    started anew, and not by ``fork``, need a call of their own.

    Raises `B2sdkAlreadyImported` if it comes too late.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if any(name.partition('.')[0] == 'b2sdk' for name in sys.modules):
        raise B2sdkAlreadyImported()
    sys.meta_path.insert(0, _Finder())
    their_logger = logging.getLogger('b2sdk')
    their_logger.addHandler(logging.NullHandler())
    logging.getLogger('b2fast').parent = their_logger


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What ``import`` asks for."""
        if fullname.partition('.')[0] != 'b2sdk':
            return None
        place = place_of(fullname)
        if place is None:
            # Nobody else may answer: two halves of two packages would not fit together.
            raise ModuleNotFoundError(
                f'{fullname}: b2fast, which stands for b2sdk here, does not have this module',
                name=fullname,
            )
        spec = ModuleSpec(fullname, _Loader(place), origin=__file__, is_package=place.is_package)
        spec.has_location = True
        return spec

    def find_distributions(self, context: DistributionFinder.Context) -> Iterator[Distribution]:
        """What `importlib.metadata` asks for."""
        if context.name is None or context.name.lower() != 'b2sdk':
            return
        from .distribution import StandIn

        yield StandIn(VERSION)


class _Loader(Loader):
    def __init__(self, place: Place) -> None:
        self._place = place

    def exec_module(self, module: ModuleType) -> None:
        """Put the module of b2fast into the place of the new one, or let that look into it."""
        place = self._place
        ours = None if place.target is None else importlib.import_module(place.target)
        if ours is not None and not place.is_package:
            sys.modules[module.__name__] = ours
            return
        # What is imported below a package becomes an attribute of it, so it is a module of its
        # own: b2fast's packages stay as they are.
        names: set[str] = set()
        if ours is not None:
            names.update(getattr(ours, '__all__', ()) or _public_names(ours))
            if hasattr(ours, '__version__'):
                vars(module)['__version__'] = ours.__version__
        vars(module).update(
            __doc__=None if ours is None else ours.__doc__,
            __all__=sorted(names),
            __getattr__=_Names(module.__name__, ours),
            __dir__=lambda: sorted({*vars(module), *names}),
        )


class _Names:
    """Looks names up in a module of b2fast."""

    def __init__(self, module: str, ours: ModuleType | None) -> None:
        self._module = module
        self._ours = ours

    def __call__(self, name: str) -> Any:
        if self._ours is not None and hasattr(self._ours, name):
            return getattr(self._ours, name)
        raise AttributeError(f'module {self._module!r} has no attribute {name!r}')


def _public_names(module: ModuleType) -> list[str]:
    return [name for name in dir(module) if not name.startswith('_')]
