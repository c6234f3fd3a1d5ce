"""Decorators for names that are replaced, and the warning about names that may change."""

from __future__ import annotations

import functools
import inspect
import re
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from .version import VERSION

_P = ParamSpec('_P')
_T = TypeVar('_T')


class FeaturePreviewWarning(FutureWarning):
    """What is used may change or go: a program that must last cannot rely on it."""


@functools.total_ordering
class _Version:
    """A version, ordered by the numbers in it."""

    def __init__(self, version: str) -> None:
        self._text = version
        # A number before "!" is an epoch of PEP 440.
        self._numbers = tuple(map(int, re.findall(r'\d+', version.rpartition('!')[2])))

    def __str__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Version) and self._numbers == other._numbers

    def __lt__(self, other: _Version) -> bool:
        return self._numbers < other._numbers

    __hash__ = None  # type: ignore[assignment]


class AbstractVersionDecorator(metaclass=ABCMeta):
    """Base of decorators that know in which versions they are in force.

    :param changed_version: the version in which the replacement came
    :param cutoff_version: the version in which the old name goes
    :param reason: why; kept for the program
    :param current_version: the version of the package that is decorated; that of b2fast if None
    """

    WHAT = 'name'
    """What is decorated, for messages."""

    source: str

    def __init__(
        self,
        changed_version: str | None,
        cutoff_version: str | None = None,
        reason: str = '',
        current_version: str | None = None,
    ) -> None:
        self.current_version = _Version(current_version or VERSION)
        self.reason = reason
        self.changed_version = _version_or_none(changed_version)
        self.cutoff_version = _version_or_none(cutoff_version)

    @abstractmethod
    def __call__(self, func: Callable[_P, _T]) -> Callable[_P, _T]:
        """Decorate a function."""

    def _check_versions(self) -> None:
        changed, cutoff = self.changed_version, self.cutoff_version
        if changed is not None and cutoff is not None and not changed < cutoff:
            raise AssertionError(
                f'{type(self).__name__} of the {self.WHAT} {self.source!r} is in force '
                f'from version {changed} on and ends with {cutoff}, which is not later'
            )


class AbstractDeprecator(AbstractVersionDecorator):
    """Base of decorators that replace one name by another.

    :param target: the new name
    """

    ALTERNATIVE_DECORATOR = ''
    """What to use where there is no new name."""

    def __init__(self, target: str, *args: Any, **kwargs: Any) -> None:
        self.target = target
        super().__init__(*args, **kwargs)


class rename_argument(AbstractDeprecator):  # noqa: N801
    """Lets an argument be given by its old name, with a `DeprecationWarning`.

    :param source: the old name
    :param target: the new name
    :param changed_version: the version in which the new name came
    :param cutoff_version: the version in which the old one goes

    Decorating raises `AssertionError` if the function does not take the new name or the versions
    are not in order; a call raises it if both names are given.
    """

    WHAT = 'argument'
    ALTERNATIVE_DECORATOR = 'discourage_argument'

    def __init__(self, source: str, *args: Any, **kwargs: Any) -> None:
        self.source = source
        super().__init__(*args, **kwargs)

    def __call__(self, func: Callable[_P, _T]) -> Callable[_P, _T]:
        """Decorate a function."""
        self._check_versions()
        if not _takes_keyword(func, self.target):
            raise AssertionError(f'{self.target!r} is not an argument of {func.__name__!r}')
        message = (
            f'{self.source!r} is a deprecated argument for {func.__name__!r} function/method - '
            f'it was renamed to {self.target!r}'
        )
        if self.changed_version is not None:
            message += f' in version {self.changed_version}'
        if self.cutoff_version is not None:
            message += f'. Support for the old name is going to be dropped in {self.cutoff_version}'

        @functools.wraps(func)
        def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            if self.source in kwargs:
                if self.target in kwargs:
                    raise AssertionError(
                        f'both argument names were provided: {self.source!r} (deprecated) and '
                        f'{self.target!r} (new)'
                    )
                kwargs[self.target] = kwargs.pop(self.source)
                warnings.warn(f'{message}.', DeprecationWarning, stacklevel=2)
            return func(*args, **kwargs)

        return wrapper


class rename_function(AbstractDeprecator):  # noqa: N801
    """Decorates the old function, which calls the new one, with a `DeprecationWarning`.

    :param target: the new function or its name
    :param changed_version: the version in which the new function came
    :param cutoff_version: the version in which the old one goes

    Decorating raises `AssertionError` if the versions are not in order.
    """

    WHAT = 'function'
    ALTERNATIVE_DECORATOR = 'discourage_function'

    def __init__(self, target: str | Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(target.__name__ if callable(target) else target, *args, **kwargs)

    def __call__(self, func: Callable[_P, _T]) -> Callable[_P, _T]:
        """Decorate a function."""
        self.source = func.__name__
        self._check_versions()
        message = (
            f'{func.__name__!r} is deprecated since version {self.changed_version} - it was moved '
            f'to {self.target!r}, please switch to use that. The proxy for the old name is going '
            f'to be removed in {self.cutoff_version}.'
        )

        @functools.wraps(func)
        def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            return func(*args, **kwargs)

        return wrapper


def _version_or_none(text: str | None) -> _Version | None:
    return None if text is None else _Version(text)


def _takes_keyword(func: Callable[..., Any], name: str) -> bool:
    parameters = inspect.signature(func).parameters
    return name in parameters or any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
    )
