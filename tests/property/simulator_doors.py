"""The simulators as the state machine sees them: the same calls with the same names for things.

The machine speaks of `bucket-0` and `file-3`, as the model does. A door replaces these names by
the IDs that its simulator gave, and the IDs in answers by names, in the order of their appearance.
"""

from __future__ import annotations

import io
import itertools
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from b2fast import (
    B2Http,
    B2HttpApiConfig,
    B2RawHTTPApi,
    BucketSimulator,
    FaithfulSimulator,
    HttpCallback,
    RawSimulator,
    RetryPolicy,
    SimulatorServer,
)
from b2fast.exception import B2Error
from b2fast.file_lock import (
    NO_RETENTION_FILE_SETTING,
    BucketRetentionSetting,
    FileRetentionSetting,
    LegalHold,
    RetentionMode,
    RetentionPeriod,
)
from b2fast.http_constants import HEX_DIGITS_AT_END
from b2fast.raw_api import AbstractRawApi, MetadataDirectiveMode

from .simulator_model import File, Retention, sha1_of

_ID_FIELDS = {
    'fileId': 'file',
    'nextFileId': 'file',
    'x-bz-file-id': 'file',
    'bucketId': 'bucket',
    'applicationKeyId': 'key',
}
_SECRET_FIELDS = {'authorizationToken', 'uploadUrl', 'applicationKey', 'nextApplicationKeyId'}
_PROPER_TO_A_CONNECTION = {'date', 'connection', 'server'}


@dataclass
class Seen:
    """What came of a call.

    :param answer: None if it was refused
    :param error: kind and text of the exception
    :param status: HTTP status of the last answer, 0 without HTTP
    :param code: of the refusal
    """

    answer: Any = None
    error: tuple[str, str] | None = None
    status: int = 0
    code: str | None = None


