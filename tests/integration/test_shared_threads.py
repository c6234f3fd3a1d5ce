"""The threads that all transfers of a process share."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2fast import (
    B2Api,
    B2HttpApiConfig,
    Bucket,
    InMemoryAccountInfo,
    RateLimits,
    SimulatorServer,
)

PART = 10_000
CONTENT = os.urandom(30 * PART)
WORKERS = 6


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(minimum_part_size=PART, recommended_part_size=PART) as server:
        yield server


def new_bucket(server: SimulatorServer, name: str, limits: RateLimits) -> Bucket:
    """A bucket of a client of its own."""
    api = B2Api(
        InMemoryAccountInfo(),
        max_upload_workers=WORKERS,
        max_download_workers=WORKERS,
        api_config=B2HttpApiConfig(rate_limits=limits),
    )
    api.authorize_account(server.key_id, server.key, server.url)
    return api.create_bucket(name, 'allPrivate')


def transfer_threads() -> int:
    """How many threads of the engine there are."""
    names = [path.read_text().strip() for path in Path('/proc/self/task').glob('*/comm')]
    return names.count('b2fast')


@pytest.mark.usefixtures('fresh_resources')
def test_a_transfer_does_not_wait_for_those_of_other_clients(server: SimulatorServer) -> None:
    """The slow ones have all threads that there are, and would keep them for hours."""
    before = transfer_threads()
    limits = RateLimits(upload=1)
    slow = [new_bucket(server, f'slow-{number}', limits) for number in range(3)]
    fast = new_bucket(server, 'fast-one', RateLimits())
    threads = [
        threading.Thread(target=bucket.upload_bytes, args=(CONTENT, 'name'), daemon=True)
        for bucket in slow
    ]
    for thread in threads:
        thread.start()
    for _ in range(3):
        fast.upload_bytes(CONTENT, 'name')
    assert all(thread.is_alive() for thread in threads)
    # One for each transfer beyond those that a single one may have.
    assert transfer_threads() <= before + WORKERS + 4
    limits.upload = None
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for bucket in (*slow, fast):
        assert [version.size for version, _ in bucket.ls()] == [len(CONTENT)]
