"""The faithful profile in the process, as programs and their tests use it."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests

from b2fast import (
    B2Api,
    B2HttpApiConfig,
    B2RawHTTPApi,
    FaithfulSimulator,
    InMemoryAccountInfo,
    RetryPolicies,
    RetryPolicy,
)
from b2fast.exception import (
    B2ConnectionError,
    B2RequestTimeout,
    ChecksumMismatch,
    InvalidAuthToken,
    MaxRetriesExceeded,
    NonExistentBucket,
    TooManyRequests,
    Unauthorized,
)
from b2fast.simulator import Fault

from ..helpers import Clock, sha1_of

PAGE = Path(__file__).parents[2] / 'docs' / 'simulator.md'
NOW = 1_700_000_000_000
ONE_ATTEMPT = RetryPolicies.same(RetryPolicy(attempts=1))


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError('a socket was made')

    monkeypatch.setattr(socket, 'socket', refuse)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def simulator(clock: Clock) -> FaithfulSimulator:
    return FaithfulSimulator(
        clock=clock, minimum_part_size=10, recommended_part_size=100, token_lifetime=100
    )


def authorized(simulator: FaithfulSimulator, config: B2HttpApiConfig | None = None) -> B2Api:
    api = B2Api(
        InMemoryAccountInfo(),
        api_config=config or B2HttpApiConfig(_raw_api_class=lambda: simulator),
    )
    api.authorize_account(simulator.key_id, simulator.key)
    return api


def once(simulator: FaithfulSimulator) -> B2Api:
    return authorized(
        simulator, B2HttpApiConfig(simulator.session, retry_policy=RetryPolicy(attempts=1))
    )


def content_of(api: B2Api, name: str) -> bytes:
    target = BytesIO()
    api.get_bucket_by_name('a-bucket').download_file_by_name(name).save(target)
    return target.getvalue()


class TestUse:
    def test_as_raw_api(self, simulator: FaithfulSimulator) -> None:
        api = authorized(simulator)
        bucket = api.create_bucket('a-bucket', 'allPrivate')
        bucket.upload_bytes(b'x' * 250, 'large')
        assert content_of(api, 'large') == b'x' * 250
        assert api.session.raw_api is simulator
        assert api.session.transfer_engine(1) is None
        assert simulator.calls['b2_upload_part'] == 3
        assert simulator.requests[-1].call == 'b2_download_file_by_name'

    def test_as_class(self) -> None:
        config = B2HttpApiConfig(_raw_api_class=FaithfulSimulator, retry_policy=ONE_ATTEMPT)
        api = B2Api(InMemoryAccountInfo(), api_config=config)
        simulator = api.session.raw_api
        assert isinstance(simulator, FaithfulSimulator)
        assert api.session.retry_policies == ONE_ATTEMPT
        api.authorize_account(*simulator.create_account())
        assert api.list_buckets() == []

    def test_by_sessions(self, simulator: FaithfulSimulator) -> None:
        api = authorized(simulator, B2HttpApiConfig(simulator.session))
        assert type(api.session.raw_api) is B2RawHTTPApi
        api.create_bucket('a-bucket', 'allPrivate').upload_bytes(b'content', 'name')
        assert content_of(api, 'name') == b'content'

    def test_one_service_for_all_clients(self, simulator: FaithfulSimulator) -> None:
        authorized(simulator).create_bucket('a-bucket', 'allPrivate')
        other = authorized(simulator, B2HttpApiConfig(simulator.session))
        assert [bucket.name for bucket in other.list_buckets()] == ['a-bucket']

    def test_accounts_see_their_own(self, simulator: FaithfulSimulator) -> None:
        api = authorized(simulator)
        api.create_bucket('a-bucket', 'allPrivate')
        api.authorize_account(*simulator.create_account())
        assert api.list_buckets() == []

    def test_chosen_key(self) -> None:
        simulator = FaithfulSimulator(key_id='id', key='secret')
        assert (simulator.key_id, simulator.key) == ('id', 'secret')
        assert 'secret' not in repr(simulator)
        authorized(simulator)

    def test_limits_are_those_of_the_service(self) -> None:
        info = authorized(FaithfulSimulator()).account_info
        assert info.get_absolute_minimum_part_size() == 5_000_000
        assert info.get_recommended_part_size() == 100_000_000

    def test_refusals_are_those_of_the_service(self, simulator: FaithfulSimulator) -> None:
        with pytest.raises(NonExistentBucket):
            authorized(simulator).get_bucket_by_name('no-such-bucket')
        simulator.key = 'wrong'
        with pytest.raises(Unauthorized):
            authorized(simulator)


def test_example_of_the_docs() -> None:
    example = re.search(
        r'```python\n((?:(?!```).)*FaithfulSimulator.*?)```', PAGE.read_text(), re.DOTALL
    )
    assert example is not None
    names: dict[str, Any] = {}
    exec(example[1], names)  # noqa: S102
    assert content_of(names['api'], 'name') == b'content'


class TestTime:
    def test_tokens_expire_by_the_clock(self, clock: Clock, simulator: FaithfulSimulator) -> None:
        api = authorized(simulator)
        clock.now += 100_000
        api.list_buckets()
        assert simulator.calls['b2_authorize_account'] == 2

    @pytest.mark.parametrize('which', ['one', 'all'])
    def test_tokens_expire_on_demand(self, simulator: FaithfulSimulator, which: str) -> None:
        api = authorized(simulator)
        token = api.account_info.get_account_auth_token()
        if which == 'one':
            simulator.expire_auth_token(token)
        else:
            simulator.expire_tokens()
        with pytest.raises(InvalidAuthToken):
            simulator.list_buckets('http://anywhere', token, simulator.account_id)
        assert api.list_buckets() == []


class TestFaults:
    def test_status(self, simulator: FaithfulSimulator) -> None:
        api = once(simulator)
        simulator.inject(Fault(call='b2_list_buckets', status=429, retry_after=7))
        with pytest.raises(TooManyRequests) as caught:
            api.list_buckets()
        assert caught.value.retry_after_seconds == 7
        assert api.list_buckets() == []

    def test_faults_are_forgotten(self, simulator: FaithfulSimulator) -> None:
        api = once(simulator)
        simulator.inject(Fault(call='b2_list_buckets', status=500))
        simulator.clear_faults()
        assert api.list_buckets() == []

    def test_lost_answer(self, simulator: FaithfulSimulator) -> None:
        api = once(simulator)
        simulator.inject(Fault(call='b2_create_bucket', cut_after=0))
        with pytest.raises(B2ConnectionError, match='without response'):
            api.create_bucket('a-bucket', 'allPrivate')
        assert [bucket.name for bucket in api.list_buckets()] == ['a-bucket']

    def test_truncated_answer(self, simulator: FaithfulSimulator) -> None:
        api = once(simulator)
        simulator.inject(Fault(call='b2_list_buckets', cut_after=5))
        with pytest.raises(B2ConnectionError):
            api.list_buckets()

    @pytest.mark.parametrize('cut_after', [0, 1, 99])
    def test_download_goes_on_where_it_was_cut(
        self, simulator: FaithfulSimulator, cut_after: int
    ) -> None:
        api = authorized(simulator)
        api.create_bucket('a-bucket', 'allPrivate').upload_bytes(bytes(range(100)), 'name')
        simulator.inject(Fault(call='b2_download_file_by_name', cut_after=cut_after))
        assert content_of(api, 'name') == bytes(range(100))

    def test_cut_behind_the_end_cuts_nothing(self, simulator: FaithfulSimulator) -> None:
        api = once(simulator)
        api.create_bucket('a-bucket', 'allPrivate').upload_bytes(b'content', 'name')
        simulator.inject(Fault(call='b2_download_file_by_name', cut_after=7))
        assert content_of(api, 'name') == b'content'

    def test_flipped_byte(self, simulator: FaithfulSimulator) -> None:
        api = once(simulator)
        bucket = api.create_bucket('a-bucket', 'allPrivate')
        bucket.upload_bytes(b'content', 'name')
        simulator.inject(Fault(call='b2_download_file_by_name', flip_at=2))
        with pytest.raises(ChecksumMismatch):
            content_of(api, 'name')
        assert content_of(api, 'name') == b'content'

    @pytest.mark.parametrize('size', [7, 250])
    def test_upload_whose_connection_breaks(self, simulator: FaithfulSimulator, size: int) -> None:
        api = authorized(simulator)
        bucket = api.create_bucket('a-bucket', 'allPrivate')
        simulator.inject(Fault(call='b2_upload_*', cut_upload_after=3, count=2))
        bucket.upload_bytes(b'x' * size, 'name')
        assert content_of(api, 'name') == b'x' * size
        broken = [request for request in simulator.requests if request.status is None]
        assert len(broken) == 2


class TestFaultsOfTheNetwork:
    """Nobody waits for them."""

    @pytest.mark.parametrize(
        ('fault', 'error'),
        [
            ({'reset_after': 0}, B2ConnectionError),
            ({'reset_after': 5}, B2ConnectionError),
            ({'stall_after': 0}, B2RequestTimeout),
            ({'stall_after': 5}, B2RequestTimeout),
            ({'delay': 1000.0}, B2RequestTimeout),
        ],
    )
    def test_call(
        self, simulator: FaithfulSimulator, fault: dict[str, Any], error: type[Exception]
    ) -> None:
        api = once(simulator)
        simulator.inject(Fault(call='b2_list_buckets', **fault))
        with pytest.raises(error):
            api.list_buckets()
        assert api.list_buckets() == []

    def test_delay_that_a_client_waits_for(self, simulator: FaithfulSimulator) -> None:
        api = once(simulator)
        simulator.inject(Fault(call='b2_list_buckets', delay=100.0))
        assert api.list_buckets() == []

    @pytest.mark.parametrize('after', [0, 1, 50])
    @pytest.mark.parametrize('kind', ['reset_after', 'stall_after'])
    def test_download_goes_on(self, simulator: FaithfulSimulator, kind: str, after: int) -> None:
        api = authorized(simulator)
        api.create_bucket('a-bucket', 'allPrivate').upload_bytes(bytes(range(100)), 'name')
        simulator.inject(Fault(call='b2_download_file_by_name', **{kind: after}))
        assert content_of(api, 'name') == bytes(range(100))

    @pytest.mark.parametrize(
        'kind', ['cut_upload_after', 'reset_upload_after', 'stall_upload_after']
    )
    def test_upload_is_repeated(self, simulator: FaithfulSimulator, kind: str) -> None:
        api = authorized(simulator)
        bucket = api.create_bucket('a-bucket', 'allPrivate')
        simulator.inject(Fault(call='b2_upload_file', **{kind: 3}))
        bucket.upload_bytes(b'content', 'name')
        assert content_of(api, 'name') == b'content'

    def test_upload_that_arrives_damaged(self, simulator: FaithfulSimulator) -> None:
        api = once(simulator)
        bucket = api.create_bucket('a-bucket', 'allPrivate')
        simulator.inject(Fault(call='b2_upload_file', flip_upload_at=3))
        with pytest.raises(MaxRetriesExceeded, match='Sha1 did not match data received'):
            bucket.upload_bytes(b'content', 'name')
        assert list(bucket.ls()) == []


class Sender:
    """Uploads by hand, with a session of the simulator."""

    def __init__(self, simulator: FaithfulSimulator) -> None:
        api = authorized(simulator)
        bucket = api.create_bucket('a-bucket', 'allPublic')
        target = simulator.get_upload_url(
            'http://anywhere', api.account_info.get_account_auth_token(), bucket.id_
        )
        self.session = simulator.session()
        self.url = target['uploadUrl']
        self.headers = {
            'Authorization': target['authorizationToken'],
            'X-Bz-File-Name': 'name',
            'Content-Type': 'text/plain',
        }

    def send(self, data: Any, **headers: str) -> requests.Response:
        more = {name.replace('_', '-'): value for name, value in headers.items()}
        request = requests.Request('POST', self.url, self.headers | more, data=data)
        prepared = self.session.prepare_request(request)
        # requests counts for itself, whatever it is told.
        prepared.headers.update(more)
        return self.session.send(prepared)

    def stored(self) -> bytes:
        return self.session.get('https://files.example/file/a-bucket/name').content


@pytest.fixture
def sender(simulator: FaithfulSimulator) -> Sender:
    return Sender(simulator)


class TestUploadsByHand:
    def test_digest_at_the_end(self, sender: Sender) -> None:
        data = b'content' + sha1_of(b'content').encode()
        answer = sender.send(data, X_Bz_Content_Sha1='hex_digits_at_end').json()
        assert (answer['contentLength'], answer['contentSha1']) == (7, sha1_of(b'content'))
        assert sender.stored() == b'content'

    def test_wrong_digest_at_the_end(self, sender: Sender) -> None:
        data = b'content' + sha1_of(b'other').encode()
        answer = sender.send(data, X_Bz_Content_Sha1='hex_digits_at_end')
        assert (answer.status_code, answer.json()['code']) == (400, 'bad_request')

    @pytest.mark.parametrize('make', [bytes, BytesIO], ids=['bytes', 'stream'])
    def test_pieces(self, sender: Sender, make: Callable[[bytes], Any]) -> None:
        data = bytes(range(250)) * 10_000
        answer = sender.send(make(data), X_Bz_Content_Sha1=hashlib.sha1(data).hexdigest())
        assert answer.status_code == 200
        assert sender.stored() == data

    def test_no_chunks(self, sender: Sender) -> None:
        answer = sender.send(iter([b'content']), X_Bz_Content_Sha1='do_not_verify')
        assert answer.status_code == 400
        assert 'chunked' in answer.json()['message']

    def test_less_than_announced(self, sender: Sender) -> None:
        with pytest.raises(requests.ReadTimeout, match='3 bytes'):
            sender.send(b'content', X_Bz_Content_Sha1='do_not_verify', Content_Length='10')

    def test_more_than_announced(self, sender: Sender) -> None:
        sender.send(b'content', X_Bz_Content_Sha1='do_not_verify', Content_Length='4')
        assert sender.stored() == b'cont'

    def test_head(self, sender: Sender) -> None:
        sender.send(b'content', X_Bz_Content_Sha1='do_not_verify')
        answer = sender.session.head('https://files.example/file/a-bucket/name')
        assert (answer.status_code, answer.headers['Content-Length'], answer.content) == (
            200,
            '7',
            b'',
        )

    def test_range(self, sender: Sender) -> None:
        sender.send(b'content', X_Bz_Content_Sha1='do_not_verify')
        answer = sender.session.get(
            'https://files.example/file/a-bucket/name', headers={'Range': 'bytes=2-3'}
        )
        assert (answer.status_code, answer.content) == (206, b'nt')
        assert answer.headers['Content-Range'] == 'bytes 2-3/7'
