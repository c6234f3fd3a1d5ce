"""A listing gives what the file version factory makes of the JSON, however it is read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
import urllib3
from hypothesis import example, given, strategies as st
from requests.adapters import BaseAdapter

from b2fast import (
    B2Api,
    B2Http,
    B2HttpApiConfig,
    B2RawHTTPApi,
    B2Session,
    Bucket,
    FileVersion,
    FileVersionFactory,
    InMemoryAccountInfo,
)
from b2fast.compat import v2
from b2fast.simulator import SimulatorServer

READABLE = {'isClientAuthorizedToRead': True, 'value': None}
ENTRY: dict[str, Any] = {
    'accountId': 'account',
    'action': 'upload',
    'bucketId': 'bucket',
    'contentLength': 5,
    'contentMd5': 'd' * 32,
    'contentSha1': 'a' * 40,
    'contentType': 'text/plain',
    'fileId': '4_z',
    'fileInfo': {'src_last_modified_millis': '1700000000000'},
    'fileName': 'photos/Zürich.jpeg',
    'fileRetention': READABLE,
    'legalHold': READABLE,
    'serverSideEncryption': {'algorithm': 'AES256', 'mode': 'SSE-B2'},
    'uploadTimestamp': 77,
}


class Answers(BaseAdapter):
    """Answers every request with the same body."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._body = body

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.headers['Content-Length'] = str(len(self._body))
        response.raw = urllib3.HTTPResponse(io.BytesIO(self._body), preload_content=False)
        response.url = str(request.url)
        return response

    def close(self) -> None:
        pass


class OwnFactory(FileVersionFactory):
    """Sees every entry as it was sent."""

    def from_api_response(
        self, file_version_dict: dict[str, Any], force_action: str | None = None
    ) -> FileVersion:
        assert isinstance(file_version_dict, dict)
        return super().from_api_response(file_version_dict, force_action)


class ApiWithOwnFactory(B2Api):
    FILE_VERSION_FACTORY_CLASS = OwnFactory


def bucket_that_lists(body: bytes, api_class: type[B2Api] = B2Api) -> Bucket:
    def session() -> requests.Session:
        made = requests.Session()
        made.mount('http://', Answers(body))
        return made

    info = InMemoryAccountInfo()
    info.set_auth_data(
        account_id='account',
        auth_token='token',
        api_url='http://localhost',
        download_url='http://localhost',
        recommended_part_size=100,
        absolute_minimum_part_size=10,
        application_key='key',
        realm='http://localhost',
        s3_api_url='http://localhost',
        allowed={'buckets': None, 'capabilities': [], 'namePrefix': None},
        application_key_id='id',
    )
    return Bucket(api_class(info, api_config=B2HttpApiConfig(session)), 'bucket', 'a-bucket')


def listed(body: bytes, api_class: type[B2Api]) -> list[object]:
    """What a listing gives, and the error with which it ends."""
    found: list[object] = []
    try:
        for version, _ in bucket_that_lists(body, api_class).ls(latest_only=False, recursive=True):
            found += [version.as_dict(), repr(version), version.mod_time_millis]
    except Exception as error:
        found.append((type(error), str(error)))
    return found


def page(*entries: object) -> dict[str, Any]:
    return {'files': list(entries), 'nextFileName': None, 'nextFileId': None}


def changed(**changes: Any) -> dict[str, Any]:
    return {**ENTRY, **changes}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in ENTRY.items() if name not in names}


