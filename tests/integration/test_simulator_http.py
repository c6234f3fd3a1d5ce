"""The simulator's HTTP door, as a client sees it that knows nothing of its inside."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import pytest
import requests

from b2fast.simulator import SimulatorServer

from ..helpers import Clock, sha1_of
from .simulator_client import NOW, Client, refusal


class TestAuthorize:
    @pytest.mark.parametrize('method', ['GET', 'POST'])
    def test_version_4(self, client: Client, method: str) -> None:
        answer = client.authorize(method).json()
        assert set(answer) == {
            'accountId',
            'apiInfo',
            'applicationKeyExpirationTimestamp',
            'authorizationToken',
        }
        storage = answer['apiInfo']['storageApi']
        assert storage['apiUrl'] == storage['downloadUrl'] == client.server.url
        assert (storage['absoluteMinimumPartSize'], storage['recommendedPartSize']) == (10, 20)
        assert storage['allowed']['buckets'] is None
        assert 'writeFiles' in storage['allowed']['capabilities']
        assert 'infoType' not in storage

    def test_version_3(self, client: Client) -> None:
        client.version = 3
        storage = client.authorize().json()['apiInfo']['storageApi']
        assert storage['infoType'] == 'storageApi'
        assert storage['bucketId'] is None
        assert 'allowed' not in storage

    @pytest.mark.parametrize('version', [1, 2])
    def test_versions_1_and_2(self, client: Client, version: int) -> None:
        client.version = version
        answer = client.authorize('GET').json()
        assert answer['apiUrl'] == answer['downloadUrl'] == client.server.url
        assert answer['recommendedPartSize'] == 20
        assert ('minimumPartSize' in answer) == (version == 1)
        assert ('s3ApiUrl' in answer) == (version == 2)
        assert answer['allowed']['bucketName'] is None

    def test_account_id_stands_for_the_master_key(self, client: Client) -> None:
        response = client.authorize(auth=(client.server.account_id, client.server.key))
        assert response.status_code == 200

    def test_wrong_key(self, client: Client) -> None:
        assert refusal(client.authorize(auth=(client.server.key_id, 'x'))) == (401, 'unauthorized')
        assert refusal(client.authorize(auth=('x', client.server.key))) == (401, 'unauthorized')

    def test_no_credentials(self, client: Client) -> None:
        response = client.authorize(auth=None, headers={'Authorization': 'Basic !'})
        assert refusal(response) == (401, 'bad_auth_token')
        assert 'WWW-Authenticate' in response.headers

    def test_unknown_paths(self, client: Client) -> None:
        for path in ('/', '/b2api/v5/b2_list_buckets', '/b2api/v4/b2_unknown'):
            assert refusal(client.http.post(client.server.url + path)) == (400, 'bad_request')
        url = f'{client.server.url}/b2api/v4/b2_list_buckets'
        assert refusal(client.http.put(url)) == (405, 'method_not_allowed')


class TestTokens:
    def test_none_and_wrong(self, client: Client) -> None:
        client.token = 'nonsense'
        account = client.server.account_id
        assert client.refused('b2_list_buckets', accountId=account) == (401, 'bad_auth_token')

    def test_expire_with_the_clock(self, client: Client, clock: Clock, bucket_id: str) -> None:
        target = client.call('b2_get_upload_url', bucketId=bucket_id)
        clock.now += 24 * 3600 * 1000
        account = client.server.account_id
        assert client.refused('b2_list_buckets', accountId=account) == (401, 'expired_auth_token')
        headers = {'X-Bz-File-Name': 'a', 'Content-Type': 'text/plain'}
        assert refusal(client.send(target, b'', headers)) == (401, 'expired_auth_token')

    def test_expire_at_will(self, client: Client) -> None:
        client.server.expire_tokens()
        account = client.server.account_id
        assert client.refused('b2_list_buckets', accountId=account) == (401, 'expired_auth_token')
        client.token = client.authorize().json()['authorizationToken']
        client.call('b2_list_buckets', accountId=account)

    def test_upload_token_is_for_its_bucket(self, client: Client, bucket_id: str) -> None:
        one = client.call('b2_get_upload_url', bucketId=bucket_id)
        two = client.call('b2_get_upload_url', bucketId=client.create_bucket('bucket-2'))
        headers = {'X-Bz-File-Name': 'a', 'Content-Type': 'text/plain'}
        mixed = {**one, 'authorizationToken': two['authorizationToken']}
        assert refusal(client.send(mixed, b'', headers)) == (401, 'bad_auth_token')
        mixed = {**one, 'authorizationToken': client.token}
        assert refusal(client.send(mixed, b'', headers)) == (401, 'bad_auth_token')

    def test_one_upload_at_a_time(self, client: Client, bucket_id: str) -> None:
        target = client.call('b2_get_upload_url', bucketId=bucket_id)
        assert client.send_two_at_once(target) == (400, 'auth_token_limit')
        headers = {'X-Bz-File-Name': 'next', 'Content-Type': 'text/plain'}
        again = client.send(target, b'', headers)
        assert again.status_code == 200


class TestBuckets:
    def test_life_of_a_bucket(self, client: Client) -> None:
        account = client.server.account_id
        bucket_id = client.create_bucket('Bucket-1', bucketInfo={'a': 'b'})
        (bucket,) = client.call('b2_list_buckets', accountId=account)['buckets']
        assert bucket == {
            'accountId': account,
            'bucketId': bucket_id,
            'bucketInfo': {'a': 'b'},
            'bucketName': 'Bucket-1',
            'bucketType': 'allPrivate',
            'corsRules': [],
            'defaultServerSideEncryption': {
                'isClientAuthorizedToRead': True,
                'value': {'algorithm': 'AES256', 'mode': 'SSE-B2'},
            },
            'fileLockConfiguration': {
                'isClientAuthorizedToRead': True,
                'value': {
                    'defaultRetention': {'mode': None, 'period': None},
                    'isFileLockEnabled': False,
                },
            },
            'lifecycleRules': [],
            'options': ['s3'],
            'replicationConfiguration': {'isClientAuthorizedToRead': True, 'value': None},
            'revision': 2,
        }
        update = {'accountId': account, 'bucketId': bucket_id, 'bucketType': 'allPublic'}
        assert client.call('b2_update_bucket', **update, ifRevisionIs=2)['revision'] == 3
        assert client.refused('b2_update_bucket', **update, ifRevisionIs=2) == (409, 'conflict')
        client.call('b2_delete_bucket', accountId=account, bucketId=bucket_id)
        assert client.call('b2_list_buckets', accountId=account) == {'buckets': []}
        assert client.refused('b2_delete_bucket', accountId=account, bucketId=bucket_id) == (
            400,
            'bad_bucket_id',
        )

    def test_filters(self, client: Client, bucket_id: str) -> None:
        client.create_bucket('bucket-2', bucketType='allPublic')

        def listed(**fields: Any) -> list[str]:
            answer = client.call('b2_list_buckets', accountId=client.server.account_id, **fields)
            return [bucket['bucketName'] for bucket in answer['buckets']]

        assert listed(bucketId=None, bucketName=None) == ['bucket-1', 'bucket-2']
        assert listed(bucketName='bucket-2') == ['bucket-2']
        assert listed(bucketId=bucket_id) == ['bucket-1']
        assert listed(bucketName='none') == []
        assert listed(bucketTypes=['allPublic']) == ['bucket-2']
        assert listed(bucketTypes=['all']) == ['bucket-1', 'bucket-2']
        fields = {'accountId': client.server.account_id, 'bucketTypes': ['all', 'allPublic']}
        assert client.refused('b2_list_buckets', **fields) == (400, 'bad_request')

    def test_refusals(self, client: Client, bucket_id: str) -> None:
        account = client.server.account_id
        create = {'accountId': account, 'bucketName': 'bucket-2', 'bucketType': 'allPrivate'}
        for fields, expected in (
            ({'bucketName': 'bucket-1'}, (400, 'duplicate_bucket_name')),
            ({'bucketName': 'b2-bucket'}, (400, 'bad_request')),
            ({'bucketType': 'secret'}, (400, 'bad_request')),
            ({'bucketType': None}, (400, 'bad_request')),
            ({'bucketName': 7}, (400, 'bad_json')),
            ({'accountId': 'x'}, (401, 'unauthorized')),
            ({'bucketInfo': {'a b': 'c'}}, (400, 'bad_request')),
        ):
            assert client.refused('b2_create_bucket', **{**create, **fields}) == expected
        client.store(bucket_id, 'a')
        assert client.refused('b2_delete_bucket', accountId=account, bucketId=bucket_id) == (
            400,
            'cannot_delete_non_empty_bucket',
        )

    def test_json_that_is_none(self, client: Client) -> None:
        url = f'{client.server.url}/b2api/v4/b2_list_buckets'
        for body in (b'{', b'[]', b'\xff'):
            response = client.http.post(url, data=body, headers={'Authorization': client.token})
            assert refusal(response) == (400, 'bad_json')


class TestUploads:
    def test_answer(self, client: Client, bucket_id: str) -> None:
        file = client.store(bucket_id, 'a/b ä+%.txt', b'data', X_Bz_Info_Src='a%20b+c%2Bd')
        assert {**file, 'fileId': None} == {
            'accountId': client.server.account_id,
            'action': 'upload',
            'bucketId': bucket_id,
            'contentLength': 4,
            'contentMd5': hashlib.md5(b'data', usedforsecurity=False).hexdigest(),
            'contentSha1': sha1_of(b'data'),
            'contentType': 'text/plain',
            'fileId': None,
            'fileInfo': {'src': 'a b c+d'},
            'fileName': 'a/b ä+%.txt',
            'fileRetention': {
                'isClientAuthorizedToRead': True,
                'value': {'mode': None, 'retainUntilTimestamp': None},
            },
            'legalHold': {'isClientAuthorizedToRead': True, 'value': None},
            'serverSideEncryption': {'algorithm': 'AES256', 'mode': 'SSE-B2'},
            'uploadTimestamp': NOW,
        }
        assert client.call('b2_get_file_info', fileId=file['fileId']) == file

    def test_version_1_calls_the_length_size(self, client: Client, bucket_id: str) -> None:
        client.version = 1
        file = client.store(bucket_id, 'a')
        assert file['size'] == file['contentLength'] == 4
        (listed,) = client.call('b2_list_file_names', bucketId=bucket_id)['files']
        assert listed['size'] == 4

    def test_digest_at_the_end(self, client: Client, bucket_id: str) -> None:
        digest = sha1_of(b'data')
        claim = {'X_Bz_Content_Sha1': 'hex_digits_at_end'}
        file = client.store(bucket_id, 'a', b'data' + digest.encode(), **claim)
        assert (file['contentLength'], file['contentSha1']) == (4, digest)
        wrong = client.upload(bucket_id, 'a', b'DATA' + digest.encode(), **claim)
        assert refusal(wrong) == (400, 'bad_request')
        assert refusal(client.upload(bucket_id, 'a', b'short', **claim)) == (400, 'bad_request')

    def test_unverified(self, client: Client, bucket_id: str) -> None:
        file = client.store(bucket_id, 'a', b'data', X_Bz_Content_Sha1='do_not_verify')
        assert file['contentSha1'] == 'unverified:' + sha1_of(b'data')

    def test_content_type_by_name(self, client: Client, bucket_id: str) -> None:
        assert client.store(bucket_id, 'a.txt', Content_Type='b2/x-auto')['contentType'] == (
            'text/plain'
        )

    @pytest.mark.parametrize(
        'headers',
        [
            {'X_Bz_Content_Sha1': '0' * 40},
            {'X_Bz_Content_Sha1': None},
            {'X_Bz_File_Name': None},
            {'X_Bz_File_Name': '%ff'},
            {'X_Bz_File_Name': 'a%0A'},
            {'Content_Type': None},
            {'Content_Encoding': 'gzip'},
            {'X_Bz_Info_b2-other': 'x'},
            {'X_Bz_Custom_Upload_Timestamp': 'soon'},
            {'X_Bz_Server_Side_Encryption': 'ROT13'},
            {'X_Bz_Server_Side_Encryption_Customer_Algorithm': 'AES256'},
            {'X_Bz_File_Retention_Mode': 'governance'},
            {'X_Bz_File_Legal_Hold': 'perhaps'},
        ],
    )
    def test_refused_headers(
        self, client: Client, bucket_id: str, headers: dict[str, str | None]
    ) -> None:
        assert refusal(client.upload(bucket_id, 'a', **headers)) == (400, 'bad_request')
        assert client.call('b2_list_file_versions', bucketId=bucket_id)['files'] == []

    def test_what_the_account_or_the_bucket_has_not(self, client: Client, bucket_id: str) -> None:
        code = 'custom_timestamp_not_allowed'
        timestamp = client.upload(bucket_id, 'a', X_Bz_Custom_Upload_Timestamp='5')
        assert refusal(timestamp) == (400, code)
        held = client.upload(bucket_id, 'a', X_Bz_File_Legal_Hold='on')
        assert refusal(held) == (400, 'bucket_missing_file_lock')

    def test_custom_timestamps(self, clock: Clock) -> None:
        with (
            SimulatorServer(clock=clock, custom_timestamps=True) as server,
            requests.Session() as http,
        ):
            client = Client(server, http=http)
            client.token = client.authorize().json()['authorizationToken']
            bucket_id = client.create_bucket()
            client.store(bucket_id, 'a', b'newer')
            older = client.store(bucket_id, 'a', b'older', X_Bz_Custom_Upload_Timestamp='5')
            assert older['uploadTimestamp'] == 5
            assert client.download('/file/bucket-1/a').content == b'newer'
            later = client.upload(bucket_id, 'a', X_Bz_Custom_Upload_Timestamp=str(NOW + 1))
            assert refusal(later) == (400, 'bad_request')

    def test_locked_bucket(self, client: Client, clock: Clock) -> None:
        bucket_id = client.create_bucket(fileLockEnabled=True)
        retention = {
            'X_Bz_File_Retention_Mode': 'governance',
            'X_Bz_File_Retention_Retain_Until_Timestamp': str(NOW + 1000),
        }
        file = client.store(bucket_id, 'a', X_Bz_File_Legal_Hold='off', **retention)
        assert file['legalHold']['value'] == 'off'
        assert file['fileRetention']['value'] == {
            'mode': 'governance',
            'retainUntilTimestamp': NOW + 1000,
        }
        delete = {'fileId': file['fileId'], 'fileName': 'a'}
        assert client.refused('b2_delete_file_version', **delete) == (401, 'access_denied')
        clock.now += 1000
        client.call('b2_delete_file_version', **delete)
        code = 'retain_until_timestamp_must_be_in_future'
        assert refusal(client.upload(bucket_id, 'a', **retention)) == (400, code)


class TestLargeFiles:
    @pytest.fixture
    def large(self, client: Client, bucket_id: str) -> Any:
        return client.call(
            'b2_start_large_file',
            bucketId=bucket_id,
            fileName='large.txt',
            contentType='b2/x-auto',
            fileInfo={'Large_File_Sha1': '0' * 40},
        )

    def add(self, client: Client, file_id: str, number: int, data: bytes) -> Any:
        target = client.call('b2_get_upload_part_url', fileId=file_id)
        assert target['fileId'] == file_id
        return client.send(target, data, {'X-Bz-Part-Number': str(number)})

    def test_start_to_finish(self, client: Client, bucket_id: str, large: Any) -> None:
        assert large['action'] == 'start'
        assert (large['contentLength'], large['contentSha1']) == (0, 'none')
        assert large['contentType'] == 'text/plain'
        assert large['fileInfo'] == {'large_file_sha1': '0' * 40}
        file_id = large['fileId']
        parts = [b'a' * 10, b'b' * 10, b'c']
        digests = [sha1_of(part) for part in parts]
        for number, part in enumerate(parts, 1):
            answer = self.add(client, file_id, number, part).json()
            assert answer['partNumber'] == number
            assert (answer['contentLength'], answer['contentSha1']) == (
                len(part),
                digests[number - 1],
            )
        listed = client.call('b2_list_parts', fileId=file_id, startPartNumber=2, maxPartCount=1)
        assert [part['partNumber'] for part in listed['parts']] == [2]
        assert listed['nextPartNumber'] == 3
        unfinished = client.call('b2_list_unfinished_large_files', bucketId=bucket_id)
        assert [file['fileId'] for file in unfinished['files']] == [file_id]
        assert refusal(client.post('b2_get_file_info', fileId=file_id)) == (404, 'not_found')
        assert client.refused(
            'b2_finish_large_file', fileId=file_id, partSha1Array=digests[:1]
        ) == (400, 'bad_request')
        done = client.call('b2_finish_large_file', fileId=file_id, partSha1Array=digests)
        assert (done['fileId'], done['action']) == (file_id, 'upload')
        assert (done['contentLength'], done['contentSha1'], done['contentMd5']) == (
            21,
            'none',
            None,
        )
        assert client.download('/file/bucket-1/large.txt').content == b''.join(parts)
        assert client.refused('b2_list_parts', fileId=file_id) == (400, 'bad_request')

    def test_cancel(self, client: Client, bucket_id: str, large: Any) -> None:
        target = client.call('b2_get_upload_part_url', fileId=large['fileId'])
        assert client.call('b2_cancel_large_file', fileId=large['fileId']) == {
            'accountId': client.server.account_id,
            'bucketId': bucket_id,
            'fileId': large['fileId'],
            'fileName': 'large.txt',
        }
        sent = client.send(target, b'x', {'X-Bz-Part-Number': '1'})
        assert refusal(sent) == (400, 'bad_request')
        assert client.refused('b2_cancel_large_file', fileId=large['fileId']) == (
            400,
            'bad_request',
        )

    @pytest.mark.parametrize('number', ['0', '10001', 'x'])
    def test_part_numbers(self, client: Client, large: Any, number: str) -> None:
        target = client.call('b2_get_upload_part_url', fileId=large['fileId'])
        sent = client.send(target, b'x', {'X-Bz-Part-Number': number})
        assert refusal(sent) == (400, 'bad_request')

    def test_copied_parts(self, client: Client, bucket_id: str, large: Any) -> None:
        source = client.store(bucket_id, 'source', b'0123456789' * 2)
        copy = {'sourceFileId': source['fileId'], 'largeFileId': large['fileId']}
        first = client.call('b2_copy_part', **copy, partNumber=1, range='bytes=5-14')
        second = client.call('b2_copy_part', **copy, partNumber=2)
        digests = [first['contentSha1'], second['contentSha1']]
        client.call('b2_finish_large_file', fileId=large['fileId'], partSha1Array=digests)
        assert client.download('/file/bucket-1/large.txt').content == (
            b'5678901234' + b'0123456789' * 2
        )


class TestListings:
    def test_names_with_folders_by_pages(self, client: Client, bucket_id: str) -> None:
        for name in ('b', 'a/x', 'a/y', 'a', '\U0001f600', '\uffff', 'c/z'):
            client.store(bucket_id, name)
        found: list[tuple[str, str]] = []
        start: str | None = ''
        while start is not None:
            page = client.call(
                'b2_list_file_names',
                bucketId=bucket_id,
                startFileName=start,
                maxFileCount=1,
                delimiter='/',
            )
            found += [(file['action'], file['fileName']) for file in page['files']]
            start = page['nextFileName']
        assert found == [
            ('upload', 'a'),
            ('folder', 'a/'),
            ('upload', 'b'),
            ('folder', 'c/'),
            ('upload', '\uffff'),
            ('upload', '\U0001f600'),
        ]

    def test_folder_entry(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a/x')
        page = client.call('b2_list_file_names', bucketId=bucket_id, delimiter='/', prefix='')
        assert page == {
            'files': [
                {
                    'action': 'folder',
                    'contentLength': 0,
                    'contentMd5': None,
                    'contentSha1': None,
                    'contentType': None,
                    'fileId': None,
                    'fileInfo': {},
                    'fileName': 'a/',
                    'uploadTimestamp': 0,
                }
            ],
            'nextFileName': None,
        }

    def test_versions_by_pages(self, client: Client, bucket_id: str, clock: Clock) -> None:
        expected = []
        for name in ('a', 'a', 'b'):
            expected.append((name, client.store(bucket_id, name)['fileId']))
            clock.now += 1
        marker = client.call('b2_hide_file', bucketId=bucket_id, fileName='a')
        assert marker['action'] == 'hide'
        assert marker['contentType'] == 'application/x-bz-hide-marker'
        assert 'fileRetention' not in marker
        expected = [('a', marker['fileId']), expected[1], expected[0], expected[2]]
        found: list[tuple[str, str]] = []
        start: dict[str, str] | None = {}
        while start is not None:
            page = client.call('b2_list_file_versions', bucketId=bucket_id, maxFileCount=1, **start)
            found += [(file['fileName'], file['fileId']) for file in page['files']]
            start = {'startFileName': page['nextFileName'], 'startFileId': page['nextFileId']}
            if page['nextFileName'] is None:
                assert page['nextFileId'] is None
                start = None
        assert found == expected
        names = client.call('b2_list_file_names', bucketId=bucket_id)['files']
        assert [file['fileName'] for file in names] == ['b']

    def test_refusals(self, client: Client, bucket_id: str) -> None:
        names, versions = 'b2_list_file_names', 'b2_list_file_versions'
        bucket = {'bucketId': bucket_id}
        assert client.refused(names, **bucket, maxFileCount=10_001) == (400, 'out_of_range')
        assert client.refused(names, **bucket, maxFileCount=-1) == (400, 'out_of_range')
        assert client.refused(names, **bucket, maxFileCount='1') == (400, 'bad_json')
        assert client.refused(names, bucketId='x') == (400, 'bad_bucket_id')
        assert client.refused(names) == (400, 'bad_request')
        assert client.refused(versions, **bucket, startFileId='x') == (400, 'bad_request')

    def test_get_with_query(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a b')
        response = client.download(
            f'/b2api/v4/b2_list_file_names?bucketId={bucket_id}&maxFileCount=1&prefix=a%20'
        )
        assert [file['fileName'] for file in response.json()['files']] == ['a b']


class TestDownloads:
    @pytest.fixture
    def file(self, client: Client, bucket_id: str) -> Any:
        info = {'X_Bz_Info_key': '%C3%A4%20b', 'X_Bz_Info_b2-cache-control': 'max-age%3D1'}
        return client.store(bucket_id, 'd/ä b+.txt', b'0123456789', **info)

    PATH = '/file/bucket-1/d/%C3%A4%20b%2B.txt'

    def test_by_name(self, client: Client, file: Any) -> None:
        response = client.download(self.PATH)
        assert (response.status_code, response.content) == (200, b'0123456789')
        headers = response.headers
        assert headers['Content-Length'] == '10'
        assert headers['Content-Type'] == 'text/plain'
        assert headers['Accept-Ranges'] == 'bytes'
        assert headers['X-Bz-File-Id'] == file['fileId']
        assert headers['X-Bz-File-Name'] == 'd/%C3%A4%20b%2B.txt'
        assert headers['X-Bz-Content-Sha1'] == sha1_of(b'0123456789')
        assert headers['X-Bz-Upload-Timestamp'] == str(NOW)
        assert headers['X-Bz-Info-key'] == '%C3%A4%20b'
        assert headers['Cache-Control'] == 'max-age=1'
        assert headers['X-Bz-Server-Side-Encryption'] == 'AES256'
        assert 'Content-Range' not in headers

    def test_by_id(self, client: Client, file: Any) -> None:
        path = '/b2api/v4/b2_download_file_by_id'
        assert client.download(f'{path}?fileId={file["fileId"]}').content == b'0123456789'
        assert client.post('b2_download_file_by_id', fileId=file['fileId']).content == (
            b'0123456789'
        )

    def test_head(self, client: Client, file: Any) -> None:
        response = client.download(self.PATH, 'HEAD')
        assert (response.status_code, response.content) == (200, b'')
        assert response.headers['Content-Length'] == '10'
        missing = client.download('/file/bucket-1/none', 'HEAD')
        assert (missing.status_code, missing.content) == (404, b'')

    @pytest.mark.parametrize(
        ('wanted', 'content', 'content_range'),
        [
            ('bytes=2-4', b'234', 'bytes 2-4/10'),
            ('bytes=7-', b'789', 'bytes 7-9/10'),
            ('bytes=-2', b'89', 'bytes 8-9/10'),
            ('bytes=8-100', b'89', 'bytes 8-9/10'),
        ],
    )
    def test_ranges(
        self, client: Client, file: Any, wanted: str, content: bytes, content_range: str
    ) -> None:
        response = client.download(self.PATH, Range=wanted)
        assert (response.status_code, response.content) == (206, content)
        assert response.headers['Content-Range'] == content_range
        # The digest is that of the whole file.
        assert response.headers['X-Bz-Content-Sha1'] == file['contentSha1']

    def test_range_outside(self, client: Client, file: Any) -> None:
        response = client.download(self.PATH, Range='bytes=10-')
        assert refusal(response) == (416, 'range_not_satisfiable')
        assert client.download(self.PATH, Range='bytes=x').status_code == 200

    def test_private_needs_a_token(self, client: Client, file: Any) -> None:
        for path in (self.PATH, f'/b2api/v4/b2_download_file_by_id?fileId={file["fileId"]}'):
            assert client.download(path, token=None).status_code == 401
            assert client.download(path, token='x').status_code == 401
        path = f'{self.PATH}?Authorization={client.token}'
        assert client.download(path, token=None).status_code == 200

    def test_public_needs_none(self, client: Client) -> None:
        client.store(client.create_bucket('public', bucketType='allPublic'), 'a')
        assert client.download('/file/public/a', token=None).content == b'data'
        override = client.download('/file/public/a?b2ContentType=x/y', token=None)
        assert refusal(override) == (401, 'unauthorized')

    def test_overrides(self, client: Client, file: Any) -> None:
        response = client.download(self.PATH + '?b2ContentType=x/y&b2CacheControl=no-store')
        assert response.headers['Content-Type'] == 'x/y'
        assert response.headers['Cache-Control'] == 'no-store'

    def test_absent(self, client: Client, file: Any, bucket_id: str) -> None:
        client.call('b2_hide_file', bucketId=bucket_id, fileName=file['fileName'])
        by_id = '/b2api/v4/b2_download_file_by_id?fileId='
        unknown = file['fileId'][:-4] + '9999'
        for path in (self.PATH, '/file/none/a', '/file/bucket-1/none', by_id + unknown):
            assert refusal(client.download(path)) == (404, 'not_found')
        assert refusal(client.download(by_id + 'x')) == (400, 'bad_request')
        # An older version can be had by its ID.
        assert client.download(by_id + file['fileId']).status_code == 200

    def test_download_authorization(
        self, client: Client, file: Any, bucket_id: str, clock: Clock
    ) -> None:
        client.store(bucket_id, 'e')
        granted = client.call(
            'b2_get_download_authorization',
            bucketId=bucket_id,
            fileNamePrefix='d/',
            validDurationInSeconds=10,
        )
        token = granted['authorizationToken']
        assert client.download(self.PATH, token=token).status_code == 200
        assert client.download(self.PATH, 'HEAD', token=token).status_code == 200
        assert refusal(client.download('/file/bucket-1/e', token=token)) == (401, 'unauthorized')
        by_id = f'/b2api/v4/b2_download_file_by_id?fileId={file["fileId"]}'
        assert client.download(by_id, token=token).status_code == 401
        clock.now += 10_000
        assert client.download(self.PATH, token=token).status_code == 401


class TestCopies:
    def test_copy(self, client: Client, bucket_id: str) -> None:
        source = client.store(bucket_id, 'a', b'0123456789', X_Bz_Info_Key='v')
        copy = {'sourceFileId': source['fileId'], 'fileName': 'b'}
        answer = client.call('b2_copy_file', **copy, range='bytes=2-4')
        assert (answer['action'], answer['contentLength']) == ('copy', 3)
        assert answer['contentSha1'] == sha1_of(b'234')
        assert answer['fileInfo'] == {'key': 'v'}
        assert client.call('b2_get_file_info', fileId=answer['fileId'])['action'] == 'upload'

    def test_replaced_metadata(self, client: Client, bucket_id: str) -> None:
        source = client.store(bucket_id, 'a', X_Bz_Info_Key='v')
        other = client.create_bucket('bucket-2')
        answer = client.call(
            'b2_copy_file',
            sourceFileId=source['fileId'],
            fileName='b',
            destinationBucketId=other,
            metadataDirective='REPLACE',
            contentType='x/y',
            fileInfo={'N': 'm'},
        )
        assert (answer['bucketId'], answer['contentType']) == (other, 'x/y')
        assert answer['fileInfo'] == {'n': 'm'}

    def test_refusals(self, client: Client, bucket_id: str) -> None:
        source = client.store(bucket_id, 'a')
        copy = {'sourceFileId': source['fileId'], 'fileName': 'b'}
        for fields, expected in (
            ({'contentType': 'x/y'}, (400, 'bad_request')),
            ({'metadataDirective': 'REPLACE'}, (400, 'bad_request')),
            ({'metadataDirective': 'MERGE'}, (400, 'bad_request')),
            ({'range': 'bytes=4-5'}, (416, 'range_not_satisfiable')),
            ({'range': '0-1'}, (400, 'bad_request')),
            ({'sourceFileId': source['fileId'][:-4] + '9999'}, (404, 'not_found')),
            ({'destinationBucketId': 'x'}, (400, 'bad_bucket_id')),
        ):
            assert client.refused('b2_copy_file', **{**copy, **fields}) == expected


class TestServer:
    def test_secrets_are_strong_and_not_shown(self) -> None:
        with SimulatorServer() as one, SimulatorServer() as two:
            assert one.key != two.key
            assert len(one.key) >= 31
            assert one.key not in repr(one)
            assert repr(one) == f'<SimulatorServer {one.url}>'

    def test_counts_requests(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a')
        client.download('/file/bucket-1/a', Range='bytes=0-0')
        assert client.server.calls == {
            'b2_authorize_account': 1,
            'b2_create_bucket': 1,
            'b2_get_upload_url': 1,
            'b2_upload_file': 1,
            'b2_download_file_by_name': 1,
        }
        last = client.server.requests[-1]
        assert (last.call, last.method, last.path, last.range, last.status) == (
            'b2_download_file_by_name',
            'GET',
            '/file/bucket-1/a',
            'bytes=0-0',
            206,
        )

    def test_content_in_a_directory(self, tmp_path: Any, clock: Clock) -> None:
        data = bytes(range(256)) * 4000
        with (
            SimulatorServer(data_dir=tmp_path, clock=clock) as server,
            requests.Session() as http,
        ):
            client = Client(server, http=http)
            client.token = client.authorize().json()['authorizationToken']
            client.store(client.create_bucket(), 'a', data)
            kept = sum(path.stat().st_size for path in tmp_path.rglob('*') if path.is_file())
            assert kept >= len(data)
            assert client.download('/file/bucket-1/a').content == data

    def test_many_threads(self, client: Client, bucket_id: str) -> None:
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                with requests.Session() as http:
                    own = Client(client.server, http=http, token=client.token)
                    for turn in range(10):
                        own.store(bucket_id, f'{number}/{turn}')
                        own.call('b2_list_file_names', bucketId=bucket_id)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        page = client.call('b2_list_file_names', bucketId=bucket_id, maxFileCount=1000)
        assert len(page['files']) == 80

    def test_stop_twice(self) -> None:
        server = SimulatorServer()
        server.stop()
        server.stop()
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(server.url, timeout=5)
