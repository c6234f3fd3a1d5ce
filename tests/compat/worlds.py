"""The same program in two worlds: on b2sdk with its simulator, and on b2fast with ours."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import b2sdk.v3
from b2sdk._internal.raw_simulator import RawSimulator as TheirSimulator

import b2fast

from .outcomes import NEEDLESS_KEYS, assert_same

OURS_ALONE = {'start_timestamp'}
"""Attributes that b2sdk's objects do not have."""


class World:
    """An authorized API object, and a note of what was seen.

    :param sdk: has the names of `b2sdk.v3`
    :param simulator: is the class of the simulator
    """

    def __init__(self, sdk: Any, simulator: type) -> None:
        self.sdk = sdk
        self.raw: Any = simulator()
        config = sdk.B2HttpApiConfig(_raw_api_class=lambda *_: self.raw)
        self.api = sdk.B2Api(sdk.InMemoryAccountInfo(), sdk.InMemoryCache(), api_config=config)
        self.api.authorize_account(*self.raw.create_account())
        self.seen: dict[str, Any] = {}

    def see(self, what: str, call: Callable[[], Any]) -> Any:
        """Make a call and keep what it returns, or the exception's name and text."""
        assert what not in self.seen, what
        try:
            result = call()
        except Exception as error:
            self.seen[what] = f'raises {type(error).__name__}: {error}'
            return None
        self.seen[what] = plain(result)
        return result


def plain(value: Any) -> Any:
    """The value as data that can be compared; an object of no known form by its attributes."""
    if isinstance(value, str | int | float | bytes | None):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, 'as_dict'):
        return plain(value.as_dict())
    if hasattr(value, 'items'):
        return {key: plain(entry) for key, entry in value.items() if key not in NEEDLESS_KEYS}
    if hasattr(value, '__next__') or isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    attributes = {name: entry for name, entry in vars(value).items() if name not in OURS_ALONE}
    return {'': type(value).__name__, **plain(attributes)}


def both_worlds() -> tuple[World, World]:
    """That of b2sdk, and that of b2fast."""
    return World(b2sdk.v3, TheirSimulator), World(b2fast, b2fast.RawSimulator)


def assert_same_in_both(program: Callable[[World], None], at_least: int = 1) -> None:
    """Run a program in both worlds; it has to see the same.

    :param at_least: how many calls it looks at
    """
    theirs, ours = both_worlds()
    program(theirs)
    program(ours)
    assert len(theirs.seen) >= at_least
    assert_same(theirs.seen, ours.seen)
