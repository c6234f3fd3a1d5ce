"""Limits to the speed of transfers, which can be changed on the way."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
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
from b2fast.exception import InvalidArgument

from ..helpers import through_pickle

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def limits() -> RateLimits:
    return RateLimits()


@pytest.fixture
def bucket(limits: RateLimits) -> Iterator[Bucket]:
    with SimulatorServer(minimum_part_size=100_000, recommended_part_size=100_000) as server:
        api = B2Api(InMemoryAccountInfo(), api_config=B2HttpApiConfig(rate_limits=limits))
        api.authorize_account(server.key_id, server.key, server.url)
        yield api.create_bucket('rate-limits', 'allPrivate')


def moves_when_freed(transfer: Callable[[], object], free: Callable[[], None]) -> None:
    """A transfer at a byte per second is still under way when it is freed, and then ends."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            transfer()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    # At that speed it needs eleven days.
    thread.join(0.2)
    assert thread.is_alive()
    free()
    thread.join(60)
    assert not thread.is_alive()
    assert failures == []


@pytest.mark.parametrize('length', [50_000, len(CONTENT)], ids=['one request', 'parts'])
def test_upload(bucket: Bucket, limits: RateLimits, length: int) -> None:
    limits.upload = 1

    def free() -> None:
        assert bucket.api.stats().bytes_sent < length
        limits.upload = None

    content = CONTENT[:length]
    moves_when_freed(lambda: bucket.upload_bytes(content, 'name'), free)
    received = io.BytesIO()
    bucket.download_file_by_name('name').save(received)
    assert received.getvalue() == content


def test_download(bucket: Bucket, limits: RateLimits, tmp_path: Path) -> None:
    bucket.upload_bytes(CONTENT, 'name')
    limits.download = 1

    def free() -> None:
        assert bucket.api.stats().bytes_received < len(CONTENT)
        limits.download = 10 * len(CONTENT)

    target = tmp_path / 'target'
    moves_when_freed(lambda: bucket.download_file_by_name('name').save_to(target), free)
    assert target.read_bytes() == CONTENT


def test_a_limit_above_the_need_changes_nothing(bucket: Bucket, limits: RateLimits) -> None:
    limits.upload = limits.download = 10**12
    bucket.upload_bytes(CONTENT, 'name')
    received = io.BytesIO()
    bucket.download_file_by_name('name').save(received)
    assert received.getvalue() == CONTENT


@pytest.mark.parametrize('limit', [0, -1])
def test_a_limit_is_at_least_a_byte_per_second(limits: RateLimits, limit: int) -> None:
    with pytest.raises(InvalidArgument):
        RateLimits(upload=limit)
    with pytest.raises(InvalidArgument):
        limits.download = limit
    assert limits.download is None


def test_looks_and_copies() -> None:
    limits = RateLimits(upload=1000)
    limits.download = 10
    assert repr(limits) == 'RateLimits(upload=1000, download=10)'
    copy = through_pickle(limits)
    assert (copy.upload, copy.download) == (1000, 10)
    assert (limits.core.upload, limits.core.download) == (1000, 10)
