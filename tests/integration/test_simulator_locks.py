"""Object lock over HTTP: who may change retention and legal hold, and what they protect."""

from __future__ import annotations

from typing import Any

import pytest

from ..helpers import Clock
from .simulator_client import NOW, Client, refusal

DAY = 24 * 3600 * 1000
NONE = {'mode': None, 'retainUntilTimestamp': None}
DENIED = (403, 'access_denied')


def until(mode: str | None, days: float) -> dict[str, Any]:
    return {'mode': mode, 'retainUntilTimestamp': NOW + round(days * DAY)}


@pytest.fixture
def locked_id(client: Client) -> str:
    return client.create_bucket('locked-1', fileLockEnabled=True)


@pytest.fixture
def version(client: Client, locked_id: str) -> dict[str, str]:
    """What names a version in a bucket with file lock."""
    file = client.store(locked_id, 'a')
    return {'fileId': file['fileId'], 'fileName': 'a'}


def retain(
    client: Client, version: dict[str, str], retention: Any, **fields: Any
) -> tuple[int, str]:
    response = client.post('b2_update_file_retention', **version, fileRetention=retention, **fields)
    if response.status_code == 200:
        assert response.json() == {**version, 'fileRetention': retention}
        return 200, ''
    return refusal(response)


OK = (200, '')


class TestRetention:
    @pytest.mark.parametrize(
        ('current', 'wanted', 'plain', 'bypassing'),
        [
            (NONE, until('governance', 2), OK, OK),
            (NONE, until('compliance', 2), OK, OK),
            (NONE, NONE, OK, OK),
            (until('governance', 5), until('governance', 6), OK, OK),
            (until('governance', 5), until('governance', 5), OK, OK),
            (until('governance', 5), until('compliance', 5), OK, OK),
            (until('governance', 5), until('governance', 4), DENIED, OK),
            (until('governance', 5), until('compliance', 4), DENIED, OK),
            (until('governance', 5), NONE, DENIED, OK),
            (until('compliance', 5), until('compliance', 6), OK, OK),
            (until('compliance', 5), until('compliance', 4), DENIED, DENIED),
            (until('compliance', 5), until('governance', 6), DENIED, DENIED),
            (until('compliance', 5), NONE, DENIED, DENIED),
        ],
    )
    def test_changes(
        self,
        client: Client,
        version: dict[str, str],
        current: Any,
        wanted: Any,
        plain: tuple[int, str],
        bypassing: tuple[int, str],
    ) -> None:
        assert retain(client, version, current) == OK
        assert retain(client, version, wanted) == plain
        if plain == DENIED:
            info = client.call('b2_get_file_info', fileId=version['fileId'])
            assert info['fileRetention']['value'] == current
        assert retain(client, version, wanted, bypassGovernance=True) == bypassing
        shown = client.call('b2_get_file_info', fileId=version['fileId'])['fileRetention']['value']
        assert shown == (wanted if bypassing == OK else current)

    def test_ends_with_its_time(self, client: Client, version: Any, clock: Clock) -> None:
        assert retain(client, version, until('compliance', 1)) == OK
        assert client.refused('b2_delete_file_version', **version) == (401, 'access_denied')
        clock.now += DAY
        client.token = client.authorize().json()['authorizationToken']
        assert retain(client, version, until('governance', 2)) == OK
        assert retain(client, version, NONE, bypassGovernance=True) == OK
        client.call('b2_delete_file_version', **version)

    def test_capabilities(self, client: Client, version: Any) -> None:
        reader = client.with_key('readFiles', 'writeFiles', 'writeFileLegalHolds')
        assert retain(reader, version, until('governance', 1)) == DENIED
        writer = client.with_key('writeFileRetentions', 'deleteFiles')
        assert retain(writer, version, until('governance', 2)) == OK
        assert retain(writer, version, NONE) == DENIED
        assert retain(writer, version, NONE, bypassGovernance=True) == DENIED
        bypass = {**version, 'bypassGovernance': True}
        assert writer.refused('b2_delete_file_version', **bypass) == (401, 'unauthorized')
        master = client.with_key('writeFileRetentions', 'bypassGovernance', 'deleteFiles')
        master.call('b2_delete_file_version', **bypass)

    def test_keys_for_other_files(self, client: Client, version: Any) -> None:
        other = client.create_bucket('locked-2', fileLockEnabled=True)
        for fields in ({'bucketIds': [other]}, {'namePrefix': 'b'}):
            key = client.with_key('writeFileRetentions', 'writeFileLegalHolds', **fields)
            assert retain(key, version, NONE) == (401, 'unauthorized')
            hold = {**version, 'legalHold': 'on'}
            assert key.refused('b2_update_file_legal_hold', **hold) == (401, 'unauthorized')

    def test_refusals(self, client: Client, version: Any, bucket_id: str, locked_id: str) -> None:
        in_future = (400, 'retain_until_timestamp_must_be_in_future')
        bad = (400, 'bad_request')
        for retention, expected in (
            (until('governance', 0), in_future),
            (until('compliance', -1), in_future),
            (until('perhaps', 1), bad),
            (until(None, 1), bad),
            ({'mode': 'governance'}, bad),
            ({'mode': 'governance', 'retainUntilTimestamp': 'soon'}, bad),
            (until('governance', 3001), bad),
            (None, bad),
            ('governance', (400, 'bad_json')),
        ):
            assert retain(client, version, retention) == expected
        absent = (400, 'file_not_present')
        assert retain(client, {**version, 'fileName': 'b'}, NONE) == absent
        assert (
            retain(client, {**version, 'fileId': version['fileId'][:-4] + '9999'}, NONE) == absent
        )
        plain = client.store(bucket_id, 'a')
        plain_version = {'fileId': plain['fileId'], 'fileName': 'a'}
        assert retain(client, plain_version, until('governance', 1)) == (
            400,
            'bucket_missing_file_lock',
        )
        marker = client.call('b2_hide_file', bucketId=locked_id, fileName='a')
        assert retain(client, {**version, 'fileId': marker['fileId']}, NONE) == bad

    def test_version_2_and_get(self, client: Client, version: Any) -> None:
        client.version = 2
        assert retain(client, version, until('governance', 1)) == OK
        response = client.http.get(
            f'{client.server.url}/b2api/v2/b2_update_file_legal_hold',
            params={**version, 'legalHold': 'on'},
            headers={'Authorization': client.token},
        )
        assert response.json() == {**version, 'legalHold': 'on'}


