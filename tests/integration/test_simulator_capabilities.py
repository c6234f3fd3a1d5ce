"""What each call needs: capabilities, and keys for the right buckets and names."""

from __future__ import annotations

from typing import Any

import pytest

from b2fast.raw_api import ALL_CAPABILITIES

from .simulator_client import Client, refusal

UNAUTHORIZED = (401, 'unauthorized')
NO_RETENTION = {'mode': None, 'retainUntilTimestamp': None}

#: Call: the capabilities that together are enough. `{...}` stands for a thing of the world.
NEEDS: dict[str, tuple[list[str], dict[str, Any]]] = {
    'b2_cancel_large_file': (['writeFiles'], {'fileId': '{large}'}),
    'b2_copy_file': (['writeFiles', 'readFiles'], {'sourceFileId': '{file}', 'fileName': 'in/b'}),
    'b2_copy_part': (
        ['writeFiles', 'readFiles'],
        {'sourceFileId': '{file}', 'largeFileId': '{large}', 'partNumber': 1},
    ),
    'b2_create_bucket': (
        ['writeBuckets'],
        {'accountId': '{account}', 'bucketName': 'bucket-3', 'bucketType': 'allPrivate'},
    ),
    'b2_create_key': (
        ['writeKeys'],
        {'accountId': '{account}', 'capabilities': ['readFiles'], 'keyName': 'k'},
    ),
    'b2_delete_bucket': (['deleteBuckets'], {'accountId': '{account}', 'bucketId': '{empty}'}),
    'b2_delete_file_version': (['deleteFiles'], {'fileId': '{file}', 'fileName': 'in/a'}),
    'b2_delete_key': (['deleteKeys'], {'applicationKeyId': '{key}'}),
    'b2_download_file_by_id': (['readFiles'], {'fileId': '{file}'}),
    'b2_finish_large_file': (['writeFiles'], {'fileId': '{large}', 'partSha1Array': []}),
    'b2_get_download_authorization': (
        ['shareFiles'],
        {'bucketId': '{bucket}', 'fileNamePrefix': 'in/', 'validDurationInSeconds': 1},
    ),
    'b2_get_file_info': (['readFiles'], {'fileId': '{file}'}),
    'b2_get_upload_part_url': (['writeFiles'], {'fileId': '{large}'}),
    'b2_get_upload_url': (['writeFiles'], {'bucketId': '{bucket}'}),
    'b2_hide_file': (['writeFiles'], {'bucketId': '{bucket}', 'fileName': 'in/a'}),
    'b2_list_buckets': (['listBuckets'], {'accountId': '{account}', 'bucketId': '{bucket}'}),
    'b2_list_file_names': (['listFiles'], {'bucketId': '{bucket}', 'prefix': 'in/'}),
    'b2_list_file_versions': (['listFiles'], {'bucketId': '{bucket}', 'prefix': 'in/'}),
    'b2_list_keys': (['listKeys'], {'accountId': '{account}'}),
    'b2_list_parts': (['writeFiles'], {'fileId': '{large}'}),
    'b2_list_unfinished_large_files': (
        ['listFiles'],
        {'bucketId': '{bucket}', 'namePrefix': 'in/'},
    ),
    'b2_start_large_file': (
        ['writeFiles'],
        {'bucketId': '{bucket}', 'fileName': 'in/c', 'contentType': 'x/y'},
    ),
    'b2_update_bucket': (['writeBuckets'], {'accountId': '{account}', 'bucketId': '{bucket}'}),
}
ABOUT_ACCOUNT = {
    'b2_create_bucket',
    'b2_create_key',
    'b2_delete_bucket',
    'b2_delete_key',
    'b2_list_keys',
    'b2_update_bucket',
}
#: Calls about whole buckets; they name no file.
ABOUT_BUCKET = {'b2_get_upload_url', 'b2_list_buckets'}


@pytest.fixture
def world(client: Client, bucket_id: str) -> dict[str, str]:
    large = client.call(
        'b2_start_large_file', bucketId=bucket_id, fileName='in/large', contentType='x/y'
    )
    key = client.call(
        'b2_create_key',
        accountId=client.server.account_id,
        keyName='doomed',
        capabilities=['readFiles'],
    )
    return {
        'account': client.server.account_id,
        'bucket': bucket_id,
        'empty': client.create_bucket('bucket-2'),
        'file': client.store(bucket_id, 'in/a')['fileId'],
        'large': large['fileId'],
        'key': key['applicationKeyId'],
    }


#: The only one of the calls that is refused for what it asks: the file has no parts.
REFUSED = {'b2_finish_large_file': 400}


def fields_of(call: str, world: dict[str, str]) -> dict[str, Any]:
    return {
        name: value.format(**world) if isinstance(value, str) else value
        for name, value in NEEDS[call][1].items()
    }


