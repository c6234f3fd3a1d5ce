"""The same program on b2sdk and on b2fast sees the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from b2sdk import v3 as theirs
from b2sdk._internal.raw_simulator import RawSimulator as TheirSimulator

import b2fast
from b2fast import RawSimulator

from .account_scenario import Scenario


@pytest.fixture(scope='module')
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], list[Any]]:
    """What b2sdk and b2fast saw."""

    def run(sdk: Any, simulator: type) -> list[Any]:
        directory: Path = tmp_path_factory.mktemp('files')
        return Scenario(sdk, simulator, directory).run()

    return run(theirs, TheirSimulator), run(b2fast, RawSimulator)


def test_both_see_the_same(seen: tuple[list[Any], list[Any]]) -> None:
    expected, actual = seen
    differences = [
        f'{number} {what}:\n  b2sdk  {value}\n  b2fast {own}'
        for number, ((what, value), (_, own)) in enumerate(zip(expected, actual, strict=True))
        if value != own
    ]
    assert not differences, '\n'.join(differences)


def test_much_was_seen(seen: tuple[list[Any], list[Any]]) -> None:
    assert len(seen[0]) > 230
    assert sum(str(value).startswith('raises') for _, value in seen[0]) >= 20