class Door(ABC):
    """A simulator behind a raw API."""

    exact = True
    """It answers in the forms of B2, with the time of the machine's clock."""

    def __init__(self, raw: AbstractRawApi, realm: str, key_id: str, key: str) -> None:
        self.raw = raw
        self._real: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._counts: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)
        answer = raw.authorize_account(realm, key_id, key)
        self._realm = realm
        storage = answer['apiInfo']['storageApi']
        self._urls = storage['apiUrl'], storage['downloadUrl']
        self._account_id = answer['accountId']
        self._tokens: dict[int | None, str] = {None: answer['authorizationToken']}
        self._grants: list[str] = []

    def close(self) -> None:  # noqa: B027
        """Ends what has to be ended, if anything."""

    def see(self, name: str, *args: Any, **kwargs: Any) -> Seen:
        """Makes a call of this class, and tells what came of it."""
        seen = Seen()
        try:
            seen.answer = self._named(getattr(self, name)(*args, **kwargs))
        except B2Error as error:
            seen.error = type(error).__name__, self._without_ids(str(error))
        seen.status, seen.code = self._last_answer()
        return seen

    @abstractmethod
    def _last_answer(self) -> tuple[int, str | None]:
        """The status and the error code of the last answer."""

    # Names and IDs

    def _id(self, name: str) -> str:
        return self._real.get(name, name)

    def _named(self, value: Any, field: str = '') -> Any:
        """Replaces IDs by names, and leaves out what is a secret or somebody's account."""
        if isinstance(value, Mapping):
            return {
                key: self._named(entry, key)
                for key, entry in value.items()
                if key not in _SECRET_FIELDS and key != 'accountId'
            }
        if isinstance(value, list | tuple):
            return [self._named(entry, field) for entry in value]
        if isinstance(value, set):
            return sorted(value)
        if not isinstance(value, str):
            return value
        if field in _ID_FIELDS and value not in self._names:
            kind = _ID_FIELDS[field]
            name = f'{kind}-{next(self._counts[kind])}'
            self._real[name], self._names[value] = value, name
        return self._names.get(value, value)

    def _without_ids(self, text: str) -> str:
        # The longest first: the ID of a file holds that of its bucket.
        for real in sorted(self._names, key=len, reverse=True):
            text = text.replace(real, self._names[real])
        return text

    def _token(self, key: int | None) -> str:
        return self._tokens[key]

    # Keys

    def create_key(
        self, capabilities: list[str], bucket_ids: list[str] | None, prefix: str | None
    ) -> Any:
        ids = None if bucket_ids is None else [self._id(name) for name in bucket_ids]
        answer = self.raw.create_key(
            self._urls[0],
            self._token(None),
            self._account_id,
            capabilities,
            'a-key',
            None,
            ids,
            prefix,
        )
        authorized = self.raw.authorize_account(
            self._realm, answer['applicationKeyId'], answer['applicationKey']
        )
        self._tokens[len(self._tokens) - 1] = authorized['authorizationToken']
        return answer

    def delete_key(self, number: int) -> Any:
        return self.raw.delete_key(self._urls[0], self._token(None), self._id(f'key-{number}'))

    def list_keys(self, count: int) -> list[Any]:
        keys: list[Any] = []
        start: str | None = None
        while True:
            page = self.raw.list_keys(
                self._urls[0], self._token(None), self._account_id, count, start
            )
            assert len(page['keys']) <= count
            keys += page['keys']
            start = page['nextApplicationKeyId']
            if start is None:
                return sorted(keys, key=lambda key: int(self._names[key['applicationKeyId']][4:]))

    # Buckets

    def create_bucket(self, name: str, type_: str, info: dict[str, str], locks: bool) -> Any:
        return self.raw.create_bucket(
            self._urls[0],
            self._token(None),
            self._account_id,
            name,
            type_,
            info,
            is_file_lock_enabled=locks,
        )

    def update_bucket(
        self,
        bucket_id: str,
        type_: str | None = None,
        info: dict[str, str] | None = None,
        revision: int | None = None,
        default_retention: tuple[str, int] | None = None,
    ) -> Any:
        setting = None
        if default_retention is not None:
            mode, days = default_retention
            setting = BucketRetentionSetting(RetentionMode(mode), RetentionPeriod(days=days))
        return self.raw.update_bucket(
            self._urls[0],
            self._token(None),
            self._account_id,
            self._id(bucket_id),
            bucket_type=type_,
            bucket_info=info,
            if_revision_is=revision,
            default_retention=setting,
        )

    def delete_bucket(self, bucket_id: str) -> Any:
        return self.raw.delete_bucket(
            self._urls[0], self._token(None), self._account_id, self._id(bucket_id)
        )

    def list_buckets(self, bucket_id: str | None, name: str | None) -> Any:
        real = None if bucket_id is None else self._id(bucket_id)
        return self.raw.list_buckets(
            self._urls[0], self._token(None), self._account_id, real, name
        )['buckets']

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
    ) -> Any:
        target = self.raw.get_upload_url(self._urls[0], self._token(key), self._id(bucket_id))
        body, said = _said_of(content, sha1)
        return self.raw.upload_file(
            target['uploadUrl'],
            target['authorizationToken'],
            name,
            len(body),
            'text/plain',
            said,
            info,
            io.BytesIO(body),
            file_retention=_setting(retention),
            legal_hold=_hold(hold),
        )

    def hide(self, key: int | None, bucket_id: str, name: str) -> Any:
        return self.raw.hide_file(self._urls[0], self._token(key), self._id(bucket_id), name)

    def delete(self, key: int | None, file_id: str, name: str, bypass: bool = False) -> Any:
        return self.raw.delete_file_version(
            self._urls[0], self._token(key), self._id(file_id), name, bypass
        )

    # Large files

    def start_large_file(
        self,
        key: int | None,
        bucket_id: str,
        name: str,
        info: dict[str, str],
        retention: Retention | None = None,
        hold: str | None = None,
    ) -> Any:
        return self.raw.start_large_file(
            self._urls[0],
            self._token(key),
            self._id(bucket_id),
            name,
            'text/plain',
            info,
            file_retention=_setting(retention),
            legal_hold=_hold(hold),
        )

    def upload_part(self, file_id: str, number: int, content: bytes, sha1: str = 'right') -> Any:
        target = self.raw.get_upload_part_url(self._urls[0], self._token(None), self._id(file_id))
        body, said = _said_of(content, sha1)
        return self.raw.upload_part(
            target['uploadUrl'],
            target['authorizationToken'],
            number,
            len(body),
            said,
            io.BytesIO(body),
        )

    def copy_part(
        self, source_id: str, file_id: str, number: int, range_: tuple[int, int] | None
    ) -> Any:
        return self.raw.copy_part(
            self._urls[0],
            self._token(None),
            self._id(source_id),
            self._id(file_id),
            number,
            range_,
        )

    def list_parts(self, file_id: str, start: int | None, count: int) -> list[Any]:
        parts: list[Any] = []
        while True:
            page = self.raw.list_parts(
                self._urls[0], self._token(None), self._id(file_id), start, count
            )
            assert len(page['parts']) <= count
            parts += page['parts']
            start = page['nextPartNumber']
            if start is None:
                return parts

    def finish_large_file(self, file_id: str, sha1s: list[str]) -> Any:
        return self.raw.finish_large_file(
            self._urls[0], self._token(None), self._id(file_id), sha1s
        )

    def cancel_large_file(self, file_id: str) -> Any:
        return self.raw.cancel_large_file(self._urls[0], self._token(None), self._id(file_id))

    # Copies and locks

    def copy_file(
        self,
        key: int | None,
        source_id: str,
        name: str,
        bucket_id: str | None,
        range_: tuple[int, int] | None,
        new_info: dict[str, str] | None,
    ) -> Any:
        mode = MetadataDirectiveMode
        return self.raw.copy_file(
            self._urls[0],
            self._token(key),
            self._id(source_id),
            name,
            range_,
            mode.COPY if new_info is None else mode.REPLACE,
            None if new_info is None else 'text/new',
            new_info,
            None if bucket_id is None else self._id(bucket_id),
        )

    def update_retention(
        self, file_id: str, name: str, retention: Retention | None, bypass: bool
    ) -> Any:
        return self.raw.update_file_retention(
            self._urls[0],
            self._token(None),
            self._id(file_id),
            name,
            _setting(retention) or NO_RETENTION_FILE_SETTING,
            bypass,
        )

    def update_legal_hold(self, file_id: str, name: str, hold: str) -> Any:
        return self.raw.update_file_legal_hold(
            self._urls[0], self._token(None), self._id(file_id), name, LegalHold(hold)
        )

    # Listings

    def list_names(
        self,
        key: int | None,
        bucket_id: str,
        start: str | None,
        prefix: str,
        delimiter: str | None,
        count: int,
    ) -> list[Any]:
        files: list[Any] = []
        while True:
            page = self._page(
                'list_file_names',
                key,
                self._id(bucket_id),
                {'start_file_name': start},
                count,
                prefix,
                delimiter,
            )
            files += page['files']
            start = page['nextFileName']
            if start is None:
                return files

    def list_versions(
        self,
        key: int | None,
        bucket_id: str,
        start: str | File | None,
        prefix: str,
        delimiter: str | None,
        count: int,
    ) -> list[Any]:
        name = start.name if isinstance(start, File) else start
        file_id = self._id(start.id) if isinstance(start, File) else None
        files: list[Any] = []
        while True:
            page = self._page(
                'list_file_versions',
                key,
                self._id(bucket_id),
                {'start_file_name': name, 'start_file_id': file_id},
                count,
                prefix,
                delimiter,
            )
            files += page['files']
            name, file_id = page['nextFileName'], page['nextFileId']
            if name is None:
                return files

    @abstractmethod
    def _page(
        self,
        call: str,
        key: int | None,
        bucket_id: str,
        start: dict[str, str | None],
        count: int,
        prefix: str,
        delimiter: str | None,
    ) -> Any: ...

    def list_unfinished(
        self, key: int | None, bucket_id: str, start: File | None, prefix: str, count: int
    ) -> list[Any]:
        files: list[Any] = []
        start_id = None if start is None else self._id(start.id)
        while True:
            page = self.raw.list_unfinished_large_files(
                self._urls[0], self._token(key), self._id(bucket_id), start_id, count, prefix
            )
            assert len(page['files']) <= count
            files += page['files']
            start_id = page['nextFileId']
            if start_id is None:
                return files

    # Reading

    def file_info(self, key: int | None, file_id: str) -> Any:
        return self.raw.get_file_info_by_id(self._urls[0], self._token(key), self._id(file_id))

    def download_by_id(self, key: int | None, file_id: str, range_: tuple[int, int] | None) -> Any:
        url = self.raw.get_download_url_by_id(self._urls[1], self._id(file_id))
        return self._download(self._token(key), url, range_)

    def download_by_name(
        self,
        key: int | None,
        bucket_name: str,
        name: str,
        range_: tuple[int, int] | None,
        grant: int | None = None,
        anonymous: bool = False,
    ) -> Any:
        url = self.raw.get_download_url_by_name(self._urls[1], bucket_name, name)
        token = self._token(key) if grant is None else self._grants[grant]
        return self._download(None if anonymous else token, url, range_)

    def authorize_download(self, key: int | None, bucket_id: str, prefix: str, seconds: int) -> Any:
        answer = self.raw.get_download_authorization(
            self._urls[0], self._token(key), self._id(bucket_id), prefix, seconds
        )
        self._grants.append(answer['authorizationToken'])
        return answer

    def _download(self, token: str | None, url: str, range_: tuple[int, int] | None) -> Any:
        with self.raw.download_file_from_url(token, url, range_) as response:
            content = b''.join(response.iter_content(64))
        headers = {name.lower(): value for name, value in response.headers.items()}
        return {
            'status': response.status_code,
            'content': content,
            'headers': {
                name: value
                for name, value in headers.items()
                if name not in _PROPER_TO_A_CONNECTION
            },
        }


