"""What goes over the wire for generated arguments of every call, beside what b2sdk sends."""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import b2sdk.v3 as theirs
import pytest
import requests
from hypothesis import given, settings, strategies as st

import b2fast as ours
from b2fast import B2RawHTTPApi

from .test_raw_api import (
    bucket_retention,
    directive,
    governance,
    hold,
    sse_b2,
    sse_none,
    sse_unknown,
    ssec,
)

ANSWER: dict[str, Any] = {'eventNotificationRules': [], 'answer': 17}


@pytest.fixture(autouse=True, scope='module')
def no_pauses() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('time.sleep', lambda seconds: None)
        yield


class Recorder(requests.adapters.BaseAdapter):
    """Notes every request instead of sending it, and answers as it is told."""

    def __init__(self, status: int, content: bytes) -> None:
        super().__init__()
        self.status, self.content = status, content
        self.sent: list[Any] = []

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        body = request.body.read() if hasattr(request.body, 'read') else request.body
        # Those that are a client's own business: who it is, and how it likes answers.
        left_out = ('user-agent', 'accept', 'accept-encoding', 'connection')
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
            if name.lower() not in left_out
        }
        if body and headers.get('content-type', '').startswith('application/json'):
            body = json.loads(body)
            del headers['content-length']
        self.sent.append((request.method, request.url, headers, body))
        response = requests.Response()
        response.status_code = self.status
        response.raw = io.BytesIO(self.content)
        response.url = request.url
        response.request = request
        response.headers['X-Bz-File-Id'] = '4_z'
        return response

    def close(self) -> None:
        pass


def made(
    sdk: Any, method: str, arguments: dict[str, Any], status: int = 200, content: bytes = b''
) -> Any:
    """The requests of one of the two, and what came of the call."""
    recorder = Recorder(status, content or json.dumps(ANSWER).encode())

    def new_session() -> requests.Session:
        session = requests.Session()
        for prefix in ('http://', 'https://'):
            session.mount(prefix, recorder)
        return session

    # b2sdk takes the adapters of the session as they are only if it may decode.
    config = sdk.B2HttpApiConfig(new_session, install_clock_skew_hook=False, decode_content=True)
    http = sdk.B2Http(config)
    given = {name: value(sdk) if callable(value) else value for name, value in arguments.items()}
    try:
        outcome = getattr(sdk.B2RawHTTPApi(http), method)(**given)
    except Exception as error:
        outcome = type(error).__name__, str(error)
    if hasattr(outcome, '__enter__'):
        with outcome as response:
            outcome = response.content
    elif hasattr(outcome, 'items'):
        outcome = dict(outcome)
    return recorder.sent, outcome


TEXT = st.text(max_size=12)
ID = st.text('abcdefghij0123456789_', min_size=1, max_size=20)
TOKEN = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
HOST = st.sampled_from(['http://host', 'https://f001.example.com', 'http://localhost:8180'])
NUMBER = st.integers(0, 10_000)
NAME = st.sampled_from(['a', 'a b/ü+&.txt', '日本/x', "o'%41", 'a?b#c', '..a']) | TEXT
INFO = st.dictionaries(st.text('abc_-0', min_size=1, max_size=5), TEXT, max_size=3)
SHA1 = st.text('0123456789abcdef', min_size=40, max_size=40)
RANGE = st.tuples(NUMBER, NUMBER).map(lambda ends: (min(ends), max(ends)))
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
RULES = st.lists(st.dictionaries(TEXT, JSON, max_size=3), max_size=2)
CONTENT_TYPE = st.sampled_from(['b2/x-auto', 'text/plain; charset=utf-8'])
UPLOAD_ENCRYPTION = st.sampled_from([None, sse_b2, sse_none, sse_unknown, ssec()])
HOLD = st.sampled_from([None, *map(hold, ('ON', 'OFF', 'UNSET', 'UNKNOWN'))])
RETENTION = st.sampled_from([None, governance])