class TestLegalHold:
    def test_protects_from_deletion_alone(
        self, client: Client, version: Any, locked_id: str
    ) -> None:
        assert client.call('b2_update_file_legal_hold', **version, legalHold='on') == {
            **version,
            'legalHold': 'on',
        }
        denied = (401, 'access_denied')
        assert client.refused('b2_delete_file_version', **version) == denied
        bypass = {**version, 'bypassGovernance': True}
        assert client.refused('b2_delete_file_version', **bypass) == denied
        # Newer versions and hide markers stay possible.
        client.store(locked_id, 'a')
        marker = client.call('b2_hide_file', bucketId=locked_id, fileName='a')
        client.call('b2_delete_file_version', fileId=marker['fileId'], fileName='a')
        client.call('b2_update_file_legal_hold', **version, legalHold='off')
        assert retain(client, version, until('governance', 1)) == OK
        assert client.refused('b2_delete_file_version', **version) == denied
        client.call('b2_delete_file_version', **bypass)

    def test_refusals(self, client: Client, version: Any, bucket_id: str) -> None:
        call = 'b2_update_file_legal_hold'
        for hold in (None, 'perhaps'):
            assert client.refused(call, **version, legalHold=hold) == (400, 'bad_request')
        reader = client.with_key('writeFileRetentions')
        assert reader.refused(call, **version, legalHold='on') == DENIED
        plain = {'fileId': client.store(bucket_id, 'a')['fileId'], 'fileName': 'a'}
        assert client.refused(call, **plain, legalHold='on') == (400, 'bucket_missing_file_lock')
        assert client.refused(call, **{**version, 'fileName': 'b'}, legalHold='on') == (
            400,
            'file_not_present',
        )

    def test_who_may_read_it(self, client: Client, version: Any, locked_id: str) -> None:
        client.call('b2_update_file_legal_hold', **version, legalHold='on')
        assert retain(client, version, until('governance', 1)) == OK
        reader = client.with_key('readFiles', 'listFiles')
        info = reader.call('b2_get_file_info', fileId=version['fileId'])
        unreadable = {'isClientAuthorizedToRead': False, 'value': None}
        assert info['legalHold'] == info['fileRetention'] == unreadable
        headers = reader.download('/file/locked-1/a', 'HEAD').headers
        assert set(headers['X-Bz-Client-Unauthorized-To-Read'].split(',')) == {
            'X-Bz-File-Retention-Mode',
            'X-Bz-File-Retention-Retain-Until-Timestamp',
            'X-Bz-File-Legal-Hold',
        }
        headers = client.download('/file/locked-1/a', 'HEAD').headers
        assert headers['X-Bz-File-Legal-Hold'] == 'on'
        assert headers['X-Bz-File-Retention-Mode'] == 'governance'
        assert headers['X-Bz-File-Retention-Retain-Until-Timestamp'] == str(NOW + DAY)


