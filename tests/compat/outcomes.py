"""What calls come to, in a form that is the same for both libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest


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


NEEDLESS_KEYS = ('customerKey', 'customerKeyMd5')
"""What b2sdk's simulator answers of a customer's key, which B2 keeps to itself."""


def assert_same(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> None:
    """Both saw the same of the same calls; else the test fails with all differences.

    :param expected: what b2sdk saw, by the names of the calls
    :param actual: what b2fast saw
    """
    assert list(expected) == list(actual)
    different = [what for what in expected if expected[what] != actual[what]]
    if different:
        pytest.fail(
            '\n'.join(
                f'{what}:\n  b2sdk  {expected[what]}\n  b2fast {actual[what]}' for what in different
            ),
            pytrace=False,
        )