def replication(sdk: Any) -> Any:
    return sdk.ReplicationConfiguration(
        rules=[sdk.ReplicationRule('bucket', 'rule', file_name_prefix='p')],
        source_key_id='key',
        source_to_destination_key_mapping={'a': 'b'},
    )


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def stream(content: bytes) -> Callable[[Any], Any]:
    # Made anew for each of the two, since it is read.
    return lambda sdk: io.BytesIO(content)


ACCOUNT = {'api_url': HOST, 'account_auth_token': TOKEN}
BUCKET_SETTINGS = {
    'bucket_info': optional(INFO),
    'cors_rules': optional(RULES),
    'lifecycle_rules': optional(RULES),
    'default_server_side_encryption': UPLOAD_ENCRYPTION,
    'is_file_lock_enabled': optional(st.booleans()),
    'replication': st.sampled_from([None, replication]),
}
CALLS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    'authorize_account': {
        'realm_url': HOST,
        'application_key_id': TOKEN.filter(lambda key_id: ':' not in key_id),
        'application_key': TEXT,
    },
    'cancel_large_file': {**ACCOUNT, 'file_id': ID},
    'check_b2_filename': {'filename': NAME},
    'copy_file': {
        **ACCOUNT,
        'source_file_id': ID,
        'new_file_name': NAME,
        'bytes_range': optional(RANGE),
        'metadata_directive': st.sampled_from([None, directive('COPY'), directive('REPLACE')]),
        'content_type': optional(CONTENT_TYPE),
        'file_info': optional(INFO),
        'destination_bucket_id': optional(ID),
        'destination_server_side_encryption': UPLOAD_ENCRYPTION,
        'source_server_side_encryption': st.sampled_from([None, ssec()]),
        'file_retention': RETENTION,
        'legal_hold': HOLD,
    },
    'copy_part': {
        **ACCOUNT,
        'source_file_id': ID,
        'large_file_id': ID,
        'part_number': NUMBER,
        'bytes_range': optional(RANGE),
        'destination_server_side_encryption': UPLOAD_ENCRYPTION,
        'source_server_side_encryption': st.sampled_from([None, ssec()]),
    },
    'create_bucket': {
        **ACCOUNT,
        'account_id': ID,
        'bucket_name': TEXT,
        'bucket_type': TEXT,
        **BUCKET_SETTINGS,
    },
    'create_key': {
        **ACCOUNT,
        'account_id': ID,
        'capabilities': st.lists(TEXT, max_size=3),
        'key_name': TEXT,
        'valid_duration_seconds': optional(NUMBER),
        'bucket_ids': optional(st.lists(ID, max_size=3)),
        'name_prefix': optional(TEXT),
    },
    'delete_bucket': {**ACCOUNT, 'account_id': ID, 'bucket_id': ID},
    'delete_file_version': {
        **ACCOUNT,
        'file_id': ID,
        'file_name': NAME,
        'bypass_governance': st.booleans(),
    },
    'delete_key': {**ACCOUNT, 'application_key_id': ID},
    'download_file_from_url': {
        'account_auth_token_or_none': optional(TOKEN),
        'url': st.sampled_from(
            [
                'http://host/file/bucket/a%20b+c',
                'https://host/b2api/v4/b2_download_file_by_id?fileId=4_z',
            ]
        ),
        'range_': optional(RANGE),
        'encryption': st.sampled_from([None, sse_b2, sse_none, ssec(), ssec(None)]),
    },
    'finish_large_file': {
        **ACCOUNT,
        'file_id': ID,
        'part_sha1_array': st.lists(SHA1, max_size=3),
    },
    'get_bucket_notification_rules': {**ACCOUNT, 'bucket_id': ID},
    'get_download_authorization': {
        **ACCOUNT,
        'bucket_id': ID,
        'file_name_prefix': NAME,
        'valid_duration_in_seconds': NUMBER,
    },
    'get_download_url_by_id': {'download_url': HOST, 'file_id': ID},
    'get_download_url_by_name': {'download_url': HOST, 'bucket_name': ID, 'file_name': NAME},
    'get_file_info_by_id': {**ACCOUNT, 'file_id': ID},
    'get_file_info_by_name': {
        'download_url': HOST,
        'account_auth_token': TOKEN,
        'bucket_name': ID,
        'file_name': NAME,
    },
    'get_upload_part_url': {**ACCOUNT, 'file_id': ID},
    'get_upload_url': {**ACCOUNT, 'bucket_id': ID},
    'hide_file': {**ACCOUNT, 'bucket_id': ID, 'file_name': NAME},
    'list_buckets': {
        **ACCOUNT,
        'account_id': ID,
        'bucket_id': optional(ID),
        'bucket_name': optional(TEXT),
    },
    'list_file_names': {
        **ACCOUNT,
        'bucket_id': ID,
        'start_file_name': optional(NAME),
        'max_file_count': optional(NUMBER),
        'prefix': optional(NAME),
    },
    'list_file_versions': {
        **ACCOUNT,
        'bucket_id': ID,
        'start_file_name': optional(NAME),
        'start_file_id': optional(ID),
        'max_file_count': optional(NUMBER),
        'prefix': optional(NAME),
    },
    'list_keys': {
        **ACCOUNT,
        'account_id': ID,
        'max_key_count': optional(NUMBER),
        'start_application_key_id': optional(ID),
    },
    'list_parts': {
        **ACCOUNT,
        'file_id': ID,
        'start_part_number': optional(NUMBER),
        'max_part_count': optional(NUMBER),
    },
    'list_unfinished_large_files': {
        **ACCOUNT,
        'bucket_id': ID,
        'start_file_id': optional(ID),
        'max_file_count': optional(NUMBER),
        'prefix': optional(NAME),
    },
    'set_bucket_notification_rules': {**ACCOUNT, 'bucket_id': ID, 'rules': RULES},
    'start_large_file': {
        **ACCOUNT,
        'bucket_id': ID,
        'file_name': NAME,
        'content_type': CONTENT_TYPE,
        'file_info': INFO,
        'server_side_encryption': UPLOAD_ENCRYPTION,
        'file_retention': RETENTION,
        'legal_hold': HOLD,
    },
    'update_bucket': {
        **ACCOUNT,
        'account_id': ID,
        'bucket_id': ID,
        'bucket_type': TEXT,
        'if_revision_is': optional(NUMBER),
        'default_retention': st.sampled_from([None, bucket_retention]),
        **BUCKET_SETTINGS,
    },
    'update_file_legal_hold': {
        **ACCOUNT,
        'file_id': ID,
        'file_name': NAME,
        'legal_hold': st.sampled_from([hold('ON'), hold('OFF'), hold('UNSET')]),
    },
    'update_file_retention': {
        **ACCOUNT,
        'file_id': ID,
        'file_name': NAME,
        'file_retention': st.sampled_from([governance]),
        'bypass_governance': st.booleans(),
    },
    'upload_file': {
        'upload_url': st.sampled_from(['http://pod/b2api/v4/b2_upload_file/x/y', 'https://pod/u']),
        'upload_auth_token': TOKEN,
        'file_name': NAME,
        'content_length': st.just(4),
        'content_type': CONTENT_TYPE,
        'content_sha1': SHA1,
        'file_info': INFO,
        'data_stream': st.binary(min_size=4, max_size=4).map(stream),
        'server_side_encryption': UPLOAD_ENCRYPTION,
        'file_retention': RETENTION,
        'legal_hold': HOLD,
        'custom_upload_timestamp': optional(NUMBER),
    },
    'upload_part': {
        'upload_url': st.sampled_from(['http://pod/b2api/v4/b2_upload_part/x/y', 'https://pod/u']),
        'upload_auth_token': TOKEN,
        'part_number': NUMBER,
        'content_length': st.just(4),
        'content_sha1': SHA1,
        'data_stream': st.binary(min_size=4, max_size=4).map(stream),
        # SSE-B2 and SSE-C are told apart in test_raw_api.
        'server_side_encryption': st.sampled_from([None, sse_none, sse_unknown]),
    },
}
# They make no request.
HELPERS = {'get_upload_file_headers', 'unprintable_to_hex', 'transfer_engine', 'call_counter'}


