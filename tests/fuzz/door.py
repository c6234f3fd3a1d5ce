"""Requests made of arbitrary bytes, asked of the HTTP door.

An input is a text: requests separated by a line of five equals signs, each with its method and
target, its headers, an empty line and its body. `$name` stands for what only a running service
knows: see `_Asker.known`. What an answer tells (the ID of a file, an upload URL) replaces what was
known before, so that requests build on one another.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import urlsplit

from b2fast._core.server import Content, Request
from b2fast.http_constants import HEX_DIGITS_AT_END
from b2fast.raw_api import ALL_CAPABILITIES
from b2fast.simulator.bucket import BucketSettings, NewFile
from b2fast.simulator.http_door import HttpDoor
from b2fast.simulator.profile import Profile
from b2fast.simulator.state import Key, Service

NOW = 1_700_000_000_000
ACCOUNT, KEY_ID, SECRET = 'a' * 12, '005' + 'a' * 12 + '0000000001', 'K005secret'
SEPARATOR = b'\n=====\n'
DIGEST_LENGTH = 40
# More than that is no other case, only more time.
MAX_REQUESTS = 20

_NAME = re.compile(rb'\$([a-z_]+)')
_UPLOADS = {'b2_upload_file', 'b2_upload_part'}


def check(data: bytes) -> list[int]:
    """Asks the requests, and whether the service is in order afterwards.

    :return: the status of each answer
    :raises AssertionError: it is not, or an answer is none that B2 would give
    """
    asker = _Asker()
    statuses = [asker.ask(block) for block in data.split(SEPARATOR)[:MAX_REQUESTS]]
    asker.check_service()
    return statuses


class _Asker:
    """A small service, and what a client knows of it."""

    def __init__(self) -> None:
        self.service = Service(Profile(clock=lambda: NOW, minimum_part_size=5))
        key = Key(ACCOUNT, 'master', KEY_ID, SECRET, ALL_CAPABILITIES, None, None, None)
        self.service.add_account(ACCOUNT, key)
        self.service.add_token('token', key)
        self.key = key
        self.door = HttpDoor(self.service)
        bucket = self._bucket('bucket-1', bucket_type='allPrivate', file_lock=True)
        public = self._bucket('bucket-2', bucket_type='allPublic')
        public_file = public.upload(_new('public'), Content(b'public'), 'do_not_verify')
        file = bucket.upload(_new('dir/file'), Content(b'0123456789'), 'do_not_verify')
        large = bucket.begin_large_file(_new('large'))
        bucket.add_part(large.file_id, 1, Content(b'part 1'), 'do_not_verify')
        self.service.add_upload_token('upload', bucket, key)
        self.service.add_upload_token('part', bucket, key, large.file_id)
        part = bucket.unfinished_file(large.file_id).numbered_parts[1].content_sha1
        self.known = {
            'account': ACCOUNT,
            'basic': 'Basic ' + base64.b64encode(f'{KEY_ID}:{SECRET}'.encode()).decode(),
            'bucket': bucket.bucket_id,
            'file': file.file_id,
            'key': KEY_ID,
            'large': large.file_id,
            'part_sha': part.removeprefix('unverified:'),
            'part_token': 'part',
            'part_url': f'/b2api/v4/b2_upload_part/{large.file_id}/0001',
            'public': public.bucket_id,
            'public_file': public_file.file_id,
            'public_sha': Content(b'publ').sha1(),
            'token': 'token',
            'upload_token': 'upload',
            'upload_url': f'/b2api/v4/b2_upload_file/{bucket.bucket_id}/c001_v0000001_t0001',
        }

    def _bucket(self, name: str, **settings: Any) -> Any:
        return self.service.create_bucket(
            ACCOUNT, self.service.ids.bucket_id, name, BucketSettings(**settings)
        )

    def ask(self, block: bytes) -> int:
        """Asks one request and returns the status of the answer."""
        response = self.door(self._request(block))
        body = response.body.read()
        assert response.status != 500, f'{block!r}: {body!r}'
        if response.status >= 400:
            answer = json.loads(body)
            assert set(answer) == {'status', 'code', 'message'}
            assert answer['status'] == response.status
        elif dict(response.headers).get('content-type', '').startswith('application/json;'):
            self._learn(json.loads(body))
        return int(response.status)

    def _request(self, block: bytes) -> Request:
        block = _NAME.sub(lambda found: self._value(found[1].decode(), found[0]), block)
        head, _, body = block.partition(b'\n\n')
        first, *lines = head.split(b'\n')
        method, _, target = first.partition(b' ')
        path, _, query = target.partition(b'?')
        headers = {'host': 'localhost'}
        for line in lines:
            name, _, value = line.partition(b':')
            headers[_text(name).strip().lower()] = _text(value).strip()
        content, trailer = None, None
        if method == b'POST' and not _UPLOADS.isdisjoint(_text(path).split('/')):
            digest = hashlib.sha1(body, usedforsecurity=False).hexdigest()
            if headers.get('x-bz-content-sha1') == 'right':
                headers['x-bz-content-sha1'] = digest
            elif headers.get('x-bz-content-sha1') == HEX_DIGITS_AT_END:
                end = max(0, len(body) - DIGEST_LENGTH)
                body, trailer = body[:end], _text(body[end:])
            body, content = b'', Content(body)
        return Request(_text(method), _text(path), _text(query), headers, body, content, trailer)

    def _value(self, name: str, otherwise: bytes) -> bytes:
        value = self.known.get(name)
        return otherwise if value is None else value.encode()

    def _learn(self, answer: Any) -> None:
        if not isinstance(answer, dict):
            return
        for field, name in (
            ('bucketId', 'bucket'),
            ('fileId', 'file'),
            ('applicationKeyId', 'key'),
        ):
            if isinstance(answer.get(field), str):
                self.known[name] = answer[field]
        if answer.get('action') == 'start':
            self.known['large'] = answer['fileId']
        if 'uploadUrl' in answer:
            kind = 'part' if 'fileId' in answer else 'upload'
            self.known[f'{kind}_url'] = urlsplit(answer['uploadUrl']).path
            self.known[f'{kind}_token'] = answer['authorizationToken']
        elif 'authorizationToken' in answer and 'fileNamePrefix' in answer:
            self.known['download_token'] = answer['authorizationToken']
        if 'applicationKey' in answer:
            pair = f'{answer["applicationKeyId"]}:{answer["applicationKey"]}'
            self.known['basic'] = 'Basic ' + base64.b64encode(pair.encode()).decode()

    # Afterwards

    def check_service(self) -> None:
        """Everything that is stored is listed, and can be read."""
        self.service.add_token('afterwards', self.key)
        self._call('b2_list_keys', accountId=ACCOUNT)
        listed = self._call('b2_list_buckets', accountId=ACCOUNT, bucketTypes=['all'])['buckets']
        assert {entry['bucketId'] for entry in listed} == set(self.service.buckets_by_id)
        for entry in listed:
            self._check_bucket(entry['bucketId'])

    def _check_bucket(self, bucket_id: str) -> None:
        ids = {'bucketId': bucket_id}
        versions: list[Any] = []
        start: dict[str, Any] | None = {}
        while start is not None:
            page = self._call('b2_list_file_versions', maxFileCount=3, **start, **ids)
            versions += page['files']
            start = None
            if page['nextFileName'] is not None:
                start = {
                    'startFileName': page['nextFileName'],
                    'startFileId': page['nextFileId'],
                }
        stored = self.service.bucket(bucket_id).file_id_to_file
        assert [version['fileId'] for version in versions] == [
            file.file_id for file in sorted(stored.values(), key=lambda f: (f.name, f.position))
        ]
        for version in versions:
            if version['action'] == 'upload':
                self._check_file(stored[version['fileId']])
        self._call('b2_list_file_names', **ids)
        self._call('b2_list_unfinished_large_files', **ids)

    def _check_file(self, file: Any) -> None:
        key = file.server_side_encryption and file.server_side_encryption.key
        if key is not None:
            return
        request = Request(
            'GET',
            '/b2api/v4/b2_download_file_by_id',
            f'fileId={file.file_id}',
            {'authorization': 'afterwards'},
            b'',
        )
        response = self.door(request)
        assert response.status == 200, response.body.read()
        assert len(response.body) == file.content_length

    def _call(self, name: str, **fields: Any) -> Any:
        body = json.dumps(fields).encode()
        headers = {'authorization': 'afterwards', 'host': 'localhost'}
        response = self.door(Request('POST', f'/b2api/v4/{name}', '', headers, body))
        assert response.status == 200, response.body.read()
        return json.loads(response.body.read())


def _new(name: str) -> NewFile:
    return NewFile(name=name, content_type='text/plain', info={'color': 'blue'})


def _text(data: bytes) -> str:
    """UTF-8 where it is, Latin-1 otherwise, as the server reads what is sent."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode('latin-1')
