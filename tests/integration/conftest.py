"""A simulator over HTTP with a clock that stands still, a client of it, and files to sync."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from b2fast import B2Api, B2Folder, Bucket
from b2fast.simulator import SimulatorServer, http_transfers, raw_bucket

from ..helpers import Clock
from .delta_trees import Received, Tree
from .simulator_client import NOW, Client


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """An empty directory to sync."""
    root = tmp_path / 'local'
    root.mkdir()
    return root


@pytest.fixture
def remote(api: B2Api, bucket: Bucket) -> B2Folder:
    """The bucket of `bucket`, to sync."""
    return B2Folder('a-bucket', '', api)


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


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Received:
    """Counts what any simulator of the process is sent."""
    counted = Received()

    def counting(take: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            content, sha1 = take(*args)
            counted.bytes += len(content)
            return content, sha1

        return call

    monkeypatch.setattr(http_transfers, '_received', counting(http_transfers._received))
    monkeypatch.setattr(raw_bucket, 'receive', counting(raw_bucket.receive))
    return counted


@pytest.fixture
def tree(bucket: Bucket, tmp_path: Path) -> Tree:
    """A directory that is synced to `bucket`."""
    return Tree(bucket, tmp_path)
