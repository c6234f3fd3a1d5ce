"""Lifecycle rules at work, and the clock that makes them work."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from b2fast.simulator import SimulatorServer

from ..helpers import Clock
from .simulator_client import NOW, Client, refusal

DAY_SECONDS = 24 * 3600
DAY = DAY_SECONDS * 1000
HIDE = 'daysFromUploadingToHiding'
DELETE = 'daysFromHidingToDeleting'
CANCEL = 'daysFromStartingToCancelingUnfinishedLargeFiles'


def ruled(client: Client, *rules: dict[str, Any], **fields: Any) -> str:
    return client.create_bucket('ruled-1', lifecycleRules=rules, **fields)


def pass_days(client: Client, days: float) -> None:
    client.server.advance_clock(days * DAY_SECONDS)
    client.token = client.authorize().json()['authorizationToken']


def versions(client: Client, bucket_id: str) -> list[tuple[str, str]]:
    files = client.call('b2_list_file_versions', bucketId=bucket_id, maxFileCount=1000)['files']
    return [(file['fileName'], file['action']) for file in files]


class TestRules:
    def test_hide_then_delete(self, client: Client) -> None:
        bucket_id = ruled(client, {'fileNamePrefix': 'logs/', HIDE: 3, DELETE: 2})
        for name in ('logs/a', 'log', 'z'):
            client.store(bucket_id, name)
        pass_days(client, 2.9)
        assert versions(client, bucket_id) == [
            ('log', 'upload'),
            ('logs/a', 'upload'),
            ('z', 'upload'),
        ]
        pass_days(client, 0.1)
        assert versions(client, bucket_id) == [
            ('log', 'upload'),
            ('logs/a', 'hide'),
            ('logs/a', 'upload'),
            ('z', 'upload'),
        ]
        pass_days(client, 1.9)
        assert len(versions(client, bucket_id)) == 4
        # The hide marker that is left over goes, too.
        pass_days(client, 0.1)
        assert versions(client, bucket_id) == [('log', 'upload'), ('z', 'upload')]

    def test_both_within_one_leap(self, client: Client) -> None:
        bucket_id = ruled(client, {'fileNamePrefix': '', HIDE: 3, DELETE: 2})
        client.store(bucket_id, 'a')
        pass_days(client, 5)
        assert versions(client, bucket_id) == []

    def test_only_hide(self, client: Client) -> None:
        bucket_id = ruled(client, {'fileNamePrefix': '', HIDE: 1, DELETE: None})
        client.store(bucket_id, 'a')
        pass_days(client, 100)
        assert versions(client, bucket_id) == [('a', 'hide'), ('a', 'upload')]
        client.store(bucket_id, 'a')
        pass_days(client, 1)
        assert versions(client, bucket_id)[0] == ('a', 'hide')
        assert len(versions(client, bucket_id)) == 4

    def test_older_versions_count_from_the_newer(self, client: Client, clock: Clock) -> None:
        bucket_id = ruled(client, {'fileNamePrefix': '', DELETE: 2})
        client.store(bucket_id, 'a', b'1')
        pass_days(client, 10)
        client.store(bucket_id, 'a', b'2')
        pass_days(client, 1)
        newest = client.store(bucket_id, 'a', b'3')
        assert len(versions(client, bucket_id)) == 3
        pass_days(client, 1)
        assert len(versions(client, bucket_id)) == 2
        pass_days(client, 30)
        (left,) = client.call('b2_list_file_versions', bucketId=bucket_id)['files']
        assert left == newest

    def test_own_hide_marker(self, client: Client) -> None:
        bucket_id = ruled(client, {'fileNamePrefix': '', DELETE: 1})
        client.store(bucket_id, 'a')
        client.call('b2_hide_file', bucketId=bucket_id, fileName='a')
        client.store(bucket_id, 'a')
        client.call('b2_hide_file', bucketId=bucket_id, fileName='a')
        pass_days(client, 1)
        assert versions(client, bucket_id) == []

    def test_cancel_unfinished(self, client: Client) -> None:
        bucket_id = ruled(client, {'fileNamePrefix': 'a', CANCEL: 2})
        start = {'bucketId': bucket_id, 'contentType': 'x/y'}
        old = client.call('b2_start_large_file', **start, fileName='a')
        client.call('b2_start_large_file', **start, fileName='b')
        target = client.call('b2_get_upload_part_url', fileId=old['fileId'])
        client.send(target, b'x', {'X-Bz-Part-Number': '1'})
        pass_days(client, 1)
        client.call('b2_start_large_file', **start, fileName='a')
        assert len(versions(client, bucket_id)) == 3
        pass_days(client, 1)
        assert versions(client, bucket_id) == [('a', 'start'), ('b', 'start')]
        assert client.refused('b2_list_parts', fileId=old['fileId']) == (400, 'bad_request')

    def test_an_unfinished_file_hides_nothing(self, client: Client) -> None:
        bucket_id = ruled(client, {'fileNamePrefix': '', HIDE: 5, DELETE: 1})
        client.store(bucket_id, 'a')
        client.call('b2_start_large_file', bucketId=bucket_id, fileName='a', contentType='x/y')
        pass_days(client, 3)
        assert versions(client, bucket_id) == [('a', 'start'), ('a', 'upload')]
        pass_days(client, 2)
        assert versions(client, bucket_id) == [('a', 'hide'), ('a', 'start'), ('a', 'upload')]

    def test_locked_versions_stay(self, client: Client) -> None:
        bucket_id = ruled(client, {'fileNamePrefix': '', HIDE: 1, DELETE: 1}, fileLockEnabled=True)
        held = client.store(bucket_id, 'held', X_Bz_File_Legal_Hold='on')
        client.store(
            bucket_id,
            'kept',
            X_Bz_File_Retention_Mode='compliance',
            X_Bz_File_Retention_Retain_Until_Timestamp=str(NOW + 10 * DAY),
        )
        pass_days(client, 9)
        both = [('held', 'hide'), ('held', 'upload'), ('kept', 'hide'), ('kept', 'upload')]
        assert versions(client, bucket_id) == both
        pass_days(client, 1)
        assert versions(client, bucket_id) == both[:2]
        hold = {'fileId': held['fileId'], 'fileName': 'held', 'legalHold': 'off'}
        client.call('b2_update_file_legal_hold', **hold)
        pass_days(client, 0)
        assert versions(client, bucket_id) == []

    def test_custom_timestamps_count(self, clock: Clock) -> None:
        with (
            SimulatorServer(clock=clock, custom_timestamps=True) as server,
            requests.Session() as http,
        ):
            client = Client(server, http=http)
            client.token = client.authorize().json()['authorizationToken']
            bucket_id = ruled(client, {'fileNamePrefix': '', HIDE: 10})
            client.store(bucket_id, 'a', X_Bz_Custom_Upload_Timestamp=str(NOW - 9 * DAY))
            pass_days(client, 1)
            assert versions(client, bucket_id)[0] == ('a', 'hide')

    @pytest.mark.parametrize(
        'rules',
        [
            [{HIDE: 1}],
            [{'fileNamePrefix': 'a'}],
            [{'fileNamePrefix': 'a', HIDE: 0}],
            [{'fileNamePrefix': 'a', DELETE: True}],
            [{'fileNamePrefix': 'a', CANCEL: 1.5}],
            [{'fileNamePrefix': 'a', HIDE: 1}, {'fileNamePrefix': 'ab', HIDE: 1}],
            [{'fileNamePrefix': f'{number:03}', HIDE: 1} for number in range(101)],
        ],
    )
    def test_rules_that_no_bucket_has(self, client: Client, rules: Any) -> None:
        fields = {'bucketName': 'ruled-2', 'bucketType': 'allPrivate', 'lifecycleRules': rules}
        create = {'accountId': client.server.account_id, **fields}
        assert client.refused('b2_create_bucket', **create) == (400, 'bad_request')


class TestClock:
    @pytest.fixture
    def bucket_id(self, client: Client) -> str:
        bucket_id = ruled(client, {'fileNamePrefix': '', HIDE: 1})
        client.store(bucket_id, 'a')
        return bucket_id

    def test_a_users_own_clock(self, client: Client, bucket_id: str, clock: Clock) -> None:
        # Nothing happens within the day, by UTC; NOW is 22:13.
        clock.now += 3600 * 1000
        assert versions(client, bucket_id) == [('a', 'upload')]
        clock.now += DAY
        client.token = client.authorize().json()['authorizationToken']
        assert versions(client, bucket_id) == [('a', 'hide'), ('a', 'upload')]

    def test_advance(self, client: Client, bucket_id: str, clock: Clock) -> None:
        client.server.advance_clock(0.5)
        assert client.store(bucket_id, 'b')['uploadTimestamp'] == NOW + 500
        clock.now += 1
        assert client.store(bucket_id, 'b')['uploadTimestamp'] == NOW + 501
        with pytest.raises(ValueError, match='forward'):
            client.server.advance_clock(-1)

    def test_tokens_expire_and_are_forgotten(self, client: Client, bucket_id: str) -> None:
        listing = {'accountId': client.server.account_id}
        target = client.call('b2_get_upload_url', bucketId=bucket_id)
        granted = client.call(
            'b2_get_download_authorization',
            bucketId=bucket_id,
            fileNamePrefix='',
            validDurationInSeconds=DAY_SECONDS,
        )
        headers = {'X-Bz-File-Name': 'b', 'Content-Type': 'text/plain'}

        def codes() -> set[tuple[int, str]]:
            token = granted['authorizationToken']
            return {
                client.refused('b2_list_buckets', **listing),
                refusal(client.send(target, b'', headers)),
                refusal(client.download('/file/ruled-1/a', token=token)),
            }

        client.server.advance_clock(DAY_SECONDS)
        assert codes() == {(401, 'expired_auth_token')}
        client.server.advance_clock(DAY_SECONDS)
        assert codes() == {(401, 'bad_auth_token')}

    def test_keys_expire(self, client: Client) -> None:
        key = client.call(
            'b2_create_key',
            accountId=client.server.account_id,
            keyName='short',
            capabilities=['listBuckets'],
            validDurationInSeconds=10,
        )
        auth = (key['applicationKeyId'], key['applicationKey'])
        answer = client.authorize(auth=auth).json()
        assert answer['applicationKeyExpirationTimestamp'] == NOW + 10_000
        holder = Client(client.server, http=client.http, token=answer['authorizationToken'])
        listing = {'accountId': client.server.account_id}
        assert holder.post('b2_list_buckets', **listing).status_code == 200
        client.server.advance_clock(10)
        assert holder.refused('b2_list_buckets', **listing) == (401, 'expired_auth_token')
        assert refusal(client.authorize(auth=auth)) == (401, 'unauthorized')
        assert client.call('b2_list_keys', **listing)['keys'] == []
        pass_days(client, 2)
        assert refusal(client.authorize(auth=auth)) == (401, 'unauthorized')
