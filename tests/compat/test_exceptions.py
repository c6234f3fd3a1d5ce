"""b2fast's exceptions beside those of b2sdk."""

from __future__ import annotations

import inspect
import itertools
import warnings
from typing import Any

import pytest
from b2sdk._internal import exception as internal
from b2sdk.v3 import exception as theirs
from hypothesis import given, settings, strategies as st

import b2fast.exception as ours

STATUSES = [200, 302, 400, 401, 403, 404, 405, 408, 409, 416, 418, 429, 500, 502, 503, 599, 600]
CODES = [
    'bad_request',
    'bad_json',
    'bad_bucket_id',
    'invalid_bucket_id',
    'invalid_file_id',
    'file_not_present',
    'no_such_file',
    'already_hidden',
    'duplicate_bucket_name',
    'too_many_buckets',
    'missing_part',
    'cannot_delete_non_empty_bucket',
    'out_of_range',
    'part_sha1_mismatch',
    'metadata_exceeded',
    'bucket_missing_file_lock',
    'file_lock_conflict',
    'source_replication_conflict',
    'restricted_bucket_conflict',
    'retain_until_timestamp_must_be_in_future',
    'custom_timestamp_not_allowed',
    'event_type_categories',
    'event_type_overlap',
    'event_types_empty',
    'event_type_invalid',
    'unauthorized',
    'bad_auth_token',
    'expired_auth_token',
    'unsupported',
    'access_denied',
    'email_not_verified',
    'no_payment_history',
    'missing_auth_token',
    'cap_exceeded',
    'storage_cap_exceeded',
    'transaction_cap_exceeded',
    'download_cap_exceeded',
    'not_found',
    'method_not_allowed',
    'request_timeout',
    'conflict',
    'range_not_satisfiable',
    'too_many_requests',
    'internal_error',
    'service_unavailable',
    'never_heard_of',
    None,
]
PARAMS = [
    None,
    {'fileId': 'F'},
    {'fileName': 'N'},
    {'bucketId': 'B', 'bucketName': 'BN', 'fileName': 'N', 'fileId': 'F'},
]
# Where b2fast knows better: a fresh URL has another token, so the upload is worth repeating.
RETRIED_BY_US_ALONE = {'UploadTokenUsedConcurrently'}


def described(error: Exception) -> tuple[object, ...]:
    state = {k: v for k, v in vars(error).items() if k not in ('retry_after_seconds', 'token')}
    return (
        type(error).__name__,
        str(error),
        state,
        error.should_retry_http(),  # type: ignore[attr-defined]
        error.should_retry_upload(),  # type: ignore[attr-defined]
        getattr(error, 'retry_after_seconds', None),
        error.prefix,  # type: ignore[attr-defined]
    )


@pytest.mark.parametrize('status', STATUSES)
def test_the_same_class_for_every_status_and_code(status: int) -> None:
    headers = {'retry-after': '5'}
    for code, params in itertools.product(CODES, PARAMS):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # b2sdk warns about codes that it does not know
            expected = theirs.interpret_b2_error(status, code, 'words', headers, params)
        given = ours.interpret_b2_error(status, code, 'words', headers, params)
        assert described(given) == described(expected), (status, code, params)


@pytest.mark.parametrize(
    ('code', 'message'),
    [
        ('source_too_large', 'Copy source too big: 5000000001'),
        ('auth_token_limit', 'more than one upload using auth token 4_00'),
    ],
)
def test_the_same_class_for_messages_that_are_read(code: str, message: str) -> None:
    expected = theirs.interpret_b2_error(400, code, message, {})
    given = ours.interpret_b2_error(400, code, message, {})
    assert type(given).__name__ == type(expected).__name__
    assert getattr(given, 'size', None) == getattr(expected, 'size', None)