SETTINGS = {
    'fileRetention': [
        READABLE,
        {'isClientAuthorizedToRead': False, 'value': None},
        {
            'isClientAuthorizedToRead': True,
            'value': {'mode': 'governance', 'retainUntilTimestamp': 9},
        },
        {'isClientAuthorizedToRead': True, 'value': {'mode': None, 'retainUntilTimestamp': None}},
        {'isClientAuthorizedToRead': True, 'value': {'mode': 'new'}},
    ],
    'legalHold': [READABLE, {'isClientAuthorizedToRead': True, 'value': 'on'}, 'on'],
    'serverSideEncryption': [
        {'algorithm': 'AES256', 'mode': 'SSE-B2'},
        {'algorithm': None, 'mode': None},
        {'algorithm': 'AES256', 'mode': 'SSE-C'},
        {'algorithm': 'new', 'mode': 'SSE-B2'},
    ],
    'replicationStatus': ['pending', 'COMPLETED', 'new', None],
    'contentSha1': ['none', 'unverified:' + 'b' * 40, None, ''],
    'contentLength': [0, 2**63 - 1, 2**63, -1, '5', 5.0],
    'uploadTimestamp': [0, 10**30, None],
    'fileInfo': [
        {},
        None,
        {'src_last_modified_millis': ' 5 '},
        {'src_last_modified_millis': '٣'},
        {'src_last_modified_millis': '-5'},
        {'src_last_modified_millis': '9' * 30},
        {'src_last_modified_millis': 'x', 'b2-cache-control': 'a\n"\\'},
        {'sse_c_key_id': 'my key'},
        {'number': 5},
    ],
    'fileName': ['a/b', '\ud800', '"', 'é', ''],
    'action': ['hide', 'start', 'folder', 'new', '', None],
    'contentType': ['', None],
    'more': [1e3, {'deep': [None, True]}, 'x'],
}
entries = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from(values) for name, values in SETTINGS.items()},
).flatmap(
    lambda changes: st.sets(st.sampled_from(sorted(ENTRY)), max_size=1).map(
        lambda left_out: {**without(*left_out), **changes}
    )
)


@given(st.lists(entries, max_size=4), st.booleans())
@example([ENTRY, ENTRY, changed(action='hide', fileName='b')], True)
@example([changed(fileInfo={'sse_c_key_id': key}) for key in 'ab'], True)
def test_a_page_is_read_as_the_factory_reads_it(
    files: list[dict[str, Any]], ensure_ascii: bool
) -> None:
    text = json.dumps(page(*files), ensure_ascii=ensure_ascii)
    body = text.encode('utf-8', 'surrogatepass')
    assert listed(body, B2Api) == listed(body, ApiWithOwnFactory)


@pytest.mark.parametrize(
    'damage',
    [
        lambda text: text[:-1],
        lambda text: text + b'x',
        lambda text: b'',
        lambda text: text.replace(b'77', b'NaN'),
        lambda text: text.replace(b'77', b'077'),
        lambda text: text.replace(b'"4_z"', b'"4_z", "fileId": "4_y"'),
        lambda text: text.replace(b'"4_z"', b'"\xff"'),
        lambda text: text.replace(b'"4_z"', b'"a\x01"'),
        lambda text: text.decode().encode('utf-16'),
        lambda text: b'{"files": ' + b'[' * 100_000,
        lambda text: text.replace(b'"contentLength": 5', b'"contentLength": 5, "size": 6'),
    ],
)
def test_a_damaged_page_is_read_as_the_factory_reads_it(damage: Callable[[bytes], bytes]) -> None:
    body = damage(json.dumps(page(ENTRY)).encode())
    result = listed(body, B2Api)
    assert result == listed(body, ApiWithOwnFactory)
    assert result


@given(st.lists(entries, max_size=2))
def test_v2_reads_a_page_as_its_factory_does(files: list[dict[str, Any]]) -> None:
    class OwnV2Factory(v2.FileVersionFactory):
        def from_api_response(self, *args: Any, **kwargs: Any) -> FileVersion:
            return super().from_api_response(*args, **kwargs)

    class V2ApiWithOwnFactory(v2.B2Api):
        FILE_VERSION_FACTORY_CLASS = OwnV2Factory

    body = json.dumps(page(*files)).encode()
    result = listed(body, v2.B2Api)
    assert result == listed(body, V2ApiWithOwnFactory)