@pytest.mark.parametrize('call', NEEDS)
def test_what_a_call_needs(client: Client, world: dict[str, str], call: str) -> None:
    fields = fields_of(call, world)
    needed = NEEDS[call][0]
    for missing in needed:
        rest = set(ALL_CAPABILITIES) - {missing}
        assert client.with_key(*rest).refused(call, **fields) == UNAUTHORIZED
    assert client.with_key(*needed).post(call, **fields).status_code == REFUSED.get(call, 200)


@pytest.mark.parametrize('call', sorted(set(NEEDS) - ABOUT_ACCOUNT))
def test_keys_of_buckets_and_prefixes(client: Client, world: dict[str, str], call: str) -> None:
    fields, needed = fields_of(call, world), NEEDS[call][0]
    other = client.with_key(*needed, bucketIds=[world['empty']])
    assert other.refused(call, **fields) == UNAUTHORIZED
    if call not in ABOUT_BUCKET:
        outside = client.with_key(*needed, namePrefix='out/')
        assert outside.refused(call, **fields) == UNAUTHORIZED
    several = client.with_key(
        *needed, bucketIds=[world['empty'], world['bucket']], namePrefix='in/'
    )
    assert several.post(call, **fields).status_code == REFUSED.get(call, 200)


@pytest.mark.parametrize('call', sorted(NEEDS))
def test_tokens(client: Client, world: dict[str, str], call: str) -> None:
    fields = fields_of(call, world)
    client.token = 'x'
    assert client.refused(call, **fields) == (401, 'bad_auth_token')
    client.token = client.authorize().json()['authorizationToken']
    client.server.expire_tokens()
    assert client.refused(call, **fields) == (401, 'expired_auth_token')


def test_copies_need_no_capability_for_public_sources(client: Client) -> None:
    public = client.create_bucket('public', bucketType='allPublic')
    source = client.store(public, 'a')
    writer = client.with_key('writeFiles')
    writer.call('b2_copy_file', sourceFileId=source['fileId'], fileName='b')


def test_settings_of_buckets(client: Client) -> None:
    account = {'accountId': client.server.account_id, 'bucketType': 'allPrivate'}
    encryption = {'defaultServerSideEncryption': {'mode': 'SSE-B2', 'algorithm': 'AES256'}}
    create = {**account, 'bucketName': 'bucket-4'}
    for needed, fields in (
        ('writeBucketEncryption', encryption),
        ('writeBucketRetentions', {'fileLockEnabled': True}),
    ):
        weak = client.with_key('writeBuckets')
        assert weak.refused('b2_create_bucket', **create, **fields) == UNAUTHORIZED
        strong = client.with_key('writeBuckets', needed)
        bucket = strong.call('b2_create_bucket', **create, **fields)
        update = {**account, 'bucketId': bucket['bucketId'], **fields}
        assert weak.refused('b2_update_bucket', **update) == UNAUTHORIZED
        strong.call('b2_update_bucket', **update)
        client.call('b2_delete_bucket', **account, bucketId=bucket['bucketId'])


def test_settings_that_a_key_may_not_read(client: Client, bucket_id: str) -> None:
    reader = client.with_key('listBuckets')
    (bucket,) = reader.call('b2_list_buckets', accountId=client.server.account_id)['buckets']
    unreadable = {'isClientAuthorizedToRead': False, 'value': None}
    for field in (
        'defaultServerSideEncryption',
        'fileLockConfiguration',
        'replicationConfiguration',
    ):
        assert bucket[field] == unreadable


class TestUploads:
    def test_name_outside_of_the_prefix(self, client: Client, bucket_id: str) -> None:
        writer = client.with_key('writeFiles', bucketIds=[bucket_id], namePrefix='in/')
        assert writer.upload(bucket_id, 'in/a').status_code == 200
        assert refusal(writer.upload(bucket_id, 'a')) == UNAUTHORIZED

    def test_account_tokens_do_not_upload(self, client: Client, bucket_id: str) -> None:
        target = client.call('b2_get_upload_url', bucketId=bucket_id)
        target['authorizationToken'] = client.token
        response = client.send(target, b'', {'X-Bz-File-Name': 'a', 'Content-Type': 'x/y'})
        assert refusal(response) == (401, 'bad_auth_token')
        client.token = client.call('b2_get_upload_url', bucketId=bucket_id)['authorizationToken']
        assert client.refused('b2_get_upload_url', bucketId=bucket_id) == (401, 'bad_auth_token')


