"""Downloads over HTTP: ranges, overrides, authorizations, customers' keys."""

from __future__ import annotations

from typing import Any

import pytest

from ..helpers import Clock, sha1_of
from .simulator_client import NOW, Client, customer_key, refusal

BAD = (400, 'bad_request')
UNAUTHORIZED = (401, 'unauthorized')
UNSATISFIABLE = (416, 'range_not_satisfiable')
PATH = '/file/bucket-1/a'


@pytest.fixture
def file_id(client: Client, bucket_id: str) -> str:
    file_id: str = client.store(bucket_id, 'a', b'0123456789')['fileId']
    return file_id


def by_id(file_id: str, version: int = 4) -> str:
    return f'/b2api/v{version}/b2_download_file_by_id?fileId={file_id}'


class TestRanges:
    @pytest.mark.parametrize(
        ('wanted', 'content'),
        [
            ('bytes=0-0', b'0'),
            ('bytes=9-9', b'9'),
            ('bytes=4-', b'456789'),
            ('bytes=4-99', b'456789'),
            ('bytes=-3', b'789'),
            ('bytes=-99', b'0123456789'),
        ],
    )
    def test_served(self, client: Client, file_id: str, wanted: str, content: bytes) -> None:
        for version in (1, 2, 3, 4):
            for path in (PATH, by_id(file_id, version)):
                response = client.download(path, Range=wanted)
                assert (response.status_code, response.content) == (206, content)
                start = 10 - len(content) if wanted != 'bytes=0-0' else 0
                last = start + len(content) - 1
                assert response.headers['Content-Range'] == f'bytes {start}-{last}/10'
                assert response.headers['X-Bz-Content-Sha1'] == sha1_of(b'0123456789')

    @pytest.mark.parametrize('wanted', ['bytes=10-', 'bytes=10-11', 'bytes=99-', 'bytes=-0'])
    def test_outside(self, client: Client, file_id: str, wanted: str) -> None:
        assert refusal(client.download(PATH, Range=wanted)) == UNSATISFIABLE

    @pytest.mark.parametrize('wanted', ['bytes=0-', 'bytes=0-0', 'bytes=-1'])
    def test_of_an_empty_file(self, client: Client, bucket_id: str, wanted: str) -> None:
        client.store(bucket_id, 'empty', b'')
        assert client.download('/file/bucket-1/empty').content == b''
        assert refusal(client.download('/file/bucket-1/empty', Range=wanted)) == UNSATISFIABLE

    @pytest.mark.parametrize(
        'wanted', ['bytes=', 'bytes=-', 'bytes=a-b', 'bytes=5-4', 'bytes=0-1,5-6', 'octets=0-1']
    )
    def test_malformed_mean_the_whole(self, client: Client, file_id: str, wanted: str) -> None:
        response = client.download(PATH, Range=wanted)
        assert (response.status_code, response.content) == (200, b'0123456789')

    def test_head(self, client: Client, file_id: str) -> None:
        response = client.download(by_id(file_id), 'HEAD')
        assert response.headers['Content-Length'] == '10'
        assert response.content == b''


