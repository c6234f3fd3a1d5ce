"""The options of the simulator: each changes what it says, over HTTP."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import requests

from b2fast import ReplicationStatus
from b2fast.simulator import Options, SimulatorServer

from ..helpers import Clock, sha1_of
from .simulator_client import NOW, Client, refusal

DAY = 24 * 3600 * 1000
BAD = (400, 'bad_request')
EMPTY_SHA1 = sha1_of(b'')
EMPTY_MD5 = hashlib.md5(b'', usedforsecurity=False).hexdigest()

Serve = Callable[..., Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server with options and returns a client of it."""
    with ExitStack() as stack:

        def start(now: int = NOW, **options: Any) -> Client:
            server = stack.enter_context(
                SimulatorServer(clock=Clock(now), minimum_part_size=10, options=Options(**options))
            )
            client = Client(server, http=stack.enter_context(requests.Session()))
            client.token = client.authorize().json()['authorizationToken']
            return client

        yield start


def start_large(client: Client, bucket_id: str, name: str = 'large', **more: Any) -> str:
    answer = client.call(
        'b2_start_large_file', bucketId=bucket_id, fileName=name, contentType='x/y', **more
    )
    file_id: str = answer['fileId']
    return file_id


def add_part(client: Client, file_id: str, number: int, data: bytes) -> Any:
    target = client.call('b2_get_upload_part_url', fileId=file_id)
    response = client.send(target, data, {'X-Bz-Part-Number': str(number)})
    assert response.status_code == 200, response.text
    return response.json()


def test_header_limits(serve: Serve) -> None:
    def sent(client: Client, bucket_id: str, size: int) -> requests.Response:
        return client.upload(bucket_id, 'n' * 100, X_Bz_Info_key='v' * (size - 103))

    client = serve()
    bucket_id = client.create_bucket()
    locked_id = client.create_bucket('locked-1', fileLockEnabled=True)
    too_much = (400, 'metadata_exceeded')
    assert sent(client, bucket_id, 7000).status_code == 200
    assert refusal(sent(client, bucket_id, 7001)) == too_much
    assert sent(client, locked_id, 2048).status_code == 200
    assert refusal(sent(client, locked_id, 2049)) == too_much
    client = serve(header_limit=2048, short_header_limit=1000)
    bucket_id = client.create_bucket()
    locked_id = client.create_bucket('locked-1', fileLockEnabled=True)
    assert refusal(sent(client, bucket_id, 2049)) == too_much
    assert refusal(sent(client, locked_id, 1001)) == too_much


def test_maximum_upload_size(serve: Serve) -> None:
    client = serve(maximum_upload_size=20)
    bucket_id = client.create_bucket()
    assert client.upload(bucket_id, 'a', b'x' * 20).status_code == 200
    assert refusal(client.upload(bucket_id, 'a', b'x' * 21)) == BAD
    target = client.call('b2_get_upload_part_url', fileId=start_large(client, bucket_id))
    assert refusal(client.send(target, b'x' * 21, {'X-Bz-Part-Number': '1'})) == BAD


def test_default_encryption(serve: Serve) -> None:
    none = {'mode': None, 'algorithm': None}
    sse_b2 = {'mode': 'SSE-B2', 'algorithm': 'AES256'}

    def update(client: Client, bucket_id: str, mode: str | None) -> requests.Response:
        algorithm = 'AES256' if mode == 'SSE-B2' else None
        return client.post(
            'b2_update_bucket',
            accountId=client.server.account_id,
            bucketId=bucket_id,
            defaultServerSideEncryption={'mode': mode, 'algorithm': algorithm},
        )

    def shown(response: requests.Response) -> Any:
        return response.json()['defaultServerSideEncryption']['value']

    client = serve()
    bucket_id = client.create_bucket()
    assert shown(update(client, bucket_id, None)) == sse_b2
    assert refusal(update(client, bucket_id, 'none')) == BAD
    assert client.store(bucket_id, 'a')['serverSideEncryption'] == sse_b2
    client = serve(default_encryption='none')
    bucket_id = client.create_bucket()
    file = client.store(bucket_id, 'a')
    assert file['serverSideEncryption'] == none
    headers = client.download('/file/bucket-1/a').headers
    assert 'X-Bz-Server-Side-Encryption' not in headers
    assert shown(update(client, bucket_id, 'SSE-B2')) == sse_b2
    assert client.store(bucket_id, 'a')['serverSideEncryption'] == sse_b2
    copy = {'sourceFileId': file['fileId'], 'fileName': 'b'}
    plain = client.call('b2_copy_file', **copy, destinationServerSideEncryption={'mode': 'none'})
    assert plain['serverSideEncryption'] == none
    assert shown(update(client, bucket_id, 'none')) == none
    assert shown(update(client, bucket_id, 'SSE-B2')) == sse_b2
    assert shown(update(client, bucket_id, None)) == none


