"""Tests on an account of the environment: a real one, or one of a `SimulatorServer`.

The fixtures and helpers of ``b2sdk.v3.testing``, under the same names. A project gets them by
``pytest_plugins = ['b2fast.testing.integration']`` in its conftest.py, and names the account by

- ``B2_TEST_APPLICATION_KEY_ID`` and ``B2_TEST_APPLICATION_KEY``,
- ``B2_TEST_ENVIRONMENT``, a realm or the URL of a server; without it, the real B2.

Buckets are made with names that tell them from others, and deleted after the tests.
"""

from __future__ import annotations

import http.client
import os
import secrets
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, TypeVar

import pytest

from ..account_info import AbstractAccountInfo, InMemoryAccountInfo
from ..account_info.location import B2_ACCOUNT_INFO_ENV_VAR, XDG_CONFIG_HOME_ENV_VAR
from ..api import B2Api
from ..api_config import DEFAULT_HTTP_API_CONFIG, B2HttpApiConfig
from .buckets import (
    BUCKET_CLEANUP_PERIOD_MILLIS,
    BUCKET_CREATED_AT_MILLIS,
    BUCKET_NAME_LENGTH,
    GENERAL_BUCKET_NAME_PREFIX,
    NODE_DESCRIPTION,
    ONE_HOUR_MILLIS,
    RNG,
    RNG_COUNTER,
    RNG_SEED,
    BucketManager,
    get_bucket_name_prefix,
    random_token,
)

if TYPE_CHECKING:
    from ..bucket import Bucket

__all__ = [
    'BUCKET_CLEANUP_PERIOD_MILLIS',
    'BUCKET_CREATED_AT_MILLIS',
    'BUCKET_NAME_LENGTH',
    'GENERAL_BUCKET_NAME_PREFIX',
    'NODE_DESCRIPTION',
    'ONE_HOUR_MILLIS',
    'RNG',
    'RNG_COUNTER',
    'RNG_SEED',
    'BucketManager',
    'IntegrationTestBase',
    '_b2_api',
    'authorize',
    'b2_api',
    'b2_auth_data',
    'b2_subfolder',
    'bucket',
    'bucket_manager',
    'bucket_name_prefix',
    'change_account_info_dir',
    'dont_cleanup_old_buckets',
    'general_bucket_name_prefix',
    'get_b2_auth_data',
    'get_bucket_name_prefix',
    'get_realm',
    'monkeysession',
    'pytest_addoption',
    'random_token',
    'realm',
    'set_http_debug',
]

_Api = TypeVar('_Api', bound=B2Api)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option ``--dont-cleanup-old-buckets``."""
    parser.addoption(
        '--dont-cleanup-old-buckets',
        action='store_true',
        help='leave the test buckets of earlier runs alone',
    )


def get_realm() -> str:
    """What ``B2_TEST_ENVIRONMENT`` says; ``production`` if it is not set."""
    return os.environ.get('B2_TEST_ENVIRONMENT', 'production')


def get_b2_auth_data() -> tuple[str, str]:
    """The key ID and the key of the environment.

    :raises ValueError: if ``B2_TEST_APPLICATION_KEY_ID`` or ``B2_TEST_APPLICATION_KEY`` is not
        set.
    """
    return _variable('B2_TEST_APPLICATION_KEY_ID'), _variable('B2_TEST_APPLICATION_KEY')


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise ValueError(f'{name} is not set.')
    return value


def authorize(
    b2_auth_data: tuple[str, str],
    realm: str,
    api_config: B2HttpApiConfig = DEFAULT_HTTP_API_CONFIG,
) -> tuple[B2Api, AbstractAccountInfo]:
    """Sign in, with account data in memory.

    :param b2_auth_data: key ID and key
    :param realm: where
    :return: the API object and its account data
    """
    return sign_in(B2Api, b2_auth_data, realm, api_config)


def sign_in(
    api_class: type[_Api], auth_data: tuple[str, str], realm: str, api_config: B2HttpApiConfig
) -> tuple[_Api, AbstractAccountInfo]:
    """As `authorize`, for any class of API objects."""
    info = InMemoryAccountInfo()
    api = api_class(info, api_config=api_config)
    api.authorize_account(*auth_data, realm=realm)
    return api, info


@pytest.fixture(scope='session')
def monkeysession() -> Iterator[pytest.MonkeyPatch]:
    """As `monkeypatch`, until the session ends."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield monkeypatch


@pytest.fixture(scope='session', autouse=True)
def set_http_debug() -> None:
    """Print the calls if ``B2_DEBUG_HTTP`` is set, keys and tokens included."""
    if os.environ.get('B2_DEBUG_HTTP'):
        http.client.HTTPConnection.debuglevel = 1


