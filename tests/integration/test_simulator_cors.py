"""CORS: the rules that a bucket can have, and what they answer to browsers."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from .simulator_client import Client, refusal

RULE: dict[str, Any] = {
    'corsRuleName': 'download-rule',
    'allowedOrigins': ['https://example.com'],
    'allowedOperations': ['b2_download_file_by_name', 'b2_download_file_by_id'],
    'allowedHeaders': ['authorization', 'x-bz-*'],
    'exposeHeaders': ['x-bz-content-sha1'],
    'maxAgeSeconds': 3600,
}
UPLOAD_RULE: dict[str, Any] = {
    'corsRuleName': 'upload-rule',
    'allowedOrigins': ['*'],
    'allowedOperations': ['b2_upload_file', 'b2_upload_part'],
    'allowedHeaders': ['*'],
    'maxAgeSeconds': 0,
}


def preflight(
    client: Client, url: str, origin: str | None = 'https://example.com', wanted: str | None = None
) -> requests.Response:
    headers = {'Access-Control-Request-Method': 'GET', 'Origin': origin}
    headers['Access-Control-Request-Headers'] = wanted
    return client.http.options(
        url, headers={name: value for name, value in headers.items() if value is not None}
    )


class TestRules:
    def create(self, client: Client, *rules: object) -> requests.Response:
        return client.post(
            'b2_create_bucket',
            accountId=client.server.account_id,
            bucketName='ruled-1',
            bucketType='allPrivate',
            corsRules=rules,
        )

    def test_are_kept_as_given(self, client: Client) -> None:
        bucket = self.create(client, RULE, UPLOAD_RULE).json()
        assert bucket['corsRules'] == [RULE, UPLOAD_RULE]

    @pytest.mark.parametrize(
        'change',
        [
            {'corsRuleName': 'short'},
            {'corsRuleName': 'x' * 51},
            {'corsRuleName': 'b2-download'},
            {'corsRuleName': 'with blank'},
            {'corsRuleName': None},
            {'allowedOrigins': []},
            {'allowedOrigins': None},
            {'allowedOrigins': ['*', 'https://example.com']},
            {'allowedOrigins': ['https', 'https']},
            {'allowedOrigins': ['https', 'https://example.com']},
            {'allowedOrigins': ['https://*.*.com']},
            {'allowedOrigins': ['example.com']},
            {'allowedOrigins': ['https://example.com/path']},
            {'allowedOperations': []},
            {'allowedOperations': ['b2_list_buckets']},
            {'allowedHeaders': ['*', 'range']},
            {'allowedHeaders': ['x-*-y']},
            {'allowedHeaders': 'range'},
            {'exposeHeaders': ['x-bz-*']},
            {'maxAgeSeconds': -1},
            {'maxAgeSeconds': 86_401},
            {'maxAgeSeconds': None},
            {'maxAgeSeconds': '1'},
        ],
    )
    def test_that_no_bucket_has(self, client: Client, change: dict[str, Any]) -> None:
        assert refusal(self.create(client, {**RULE, **change})) == (400, 'bad_request')

    @pytest.mark.parametrize(
        'change',
        [
            {'allowedOrigins': ['http://localhost:8000', 'https']},
            {'allowedOrigins': ['https://*.example.com', 'https://*:8443']},
            {'allowedOperations': ['s3_get', 's3_put', 's3_post', 's3_head', 's3_delete']},
            {'allowedHeaders': None, 'exposeHeaders': None},
            {'maxAgeSeconds': 86_400},
        ],
    )
    def test_that_a_bucket_has(self, client: Client, change: dict[str, Any]) -> None:
        assert self.create(client, {**RULE, **change}).status_code == 200

    def test_together(self, client: Client) -> None:
        assert refusal(self.create(client, RULE, RULE)) == (400, 'bad_request')
        many = [{**RULE, 'corsRuleName': f'rule-{number:03}'} for number in range(101)]
        assert refusal(self.create(client, *many)) == (400, 'bad_request')
        assert self.create(client, *many[:100]).status_code == 200


class TestPreflight:
    @pytest.fixture
    def file_id(self, client: Client) -> str:
        bucket_id = client.create_bucket(corsRules=[RULE, UPLOAD_RULE], bucketType='allPublic')
        file_id: str = client.store(bucket_id, 'a')['fileId']
        return file_id

    def test_downloads(self, client: Client, file_id: str) -> None:
        server = client.server.url
        by_id = f'{server}/b2api/v4/b2_download_file_by_id?fileId={file_id}'
        for url in (f'{server}/file/bucket-1/a', f'{server}/file/bucket-1/none', by_id):
            response = preflight(client, url, wanted='Authorization, X-Bz-Anything')
            assert (response.status_code, response.content) == (200, b'')
            headers = response.headers
            assert headers['Access-Control-Allow-Origin'] == 'https://example.com'
            assert headers['Access-Control-Allow-Methods'] == 'GET'
            assert headers['Access-Control-Allow-Headers'] == 'authorization, x-bz-anything'
            assert headers['Access-Control-Max-Age'] == '3600'

    def test_uploads(self, client: Client, file_id: str) -> None:
        (bucket,) = client.call('b2_list_buckets', accountId=client.server.account_id)['buckets']
        large = client.call(
            'b2_start_large_file', bucketId=bucket['bucketId'], fileName='l', contentType='x/y'
        )
        file_target = client.call('b2_get_upload_url', bucketId=bucket['bucketId'])
        part_target = client.call('b2_get_upload_part_url', fileId=large['fileId'])
        for target in (file_target, part_target):
            response = preflight(client, target['uploadUrl'], 'http://any', 'content-type')
            assert response.status_code == 200
            assert response.headers['Access-Control-Allow-Origin'] == '*'

    def test_refusals(self, client: Client, file_id: str) -> None:
        url = f'{client.server.url}/file/bucket-1/a'
        denied = (403, 'access_denied')
        assert refusal(preflight(client, url, 'https://other.com')) == denied
        assert refusal(preflight(client, url, 'http://example.com')) == denied
        assert refusal(preflight(client, url, wanted='range')) == denied
        assert refusal(preflight(client, url.replace('bucket-1', 'bucket-2'))) == denied
        by_id = f'{client.server.url}/b2api/v4/b2_download_file_by_id'
        assert refusal(preflight(client, by_id)) == denied
        assert refusal(preflight(client, url, None)) == (400, 'bad_request')
        # Calls about an account have no CORS.
        calls = f'{client.server.url}/b2api/v4/b2_list_buckets'
        assert refusal(preflight(client, calls)) == (405, 'method_not_allowed')

    @pytest.mark.parametrize(
        ('pattern', 'origin', 'allowed'),
        [
            ('https', 'https://anything:1', True),
            ('https', 'http://anything', False),
            ('https://*.example.com', 'https://a.example.com', True),
            ('https://*.example.com', 'https://a.b.example.com', True),
            ('https://*.example.com', 'https://example.com', False),
            ('https://*:8443', 'https://a.com:8443', True),
            ('https://*:8443', 'https://a.com', False),
            ('http://localhost:80', 'http://localhost:8080', False),
        ],
    )
    def test_origins(self, client: Client, pattern: str, origin: str, allowed: bool) -> None:
        client.create_bucket(corsRules=[{**RULE, 'allowedOrigins': [pattern]}])
        response = preflight(client, f'{client.server.url}/file/bucket-1/a', origin)
        assert (response.status_code == 200) == allowed

    def test_asks_for_no_work(self, client: Client, file_id: str) -> None:
        calls = client.server.calls
        preflight(client, f'{client.server.url}/file/bucket-1/a')
        assert client.server.calls - calls == {'preflight': 1}

    def test_the_call_itself(self, client: Client, file_id: str) -> None:
        def shown(origin: str, method: str = 'GET') -> tuple[str | None, str | None]:
            response = client.download('/file/bucket-1/a', method, None, Origin=origin)
            assert response.status_code == 200
            headers = response.headers
            return (
                headers.get('Access-Control-Allow-Origin'),
                headers.get('Access-Control-Expose-Headers'),
            )

        allowed = ('https://example.com', 'x-bz-content-sha1')
        assert shown('https://example.com') == shown('https://example.com', 'HEAD') == allowed
        assert shown('https://other.com') == (None, None)
        (bucket,) = client.call('b2_list_buckets', accountId=client.server.account_id)['buckets']
        upload = client.upload(bucket['bucketId'], 'b', Origin='https://any.com')
        assert upload.headers['Access-Control-Allow-Origin'] == '*'
