"""Uploads over a bad network and to a service that has a bad day."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from b2fast import AbstractUploadSource, Bucket, RawSimulator, RetryPolicy
from b2fast.exception import (
    B2ConnectionError,
    B2Error,
    BadRequest,
    InvalidAuthToken,
    MaxRetriesExceeded,
    ServiceError,
    TooManyRequests,
)
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, Account, new_raw_account
from .wire import connect

SMALL = PART_SIZE
LARGE = 5 * PART_SIZE
PATIENT = RetryPolicy(attempts=8, first_delay=0.001, max_delay=0.01, deadline=20)

MakeFile = Callable[..., Path]
over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
sizes = pytest.mark.parametrize(
    ('size', 'call'),
    [(SMALL, 'b2_upload_file'), (LARGE, 'b2_upload_part')],
    ids=['small', 'large'],
)


def content_of(bucket: Bucket, name: str) -> bytes:
    file = io.BytesIO()
    bucket.download_file_by_name(name).save(file)
    return file.getvalue()


def bucket_of(account: Account, policy: RetryPolicy) -> Bucket:
    return connect(account, policy).get_bucket_by_name('a-bucket')


def inject(account: Account, **fault: object) -> None:
    assert account.server is not None
    account.server.inject(Fault(**fault))  # type: ignore[arg-type]


def versions(bucket: Bucket) -> int:
    return len(list(bucket.list_file_versions('name')))


@over_http
@sizes
@pytest.mark.parametrize('status', [408, 429, 500, 503])
def test_service_that_is_busy_five_times(
    account: Account, bucket: Bucket, make_file: MakeFile, size: int, call: str, status: int
) -> None:
    data = os.urandom(size)
    inject(account, call=call, status=status, count=5)
    bucket_of(account, PATIENT).upload_local_file(make_file(data), 'name')
    assert content_of(bucket, 'name') == data
    assert versions(bucket) == 1


@over_http
@pytest.mark.parametrize(
    'call',
    [
        'b2_get_upload_url',
        'b2_get_upload_part_url',
        'b2_start_large_file',
        'b2_finish_large_file',
    ],
)
def test_other_call_that_is_busy_five_times(account: Account, bucket: Bucket, call: str) -> None:
    data = os.urandom(SMALL if call == 'b2_get_upload_url' else LARGE)
    inject(account, call=call, status=503, count=5)
    bucket_of(account, PATIENT).upload_bytes(data, 'name')
    assert content_of(bucket, 'name') == data


@over_http
@sizes
def test_service_that_stays_busy(
    account: Account, bucket: Bucket, make_file: MakeFile, size: int, call: str
) -> None:
    inject(account, call=call, status=503, count=10_000)
    with pytest.raises(MaxRetriesExceeded) as caught:
        bucket.upload_local_file(make_file(bytes(size)), 'name')
    # QUICK_RETRIES says how often.
    assert caught.value.limit == 5
    assert isinstance(caught.value.exception_info_list[-1], ServiceError)
    assert '503' in str(caught.value)
    assert account.server is not None
    if size == SMALL:
        assert account.server.calls[call] == 5
    assert list(bucket.ls()) == []
    account.server.clear_faults()
    assert bucket.upload_local_file(make_file(bytes(size)), 'name').size == size


@over_http
@pytest.mark.parametrize('call', ['b2_get_upload_url', 'b2_upload_file'])
@pytest.mark.parametrize('status', [429, 503])
def test_retry_after_beyond_the_deadline_is_not_waited_for(
    account: Account, bucket: Bucket, call: str, status: int
) -> None:
    """An hour would be waited for if the header were not read against the deadline."""
    inject(account, call=call, status=status, retry_after=3600, count=10_000)
    hurried = bucket_of(account, RetryPolicy(first_delay=0.001, max_delay=0.01, deadline=30))
    with pytest.raises((MaxRetriesExceeded, ServiceError, TooManyRequests)) as caught:
        hurried.upload_bytes(b'x', 'name')
    if isinstance(caught.value, MaxRetriesExceeded):
        assert caught.value.limit == 1
        assert caught.value.exception_info_list[0].retry_after_seconds == 3600
    assert account.server is not None
    assert account.server.calls[call] == 1


@over_http
@sizes
def test_retry_after_takes_the_place_of_the_pause(
    account: Account, bucket: Bucket, size: int, call: str
) -> None:
    """The policy's own pause would be beyond its deadline."""
    inject(account, call=call, status=503, retry_after=0)
    slow = bucket_of(account, RetryPolicy(first_delay=100, max_delay=100, deadline=40))
    assert slow.upload_bytes(bytes(size), 'name').size == size


