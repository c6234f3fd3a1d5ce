"""From an error of the Rust core to an exception of `b2fast.exception`: one table."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum

from .._core.transfer import TransferError
from ..cancel import current_scope
from ..exception import (
    B2ConnectionError,
    B2Error,
    B2RequestTimeout,
    B2RequestTimeoutDuringUpload,
    ChecksumMismatch,
    DestinationOutsideDirectory,
    InvalidUserInput,
    LocalFileError,
    MaxRetriesExceeded,
    SourceChanged,
    TransferCancelled,
    TruncatedOutput,
    UnexpectedCloudBehaviour,
    UnknownHost,
    interpret_b2_error,
)


class Direction(Enum):
    """What the transfer was doing."""

    UPLOAD = 'upload'
    DOWNLOAD = 'download'


def _service(error: TransferError, message: str) -> B2Error:
    headers = {} if error.retry_after is None else {'Retry-After': str(int(error.retry_after))}
    return interpret_b2_error(error.status or 0, error.code or None, message, headers)


def _unknown_host(error: TransferError, message: str) -> B2Error:
    return UnknownHost(f'{error.host}: {message}')


def _connection(error: TransferError, message: str) -> B2Error:
    return B2ConnectionError(f'{error.host}: {message}')


def _tls(error: TransferError, message: str) -> B2Error:
    return B2ConnectionError(f'no secure connection to {error.host}: {message}')


def _proxy(error: TransferError, message: str) -> B2Error:
    return B2ConnectionError(f'no connection to {error.host} through the proxy: {message}')


def _timeout(error: TransferError, message: str) -> B2Error:
    return B2RequestTimeout(f'{error.host}: {message}')


def _timeout_of_upload(error: TransferError, message: str) -> B2Error:
    return B2RequestTimeoutDuringUpload(f'{error.host}: {message}')


def _truncated(error: TransferError, message: str) -> B2Error:
    return TruncatedOutput(int(error.actual or 0), int(error.expected or 0))


def _checksum(error: TransferError, message: str) -> B2Error:
    return ChecksumMismatch('sha1', error.expected or '', error.actual or '')


def _source_changed(error: TransferError, message: str) -> B2Error:
    return SourceChanged(error.path or '')


def _local_file(error: TransferError, message: str) -> B2Error:
    reason = message if error.errno is None else os.strerror(error.errno)
    return LocalFileError(error.path or '', error.errno, reason)


def _outside_directory(error: TransferError, message: str) -> B2Error:
    return DestinationOutsideDirectory(error.path or '', error.link or '')


def _cancelled(error: TransferError, message: str) -> B2Error:
    scope = current_scope()
    return scope.error() if scope is not None and scope.is_over else TransferCancelled(message)


_MAKERS: dict[tuple[str, Direction | None], Callable[[TransferError, str], B2Error]] = {
    ('service', None): _service,
    ('unknown_host', None): _unknown_host,
    ('connect', None): _connection,
    ('connection_lost', None): _connection,
    ('tls', None): _tls,
    ('proxy', None): _proxy,
    ('timeout', Direction.DOWNLOAD): _timeout,
    ('timeout', Direction.UPLOAD): _timeout_of_upload,
    ('protocol', None): lambda error, message: UnexpectedCloudBehaviour(message),
    ('truncated', None): _truncated,
    ('checksum', None): _checksum,
    ('source_changed', None): _source_changed,
    ('local_file', None): _local_file,
    ('outside_directory', None): _outside_directory,
    ('cancelled', None): _cancelled,
    ('invalid_argument', None): lambda error, message: InvalidUserInput(message),
    ('resources', None): lambda error, message: B2Error(message),
}
"""What each kind of error becomes; None stands for both directions."""


def exception_of(error: TransferError, direction: Direction) -> B2Error:
    """The exception that a caller of the package gets for an error of the core.

    If the core gave up after several attempts, an upload ends in `MaxRetriesExceeded` with the
    last error in its list, as in b2sdk; a download ends in the last error itself, and a note
    says how many attempts there were.
    """
    make = _MAKERS.get((error.kind, None)) or _MAKERS.get((error.kind, direction))
    exception = make(error, error.message) if make else B2Error(error.message)
    if error.attempts is None:
        return exception
    if direction is Direction.UPLOAD:
        return MaxRetriesExceeded(error.attempts, [exception])
    exception.attempts = error.attempts
    exception.add_note(f'gave up after {error.attempts} attempts')
    return exception