@pytest.fixture(scope='session')
def change_account_info_dir(
    monkeysession: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep the account data of this session in a file of its own, with no key from outside.

    ``B2_ACCOUNT_INFO`` and ``XDG_CONFIG_HOME`` point to a temporary directory;
    ``B2_APPLICATION_KEY_ID`` and ``B2_APPLICATION_KEY`` are not set.
    """
    directory = tmp_path_factory.mktemp('b2_config')
    monkeysession.setenv(XDG_CONFIG_HOME_ENV_VAR, str(directory))
    monkeysession.setenv(B2_ACCOUNT_INFO_ENV_VAR, str(directory / '.b2_account_info'))
    for name in ('B2_APPLICATION_KEY_ID', 'B2_APPLICATION_KEY'):
        monkeysession.delenv(name, raising=False)


@pytest.fixture(scope='session')
def realm() -> str:
    """Where the account is: what ``B2_TEST_ENVIRONMENT`` says, or ``production``."""
    return get_realm()


@pytest.fixture(scope='session')
def b2_auth_data() -> tuple[str, str]:
    """Key ID and key: ``B2_TEST_APPLICATION_KEY_ID`` and ``B2_TEST_APPLICATION_KEY``."""
    try:
        return get_b2_auth_data()
    except ValueError as error:
        pytest.fail(str(error))


@pytest.fixture(scope='session')
def _b2_api(b2_auth_data: tuple[str, str], realm: str) -> B2Api:
    """The signed-in account, before there are buckets."""
    api, _ = authorize(b2_auth_data, realm)
    return api


@pytest.fixture(scope='session')
def b2_api(_b2_api: B2Api, bucket_manager: BucketManager) -> B2Api:
    """The account of the environment, signed in; the session's buckets are deleted at its end."""
    return _b2_api


@pytest.fixture(scope='session')
def dont_cleanup_old_buckets(request: pytest.FixtureRequest) -> bool:
    """Is ``--dont-cleanup-old-buckets`` given?"""
    is_given: bool = request.config.getoption('--dont-cleanup-old-buckets')
    return is_given


@pytest.fixture(scope='session')
def general_bucket_name_prefix() -> str:
    """How the names of all test buckets begin. Override it for a prefix of your own."""
    return GENERAL_BUCKET_NAME_PREFIX


@pytest.fixture(scope='session')
def bucket_name_prefix(general_bucket_name_prefix: str) -> str:
    """How the names of this session's buckets begin."""
    return get_bucket_name_prefix(8, general_bucket_name_prefix)


@pytest.fixture(scope='session')
def bucket_manager(
    bucket_name_prefix: str,
    general_bucket_name_prefix: str,
    dont_cleanup_old_buckets: bool,
    _b2_api: B2Api,
) -> Iterator[BucketManager]:
    """Makes buckets; at the end of the session it deletes them, and forgotten ones of others."""
    manager = BucketManager(
        dont_cleanup_old_buckets,
        _b2_api,
        current_run_prefix=bucket_name_prefix,
        general_prefix=general_bucket_name_prefix,
    )
    yield manager
    manager.clean_buckets()


@pytest.fixture
def bucket(bucket_name_prefix: str, bucket_manager: BucketManager) -> Iterator[Bucket]:
    """An empty public bucket, which is deleted after the test."""
    bucket = bucket_manager.create_bucket()
    yield bucket
    bucket_manager.clean_bucket(bucket)


@pytest.fixture
def b2_subfolder(bucket: Bucket, request: pytest.FixtureRequest) -> str:
    """The B2 URI of a folder in `bucket` that is named after the test."""
    return f'b2://{bucket.name}/{request.node.name}_{secrets.token_urlsafe(4)}'


@pytest.mark.usefixtures('cls_setup')
class IntegrationTestBase:
    """Base of test classes that make buckets at the account of the environment."""

    b2_api: B2Api
    b2_auth_data: tuple[str, str]
    bucket_manager: BucketManager
    info: AbstractAccountInfo
    this_run_bucket_name_prefix: str
    buckets_created: list[Bucket]

    @pytest.fixture(autouse=True, scope='class')
    @classmethod
    def cls_setup(
        cls,
        request: pytest.FixtureRequest,
        b2_api: B2Api,
        b2_auth_data: tuple[str, str],
        bucket_name_prefix: str,
        bucket_manager: BucketManager,
    ) -> None:
        """Give the class what its tests need."""
        tests: type[IntegrationTestBase] = request.cls
        tests.b2_api = b2_api
        tests.b2_auth_data = b2_auth_data
        tests.bucket_manager = bucket_manager
        tests.info = b2_api.account_info
        tests.this_run_bucket_name_prefix = bucket_name_prefix

    @pytest.fixture(autouse=True)
    def setup_method(self) -> Iterator[None]:
        """Delete the buckets of a test after it."""
        self.buckets_created = []
        yield
        for bucket in self.buckets_created:
            self.bucket_manager.clean_bucket(bucket)

    def create_bucket(self) -> Bucket:
        """A new public bucket, which is deleted after the test."""
        bucket = self.bucket_manager.create_bucket()
        self.buckets_created.append(bucket)
        return bucket

    def write_zeros(self, file: IO[bytes], number: int) -> None:
        """Write lines of 1000 digits 0 to a file until they are more than a number of bytes."""
        line = b'0' * 1000 + b'\n'
        file.writelines([line] * (number // len(line) + 1))
