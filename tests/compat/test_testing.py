"""The fixtures and helpers of `b2sdk.v3.testing`, beside b2sdk's own."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from typing import Any

import b2sdk.v3.testing as theirs
import pytest

import b2fast
import b2fast.compat.testing as ours
import b2fast.testing.integration as own
from b2fast import (
    B2Api,
    B2HttpApiConfig,
    FileRetentionSetting,
    RetentionMode,
    RetryPolicy,
    SimulatorServer,
    current_time_millis,
)
from b2fast.exception import BadRequest, TooManyRequests
from b2fast.simulator import Fault
from b2fast.testing.integration import BucketManager

from ..plugin_project import find_plugin
from .shim import SHIM
from .signatures import members, parameters
from .worlds import World, assert_same_in_both

NAMES = sorted(name for name in dir(theirs) if not name.startswith('__') and name != 'annotations')
HELPERS = ['authorize', 'get_b2_auth_data', 'get_bucket_name_prefix', 'get_realm', 'random_token']
CONSTANTS = [
    name
    for name in NAMES
    if name.isupper() and name not in ('RNG', 'RNG_SEED')  # chance
]


@pytest.mark.parametrize('module', [ours, own], ids=lambda module: module.__name__)
def test_names(module: Any) -> None:
    assert sorted(module.__all__) == NAMES
    for name in NAMES:
        getattr(module, name)


@pytest.mark.parametrize('name', HELPERS)
def test_signatures_of_functions(name: str) -> None:
    def shape(module: Any) -> list[list[str]]:
        return [
            [parameter, 'a default' if default.startswith('=<') else default]
            for parameter, default in parameters(getattr(module, name))
        ]

    assert shape(ours) == shape(own) == shape(theirs)


@pytest.mark.parametrize('name', ['BucketManager', 'IntegrationTestBase'])
def test_signatures_of_classes(name: str) -> None:
    def shape(module: Any) -> dict[str, Any]:
        shape = members(getattr(module, name))
        # Fixtures: nobody calls them.
        return {member: shape[member] for member in shape if 'setup' not in member}

    assert shape(ours) == shape(own) == shape(theirs)


@pytest.mark.parametrize('name', CONSTANTS)
def test_constants(name: str) -> None:
    assert getattr(ours, name) == getattr(theirs, name)


PROJECT = """
import json
import os

import pytest
from b2sdk.v3 import B2Api
from b2sdk.v3.testing import (
    GENERAL_BUCKET_NAME_PREFIX, BucketManager, IntegrationTestBase, get_b2_auth_data,
    get_bucket_name_prefix, random_token,
)

seen = {}

@pytest.fixture(scope='module', autouse=True)
def write_what_was_seen():
    yield
    with open('seen.json', 'w') as file:
        json.dump(seen, file)

def about(bucket):
    return [bucket.type_, len(bucket.name), sorted(bucket.bucket_info),
            bucket.bucket_info['created_by'], isinstance(bucket.api, B2Api)]

class TestClass(IntegrationTestBase):
    def test_one(self, tmp_path):
        bucket = self.create_bucket()
        seen['class bucket'] = about(bucket)
        seen['created'] = self.buckets_created == [bucket]
        seen['prefix'] = bucket.name.startswith(self.this_run_bucket_name_prefix)
        seen['auth data'] = self.b2_auth_data == get_b2_auth_data()
        seen['info'] = self.info is self.b2_api.account_info
        for number in 0, 1000, 1001, 5000:
            with open(tmp_path / 'zeros', 'wb') as file:
                self.write_zeros(file, number)
            seen[f'zeros {number}'] = (tmp_path / 'zeros').read_bytes().decode()

    def test_other(self):
        seen['buckets are gone'] = self.b2_api.list_buckets() == []

