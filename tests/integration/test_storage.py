"""A simulator with a data directory: what a later one on it finds, and what it refuses."""

from __future__ import annotations

import base64
import gc
import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from b2fast import B2Api, InMemoryAccountInfo
from b2fast.exception import LocalFileError
from b2fast.replication.setting import ReplicationConfiguration, ReplicationRule
from b2fast.replication.types import ReplicationStatus
from b2fast.simulator import SimulatorServer
from b2fast.simulator.bucket import Bucket, BucketSettings
from b2fast.simulator.file import File, Part
from b2fast.simulator.profile import Profile
from b2fast.simulator.state import Key, Service
from b2fast.simulator.storage_fields import (
    BUCKET_FIELDS,
    FILE_FIELDS,
    KEY_FIELDS,
    PART_FIELDS,
    REPLICATION,
    REPLICATION_STATUS,
)

from ..helpers import Clock, no_file_longer_than, sha1_of
from .simulator_client import NOW, Client, refusal

DAY = 24 * 3600 * 1000
CUSTOMER_KEY = bytes(range(32))


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / 'data'


@pytest.fixture
def serving(data_dir: Path, clock: Clock) -> Callable[..., Any]:
    @contextmanager
    def serve(**options: Any) -> Iterator[Client]:
        options = {
            'data_dir': data_dir,
            'clock': clock,
            'minimum_part_size': 5,
            'recommended_part_size': 10,
            'custom_timestamps': True,
            **options,
        }
        with SimulatorServer(**options) as server, requests.Session() as http:
            client = Client(server, http=http)
            client.token = client.authorize().json()['authorizationToken']
            yield client

    return serve


Serving = Callable[..., Any]


def customer_key(key: bytes) -> dict[str, str]:
    return {
        'customerKey': base64.b64encode(key).decode(),
        'customerKeyMd5': base64.b64encode(hashlib.md5(key).digest()).decode(),
    }


def customer_key_headers(key: bytes) -> dict[str, str]:
    prefix = 'X-Bz-Server-Side-Encryption-Customer-'
    fields = customer_key(key)
    return {
        f'{prefix}Algorithm': 'AES256',
        f'{prefix}Key': fields['customerKey'],
        f'{prefix}Key-Md5': fields['customerKeyMd5'],
    }


def everything(client: Client) -> dict[str, Any]:
    """What can be asked about the account, without contents."""
    account = client.authorize().json()
    del account['authorizationToken']
    account['apiInfo']['storageApi'] = account['apiInfo']['storageApi']['allowed']
    buckets = client.call('b2_list_buckets', accountId=client.server.account_id)['buckets']
    unfinished = {
        bucket['bucketId']: client.call(
            'b2_list_unfinished_large_files', bucketId=bucket['bucketId']
        )
        for bucket in buckets
    }
    return {
        'account': account,
        'buckets': buckets,
        'keys': client.call('b2_list_keys', accountId=client.server.account_id),
        'versions': {
            bucket['bucketId']: client.call(
                'b2_list_file_versions', bucketId=bucket['bucketId'], maxFileCount=1000
            )
            for bucket in buckets
        },
        'unfinished': unfinished,
        'parts': {
            file['fileId']: client.call('b2_list_parts', fileId=file['fileId'])
            for answer in unfinished.values()
            for file in answer['files']
        },
    }


def start_large(client: Client, bucket_id: str, name: str, **fields: Any) -> str:
    file_id: str = client.call(
        'b2_start_large_file',
        bucketId=bucket_id,
        fileName=name,
        contentType='text/plain',
        **fields,
    )['fileId']
    return file_id


def send_part(client: Client, file_id: str, number: int, data: bytes) -> requests.Response:
    target = client.call('b2_get_upload_part_url', fileId=file_id)
    response: requests.Response = client.send(target, data, {'X-Bz-Part-Number': str(number)})
    return response


def finish(client: Client, file_id: str, *parts: bytes) -> requests.Response:
    return client.post(
        'b2_finish_large_file', fileId=file_id, partSha1Array=[sha1_of(part) for part in parts]
    )


