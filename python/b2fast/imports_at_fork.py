"""Keeps a fork from cutting an import in two.

Many modules of the package are imported when they are first needed, by whichever thread needs
them.  A child of a fork that happens meanwhile has the lock of that module, but not the thread
that would release it: its own import would wait for ever.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import pkgutil
import threading

NOT_NEEDED = frozenset({'__main__', 'cli', 'compat', 'simulator', 'testing'})
"""What transfers, listings and the calls of an API object never import."""

OTHER_MODULES = (
    'base64',
    'datetime',
    'email.utils',
    'hashlib',
    'locale',
    'pathlib',
    'platform',
    'requests',
    'requests.adapters',
    'tqdm',
    'urllib3',
    'urllib3.exceptions',
)
"""What functions of the package import from elsewhere."""


@functools.cache
def keep_imports_whole() -> None:
    """Let no fork of this process begin while a thread imports what a child may need."""
    # Windows has no fork.
    if hasattr(os, 'register_at_fork'):
        os.register_at_fork(before=_wait_for_imports)


def _wait_for_imports() -> None:
    # Without another thread nothing is being imported, and a fork costs nothing.
    if threading.active_count() > 1:
        _import_all()


@functools.cache
def _import_all() -> None:
    """Import what may still be missing, and so wait for the threads that are at it.

    Rejected: to wait only for imports that have begun.  Which these are is known to private
    parts of Python alone, and the next one could begin before the fork.
    """
    package = __name__.rpartition('.')[0]
    _import_below(package)
    for module in OTHER_MODULES:
        # tqdm is an extra.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


def _import_below(package: str) -> None:
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.name not in NOT_NEEDED:
            name = f'{package}.{module.name}'
            importlib.import_module(name)
            if module.ispkg:
                _import_below(name)
