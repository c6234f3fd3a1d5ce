"""The account: authorization, buckets, keys, restrictions."""

from __future__ import annotations

import pytest

from b2fast import B2Api, Bucket, InMemoryAccountInfo
from b2fast.exception import (
    B2Error,
    BucketIdNotFound,
    Conflict,
    DuplicateBucketName,
    MissingAccountData,
    NonExistentBucket,
    RestrictedBucket,
    Unauthorized,
)

from ..conftest import Account, new_raw_account


def test_authorize(account: Account) -> None:
    api = account.api
    assert api.get_account_id() == api.account_info.get_account_id()
    assert api.account_info.get_realm() == account.realm
    assert api.account_info.get_application_key_id() == account.key_id


def test_wrong_key(account: Account) -> None:
    api = account.new_api()
    with pytest.raises(Unauthorized):
        api.authorize_account(account.key_id, 'wrong', account.realm)
    with pytest.raises(MissingAccountData):
        api.get_account_id()


def test_not_authorized(account: Account) -> None:
    api = account.new_api()
    for call in (api.list_buckets, api.get_account_id, lambda: api.get_bucket_by_name('a-bucket')):
        with pytest.raises(MissingAccountData):
            call()


def test_authorize_automatically(account: Account) -> None:
    assert account.new_api().authorize_automatically() is False
    assert account.api.authorize_automatically() is True
    assert account.api.list_buckets() == []


@pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
def test_realm_that_is_a_url_of_nobody(account: Account) -> None:
    with pytest.raises(B2Error):
        account.new_api().authorize_account('id', 'key', 'http://127.0.0.1:9')


def test_create_bucket(api: B2Api) -> None:
    bucket = api.create_bucket('a-bucket', 'allPublic', bucket_info={'color': 'blue'})
    assert (bucket.name, bucket.type_, bucket.bucket_info) == (
        'a-bucket',
        'allPublic',
        {'color': 'blue'},
    )
    assert bucket.get_id() == bucket.id_
    assert repr(bucket) == f'Bucket<{bucket.id_},a-bucket,allPublic>'
    assert bucket.as_dict()['accountId'] == api.get_account_id()
    assert bucket.as_dict() == bucket.get_fresh_state().as_dict()
    with pytest.raises(DuplicateBucketName, match='a-bucket'):
        api.create_bucket('a-bucket', 'allPublic')


def test_list_buckets(api: B2Api) -> None:
    first, second = (api.create_bucket(name, 'allPrivate') for name in ('bucket-1', 'bucket-2'))
    assert ids(api.list_buckets()) == [first.id_, second.id_]
    assert ids(api.list_buckets('bucket-2')) == [second.id_]
    assert ids(api.list_buckets(bucket_id=first.id_)) == [first.id_]
    assert api.list_buckets('bucket-3') == []
    with pytest.raises(ValueError, match='not both'):
        api.list_buckets('bucket-1', bucket_id=first.id_)


def ids(buckets: object) -> list[str]:
    return [bucket.id_ for bucket in buckets]  # type: ignore[attr-defined]


def test_list_buckets_from_the_cache(account: Account, bucket: Bucket) -> None:
    account.api.list_buckets()
    for parameters in ({}, {'bucket_name': 'a-bucket'}, {'bucket_id': bucket.id_}):
        before = list_calls(account)
        (found,) = account.api.list_buckets(**parameters, use_cache=True)
        assert (found.id_, found.name, found.type_) == (bucket.id_, 'a-bucket', None)
        assert list_calls(account) == before
    assert account.api.list_buckets('other-bucket', use_cache=True) == []


def list_calls(account: Account) -> int:
    return 0 if account.server is None else account.server.calls['b2_list_buckets']


def test_get_bucket(account: Account, bucket: Bucket) -> None:
    for api in (account.api, account.new_api()):
        api.authorize_account(account.key_id, account.key, account.realm)
        assert api.get_bucket_by_name('a-bucket').id_ == bucket.id_
        assert api.get_bucket_by_id(bucket.id_).name == 'a-bucket'
        with pytest.raises(NonExistentBucket, match='other-bucket'):
            api.get_bucket_by_name('other-bucket')
        with pytest.raises(BucketIdNotFound, match='0123'):
            api.get_bucket_by_id('0123')


def test_bucket_of_which_only_the_id_is_known(api: B2Api, bucket: Bucket) -> None:
    bucket.upload_bytes(b'x', 'name')
    assert Bucket(api, bucket.id_).get_file_info_by_name('name').size == 1