def upload_large(client: Client, bucket_id: str, name: str, *parts: bytes) -> str:
    file_id = start_large(client, bucket_id, name)
    for number, part in enumerate(parts, 1):
        assert send_part(client, file_id, number, part).status_code == 200
    assert finish(client, file_id, *parts).status_code == 200
    return file_id


def delete(client: Client, file: dict[str, Any]) -> None:
    client.call('b2_delete_file_version', fileId=file['fileId'], fileName=file['fileName'])


def by_id(client: Client, file_id: str, **headers: str) -> requests.Response:
    return client.download(f'/b2api/v4/b2_download_file_by_id?fileId={file_id}', **headers)


def content_files(data_dir: Path) -> list[Path]:
    return sorted((data_dir / 'content').iterdir())


def change_metadata(data_dir: Path, statement: str, *parameters: object) -> None:
    with closing(sqlite3.connect(data_dir / 'metadata.sqlite3', isolation_level=None)) as database:
        database.execute(statement, parameters)


class TestRestart:
    def test_all_of_an_account_is_there_again(self, serving: Serving) -> None:
        with serving() as client:
            self._fill(client)
            before = everything(client)
            ids = (client.server.account_id, client.server.key_id, client.server.key)
        for _ in range(2):
            with serving() as client:
                server = client.server
                assert (server.account_id, server.key_id, server.key) == ids
                assert everything(client) == before
        versions = [file for page in before['versions'].values() for file in page['files']]
        assert {file['action'] for file in versions} == {'upload', 'hide', 'start'}

    @staticmethod
    def _fill(client: Client) -> None:
        first = client.create_bucket(
            'first-bucket',
            bucketInfo={'a': 'b', 'x': 'é', 'Cache-Control': 'max-age=1'},
            corsRules=[
                {
                    'corsRuleName': 'rule-1',
                    'allowedOrigins': ['https://example.com'],
                    'allowedOperations': ['b2_upload_file'],
                    'maxAgeSeconds': 3600,
                }
            ],
            lifecycleRules=[{'fileNamePrefix': 'x/', 'daysFromHidingToDeleting': 1}],
        )
        account_id = client.server.account_id
        client.call(
            'b2_update_bucket', accountId=account_id, bucketId=first, bucketType='allPublic'
        )
        locked = client.create_bucket('Locked-Bucket', fileLockEnabled=True)
        client.call(
            'b2_update_bucket',
            accountId=account_id,
            bucketId=locked,
            defaultRetention={'mode': 'governance', 'period': {'duration': 3, 'unit': 'days'}},
            defaultServerSideEncryption={'mode': 'SSE-B2', 'algorithm': 'AES256'},
        )
        gone = client.create_bucket('gone-bucket')
        client.call('b2_delete_bucket', accountId=account_id, bucketId=gone)

        plain = client.store(first, 'plain', b'one', X_Bz_Info_Some='%C3%A9')
        client.store(first, 'plain', b'two')
        client.store(first, 'ünï/日本', b'', X_Bz_Custom_Upload_Timestamp='1000')
        client.store(first, 'plain', b'of old', X_Bz_Custom_Upload_Timestamp='1')
        client.store(first, 'unverified', b'three', X_Bz_Content_Sha1='do_not_verify')
        client.call('b2_hide_file', bucketId=first, fileName='plain')
        delete(client, client.store(first, 'deleted', b'four'))
        client.store(first, 'customer', b'five', **customer_key_headers(CUSTOMER_KEY))
        client.call(
            'b2_copy_file', sourceFileId=plain['fileId'], fileName='copy', range='bytes=1-2'
        )
        client.store(
            locked,
            'kept',
            X_Bz_File_Retention_Mode='compliance',
            X_Bz_File_Retention_Retain_Until_Timestamp=str(NOW + DAY),
            X_Bz_File_Legal_Hold='on',
        )
        client.store(locked, 'kept by default', X_Bz_File_Legal_Hold='off')
        upload_large(client, first, 'large', b'a' * 10, b'b')

        unfinished = start_large(client, first, 'unfinished', fileInfo={'x': 'y'})
        for number, data in ((1, b'wrong'), (3, b'third'), (1, b'first')):
            assert send_part(client, unfinished, number, data).status_code == 200
        client.call(
            'b2_copy_part', sourceFileId=plain['fileId'], largeFileId=unfinished, partNumber=2
        )
        encrypted = {'mode': 'SSE-C', 'algorithm': 'AES256', **customer_key(CUSTOMER_KEY)}
        start_large(client, first, 'unfinished', serverSideEncryption=encrypted)
        cancelled = start_large(client, first, 'cancelled')
        client.call('b2_cancel_large_file', fileId=cancelled)

        for number in range(3):
            key = client.call(
                'b2_create_key',
                accountId=account_id,
                keyName=f'key-{number}',
                capabilities=['listFiles', 'readFiles'],
                bucketIds=[first, locked] if number else None,
                namePrefix='x/' if number else None,
                validDurationInSeconds=1000 if number else None,
            )
        client.call('b2_delete_key', applicationKeyId=key['applicationKeyId'])

    def test_contents_and_copies(self, serving: Serving) -> None:
        data = os.urandom(3_000_000)
        with serving() as client:
            bucket_id = client.create_bucket()
            whole = client.store(bucket_id, 'whole', data)['fileId']
            large = upload_large(client, bucket_id, 'large', data, b'tail')
            copy = client.call(
                'b2_copy_file', sourceFileId=large, fileName='copy', range='bytes=2999990-3000002'
            )['fileId']
            empty = client.store(bucket_id, 'empty', b'')['fileId']
            delete(client, {'fileId': large, 'fileName': 'large'})
        with serving() as client:
            assert by_id(client, whole).content == data
            assert by_id(client, copy).content == data[-10:] + b'tai'
            assert by_id(client, empty).content == b''
            again = client.call('b2_copy_file', sourceFileId=copy, fileName='again')
            assert again['contentSha1'] == sha1_of(data[-10:] + b'tai')
            delete(client, {'fileId': copy, 'fileName': 'copy'})
        with serving() as client:
            assert by_id(client, again['fileId']).content == data[-10:] + b'tai'

    def test_an_unfinished_file_goes_on(self, serving: Serving) -> None:
        with serving() as client:
            bucket_id = client.create_bucket()
            file_id = start_large(client, bucket_id, 'large')
            send_part(client, file_id, 1, b'first')
        with serving() as client:
            send_part(client, file_id, 2, b'second')
        with serving() as client:
            assert finish(client, file_id, b'first', b'second').status_code == 200
        with serving() as client:
            assert client.download('/file/bucket-1/large').content == b'firstsecond'
            assert client.refused('b2_list_parts', fileId=file_id)[0] == 400

    def test_what_is_new_is_newer_and_has_new_names(self, serving: Serving) -> None:
        """The clock stands still: only the order of arrival tells versions apart."""
        ids = []
        keys = []
        for number in range(3):
            with serving() as client:
                account_id = client.server.account_id
                bucket_id = ids[0][0] if ids else client.create_bucket()
                file_id = client.store(bucket_id, 'name', b'%d' % number)['fileId']
                ids.append((bucket_id, file_id))
                key = client.call(
                    'b2_create_key', accountId=account_id, keyName='k', capabilities=['listFiles']
                )
                keys.append(key['applicationKeyId'])
                client.call('b2_delete_key', applicationKeyId=key['applicationKeyId'])
                page = client.call('b2_list_file_versions', bucketId=bucket_id)
                found = [file['fileId'] for file in page['files']]
                assert found == [file_id for _, file_id in reversed(ids)]
        assert len(set(keys)) == 3
        assert client.server.key_id not in keys

    def test_a_listing_goes_on_at_a_deleted_version(self, serving: Serving) -> None:
        with serving() as client:
            bucket_id = client.create_bucket()
            files = [client.store(bucket_id, 'name', b'%d' % number) for number in range(3)]
            delete(client, files[1])
        with serving() as client:
            page = client.call(
                'b2_list_file_versions',
                bucketId=bucket_id,
                startFileName='name',
                startFileId=files[1]['fileId'],
            )
            assert [file['fileId'] for file in page['files']] == [files[0]['fileId']]

    def test_customer_keys_are_checked_but_not_stored(
        self, serving: Serving, data_dir: Path
    ) -> None:
        headers = customer_key_headers(CUSTOMER_KEY)
        with serving() as client:
            bucket_id = client.create_bucket()
            file_id = client.store(bucket_id, 'secret', b'data', **headers)['fileId']
        with serving() as client:
            assert by_id(client, file_id, **headers).content == b'data'
            assert refusal(by_id(client, file_id))[0] == 400
            wrong = customer_key_headers(b'x' * 32)
            assert refusal(by_id(client, file_id, **wrong))[0] == 403
            copied = client.call(
                'b2_copy_file',
                sourceFileId=file_id,
                fileName='copy',
                sourceServerSideEncryption={
                    'mode': 'SSE-C',
                    'algorithm': 'AES256',
                    **customer_key(CUSTOMER_KEY),
                },
            )
            assert by_id(client, copied['fileId']).content == b'data'
            # Not even in what SQLite has not tidied up yet.
            for path in data_dir.rglob('*'):
                stored = path.read_bytes() if path.is_file() else b''
                assert CUSTOMER_KEY not in stored
                assert base64.b64encode(CUSTOMER_KEY) not in stored

    def test_download_authorizations_stay_until_they_expire(
        self, serving: Serving, clock: Clock
    ) -> None:
        with serving() as client:
            bucket_id = client.create_bucket()
            client.store(bucket_id, 'shared/name')
            token = client.call(
                'b2_get_download_authorization',
                bucketId=bucket_id,
                fileNamePrefix='shared/',
                validDurationInSeconds=100,
                b2ContentType='text/css',
            )['authorizationToken']
        path = '/file/bucket-1/shared/name?b2ContentType=text/css'
        for status in (200, 401):
            with serving() as client:
                assert client.download(path, token=token).status_code == status
                clock.now += 100_000

    def test_other_tokens_end(self, serving: Serving) -> None:
        with serving() as client:
            bucket_id = client.create_bucket()
            old = client.token
            target = client.call('b2_get_upload_url', bucketId=bucket_id)
        with serving() as client:
            client.token, new = old, client.token
            assert client.refused('b2_list_buckets', accountId='x') == (401, 'bad_auth_token')
            client.token = new
            target['uploadUrl'] = (
                client.server.url + target['uploadUrl'][len('http://127.0.0.1:') :]
            )
            port = client.server.url.rsplit(':', 1)[1]
            path = target['uploadUrl'].split('/', 3)[3]
            target['uploadUrl'] = f'http://127.0.0.1:{port}/{path}'
            response = client.send(target, b'x', {'X-Bz-File-Name': 'x', 'Content-Type': 'x/y'})
            assert refusal(response) == (401, 'bad_auth_token')

    def test_the_client_library_goes_on_by_itself(self, data_dir: Path) -> None:
        with SimulatorServer(data_dir=data_dir) as server:
            api = B2Api(InMemoryAccountInfo())
            api.authorize_account(server.key_id, server.key, realm=server.url)
            api.create_bucket('bucket-1', 'allPrivate').upload_bytes(b'one', 'one')
            port = int(server.url.rsplit(':', 1)[1])
        with SimulatorServer(data_dir=data_dir, port=port):
            bucket = api.get_bucket_by_name('bucket-1')
            bucket.upload_bytes(b'two', 'two')
            assert [version.file_name for version, _ in bucket.ls()] == ['one', 'two']

    def test_a_given_master_key_replaces_the_stored_one(self, serving: Serving) -> None:
        with serving() as client:
            account_id, first = client.server.account_id, client.server.key
        with serving(key_id='my-id', key='my-key') as client:
            assert client.server.account_id == account_id
            assert (client.server.key_id, client.server.key) == ('my-id', 'my-key')
        with serving(key='another') as client:
            assert (client.server.key_id, client.server.key) == ('my-id', 'another')
        with serving() as client:
            assert client.authorize(auth=('my-id', 'another')).status_code == 200
            assert client.authorize(auth=('my-id', first)).status_code == 401

    def test_a_server_that_was_never_stopped(self, data_dir: Path, serving: Serving) -> None:
        """Its objects are dropped, by the collector or at the end of the interpreter."""
        script = f"""
from b2fast import B2Api, InMemoryAccountInfo, SimulatorServer
server = SimulatorServer(data_dir={str(data_dir)!r})
api = B2Api(InMemoryAccountInfo())
api.authorize_account(server.key_id, server.key, realm=server.url)
api.create_bucket('bucket-1', 'allPrivate').upload_bytes(b'one', 'one')
"""
        result = subprocess.run(
            [sys.executable, '-W', 'error', '-c', script], capture_output=True, text=True
        )
        assert (result.returncode, result.stderr) == (0, '')
        server = SimulatorServer(data_dir=data_dir)
        with requests.Session() as http:
            client = Client(server, http=http)
            client.token = client.authorize().json()['authorizationToken']
            bucket_id = everything(client)['buckets'][0]['bucketId']
            client.store(bucket_id, 'two', b'two')
        del server, client
        gc.collect()
        with serving() as client:
            assert client.download('/file/bucket-1/one').content == b'one'
            assert client.download('/file/bucket-1/two').content == b'two'

    def test_all_is_its_owners_alone(self, serving: Serving, data_dir: Path) -> None:
        with serving() as client:
            client.store(client.create_bucket(), 'name')
            for path in [data_dir, *data_dir.rglob('*')]:
                expected = 0o700 if path.is_dir() else 0o600
                assert (path, stat.S_IMODE(path.stat().st_mode)) == (path, expected)