class TestBuckets:
    def update(self, client: Client, bucket_id: str, **fields: Any) -> Any:
        return client.post(
            'b2_update_bucket',
            accountId=client.server.account_id,
            bucketId=bucket_id,
            **fields,
        )

    def default(self, mode: str | None, duration: object = 2, unit: str = 'days') -> Any:
        period = None if mode is None else {'duration': duration, 'unit': unit}
        return {'defaultRetention': {'mode': mode, 'period': period}}

    def test_lock_is_for_ever(self, client: Client, bucket_id: str) -> None:
        enabled = self.update(client, bucket_id, fileLockEnabled=True).json()
        assert enabled['fileLockConfiguration']['value']['isFileLockEnabled'] is True
        assert refusal(self.update(client, bucket_id, fileLockEnabled=False)) == (
            400,
            'file_lock_conflict',
        )
        assert self.update(client, bucket_id, fileLockEnabled=True).status_code == 200

    def test_default_retention(
        self, client: Client, locked_id: str, bucket_id: str, clock: Clock
    ) -> None:
        source = client.store(bucket_id, 'source', b'x' * 10)
        answer = self.update(client, locked_id, **self.default('governance')).json()
        assert answer['fileLockConfiguration']['value']['defaultRetention'] == {
            'mode': 'governance',
            'period': {'duration': 2, 'unit': 'days'},
        }
        file = client.store(locked_id, 'a')
        copied = client.call(
            'b2_copy_file',
            sourceFileId=source['fileId'],
            fileName='b',
            destinationBucketId=locked_id,
        )
        large = client.call(
            'b2_start_large_file', bucketId=locked_id, fileName='c', contentType='x/y'
        )
        for answer in (file, copied, large):
            assert answer['fileRetention']['value'] == until('governance', 2)
        # Hide markers carry none, and an unfinished file can be cancelled.
        marker = client.call('b2_hide_file', bucketId=locked_id, fileName='a')
        assert 'fileRetention' not in marker
        client.call('b2_delete_file_version', fileId=marker['fileId'], fileName='a')
        client.call('b2_cancel_large_file', fileId=large['fileId'])
        delete = {'fileId': file['fileId'], 'fileName': 'a'}
        assert client.refused('b2_delete_file_version', **delete) == (401, 'access_denied')
        own = client.call(
            'b2_copy_file',
            sourceFileId=source['fileId'],
            fileName='b',
            destinationBucketId=locked_id,
            fileRetention=until('compliance', 1),
            legalHold='off',
        )
        assert own['fileRetention']['value'] == until('compliance', 1)
        assert own['legalHold']['value'] == 'off'
        self.update(client, locked_id, **self.default('compliance', 1, 'years'))
        assert client.store(locked_id, 'd')['fileRetention']['value'] == until('compliance', 365)
        cleared = self.update(client, locked_id, **self.default(None)).json()
        assert cleared['fileLockConfiguration']['value']['defaultRetention'] == {
            'mode': None,
            'period': None,
        }
        assert client.store(locked_id, 'e')['fileRetention']['value'] == NONE

    def test_unfinished_under_retention_can_be_deleted(self, client: Client) -> None:
        bucket_id = client.create_bucket('locked-3', fileLockEnabled=True)
        large = client.call(
            'b2_start_large_file',
            bucketId=bucket_id,
            fileName='a',
            contentType='x/y',
            fileRetention=until('compliance', 1),
            legalHold='on',
        )
        client.call('b2_delete_file_version', fileId=large['fileId'], fileName='a')

    def test_refusals(self, client: Client, locked_id: str, bucket_id: str) -> None:
        bad = (400, 'bad_request')
        for fields in (
            self.default('perhaps'),
            self.default('governance', 0),
            self.default('governance', True),
            self.default('governance', 2, 'months'),
            self.default('governance', 3001),
            self.default('compliance', 9, 'years'),
        ):
            assert refusal(self.update(client, locked_id, **fields)) == bad
        missing = (400, 'bucket_missing_file_lock')
        assert refusal(self.update(client, bucket_id, **self.default('governance'))) == missing
        create = {
            'accountId': client.server.account_id,
            'bucketName': 'locked-4',
            'bucketType': 'allPrivate',
        }
        early = {**create, 'fileLockEnabled': True, **self.default('governance')}
        assert client.refused('b2_create_bucket', **early) == bad
        weak = client.with_key('writeBuckets')
        unauthorized = (401, 'unauthorized')
        assert weak.refused('b2_create_bucket', **create, fileLockEnabled=True) == unauthorized
        assert refusal(self.update(weak, locked_id, **self.default(None))) == unauthorized


