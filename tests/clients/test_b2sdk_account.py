"""b2sdk against the simulator: authorization, buckets, keys and addresses."""

from __future__ import annotations

import pytest
import requests
from b2sdk import v3 as b2sdk
from b2sdk.v3.exception import (
    BucketIdNotFound,
    Conflict,
    NonExistentBucket,
    RestrictedBucket,
    Unauthorized,
)

from .sdk import PART_SIZE, World, content, new_api


def test_authorization(world: World) -> None:
    server = world.server
    api = b2sdk.B2Api(b2sdk.SqliteAccountInfo(str(world.directory / 'account')))
    assert not api.authorize_automatically()
    with pytest.raises(Unauthorized):
        api.authorize_account(server.key_id, 'wrong', realm=server.url)
    api.authorize_account(server.key_id, server.key, realm=server.url)
    assert api.get_account_id() == server.account_id == api.account_info.get_account_id()
    assert api.account_info.get_recommended_part_size() == PART_SIZE
    again = b2sdk.B2Api(b2sdk.SqliteAccountInfo(str(world.directory / 'account')))
    assert again.authorize_automatically()
    server.expire_tokens()
    assert again.list_buckets('missing-bucket') == []
    assert isinstance(api.raw_api, b2sdk.B2RawHTTPApi)
    assert isinstance(api.cache, b2sdk.AuthInfoCache)


def test_buckets(world: World) -> None:
    api = world.api
    lifecycle = [
        {
            'fileNamePrefix': 'logs/',
            'daysFromHidingToDeleting': 1,
            'daysFromUploadingToHiding': 2,
            'daysFromStartingToCancelingUnfinishedLargeFiles': 3,
        }
    ]
    cors = [
        {
            'corsRuleName': 'downloads',
            'allowedOrigins': ['https'],
            'allowedHeaders': ['range'],
            'allowedOperations': ['b2_download_file_by_id'],
            'exposeHeaders': ['x-bz-content-sha1'],
            'maxAgeSeconds': 3600,
        }
    ]
    bucket = world.new_bucket(
        bucket_info={'color': 'blue'}, cors_rules=cors, lifecycle_rules=lifecycle
    )
    other = world.new_bucket('allPublic')
    assert {found.id_ for found in api.list_buckets()} >= {bucket.get_id(), other.get_id()}
    assert [found.id_ for found in api.list_buckets(other.name)] == [other.id_]
    found = api.get_bucket_by_name(bucket.name).get_fresh_state()
    assert found.as_dict() == api.get_bucket_by_id(bucket.id_).get_fresh_state().as_dict()
    assert (found.bucket_info, found.cors_rules) == ({'color': 'blue'}, cors)
    assert (found.lifecycle_rules, found.type_) == (lifecycle, 'allPrivate')
    assert found.default_server_side_encryption.mode == b2sdk.EncryptionMode.SSE_B2

    changed = found.set_type('allPublic')
    assert (changed.type_, changed.revision) == ('allPublic', found.revision + 1)
    assert changed.set_info({'color': 'red'}).bucket_info == {'color': 'red'}
    changed = changed.update(lifecycle_rules=[], cors_rules=[], bucket_type='allPrivate')
    assert (changed.lifecycle_rules, changed.cors_rules) == ([], [])
    with pytest.raises(Conflict):
        bucket.set_info({}, if_revision_is=bucket.revision)

    api.delete_bucket(bucket)
    assert api.list_buckets(bucket.name) == []
    with pytest.raises(NonExistentBucket):
        api.get_bucket_by_name('missing-bucket')
    with pytest.raises(BucketIdNotFound):
        bucket.get_fresh_state()


def test_keys(world: World) -> None:
    api = world.api
    bucket, second, other = (world.new_bucket() for _ in range(3))
    bucket.upload_bytes(b'mine', 'mine/file')
    bucket.upload_bytes(b'yours', 'yours/file')
    capabilities = ['listBuckets', 'listFiles', 'readFiles']
    key = api.create_key(capabilities, 'reader', 3600, [bucket.id_, second.id_], 'mine/')
    assert key.as_dict()['bucketIds'] == [bucket.id_, second.id_]
    assert key.has_capabilities(['readFiles'])
    listed = {found.id_: found for found in api.list_keys()}[key.id_]
    assert (listed.key_name, listed.name_prefix) == ('reader', 'mine/')
    assert listed.has_capabilities(capabilities)
    assert not listed.has_capabilities(['writeFiles'])
    found = api.get_key(key.id_)
    assert found is not None
    assert found.as_dict() == listed.as_dict()

    reader = new_api(world.server, key)
    reader.check_bucket_name_restrictions(bucket.name)
    reader.check_bucket_id_restrictions(second.id_)
    with pytest.raises(RestrictedBucket):
        reader.check_bucket_name_restrictions(other.name)
    with pytest.raises(RestrictedBucket):
        reader.get_bucket_by_name(other.name)
    mine = reader.get_bucket_by_name(bucket.name)
    assert content(mine.download_file_by_name('mine/file')) == b'mine'
    with pytest.raises(Unauthorized):
        mine.download_file_by_name('yours/file')
    with pytest.raises(Unauthorized):
        mine.hide_file('mine/file')
    with pytest.raises(Unauthorized):
        list(reader.list_keys())

    unlimited = api.create_key(['listBuckets'], 'unlimited')
    assert api.delete_key(unlimited).id_ == unlimited.id_
    assert api.delete_key_by_id(key.id_).key_name == 'reader'
    assert api.get_key(key.id_) is None
    with pytest.raises(Unauthorized):
        new_api(world.server, key)


def test_pages_of_keys(world: World) -> None:
    made = {world.api.create_key(['listFiles'], f'key-{number}').id_ for number in range(5)}
    world.api.DEFAULT_LIST_KEY_COUNT = 2
    assert made <= {key.id_ for key in world.api.list_keys()}
    last = max(made)
    assert last in {key.id_ for key in world.api.list_keys(last)}


def test_addresses(world: World) -> None:
    api = world.api
    public, private = world.new_bucket('allPublic'), world.new_bucket()
    for bucket in (public, private):
        version = bucket.upload_bytes(b'content', 'a b/+é%')
        by_name = bucket.get_download_url('a b/+é%')
        assert by_name == api.get_download_url_for_file_name(bucket.name, 'a b/+é%')
        status = 200 if bucket is public else 401
        by_id = api.get_download_url_for_fileid(version.id_)
        for url in (by_name, by_id):
            assert requests.get(url, timeout=30).status_code == status
    token = private.get_download_authorization('a b/', 60)
    answer = requests.get(by_name, headers={'Authorization': token}, timeout=30)
    assert answer.content == b'content'