class TestOverrides:
    VALID = (
        ('b2ContentDisposition', 'Content-Disposition', 'attachment; filename="a b.txt"'),
        ('b2ContentDisposition', 'Content-Disposition', "attachment; filename*=UTF-8''%C3%A4"),
        ('b2ContentLanguage', 'Content-Language', 'de-DE, en'),
        ('b2Expires', 'Expires', 'Thu, 01 Dec 2050 16:00:00 GMT'),
        ('b2CacheControl', 'Cache-Control', 'private, max-age=60'),
        ('b2ContentEncoding', 'Content-Encoding', 'x-own'),
        ('b2ContentType', 'Content-Type', 'text/html; charset=utf-8'),
    )
    INVALID = (
        ('b2ContentDisposition', 'attachment; filename=a b'),
        ('b2ContentDisposition', 'attachment; filename*0=a; filename*1=b'),
        ('b2ContentDisposition', "attachment; filename*=ISO-8859-1''a"),
        ('b2ContentDisposition', "attachment; filename*=UTF-8'de'a"),
        ('b2ContentDisposition', ''),
        ('b2ContentLanguage', 'de_DE'),
        ('b2Expires', 'tomorrow'),
        ('b2CacheControl', 'max-age=60 private'),
        ('b2ContentEncoding', 'a b'),
        ('b2ContentType', 'text'),
    )

    @pytest.mark.parametrize(('name', 'header', 'value'), VALID)
    def test_valid(
        self, client: Client, bucket_id: str, file_id: str, name: str, header: str, value: str
    ) -> None:
        for path in (PATH, by_id(file_id)):
            response = client.http.head(
                client.server.url + path,
                params={name: value},
                headers={'Authorization': client.token},
            )
            assert response.headers[header] == value
        if header != 'Content-Type':
            info = {f'X_Bz_Info_b2-{header.lower()}': value.replace('%', '%25')}
            client.store(bucket_id, 'stored', **info)
            response = client.download('/file/bucket-1/stored', 'HEAD')
            assert response.headers[header] == value
            assert f'X-Bz-Info-b2-{header}' not in response.headers

    @pytest.mark.parametrize(('name', 'value'), INVALID)
    def test_invalid(self, client: Client, file_id: str, name: str, value: str) -> None:
        response = client.http.get(
            client.server.url + PATH,
            params={name: value},
            headers={'Authorization': client.token},
        )
        assert refusal(response) == BAD

    @pytest.mark.parametrize(
        ('key', 'value'),
        [
            ('b2-content-disposition', 'a b'),
            ('b2-content-language', '1'),
            ('b2-expires', 'soon'),
            ('b2-cache-control', ','),
            ('b2-content-encoding', 'a b'),
        ],
    )
    def test_invalid_at_upload(self, client: Client, bucket_id: str, key: str, value: str) -> None:
        response = client.upload(bucket_id, 'a', **{f'X_Bz_Info_{key}': value})
        assert refusal(response) == BAD
        start = {'bucketId': bucket_id, 'fileName': 'a', 'contentType': 'x/y'}
        assert client.refused('b2_start_large_file', **start, fileInfo={key: value}) == BAD

    def test_too_long(self, client: Client, file_id: str) -> None:
        path = f'{PATH}?b2ContentType=x/{"y" * 7000}'
        assert refusal(client.download(path)) == BAD

    def test_public_buckets_ask_for_a_token(self, client: Client) -> None:
        file = client.store(client.create_bucket('public', bucketType='allPublic'), 'a')
        for path in ('/file/public/a?', by_id(file['fileId']) + '&'):
            path += 'b2ContentType=x/y'
            assert refusal(client.download(path, token=None)) == UNAUTHORIZED
            assert client.download(path).headers['Content-Type'] == 'x/y'

    def test_of_buckets(self, client: Client) -> None:
        bucket_id = client.create_bucket('cached', bucketInfo={'Cache-Control': 'max-age=9'})
        client.store(bucket_id, 'a')
        client.store(bucket_id, 'b', **{'X_Bz_Info_b2-cache-control': 'no-store'})
        for path, expected in (
            ('a', 'max-age=9'),
            ('b', 'no-store'),
            ('b?b2CacheControl=private', 'private'),
        ):
            assert client.download(f'/file/cached/{path}').headers['Cache-Control'] == expected


