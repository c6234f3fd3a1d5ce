"""What calls come to, in a form that is the same for both libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def outcome(call: Callable[[], Any]) -> Any:
    """The repr of what the call returns, or the name and the text of its exception."""
    try:
        return repr(call())
    except Exception as error:
        return type(error).__name__, str(error)


def value_or_error(call: Callable[[], Any]) -> Any:
    """What the call returns, or the name of its exception, whose text is each library's own."""
    try:
        return call()
    except Exception as error:
        return type(error).__name__


def filled(method: Callable[[Any], Any]) -> Callable[[], Any]:
    """A call that returns the headers that the method adds."""

    def fill() -> Any:
        headers: dict[str, str] = {}
        method(headers)
        return sorted(headers.items())

    return fill