def test_every_call_is_here() -> None:
    for raw_api in (theirs.B2RawHTTPApi, B2RawHTTPApi):
        methods = {
            name
            for name, _ in inspect.getmembers(raw_api, inspect.isfunction)
            if not name.startswith('_')
        }
        assert methods - HELPERS == set(CALLS)


@pytest.mark.parametrize('method', CALLS)
@given(data=st.data())
@settings(max_examples=25)
def test_the_same_request(method: str, data: st.DataObject) -> None:
    arguments = data.draw(st.fixed_dictionaries(CALLS[method]))
    assert made(ours, method, arguments) == made(theirs, method, arguments)


MINIMAL: dict[str, dict[str, Any]] = {
    'authorize_account': {
        'realm_url': 'http://host',
        'application_key_id': 'id',
        'application_key': 'key',
    },
    'hide_file': {
        'api_url': 'http://host',
        'account_auth_token': 'token',
        'bucket_id': 'bucket',
        'file_name': 'name',
    },
    'get_file_info_by_name': {
        'download_url': 'http://host',
        'account_auth_token': 'token',
        'bucket_name': 'bucket',
        'file_name': 'name',
    },
    'download_file_from_url': {
        'account_auth_token_or_none': 'token',
        'url': 'http://host/file/b/n',
    },
    'copy_part': {
        'api_url': 'http://host',
        'account_auth_token': 'token',
        'source_file_id': 'source',
        'large_file_id': 'large',
        'part_number': 1,
    },
}
BODIES = st.one_of(
    st.just(b''),
    st.fixed_dictionaries(
        {},
        optional={
            'status': JSON,
            'code': st.sampled_from(
                ['bad_request', 'no_such_file', 'expired_auth_token', 'access_denied', 'not_found']
            )
            | JSON.filter(lambda value: value is not None),
            'message': TEXT | NUMBER,
            'more': JSON,
        },
    ).map(lambda answer: json.dumps(answer).encode()),
    JSON.filter(lambda value: not isinstance(value, dict)).map(
        lambda value: json.dumps(value).encode()
    ),
    st.sampled_from([b'<html>', b'{"code": ', b'\xff\xfe']),
    # Of longer ones that are not JSON b2fast shows the beginning.
).filter(lambda content: len(content) <= 200)


