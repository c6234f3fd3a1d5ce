"""b2fast's exceptions beside those of b2sdk."""

from __future__ import annotations

import inspect
import itertools
import warnings

import pytest
from b2sdk._internal import exception as internal
from b2sdk.v3 import exception as theirs

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