class TestContentFiles:
    def test_they_go_with_the_last_version_that_needs_them(
        self, serving: Serving, data_dir: Path
    ) -> None:
        with serving() as client:
            bucket_id = client.create_bucket()
            one = client.store(bucket_id, 'one', b'one')
            large = start_large(client, bucket_id, 'large')
            for data in (b'wrong', b'first'):
                send_part(client, large, 1, data)
            assert len(content_files(data_dir)) == 2
            client.call('b2_copy_part', sourceFileId=one['fileId'], largeFileId=large, partNumber=2)
            finish(client, large, b'first', b'one')
            copy = client.call('b2_copy_file', sourceFileId=large, fileName='copy')
        with serving() as client:
            delete(client, one)
            delete(client, {'fileId': large, 'fileName': 'large'})
            assert len(content_files(data_dir)) == 2
        with serving() as client:
            assert by_id(client, copy['fileId']).content == b'firstone'
            delete(client, copy)
            assert content_files(data_dir) == []
            cancelled = start_large(client, bucket_id, 'cancelled')
            send_part(client, cancelled, 1, b'first')
            client.call('b2_cancel_large_file', fileId=cancelled)
            assert content_files(data_dir) == []
        with serving() as client:
            assert everything(client)['parts'] == {}

    def test_refused_uploads_leave_none(self, serving: Serving, data_dir: Path) -> None:
        with serving() as client:
            bucket_id = client.create_bucket()
            response = client.upload(bucket_id, 'name', b'data', X_Bz_Content_Sha1=40 * '1')
            assert refusal(response)[0] == 400
            assert content_files(data_dir) == []

    def test_what_no_version_refers_to_goes_at_the_start(
        self, serving: Serving, data_dir: Path
    ) -> None:
        with serving() as client:
            client.store(client.create_bucket(), 'name')
        (data_dir / 'content' / '0123456789abcdef-00000001').write_bytes(b'half an upl')
        with serving() as client:
            assert len(content_files(data_dir)) == 1
            assert client.download('/file/bucket-1/name').content == b'data'


