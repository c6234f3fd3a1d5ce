"""Calls written to a log, by a decorator or by the metaclass of a class.

Arguments that hold keys and tokens, by their names, are left out of what is logged; so are those
that a decorator names. A metaclass logs to the logger of the class's module, at level DEBUG.
"""

from __future__ import annotations

import functools
import inspect
import logging
import re
from abc import ABCMeta
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

_C = TypeVar('_C', bound=Callable[..., Any])

_SECRET = re.compile(
    r'token|secret|passw|(application|access|private|customer)_?key$', re.IGNORECASE
)
_ONLY = '_trace_only'
_SKIP = '_trace_skip'
_DISABLED = '_trace_disable'


class trace_call:  # noqa: N801
    """A decorator of functions and classes: every call is logged, with its arguments.

    :param logger: where to
    :param only: the names of the arguments to log; None for all but those named after keys and
        tokens
    :param skip: the names of arguments not to log
    """

    LEVEL = logging.DEBUG

    def __init__(
        self,
        logger: logging.Logger,
        only: Iterable[str] | None = None,
        skip: Iterable[str] | None = None,
    ) -> None:
        self.logger = logger
        self.only = only
        self.skip = skip

    def __call__(self, callable_obj: _C) -> _C:
        if not isinstance(callable_obj, type):
            return self._traced(callable_obj, callable_obj.__qualname__, first=0)
        # The object has no attributes yet, and its repr could fail.
        init = self._traced(callable_obj.__init__, callable_obj.__qualname__, first=1)  # type: ignore[misc]
        callable_obj.__init__ = init  # type: ignore[misc]
        return callable_obj

    def _traced(self, function: _C, name: str, first: int) -> _C:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if self.logger.isEnabledFor(self.LEVEL):
                try:
                    bound = inspect.signature(function).bind(*args, **kwargs)
                except TypeError:
                    # The call itself says what is wrong with it.
                    pass
                else:
                    bound.apply_defaults()
                    self._log(name, dict(list(bound.arguments.items())[first:]))
            return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    def _log(self, name: str, arguments: dict[str, Any]) -> None:
        shown = {key: value for key, value in arguments.items() if self._is_shown(key)}
        hidden = [key for key in arguments if key not in shown]
        self.logger.log(
            self.LEVEL,
            'calling %s(%s)%s',
            name,
            ', '.join(f'{key}={value!r}' for key, value in shown.items()),
            f' (hidden args: {", ".join(hidden)})' if hidden else '',
        )

    def _is_shown(self, name: str) -> bool:
        if self.skip is not None and name in self.skip:
            return False
        return name in self.only if self.only is not None else not _SECRET.search(name)


class limit_trace_arguments:  # noqa: N801
    """A decorator that says which arguments of a method the metaclass may log.

    :param only: the names of the arguments to log; None for all
    :param skip: the names of arguments not to log
    """

    def __init__(
        self, only: Iterable[str] | None = None, skip: Iterable[str] | None = None
    ) -> None:
        self.only = only
        self.skip = skip

    def __call__(self, function: _C) -> _C:
        setattr(function, _ONLY, self.only)
        setattr(function, _SKIP, self.skip)
        return function


def disable_trace(function: _C) -> _C:
    """A decorator for methods that the metaclass is not to log, in subclasses neither."""
    setattr(function, _DISABLED, True)
    return function


class B2TraceMeta(type):
    """A metaclass that logs the calls of a class's public methods.

    Left out are methods whose names start with ``get_``, and those of `disable_trace`, there or
    in a base class. The limits of `limit_trace_arguments` hold for overriding methods as well.
    """

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any
    ) -> Any:
        logger = logging.getLogger(namespace.get('__module__', __name__))
        traced = {
            key: _traced_method(logger, key, value, bases)
            for key, value in namespace.items()
            if not key.startswith(('_', 'get_'))
        }
        return super().__new__(mcs, name, bases, {**namespace, **traced}, **kwargs)


class B2TraceMetaAbstract(ABCMeta, B2TraceMeta):
    """`B2TraceMeta` for abstract base classes."""


def _traced_method(logger: logging.Logger, name: str, method: Any, bases: tuple[type, ...]) -> Any:
    """The method, static method or class method with tracing, unless it is not to be traced."""
    function = method.__func__ if isinstance(method, staticmethod | classmethod) else method
    if not inspect.isfunction(function):
        return method
    inherited = [getattr(base, name, None) for base in bases]
    if any(hasattr(one, _DISABLED) for one in (method, *inherited)):
        return method
    trace = trace_call(
        logger,
        only=_names_of(_ONLY, method, *inherited),
        skip=_names_of(_SKIP, method, *inherited),
    )
    traced = trace(function)
    return type(method)(traced) if function is not method else traced


def _names_of(attribute: str, *methods: Any) -> set[str] | None:
    """All names that the methods' decorators have given, or None if none has."""
    given = [getattr(method, attribute, None) for method in methods]
    named = [names for names in given if names is not None]
    return set().union(*named) if named else None
