"""What listeners hear of bytes that are sent again."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import pytest

from b2fast import AbstractProgressListener, Bucket, UploadSourceBytes, WriteIntent
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, Account

SMALL = PART_SIZE // 2
LARGE = 5 * PART_SIZE
over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)


class Listener(AbstractProgressListener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.completed: list[int] = []
        self.retried: list[int] = []

    def set_total_bytes(self, total_byte_count: int) -> None:
        pass

    def bytes_completed(self, byte_count: int) -> None:
        self.completed.append(byte_count)

    def bytes_retried(self, byte_count: int) -> None:
        self.retried.append(byte_count)


Act = Callable[[Bucket, AbstractProgressListener], object]


def made_of_sources(bucket: Bucket, listener: AbstractProgressListener) -> object:
    half = LARGE // 2
    intents = [WriteIntent(UploadSourceBytes(os.urandom(half)), start) for start in (0, half)]
    return bucket.create_file(intents, 'name', progress_listener=listener)


def many(bucket: Bucket, listener: AbstractProgressListener) -> object:
    items = [(os.urandom(SMALL), f'name {number}') for number in range(4)]
    return [result.get() for result in bucket.upload_many(items, progress_listener=listener)]


ACTS: dict[str, tuple[str, Act, int]] = {
    'small': (
        'b2_upload_file',
        lambda bucket, listener: bucket.upload_bytes(
            os.urandom(SMALL), 'name', progress_listener=listener
        ),
        SMALL,
    ),
    'large': (
        'b2_upload_part',
        lambda bucket, listener: bucket.upload_bytes(
            os.urandom(LARGE), 'name', progress_listener=listener
        ),
        PART_SIZE,
    ),
    'stream': (
        'b2_upload_part',
        lambda bucket, listener: bucket.upload_unbound_stream(
            io.BytesIO(os.urandom(LARGE)), 'name', progress_listener=listener
        ),
        PART_SIZE,
    ),
    'sources': ('b2_upload_part', made_of_sources, PART_SIZE),
    'many': ('b2_upload_file', many, SMALL),
}


@over_http
@pytest.mark.parametrize('act', ACTS)
def test_what_is_sent_again_counts_apart(account: Account, bucket: Bucket, act: str) -> None:
    call, run, again = ACTS[act]
    listener = Listener()
    assert account.server is not None
    account.server.inject(Fault(call=call, cut_after=0, count=2))
    run(bucket, listener)
    assert listener.retried[-1] == 2 * again
    assert listener.retried == sorted(set(listener.retried))
    assert listener.completed == sorted(set(listener.completed))
    assert listener.completed[-1] == (
        4 * SMALL if act == 'many' else SMALL if act == 'small' else LARGE
    )


@pytest.mark.parametrize('act', ACTS)
def test_without_a_failure_nothing_is_told(bucket: Bucket, act: str) -> None:
    _, run, _ = ACTS[act]
    listener = Listener()
    run(bucket, listener)
    assert listener.retried == []


class Others:
    """A listener that has what b2sdk calls, and nothing else."""

    def set_total_bytes(self, total_byte_count: int) -> None:
        pass

    def bytes_completed(self, byte_count: int) -> None:
        pass


@over_http
@pytest.mark.parametrize('act', ACTS)
def test_listener_that_does_not_know_of_it(account: Account, bucket: Bucket, act: str) -> None:
    call, run, _ = ACTS[act]
    assert account.server is not None
    account.server.inject(Fault(call=call, cut_after=0))
    run(bucket, Others())  # type: ignore[arg-type]
