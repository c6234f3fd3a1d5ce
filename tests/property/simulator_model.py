"""What B2 does, as plainly as it can be said: the judge of the simulators.

Written from B2's documentation, not from the simulator. Everything is kept in lists, in the order
in which it came, and every question is answered by looking through them. IDs are `bucket-0`,
`file-3`, ...; answers are those of version 4 of the API. A field that B2's documentation leaves
open is not in an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

DAY = 24 * 3600 * 1000
Retention = tuple[str, int]
"""A mode and the end in milliseconds since 1970 UTC."""


class Refused(Exception):
    """The call fails and changes nothing.

    :param status: of the answer
    :param codes: of the answer; several where more than one check fails
    :param in_raw: `RawSimulator` refuses it as well
    """

    def __init__(self, status: int, *codes: str, in_raw: bool = True) -> None:
        super().__init__(status, codes)
        self.answers = {(status, code) for code in codes}
        self.in_raw = in_raw

    def __str__(self) -> str:
        return f'one of {sorted(self.answers)}'


@dataclass
class Key:
    capabilities: list[str]
    bucket_ids: list[str] | None
    prefix: str | None
    deleted: bool = False


@dataclass
class Bucket:
    id: str
    name: str
    type: str
    info: dict[str, str]
    locks: bool
    default_retention: tuple[str, int] | None = None
    revision: int = 2
    deleted: bool = False


@dataclass
class Part:
    content: bytes
    sha1: str
    timestamp: int


@dataclass
class File:
    """A version; `number` is the order of arrival."""

    number: int
    id: str
    bucket: Bucket
    name: str
    action: str
    timestamp: int
    content: bytes = b''
    sha1: str | None = None
    content_type: str | None = None
    info: dict[str, str] = field(default_factory=dict)
    retention: Retention | None = None
    hold: str | None = None
    parts: dict[int, Part] = field(default_factory=dict)
    deleted: bool = False

    @property
    def place(self) -> tuple[bytes, int, int]:
        """Sorts as listings do: by name, the newest version first."""
        return self.name.encode(), -self.timestamp, -self.number


def sha1_of(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


class Model:
    """One account and what is in it. `None` for a key is the master key.

    :param clock: gives the time in milliseconds since 1970 UTC
    :param minimum_part_size: bytes
    """

    def __init__(self, clock: Callable[[], int], minimum_part_size: int) -> None:
        self.clock = clock
        self.minimum_part_size = minimum_part_size
        self.buckets: list[Bucket] = []
        self.files: list[File] = []
        self.keys: list[Key] = []
        self.grants: list[tuple[str, str, int]] = []

    # Keys

    def create_key(
        self, capabilities: list[str], bucket_ids: list[str] | None, prefix: str | None
    ) -> dict[str, Any]:
        for bucket_id in bucket_ids or []:
            self._bucket(bucket_id)
        self.keys.append(Key(capabilities, bucket_ids, prefix))
        return self._key_answer(len(self.keys) - 1)

    def delete_key(self, number: int) -> dict[str, Any]:
        key = self.keys[number]
        if key.deleted:
            raise Refused(400, 'bad_request')
        key.deleted = True
        return self._key_answer(number)

    def list_keys(self) -> list[dict[str, Any]]:
        return [self._key_answer(n) for n, key in enumerate(self.keys) if not key.deleted]

    def _key_answer(self, number: int) -> dict[str, Any]:
        key = self.keys[number]
        return {
            'applicationKeyId': f'key-{number}',
            'capabilities': key.capabilities,
            'bucketIds': key.bucket_ids,
            'namePrefix': key.prefix,
            'expirationTimestamp': None,
        }

    def _check(
        self,
        number: int | None,
        capability: str,
        bucket: Bucket | None = None,
        name: str | None = None,
    ) -> None:
        if number is None:
            return
        key = self.keys[number]
        if key.deleted:
            raise Refused(401, 'expired_auth_token', 'bad_auth_token', in_raw=False)
        if (
            capability not in key.capabilities
            or (bucket and key.bucket_ids is not None and bucket.id not in key.bucket_ids)
            or (name is not None and not name.startswith(key.prefix or ''))
        ):
            raise Refused(401, 'unauthorized', in_raw=False)

    def _may(self, number: int | None, capability: str) -> bool:
        return number is None or capability in self.keys[number].capabilities

    # Buckets

    def create_bucket(
        self, name: str, type_: str, info: dict[str, str], locks: bool
    ) -> dict[str, Any]:
        if any(b.name.lower() == name.lower() and not b.deleted for b in self.buckets):
            raise Refused(400, 'duplicate_bucket_name')
        bucket = Bucket(f'bucket-{len(self.buckets)}', name, type_, info, locks)
        self.buckets.append(bucket)
        return self._bucket_answer(bucket)

    def update_bucket(
        self,
        bucket_id: str,
        type_: str | None = None,
        info: dict[str, str] | None = None,
        revision: int | None = None,
        default_retention: tuple[str, int] | None = None,
    ) -> dict[str, Any]:
        bucket = self._bucket(bucket_id)
        if revision is not None and revision != bucket.revision:
            raise Refused(409, 'conflict')
        if default_retention is not None and not bucket.locks:
            raise Refused(400, 'bucket_missing_file_lock')
        bucket.type = type_ or bucket.type
        bucket.info = bucket.info if info is None else info
        bucket.default_retention = default_retention or bucket.default_retention
        bucket.revision += 1
        return self._bucket_answer(bucket)

    def delete_bucket(self, bucket_id: str) -> dict[str, Any]:
        bucket = self._bucket(bucket_id)
        if self._versions(bucket):
            raise Refused(400, 'cannot_delete_non_empty_bucket', in_raw=False)
        bucket.deleted = True
        # As it was recorded.
        bucket.revision += 1
        return self._bucket_answer(bucket)

    def list_buckets(self, bucket_id: str | None, name: str | None) -> list[dict[str, Any]]:
        found = [
            bucket
            for bucket in self.buckets
            if not bucket.deleted
            and bucket_id in (None, bucket.id)
            and (name is None or name.lower() == bucket.name.lower())
        ]
        return [self._bucket_answer(b) for b in sorted(found, key=lambda bucket: bucket.name)]

    def _bucket(self, bucket_id: str) -> Bucket:
        for bucket in self.buckets:
            if bucket.id == bucket_id and not bucket.deleted:
                return bucket
        raise Refused(400, 'bad_bucket_id')

    def _bucket_answer(self, bucket: Bucket) -> dict[str, Any]:
        mode, days = bucket.default_retention or (None, None)
        period = None if days is None else {'duration': days, 'unit': 'days'}
        return {
            'bucketId': bucket.id,
            'bucketName': bucket.name,
            'bucketType': bucket.type,
            'bucketInfo': bucket.info,
            'corsRules': [],
            'lifecycleRules': [],
            'revision': bucket.revision,
            'options': ['s3'],
            'defaultServerSideEncryption': _readable({'mode': 'SSE-B2', 'algorithm': 'AES256'}),
            'fileLockConfiguration': _readable(
                {
                    'defaultRetention': {'mode': mode, 'period': period},
                    'isFileLockEnabled': bucket.locks,
                }
            ),
            'replicationConfiguration': _readable(None),
        }

    # Storing

    def upload(
        self,
        key: int | None,
        bucket_id: str,
        name: str,
        content: bytes,
        info: dict[str, str],
        sha1: str = 'right',
        retention: Retention | None = None,
        hold: str | None = None,
    ) -> dict[str, Any]:
        """Asks for an upload URL and sends one file.

        :param sha1: what is said of it: `right`, `at the end`, `nothing` or `wrong`
        """
        self._check(key, 'writeFiles')
        bucket = self._bucket(bucket_id)
        self._check(key, 'writeFiles', bucket, name)
        self._check_locks(key, bucket, retention, hold)
        if sha1 == 'wrong':
            raise Refused(400, 'bad_request')
        stored = sha1_of(content)
        file = self._new_file(
            bucket,
            name,
            'upload',
            content=content,
            sha1='unverified:' + stored if sha1 == 'nothing' else stored,
            info=info,
            retention=retention,
            hold=hold,
        )
        return self._answer(key, file)

    def _check_locks(
        self, key: int | None, bucket: Bucket, retention: Retention | None, hold: str | None
    ) -> None:
        if retention is not None:
            self._check(key, 'writeFileRetentions')
        if hold is not None:
            self._check(key, 'writeFileLegalHolds')
        if not bucket.locks and (retention or hold):
            raise Refused(400, 'bucket_missing_file_lock', in_raw=False)
        if retention and retention[1] <= self.clock():
            raise Refused(400, 'retain_until_timestamp_must_be_in_future', in_raw=False)

    def _new_file(self, bucket: Bucket, name: str, action: str, **fields: Any) -> File:
        number, now = len(self.files), self.clock()
        file = File(number, f'file-{number}', bucket, name, action, now, **fields)
        default = bucket.default_retention
        if action != 'hide':
            file.content_type = file.content_type or 'text/plain'
            if file.retention is None and default is not None:
                file.retention = default[0], now + default[1] * DAY
        self.files.append(file)
        return file

    def hide(self, key: int | None, bucket_id: str, name: str) -> dict[str, Any]:
        self._check(key, 'writeFiles')
        bucket = self._bucket(bucket_id)
        self._check(key, 'writeFiles', bucket, name)
        finished = [file for file in self._versions(bucket, name) if file.action != 'start']
        if not finished:
            raise Refused(400, 'no_such_file', in_raw=False)
        if finished[0].action == 'hide':
            raise Refused(400, 'already_hidden', in_raw=False)
        return self._answer(key, self._new_file(bucket, name, 'hide'))

    def delete(
        self, key: int | None, file_id: str, name: str, bypass: bool = False
    ) -> dict[str, Any]:
        self._check(key, 'deleteFiles')
        file = self._found(file_id, Refused(400, 'file_not_present'))
        self._check(key, 'deleteFiles', file.bucket, name)
        if bypass:
            self._check(key, 'bypassGovernance')
        if file.name != name:
            raise Refused(400, 'file_not_present')
        mode, until = file.retention or ('', 0)
        lasts = until > self.clock() and not (mode == 'governance' and bypass)
        if file.action == 'upload' and (file.hold == 'on' or lasts):
            raise Refused(401, 'access_denied')
        file.deleted = True
        return {'fileId': file_id, 'fileName': name}

    # Large files

    def start_large_file(
        self,
        key: int | None,
        bucket_id: str,
        name: str,
        info: dict[str, str],
        retention: Retention | None = None,
        hold: str | None = None,
    ) -> dict[str, Any]:
        self._check(key, 'writeFiles')
        bucket = self._bucket(bucket_id)
        self._check(key, 'writeFiles', bucket, name)
        self._check_locks(key, bucket, retention, hold)
        file = self._new_file(
            bucket, name, 'start', sha1='none', info=info, retention=retention, hold=hold
        )
        return self._answer(key, file)

    def upload_part(
        self, file_id: str, number: int, content: bytes, sha1: str = 'right'
    ) -> dict[str, Any]:
        """Asks for an upload URL and sends one part; see `upload`."""
        file = self._unfinished(file_id)
        if sha1 == 'wrong':
            raise Refused(400, 'bad_request')
        stored = sha1_of(content)
        return self._add_part(
            file, number, content, 'unverified:' + stored if sha1 == 'nothing' else stored
        )

    def copy_part(
        self, source_id: str, file_id: str, number: int, range_: tuple[int, int] | None
    ) -> dict[str, Any]:
        refusals = []
        for check in (
            lambda: _cut(self._source(source_id).content, range_),
            lambda: self._unfinished(file_id),
        ):
            try:
                check()
            except Refused as refused:
                refusals.append(refused)
        if refusals:
            # Which check comes first is not documented.
            refusals[0].answers |= refusals[-1].answers
            refusals[0].in_raw |= refusals[-1].in_raw
            raise refusals[0]
        content = _cut(self._source(source_id).content, range_)
        return self._add_part(self._unfinished(file_id), number, content, sha1_of(content))

    def _add_part(self, file: File, number: int, content: bytes, sha1: str) -> dict[str, Any]:
        file.parts[number] = Part(content, sha1, self.clock())
        return self._part_answer(file, number)

    def list_parts(self, file_id: str, start: int | None) -> list[dict[str, Any]]:
        file = self._unfinished(file_id)
        return [self._part_answer(file, n) for n in sorted(file.parts) if n >= (start or 1)]

    def finish_large_file(self, file_id: str, sha1s: list[str]) -> dict[str, Any]:
        file = self._unfinished(file_id)
        codes = []
        if len(sha1s) < 2 or any(
            len(part.content) < (1 if number == max(file.parts) else self.minimum_part_size)
            for number, part in file.parts.items()
        ):
            codes.append('bad_request')
        if not {*range(1, max([*file.parts, len(sha1s)]) + 1)} <= {*file.parts}:
            codes.append('missing_part')
        if len(sha1s) < len(file.parts) or any(
            number in file.parts and file.parts[number].sha1.removeprefix('unverified:') != sha1
            for number, sha1 in enumerate(sha1s, 1)
        ):
            codes.append('part_sha1_mismatch')
        if codes:
            raise Refused(400, *codes, in_raw='bad_request' not in codes)
        file.content = b''.join(file.parts[number].content for number in sorted(file.parts))
        file.parts = {}
        file.action = 'upload'
        return self._answer(None, file)

    def cancel_large_file(self, file_id: str) -> dict[str, Any]:
        file = self._unfinished(file_id)
        file.deleted = True
        return {'bucketId': file.bucket.id, 'fileId': file_id, 'fileName': file.name}

    def _unfinished(self, file_id: str) -> File:
        file = self._found(file_id, Refused(400, 'bad_request'))
        if file.action != 'start':
            raise Refused(400, 'bad_request')
        return file

    def _part_answer(self, file: File, number: int) -> dict[str, Any]:
        part = file.parts[number]
        return {
            'fileId': file.id,
            'partNumber': number,
            'contentLength': len(part.content),
            'contentSha1': part.sha1,
            'serverSideEncryption': {'mode': 'SSE-B2', 'algorithm': 'AES256'},
            'uploadTimestamp': part.timestamp,
        }

    # Copies

    def copy_file(
        self,
        key: int | None,
        source_id: str,
        name: str,
        bucket_id: str | None,
        range_: tuple[int, int] | None,
        new_info: dict[str, str] | None,
    ) -> dict[str, Any]:
        """Copies a file.

        :param new_info: replaces the metadata of the source, the content type by `text/new`
        """
        source = self._found(source_id, Refused(404, 'not_found', in_raw=True))
        if source.bucket.type == 'allPrivate':
            self._check(key, 'readFiles', source.bucket, source.name)
        bucket = source.bucket if bucket_id is None else self._bucket(bucket_id)
        self._check(key, 'writeFiles', bucket, name)
        self._source(source_id)
        content = _cut(source.content, range_)
        file = self._new_file(
            bucket,
            name,
            'upload',
            content=content,
            sha1=sha1_of(content),
            info=source.info if new_info is None else new_info,
            content_type=source.content_type if new_info is None else 'text/new',
        )
        return {**self._answer(key, file), 'action': 'copy'}

    def _source(self, source_id: str) -> File:
        source = self._found(source_id, Refused(404, 'not_found'))
        if source.action != 'upload':
            raise Refused(404, 'not_found')
        return source

    # Locks of stored files

    def update_retention(
        self, file_id: str, name: str, retention: Retention | None, bypass: bool
    ) -> dict[str, Any]:
        file = self._lockable(file_id, name)
        if retention and retention[1] <= self.clock():
            raise Refused(400, 'retain_until_timestamp_must_be_in_future', in_raw=False)
        old = file.retention
        if old is not None and old[1] > self.clock():
            longer = retention is not None and retention[1] >= old[1]
            allowed = {
                'governance': longer or bypass,
                'compliance': retention is not None and longer and retention[0] == 'compliance',
            }
            if not allowed[old[0]]:
                raise Refused(403, 'access_denied', in_raw=False)
        file.retention = retention
        return {'fileId': file_id, 'fileName': name, 'fileRetention': _retention(retention)}

    def update_legal_hold(self, file_id: str, name: str, hold: str) -> dict[str, Any]:
        file = self._lockable(file_id, name)
        file.hold = hold
        return {'fileId': file_id, 'fileName': name, 'legalHold': hold}

    def _lockable(self, file_id: str, name: str) -> File:
        file = self._found(file_id, Refused(400, 'file_not_present'))
        if file.name != name:
            raise Refused(400, 'file_not_present')
        if not file.bucket.locks:
            raise Refused(400, 'bucket_missing_file_lock', in_raw=False)
        if file.action != 'upload':
            raise Refused(400, 'bad_request', in_raw=False)
        return file

    # Listings

    def list_names(
        self,
        key: int | None,
        bucket_id: str,
        start: str | None,
        prefix: str,
        delimiter: str | None,
    ) -> list[dict[str, Any]]:
        shown = []
        for name in {file.name for file in self._listed(key, bucket_id, prefix)}:
            finished = [
                file
                for file in self._versions(self._bucket(bucket_id), name)
                if file.action != 'start'
            ]
            if finished and finished[0].action == 'upload':
                shown.append(finished[0])
        return list(self._folded(key, shown, start, prefix, delimiter))

    def list_versions(
        self,
        key: int | None,
        bucket_id: str,
        start: str | File | None,
        prefix: str,
        delimiter: str | None,
    ) -> list[dict[str, Any]]:
        """Lists versions.

        :param start: a name, or the version to begin with, which may have been deleted
        """
        shown = self._listed(key, bucket_id, prefix)
        if isinstance(start, File):
            shown = [file for file in shown if file.place >= start.place]
            start = start.name
        return list(self._folded(key, shown, start, prefix, delimiter))

    def list_unfinished(
        self, key: int | None, bucket_id: str, start: File | None, prefix: str
    ) -> list[dict[str, Any]]:
        shown = [
            file
            for file in self._listed(key, bucket_id, prefix)
            if file.action == 'start'
            and (start is None or (file.timestamp, file.number) >= (start.timestamp, start.number))
        ]
        shown.sort(key=lambda file: (file.timestamp, file.number))
        return [self._answer(key, file) for file in shown]

    def _listed(self, key: int | None, bucket_id: str, prefix: str) -> list[File]:
        self._check(key, 'listFiles')
        bucket = self._bucket(bucket_id)
        self._check(key, 'listFiles', bucket, prefix)
        return [file for file in self._versions(bucket) if file.name.startswith(prefix)]

    def _folded(
        self,
        key: int | None,
        files: list[File],
        start: str | None,
        prefix: str,
        delimiter: str | None,
    ) -> Iterator[dict[str, Any]]:
        folders = set()
        for file in sorted(files, key=lambda file: file.place):
            if file.name.encode() < (start or '').encode():
                continue
            inside, found, _ = file.name[len(prefix) :].partition(delimiter or '\0')
            if not found:
                yield self._answer(key, file)
            elif (folder := prefix + inside + found) not in folders:
                folders.add(folder)
                yield {
                    'action': 'folder',
                    'fileId': None,
                    'fileName': folder,
                    'contentLength': 0,
                    'contentSha1': None,
                    'contentMd5': None,
                    'contentType': None,
                    'fileInfo': {},
                    'uploadTimestamp': 0,
                }

    def _versions(self, bucket: Bucket, name: str | None = None) -> list[File]:
        """The versions that there are, the newest first."""
        return sorted(
            (
                file
                for file in self.files
                if file.bucket is bucket and not file.deleted and name in (None, file.name)
            ),
            key=lambda file: file.place,
        )

    # Reading

    def file_info(self, key: int | None, file_id: str) -> dict[str, Any]:
        self._check(key, 'readFiles')
        file = self._found(file_id, Refused(404, 'not_found'))
        self._check(key, 'readFiles', file.bucket, file.name)
        if file.action == 'start':
            raise Refused(404, 'not_found', in_raw=False)
        return self._answer(key, file)

    def download_by_id(
        self, key: int | None, file_id: str, range_: tuple[int, int] | None
    ) -> tuple[int, bytes, str]:
        """Returns status, content and the ID of the version."""
        if key is not None and self.keys[key].deleted:
            self._check(key, 'readFiles')
        file = self._found(file_id, Refused(404, 'not_found'))
        self._check(key, 'readFiles', file.bucket, file.name)
        if file.action != 'upload':
            raise Refused(404, 'not_found')
        return _download(file, range_)

    def download_by_name(
        self,
        key: int | None,
        bucket_name: str,
        name: str,
        range_: tuple[int, int] | None,
        grant: int | None = None,
        anonymous: bool = False,
    ) -> tuple[int, bytes, str]:
        """See `download_by_id`.

        :param grant: the number of the download authorization that is shown
        :param anonymous: without any token
        """
        bucket = next((b for b in self.buckets if b.name == bucket_name and not b.deleted), None)
        if bucket is None:
            raise Refused(404, 'not_found')
        if grant is not None:
            self._check_grant(grant, bucket, name)
        elif anonymous:
            if bucket.type == 'allPrivate':
                raise Refused(401, 'unauthorized', 'bad_auth_token', in_raw=False)
        else:
            self._check(key, 'readFiles', bucket, name)
        finished = [file for file in self._versions(bucket, name) if file.action != 'start']
        if not finished or finished[0].action == 'hide':
            raise Refused(404, 'not_found')
        return _download(finished[0], range_)

    def authorize_download(
        self, key: int | None, bucket_id: str, prefix: str, seconds: int
    ) -> dict[str, Any]:
        self._check(key, 'shareFiles')
        bucket = self._bucket(bucket_id)
        self._check(key, 'shareFiles', bucket, prefix)
        self.grants.append((bucket_id, prefix, self.clock() + seconds * 1000))
        return {'bucketId': bucket_id, 'fileNamePrefix': prefix}

    def _check_grant(self, number: int, bucket: Bucket, name: str) -> None:
        bucket_id, prefix, end = self.grants[number]
        codes = []
        if end <= self.clock():
            codes.append('expired_auth_token')
        if end <= self.clock() - DAY:
            # The simulator remembers what has ended for a day.
            codes.append('bad_auth_token')
        if bucket_id != bucket.id or not name.startswith(prefix):
            codes.append('unauthorized')
        if codes:
            raise Refused(401, *codes, in_raw=False)

    def _found(self, file_id: str, otherwise: Refused) -> File:
        for file in self.files:
            if file.id == file_id and not file.deleted:
                return file
        raise otherwise

    def _answer(self, key: int | None, file: File) -> dict[str, Any]:
        answer: dict[str, Any] = {
            'bucketId': file.bucket.id,
            'fileId': file.id,
            'fileName': file.name,
            'action': file.action,
            'contentLength': len(file.content),
            'contentType': file.content_type,
            'fileInfo': file.info,
            'uploadTimestamp': file.timestamp,
        }
        if file.action == 'hide':
            return answer | {'contentType': 'application/x-bz-hide-marker'}
        md5 = hashlib.md5(file.content, usedforsecurity=False).hexdigest()
        return answer | {
            'contentSha1': file.sha1,
            'contentMd5': None if file.sha1 == 'none' else md5,
            'fileRetention': _readable(
                _retention(file.retention), self._may(key, 'readFileRetentions')
            ),
            'legalHold': _readable(file.hold, self._may(key, 'readFileLegalHolds')),
            'serverSideEncryption': {'mode': 'SSE-B2', 'algorithm': 'AES256'},
        }


def _cut(content: bytes, range_: tuple[int, int] | None, in_raw: bool = False) -> bytes:
    if range_ is None:
        return content
    if range_[0] >= len(content):
        raise Refused(416, 'range_not_satisfiable', in_raw=in_raw)
    return content[range_[0] : range_[1] + 1]


def _download(file: File, range_: tuple[int, int] | None) -> tuple[int, bytes, str]:
    content = _cut(file.content, range_, in_raw=True)
    return 200 if range_ is None else 206, content, file.id


def _retention(retention: Retention | None) -> dict[str, Any]:
    mode, until = retention or (None, None)
    return {'mode': mode, 'retainUntilTimestamp': until}


def _readable(value: Any, may: bool = True) -> dict[str, Any]:
    return {'isClientAuthorizedToRead': may, 'value': value if may else None}
