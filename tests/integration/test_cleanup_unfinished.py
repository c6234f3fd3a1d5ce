"""Cancelling large files that nobody finishes."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from b2fast import B2Api, Bucket, InMemoryAccountInfo, cleanup_unfinished
from b2fast.exception import BadRequest, InvalidArgument
from b2fast.large_file import in_use
from b2fast.simulator import Fault, SimulatorServer

from ..conftest import PART_SIZE
from ..helpers import Clock, sha1_of

HOUR = 60 * 60 * 1000
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> Clock:
    """The service's; a test turns it back to make something old."""
    return Clock(int(time.time() * 1000))


@pytest.fixture
def server(clock: Clock) -> Iterator[SimulatorServer]:
    with SimulatorServer(
        clock=clock, minimum_part_size=PART_SIZE, recommended_part_size=PART_SIZE
    ) as server:
        yield server


@pytest.fixture
def old_bucket(server: SimulatorServer, clock: Clock) -> Bucket:
    """It has ``old/0`` to ``old/2``, started and sent to two days ago, and ``new/0``."""
    api = B2Api(InMemoryAccountInfo())
    clock.now -= 48 * HOUR
    api.authorize_account(server.key_id, server.key, server.url)
    bucket = api.create_bucket('a-bucket', 'allPrivate')
    for name in ('old/0', 'old/1', 'old/2'):
        start(bucket, name)
    clock.now += 25 * HOUR
    start(bucket, 'new/0')
    clock.now += 23 * HOUR
    return bucket


def start(bucket: Bucket, name: str) -> None:
    file = bucket.api.services.large_file.start_large_file(bucket.id_, name)
    send_part(bucket, file.file_id, 1)


def send_part(bucket: Bucket, file_id: str, number: int) -> None:
    data = bytes(PART_SIZE)
    bucket.api.session.upload_part(file_id, number, PART_SIZE, sha1_of(data), io.BytesIO(data))


def unfinished(bucket: Bucket, prefix: str | None = None) -> list[str]:
    return [file.file_name for file in bucket.list_unfinished_large_files(prefix=prefix)]


def test_what_is_old_is_cancelled(old_bucket: Bucket) -> None:
    results = cleanup_unfinished(old_bucket, older_than=DAY)
    assert [result.file.file_name for result in results] == ['old/0', 'old/1', 'old/2']
    assert [result.error for result in results] == [None] * 3
    assert unfinished(old_bucket) == ['new/0']
    assert cleanup_unfinished(old_bucket, older_than=DAY) == []
    assert len(cleanup_unfinished(old_bucket, older_than=timedelta(0))) == 1


def test_dry_run(old_bucket: Bucket) -> None:
    results = cleanup_unfinished(old_bucket, older_than=DAY, dry_run=True)
    assert [result.file.file_name for result in results] == ['old/0', 'old/1', 'old/2']
    assert len(unfinished(old_bucket)) == 4


def test_prefix(old_bucket: Bucket) -> None:
    cleanup_unfinished(old_bucket, older_than=DAY, prefix='old/1')
    assert unfinished(old_bucket) == ['old/0', 'old/2', 'new/0']


def test_file_that_still_gets_parts_is_spared(old_bucket: Bucket) -> None:
    file = next(old_bucket.list_unfinished_large_files(prefix='old/1'))
    send_part(old_bucket, file.file_id, 7)
    cleanup_unfinished(old_bucket, older_than=DAY)
    assert unfinished(old_bucket) == ['old/1', 'new/0']


def test_file_that_this_process_sends_is_spared(old_bucket: Bucket) -> None:
    file = next(old_bucket.list_unfinished_large_files(prefix='old/1'))
    account_id = old_bucket.api.account_info.get_account_id()
    assert in_use.claim(account_id, file.file_id)
    try:
        cleanup_unfinished(old_bucket, older_than=DAY)
    finally:
        in_use.release(account_id, file.file_id)
    assert unfinished(old_bucket) == ['old/1', 'new/0']


@pytest.mark.parametrize('call', ['b2_cancel_large_file', 'b2_list_parts'])
def test_one_refusal_does_not_keep_the_rest(
    server: SimulatorServer, old_bucket: Bucket, call: str
) -> None:
    server.inject(Fault(call=call, status=400, skip=1))
    results = cleanup_unfinished(old_bucket, older_than=DAY)
    assert [type(result.error) for result in results] == [type(None), BadRequest, type(None)]
    assert unfinished(old_bucket) == ['old/1', 'new/0']


def test_negative_age(old_bucket: Bucket) -> None:
    with pytest.raises(InvalidArgument, match='older_than'):
        cleanup_unfinished(old_bucket, older_than=-DAY)
    assert len(unfinished(old_bucket)) == 4


def test_every_way(bucket: Bucket) -> None:
    start(bucket, 'name')
    assert cleanup_unfinished(bucket, older_than=DAY, prefix='other') == []
    results = cleanup_unfinished(bucket, older_than=timedelta(0))
    assert [result.file.file_name for result in results] == ['name']
    assert unfinished(bucket) == []