def test_hide_marker_sha1(serve: Serve) -> None:
    for options, digests in (
        ({}, (None, None)),
        ({'hide_marker_sha1': 'empty'}, (EMPTY_SHA1, EMPTY_MD5)),
    ):
        client = serve(**options)
        bucket_id = client.create_bucket()
        client.store(bucket_id, 'a')
        marker = client.call('b2_hide_file', bucketId=bucket_id, fileName='a')
        assert (marker['contentSha1'], marker['contentMd5']) == digests
        listed = client.call('b2_list_file_versions', bucketId=bucket_id)['files'][0]
        assert listed == marker


def test_large_file_sha1(serve: Serve) -> None:
    for options, sha1 in (({}, 'none'), ({'large_file_sha1': 'null'}, None)):
        client = serve(**options)
        bucket_id = client.create_bucket()
        file_id = start_large(client, bucket_id)
        parts = [add_part(client, file_id, number, b'x' * 10) for number in (1, 2)]
        digests = [part['contentSha1'] for part in parts]
        client.call('b2_finish_large_file', fileId=file_id, partSha1Array=digests)
        assert client.call('b2_get_file_info', fileId=file_id)['contentSha1'] == sha1
        assert client.download('/file/bucket-1/large').headers['X-Bz-Content-Sha1'] == 'none'


def test_md5(serve: Serve) -> None:
    md5 = hashlib.md5(b'x' * 10, usedforsecurity=False).hexdigest()
    for options, known, header in (
        ({}, md5, None),
        ({'md5_limit': 9, 'content_md5_header': True}, None, None),
        ({'content_md5_header': True}, md5, md5),
    ):
        client = serve(**options)
        bucket_id = client.create_bucket()
        assert client.store(bucket_id, 'a', b'x' * 10)['contentMd5'] == known
        file_id = start_large(client, bucket_id)
        part = add_part(client, file_id, 1, b'x' * 10)
        assert part['contentMd5'] == known
        assert client.call('b2_list_parts', fileId=file_id)['parts'] == [part]
        assert client.download('/file/bucket-1/a').headers.get('Content-MD5') == header


def test_status_of_lock_refusals(serve: Serve) -> None:
    client = serve(locked_delete_status=403, locked_update_status=401)
    bucket_id = client.create_bucket(fileLockEnabled=True)
    file_id = client.store(
        bucket_id,
        'a',
        X_Bz_File_Retention_Mode='compliance',
        X_Bz_File_Retention_Retain_Until_Timestamp=str(NOW + 1),
    )['fileId']
    version = {'fileId': file_id, 'fileName': 'a'}
    assert client.refused('b2_delete_file_version', **version) == (403, 'access_denied')
    none = {'mode': None, 'retainUntilTimestamp': None}
    update = {**version, 'fileRetention': none}
    assert client.refused('b2_update_file_retention', **update) == (401, 'access_denied')