class TestRefusals:
    @staticmethod
    def refused(data_dir: Path, match: str) -> LocalFileError:
        with pytest.raises(LocalFileError, match=match) as caught:
            SimulatorServer(data_dir=data_dir)
        assert str(data_dir) in str(caught.value)
        return caught.value

    @pytest.fixture
    def used(self, serving: Serving, data_dir: Path) -> Path:
        """The data directory, with one file of three bytes."""
        with serving() as client:
            client.store(client.create_bucket(), 'name', b'abc')
        return data_dir

    @pytest.fixture
    def content(self, used: Path) -> Path:
        return content_files(used)[0]

    @pytest.mark.parametrize('name', ['thesis.odt', '.hidden', 'content/0123456789abcdef-00000001'])
    def test_a_directory_with_other_files(self, data_dir: Path, name: str) -> None:
        file = data_dir / name
        file.parent.mkdir(parents=True)
        file.write_text('mine')
        self.refused(data_dir, 'no simulator made')
        assert [path for path in data_dir.rglob('*') if path.is_file()] == [file]

    def test_a_marker_that_is_not_ours(self, data_dir: Path) -> None:
        data_dir.mkdir()
        (data_dir / 'b2fast-simulator').write_text('my notes about it')
        self.refused(data_dir, 'no simulator made')
        (data_dir / 'b2fast-simulator').write_text('')
        (data_dir / 'notes').write_text('mine')
        self.refused(data_dir, 'no simulator made')

    def test_a_file(self, data_dir: Path) -> None:
        data_dir.write_text('mine')
        self.refused(data_dir, 'File exists|Not a directory')

    def test_other_files_that_came_later_stay(self, used: Path, serving: Serving) -> None:
        (used / 'notes').write_text('mine')
        with serving() as client:
            assert client.download('/file/bucket-1/name').content == b'abc'
        assert (used / 'notes').read_text() == 'mine'

    def test_a_directory_in_use(self, serving: Serving, data_dir: Path) -> None:
        with serving() as client:
            error = self.refused(data_dir, 'Another simulator uses this directory')
            assert isinstance(error, OSError)
            command = [sys.executable, '-m', 'b2fast', 'simulator', '--port=0']
            result = subprocess.run(
                [*command, f'--data-dir={data_dir}'], capture_output=True, text=True
            )
            assert result.returncode == 1
            assert result.stderr.startswith(f'b2fast: {data_dir}: Another simulator')
            assert result.stderr.count('\n') == 1
            # The first one has lost nothing by it.
            client.store(client.create_bucket(), 'name')
            assert client.download('/file/bucket-1/name').content == b'data'

    def test_it_is_free_again_when_the_server_did_not_start(
        self, data_dir: Path, serving: Serving
    ) -> None:
        with serving() as client:
            port = int(client.server.url.rsplit(':', 1)[1])
            other = data_dir.parent / 'other'
            with pytest.raises(OSError, match='cannot listen'):
                SimulatorServer(data_dir=other, port=port)
            SimulatorServer(data_dir=other).stop()

    @pytest.mark.parametrize('name', ['content', 'metadata.sqlite3'])
    def test_symbolic_links(self, used: Path, name: str) -> None:
        elsewhere = used.parent / 'elsewhere'
        (used / name).rename(elsewhere)
        (used / name).symlink_to(elsewhere)
        self.refused(used, 'no link to one')

    def test_a_symbolic_link_as_marker(self, used: Path) -> None:
        marker = used / 'b2fast-simulator'
        marker.rename(used.parent / 'elsewhere')
        marker.symlink_to(used.parent / 'elsewhere')
        self.refused(used, 'symbolic links')

    def test_a_symbolic_link_to_the_directory_is_the_users_choice(
        self, used: Path, clock: Clock
    ) -> None:
        link = used.parent / 'link'
        link.symlink_to(used)
        with SimulatorServer(data_dir=link, clock=clock):
            self.refused(used, 'Another simulator')

    @pytest.mark.parametrize(
        ('name', 'match'),
        [
            ('../../secret', 'is no name of a content file'),
            ('/etc/passwd', 'is no name of a content file'),
            ('0123456789abcdef-00000001', 'No such file'),
        ],
    )
    def test_tampered_names(self, used: Path, content: Path, name: str, match: str) -> None:
        (used.parent / 'secret').write_bytes(b'abc')
        change_metadata(used, 'UPDATE files SET body = replace(body, ?, ?)', content.name, name)
        self.refused(used, match)
        assert content.exists()

    def test_content_that_is_a_link(self, used: Path, content: Path) -> None:
        secret = used.parent / 'secret'
        secret.write_bytes(b'abc')
        content.unlink()
        content.symlink_to(secret)
        self.refused(used, 'is no content file')
        assert secret.exists()

    def test_content_that_is_too_short(self, used: Path, content: Path) -> None:
        content.write_bytes(b'ab')
        self.refused(used, 'is too short: 2 bytes, not 3 from 0 on')

    @pytest.mark.parametrize('stranger', ['notes.txt', '0123456789abcdef-00000001.part'])
    def test_strangers_beside_the_content(self, used: Path, content: Path, stranger: str) -> None:
        (used / 'content' / '0123456789abcdef-00000001').write_bytes(b'orphan')
        (used / 'content' / stranger).write_text('mine')
        self.refused(used, f'{stranger} is no content file')
        assert len(content_files(used)) == 3

    def test_lost_metadata(self, used: Path, content: Path) -> None:
        (used / 'metadata.sqlite3').unlink()
        for _ in range(2):
            self.refused(used, 'there is content')
        assert content.exists()

    @pytest.mark.parametrize(
        'statement',
        [
            "UPDATE files SET body = 'x'",
            "UPDATE files SET body = '{}'",
            'UPDATE buckets SET body = 1',
            'DELETE FROM buckets',
            'DROP TABLE parts',
            "INSERT INTO parts VALUES ('x', 1, '{}')",
            "UPDATE account SET body = '[]'",
        ],
    )
    def test_damaged_metadata(self, used: Path, content: Path, statement: str) -> None:
        change_metadata(used, statement)
        self.refused(used, 'cannot be used')
        assert content.exists()

    def test_no_database(self, used: Path, content: Path) -> None:
        (used / 'metadata.sqlite3').write_bytes(b'no database' * 1000)
        self.refused(used, 'cannot be used: file is not a database')
        assert content.exists()

    def test_another_programs_database(self, used: Path, content: Path) -> None:
        change_metadata(used, 'PRAGMA application_id = 7')
        self.refused(used, 'not a database of the simulator')
        assert content.exists()

    def test_a_newer_version(self, used: Path, content: Path) -> None:
        change_metadata(used, 'PRAGMA user_version = 2')
        self.refused(used, r'newer version of b2fast wrote it \(format 2; this one knows 1\)')
        assert content.exists()

    @pytest.mark.parametrize('left', [[], ['b2fast-simulator'], ['b2fast-simulator', 'content']])
    def test_what_a_killed_start_leaves_is_no_obstacle(
        self, used: Path, serving: Serving, left: list[str]
    ) -> None:
        for path in used.iterdir():
            if path.name not in left:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in used.glob('content/*'):
            path.unlink()
        with serving() as client:
            client.store(client.create_bucket(), 'name')


