"""What all calls over HTTP have in common: forms of requests, headers, errors, versions."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from b2fast.simulator import Options, SimulatorServer

from ..helpers import Clock, sha1_of
from .simulator_client import Client, refusal

BAD = (400, 'bad_request')


class TestForms:
    @pytest.mark.parametrize('version', [1, 2, 3, 4])
    def test_get_and_post_answer_alike(self, client: Client, version: int) -> None:
        client.version = version
        bucket_id = client.create_bucket(lifecycleRules=[])
        file_id = client.store(bucket_id, 'a b')['fileId']
        large_id = client.call(
            'b2_start_large_file', bucketId=bucket_id, fileName='l', contentType='x/y'
        )['fileId']
        for call, fields in (
            ('b2_list_buckets', {'accountId': client.server.account_id}),
            ('b2_list_file_names', {'bucketId': bucket_id, 'maxFileCount': 5, 'prefix': 'a '}),
            ('b2_list_file_versions', {'bucketId': bucket_id, 'delimiter': '/'}),
            ('b2_list_unfinished_large_files', {'bucketId': bucket_id}),
            ('b2_list_parts', {'fileId': large_id, 'startPartNumber': 1}),
            ('b2_list_keys', {'accountId': client.server.account_id, 'maxKeyCount': 3}),
            ('b2_get_file_info', {'fileId': file_id}),
        ):
            got = client.http.get(
                f'{client.server.url}/b2api/v{version}/{call}',
                params=fields,
                headers={'Authorization': client.token},
            )
            assert got.status_code == 200, got.text
            assert got.json() == client.call(call, **fields)

    def test_get_takes_objects_as_json(self, client: Client) -> None:
        response = client.http.get(
            f'{client.server.url}/b2api/v4/b2_create_bucket',
            params={
                'accountId': client.server.account_id,
                'bucketName': 'bucket-1',
                'bucketType': 'allPrivate',
                'bucketInfo': '{"a": "b"}',
                'lifecycleRules': '[{"fileNamePrefix": "", "daysFromHidingToDeleting": 1}]',
                'fileLockEnabled': 'true',
            },
            headers={'Authorization': client.token},
        )
        bucket = response.json()
        assert bucket['bucketInfo'] == {'a': 'b'}
        assert bucket['lifecycleRules'][0]['daysFromHidingToDeleting'] == 1
        assert bucket['fileLockConfiguration']['value']['isFileLockEnabled'] is True
        malformed = client.http.get(
            f'{client.server.url}/b2api/v4/b2_list_buckets',
            params={'accountId': client.server.account_id, 'bucketTypes': '{'},
            headers={'Authorization': client.token},
        )
        assert refusal(malformed) == (400, 'bad_json')

    def test_null_is_absent(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a')
        null = {'startFileName': None, 'maxFileCount': None, 'prefix': None, 'delimiter': None}
        listed = client.call('b2_list_file_names', bucketId=bucket_id, **null)
        assert len(listed['files']) == 1

    @pytest.mark.parametrize('method', ['PUT', 'DELETE', 'PATCH', 'HEAD'])
    def test_other_methods(self, client: Client, bucket_id: str, method: str) -> None:
        target = client.call('b2_get_upload_url', bucketId=bucket_id)['uploadUrl']
        for url in (
            f'{client.server.url}/b2api/v4/b2_list_buckets',
            f'{client.server.url}/b2api/v4/b2_authorize_account',
            target,
        ):
            assert client.http.request(method, url).status_code == 405
        if method != 'HEAD':
            response = client.http.request(method, f'{client.server.url}/file/bucket-1/a')
            assert refusal(response) == (405, 'method_not_allowed')

    def test_uploads_are_not_chunked(self, client: Client, bucket_id: str) -> None:
        target = client.call('b2_get_upload_url', bucketId=bucket_id)
        response = client.http.post(
            target['uploadUrl'],
            data=iter([b'da', b'ta']),
            headers={
                'Authorization': target['authorizationToken'],
                'X-Bz-File-Name': 'a',
                'Content-Type': 'x/y',
                'X-Bz-Content-Sha1': sha1_of(b'data'),
            },
        )
        assert refusal(response) == BAD


class TestHeaders:
    def raw(self, client: Client, call: str, fields: Any, token: str) -> http.client.HTTPResponse:
        url = urlsplit(client.server.url)
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=30)
        try:
            body = json.dumps(fields)
            connection.request('POST', f'/b2api/v4/{call}', body, {'Authorization': token})
            response = connection.getresponse()
            response.read()
            return response
        finally:
            connection.close()

    def test_of_answers(self, client: Client) -> None:
        account = {'accountId': client.server.account_id}
        answer = self.raw(client, 'b2_list_buckets', account, client.token)
        assert answer.getheader('Content-Type') == 'application/json;charset=UTF-8'
        assert answer.getheader('Cache-Control') == 'max-age=0, no-cache, no-store'
        assert answer.getheader('Date') is not None
        assert answer.getheader('Connection') is None

    def test_only_bad_requests_end_the_connection(self, client: Client, bucket_id: str) -> None:
        account = client.server.account_id
        update = {'accountId': account, 'bucketId': bucket_id, 'ifRevisionIs': 7}
        for call, fields, token, status, connection in (
            ('b2_list_buckets', {}, client.token, 400, 'close'),
            ('b2_list_buckets', {'accountId': account}, 'x', 401, None),
            ('b2_update_bucket', update, client.token, 409, None),
        ):
            answer = self.raw(client, call, fields, token)
            assert (answer.status, answer.getheader('Connection')) == (status, connection)
            assert answer.getheader('Content-Type') == 'application/json;charset=utf-8'
            assert answer.getheader('Cache-Control') == 'max-age=0, no-cache, no-store'

    def test_of_unauthorized_answers(self, client: Client) -> None:
        header = 'WWW-Authenticate'
        unparsable = client.authorize(auth=None, headers={'Authorization': 'Basic !'})
        assert unparsable.headers[header] == 'BASIC realm="authorize_account"'
        assert unparsable.json() == {'status': 401, 'code': 'bad_auth_token', 'message': ''}
        weak = client.with_key('readFiles')
        for response in (
            client.authorize(auth=(client.server.key_id, 'x')),
            weak.post('b2_list_buckets', accountId=client.server.account_id),
        ):
            assert refusal(response) == (401, 'unauthorized')
            assert header not in response.headers

    def test_of_downloads(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a')
        headers = client.download('/file/bucket-1/a').headers
        for absent in ('ETag', 'Last-Modified', 'Cache-Control', 'Content-MD5'):
            assert absent not in headers


class TestErrors:
    def test_of_json(self, client: Client) -> None:
        url = f'{client.server.url}/b2api/v4/b2_list_buckets'
        for body in (b'{', b'"x"', b'\xff\xfe', b'[]', b'1'):
            response = client.http.post(url, data=body, headers={'Authorization': client.token})
            assert refusal(response) == (400, 'bad_json')

    @pytest.mark.parametrize(
        ('call', 'fields'),
        [
            ('b2_create_bucket', {'bucketName': ['x']}),
            ('b2_list_file_names', {'bucketId': 1}),
            ('b2_list_file_names', {'bucketId': 'x', 'maxFileCount': 1.5}),
            ('b2_list_keys', {'accountId': True}),
        ],
    )
    def test_of_types(self, client: Client, call: str, fields: Any) -> None:
        fields = {'accountId': client.server.account_id, 'bucketType': 'allPrivate', **fields}
        bucket = {'bucketId': client.create_bucket()} if fields.get('bucketId') == 'x' else {}
        assert client.refused(call, **{**fields, **bucket}) == (400, 'bad_json')

    def test_of_files(self, client: Client, bucket_id: str) -> None:
        file_id = client.store(bucket_id, 'a')['fileId']
        unknown = file_id[:-4] + '9999'
        bucket = {'bucketId': bucket_id}
        for call, fields, expected in (
            ('b2_get_file_info', {'fileId': unknown}, (404, 'not_found')),
            ('b2_get_file_info', {'fileId': 'x'}, BAD),
            ('b2_get_file_info', {}, BAD),
            ('b2_hide_file', {**bucket, 'fileName': 'none'}, (400, 'no_such_file')),
            ('b2_hide_file', {'bucketId': 'x', 'fileName': 'a'}, (400, 'bad_bucket_id')),
            (
                'b2_delete_file_version',
                {'fileId': file_id, 'fileName': 'b'},
                (400, 'file_not_present'),
            ),
            (
                'b2_delete_file_version',
                {'fileId': unknown, 'fileName': 'a'},
                (400, 'file_not_present'),
            ),
            (
                'b2_list_file_versions',
                {**bucket, 'startFileName': 'a', 'startFileId': 'x'},
                (400, 'invalid_file_id'),
            ),
            ('b2_get_upload_url', {'bucketId': 'x'}, (400, 'bad_bucket_id')),
        ):
            assert client.refused(call, **fields) == expected
        client.call('b2_hide_file', **bucket, fileName='a')
        hidden = client.refused('b2_hide_file', **bucket, fileName='a')
        assert hidden == (400, 'already_hidden')
        client.call('b2_delete_file_version', fileId=file_id, fileName='a')
        again = client.refused('b2_delete_file_version', fileId=file_id, fileName='a')
        assert again == (400, 'file_not_present')

    def test_of_hide_markers(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a')
        marker = client.call('b2_hide_file', bucketId=bucket_id, fileName='a')
        assert client.call('b2_get_file_info', fileId=marker['fileId']) == marker
        path = f'/b2api/v4/b2_download_file_by_id?fileId={marker["fileId"]}'
        assert refusal(client.download(path)) == (404, 'not_found')
        # Without the marker the file is back.
        client.call('b2_delete_file_version', fileId=marker['fileId'], fileName='a')
        assert client.download('/file/bucket-1/a').status_code == 200

    def test_too_many_buckets(self, client: Client) -> None:
        for number in range(100):
            client.create_bucket(f'bucket-{number:03}')
        fields = {'bucketName': 'one-more', 'bucketType': 'allPrivate'}
        account_id = client.server.account_id
        refused = client.refused('b2_create_bucket', accountId=account_id, **fields)
        assert refused == (400, 'too_many_buckets')


class TestBuckets:
    def test_a_refused_update_changes_nothing(self, client: Client, bucket_id: str) -> None:
        account = {'accountId': client.server.account_id}
        before = client.call('b2_list_buckets', **account)
        update = {**account, 'bucketId': bucket_id, 'bucketType': 'allPublic'}
        for wrong in (
            {'lifecycleRules': [{}]},
            {'corsRules': [{}]},
            {'bucketInfo': {str(number): '' for number in range(11)}},
            {'bucketType': 'snapshot'},
        ):
            assert client.refused('b2_update_bucket', **{**update, **wrong}) == BAD
        assert client.refused('b2_update_bucket', **update, ifRevisionIs=1) == (409, 'conflict')
        assert client.call('b2_list_buckets', **account) == before

    def test_each_setting_is_replaced(self, client: Client) -> None:
        bucket_id = client.create_bucket(bucketInfo={'a': '1', 'b': '2'})
        update = {'accountId': client.server.account_id, 'bucketId': bucket_id}
        bucket = client.call('b2_update_bucket', **update, bucketInfo={'c': '3'})
        assert bucket['bucketInfo'] == {'c': '3'}
        assert client.call('b2_update_bucket', **update, bucketInfo={})['bucketInfo'] == {}
        assert client.call('b2_update_bucket', **update)['revision'] == 5

    @pytest.mark.parametrize(
        ('types', 'count'),
        [
            (None, 2),
            (['all'], 2),
            (['allPublic', 'allPrivate'], 2),
            (['snapshot'], 0),
            (['restricted', 'shared'], 0),
            (['allPublic'], 1),
        ],
    )
    def test_types(self, client: Client, types: Any, count: int) -> None:
        client.create_bucket('bucket-1', bucketType='allPublic')
        client.create_bucket('bucket-2')
        fields = {'accountId': client.server.account_id, 'bucketTypes': types}
        assert len(client.call('b2_list_buckets', **fields)['buckets']) == count

    @pytest.mark.parametrize('types', [[], ['all', 'allPublic'], ['secret']])
    def test_types_that_there_are_not(self, client: Client, types: Any) -> None:
        fields = {'accountId': client.server.account_id, 'bucketTypes': types}
        assert client.refused('b2_list_buckets', **fields) == BAD

    def test_names_differ_whatever_their_case(self, client: Client, bucket_id: str) -> None:
        fields = {'bucketName': 'BUCKET-1', 'bucketType': 'allPrivate'}
        account = {'accountId': client.server.account_id}
        taken = (400, 'duplicate_bucket_name')
        assert client.refused('b2_create_bucket', **account, **fields) == taken


class TestListings:
    def names(self, client: Client, bucket_id: str, **fields: Any) -> list[str]:
        answer = client.call('b2_list_file_names', bucketId=bucket_id, **fields)
        return [file['fileName'] for file in answer['files']]

    def test_delimiters(self, client: Client, bucket_id: str) -> None:
        stored = ('photos/cats/a', 'photos/cats/b', 'photos/dogs/a', 'photos/x', 'photos', 'x::y')
        for name in stored:
            client.store(bucket_id, name)

        def names(prefix: str, delimiter: str, **fields: Any) -> list[str]:
            fields = {'prefix': prefix, 'delimiter': delimiter, **fields}
            return self.names(client, bucket_id, **fields)

        assert names('photos/', '/') == ['photos/cats/', 'photos/dogs/', 'photos/x']
        assert names('photos', '/') == ['photos', 'photos/']
        assert names('', '::') == ['photos', *sorted(stored)[1:-1], 'x::']
        # A start inside a folder shows the folder, for there is more of it.
        assert names('photos/', '/', startFileName='photos/cats/b') == [
            'photos/cats/',
            'photos/dogs/',
            'photos/x',
        ]
        assert names('photos/', '/', startFileName='photos/cats/c') == [
            'photos/dogs/',
            'photos/x',
        ]
        versions = client.call(
            'b2_list_file_versions', bucketId=bucket_id, prefix='photos/', delimiter='/'
        )
        shown = [(file['action'], file['fileName']) for file in versions['files']]
        assert shown == [
            ('folder', 'photos/cats/'),
            ('folder', 'photos/dogs/'),
            ('upload', 'photos/x'),
        ]

    def test_a_folder_needs_a_visible_file(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a/b')
        client.call('b2_hide_file', bucketId=bucket_id, fileName='a/b')
        client.call('b2_start_large_file', bucketId=bucket_id, fileName='c/d', contentType='x/y')
        assert self.names(client, bucket_id, delimiter='/') == []

    def test_a_start_that_is_gone(self, client: Client, bucket_id: str) -> None:
        ids = [client.store(bucket_id, 'a')['fileId'] for _ in range(3)]
        client.call('b2_delete_file_version', fileId=ids[1], fileName='a')
        start = {'startFileName': 'a', 'startFileId': ids[1]}
        page = client.call('b2_list_file_versions', bucketId=bucket_id, **start)
        assert [file['fileId'] for file in page['files']] == [ids[0]]

    def test_version_1_says_size(self, client: Client, bucket_id: str) -> None:
        client.version = 1
        client.store(bucket_id, 'a/b')
        (folder,) = client.call('b2_list_file_names', bucketId=bucket_id, delimiter='/')['files']
        assert (folder['action'], folder['size']) == ('folder', 0)
        (file,) = client.call('b2_list_file_versions', bucketId=bucket_id)['files']
        assert file['size'] == 4


class TestOddValues:
    """What no client of B2 sends. None of it may look like a failure of the service."""

    LONG = '9' * 5000
    ALONE = '\ud800'

    @pytest.mark.parametrize(
        ('call', 'fields'),
        [
            ('b2_start_large_file', {'fileName': ALONE}),
            ('b2_start_large_file', {'fileInfo': {'key': ALONE}}),
            ('b2_start_large_file', {'fileInfo': {'b2-cache-control': f'a="{ALONE}"'}}),
            ('b2_start_large_file', {'contentType': 'x/\ny'}),
            ('b2_start_large_file', {'contentType': ALONE}),
            ('b2_start_large_file', {'customUploadTimestamp': LONG}),
            ('b2_start_large_file', {'fileRetention': {'mode': 'x', 'retainUntilTimestamp': LONG}}),
            ('b2_start_large_file', {'fileRetention': {'mode': []}}),
            ('b2_start_large_file', {'serverSideEncryption': {'mode': []}}),
            ('b2_update_bucket', {'defaultRetention': {'mode': [], 'period': {}}}),
            ('b2_update_bucket', {'corsRules': [{'corsRuleName': []}]}),
            ('b2_hide_file', {'fileName': ALONE}),
            ('b2_update_bucket', {'bucketInfo': {'Cache-Control': 'a\nb'}}),
            ('b2_update_bucket', {'lifecycleRules': [{'fileNamePrefix': '', 'days': 1}]}),
            ('b2_create_key', {'namePrefix': ALONE, 'capabilities': ['fly'], 'keyName': 'k'}),
            ('b2_get_file_info', {'fileId': ALONE}),
            ('b2_copy_file', {'range': f'bytes=0-{LONG}', 'sourceFileId': '{file}'}),
        ],
    )
    def test_in_json(self, client: Client, bucket_id: str, call: str, fields: Any) -> None:
        file_id = client.store(bucket_id, 'a')['fileId']
        fields = {
            'accountId': client.server.account_id,
            'bucketId': bucket_id,
            'fileName': 'a',
            'contentType': 'x/y',
            **fields,
        }
        if fields.get('sourceFileId'):
            fields['sourceFileId'] = file_id
        response = client.post(call, **fields)
        assert refusal(response)[0] == 400

    def test_nested_json(self, client: Client) -> None:
        url = f'{client.server.url}/b2api/v4/b2_list_buckets'
        body = '[' * 100_000
        response = client.http.post(url, data=body, headers={'Authorization': client.token})
        assert refusal(response) == (400, 'bad_json')

    def test_in_queries(self, client: Client, bucket_id: str) -> None:
        query = f'bucketId={bucket_id}&maxFileCount={self.LONG}'
        assert refusal(client.download(f'/b2api/v4/b2_list_file_names?{query}')) == BAD

    @pytest.mark.parametrize(
        'headers',
        [
            {'X_Bz_Custom_Upload_Timestamp': LONG},
            {'X_Bz_Custom_Upload_Timestamp': '\u0663'},
            {
                'X_Bz_File_Retention_Mode': 'governance',
                'X_Bz_File_Retention_Retain_Until_Timestamp': LONG,
            },
            {'X_Bz_Content_Sha1': '\u0663' * 40},
            {'X_Bz_File_Name': '%ED%A0%80'},
            {'X_Bz_Info_a': '%ED%A0%80'},
        ],
    )
    def test_in_upload_headers(
        self, client: Client, bucket_id: str, headers: dict[str, str]
    ) -> None:
        encoded = {name: value.encode() for name, value in headers.items()}
        response = client.upload(bucket_id, 'a', **encoded)
        assert refusal(response) == BAD

    def test_in_part_numbers(self, client: Client, bucket_id: str) -> None:
        file_id = client.call(
            'b2_start_large_file', bucketId=bucket_id, fileName='a', contentType='x/y'
        )['fileId']
        target = client.call('b2_get_upload_part_url', fileId=file_id)
        response = client.send(target, b'', {'X-Bz-Part-Number': self.LONG})
        assert refusal(response) == BAD

    @pytest.mark.parametrize(
        ('wanted', 'status'),
        [
            (f'bytes={LONG}-', 416),
            (f'bytes=0-{LONG}', 206),
            (f'bytes=-{LONG}', 206),
            ('bytes=\u0663-', 200),
        ],
    )
    def test_in_ranges(self, client: Client, bucket_id: str, wanted: str, status: int) -> None:
        client.store(bucket_id, 'a')
        headers = {'Authorization': client.token, 'Range': wanted.encode()}
        response = client.http.get(f'{client.server.url}/file/bucket-1/a', headers=headers)
        assert response.status_code == status

    def test_timestamps_before_1970(self, clock: Clock) -> None:
        with (
            SimulatorServer(clock=clock, custom_timestamps=True) as server,
            requests.Session() as session,
        ):
            client = Client(server, http=session)
            client.token = client.authorize().json()['authorizationToken']
            start = {'bucketId': client.create_bucket(), 'fileName': 'a', 'contentType': 'x/y'}
            assert client.refused('b2_start_large_file', **start, customUploadTimestamp=-1) == BAD

    def test_characters_of_bucket_names(self) -> None:
        with pytest.raises(ValueError, match='bucket_name_characters'):
            Options(bucket_name_characters='z-a')
