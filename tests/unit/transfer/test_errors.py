"""The table from errors of the core to exceptions."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Any

import pytest

from b2fast._core.transfer import TransferError
from b2fast.exception import (
    B2ConnectionError,
    B2Error,
    B2RequestTimeout,
    B2RequestTimeoutDuringUpload,
    BadRequest,
    ChecksumMismatch,
    FileNotPresent,
    InvalidAuthToken,
    InvalidUserInput,
    LocalFileError,
    MaxRetriesExceeded,
    ServiceError,
    SourceChanged,
    TooManyRequests,
    TransferCancelled,
    TruncatedOutput,
    UnexpectedCloudBehaviour,
    UnknownHost,
    UnsatisfiableRange,
)
from b2fast.transfer.errors import _MAKERS, Direction, exception_of

BOTH = tuple(Direction)


def error(kind: str, **attributes: Any) -> TransferError:
    """An error as the core makes it."""
    result = TransferError('what the core says')
    values: dict[str, Any] = dict.fromkeys(
        (
            'status',
            'code',
            'retry_after',
            'host',
            'path',
            'errno',
            'expected',
            'actual',
            'attempts',
        )
    )
    values |= {'kind': kind, 'message': 'what happened', **attributes}
    for name, value in values.items():
        setattr(result, name, value)
    return result


@pytest.mark.parametrize('direction', BOTH)
@pytest.mark.parametrize(
    ('kind', 'attributes', 'expected', 'text'),
    [
        ('unknown_host', {'host': 'h'}, UnknownHost, 'unknown host'),
        ('connect', {'host': 'h'}, B2ConnectionError, 'h: what happened'),
        ('connection_lost', {'host': 'h'}, B2ConnectionError, 'h: what happened'),
        ('tls', {'host': 'h'}, B2ConnectionError, 'no secure connection to h: what happened'),
        ('proxy', {'host': 'h'}, B2ConnectionError, 'h through the proxy: what happened'),
        ('protocol', {}, UnexpectedCloudBehaviour, 'what happened'),
        ('truncated', {'expected': '10', 'actual': '3'}, TruncatedOutput, '3 of 10'),
        ('checksum', {'expected': 'a', 'actual': 'b'}, ChecksumMismatch, 'checksum mismatch'),
        ('source_changed', {'path': '/p'}, SourceChanged, '/p changed'),
        ('local_file', {'path': '/p', 'errno': errno.ENOSPC}, LocalFileError, '/p: No space left'),
        ('local_file', {'path': '/p'}, LocalFileError, '/p: what happened'),
        ('cancelled', {}, TransferCancelled, 'what happened'),
        ('invalid_argument', {}, InvalidUserInput, 'what happened'),
        ('resources', {}, B2Error, 'what happened'),
        ('a kind of the future', {}, B2Error, 'what happened'),
    ],
)
def test_kinds(
    direction: Direction, kind: str, attributes: dict[str, Any], expected: type, text: str
) -> None:
    made = exception_of(error(kind, **attributes), direction)
    assert type(made) is expected
    assert text in str(made)


def test_timeouts() -> None:
    timeout = error('timeout', host='h')
    assert type(exception_of(timeout, Direction.UPLOAD)) is B2RequestTimeoutDuringUpload
    assert type(exception_of(timeout, Direction.DOWNLOAD)) is B2RequestTimeout
    assert 'h: what happened' in str(exception_of(timeout, Direction.DOWNLOAD))


@pytest.mark.parametrize('direction', BOTH)
@pytest.mark.parametrize(
    ('status', 'code', 'expected'),
    [
        (400, 'bad_request', BadRequest),
        (401, 'expired_auth_token', InvalidAuthToken),
        (404, 'not_found', FileNotPresent),
        (416, 'range_not_satisfiable', UnsatisfiableRange),
        (429, 'too_many_requests', TooManyRequests),
        (503, 'service_unavailable', ServiceError),
        (503, '', ServiceError),
    ],
)
def test_answers_of_the_service(
    direction: Direction, status: int, code: str, expected: type
) -> None:
    made = exception_of(error('service', status=status, code=code, retry_after=7.0), direction)
    assert type(made) is expected
    if status in (429, 503):
        assert made.retry_after_seconds == 7


def test_attributes() -> None:
    mismatch = exception_of(error('checksum', expected='a', actual='b'), Direction.DOWNLOAD)
    assert isinstance(mismatch, ChecksumMismatch)
    assert (mismatch.checksum_type, mismatch.expected, mismatch.actual) == ('sha1', 'a', 'b')
    truncated = exception_of(error('truncated', expected='10', actual='3'), Direction.DOWNLOAD)
    assert isinstance(truncated, TruncatedOutput)
    assert (truncated.bytes_read, truncated.file_size) == (3, 10)
    full = exception_of(error('local_file', path='/p', errno=errno.ENOSPC), Direction.DOWNLOAD)
    assert isinstance(full, LocalFileError)
    assert (full.filename, full.errno) == ('/p', errno.ENOSPC)


def test_upload_that_was_given_up() -> None:
    made = exception_of(error('connect', host='h', attempts=4), Direction.UPLOAD)
    assert isinstance(made, MaxRetriesExceeded)
    assert made.limit == 4
    assert 'after 4 tries' in str(made)
    (last,) = made.exception_info_list
    assert isinstance(last, B2ConnectionError)


def test_download_that_was_given_up() -> None:
    made = exception_of(error('connect', host='h', attempts=4), Direction.DOWNLOAD)
    assert isinstance(made, B2ConnectionError)
    assert made.__notes__ == ['gave up after 4 attempts']


def test_every_kind_of_the_core_is_in_the_table() -> None:
    source = Path(__file__).parents[3] / 'rust' / 'b2fast-py' / 'src' / 'errors.rs'
    text = source.read_text()
    kinds = set(re.findall(r'kind(?:: |\()"(\w+)"', text))
    kinds |= set(re.findall(r'NetworkError::\w+ => "(\w+)"', text))
    assert len(kinds) >= 14
    assert {kind for kind, _ in _MAKERS} == kinds