class TestFullDisk:
    def test_a_change_that_cannot_be_stored_is_not_made(
        self, serving: Serving, data_dir: Path
    ) -> None:
        with serving() as client:
            account_id = client.server.account_id
            bucket_id = client.create_bucket()
            file = client.store(bucket_id, 'name', b'abc')
            large = start_large(client, bucket_id, 'large')
            send_part(client, large, 1, b'first')
            send_part(client, large, 2, b'second')
            key = client.call(
                'b2_create_key', accountId=account_id, keyName='k', capabilities=['listFiles']
            )
            before = everything(client)
            files = content_files(data_dir)
            target = client.call('b2_get_upload_url', bucketId=bucket_id)
            part_target = client.call('b2_get_upload_part_url', fileId=large)
            size = (data_dir / 'metadata.sqlite3-wal').stat().st_size
            assert size > 0
            sender = {'X-Bz-File-Name': 'new', 'Content-Type': 'text/plain'}
            changes: list[Callable[[], requests.Response]] = [
                lambda: client.send(target, b'abc', sender),
                lambda: client.send(part_target, b'other', {'X-Bz-Part-Number': '1'}),
                lambda: finish(client, large, b'first', b'second'),
                lambda: client.post('b2_cancel_large_file', fileId=large),
                lambda: client.post('b2_hide_file', bucketId=bucket_id, fileName='name'),
                lambda: client.post(
                    'b2_delete_file_version', fileId=file['fileId'], fileName='name'
                ),
                lambda: client.post('b2_copy_file', sourceFileId=file['fileId'], fileName='copy'),
                lambda: client.post(
                    'b2_copy_part', sourceFileId=file['fileId'], largeFileId=large, partNumber=1
                ),
                lambda: client.post(
                    'b2_update_bucket',
                    accountId=account_id,
                    bucketId=bucket_id,
                    bucketType='allPublic',
                    bucketInfo={'new': 'value'},
                ),
                lambda: client.post(
                    'b2_create_bucket',
                    accountId=account_id,
                    bucketName='bucket-2',
                    bucketType='allPrivate',
                ),
                lambda: client.post(
                    'b2_create_key', accountId=account_id, keyName='n', capabilities=['listFiles']
                ),
                lambda: client.post('b2_delete_key', applicationKeyId=key['applicationKeyId']),
                lambda: client.post(
                    'b2_get_download_authorization',
                    bucketId=bucket_id,
                    fileNamePrefix='',
                    validDurationInSeconds=100,
                ),
            ]
            for change in changes:
                with no_file_longer_than(size):
                    response = change()
                assert refusal(response) == (500, 'internal_error')
                assert 'cannot be stored' in response.json()['message']
                assert everything(client) == before
                assert content_files(data_dir) == files
            assert client.download('/file/bucket-1/name').content == b'abc'
            finish(client, large, b'first', b'second')
            after = everything(client)
            assert after != before
        with serving() as client:
            assert everything(client) == after
            assert client.download('/file/bucket-1/large').content == b'firstsecond'

    def test_content_that_does_not_fit(self, serving: Serving, data_dir: Path) -> None:
        with serving() as client:
            bucket_id = client.create_bucket()
            with no_file_longer_than(1_000_000):
                response = client.upload(bucket_id, 'name', bytes(2_000_000))
            assert refusal(response) == (500, 'internal_error')
            assert content_files(data_dir) == []
            client.store(bucket_id, 'name', bytes(2_000_000))