class _LastAnswer(HttpCallback):
    def __init__(self) -> None:
        self.status = 0
        self.code: str | None = None

    def post_request(
        self, method: str, url: str, headers: Mapping[str, Any], response: requests.Response
    ) -> None:
        self.status = response.status_code
        self.code = None
        if response.status_code >= 400 and method != 'HEAD':
            self.code = response.json()['code']


class HttpDoor(Door):
    """A simulator that takes requests, over a network or in the process.

    :param session: makes what sends them
    """

    def __init__(
        self, session: Callable[[], requests.Session], realm: str, key_id: str, key: str
    ) -> None:
        http = B2Http(B2HttpApiConfig(session, retry_policy=RetryPolicy(attempts=1)))
        self._http = http
        self._last = _LastAnswer()
        http.add_callback(self._last)
        super().__init__(B2RawHTTPApi(http), realm, key_id, key)

    def _last_answer(self) -> tuple[int, str | None]:
        return self._last.status, self._last.code

    def _page(
        self,
        call: str,
        key: int | None,
        bucket_id: str,
        start: dict[str, str | None],
        count: int,
        prefix: str,
        delimiter: str | None,
    ) -> Any:
        # The raw API has no delimiter.
        return self._http.post_json_return_json(
            f'{self._urls[0]}/b2api/v4/b2_{call}',
            {'Authorization': self._token(key)},
            {
                'bucketId': bucket_id,
                'startFileName': start['start_file_name'],
                'startFileId': start.get('start_file_id'),
                'maxFileCount': count,
                'prefix': prefix,
                'delimiter': delimiter,
            },
        )