@over_http
@sizes
@pytest.mark.parametrize('after', [0, 1, PART_SIZE - 1])
def test_connection_that_is_cut_during_the_content(
    account: Account, bucket: Bucket, make_file: MakeFile, size: int, call: str, after: int
) -> None:
    data = os.urandom(size)
    inject(account, call=call, cut_upload_after=after, count=3)
    bucket.upload_local_file(make_file(data), 'name')
    assert content_of(bucket, 'name') == data
    assert versions(bucket) == 1


@over_http
@sizes
def test_connection_that_is_always_cut(
    account: Account, bucket: Bucket, make_file: MakeFile, size: int, call: str
) -> None:
    inject(account, call=call, cut_upload_after=10, count=10_000)
    with pytest.raises(MaxRetriesExceeded) as caught:
        bucket.upload_local_file(make_file(bytes(size)), 'name')
    assert caught.value.limit == 5
    assert isinstance(caught.value.exception_info_list[-1], ConnectionError)
    assert list(bucket.ls()) == []


@over_http
@pytest.mark.parametrize('after', [0, 20])
def test_lost_answer_to_a_small_file_may_leave_a_second_version(
    account: Account, bucket: Bucket, after: int
) -> None:
    """Nobody can tell it from an upload that did not arrive, so it is sent again."""
    data = os.urandom(SMALL)
    inject(account, call='b2_upload_file', cut_after=after)
    version = bucket.upload_bytes(data, 'name')
    first, second = bucket.list_file_versions('name')
    assert first.id_ == version.id_
    assert first.content_sha1 == second.content_sha1 == hashlib.sha1(data).hexdigest()


@over_http
def test_lost_answer_to_a_part_is_harmless(account: Account, bucket: Bucket) -> None:
    data = os.urandom(LARGE)
    inject(account, call='b2_upload_part', cut_after=0, count=3)
    bucket.upload_bytes(data, 'name')
    assert content_of(bucket, 'name') == data
    assert versions(bucket) == 1


@over_http
@pytest.mark.parametrize('after', [0, 20])
def test_lost_answer_to_the_finish(account: Account, bucket: Bucket, after: int) -> None:
    """The repeated call is refused, since the file is no large file in progress any more."""
    data = os.urandom(LARGE)
    inject(account, call='b2_finish_large_file', cut_after=after)
    version = bucket.upload_bytes(data, 'name')
    assert version.action == 'upload'
    assert version.size == LARGE
    assert [found.id_ for found in bucket.list_file_versions('name')] == [version.id_]
    assert content_of(bucket, 'name') == data
    assert list(bucket.list_unfinished_large_files()) == []


@over_http
@sizes
def test_upload_token_that_expires(account: Account, bucket: Bucket, size: int, call: str) -> None:
    bucket.upload_bytes(b'x', 'a warm upload URL')
    inject(account, call=call, expire_token=True, count=3)
    data = os.urandom(size)
    bucket.upload_bytes(data, 'name')
    assert content_of(bucket, 'name') == data
    assert account.server is not None
    assert account.server.calls['b2_authorize_account'] == 1


@over_http
@sizes
@pytest.mark.parametrize('code', ['bad_auth_token', 'expired_auth_token', 'unauthorized'])
def test_fresh_upload_urls_that_are_refused(
    account: Account, bucket: Bucket, size: int, call: str, code: str
) -> None:
    """Some fresh URLs may be bad; if all are, the reason is a real one and comes out."""
    inject(account, call=call, status=401, code=code, count=2)
    assert bucket.upload_bytes(bytes(size), 'name').size == size
    inject(account, call=call, status=401, code=code, count=10_000)
    with pytest.raises((PermissionError, MaxRetriesExceeded)) as caught:
        bucket.upload_bytes(bytes(size), 'other')
    assert isinstance(caught.value, PermissionError)
    assert account.server is not None
    assert account.server.calls[call] < 60