class TestUploads:
    @pytest.mark.parametrize(
        'headers',
        [
            {'X_Bz_File_Legal_Hold': 'on'},
            {
                'X_Bz_File_Retention_Mode': 'governance',
                'X_Bz_File_Retention_Retain_Until_Timestamp': str(NOW + 1),
            },
        ],
    )
    def test_need_the_capability(
        self, client: Client, locked_id: str, headers: dict[str, str]
    ) -> None:
        writer = client.with_key('writeFiles')
        assert refusal(writer.upload(locked_id, 'a', **headers)) == (401, 'unauthorized')
        assert client.upload(locked_id, 'a', **headers).status_code == 200

    def test_lock_that_the_bucket_has_not(self, client: Client, bucket_id: str) -> None:
        source = client.store(bucket_id, 'a')
        missing = (400, 'bucket_missing_file_lock')
        lock = {'fileRetention': until('governance', 1)}
        copy = {'sourceFileId': source['fileId'], 'fileName': 'b'}
        assert client.refused('b2_copy_file', **copy, **lock) == missing
        assert client.refused('b2_copy_file', **copy, legalHold='on') == missing
        start = {'bucketId': bucket_id, 'fileName': 'b', 'contentType': 'x/y'}
        assert client.refused('b2_start_large_file', **start, **lock) == missing
        past = {'fileRetention': until('governance', -1)}
        locked = client.create_bucket('locked-5', fileLockEnabled=True)
        assert client.refused('b2_start_large_file', **{**start, 'bucketId': locked}, **past) == (
            400,
            'retain_until_timestamp_must_be_in_future',
        )