def test_bucket(bucket, bucket_manager, bucket_name_prefix, b2_api, b2_subfolder, realm):
    seen['fixture bucket'] = about(bucket)
    seen['subfolder'] = b2_subfolder.startswith(f'b2://{bucket.name}/test_bucket_')
    seen['length of subfolder'] = len(b2_subfolder)
    seen['realm'] = realm == b2_api.account_info.get_realm()
    seen['api'] = isinstance(b2_api, B2Api) and b2_api is bucket_manager.b2_api
    seen['mapping'] = bucket_manager.bucket_name_mapping[bucket.name]
    seen['count'] = bucket_manager.count_and_print_buckets()
    bucket.upload_bytes(b'one', 'a')
    bucket.upload_bytes(b'two', 'a')
    bucket.hide_file('a')

def test_manager(bucket_manager, general_bucket_name_prefix, dont_cleanup_old_buckets):
    seen['general prefix'] = general_bucket_name_prefix == GENERAL_BUCKET_NAME_PREFIX
    seen['option'] = dont_cleanup_old_buckets
    private = bucket_manager.create_bucket('allPrivate', name='a-name', is_file_lock_enabled=True)
    seen['private'] = about(private)
    for name in 'a/1', 'b/2', 'c':
        private.upload_bytes(b'', name)
    bucket_manager.clean_bucket('a-name', only_files=True, only_folders=['a', 'c'])
    seen['only folders'] = [version.file_name for version, _ in private.ls(recursive=True)]
    bucket_manager.clean_bucket(private, only_files=True)
    seen['only files'] = list(private.ls())
    bucket_manager.clean_bucket(private)
    bucket_manager.clean_bucket(private)
    with pytest.raises(TypeError):
        bucket_manager.create_bucket(bucket_info={})

def test_names(monkeypatch):
    seen['prefixes'] = [len(get_bucket_name_prefix(n, 'x' * n)) for n in (1, 5)]
    seen['token'] = random_token(4, 'x')
    monkeypatch.delenv('B2_TEST_APPLICATION_KEY')
    with pytest.raises(ValueError) as raised:
        get_b2_auth_data()
    seen['no key'] = str(raised.value)

def test_account_info_dir(change_account_info_dir, tmp_path_factory):
    directory = os.environ['XDG_CONFIG_HOME']
    seen['file'] = os.path.relpath(os.environ['B2_ACCOUNT_INFO'], directory)
    seen['directory'] = os.path.relpath(directory, tmp_path_factory.getbasetemp())
    seen['variables'] = [os.environ.get(f'B2_APPLICATION_KEY{end}') for end in ('', '_ID')]

# These are there at the end of the session.
def test_buckets_of_others(b2_api, bucket_manager):
    hour = 60 * 60 * 1000
    now = int(bucket_manager.new_bucket_info()['created_at_millis'])
    for name, age in ('sdktst-new', 2.9), ('sdktst-old', 3.1), ('other-old', 9):
        info = {'created_at_millis': str(now - int(age * hour))}
        b2_api.create_bucket(name, 'allPrivate', bucket_info=info).upload_bytes(b'', 'a')
    b2_api.create_bucket('sdktst-unknown', 'allPrivate')
    b2_api.create_bucket('other-unknown', 'allPrivate')
    bucket_manager.create_bucket()