@pytest.mark.parametrize('method', MINIMAL)
@given(
    status=st.sampled_from([400, 401, 403, 404, 408, 409, 416, 429, 500, 503]),
    content=BODIES,
)
@settings(max_examples=60)
@pytest.mark.filterwarnings('ignore:bad request exception with an unknown')
def test_the_same_error(method: str, status: int, content: bytes) -> None:
    # An empty body stands for the usual answer there.
    given, expected = (
        made(sdk, method, MINIMAL[method], status, content or b'{}') for sdk in (ours, theirs)
    )
    assert given == expected


def test_the_user_agent_has_the_same_form() -> None:
    def agents(sdk: Any) -> list[str]:
        return [
            sdk.B2Http(sdk.B2HttpApiConfig(user_agent_append=more)).user_agent
            for more in (None, 'mine/1')
        ]

    def shaped(agent: str) -> list[str]:
        return [word.partition('/')[0] for word in agent.split(' ')][1:]

    assert [shaped(agent) for agent in agents(ours)] == [shaped(agent) for agent in agents(theirs)]
    assert agents(ours)[0].startswith('b2fast/')


def test_sessions_make_the_same_calls() -> None:
    """The session passes on what it is given, with the URL and the token of the account."""

    def names(session: Any) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(method).parameters)
            for name, method in inspect.getmembers(session, inspect.isfunction)
            if name in CALLS
        }

    assert names(ours.B2Session) == names(theirs.B2Session)
