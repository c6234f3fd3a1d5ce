"""A simulator over HTTP with a clock that stands still, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from b2fast.simulator import SimulatorServer

from ..helpers import Clock
from .simulator_client import NOW, Client


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def server(clock: Clock) -> Iterator[SimulatorServer]:
    with SimulatorServer(clock=clock, minimum_part_size=10, recommended_part_size=20) as server:
        yield server


@pytest.fixture
def client(server: SimulatorServer) -> Iterator[Client]:
    client = Client(server)
    with client.http:
        client.token = client.authorize().json()['authorizationToken']
        yield client


@pytest.fixture
def bucket_id(client: Client) -> str:
    return client.create_bucket()