class TestAuthorizations:
    def grant(self, client: Client, bucket_id: str, prefix: str = '', **fields: Any) -> str:
        grant = {'bucketId': bucket_id, 'fileNamePrefix': prefix, 'validDurationInSeconds': 10}
        answer = client.call('b2_get_download_authorization', **{**grant, **fields})
        assert (answer['bucketId'], answer['fileNamePrefix']) == (bucket_id, prefix)
        token: str = answer['authorizationToken']
        return token

    def test_prefixes_are_plain(self, client: Client, bucket_id: str) -> None:
        for name in ('ab', 'abc', 'ac', 'ä'):
            client.store(bucket_id, name)
        token = self.grant(client, bucket_id, 'ab')
        statuses = [
            client.download(f'/file/bucket-1/{name}', method, token).status_code
            for name in ('ab', 'abc', 'ac', 'a')
            for method in ('GET', 'HEAD')
        ]
        assert statuses == [200] * 4 + [401] * 4
        everything = self.grant(client, bucket_id)
        assert client.download('/file/bucket-1/%C3%A4', token=everything).status_code == 200
        assert client.download('/file/bucket-1/none', token=everything).status_code == 404

    def test_in_the_query(self, client: Client, bucket_id: str, file_id: str) -> None:
        token = self.grant(client, bucket_id, 'a')
        assert client.download(f'{PATH}?Authorization={token}', token=None).status_code == 200
        assert client.download(f'{PATH}?Authorization=x', token=None).status_code == 401

    def test_are_for_downloads_by_name_in_their_bucket(
        self, client: Client, bucket_id: str, file_id: str
    ) -> None:
        token = self.grant(client, bucket_id)
        assert client.download(by_id(file_id), token=token).status_code == 401
        other = client.create_bucket('bucket-2')
        client.store(other, 'a')
        assert refusal(client.download('/file/bucket-2/a', token=token)) == UNAUTHORIZED
        client.token = token
        assert client.refused('b2_list_file_names', bucketId=bucket_id) == (401, 'bad_auth_token')

    def test_expire(self, client: Client, bucket_id: str, file_id: str, clock: Clock) -> None:
        token = self.grant(client, bucket_id)
        clock.now = NOW + 9999
        assert client.download(PATH, token=token).status_code == 200
        clock.now = NOW + 10_000
        assert refusal(client.download(PATH, token=token)) == (401, 'expired_auth_token')

    def test_fixed_values(self, client: Client, bucket_id: str, file_id: str) -> None:
        token = self.grant(client, bucket_id, b2ContentType='x/y')
        path = f'{PATH}?b2ContentType='
        assert client.download(path + 'x/y', token=token).headers['Content-Type'] == 'x/y'
        assert refusal(client.download(path + 'x/z', token=token)) == UNAUTHORIZED
        assert refusal(client.download(PATH, token=token)) == UNAUTHORIZED
        invalid = {'bucketId': bucket_id, 'fileNamePrefix': '', 'validDurationInSeconds': 10}
        assert client.refused('b2_get_download_authorization', **invalid, b2Expires='soon') == BAD

    def test_refusals(self, client: Client, bucket_id: str) -> None:
        grant = {'bucketId': bucket_id, 'fileNamePrefix': '', 'validDurationInSeconds': 10}
        for fields, expected in (
            ({'validDurationInSeconds': 0}, BAD),
            ({'validDurationInSeconds': 604_801}, BAD),
            ({'validDurationInSeconds': None}, BAD),
            ({'fileNamePrefix': None}, BAD),
            ({'bucketId': 'x'}, (400, 'bad_bucket_id')),
        ):
            refused = client.refused('b2_get_download_authorization', **{**grant, **fields})
            assert refused == expected
        self.grant(client, bucket_id, validDurationInSeconds=604_800)