"""
TESTS = 7

CONFTEST = "pytest_plugins = ['b2sdk.v3.testing']"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        monkeypatch.setenv('B2_TEST_ENVIRONMENT', server.url)
        monkeypatch.setenv('B2_TEST_APPLICATION_KEY_ID', server.key_id)
        monkeypatch.setenv('B2_TEST_APPLICATION_KEY', server.key)
        monkeypatch.setenv('B2_APPLICATION_KEY_ID', 'of a user')
        yield server


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    find_plugin(monkeypatch, pytester.path / 'installed')
    pytester.makeini('[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest')
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(PROJECT)
    return pytester


def run(project: pytest.Pytester, *arguments: str, tests: int) -> None:
    result = project.run(sys.executable, *arguments)
    result.assert_outcomes(passed=tests, warnings=result.parseoutcomes().get('warnings', 0))


def left_at(server: SimulatorServer) -> list[str]:
    api = own.authorize((server.key_id, server.key), server.url)[0]
    return sorted(bucket.name or '' for bucket in api.list_buckets())


@pytest.mark.parametrize('options', [[], ['--dont-cleanup-old-buckets']], ids=str)
def test_project_on_both(
    project: pytest.Pytester, server: SimulatorServer, options: list[str]
) -> None:
    run(project, '-m', 'pytest', *options, tests=TESTS)
    seen = json.loads((project.path / 'seen.json').read_text())
    calls = server.calls
    left = left_at(server)
    with SimulatorServer(key_id=server.key_id, key=server.key) as other:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv('B2_TEST_ENVIRONMENT', other.url)
            run(project, *SHIM, '-m', 'pytest', '-W', 'error', *options, tests=TESTS)
        assert json.loads((project.path / 'seen.json').read_text()) == seen
        assert other.calls == calls
        assert left_at(other) == left
    kept = ['sdktst-old', 'sdktst-unknown'] if options else []
    assert left == sorted(['other-old', 'other-unknown', 'sdktst-new', *kept])
    assert len(seen) > 20


INSTALL = """
from b2fast.compat import install_as_b2sdk