class TestKeys:
    def create(self, client: Client, **fields: Any) -> tuple[int, str]:
        create = {
            'accountId': client.server.account_id,
            'keyName': 'k',
            'capabilities': ['readFiles'],
        }
        response = client.post('b2_create_key', **{**create, **fields})
        return (200, '') if response.status_code == 200 else refusal(response)

    @pytest.mark.parametrize(
        'capability', ['deleteBuckets', 'deleteKeys', 'listKeys', 'writeBuckets', 'writeKeys']
    )
    def test_of_a_bucket_have_nothing_of_the_account(
        self, client: Client, bucket_id: str, capability: str
    ) -> None:
        fields = {'capabilities': [capability, 'readFiles'], 'bucketIds': [bucket_id]}
        assert self.create(client, **fields) == (400, 'bad_request')
        assert self.create(client, capabilities=[capability]) == (200, '')

    @pytest.mark.parametrize(
        'capability',
        sorted(
            set(ALL_CAPABILITIES)
            - {'deleteBuckets', 'deleteKeys', 'listKeys', 'writeBuckets', 'writeKeys'}
        ),
    )
    def test_of_a_bucket_have_the_rest(
        self, client: Client, bucket_id: str, capability: str
    ) -> None:
        fields = {'capabilities': [capability], 'bucketIds': [bucket_id]}
        assert self.create(client, **fields) == (200, '')

    def test_refusals(self, client: Client, bucket_id: str) -> None:
        bad = (400, 'bad_request')
        for fields, expected in (
            ({'capabilities': []}, bad),
            ({'capabilities': ['fly']}, bad),
            ({'keyName': ''}, bad),
            ({'keyName': 'a b'}, bad),
            ({'keyName': 'x' * 101}, bad),
            ({'validDurationInSeconds': 0}, bad),
            ({'validDurationInSeconds': 86_400_000}, bad),
            ({'bucketIds': []}, bad),
            ({'bucketIds': ['x']}, (400, 'bad_bucket_id')),
            ({'bucketId': bucket_id}, bad),
            ({'accountId': 'x'}, UNAUTHORIZED),
            ({'capabilities': ['readBucketLogging', 'writeBucketLifecycleRules']}, (200, '')),
            ({'namePrefix': 'in/'}, (200, '')),
            ({'validDurationInSeconds': 86_399_999}, (200, '')),
        ):
            assert self.create(client, **fields) == expected
        client.version = 3
        assert self.create(client, bucketIds=[bucket_id]) == bad
        assert self.create(client, bucketId=bucket_id) == (200, '')

    def test_versions_of_the_api(self, client: Client, bucket_id: str) -> None:
        create = {
            'accountId': client.server.account_id,
            'keyName': 'k',
            'capabilities': ['readFiles'],
        }
        new = client.call('b2_create_key', **create, bucketIds=[bucket_id])
        assert new['bucketIds'] == [bucket_id]
        assert 'bucketId' not in new
        assert new['options'] == ['s3']
        client.version = 2
        old = client.call('b2_create_key', **create, bucketId=bucket_id)
        assert old['bucketId'] == bucket_id
        assert 'bucketIds' not in old
        gone = {'applicationKeyId': old['applicationKeyId']}
        assert 'applicationKey' not in client.call('b2_delete_key', **gone)
        assert client.refused('b2_delete_key', **gone) == (400, 'bad_request')

    def test_authorize_tells_what_a_key_is_for(self, client: Client, bucket_id: str) -> None:
        other = client.create_bucket('bucket-2')
        account = client.server.account_id
        create = {'accountId': account, 'keyName': 'k', 'capabilities': ['listBuckets']}

        def authorized(key: dict[str, Any], version: int) -> Any:
            client.version = version
            return client.authorize(auth=(key['applicationKeyId'], key['applicationKey']))

        one = client.call('b2_create_key', **create, bucketIds=[bucket_id], namePrefix='in/')
        allowed = authorized(one, 4).json()['apiInfo']['storageApi']['allowed']
        assert allowed == {
            'buckets': [{'id': bucket_id, 'name': 'bucket-1'}],
            'capabilities': ['listBuckets'],
            'namePrefix': 'in/',
        }
        storage = authorized(one, 3).json()['apiInfo']['storageApi']
        assert (storage['bucketId'], storage['bucketName']) == (bucket_id, 'bucket-1')
        assert (storage['capabilities'], storage['namePrefix']) == (['listBuckets'], 'in/')
        for version in (1, 2):
            assert authorized(one, version).json()['allowed'] == {
                'bucketId': bucket_id,
                'bucketName': 'bucket-1',
                'capabilities': ['listBuckets'],
                'namePrefix': 'in/',
            }
        client.version = 4
        two = client.call('b2_create_key', **create, bucketIds=[bucket_id, other])
        for version in (1, 2, 3):
            assert refusal(authorized(two, version)) == (401, 'unsupported')
        assert authorized(two, 4).status_code == 200
        client.call('b2_delete_bucket', accountId=account, bucketId=other)
        buckets = authorized(two, 4).json()['apiInfo']['storageApi']['allowed']['buckets']
        assert buckets[1] == {'id': other, 'name': None}