def test_maximum_retention_days(serve: Serve) -> None:
    client = serve(maximum_retention_days=1)
    bucket_id = client.create_bucket(fileLockEnabled=True)

    def sent(until: int) -> requests.Response:
        return client.upload(
            bucket_id,
            'a',
            X_Bz_File_Retention_Mode='governance',
            X_Bz_File_Retention_Retain_Until_Timestamp=str(until),
        )

    assert sent(NOW + DAY).status_code == 200
    assert refusal(sent(NOW + DAY + 1)) == BAD


def test_retention_from_finish(serve: Serve) -> None:
    for from_finish in (False, True):
        client = serve(retention_from_finish=from_finish)
        bucket_id = client.create_bucket(fileLockEnabled=True)
        client.call(
            'b2_update_bucket',
            accountId=client.server.account_id,
            bucketId=bucket_id,
            defaultRetention={
                'mode': 'governance',
                'period': {'duration': 1, 'unit': 'days'},
            },
        )
        file_id = start_large(client, bucket_id)
        client.server.advance_clock(10)
        digests = [add_part(client, file_id, n, b'x' * 10)['contentSha1'] for n in (1, 2)]
        done = client.call('b2_finish_large_file', fileId=file_id, partSha1Array=digests)
        begin = NOW + 10_000 if from_finish else NOW
        assert done['fileRetention']['value']['retainUntilTimestamp'] == begin + DAY


def test_replication_status_case(serve: Serve) -> None:
    for options, expected in (({}, 'PENDING'), ({'replication_status_case': 'lower'}, 'pending')):
        client = serve(**options)
        file_id = client.store(client.create_bucket(), 'a')['fileId']
        service = client.server._service
        service.file(file_id).replication_status = ReplicationStatus.PENDING
        info = client.call('b2_get_file_info', fileId=file_id)
        assert info['replicationStatus'] == expected
        headers = client.download('/file/bucket-1/a').headers
        assert headers['X-Bz-Replication-Status'] == expected


def test_wrong_key_code(serve: Serve) -> None:
    client = serve(wrong_key_code='bad_auth_token')
    answer = client.authorize(auth=(client.server.key_id, 'x'))
    assert refusal(answer) == (401, 'bad_auth_token')


def test_unverified_sha1(serve: Serve) -> None:
    claim = 'unverified:' + '0' * 40
    for accepted in (False, True):
        client = serve(accepts_unverified_sha1=accepted)
        response = client.upload(client.create_bucket(), 'a', X_Bz_Content_Sha1=claim)
        if accepted:
            assert response.json()['contentSha1'] == claim
        else:
            assert refusal(response) == BAD


def test_maximum_part_page(serve: Serve) -> None:
    for options, maximum in (({}, 1000), ({'maximum_part_page': 10_000}, 10_000)):
        client = serve(**options)
        file_id = start_large(client, client.create_bucket())
        client.call('b2_list_parts', fileId=file_id, maxPartCount=maximum)
        assert client.refused('b2_list_parts', fileId=file_id, maxPartCount=maximum + 1) == (
            400,
            'out_of_range',
        )


def test_buckets_of_a_restricted_key(serve: Serve) -> None:
    for allowed in (False, True):
        client = serve(lists_allowed_buckets=allowed)
        ids = [client.create_bucket(f'bucket-{number}') for number in range(3)]
        key = client.with_key('listBuckets', bucketIds=ids[:2])
        account = {'accountId': client.server.account_id}
        if allowed:
            buckets = key.call('b2_list_buckets', **account)['buckets']
            assert [bucket['bucketId'] for bucket in buckets] == ids[:2]
        else:
            assert key.refused('b2_list_buckets', **account) == (401, 'unauthorized')
        assert key.refused('b2_list_buckets', **account, bucketId=ids[2]) == (401, 'unauthorized')


@pytest.mark.parametrize('malformed', ['bytes=x', 'bytes=3-1', 'bytes=0-1,3-4', 'lines=1-2'])
@pytest.mark.parametrize(
    ('status', 'code'), [(200, ''), (400, 'bad_request'), (416, 'range_not_satisfiable')]
)
def test_malformed_range(serve: Serve, malformed: str, status: int, code: str) -> None:
    client = serve(malformed_range_status=status)
    client.store(client.create_bucket(), 'a')
    response = client.download('/file/bucket-1/a', Range=malformed)
    if status == 200:
        assert (response.status_code, response.content) == (200, b'data')
    else:
        assert refusal(response) == (status, code)
    assert client.download('/file/bucket-1/a', Range='bytes=1-2').content == b'at'