def test_a_class_of_ones_own_is_constructed() -> None:
    class OwnVersion(FileVersion):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.seen = True

    class OwnVersionFactory(FileVersionFactory):
        FILE_VERSION_CLASS = OwnVersion

    class ApiWithOwnVersion(B2Api):
        FILE_VERSION_FACTORY_CLASS = OwnVersionFactory

    bucket = bucket_that_lists(json.dumps(page(ENTRY)).encode(), ApiWithOwnVersion)
    ((version, _),) = bucket.ls(latest_only=False, recursive=True)
    assert isinstance(version, OwnVersion)
    assert version.seen


def test_versions_share_no_key() -> None:
    entry = changed(serverSideEncryption={'algorithm': 'AES256', 'mode': 'SSE-C'})
    bucket = bucket_that_lists(json.dumps(page(entry, entry)).encode())
    one, other = (version for version, _ in bucket.ls(latest_only=False, recursive=True))
    assert one.server_side_encryption.key is not None
    assert one.server_side_encryption.key is not other.server_side_encryption.key
    assert one.file_info is not other.file_info


def test_who_is_in_the_way_sees_the_entries() -> None:
    seen: list[type] = []

    def look(answer: dict[str, Any]) -> dict[str, Any]:
        seen.extend(type(entry) for entry in answer['files'])
        return answer

    class OwnSession(B2Session):
        def list_file_versions(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return look(super().list_file_versions(*args, **kwargs))

    class OwnRawApi(B2RawHTTPApi):
        def list_file_versions(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return look(super().list_file_versions(*args, **kwargs))

    class OwnHttp(B2Http):
        def post_json_return_json(self, *args: Any, **kwargs: Any) -> Any:
            answer: Any = super().post_json_return_json(*args, **kwargs)
            return look(answer) if 'files' in answer else answer

    class SessionWithOwnHttp(B2Session):
        B2HTTP_CLASS = OwnHttp

    class ApiWithOwnHttp(B2Api):
        SESSION_CLASS = SessionWithOwnHttp

    class SeeingFactory(FileVersionFactory):
        def from_api_response(
            self, file_version_dict: dict[str, Any], force_action: str | None = None
        ) -> FileVersion:
            look({'files': [file_version_dict]})
            return super().from_api_response(file_version_dict, force_action)

    class ApiWithSeeingFactory(B2Api):
        FILE_VERSION_FACTORY_CLASS = SeeingFactory

    class ApiWithOwnSession(B2Api):
        SESSION_CLASS = OwnSession

    with SimulatorServer() as server:

        def names(api: B2Api) -> list[str]:
            api.authorize_account(server.key_id, server.key, realm=server.url)
            bucket = api.get_bucket_by_name('a-bucket')
            return [version.file_name for version, _ in bucket.ls(latest_only=False)]

        plain = B2Api(InMemoryAccountInfo())
        plain.authorize_account(server.key_id, server.key, realm=server.url)
        plain.create_bucket('a-bucket', 'allPrivate').upload_bytes(b'', 'name')
        assert names(plain) == ['name']
        assert not seen

        for api_class in (ApiWithOwnSession, ApiWithOwnHttp, ApiWithSeeingFactory):
            assert names(api_class(InMemoryAccountInfo())) == ['name']
            assert seen.pop() is dict
            assert not seen

        config = B2HttpApiConfig(_raw_api_class=OwnRawApi)
        assert names(B2Api(InMemoryAccountInfo(), api_config=config)) == ['name']
        assert seen.pop() is dict

        patched = B2Api(InMemoryAccountInfo())
        original = patched.session.list_file_versions
        patched.session.list_file_versions = (  # type: ignore[method-assign]
            lambda *args, **kwargs: look(original(*args, **kwargs))
        )
        assert names(patched) == ['name']
        assert seen.pop() is dict
