"""The bases of all exceptions."""

from __future__ import annotations

import re
from typing import Any

_WORD_START = re.compile(r'(.)([A-Z][a-z]+)')
_WORD_END = re.compile(r'([a-z0-9])([A-Z])')


def _words_of(name: str) -> str:
    """``'BadUploadUrl'`` becomes ``'Bad upload url'``."""
    name = name.removeprefix('B2')
    name = _WORD_END.sub(r'\1 \2', _WORD_START.sub(r'\1 \2', name))
    return name.lower().capitalize()


def _rebuild(cls: type[B2Error], args: tuple[Any, ...], state: dict[str, Any]) -> B2Error:
    error = cls.__new__(cls)
    error.args = args
    for name, value in state.items():
        setattr(error, name, value)
    return error


class B2Error(Exception):
    """Base of every error of this package.

    ``retry_after_seconds`` is the number of seconds that the service asked to wait before the
    next attempt, or None.  ``attempts`` is how often the request was sent before it was given up;
    None if it was sent once because repeating it could not help or is left to the caller.
    ``unfinished_large_file_id`` is the ID of the large file that is left unfinished, if one is.
    """

    retry_after_seconds: int | None = None
    attempts: int | None = None
    unfinished_large_file_id: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Not super().__init__: with two or more arguments OSError, a base of some subclasses,
        # would take them for an errno and its text.
        Exception.__init__(self, *args, **kwargs)

    @property
    def prefix(self) -> str:
        """The name of the class in words, as the messages of simple errors begin."""
        return _words_of(type(self).__name__)

    def should_retry_http(self) -> bool:
        """Can the same request succeed when it is sent again?"""
        return False

    def should_retry_upload(self) -> bool:
        """Can the upload succeed when it is sent again to a fresh upload URL?"""
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the class with `args`, which fails for every class whose
        # constructor has required parameters; errors must travel between processes.
        state = self.__dict__.copy()
        if isinstance(self, OSError):
            # Not in __dict__.  One that is set, even to None, changes the text.
            fields = {name: getattr(self, name) for name in ('errno', 'strerror', 'filename')}
            state |= {name: value for name, value in fields.items() if value is not None}
        return _rebuild, (type(self), self.args, state)


class InvalidUserInput(B2Error, ValueError):
    """The caller asked for something that makes no sense."""


class B2sdkAlreadyImported(B2Error, ImportError):
    """b2fast cannot take the place of b2sdk in a process that has imported b2sdk."""

    def __str__(self) -> str:
        return (
            'b2sdk is imported already, so b2fast cannot take its place: call '
            'b2fast.compat.install_as_b2sdk() before anything imports b2sdk, '
            'or run the program with python -m b2fast.compat'
        )


class B2SimpleError(B2Error):
    """An error whose text is its name in words and what it was given."""

    def __str__(self) -> str:
        return f'{self.prefix}: {Exception.__str__(self)}'


class TransientErrorMixin:
    """Mixed into errors that are likely to pass: repeat the request or the upload."""

    def should_retry_http(self) -> bool:
        """Yes: the same request may succeed."""
        return True

    def should_retry_upload(self) -> bool:
        """Yes: the upload may succeed with a fresh URL."""
        return True
