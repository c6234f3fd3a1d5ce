from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from b2fast.account_info import InMemoryAccountInfo
from b2fast.api_config import B2HttpApiConfig
from b2fast.b2http import B2Http
from b2fast.cache import AuthInfoCache, InMemoryCache
from b2fast.exception import (
    B2ConnectionError,
    EmailNotVerified,
    FileNotPresent,
    InvalidAuthToken,
    MissingAccountData,
    ServiceError,
    Unauthorized,
)
from b2fast.raw_api import ALL_CAPABILITIES, AbstractRawApi, B2RawHTTPApi
from b2fast.reauthorization import Reauthorizer
from b2fast.retry import RetryPolicies, Timeouts
from b2fast.session import B2Session
from b2fast.simulator import RawSimulator

from ..helpers import run_in_threads

EXPIRED = InvalidAuthToken('too old', 'expired_auth_token')


def storage_api(**allowed: Any) -> dict[str, Any]:
    return {
        'apiUrl': 'http://api',
        'downloadUrl': 'http://download',
        's3ApiUrl': 'http://s3',
        'recommendedPartSize': 100,
        'absoluteMinimumPartSize': 5,
        'allowed': {
            'buckets': None,
            'capabilities': ALL_CAPABILITIES,
            'namePrefix': None,
            **allowed,
        },
    }


