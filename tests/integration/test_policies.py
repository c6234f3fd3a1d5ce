"""Each kind of call is repeated as its policy says, over both ways that bytes move."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from b2fast import Bucket, RetryPolicies, RetryPolicy, UploadSourceBytes
from b2fast.exception import B2Error, MaxRetriesExceeded
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, Account
from .wire import connect

UPLOADED, LISTED, DOWNLOADED, COPIED = 3, 2, 4, 5


def at_once(attempts: int) -> RetryPolicy:
    return RetryPolicy(attempts=attempts, first_delay=0, max_delay=0)


POLICIES = RetryPolicies(
    calls=at_once(LISTED),
    uploads=at_once(UPLOADED),
    downloads=at_once(DOWNLOADED),
    copies=at_once(COPIED),
)

over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
over_streams = pytest.mark.parametrize('account', ['http-streams'], indirect=True)


def fails(account: Account, call: str, **fault: Any) -> None:
    assert account.server is not None
    account.server.inject(Fault(call=call, count=100_000, **({'status': 503} | fault)))


def small(bucket: Bucket) -> object:
    return bucket.upload_bytes(b'small', 'small')


def two_parts(bucket: Bucket) -> object:
    return bucket.upload_bytes(bytes(2 * PART_SIZE), 'large')


def download(bucket: Bucket) -> object:
    return bucket.download_file_by_name('stored').save(io.BytesIO())


def listing(bucket: Bucket) -> object:
    return list(bucket.ls())


def head(bucket: Bucket) -> object:
    return bucket.get_file_info_by_name('stored')


def copy(bucket: Bucket) -> object:
    file_id = bucket.get_file_info_by_name('stored').id_
    return bucket.api.session.copy_file(file_id, 'copy')


@over_http
@pytest.mark.parametrize(
    ('call', 'act', 'attempts'),
    [
        ('b2_list_file_names', listing, LISTED),
        ('b2_upload_file', small, UPLOADED),
        ('b2_get_upload_url', small, UPLOADED),
        ('b2_start_large_file', two_parts, UPLOADED),
        ('b2_get_upload_part_url', two_parts, UPLOADED),
        ('b2_upload_part', two_parts, UPLOADED),
        ('b2_finish_large_file', two_parts, UPLOADED),
        ('b2_download_file_by_name', download, DOWNLOADED),
        ('b2_download_file_by_name', head, LISTED),
        ('b2_copy_file', copy, COPIED),
    ],
)
def test_every_kind_has_its_own_number_of_attempts(
    account: Account,
    bucket: Bucket,
    call: str,
    act: Callable[[Bucket], object],
    attempts: int,
) -> None:
    bucket.upload_bytes(b'content', 'stored')
    client = connect(account, POLICIES, max_upload_workers=1).get_bucket_by_name('a-bucket')
    assert account.server is not None
    before = account.server.calls[call]
    fails(account, call)
    with pytest.raises(B2Error) as caught:
        act(client)
    assert account.server.calls[call] - before == attempts
    if isinstance(caught.value, MaxRetriesExceeded):
        assert caught.value.limit == attempts
    else:
        assert caught.value.attempts == attempts


@over_http
@pytest.mark.parametrize(
    ('call', 'act', 'kind'),
    [
        ('b2_list_file_names', listing, 'calls'),
        ('b2_upload_file', small, 'uploads'),
        ('b2_get_upload_url', small, 'uploads'),
        ('b2_download_file_by_name', download, 'downloads'),
        ('b2_copy_file', copy, 'copies'),
    ],
)
def test_every_kind_has_its_own_deadline(
    account: Account, bucket: Bucket, call: str, act: Callable[[Bucket], object], kind: str
) -> None:
    """The pause that the service asks for would be beyond it, so nothing is waited for."""
    bucket.upload_bytes(b'content', 'stored')
    hurried = dataclasses.replace(POLICIES, **{kind: RetryPolicy(deadline=30)})
    client = connect(account, hurried).get_bucket_by_name('a-bucket')
    assert account.server is not None
    before = account.server.calls[call]
    fails(account, call, retry_after=31)
    with pytest.raises(B2Error):
        act(client)
    assert account.server.calls[call] - before == 1


class Time:
    """Takes the place of the module; time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    fake = SimpleNamespace(monotonic=time.monotonic, sleep=time.sleep)
    monkeypatch.setattr('b2fast.retry.time', fake)
    monkeypatch.setattr('b2fast.b2http.time', fake)
    monkeypatch.setattr('b2fast.cancel.time', fake)
    return time


@over_streams
@pytest.mark.parametrize(
    ('call', 'act'),
    [
        ('b2_list_file_names', listing),
        ('b2_upload_file', small),
        ('b2_get_upload_url', small),
        ('b2_upload_part', two_parts),
        ('b2_download_file_by_name', download),
    ],
)
def test_the_deadline_ends_what_fails_for_ever(
    account: Account,
    bucket: Bucket,
    clock: Time,
    call: str,
    act: Callable[[Bucket], object],
) -> None:
    bucket.upload_bytes(b'content', 'stored')
    policy = RetryPolicy(attempts=10_000, first_delay=10, max_delay=10, deadline=300)
    client = connect(account, policy).get_bucket_by_name('a-bucket')
    fails(account, call)
    before = clock.now
    with pytest.raises(B2Error):
        act(client)
    assert 290 <= clock.now - before <= 300


@over_streams
def test_bytes_that_move_put_the_deadline_off(
    account: Account, bucket: Bucket, clock: Time
) -> None:
    # More than one of the pieces that are read at a time arrives in each answer.
    data = bytes(5_000_000)
    bucket.upload(UploadSourceBytes(data), 'stored', min_part_size=5_000_000)
    policy = RetryPolicy(attempts=3, first_delay=10, factor=1, max_delay=10, deadline=11)
    client = connect(account, policy).get_bucket_by_name('a-bucket')
    assert account.server is not None
    account.server.inject(Fault(call='b2_download_file_by_name', cut_after=1_100_000))
    account.server.inject(Fault(call='b2_download_file_by_id', cut_after=1_100_000, count=2))
    received = io.BytesIO()
    client.download_file_by_name('stored').save(received)
    assert received.getvalue() == data
    assert clock.now > 11


@over_http
def test_a_policy_for_everything_is_one_for_each_kind(account: Account) -> None:
    policy = RetryPolicy.fail_fast()
    assert connect(account, policy).session.retry_policies == RetryPolicies.same(policy)
