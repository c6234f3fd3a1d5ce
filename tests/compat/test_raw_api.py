"""What b2fast's raw API sends beside what that of b2sdk sends, call by call."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from b2sdk import v3
from b2sdk.v3 import exception as v3_exception

import b2fast.encryption
import b2fast.exception
import b2fast.file_lock
import b2fast.raw_api


def gather(*modules: Any) -> SimpleNamespace:
    names: dict[str, Any] = {}
    for module in modules:
        names.update(vars(module))
    return SimpleNamespace(**names)


OURS = gather(b2fast.raw_api, b2fast.encryption, b2fast.file_lock)
OURS.AccessDenied = b2fast.exception.AccessDenied
OURS.interpret_b2_error = b2fast.exception.interpret_b2_error
OURS.raw_api = b2fast.raw_api.B2RawHTTPApi
THEIRS = gather(v3)
THEIRS.NO_RETENTION_FILE_SETTING = v3.NO_RETENTION_FILE_SETTING
THEIRS.AccessDenied = v3_exception.AccessDenied
THEIRS.interpret_b2_error = v3_exception.interpret_b2_error
THEIRS.raw_api = v3.B2RawHTTPApi

STREAM = io.BytesIO(b'data')


class Recorder:
    """Stands for B2Http: notes what is sent, and answers or fails as it is told."""

    def __init__(self, failure: Callable[[], Exception] | None = None) -> None:
        self.calls: list[Any] = []
        self.failure = failure

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        if self.failure is not None:
            raise self.failure()

    def post_json_return_json(self, url: str, headers: Any, params: Any) -> Any:
        self._note('json', url, headers, params)
        return {'eventNotificationRules': ['a rule']}

    def request_content_return_json(self, method: str, url: str, headers: Any, params: Any) -> Any:
        self._note(method, url, headers, params)
        return {'eventNotificationRules': ['a rule']}

    def post_content_return_json(self, url: str, headers: Any, data: Any, try_count: int) -> Any:
        self._note('content', url, headers, data is STREAM, try_count)
        return {}

    def get_content(self, url: str, headers: Any) -> Any:
        self._note('get', url, headers)
        return 'a response'

    def head_content(self, url: str, headers: Any) -> Any:
        self._note('head', url, headers)
        return SimpleNamespace(headers={'X-Bz-File-Id': '4_z'})


def outcome(library: Any, method: str, arguments: Any, failure: str | None = None) -> Any:
    """What was sent and what came of it, for one of the two libraries."""
    failures = {
        None: None,
        'denied': library.AccessDenied,
        'not found': lambda: library.interpret_b2_error(404, None, None, {}),
    }
    http = Recorder(failures[failure])
    raw_api = library.raw_api(http)
    try:
        args, kwargs = arguments(library)
        result: Any = getattr(raw_api, method)(*args, **kwargs)
    except Exception as error:
        result = (type(error).__name__, str(error))
    return http.calls, result


def of(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    """Arguments of a call; functions among them are given the library to take values from."""

    def resolve(value: Any, library: Any) -> Any:
        return value(library) if callable(value) else value

    return lambda library: (
        [resolve(arg, library) for arg in args],
        {name: resolve(arg, library) for name, arg in kwargs.items()},
    )


def ssec(secret: bytes | None = b'0' * 32, key_id: str | None = 'key-7') -> Callable[[Any], Any]:
    return lambda lib: lib.EncryptionSetting(
        lib.EncryptionMode.SSE_C,
        lib.EncryptionAlgorithm.AES256,
        lib.EncryptionKey(secret, key_id),
    )


def sse_b2(lib: Any) -> Any:
    return lib.SSE_B2_AES


def sse_none(lib: Any) -> Any:
    return lib.SSE_NONE


def sse_unknown(lib: Any) -> Any:
    return lib.EncryptionSetting(lib.EncryptionMode.UNKNOWN)


def governance(lib: Any) -> Any:
    return lib.FileRetentionSetting(lib.RetentionMode.GOVERNANCE, 123)


def no_retention(lib: Any) -> Any:
    return lib.NO_RETENTION_FILE_SETTING


def hold(name: str) -> Callable[[Any], Any]:
    return lambda lib: getattr(lib.LegalHold, name)


def bucket_retention(lib: Any) -> Any:
    return lib.BucketRetentionSetting(lib.RetentionMode.GOVERNANCE, lib.RetentionPeriod(days=7))


def directive(name: str) -> Callable[[Any], Any]:
    return lambda lib: getattr(lib.MetadataDirectiveMode, name)


API = ('http://api', 'TOKEN')
UP = ('http://pod', 'UPLOAD-TOKEN')
FILE = (*UP, 'a b/ü+&.txt', 4, 'text/plain', '0' * 40)
INFO = {'src_last_modified_millis': '17', 'name': 'ä b+'}

CALLS: list[tuple[str, Callable[[Any], Any]]] = [
    ('authorize_account', of('http://realm', 'kid', 'kéy')),
    ('cancel_large_file', of(*API, 'fid')),
    ('create_bucket', of(*API, 'acc', 'bucket', 'allPublic')),
    (
        'create_bucket',
        of(*API, 'acc', 'bucket', 'allPublic', {'a': 'b'}, [{}], [], sse_b2, True),
    ),
    ('create_bucket', of(*API, 'acc', 'b', 'allPublic', {}, [], [], None, False)),
    ('create_bucket', of(*API, 'acc', 'b', 'x', default_server_side_encryption=ssec())),
    ('create_bucket', of(*API, 'acc', 'b', 'x', default_server_side_encryption=sse_none)),
    ('create_key', of(*API, 'acc', ['listFiles'], 'key', None, None, None)),
    ('create_key', of(*API, 'acc', ['listFiles'], 'key', 5, ['bid'], 'pre')),
    ('delete_bucket', of(*API, 'acc', 'bid')),
    ('delete_file_version', of(*API, 'fid', 'name')),
    ('delete_file_version', of(*API, 'fid', 'name', True)),
    ('delete_key', of(*API, 'kid')),
    ('download_file_from_url', of('TOKEN', 'http://url')),
    ('download_file_from_url', of(None, 'http://url', (3, 9), ssec())),
    ('download_file_from_url', of('TOKEN', 'http://url', (0, 0), sse_b2)),
    ('download_file_from_url', of('TOKEN', 'http://url', None, sse_none)),
    ('download_file_from_url', of('TOKEN', 'http://url', None, ssec(None))),
    ('finish_large_file', of(*API, 'fid', ['a', 'b'])),
    ('get_download_authorization', of(*API, 'bid', 'pre', 5)),
    ('get_download_url_by_id', of('http://d', '4_z1')),
    ('get_download_url_by_name', of('http://d', 'bucket', 'a b/ü+?#%&.txt')),
    ('get_file_info_by_id', of(*API, 'fid')),
    ('get_file_info_by_name', of('http://d', 'TOKEN', 'bucket', 'a name')),
    ('get_upload_url', of(*API, 'bid')),
    ('get_upload_part_url', of(*API, 'fid')),
    ('hide_file', of(*API, 'bid', 'name')),
    ('list_buckets', of(*API, 'acc')),
    ('list_buckets', of(*API, 'acc', 'bid', 'name')),
    ('list_file_names', of(*API, 'bid')),
    ('list_file_names', of(*API, 'bid', 'start', 5, 'pre')),
    ('list_file_versions', of(*API, 'bid')),
    ('list_file_versions', of(*API, 'bid', 'start', 'id', 5, 'pre')),
    ('list_keys', of(*API, 'acc')),
    ('list_keys', of(*API, 'acc', 5, 'kid')),
    ('list_parts', of(*API, 'fid', 2, 5)),
    ('list_parts', of(*API, 'fid', None, None)),
    ('list_unfinished_large_files', of(*API, 'bid')),
    ('list_unfinished_large_files', of(*API, 'bid', 'start', 5, 'pre')),
    ('start_large_file', of(*API, 'bid', 'name', 'type', INFO)),
    ('start_large_file', of(*API, 'bid', 'n', 't', INFO, ssec(), governance, hold('ON'))),
    ('start_large_file', of(*API, 'bid', 'n', 't', INFO, sse_b2, no_retention, hold('UNSET'))),
    ('start_large_file', of(*API, 'bid', 'n', 't', INFO, sse_none)),
    ('start_large_file', of(*API, 'bid', 'n', 't', INFO, None, None, hold('UNKNOWN'))),
    ('update_bucket', of(*API, 'acc', 'bid', 'allPublic', {'a': 'b'}, [{}], [], 3, sse_b2)),
    (
        'update_bucket',
        of(*API, 'acc', 'bid', default_retention=bucket_retention, is_file_lock_enabled=True),
    ),
    ('update_bucket', of(*API, 'acc', 'bid', if_revision_is=0, is_file_lock_enabled=False)),
    ('update_bucket', of(*API, 'acc', 'bid', default_server_side_encryption=ssec())),
    ('update_bucket', of(*API, 'acc', 'bid', default_server_side_encryption=sse_unknown)),
    ('update_file_retention', of(*API, 'fid', 'name', governance)),
    ('update_file_retention', of(*API, 'fid', 'name', no_retention, True)),
    ('update_file_legal_hold', of(*API, 'fid', 'name', hold('ON'))),
    ('update_file_legal_hold', of(*API, 'fid', 'name', hold('UNSET'))),
    ('upload_file', of(*FILE, INFO, STREAM)),
    ('upload_file', of(*FILE, INFO, STREAM, ssec(), governance, hold('ON'), 9)),
    ('upload_file', of(*FILE, INFO, STREAM, sse_b2, None, hold('OFF'))),
    ('upload_file', of(*FILE, INFO, STREAM, sse_none)),
    ('upload_file', of(*FILE, {'sse_c_key_id': 'key-7'}, STREAM, ssec())),
    ('upload_file', of(*UP, '/name', 4, 't', 's', {}, STREAM)),
    ('upload_part', of(*UP, 1, 4, '0' * 40, STREAM)),
    ('upload_part', of(*UP, 1, 4, '0' * 40, STREAM, sse_unknown)),
    ('copy_file', of(*API, 'sid', 'name')),
    (
        'copy_file',
        of(
            *(*API, 'sid', 'name', (0, 5), directive('COPY'), None, None, 'dbid'),
            *(sse_b2, ssec(), governance, hold('ON')),
        ),
    ),
    ('copy_file', of(*API, 'sid', 'name', None, directive('COPY'), 'type')),
    ('copy_file', of(*API, 'sid', 'name', None, directive('COPY'), None, {})),
    ('copy_file', of(*API, 'sid', 'name', None, directive('REPLACE'))),
    ('copy_file', of(*API, 'sid', 'name', None, directive('REPLACE'), 'type', INFO)),
    ('copy_file', of(*API, 'sid', 'name', None, None, 'type', {})),
    ('copy_file', of(*API, 'sid', 'n', destination_server_side_encryption=sse_none)),
    ('copy_part', of(*API, 'sid', 'lid', 1)),
    ('copy_part', of(*API, 'sid', 'lid', 1, (0, 5), ssec(), ssec())),
    ('copy_part', of(*API, 'sid', 'lid', 1, (0, 5), sse_none)),
    ('set_bucket_notification_rules', of(*API, 'bid', [{'name': 'rule'}])),
    ('get_bucket_notification_rules', of(*API, 'bid')),
    *(
        ('check_b2_filename', of(name))
        for name in (
            '',
            'a',
            '/a',
            'a/',
            'a//b',
            'a\\b',
            'a\x1fb',
            'a\nb',
            'a\x7fb',
            'x' * 250,
            'x' * 251,
            'y/' + 'ü' * 126,
            '/'.join(['x' * 127] * 8),
            '/'.join(['x' * 127] * 9),
            '../a',
        )
    ),
]


@pytest.mark.parametrize(
    ('method', 'arguments'), CALLS, ids=[f'{i}-{call[0]}' for i, call in enumerate(CALLS)]
)
@pytest.mark.parametrize('failure', [None, 'denied', 'not found'])
def test_the_same_request_and_outcome(
    method: str, arguments: Callable[[Any], Any], failure: str | None
) -> None:
    assert outcome(OURS, method, arguments, failure) == outcome(THEIRS, method, arguments, failure)


# Where b2fast follows the documentation of the service and b2sdk does not.


def sent(method: str, *args: Any) -> Any:
    calls, _ = outcome(OURS, method, of(*args))
    return calls[0]


def test_parts_of_a_file_with_sse_b2_do_not_repeat_it() -> None:
    headers = sent('upload_part', *UP, 1, 4, '0' * 40, STREAM, sse_b2)[2]
    assert not [name for name in headers if 'Encryption' in name]


def test_parts_of_a_file_with_sse_c_have_the_key_and_no_file_info() -> None:
    headers = sent('upload_part', *UP, 1, 4, '0' * 40, STREAM, ssec())[2]
    assert headers['X-Bz-Server-Side-Encryption-Customer-Algorithm'] == 'AES256'
    assert not [name for name in headers if name.startswith('X-Bz-Info-')]


def test_no_retention_sends_no_retention() -> None:
    headers = sent('upload_file', *FILE, INFO, STREAM, None, no_retention)[2]
    assert not [name for name in headers if 'Retention' in name]


def test_the_upload_timestamp_of_a_large_file_is_spelt_as_documented() -> None:
    params = sent('start_large_file', *API, 'bid', 'n', 't', {}, None, None, None, 9)[3]
    assert params['customUploadTimestamp'] == 9


def test_the_id_of_a_key_may_have_any_character() -> None:
    headers = sent('upload_file', *FILE, {'sse_c_key_id': 'a key'}, STREAM, ssec(key_id='a key'))[2]
    assert headers['X-Bz-Info-sse_c_key_id'] == 'a%20key'


def test_only_a_customers_key_is_sent_for_a_copys_source() -> None:
    params = sent('copy_part', *API, 'sid', 'lid', 1, None, None, sse_b2)[3]
    assert 'sourceServerSideEncryption' not in params


@pytest.mark.parametrize('range_', [(5, 3), (-1, 3)])
def test_a_wrong_range_is_a_value_error(range_: tuple[int, int]) -> None:
    _, (name, _) = outcome(OURS, 'copy_file', of(*API, 'sid', 'name', range_))
    assert name == 'ValueError'


def test_updating_nothing_is_a_value_error() -> None:
    _, (name, _) = outcome(OURS, 'update_bucket', of(*API, 'acc', 'bid'))
    assert name == 'ValueError'