class TestCustomerKeys:
    def test_are_checked_everywhere(self, client: Client, bucket_id: str) -> None:
        right, wrong = customer_key(b'k' * 32), customer_key(b'x' * 32)
        file = client.store(bucket_id, 'a', **right.arguments)
        path = by_id(file['fileId'])
        for method in ('GET', 'HEAD'):
            assert client.download(PATH, method, **right.headers).status_code == 200
            assert client.download(path, method).status_code == 400
            assert client.download(path, method, **wrong.headers).status_code == 403
        answer = client.download(PATH, **right.headers)
        assert answer.headers['X-Bz-Server-Side-Encryption-Customer-Algorithm'] == 'AES256'
        assert answer.headers['X-Bz-Server-Side-Encryption-Customer-Key-Md5'] == right.md5
        assert refusal(client.download(PATH)) == BAD
        assert refusal(client.download(PATH, **wrong.headers)) == (403, 'access_denied')
        # Metadata can be had without it, and tells nothing of the key.
        info = client.call('b2_get_file_info', fileId=file['fileId'])
        assert info['serverSideEncryption'] == {'mode': 'SSE-C', 'algorithm': 'AES256'}
        client.store(bucket_id, 'plain')
        assert refusal(client.download('/file/bucket-1/plain', **right.headers)) == BAD

    def test_copies(self, client: Client, bucket_id: str) -> None:
        right, wrong = customer_key(b'k' * 32), customer_key(b'x' * 32)
        file = client.store(bucket_id, 'a', **right.arguments)
        copy = {'sourceFileId': file['fileId'], 'fileName': 'b'}
        assert client.refused('b2_copy_file', **copy) == BAD
        sourced = {**copy, 'sourceServerSideEncryption': wrong.setting}
        assert client.refused('b2_copy_file', **sourced) == (403, 'access_denied')
        sourced = {**copy, 'sourceServerSideEncryption': right.setting}
        plain = client.call('b2_copy_file', **sourced)
        assert plain['serverSideEncryption'] == {'mode': 'SSE-B2', 'algorithm': 'AES256'}
        other = client.call(
            'b2_copy_file', **sourced, destinationServerSideEncryption=wrong.setting
        )
        assert other['serverSideEncryption']['mode'] == 'SSE-C'
        assert client.download('/file/bucket-1/b', **wrong.headers).content == b'data'

    def test_parts(self, client: Client, bucket_id: str) -> None:
        right, wrong = customer_key(b'k' * 32), customer_key(b'x' * 32)
        large = client.call(
            'b2_start_large_file',
            bucketId=bucket_id,
            fileName='l',
            contentType='x/y',
            serverSideEncryption=right.setting,
        )
        file_id = large['fileId']
        data = b'x' * 10

        def send(number: int, headers: dict[str, str]) -> Any:
            target = client.call('b2_get_upload_part_url', fileId=file_id)
            return client.send(target, data, {'X-Bz-Part-Number': str(number), **headers})

        assert refusal(send(1, {})) == BAD
        assert refusal(send(1, wrong.headers)) == (403, 'access_denied')
        assert refusal(send(1, {'X-Bz-Server-Side-Encryption': 'AES256'})) == BAD
        part = send(1, right.headers).json()
        assert part['serverSideEncryption'] == {'mode': 'SSE-C', 'algorithm': 'AES256'}
        source = client.store(bucket_id, 'source', data)
        copy = {'sourceFileId': source['fileId'], 'largeFileId': file_id, 'partNumber': 2}
        assert client.refused('b2_copy_part', **copy) == BAD
        client.call('b2_copy_part', **copy, destinationServerSideEncryption=right.setting)
        client.call('b2_finish_large_file', fileId=file_id, partSha1Array=[sha1_of(data)] * 2)
        assert client.download('/file/bucket-1/l', **right.headers).content == data * 2
        assert refusal(client.download('/file/bucket-1/l')) == BAD

    def test_parts_of_other_files_take_none(self, client: Client, bucket_id: str) -> None:
        large = client.call(
            'b2_start_large_file',
            bucketId=bucket_id,
            fileName='l',
            contentType='x/y',
            serverSideEncryption={'mode': 'SSE-B2', 'algorithm': 'AES256'},
        )
        for headers in (
            customer_key(b'k' * 32).headers,
            {'X-Bz-Server-Side-Encryption': 'AES256'},
        ):
            target = client.call('b2_get_upload_part_url', fileId=large['fileId'])
            assert refusal(client.send(target, b'x', {'X-Bz-Part-Number': '1', **headers})) == BAD

    def test_malformed(self, client: Client, bucket_id: str) -> None:
        right = customer_key(b'k' * 32)
        for name in right.arguments:
            partial = {**right.arguments, name: None}
            assert refusal(client.upload(bucket_id, 'a', **partial)) == BAD
        short = customer_key(b'k' * 31)
        assert refusal(client.upload(bucket_id, 'a', **short.arguments)) == BAD
        both = {**right.arguments, 'X_Bz_Server_Side_Encryption': 'AES256'}
        assert refusal(client.upload(bucket_id, 'a', **both)) == BAD
        start = {'bucketId': bucket_id, 'fileName': 'l', 'contentType': 'x/y'}
        for setting in (
            {**right.setting, 'customerKeyMd5': customer_key(b'x' * 32).md5},
            {**right.setting, 'customerKey': None},
            {**right.setting, 'algorithm': 'AES128'},
            {'mode': 'SSE-X', 'algorithm': 'AES256'},
        ):
            refused = client.refused('b2_start_large_file', **start, serverSideEncryption=setting)
            assert refused == BAD

    def test_are_no_default_of_buckets(self, client: Client, bucket_id: str) -> None:
        update = {'accountId': client.server.account_id, 'bucketId': bucket_id}
        setting = customer_key(b'k' * 32).setting
        refused = client.refused('b2_update_bucket', **update, defaultServerSideEncryption=setting)
        assert refused == BAD
