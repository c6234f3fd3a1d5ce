"""What goes to another process, and what stays."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

import b2fast
from b2fast import (
    B2Api,
    B2HttpApiConfig,
    DummyCache,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    InMemoryAccountInfo,
    InMemoryCache,
    RawSimulator,
    RetryPolicies,
    RetryPolicy,
    SimulatorServer,
    StubAccountInfo,
    Timeouts,
    UploadUrlPool,
)
from b2fast.b2http import HttpCallback
from b2fast.exception import MissingAccountData

from ..helpers import through_pickle

KEY, TOKEN, UPLOAD_TOKEN = 'the-application-key', 'the-account-token', 'the-upload-token'


def known_account(info: Any) -> Any:
    info.set_auth_data(
        account_id='account',
        auth_token=TOKEN,
        api_url='http://api',
        download_url='http://download',
        recommended_part_size=100,
        absolute_minimum_part_size=5,
        application_key=KEY,
        realm='production',
        s3_api_url='http://s3',
        allowed=info.DEFAULT_ALLOWED,
        application_key_id='key-id',
    )
    info.put_bucket_upload_url('bucket', 'http://upload', UPLOAD_TOKEN)
    info.refresh_entire_bucket_name_cache([('name', 'bucket')])
    return info


def test_account_data_leave_secrets_behind() -> None:
    info = known_account(InMemoryAccountInfo())
    data = pickle.dumps(info)
    for secret in (KEY, TOKEN, UPLOAD_TOKEN):
        assert secret.encode() not in data
    twin = through_pickle(info)
    assert twin.get_account_id() == 'account'
    assert twin.get_application_key_id() == 'key-id'
    assert twin.get_api_url() == 'http://api'
    assert twin.get_allowed() == info.get_allowed()
    assert twin.list_bucket_names_ids() == [('name', 'bucket')]
    assert twin.take_bucket_upload_url('bucket') == (None, None)
    for get in (twin.get_application_key, twin.get_account_auth_token):
        with pytest.raises(MissingAccountData) as caught:
            get()
        assert 'pickle_secrets' in caught.value.__notes__[0]


def test_account_data_carry_secrets_if_told_so() -> None:
    info = known_account(InMemoryAccountInfo())
    info.pickle_secrets = True
    twin = through_pickle(info)
    assert twin.get_application_key() == KEY
    assert twin.get_account_auth_token() == TOKEN
    # B2 refuses two uploads at once to one URL.
    assert twin.take_bucket_upload_url('bucket') == (None, None)
    assert info.take_bucket_upload_url('bucket') == ('http://upload', UPLOAD_TOKEN)


class TrustingAccountInfo(InMemoryAccountInfo):
    pickle_secrets = True

    def __init__(self) -> None:
        super().__init__()
        self.more = 'more'


def test_a_class_of_account_data_may_carry_secrets() -> None:
    twin = through_pickle(known_account(TrustingAccountInfo()))
    assert (twin.get_application_key(), twin.more) == (KEY, 'more')


def test_account_data_before_any_authorization() -> None:
    with pytest.raises(MissingAccountData):
        through_pickle(InMemoryAccountInfo()).get_account_id()


@pytest.mark.parametrize('make_copy', [copy.copy, copy.deepcopy])
def test_a_copy_in_the_process_has_everything(make_copy: Any) -> None:
    info = known_account(InMemoryAccountInfo())
    twin = make_copy(info)
    assert (twin.get_application_key(), twin.get_account_auth_token()) == (KEY, TOKEN)
    twin.clear()
    assert info.get_application_key() == KEY


def test_an_upload_url_pool_is_empty_elsewhere() -> None:
    pool = UploadUrlPool()
    pool.put('bucket', 'http://upload', UPLOAD_TOKEN)
    assert UPLOAD_TOKEN.encode() not in pickle.dumps(pool)
    assert through_pickle(pool).take('bucket') == (None, None)


def test_stub_account_data() -> None:
    twin = through_pickle(known_account(StubAccountInfo()))
    assert twin.get_account_id() == 'account'


class Callback(HttpCallback):
    pass


def test_settings_travel() -> None:
    config = B2HttpApiConfig(
        user_agent_append='mine/1',
        retry_policy=RetryPolicies(uploads=RetryPolicy.patient()),
        timeouts=Timeouts(idle=3),
        _raw_api_class=RawSimulator,
    )
    config.rate_limits.upload = 1000
    travelled, here = vars(through_pickle(config)), vars(config).copy()
    assert repr(travelled.pop('rate_limits')) == repr(here.pop('rate_limits'))
    assert travelled == here
    assert through_pickle(B2HttpApiConfig()).has_default_session


def test_a_client_travels() -> None:
    api = B2Api(
        InMemoryAccountInfo(),
        max_upload_workers=3,
        max_download_workers=4,
        api_config=B2HttpApiConfig(user_agent_append='mine/1', timeouts=Timeouts(idle=3)),
    )
    http = api.session.raw_api.b2_http  # type: ignore[attr-defined]
    http.add_callback(Callback())
    engine = api.session.transfer_engine(1)
    twin = through_pickle(api)
    twin_http = twin.session.raw_api.b2_http
    assert twin_http.user_agent == http.user_agent
    assert [type(callback) for callback in twin_http.callbacks] == [
        type(callback) for callback in http.callbacks
    ]
    assert twin.session.timeouts == Timeouts(idle=3)
    assert twin.services.upload_manager.get_thread_pool_size() == 3
    assert twin.services.download_manager.get_thread_pool_size() == 4
    # One object still, wherever it is seen from.
    assert twin.account_info is twin.cache.info
    assert twin.services.api is twin
    assert twin.services.session is twin.session
    assert twin.session.counter is twin_http.counter
    assert twin.session.transfer_engine(1) is not engine
    assert twin_http.session is not http.session
    twin_http.session.close()
    http.session.close()


@pytest.mark.parametrize(
    'cache', [InMemoryCache(), DummyCache()], ids=lambda cache: type(cache).__name__
)
def test_caches_travel(cache: Any) -> None:
    assert type(through_pickle(B2Api(InMemoryAccountInfo(), cache)).cache) is type(cache)


@pytest.fixture(scope='module')
def bucket() -> Iterator[b2fast.Bucket]:
    with SimulatorServer() as server:
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(server.key_id, server.key, server.url)
        yield api.create_bucket('a-bucket', 'allPrivate')


def test_what_comes_from_a_bucket_travels_without_secrets(bucket: b2fast.Bucket) -> None:
    info = bucket.api.account_info
    secrets = info.get_application_key(), info.get_account_auth_token()
    version = bucket.upload_bytes(b'content', 'name', file_info={'a': 'b'})
    opened = bucket.download_file_by_name('name')
    for thing in (
        bucket,
        version,
        opened.download_version,
        next(bucket.ls()),
        version.get_fresh_state(),
    ):
        data = pickle.dumps(thing)
        assert not [secret for secret in secrets if secret.encode() in data]
        twin = through_pickle(thing)
        assert repr(twin) == repr(thing)
    assert through_pickle(version) == version


SSE_C = EncryptionSetting(
    EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(b'k' * 32, 'id')
)
VALUES = [
    SSE_C,
    *(
        getattr(b2fast, name)
        for name in (
            'SSE_NONE',
            'SSE_B2_AES',
            'UNKNOWN_KEY_ID',
            'NO_RETENTION_BUCKET_SETTING',
            'NO_RETENTION_FILE_SETTING',
            'UNKNOWN_BUCKET_RETENTION',
            'UNKNOWN_FILE_LOCK_CONFIGURATION',
            'UNKNOWN_FILE_RETENTION_SETTING',
            'EMPTY_RANGE',
        )
    ),
    b2fast.LegalHold.ON,
    b2fast.RetentionPeriod(days=7),
    b2fast.BucketRetentionSetting(b2fast.RetentionMode.GOVERNANCE, b2fast.RetentionPeriod(years=1)),
    b2fast.FileRetentionSetting(b2fast.RetentionMode.COMPLIANCE, 17),
    b2fast.Range(3, 4),
    b2fast.FileIdAndName('id', 'name'),
    b2fast.Part('id', 1, 2, 'sha1'),
]


@pytest.mark.parametrize('value', VALUES, ids=repr)
def test_values_travel_whole(value: Any) -> None:
    """A setting with a customer's key is of no use without it, and whoever sends it chose so."""
    assert through_pickle(value) == value
    assert copy.deepcopy(value) == value


def test_a_simulator_stays_where_it_is() -> None:
    with pytest.raises(TypeError, match='SimulatorServer'):
        pickle.dumps(RawSimulator())