MESSAGES = [
    'words',
    'Copy source too big: 5000000001',
    'fileLockEnabled value of false is not allowed when bucket is already file lock enabled.',
    'Turning on file lock for an existing bucket having source replication configuration is not '
    'allowed.',
    'Turning on file lock for a restricted bucket is not allowed.',
]
# Without the words that b2fast takes as the announcement of a token.
WORDS = st.text().filter(lambda text: 'token' not in text.lower())
RETRY_AFTER = st.integers(0, 10**6).map(str) | st.sampled_from(
    ['', ' 7 ', 'soon', '1.5', 'Wed, 21 Oct 2015 07:28:00 GMT']
)
# Those that b2sdk can read nothing but the one message of.
READ_CODES = {'auth_token_limit', 'source_too_large'}


@given(
    status=st.sampled_from(STATUSES) | st.integers(100, 999),
    code=st.sampled_from(CODES) | st.text().filter(lambda code: code not in READ_CODES),
    # Without a message b2sdk fails at some of the codes.
    message=st.sampled_from(MESSAGES) | WORDS,
    headers=st.dictionaries(
        st.sampled_from(['retry-after', 'date', 'content-type']), RETRY_AFTER, max_size=2
    ),
    params=st.none()
    | st.dictionaries(
        st.sampled_from(['fileId', 'fileName', 'bucketId', 'bucketName', 'prefix']),
        st.none() | st.text() | st.integers(),
    ),
)
@settings(max_examples=1000)
def test_the_same_for_any_answer(
    status: int,
    code: str | None,
    message: str | None,
    headers: dict[str, str],
    params: dict[str, Any] | None,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # b2sdk warns about codes that it does not know
        expected = theirs.interpret_b2_error(status, code, message, headers, params)
    found = ours.interpret_b2_error(status, code, message, headers, params)
    assert described(found) == described(expected)


@pytest.mark.parametrize('value', [None, 0, 7, 5.9, '5', ' 5 ', '5.5', 'soon', ''])
@pytest.mark.parametrize('name', ['ServiceError', 'TooManyRequests'])
def test_the_same_reading_of_retry_after(name: str, value: Any) -> None:
    expected = getattr(theirs, name)(retry_after_seconds=value)
    given = getattr(ours, name)(retry_after_seconds=value)
    assert given.retry_after_seconds == expected.retry_after_seconds


SAMPLES = {
    'clock_skew_seconds': [700, -700, 0],
    'content_length': [10],
    'bytes_read': [4],
    'file_size': [9],
    'range_': [(3, 20)],
    'content': [b'<html>', b'x' * 201, b'\xff' * 300],
    'bucket_names': [['one', None]],
    'bucket_name': [None, 'bucket'],
    'file_id_or_name': [None, 'file'],
    'exception_info_list': [['first', ValueError('second')], []],
    'retry_after_seconds': [None, 3],
}


class Path:
    relative_path = 'a/b'
    mod_time = 5


def sample_arguments(cls: type) -> list[tuple[object, ...]]:
    parameters = [
        p
        for p in inspect.signature(cls).parameters.values()
        if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    if not parameters and inspect.signature(cls).parameters:
        return [(), ('one',), ('one', 'two'), ('one', 2, 'three')]
    values = [
        [Path()] if p.name in ('dest_path', 'source_path') else SAMPLES.get(p.name, [p.name])
        for p in parameters
    ]
    return list(itertools.product(*values))


NAMES = sorted(
    name
    for name, cls in {**vars(internal), **vars(theirs)}.items()
    if inspect.isclass(cls) and issubclass(cls, internal.B2Error)
)


@pytest.mark.parametrize('name', NAMES)
def test_the_same_text_and_retry(name: str) -> None:
    expected_class = getattr(theirs, name, None) or getattr(internal, name)
    given_class = getattr(ours, name)
    for arguments in sample_arguments(expected_class):
        expected, given = expected_class(*arguments), given_class(*arguments)
        if name in RETRIED_BY_US_ALONE:
            assert not expected.should_retry_upload()
            assert given.should_retry_upload()
            continue
        assert described(given) == described(expected)


@pytest.mark.parametrize('name', NAMES)
def test_the_same_ancestors(name: str) -> None:
    expected_class = getattr(theirs, name, None) or getattr(internal, name)
    ancestors = {base.__name__ for base in getattr(ours, name).__mro__}
    wanted = {base.__name__ for base in expected_class.__mro__} - {'ABC'}
    assert wanted <= ancestors