def test_delete_bucket(api: B2Api, bucket: Bucket) -> None:
    api.delete_bucket(bucket)
    assert api.list_buckets() == []
    with pytest.raises(NonExistentBucket):
        api.get_bucket_by_name('a-bucket')
    with pytest.raises(BucketIdNotFound):
        bucket.get_fresh_state()
    with pytest.raises(B2Error):
        api.delete_bucket(bucket)


def test_update_bucket(bucket: Bucket) -> None:
    updated = bucket.update(bucket_type='allPublic', bucket_info={'color': 'blue'})
    assert (updated.type_, updated.bucket_info) == ('allPublic', {'color': 'blue'})
    assert updated.revision is not None
    assert bucket.revision is not None
    assert updated.revision > bucket.revision
    assert bucket.set_info({'color': 'red'}).bucket_info == {'color': 'red'}
    assert bucket.set_type('allPrivate').type_ == 'allPrivate'
    with pytest.raises(Conflict):
        bucket.update(bucket_type='allPublic', if_revision_is=bucket.revision)


def test_urls(api: B2Api, bucket: Bucket) -> None:
    base = api.account_info.get_download_url()
    assert bucket.get_download_url('dir/ü +&') == f'{base}/file/a-bucket/dir/%C3%BC%20%2B%26'
    assert api.get_download_url_for_file_name('a-bucket', 'x') == f'{base}/file/a-bucket/x'
    assert api.get_download_url_for_fileid('4_z1') == (
        f'{base}/b2api/v4/b2_download_file_by_id?fileId=4_z1'
    )


def test_download_authorization(bucket: Bucket) -> None:
    assert isinstance(bucket.get_download_authorization('prefix', 60), str)


@pytest.fixture
def key_account() -> Account:
    """An account whose simulator has keys, which that over HTTP has not."""
    return new_raw_account()


def test_keys(key_account: Account) -> None:
    api = key_account.api
    bucket = api.create_bucket('a-bucket', 'allPrivate')
    key = api.create_key(['listFiles'], 'my-key', bucket_ids=[bucket.id_], name_prefix='a/')
    assert (key.key_name, key.bucket_ids, key.name_prefix) == ('my-key', [bucket.id_], 'a/')
    assert key.has_capabilities(['listFiles'])
    assert not key.has_capabilities(['listFiles', 'writeFiles'])
    assert key.id_ in [listed.id_ for listed in api.list_keys()]
    found = api.get_key(key.id_)
    assert found is not None
    assert found.as_dict() == {k: v for k, v in key.as_dict().items() if k != 'applicationKey'}
    assert api.delete_key(key).id_ == key.id_
    assert api.get_key(key.id_) is None


def test_restricted_key(key_account: Account) -> None:
    bucket = key_account.api.create_bucket('a-bucket', 'allPrivate')
    other = key_account.api.create_bucket('other-bucket', 'allPrivate')
    key = key_account.api.create_key(['listBuckets'], 'restricted', bucket_ids=[bucket.id_])
    restricted = key_account.new_api()
    restricted.authorize_account(key.id_, key.application_key)
    # Known from the authorization alone.
    assert restricted.cache.list_bucket_names_ids() == [('a-bucket', bucket.id_)]
    assert restricted.get_bucket_by_name('a-bucket').id_ == bucket.id_
    assert restricted.get_bucket_by_id(bucket.id_).name == 'a-bucket'
    assert ids(restricted.list_buckets('a-bucket')) == [bucket.id_]
    restricted.check_bucket_name_restrictions('a-bucket')
    restricted.check_bucket_id_restrictions(bucket.id_)
    for call in (
        restricted.list_buckets,
        lambda: restricted.list_buckets('other-bucket'),
        lambda: restricted.list_buckets(bucket_id=other.id_),
        lambda: restricted.list_buckets(use_cache=True),
        lambda: restricted.get_bucket_by_name('other-bucket'),
        lambda: restricted.get_bucket_by_id(other.id_),
        lambda: restricted.get_download_url_for_file_name('other-bucket', 'x'),
        lambda: restricted.get_file_info_by_name('other-bucket', 'x'),
        lambda: restricted.check_bucket_name_restrictions('other-bucket'),
    ):
        with pytest.raises(RestrictedBucket, match='a-bucket'):
            call()


def test_secrets_are_not_shown(account: Account, bucket: Bucket) -> None:
    version = bucket.upload_bytes(b'x', 'name')
    token = account.api.account_info.get_account_auth_token()
    downloaded = version.download()
    for thing in (account.api, bucket, version, downloaded, downloaded.download_version):
        assert token not in repr(thing)
        assert account.key not in repr(thing)


def test_default_account_info() -> None:
    assert isinstance(B2Api().account_info, InMemoryAccountInfo)