def test_suffix_ranges(serve: Serve) -> None:
    client = serve(suffix_ranges=False)
    client.store(client.create_bucket(), 'a')
    assert client.download('/file/bucket-1/a', Range='bytes=-2').status_code == 200


def test_finish_codes(serve: Serve) -> None:
    for specific in (True, False):
        client = serve(finish_codes=specific)
        file_id = start_large(client, client.create_bucket())
        first = add_part(client, file_id, 1, b'x' * 10)['contentSha1']
        add_part(client, file_id, 3, b'y' * 10)
        finish = {'fileId': file_id, 'partSha1Array': [first, first]}
        missing = client.refused('b2_finish_large_file', **finish)
        assert missing == ((400, 'missing_part') if specific else BAD)
        add_part(client, file_id, 2, b'z' * 10)
        finish['partSha1Array'] = [first, first, first]
        wrong = client.refused('b2_finish_large_file', **finish)
        assert wrong == ((400, 'part_sha1_mismatch') if specific else BAD)


def test_old_file_names(serve: Serve) -> None:
    names = ['/a', 'a/', 'a//b', 'a\\b', 'x' * 251]
    client = serve()
    bucket_id = client.create_bucket()
    assert [client.upload(bucket_id, name).status_code for name in names] == [200] * 5
    client = serve(old_file_names=True)
    bucket_id = client.create_bucket()
    assert [refusal(client.upload(bucket_id, name)) for name in names] == [BAD] * 5
    assert client.upload(bucket_id, 'a/b/' + 'x' * 250).status_code == 200


def test_bucket_name_characters(serve: Serve) -> None:
    def possible(client: Client, name: str) -> bool:
        return (
            client.post(
                'b2_create_bucket',
                accountId=client.server.account_id,
                bucketName=name,
                bucketType='allPrivate',
            ).status_code
            == 200
        )

    client = serve()
    assert possible(client, 'Bucket-1')
    assert not possible(client, 'bucket.2')
    assert not possible(client, 'B2-bucket')
    assert not possible(client, 'short')
    assert not possible(client, 'x' * 64)
    client = serve(bucket_name_characters='a-z0-9.-')
    assert not possible(client, 'Bucket-1')
    assert possible(client, 'bucket.2')


def test_unfinished_hides(serve: Serve) -> None:
    for hides in (False, True):
        client = serve(unfinished_hides=hides)
        bucket_id = client.create_bucket()
        client.store(bucket_id, 'large')
        client.server.advance_clock(1)
        start_large(client, bucket_id)
        names = client.call('b2_list_file_names', bucketId=bucket_id)['files']
        assert len(names) == (0 if hides else 1)
        status = client.download('/file/bucket-1/large').status_code
        assert status == (404 if hides else 200)


def test_synthetic_next_names(serve: Serve) -> None:
    client = serve(synthetic_next_names=True)
    bucket_id = client.create_bucket()
    for name in ('a', 'b/c', 'b/d', 'b0', 'e/f'):
        client.store(bucket_id, name)
    listing = {'bucketId': bucket_id, 'maxFileCount': 1, 'delimiter': '/'}
    found, start = [], ''
    while True:
        page = client.call('b2_list_file_names', **listing, startFileName=start)
        found += [file['fileName'] for file in page['files']]
        if page['nextFileName'] is None:
            break
        assert page['nextFileName'] not in ('a', 'b/', 'b0', 'e/')
        start = page['nextFileName']
    assert found == ['a', 'b/', 'b0', 'e/']
    # The last page is empty: the one before it was full.
    assert page['files'] == []


