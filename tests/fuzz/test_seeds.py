"""The seeds of the fuzz targets, and what these have found, tried without a fuzzer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import connection, door

SEEDS = Path(__file__).parent / 'seeds'


def seeds(target: str) -> list[Path]:
    found = sorted((SEEDS / target).iterdir())
    assert found
    return found


@pytest.mark.parametrize('seed', seeds('door'), ids=lambda seed: seed.name)
def test_door(seed: Path) -> None:
    statuses = door.check(seed.read_bytes())
    # The name tells the last status, if it is not 200. What the fuzzer found may have any.
    wanted = seed.suffixes[0] if len(seed.suffixes) > 1 else '.200'
    assert wanted in (f'.{statuses[-1]}', '.any')


def test_door_does_not_pass_everything() -> None:
    with pytest.raises(AssertionError):
        door._Asker()._call('b2_no_such_call')


@pytest.fixture(scope='module')
def sender() -> Iterator[connection.Sender]:
    with connection.Sender() as sender:
        yield sender


@pytest.mark.parametrize('seed', seeds('connection'), ids=lambda seed: seed.name)
def test_connection(sender: connection.Sender, seed: Path) -> None:
    answer = sender.check(seed.read_bytes())
    # Who sends no more may find the connection closed before the answer.
    assert not answer or answer.startswith(b'HTTP/1.')