@over_http
@sizes
def test_upload_url_that_is_in_use(account: Account, bucket: Bucket, size: int, call: str) -> None:
    inject(account, call=call, status=400, code='auth_token_limit', count=2)
    assert bucket.upload_bytes(bytes(size), 'name').size == size


@over_http
@sizes
def test_refusal_is_not_repeated(account: Account, bucket: Bucket, size: int, call: str) -> None:
    inject(account, call=call, status=400, message='no such thing')
    with pytest.raises(BadRequest, match='no such thing'):
        bucket.upload_bytes(bytes(size), 'name')
    assert list(bucket.ls()) == []


@over_http
def test_account_token_that_expires_under_eight_uploads(account: Account, bucket: Bucket) -> None:
    assert account.server is not None
    before = account.server.calls['b2_authorize_account']
    account.server.expire_tokens()
    errors = in_threads(8, lambda number: bucket.upload_bytes(bytes(LARGE), f'name-{number}'))
    assert errors == []
    assert account.server.calls['b2_authorize_account'] == before + 1
    assert len(list(bucket.ls())) == 8


def in_threads(count: int, work: Callable[[int], object]) -> list[BaseException]:
    """Run the work in so many threads at once and return what went wrong."""
    together = threading.Barrier(count)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        together.wait()
        try:
            work(number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


class ShortStream(AbstractUploadSource):
    """Promises more than it has."""

    def __init__(self, promised: int) -> None:
        self.promised = promised

    def get_content_length(self) -> int:
        return self.promised

    def get_content_sha1(self) -> str | None:
        return None

    def open(self) -> io.BytesIO:
        return io.BytesIO(bytes(self.promised - 1))


class BrokenStream(ShortStream):
    """Fails when it is read."""

    def open(self) -> io.BytesIO:
        class Broken(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                raise OSError(5, 'Input/output error')

        return Broken()


@pytest.mark.parametrize('size', [SMALL, LARGE], ids=['small', 'large'])
def test_stream_that_ends_early(bucket: Bucket, size: int) -> None:
    with pytest.raises(B2Error, match='1 bytes early'):
        bucket.upload(ShortStream(size), 'name')
    assert list(bucket.ls()) == []


@pytest.mark.parametrize('size', [SMALL, LARGE], ids=['small', 'large'])
def test_stream_that_fails(bucket: Bucket, size: int) -> None:
    with pytest.raises(OSError, match='Input/output error') as caught:
        bucket.upload(BrokenStream(size), 'name')
    assert caught.value.errno == 5
    assert list(bucket.ls()) == []


def raw_bucket() -> tuple[RawSimulator, Bucket]:
    account = new_raw_account()
    simulator = account.api.raw_api
    assert isinstance(simulator, RawSimulator)
    return simulator, account.api.create_bucket('a-bucket', 'allPrivate')


@pytest.mark.parametrize('size', [SMALL, LARGE], ids=['small', 'large'])
def test_errors_of_the_raw_simulator(size: int) -> None:
    simulator, bucket = raw_bucket()
    errors = [ServiceError('503'), B2ConnectionError('cut'), InvalidAuthToken('no', 'expired')]
    simulator.set_upload_errors(errors)
    data = os.urandom(size)
    bucket.upload_bytes(data, 'name')
    assert content_of(bucket, 'name') == data


def test_raw_simulator_that_stays_busy() -> None:
    simulator, bucket = raw_bucket()
    errors = [ServiceError(str(number)) for number in range(6)]
    simulator.set_upload_errors(errors)
    with pytest.raises(MaxRetriesExceeded) as caught:
        bucket.upload_bytes(b'x', 'name')
    assert caught.value.exception_info_list == errors[:5]
