"""Application keys over HTTP, in the versions of the API that clients use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from b2fast import B2Api, Bucket, InMemoryAccountInfo, SimulatorServer
from b2fast.exception import B2Error, BadRequest, InvalidAuthToken, Unauthorized


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        yield server


@pytest.fixture
def api(server: SimulatorServer) -> B2Api:
    return authorized(server, server.key_id, server.key)


def authorized(server: SimulatorServer, key_id: str, key: str) -> B2Api:
    api = B2Api(InMemoryAccountInfo())
    api.authorize_account(key_id, key, realm=server.url)
    return api


def test_key_opens_what_it_is_for(server: SimulatorServer, api: B2Api) -> None:
    bucket = api.create_bucket('first-bucket', 'allPrivate')
    other = api.create_bucket('other-bucket', 'allPrivate')
    bucket.upload_bytes(b'x', 'in/x')
    full = api.create_key(['listBuckets', 'listFiles'], 'reader', 3600, [bucket.id_], 'in/')
    assert full.bucket_ids == [bucket.id_]
    assert full.name_prefix == 'in/'
    assert full.expiration_timestamp_millis is not None

    reader = authorized(server, full.id_, full.application_key)
    allowed = reader.account_info.get_allowed()
    assert allowed['buckets'] == [{'id': bucket.id_, 'name': 'first-bucket'}]
    assert [v.file_name for v, _ in reader.get_bucket_by_id(bucket.id_).ls('in/')] == ['in/x']
    with pytest.raises(Unauthorized):
        reader.session.list_file_names(other.id_)
    with pytest.raises(Unauthorized):
        reader.create_key(['listFiles'], 'more')

    assert api.delete_key(full).key_name == 'reader'
    with pytest.raises((InvalidAuthToken, Unauthorized)):
        reader.session.list_file_names(bucket.id_)
    with pytest.raises(Unauthorized):
        authorized(server, full.id_, full.application_key)


def test_keys_are_listed_in_pages(api: B2Api) -> None:
    made = [api.create_key(['listFiles'], f'key-{number}') for number in range(5)]
    ids = [key.id_ for key in made]
    assert len({*ids, api.account_info.get_application_key_id()}) == 6
    answer = api.session.list_keys(api.get_account_id(), max_key_count=2)
    assert [key['applicationKeyId'] for key in answer['keys']] == ids[:2]
    assert answer['nextApplicationKeyId'] == ids[2]
    assert all('applicationKey' not in key for key in answer['keys'])
    api.DEFAULT_LIST_KEY_COUNT = 2
    assert [key.id_ for key in api.list_keys()] == ids
    found = api.get_key(ids[3])
    assert found is not None
    assert found.key_name == 'key-3'
    assert api.get_key('no-such-key') is None


@pytest.mark.parametrize(
    ('capabilities', 'name', 'seconds', 'bucket_ids'),
    [
        ([], 'name', None, None),
        (['noSuchCapability'], 'name', None, None),
        (['listFiles'], 'no space', None, None),
        (['listFiles'], 'name', 0, None),
        (['listFiles'], 'name', 86_400_000, None),
        (['listFiles'], 'name', None, ['no-such-bucket']),
    ],
)
def test_bad_keys_are_refused(
    api: B2Api,
    capabilities: list[str],
    name: str,
    seconds: int | None,
    bucket_ids: list[str] | None,
) -> None:
    with pytest.raises(B2Error):
        api.create_key(capabilities, name, seconds, bucket_ids)
    assert list(api.list_keys()) == []


def test_unknown_key_cannot_be_deleted(api: B2Api) -> None:
    for key_id in ('no-such-key', api.account_info.get_application_key_id()):
        with pytest.raises(BadRequest, match='application key does not exist'):
            api.delete_key_by_id(key_id)


@pytest.mark.parametrize('version', [1, 3])
def test_older_versions_know_one_bucket(server: SimulatorServer, api: B2Api, version: int) -> None:
    bucket = api.create_bucket('first-bucket', 'allPrivate')

    def call(name: str, version: int = version, **fields: Any) -> requests.Response:
        return requests.post(
            f'{server.url}/b2api/v{version}/{name}',
            json={'accountId': api.get_account_id(), **fields},
            headers={'Authorization': api.account_info.get_account_auth_token()},
            timeout=20,
        )

    key = {'capabilities': ['listFiles'], 'keyName': 'name'}
    made = call('b2_create_key', bucketId=bucket.id_, **key).json()
    assert made['bucketId'] == bucket.id_
    assert made['applicationKey']
    (listed,) = call('b2_list_keys').json()['keys']
    assert listed['bucketId'] == bucket.id_
    assert 'bucketIds' not in listed
    assert call('b2_create_key', bucketIds=[bucket.id_], **key).status_code == 400
    assert call('b2_create_key', version=4, bucketId=bucket.id_, **key).status_code == 400
    deleted = call('b2_delete_key', applicationKeyId=made['applicationKeyId']).json()
    assert deleted['keyName'] == 'name'


@pytest.mark.parametrize('version', [1, 2, 3])
def test_older_versions_authorize_keys_of_one_bucket(
    server: SimulatorServer, api: B2Api, version: int
) -> None:
    one, two = (api.create_bucket(name, 'allPrivate') for name in ('bucket-1', 'bucket-2'))

    def answer_to_key_of(*buckets: Bucket) -> requests.Response:
        ids = [bucket.id_ for bucket in buckets]
        key = api.create_key(['listFiles'], 'name', bucket_ids=ids, name_prefix='in/')
        return requests.get(
            f'{server.url}/b2api/v{version}/b2_authorize_account',
            auth=(key.id_, key.application_key),
            timeout=20,
        )

    answer = answer_to_key_of(one).json()
    allowed = answer['allowed'] if version < 3 else answer['apiInfo']['storageApi']
    assert (allowed['bucketId'], allowed['bucketName']) == (one.id_, 'bucket-1')
    assert allowed['namePrefix'] == 'in/'
    refused = answer_to_key_of(one, two)
    assert (refused.status_code, refused.json()['code']) == (401, 'unsupported')