install_as_b2sdk()
"""


@pytest.mark.parametrize(
    'conftest',
    [
        INSTALL + CONFTEST,
        INSTALL + CONFTEST.replace('v3', 'v2'),
        INSTALL + 'from b2sdk.v3.testing import *',
        INSTALL + 'from b2sdk.v2.testing import *',
    ],
    ids=['v3 plugin', 'v2 plugin', 'v3 names', 'v2 names'],
)
def test_installed_by_conftest(
    project: pytest.Pytester, server: SimulatorServer, conftest: str
) -> None:
    project.makeconftest(conftest)
    project.makepyfile("""
        from b2sdk.v3 import B2Api

        def test_it(bucket, b2_api):
            assert type(b2_api) is B2Api
            assert B2Api.__module__ == 'b2fast.compat.v3'
            bucket.upload_bytes(b'', 'a')
    """)
    run(project, '-m', 'pytest', '-W', 'error', tests=1)
    assert server.calls['b2_upload_file'] == 1


def test_under_its_own_name(project: pytest.Pytester, server: SimulatorServer) -> None:
    project.makeconftest("pytest_plugins = ['b2fast.testing.integration']")
    project.makepyfile("""
        import sys

        from b2fast import B2Api
        from b2fast.testing.integration import IntegrationTestBase

        class TestClass(IntegrationTestBase):
            def test_it(self, bucket):
                assert type(self.b2_api) is B2Api
                assert 'b2sdk' not in sys.modules
                self.create_bucket().upload_bytes(b'', 'a')
    """)
    run(project, '-m', 'pytest', '-W', 'error', tests=1)
    assert left_at(server) == []


def test_without_an_account(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('B2_TEST_APPLICATION_KEY_ID', raising=False)
    project.makepyfile('def test_it(bucket): pass')
    for program in ([], [*SHIM]):
        result = project.run(sys.executable, *program, '-m', 'pytest')
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(['*B2_TEST_APPLICATION_KEY_ID is not set.*'])


def test_retention_and_holds() -> None:
    """In the process, where files can be locked."""

    def program(world: World) -> None:
        sdk = world.sdk
        manager_class = theirs.BucketManager if sdk.__name__ == 'b2sdk.v3' else BucketManager
        manager = manager_class(False, world.api)
        bucket = world.api.create_bucket('a-bucket', 'allPrivate', is_file_lock_enabled=True)
        now = sdk.current_time_millis()
        # b2sdk's simulator forbids to delete what was in compliance retention once.
        ends = {'GOVERNANCE': (now - 1000, now + 1_000_000), 'COMPLIANCE': (now + 1_000_000,)}
        for mode in ends:
            for end in ends[mode]:
                retention = sdk.FileRetentionSetting(sdk.RetentionMode[mode], end)
                bucket.upload_bytes(b'', f'{mode} {end > now}', file_retention=retention)
        bucket.upload_bytes(b'', 'held', legal_hold=sdk.LegalHold.ON)
        bucket.upload_bytes(b'', 'free', legal_hold=sdk.LegalHold.OFF)
        bucket.hide_file('free')
        manager.clean_bucket(bucket, only_files=True)
        world.see('kept', lambda: [version.file_name for version, _ in bucket.ls()])

    assert_same_in_both(program)


def test_compliance_retention_that_has_ended() -> None:
    world = World(b2fast, b2fast.RawSimulator)
    bucket = world.api.create_bucket('a-bucket', 'allPrivate', is_file_lock_enabled=True)
    ended = FileRetentionSetting(RetentionMode.COMPLIANCE, current_time_millis() - 1000)
    bucket.upload_bytes(b'', 'a', file_retention=ended)
    BucketManager(False, world.api).clean_bucket(bucket, only_files=True)
    assert list(bucket.ls()) == []


@pytest.fixture
def api(server: SimulatorServer) -> B2Api:
    """Makes each call once, and does not pause after a refusal."""
    policy = RetryPolicy(attempts=1, first_delay=0, max_delay=0)
    config = B2HttpApiConfig(retry_policy=policy)
    return own.authorize((server.key_id, server.key), server.url, config)[0]


def test_waits_while_b2_is_busy(
    server: SimulatorServer, api: B2Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr('time.sleep', pauses.append)
    manager = BucketManager(True, api, 'run')
    server.inject(Fault(call='b2_create_bucket', status=429, count=8))
    with pytest.raises(TooManyRequests):
        manager.create_bucket()
    assert server.calls['b2_create_bucket'] == 8
    assert [round(pause / (3 / 4 * 2**n)) for n, pause in enumerate(pauses)] == [1] * 7
    pauses.clear()
    server.inject(Fault(call='b2_create_bucket', status=429, retry_after=7, count=5))
    bucket = manager.create_bucket()
    server.inject(Fault(call='b2_delete_bucket', status=429, retry_after=3, count=2))
    manager.clean_bucket(bucket)
    assert pauses == [7] * 5 + [3] * 2
    assert api.list_buckets() == []


def test_other_errors_are_not_hidden(server: SimulatorServer, api: B2Api) -> None:
    manager = BucketManager(True, api, 'run')
    bucket = manager.create_bucket()
    server.inject(Fault(call='b2_delete_bucket', status=400, code='bad_request'))
    with pytest.raises(BadRequest):
        manager.clean_bucket(bucket)


def test_names_run_out(api: B2Api, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = BucketManager(True, api, 'run')
    monkeypatch.setattr('b2fast.testing.buckets.RNG', random.Random(1))
    manager.bucket_name_mapping = dict.fromkeys((manager.new_bucket_name() for _ in range(5)), '')
    monkeypatch.setattr('b2fast.testing.buckets.RNG', random.Random(1))
    with pytest.raises(RuntimeError, match='5 new bucket names in a row were taken'):
        manager.new_bucket_name()
    with pytest.raises(ValueError, match='no room'):
        BucketManager(True, api, 'a' * 63).new_bucket_name()


@pytest.mark.parametrize('quick', [False, True])
def test_new_buckets_of_other_runs_stay(api: B2Api, quick: bool) -> None:
    """Also when the list of buckets comes from the cache, which does not know their age."""
    others = BucketManager(False, api, 'sdktst-other')
    bucket = others.create_bucket()
    api.create_bucket('sdktst-unknown', 'allPrivate')
    BucketManager(False, api, 'sdktst-mine').clean_buckets(quick=quick)
    assert [left.name for left in api.list_buckets()] == [bucket.name]
    others.clean_buckets(quick=quick)
    assert api.list_buckets() == []


def test_quick_cleaning_passes_over_buckets_that_are_gone(api: B2Api) -> None:
    bucket = BucketManager(False, api).create_bucket(name='sdktst-other')
    api.session.delete_bucket(api.get_account_id(), bucket.id_)
    assert [cached.id_ for cached in api.list_buckets(use_cache=True)] == [bucket.id_]
    BucketManager(False, api, 'sdktst-mine').clean_buckets(quick=True)