class TestFields:
    """Who adds an attribute has to say whether it is stored: here or in `storage_fields`."""

    def test_every_attribute_is_stored_or_derived(self) -> None:
        service = Service(Profile())
        bucket = Bucket(service, 'account', 'id', 'bucket-name', 'allPrivate', BucketSettings())
        file = File('account', bucket, 'id', 'upload', 'name', None, None, None, b'', 0)
        part = Part('id', 1, 1, 'sha1', b'x')
        key = Key('account', 'name', 'id', 'key', [], None, None, None)
        assert set(vars(bucket)) - set(BUCKET_FIELDS) == {
            'service',
            'profile',
            'bucket_id',
            'file_id_to_file',
            'file_id_counter',
            'upload_timestamp_counter',
            'upload_url_counter',
            '_index',
            '_unfinished',
            '_positions',
            '_last_sequence',
        }
        assert set(vars(file)) - set(FILE_FIELDS) == {
            'bucket',
            'file_id',
            'content',
            'range_',
            'numbered_parts',
            'position',
        }
        assert set(vars(part)) - set(PART_FIELDS) == {
            'file_id',
            'part_number',
            'part_data',
        }
        assert set(vars(key)) == set(KEY_FIELDS)

    def test_replication(self) -> None:
        rule = ReplicationRule('bucket', 'rule-1', 'x/', True, 3, True)
        setting = ReplicationConfiguration([rule], 'key', {'a': 'b'})
        assert REPLICATION.load(REPLICATION.store(setting)) == setting
        assert REPLICATION.load(REPLICATION.store(None)) is None
        for status in ReplicationStatus:
            assert REPLICATION_STATUS.load(REPLICATION_STATUS.store(status)) is status