def test_tokens_outlive_keys(serve: Serve) -> None:
    for outlive in (False, True):
        client = serve(tokens_outlive_keys=outlive)
        bucket_id = client.create_bucket()
        key = client.with_key('listFiles', 'writeFiles')
        target = key.call('b2_get_upload_url', bucketId=bucket_id)
        (shown,) = client.call('b2_list_keys', accountId=client.server.account_id)['keys']
        client.call('b2_delete_key', applicationKeyId=shown['applicationKeyId'])
        statuses = {
            key.post('b2_list_file_names', bucketId=bucket_id).status_code,
            key.send(target, b'', {'X-Bz-File-Name': 'a', 'Content-Type': 'x/y'}).status_code,
        }
        assert statuses == {200 if outlive else 401}


def test_folder_download_status(serve: Serve) -> None:
    for status in (404, 400):
        client = serve(folder_download_status=status)
        client.store(client.create_bucket(), 'there/')
        assert client.download('/file/bucket-1/absent/', 'HEAD').status_code == status
        assert client.download('/file/bucket-1/absent', 'HEAD').status_code == 404
        assert client.download('/file/bucket-1/there/').status_code == 200


def test_whole_second_timestamps(serve: Serve) -> None:
    for whole in (False, True):
        client = serve(NOW + 789, whole_second_timestamps=whole)
        bucket_id = client.create_bucket()
        expected = NOW if whole else NOW + 789
        assert client.store(bucket_id, 'a')['uploadTimestamp'] == expected
        file_id = start_large(client, bucket_id)
        assert add_part(client, file_id, 1, b'x')['uploadTimestamp'] == NOW + 789
        (listed,) = client.call('b2_list_parts', fileId=file_id)['parts']
        assert listed['uploadTimestamp'] == expected


def test_overlapping_lifecycle_rules(serve: Serve) -> None:
    client = serve(overlapping_lifecycle_rules=True)
    rules = [{'fileNamePrefix': prefix, 'daysFromHidingToDeleting': 1} for prefix in ('', 'a')]
    client.create_bucket(lifecycleRules=rules)


def test_keys_within_creator(serve: Serve) -> None:
    for within in (False, True):
        client = serve(keys_within_creator=within)
        key = client.with_key('writeKeys')
        response = key.post(
            'b2_create_key',
            accountId=client.server.account_id,
            keyName='more',
            capabilities=['readFiles'],
        )
        assert response.status_code == (401 if within else 200)


def test_concurrent_upload_code(serve: Serve) -> None:
    client = serve(concurrent_upload_code='bad_request')
    target = client.call('b2_get_upload_url', bucketId=client.create_bucket())
    assert client.send_two_at_once(target) == BAD


class TestParse:
    def test_settings(self) -> None:
        assert Options.parse([]) == Options()
        assert Options.parse(
            ['hide-marker-sha1=empty', 'header_limit=2_048', 'old_file_names=TRUE']
        ) == Options(hide_marker_sha1='empty', header_limit=2048, old_file_names=True)

    @pytest.mark.parametrize(
        'setting',
        [
            'header_limit',
            'no_such=1',
            'header_limit=much',
            'old_file_names=1',
            'hide_marker_sha1=other',
            'malformed_range_status=500',
        ],
    )
    def test_no_settings(self, setting: str) -> None:
        with pytest.raises(ValueError, match='option'):
            Options.parse([setting])

    def test_wrong_type(self) -> None:
        with pytest.raises(ValueError, match='header_limit'):
            Options(header_limit=True)

    def test_each_is_described(self) -> None:
        page = (Path(__file__).parents[2] / 'docs' / 'simulator.md').read_text()
        for field in fields(Options):
            assert f':param {field.name}: ' in (Options.__doc__ or '')
            default = str(field.default)
            if isinstance(field.default, int):
                # Thousands are set apart from ten thousand on.
                default = f'{field.default:,}' if field.default > 9999 else default.lower()
            row = rf'\| `{field.name}` \| `?{re.escape(default)}`? \|'
            assert re.search(row, page), field.name
