from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from b2fast.account_info import (
    AbstractAccountInfo,
    InMemoryAccountInfo,
    StubAccountInfo,
    UploadUrlPool,
)
from b2fast.account_info.sqlite import SqliteAccountInfo
from b2fast.cache import AbstractCache, AuthInfoCache, DummyCache, InMemoryCache
from b2fast.exception import MissingAccountData
from b2fast.raw_api import ALL_CAPABILITIES

from ...helpers import run_in_threads
from .data import DATA, Named

GETTERS = {f'get_{name}': value for name, value in DATA.items() if name != 'allowed'}
GETTERS['get_account_auth_token'] = GETTERS.pop('get_auth_token')


@pytest.fixture(params=['memory', 'sqlite'])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractAccountInfo:
    """Account data that are kept for use."""
    return InMemoryAccountInfo() if request.param == 'memory' else in_file(tmp_path)


@pytest.fixture(params=['memory', 'sqlite', 'stub'])
def info(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractAccountInfo:
    """Account data of each kind."""
    kinds = {'memory': InMemoryAccountInfo, 'stub': StubAccountInfo}
    return in_file(tmp_path) if request.param == 'sqlite' else kinds[request.param]()


def in_file(directory: Path) -> AbstractAccountInfo:
    return SqliteAccountInfo(directory / 'account')


@pytest.mark.parametrize('getter', [*GETTERS, 'get_allowed'])
def test_nothing_is_known_before_an_authorization(getter: str, keeper: AbstractAccountInfo) -> None:
    info = keeper
    with pytest.raises(MissingAccountData, match=getter.removeprefix('get_')):
        getattr(info, getter)()


def test_the_data_of_an_authorization(info: AbstractAccountInfo) -> None:
    info.set_auth_data(**DATA)
    assert {getter: getattr(info, getter)() for getter in GETTERS} == GETTERS
    assert info.get_allowed() == {
        'buckets': None,
        'capabilities': ALL_CAPABILITIES,
        'namePrefix': None,
    }


def test_identity(info: AbstractAccountInfo) -> None:
    assert not info.is_same_account('account', 'dev')
    assert not info.is_same_key('key id', 'dev')
    info.set_auth_data(**DATA)
    assert info.is_same_account('account', 'dev')
    assert not info.is_same_account('account', 'production')
    assert not info.is_same_account('other', 'dev')
    assert info.is_same_key('key id', 'dev')
    assert not info.is_same_key('key id', 'production')
    assert not info.is_master_key()
    info.set_auth_data(**{**DATA, 'application_key_id': 'account'})
    assert info.is_master_key()


@pytest.mark.parametrize(
    ('key_id', 'expected'),
    [
        ('000account0000000000', True),
        ('account0000000000', False),
        ('000account0000000001', False),
        ('0000account0000000000', False),
    ],
)
def test_master_keys_of_newer_accounts(
    key_id: str, expected: bool, info: AbstractAccountInfo
) -> None:
    info.set_auth_data(**{**DATA, 'application_key_id': key_id})
    assert info.is_master_key() is expected


def test_what_was_set_to_none_is_missing() -> None:
    info = InMemoryAccountInfo()
    info.set_auth_data(**{**DATA, 's3_api_url': None})
    with pytest.raises(MissingAccountData) as caught:
        info.get_s3_api_url()
    assert caught.value.key == 's3_api_url'


def test_clear_forgets(info: AbstractAccountInfo) -> None:
    info.set_auth_data(**DATA)
    info.save_bucket(Named('bucket', 'id'))
    info.put_large_file_upload_url('file', 'url', 'token')
    info.clear()
    assert info.list_bucket_names_ids() == []
    assert info.take_large_file_upload_url('file') == (None, None)
    assert not info.is_same_account('account', 'dev')


@pytest.mark.parametrize('missing', ['buckets', 'capabilities', 'namePrefix'])
def test_a_malformed_allowance_is_refused(missing: str) -> None:
    allowed = {**AbstractAccountInfo.DEFAULT_ALLOWED}
    del allowed[missing]
    with pytest.raises(ValueError, match='what a key may do'):
        InMemoryAccountInfo().set_auth_data(**{**DATA, 'allowed': allowed})


def test_secrets_do_not_show(info: AbstractAccountInfo) -> None:
    info.set_auth_data(**{**DATA, 'application_key': 'hush', 'auth_token': 'hush'})
    assert 'hush' not in repr(info)
    if isinstance(info, InMemoryAccountInfo):
        assert 'hush' not in repr(vars(info))


def test_bucket_names(keeper: AbstractAccountInfo) -> None:
    info = keeper
    info.refresh_entire_bucket_name_cache([('one', '1'), ('two', '2')])
    info.save_bucket(Named('three', '3'))
    assert info.list_bucket_names_ids() == [('one', '1'), ('two', '2'), ('three', '3')]
    info.remove_bucket_name('two')
    info.remove_bucket_name('never there')
    assert info.get_bucket_id_or_none_from_bucket_name('three') == '3'
    assert info.get_bucket_id_or_none_from_bucket_name('two') is None
    assert info.get_bucket_name_or_none_from_bucket_id('1') == 'one'
    assert info.get_bucket_name_or_none_from_bucket_id('2') is None
    info.refresh_entire_bucket_name_cache([])
    assert info.list_bucket_names_ids() == []


def test_the_stub_finds_no_bucket() -> None:
    info, bucket = StubAccountInfo(), Named('one', '1')
    info.save_bucket(bucket)
    info.remove_bucket_name('one')
    assert info.list_bucket_names_ids() == [('one', '1')]
    assert info.get_bucket_id_or_none_from_bucket_name('one') is None
    assert info.get_bucket_name_or_none_from_bucket_id('1') is None
    assert info.get_bucket_upload_data('1') is bucket
    info.clear_bucket_upload_data('1')
    assert info.get_bucket_upload_data('1') == (None, None)
    info.refresh_entire_bucket_name_cache([('two', '2')])
    assert info.list_bucket_names_ids() == []


def test_a_new_id_replaces_the_old_one_of_a_name(keeper: AbstractAccountInfo) -> None:
    keeper.save_bucket(Named('one', '1'))
    keeper.save_bucket(Named('one', '2'))
    assert keeper.get_bucket_id_or_none_from_bucket_name('one') == '2'
    assert keeper.list_bucket_names_ids() == [('one', '2')]


def test_upload_urls_of_a_bucket(keeper: AbstractAccountInfo) -> None:
    info = keeper
    info.put_bucket_upload_url('b', 'url 1', 't1')
    info.put_bucket_upload_url('b', 'url 2', 't2')
    assert info.take_bucket_upload_url('b') == ('url 2', 't2')
    info.clear_bucket_upload_data('b')
    assert info.take_bucket_upload_url('b') == (None, None)


def test_upload_urls_of_a_large_file(info: AbstractAccountInfo) -> None:
    info.put_large_file_upload_url('f', 'url', 't')
    info.put_large_file_upload_url('g', 'url g', 'tg')
    info.clear_large_file_upload_urls('f')
    assert info.take_large_file_upload_url('f') == (None, None)
    assert info.take_large_file_upload_url('g') == ('url g', 'tg')


def test_old_upload_urls_are_dropped() -> None:
    pool, now = UploadUrlPool(), 0.0
    pool._clock = lambda: now
    pool.put('b', 'old', 't')
    now = 22 * 3600.0
    pool.put('b', 'young', 't')
    now = 24 * 3600.0
    assert pool.take('b') == ('young', 't')
    assert pool.take('b') == (None, None)


def test_a_child_process_has_no_urls_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = UploadUrlPool()
    pool.put('b', 'url', 't')
    with pool._lock:  # held by a thread that the child does not have
        monkeypatch.setattr(os, 'getpid', lambda: -1)
        assert pool.take('b') == (None, None)
    pool.put('b', 'own', 't')
    assert pool.take('b') == ('own', 't')


def test_a_url_is_in_the_hands_of_one_thread() -> None:
    pool, taken = UploadUrlPool(), []
    for i in range(1000):
        pool.put('b', f'url {i}', 't')
    start = threading.Barrier(8)

    def take() -> None:
        start.wait()
        while (url := pool.take('b')[0]) is not None:
            taken.append(url)

    run_in_threads(8, take)
    assert sorted(taken) == sorted(f'url {i}' for i in range(1000))


# Caches


def auth_info_cache() -> AbstractCache:
    info = InMemoryAccountInfo()
    info.set_auth_data(**DATA)
    return AuthInfoCache(info)


@pytest.mark.parametrize('make', [InMemoryCache, auth_info_cache])
def test_caches_remember(make: Callable[[], AbstractCache]) -> None:
    cache = make()
    cache.save_bucket(Named('one', '1'))
    assert cache.get_bucket_id_or_none_from_bucket_name('one') == '1'
    assert cache.get_bucket_name_or_none_from_bucket_id('1') == 'one'
    assert cache.get_bucket_name_or_none_from_allowed() is None
    cache.set_bucket_name_cache([Named('two', '2'), Named('three', '3')])
    assert sorted(cache.list_bucket_names_ids()) == [('three', '3'), ('two', '2')]
    assert cache.get_bucket_id_or_none_from_bucket_name('one') is None
    cache.forget_bucket('2')
    cache.forget_bucket('never there')
    assert cache.list_bucket_names_ids() == [('three', '3')]
    cache.clear()
    assert cache.list_bucket_names_ids() == []


def test_a_cache_of_the_program_forgets_as_well() -> None:
    class Plain(InMemoryCache):
        forget_bucket = AbstractCache.forget_bucket

    cache = Plain()
    cache.set_bucket_name_cache([Named('one', '1'), Named('two', '2')])
    cache.forget_bucket('1')
    assert cache.list_bucket_names_ids() == [('two', '2')]


def test_the_dummy_cache_forgets() -> None:
    cache = DummyCache()
    cache.save_bucket(Named('one', '1'))
    cache.set_bucket_name_cache([Named('one', '1')])
    cache.forget_bucket('1')
    assert cache.get_bucket_id_or_none_from_bucket_name('one') is None
    assert cache.get_bucket_name_or_none_from_bucket_id('1') is None
    assert cache.get_bucket_name_or_none_from_allowed() is None
    assert cache.list_bucket_names_ids() == []


@pytest.mark.parametrize(
    ('buckets', 'expected'),
    [
        (None, None),
        ([{'id': '1', 'name': 'one'}], 'one'),
        ([{'id': '1', 'name': None}], None),
        ([{'id': '1', 'name': 'one'}, {'id': '2', 'name': 'two'}], None),
    ],
)
def test_the_one_bucket_of_a_restricted_key(buckets: Any, expected: str | None) -> None:
    info = InMemoryAccountInfo()
    allowed = {'buckets': buckets, 'capabilities': [], 'namePrefix': None}
    info.set_auth_data(**{**DATA, 'allowed': allowed})
    assert AuthInfoCache(info).get_bucket_name_or_none_from_allowed() == expected
