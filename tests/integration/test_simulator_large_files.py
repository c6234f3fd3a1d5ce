"""Large files and copies over HTTP: what is checked when, and with which code."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from b2fast.simulator import SimulatorServer

from ..helpers import Clock, sha1_of
from .simulator_client import NOW, Client, refusal

BAD = (400, 'bad_request')
A, B, C = b'a' * 10, b'b' * 10, b'c'


def start(client: Client, bucket_id: str, name: str = 'large', **fields: Any) -> str:
    answer = client.call(
        'b2_start_large_file', bucketId=bucket_id, fileName=name, contentType='x/y', **fields
    )
    file_id: str = answer['fileId']
    return file_id


def send(client: Client, file_id: str, number: object, data: bytes, **headers: str) -> Any:
    target = client.call('b2_get_upload_part_url', fileId=file_id)
    return client.send(target, data, {'X-Bz-Part-Number': str(number), **headers})


def finish(client: Client, file_id: str, *parts: bytes) -> requests.Response:
    digests = [sha1_of(part) for part in parts]
    return client.post('b2_finish_large_file', fileId=file_id, partSha1Array=digests)


@pytest.fixture
def file_id(client: Client, bucket_id: str) -> str:
    return start(client, bucket_id)


class TestFinish:
    def test_needs_two_parts(self, client: Client, file_id: str) -> None:
        assert refusal(finish(client, file_id)) == BAD
        send(client, file_id, 1, A)
        assert refusal(finish(client, file_id, A)) == BAD
        send(client, file_id, 2, B)
        alone = finish(client, file_id, A)
        assert refusal(alone) == BAD
        assert 'large files must have at least 2 parts' in alone.json()['message']
        assert finish(client, file_id, A, B).status_code == 200

    def test_gaps(self, client: Client, file_id: str) -> None:
        send(client, file_id, 1, A)
        send(client, file_id, 3, B)
        assert refusal(finish(client, file_id, A, A, B)) == (400, 'missing_part')
        send(client, file_id, 2, A)
        assert refusal(finish(client, file_id, A, A, B, B)) == (400, 'missing_part')
        assert finish(client, file_id, A, A, B).status_code == 200

    def test_digests(self, client: Client, file_id: str) -> None:
        send(client, file_id, 1, A)
        send(client, file_id, 2, B)
        assert refusal(finish(client, file_id, A, A)) == (400, 'part_sha1_mismatch')
        refused = client.post('b2_finish_large_file', fileId=file_id)
        assert refusal(refused) == BAD
        upper = [sha1_of(A).upper(), sha1_of(B)]
        client.call('b2_finish_large_file', fileId=file_id, partSha1Array=upper)

    def test_sizes(self, client: Client, file_id: str) -> None:
        # A small part is taken, and refused when the file is finished.
        assert send(client, file_id, 1, b'small').status_code == 200
        send(client, file_id, 2, C)
        assert refusal(finish(client, file_id, b'small', C)) == BAD
        send(client, file_id, 1, A)
        send(client, file_id, 2, b'')
        assert refusal(finish(client, file_id, A, b'')) == BAD
        send(client, file_id, 2, C)
        assert finish(client, file_id, A, C).json()['contentLength'] == 11

    def test_is_done_once(self, client: Client, file_id: str) -> None:
        send(client, file_id, 1, A)
        send(client, file_id, 2, B)
        target = client.call('b2_get_upload_part_url', fileId=file_id)
        done = finish(client, file_id, A, B).json()
        assert done['action'] == 'upload'
        assert done['uploadTimestamp'] == NOW
        for refused in (
            finish(client, file_id, A, B),
            client.send(target, C, {'X-Bz-Part-Number': '3'}),
            client.post('b2_list_parts', fileId=file_id),
            client.post('b2_get_upload_part_url', fileId=file_id),
            client.post('b2_cancel_large_file', fileId=file_id),
            client.post('b2_finish_large_file', fileId='x', partSha1Array=[]),
        ):
            assert refusal(refused) == BAD

    def test_sorts_by_its_start(self, client: Client, bucket_id: str, clock: Clock) -> None:
        file_id = start(client, bucket_id, 'a')
        clock.now += 1000
        client.store(bucket_id, 'a', b'newer')
        for number, part in ((1, A), (2, B)):
            send(client, file_id, number, part)
        clock.now += 1000
        assert finish(client, file_id, A, B).json()['uploadTimestamp'] == NOW
        assert client.download('/file/bucket-1/a').content == b'newer'
        versions = client.call('b2_list_file_versions', bucketId=bucket_id)['files']
        assert [version['fileId'] for version in versions][1] == file_id


class TestParts:
    def test_the_last_of_a_number_counts(self, client: Client, file_id: str) -> None:
        send(client, file_id, 1, A)
        send(client, file_id, 2, A)
        send(client, file_id, 1, B)
        wrong = send(client, file_id, 1, C, **{'X-Bz-Content-Sha1': sha1_of(A)})
        assert refusal(wrong) == BAD
        parts = client.call('b2_list_parts', fileId=file_id)['parts']
        assert [part['contentSha1'] for part in parts] == [sha1_of(B), sha1_of(A)]

    def test_claims(self, client: Client, file_id: str) -> None:
        trailing = send(
            client,
            file_id,
            1,
            A + sha1_of(A).encode(),
            **{'X-Bz-Content-Sha1': 'hex_digits_at_end'},
        ).json()
        assert (trailing['contentLength'], trailing['contentSha1']) == (10, sha1_of(A))
        unverified = send(client, file_id, 2, B, **{'X-Bz-Content-Sha1': 'do_not_verify'}).json()
        assert unverified['contentSha1'] == 'unverified:' + sha1_of(B)
        assert finish(client, file_id, A, B).status_code == 200

    def test_pages(self, client: Client, file_id: str) -> None:
        assert client.call('b2_list_parts', fileId=file_id) == {
            'parts': [],
            'nextPartNumber': None,
        }
        for number in (1, 2, 5):
            send(client, file_id, number, A)

        def page(**fields: int) -> tuple[list[int], int | None]:
            answer = client.call('b2_list_parts', fileId=file_id, **fields)
            return [part['partNumber'] for part in answer['parts']], answer['nextPartNumber']

        assert page() == ([1, 2, 5], None)
        assert page(maxPartCount=2) == ([1, 2], 5)
        assert page(startPartNumber=3) == ([5], None)
        assert page(startPartNumber=6) == ([], None)
        assert page(maxPartCount=0) == ([1, 2, 5], None)

    def test_tokens_are_for_one_file(self, client: Client, bucket_id: str, file_id: str) -> None:
        one = client.call('b2_get_upload_part_url', fileId=file_id)
        other = client.call('b2_get_upload_part_url', fileId=start(client, bucket_id))
        of_file = client.call('b2_get_upload_url', bucketId=bucket_id)
        for wrong in (other, of_file):
            mixed = {**one, 'authorizationToken': wrong['authorizationToken']}
            response = client.send(mixed, A, {'X-Bz-Part-Number': '1'})
            assert refusal(response) == (401, 'bad_auth_token')


class TestStart:
    def test_refusals(self, client: Client, bucket_id: str) -> None:
        fields = {'bucketId': bucket_id, 'fileName': 'a', 'contentType': 'x/y'}
        for change, expected in (
            ({'fileName': None}, BAD),
            ({'fileName': ''}, BAD),
            ({'fileName': 'x' * 1025}, BAD),
            ({'fileName': 'a\x7f'}, BAD),
            ({'contentType': None}, BAD),
            ({'bucketId': 'x'}, (400, 'bad_bucket_id')),
            ({'fileInfo': {'x' * 51: 'v'}}, BAD),
            ({'fileInfo': {'a b': 'v'}}, BAD),
            ({'fileInfo': {'b2-unknown': 'v'}}, BAD),
            ({'fileInfo': {'key': 1}}, (400, 'bad_json')),
            ({'fileInfo': {'key': 'v' * 7000}}, (400, 'metadata_exceeded')),
            ({'customUploadTimestamp': 1}, (400, 'custom_timestamp_not_allowed')),
            ({'custom_upload_timestamp': 1}, (400, 'custom_timestamp_not_allowed')),
        ):
            assert client.refused('b2_start_large_file', **{**fields, **change}) == expected

    @pytest.mark.parametrize('name', ['customUploadTimestamp', 'custom_upload_timestamp'])
    @pytest.mark.parametrize('value', [5000, '5000'])
    def test_custom_timestamp(self, clock: Clock, name: str, value: object) -> None:
        with (
            SimulatorServer(clock=clock, custom_timestamps=True) as server,
            requests.Session() as http,
        ):
            client = Client(server, http=http)
            client.token = client.authorize().json()['authorizationToken']
            bucket_id = client.create_bucket()
            file_id = start(client, bucket_id, **{name: value})
            (listed,) = client.call('b2_list_unfinished_large_files', bucketId=bucket_id)['files']
            assert (listed['fileId'], listed['uploadTimestamp']) == (file_id, 5000)


class TestUnfinished:
    def test_pages(self, client: Client, bucket_id: str, clock: Clock) -> None:
        ids = []
        for name in ('b', 'a', 'c', 'ab'):
            ids.append(start(client, bucket_id, name))
            clock.now += 1

        def page(**fields: Any) -> tuple[list[str], str | None]:
            answer = client.call('b2_list_unfinished_large_files', bucketId=bucket_id, **fields)
            return [file['fileId'] for file in answer['files']], answer['nextFileId']

        assert page() == (ids, None)
        assert page(maxFileCount=2) == (ids[:2], ids[2])
        assert page(startFileId=ids[2]) == (ids[2:], None)
        assert page(namePrefix='a') == ([ids[1], ids[3]], None)
        call = 'b2_list_unfinished_large_files'
        too_many = client.refused(call, bucketId=bucket_id, maxFileCount=101)
        assert too_many == (400, 'out_of_range')
        # They keep a bucket from being deleted.
        delete = {'accountId': client.server.account_id, 'bucketId': bucket_id}
        not_empty = (400, 'cannot_delete_non_empty_bucket')
        assert client.refused('b2_delete_bucket', **delete) == not_empty
        for file_id, name in zip(ids, ('b', 'a', 'c', 'ab'), strict=True):
            client.call('b2_delete_file_version', fileId=file_id, fileName=name)
        assert client.call('b2_delete_bucket', **delete)['revision'] == 3


class TestCopies:
    @pytest.fixture
    def source(self, client: Client, bucket_id: str) -> Any:
        return client.store(bucket_id, 'source', b'0123456789', X_Bz_Info_key='v')

    def test_of_a_large_file_and_an_older_version(
        self, client: Client, bucket_id: str, file_id: str, source: Any
    ) -> None:
        send(client, file_id, 1, A)
        send(client, file_id, 2, B)
        finish(client, file_id, A, B)
        copied = client.call('b2_copy_file', sourceFileId=file_id, fileName='copy')
        assert copied['contentSha1'] == sha1_of(A + B)
        assert copied['fileId'] != file_id
        client.call('b2_hide_file', bucketId=bucket_id, fileName='source')
        older = client.call('b2_copy_file', sourceFileId=source['fileId'], fileName='copy')
        assert older['contentLength'] == 10
        part = {'sourceFileId': source['fileId'], 'largeFileId': start(client, bucket_id)}
        client.call('b2_copy_part', **part, partNumber=1)

    def test_sources_that_cannot_be_copied(
        self, client: Client, bucket_id: str, file_id: str
    ) -> None:
        client.store(bucket_id, 'a')
        marker = client.call('b2_hide_file', bucketId=bucket_id, fileName='a')
        for source_id in (file_id, marker['fileId']):
            copy = {'sourceFileId': source_id, 'fileName': 'b'}
            assert client.refused('b2_copy_file', **copy) == (404, 'not_found')

    def test_refused_parts(self, client: Client, file_id: str, source: Any) -> None:
        copy = {'sourceFileId': source['fileId'], 'largeFileId': file_id, 'partNumber': 1}
        for fields, expected in (
            ({'partNumber': 0}, BAD),
            ({'partNumber': 10_001}, BAD),
            ({'partNumber': None}, BAD),
            ({'largeFileId': 'x'}, BAD),
            ({'largeFileId': source['fileId']}, BAD),
            ({'sourceFileId': source['fileId'][:-4] + '9999'}, (404, 'not_found')),
            ({'range': 'bytes=5-10'}, (416, 'range_not_satisfiable')),
            ({'range': 'bytes=5-'}, BAD),
        ):
            assert client.refused('b2_copy_part', **{**copy, **fields}) == expected

    def test_answer_of_a_part(self, client: Client, file_id: str, source: Any) -> None:
        copy = {'sourceFileId': source['fileId'], 'largeFileId': file_id, 'partNumber': 7}
        part = client.call('b2_copy_part', **copy, range='bytes=2-4')
        assert set(part) == {
            'contentLength',
            'contentMd5',
            'contentSha1',
            'fileId',
            'partNumber',
            'serverSideEncryption',
            'uploadTimestamp',
        }
        assert (part['fileId'], part['partNumber']) == (file_id, 7)
        assert (part['contentLength'], part['contentSha1']) == (3, sha1_of(b'234'))

    def test_metadata(self, client: Client, source: Any) -> None:
        copy = {'sourceFileId': source['fileId'], 'fileName': 'copy'}
        kept = client.call('b2_copy_file', **copy, metadataDirective='COPY')
        assert (kept['contentType'], kept['fileInfo']) == ('text/plain', {'key': 'v'})
        replaced = client.call(
            'b2_copy_file', **copy, metadataDirective='REPLACE', contentType='x/y'
        )
        assert (replaced['contentType'], replaced['fileInfo']) == ('x/y', {})
        assert client.refused('b2_copy_file', **copy, fileInfo={'key': 'v'}) == BAD
