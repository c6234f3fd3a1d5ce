"""What calls come to, in a form that is the same for both libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def outcome(call: Callable[[], Any]) -> Any:
    """The repr of what the call returns, or the name and the text of its exception."""
    try:
        return repr(call())
    except Exception as error:
        return type(error).__name__, str(error)


def filled(method: Callable[[Any], Any]) -> Callable[[], Any]:
    """A call that returns the headers that the method adds."""

    def fill() -> Any:
        headers: dict[str, str] = {}
        method(headers)
        return sorted(headers.items())

    return fill


def differences(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> str:
    """What both saw of the same calls and is not the same, as text; none if all is."""
    assert list(expected) == list(actual)
    return '\n'.join(
        f'{what}:\n  b2sdk  {value}\n  b2fast {actual[what]}'
        for what, value in expected.items()
        if value != actual[what]
    )