class FakeRawApi(AbstractRawApi):
    """Gives out numbered tokens and takes the newest alone; fails where it is told."""

    def __init__(self) -> None:
        self.valid: set[str] = set()
        self.calls: list[tuple[Any, ...]] = []
        self.failures: list[Exception] = []
        self.allowed: dict[str, Any] = {}
        self.account_id = 'account'
        self.on_authorize: Callable[[], None] = lambda: None
        self._numbers = iter(range(1000))

    def _fail_if_told(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    def authorize_account(
        self, realm_url: str, application_key_id: str, application_key: str
    ) -> dict[str, Any]:
        self.calls.append(('authorize', realm_url, application_key_id, application_key))
        self.on_authorize()
        token = f'token-{next(self._numbers)}'
        self.valid = {token}
        return {
            'accountId': self.account_id,
            'authorizationToken': token,
            'apiInfo': {'storageApi': storage_api(**self.allowed)},
        }

    def list_buckets(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        bucket_id: str | None = None,
        bucket_name: str | None = None,
    ) -> dict[str, Any]:
        self.calls.append(('list_buckets', api_url, account_auth_token, account_id))
        if account_auth_token not in self.valid:
            raise EXPIRED
        self._fail_if_told()
        return {'buckets': [account_auth_token]}

    def get_file_info_by_name(
        self, download_url: str, account_auth_token: str, bucket_name: str, file_name: str
    ) -> dict[str, Any]:
        self.calls.append(('head', download_url, account_auth_token, bucket_name, file_name))
        self._fail_if_told()
        return {'X-Bz-File-Id': '4_z'}

    def get_upload_url(
        self, api_url: str, account_auth_token: str, bucket_id: str
    ) -> dict[str, Any]:
        self.calls.append(('get_upload_url', account_auth_token))
        if account_auth_token not in self.valid:
            raise EXPIRED
        number = next(self._numbers)
        return {'uploadUrl': f'pod-{number}', 'authorizationToken': f'upload-{number}'}

    def get_upload_part_url(
        self, api_url: str, account_auth_token: str, file_id: str
    ) -> dict[str, Any]:
        return self.get_upload_url(api_url, account_auth_token, file_id)

    def upload_file(
        self, upload_url: str, upload_auth_token: str, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        stream = args[5]
        self.calls.append(('upload', upload_url, stream.read()))
        self._fail_if_told()
        return {'fileId': '4_z', 'kwargs': kwargs}

    def upload_part(
        self, upload_url: str, upload_auth_token: str, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        self.calls.append(('part', upload_url, args[3].read()))
        self._fail_if_told()
        return {'partNumber': args[0]}

    def start_large_file(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self.calls.append(('start', args, kwargs))
        return {}

    @property
    def names(self) -> list[str]:
        return [call[0] for call in self.calls]


# What no test calls.
for _name in FakeRawApi.__abstractmethods__:
    setattr(FakeRawApi, _name, None)
FakeRawApi.__abstractmethods__ = frozenset()


@pytest.fixture
def raw_api() -> FakeRawApi:
    return FakeRawApi()


@pytest.fixture
def session(raw_api: FakeRawApi) -> B2Session:
    session = B2Session(api_config=B2HttpApiConfig(_raw_api_class=lambda: raw_api))
    session.authorize_account('production', 'key id', 'key')
    raw_api.calls.clear()
    return session


# Authorization


def test_nothing_works_before_an_authorization(raw_api: FakeRawApi) -> None:
    session = B2Session(api_config=B2HttpApiConfig(_raw_api_class=lambda: raw_api))
    with pytest.raises(MissingAccountData, match='api_url'):
        session.list_buckets('account')
    with pytest.raises(MissingAccountData, match='download_url'):
        session.get_download_url_by_name('bucket', 'name')
    assert session.authorize_automatically() is False
    assert raw_api.calls == []


@pytest.mark.parametrize(
    ('realm', 'url'),
    [
        ('production', 'https://api.backblazeb2.com'),
        ('http://127.0.0.1:8080', 'http://127.0.0.1:8080'),
        ('http://127.0.0.1:8080/', 'http://127.0.0.1:8080'),
    ],
)
def test_realms(session: B2Session, raw_api: FakeRawApi, realm: str, url: str) -> None:
    session.authorize_account(realm, 'key id', 'key')
    assert raw_api.calls == [('authorize', url, 'key id', 'key')]
    assert session.account_info.get_realm() == realm


def test_an_authorization_is_kept(session: B2Session) -> None:
    info = session.account_info
    assert info.get_account_id() == 'account'
    assert info.get_account_auth_token() == 'token-0'
    assert info.get_api_url() == 'http://api'
    assert info.get_download_url() == 'http://download'
    assert info.get_s3_api_url() == 'http://s3'
    assert info.get_recommended_part_size() == 100
    assert info.get_absolute_minimum_part_size() == 5
    assert info.get_application_key() == 'key'
    assert session.get_download_url_by_name('b', 'a b') == 'http://download/file/b/a%20b'
    assert session.authorize_automatically() is True
    assert info.get_account_auth_token() == 'token-1'


def test_bucket_names_of_another_account_are_forgotten(
    session: B2Session, raw_api: FakeRawApi
) -> None:
    info = session.account_info
    info.refresh_entire_bucket_name_cache([('one', '1')])
    session.authorize_account('production', 'another key', 'key')
    assert info.list_bucket_names_ids() == [('one', '1')]
    raw_api.account_id = 'another account'
    session.authorize_account('production', 'another key', 'key')
    assert info.list_bucket_names_ids() == []


def test_calls_get_url_and_token(session: B2Session, raw_api: FakeRawApi) -> None:
    assert session.list_buckets('account') == {'buckets': ['token-0']}
    session.get_file_info_by_name('bucket', 'name')
    assert raw_api.calls == [
        ('list_buckets', 'http://api', 'token-0', 'account'),
        ('head', 'http://download', 'token-0', 'bucket', 'name'),
    ]


# Expired tokens


def test_an_expired_token_is_replaced(session: B2Session, raw_api: FakeRawApi) -> None:
    raw_api.valid.clear()
    assert session.list_buckets('account') == {'buckets': ['token-1']}
    assert raw_api.names == ['list_buckets', 'authorize', 'list_buckets']


def test_a_token_that_never_works_is_replaced_once(session: B2Session, raw_api: FakeRawApi) -> None:
    raw_api.failures = [EXPIRED, EXPIRED, EXPIRED]
    with pytest.raises(InvalidAuthToken):
        session.list_buckets('account')
    assert raw_api.names == ['list_buckets', 'authorize', 'list_buckets']


def test_a_refusal_without_a_code_may_be_an_expired_token(
    session: B2Session, raw_api: FakeRawApi
) -> None:
    raw_api.failures = [Unauthorized(None, None)]
    session.get_file_info_by_name('bucket', 'name')
    assert raw_api.names == ['head', 'authorize', 'head']


def test_sixteen_threads_authorize_once(session: B2Session, raw_api: FakeRawApi) -> None:
    raw_api.valid.clear()
    start = threading.Barrier(16)
    tokens: list[str] = []

    def call() -> None:
        start.wait()
        tokens.extend(session.list_buckets('account')['buckets'])

    run_in_threads(16, call)
    assert tokens == ['token-1'] * 16
    assert raw_api.names.count('authorize') == 1


def test_authorize_again_gives_a_newer_token(session: B2Session, raw_api: FakeRawApi) -> None:
    assert session.authorize_again(None) == 'token-0'
    assert raw_api.calls == []
    assert session.authorize_again('token-0') == 'token-1'
    assert session.authorize_again('token-0') == 'token-1'
    assert session.authorize_again(None) == 'token-1'
    assert raw_api.names == ['authorize']


class CountingLock:
    """A lock that tells when a number of threads have come to it."""

    def __init__(self, expected: int) -> None:
        self._lock = threading.Lock()
        self._mutex = threading.Lock()
        self._missing = expected
        self.all_here = threading.Event()

    def acquire(self) -> bool:
        with self._mutex:
            self._missing -= 1
            if self._missing == 0:
                self.all_here.set()
        return self._lock.acquire()

    def release(self) -> None:
        self._lock.release()


def test_a_failed_authorization_fails_all_who_waited() -> None:
    lock = CountingLock(8)
    attempts: list[int] = []
    errors: list[Exception] = []

    def authorize() -> None:
        attempts.append(1)
        assert lock.all_here.wait(30)
        raise B2ConnectionError('no network')

    reauthorizer = Reauthorizer(lambda: 'old', authorize)
    reauthorizer._lock = lock  # type: ignore[assignment]

    def call() -> None:
        try:
            reauthorizer.token_newer_than('old')
        except B2ConnectionError as error:
            errors.append(error)

    run_in_threads(8, call)
    assert len(attempts) == 1
    assert [str(error) for error in errors] == ['Connection error: no network'] * 8
    assert len({id(error) for error in errors}) == 8, 'each thread has its own traceback'

    with pytest.raises(B2ConnectionError):
        reauthorizer.token_newer_than('old')
    assert len(attempts) == 2, 'who comes later tries again'


def test_a_lock_held_at_a_fork_does_not_block_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = ['old']
    reauthorizer = Reauthorizer(lambda: tokens[-1], lambda: tokens.append('new'))
    with reauthorizer._lock:
        monkeypatch.setattr(os, 'getpid', lambda: -1)
        assert reauthorizer.token_newer_than('old') == 'new'


# Refusals


def refusal(session: B2Session, raw_api: FakeRawApi, error: Unauthorized) -> Unauthorized:
    raw_api.failures = [error]
    with pytest.raises(Unauthorized) as caught:
        session.list_buckets('account')
    assert raw_api.names.count('authorize') == 0
    return caught.value


@pytest.mark.parametrize(
    ('allowed', 'words'),
    [
        ({}, 'with no restrictions'),
        ({'buckets': []}, 'with no restrictions'),
        ({'capabilities': list(reversed(ALL_CAPABILITIES))}, 'with no restrictions'),
        ({'namePrefix': 'pre'}, "restricted to files that start with 'pre'"),
        (
            {'buckets': [{'id': '1', 'name': 'one'}, {'id': '2', 'name': None}]},
            "restricted to buckets ['one', None]",
        ),
        (
            {
                'capabilities': ['listFiles', 'readFiles'],
                'buckets': [{'id': '1', 'name': 'one'}],
                'namePrefix': 'pre',
            },
            "with capabilities 'listFiles,readFiles', restricted to buckets ['one'], "
            "restricted to files that start with 'pre'",
        ),
    ],
)
def test_a_refusal_tells_the_restrictions(
    session: B2Session, raw_api: FakeRawApi, allowed: dict[str, Any], words: str
) -> None:
    raw_api.allowed = allowed
    session.authorize_account('production', 'key id', 'key')
    raw_api.calls.clear()
    error = refusal(session, raw_api, Unauthorized('no', 'unauthorized'))
    assert str(error) == f'no for application key {words} (unauthorized)'


def test_a_refusal_keeps_its_class_and_finds_words(session: B2Session, raw_api: FakeRawApi) -> None:
    error = refusal(session, raw_api, EmailNotVerified('', 'email_not_verified'))
    assert type(error) is EmailNotVerified
    assert str(error).startswith('unauthorized for application key ')


# Uploads


def upload(session: B2Session, stream: Any, **more: Any) -> Any:
    return session.upload_file('bid', 'name', 4, 'type', 'sha1', {}, stream, **more)


def test_an_upload_url_is_used_again(session: B2Session, raw_api: FakeRawApi) -> None:
    upload(session, io.BytesIO(b'data'))
    upload(session, io.BytesIO(b'more'))
    assert raw_api.names == ['get_upload_url', 'upload', 'upload']
    assert raw_api.calls[1][1] == raw_api.calls[2][1]


def test_a_url_that_failed_is_not_used_again(session: B2Session, raw_api: FakeRawApi) -> None:
    raw_api.failures = [ServiceError('503')]
    with pytest.raises(ServiceError):
        upload(session, io.BytesIO(b'data'))
    upload(session, io.BytesIO(b'data'))
    assert raw_api.names == ['get_upload_url', 'upload', 'get_upload_url', 'upload']


def test_an_expired_upload_url_is_replaced_and_the_stream_rewound(
    session: B2Session, raw_api: FakeRawApi
) -> None:
    session.account_info.put_bucket_upload_url('bid', 'older', 'token')
    session.account_info.put_bucket_upload_url('bid', 'old', 'token')
    raw_api.failures = [EXPIRED]
    stream = io.BytesIO(b'skip' + b'data')
    stream.seek(4)
    upload(session, stream)
    assert raw_api.names == ['upload', 'get_upload_url', 'upload']
    assert [call[2] for call in raw_api.calls if call[0] == 'upload'] == [b'data', b'data']
    fresh, _ = session.account_info.take_bucket_upload_url('bid')
    assert fresh is not None
    assert fresh.startswith('pod-')
    assert session.account_info.take_bucket_upload_url('bid') == (None, None)


def test_an_upload_survives_an_expired_account_token(
    session: B2Session, raw_api: FakeRawApi
) -> None:
    raw_api.valid.clear()
    upload(session, io.BytesIO(b'data'))
    assert raw_api.names == ['get_upload_url', 'authorize', 'get_upload_url', 'upload']


class Unseekable:
    def read(self, size: int = -1) -> bytes:
        return b'data'


def test_a_stream_that_cannot_be_rewound_is_sent_once(
    session: B2Session, raw_api: FakeRawApi
) -> None:
    session.account_info.put_bucket_upload_url('bid', 'old', 'token')
    raw_api.failures = [EXPIRED]
    with pytest.raises(InvalidAuthToken):
        upload(session, Unseekable())
    assert raw_api.names == ['upload']


def test_a_refused_upload_tells_the_restrictions(session: B2Session, raw_api: FakeRawApi) -> None:
    raw_api.failures = [Unauthorized('no', 'unauthorized')]
    with pytest.raises(Unauthorized, match='no for application key with no restrictions'):
        upload(session, io.BytesIO(b'data'))


def test_parts_have_upload_urls_of_their_own(session: B2Session, raw_api: FakeRawApi) -> None:
    session.account_info.put_bucket_upload_url('fid', 'of a bucket', 'token')
    for _ in range(2):
        session.upload_part('fid', 1, 4, 'sha1', io.BytesIO(b'data'))
    assert raw_api.names == ['get_upload_url', 'part', 'part']


def test_only_a_given_timestamp_is_passed_on(session: B2Session, raw_api: FakeRawApi) -> None:
    session.start_large_file('bid', 'name', 'type', {})
    session.start_large_file('bid', 'name', 'type', {}, custom_upload_timestamp=7)
    without, with_ = (call[2] for call in raw_api.calls)
    assert 'custom_upload_timestamp' not in without
    assert with_['custom_upload_timestamp'] == 7


def test_other_errors_pass(session: B2Session, raw_api: FakeRawApi) -> None:
    raw_api.failures = [FileNotPresent()]
    with pytest.raises(FileNotPresent):
        session.get_file_info_by_name('bucket', 'name')


# Construction


@pytest.fixture
def http_session() -> Iterator[B2Session]:
    session = B2Session(api_config=B2HttpApiConfig(timeouts=Timeouts(idle=7)))
    yield session
    assert isinstance(session.raw_api, B2RawHTTPApi)
    session.raw_api.b2_http.session.close()


def test_defaults(http_session: B2Session) -> None:
    assert isinstance(http_session.account_info, InMemoryAccountInfo)
    assert isinstance(http_session.cache, AuthInfoCache)
    assert isinstance(http_session.raw_api, B2RawHTTPApi)
    assert isinstance(http_session.raw_api.b2_http, B2Http)
    assert http_session.retry_policies == RetryPolicies()
    assert http_session.timeouts == Timeouts(idle=7)


def test_an_empty_cache_is_still_a_cache(raw_api: FakeRawApi) -> None:
    class Sized(InMemoryCache):
        def __len__(self) -> int:
            return len(self.name_id_map)

    cache = Sized()
    config = B2HttpApiConfig(_raw_api_class=lambda: raw_api)
    assert B2Session(cache=cache, api_config=config).cache is cache


def test_the_engine_is_that_of_the_raw_api(http_session: B2Session, session: B2Session) -> None:
    engine = http_session.transfer_engine(3)
    assert engine is not None
    assert http_session.transfer_engine(3) is engine
    assert session.transfer_engine(3) is None


def test_the_raw_api_may_be_a_class_or_a_callable(raw_api: FakeRawApi) -> None:
    class Http(B2Http):
        pass

    class OwnSession(B2Session):
        B2HTTP_CLASS = Http

    class OwnRawApi(B2RawHTTPApi):
        pass

    class Recording(RawSimulator):
        def __init__(self, b2_http: B2Http) -> None:
            super().__init__(b2_http)
            self.b2_http = b2_http

    def made_by(make: Callable[..., AbstractRawApi]) -> AbstractRawApi:
        return OwnSession(api_config=B2HttpApiConfig(_raw_api_class=make)).raw_api

    for takes_http in (OwnRawApi, Recording):
        own = made_by(takes_http)
        assert isinstance(own, takes_http)
        assert isinstance(own.b2_http, Http)
        own.b2_http.session.close()
    for plain in (FakeRawApi, RawSimulator):
        assert isinstance(made_by(plain), plain)
    given: list[Any] = []
    assert made_by(lambda: raw_api) is raw_api
    assert made_by(lambda http: given.append(http) or raw_api) is raw_api
    assert made_by(lambda http=None: given.append(http) or raw_api) is raw_api
    assert made_by(lambda *args: given.extend(args) or raw_api) is raw_api
    assert made_by(lambda *, other=None: given.append(other) or raw_api) is raw_api
    assert [type(http) for http in given] == [Http, Http, Http, type(None)]


def test_a_callable_that_fails_is_called_once() -> None:
    calls: list[Any] = []

    def make(http: B2Http) -> AbstractRawApi:
        calls.append(http)
        raise TypeError('from within')

    with pytest.raises(TypeError, match='from within'):
        B2Session(api_config=B2HttpApiConfig(_raw_api_class=make))
    assert len(calls) == 1