class ServerDoor(HttpDoor):
    """`SimulatorServer`, over HTTP."""

    def __init__(self, **profile: Any) -> None:
        self._server = SimulatorServer(**profile)
        server = self._server
        super().__init__(requests.Session, server.url, server.key_id, server.key)

    def close(self) -> None:
        self._http.session.close()
        self._server.stop()


class ProcessDoor(HttpDoor):
    """`FaithfulSimulator`, in the process."""

    def __init__(self, **profile: Any) -> None:
        simulator = FaithfulSimulator(**profile)
        super().__init__(
            simulator.session, 'https://realm.example', simulator.key_id, simulator.key
        )


class _BucketWithItsOwnIds(BucketSimulator):
    """IDs of b2sdk's simulator are counted anew in each bucket, and mean several files then."""

    MAX_SIMPLE_COPY_SIZE = 5_000_000_000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = int(self.bucket_id.rpartition('_')[2])
        self.file_id_counter = itertools.count(9_999_999 - 100_000 * number, -1)


class _RawSimulator(RawSimulator):
    BUCKET_SIMULATOR_CLASS = _BucketWithItsOwnIds


class RawDoor(Door):
    """`RawSimulator`, with the master key only."""

    exact = False

    def __init__(self) -> None:
        simulator = _RawSimulator()
        super().__init__(simulator, 'https://realm.example', *simulator.create_account())

    def _token(self, key: int | None) -> str:
        return self._tokens[None]

    def _last_answer(self) -> tuple[int, str | None]:
        return 0, None

    def _page(
        self,
        call: str,
        key: int | None,
        bucket_id: str,
        start: dict[str, str | None],
        count: int,
        prefix: str,
        delimiter: str | None,
    ) -> Any:
        assert delimiter is None
        list_files = getattr(self.raw, call)
        return list_files(
            self._urls[0],
            self._token(key),
            bucket_id,
            max_file_count=count,
            prefix=prefix,
            **start,
        )


def _said_of(content: bytes, sha1: str) -> tuple[bytes, str]:
    """The body to send, and what to say of its SHA-1."""
    if sha1 == 'at the end':
        return content + sha1_of(content).encode(), HEX_DIGITS_AT_END
    said = {
        'right': sha1_of(content),
        'wrong': sha1_of(content + b'?'),
        'nothing': 'do_not_verify',
    }
    return content, said[sha1]


def _setting(retention: Retention | None) -> FileRetentionSetting | None:
    if retention is None:
        return None
    return FileRetentionSetting(RetentionMode(retention[0]), retention[1])


def _hold(hold: str | None) -> LegalHold | None:
    return None if hold is None else LegalHold(hold)
