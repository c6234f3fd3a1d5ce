"""From an error answer of the service to an exception."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from ..types import EVENT_TYPE
from .account import (
    AccessDenied,
    EmailNotVerified,
    InvalidAuthToken,
    NoPaymentHistory,
    StorageCapExceeded,
    TransactionCapExceeded,
    Unauthorized,
)
from .base import B2Error
from .network import RequestTimeout, ServiceError, TooManyRequests, UnknownError
from .request import (
    BadJson,
    BadRequest,
    BucketIdNotFound,
    Conflict,
    CopySourceTooBig,
    DisablingFileLockNotSupported,
    DuplicateBucketName,
    EnablingFileLockOnRestrictedBucket,
    EventTypeCategoriesError,
    EventTypeInvalidError,
    EventTypeOverlapError,
    EventTypesEmptyError,
    FileAlreadyHidden,
    FileNotPresent,
    ResourceNotFound,
    SourceReplicationConflict,
    UnsatisfiableRange,
)
from .transfer import MissingPart, PartSha1Mismatch, UploadTokenUsedConcurrently

_SOURCE_TOO_BIG = re.compile(r'^Copy source too big: (\d+)$')
_TOKEN_IN_MESSAGE = re.compile(
    r'(using auth token |auth(?:orization)? token:? (?=\S*\d))\S+', re.IGNORECASE
)

_BAD_REQUEST_CLASSES: dict[str, type[BadRequest]] = {
    'event_type_categories': EventTypeCategoriesError,
    'event_type_overlap': EventTypeOverlapError,
    'event_types_empty': EventTypesEmptyError,
    'event_type_invalid': EventTypeInvalidError,
}
_PLAIN_CLASSES: dict[tuple[int, str | None], type[B2Error]] = {
    (400, 'file_lock_conflict'): DisablingFileLockNotSupported,
    (400, 'source_replication_conflict'): SourceReplicationConflict,
    (400, 'restricted_bucket_conflict'): EnablingFileLockOnRestrictedBucket,
    (403, 'access_denied'): AccessDenied,
    (403, 'storage_cap_exceeded'): StorageCapExceeded,
    (403, 'transaction_cap_exceeded'): TransactionCapExceeded,
    (416, 'range_not_satisfiable'): UnsatisfiableRange,
}
# What the service said before these had codes of their own; other implementations still may.
_OLD_MESSAGES: dict[str | None, type[B2Error]] = {
    'fileLockEnabled value of false is not allowed when bucket is already file lock enabled.': (
        DisablingFileLockNotSupported
    ),
    (
        'Turning on file lock for an existing bucket having source replication configuration '
        'is not allowed.'
    ): SourceReplicationConflict,
    'Turning on file lock for a restricted bucket is not allowed.': (
        EnablingFileLockOnRestrictedBucket
    ),
}
_UNAUTHORIZED_CLASSES: dict[str | None, type[Unauthorized]] = {
    'bad_auth_token': InvalidAuthToken,
    'expired_auth_token': InvalidAuthToken,
    'email_not_verified': EmailNotVerified,
    'no_payment_history': NoPaymentHistory,
}


def interpret_b2_error(
    status: int,
    code: str | None,
    message: str | None,
    response_headers: dict[str, Any],
    post_params: dict[str, Any] | None = None,
) -> B2Error:
    """Make the exception for an error answer of the service.

    :param status: the HTTP status.
    :param code: the answer's ``code``, None for an answer without a body.
    :param message: the answer's ``message``; tokens in it are removed.
    :param response_headers: headers of the answer; ``Retry-After`` is read for 429 and 5xx.
    :param post_params: the parameters of the call, to name the file or the bucket.
    """
    params = post_params or {}
    if message is not None:
        message = _TOKEN_IN_MESSAGE.sub(r'\1******', message)
    if status == 400:
        return _bad_request(code, message, params)
    if plain := _PLAIN_CLASSES.get((status, code)):
        return plain()
    if status == 401:
        return _UNAUTHORIZED_CLASSES.get(code, Unauthorized)(message, code)
    if status == 404:
        return _not_present(params) if code == 'not_found' else ResourceNotFound()
    if status == 408:
        return RequestTimeout(f'{status} {code} {message}')
    if status == 409:
        return Conflict()
    if status == 429:
        return TooManyRequests(_retry_after(response_headers))
    if 500 <= status < 600:
        return ServiceError(
            f'{status} {code} {message}', retry_after_seconds=_retry_after(response_headers)
        )
    return UnknownError(f'{status} {code} {message}')


def _bad_request(code: str | None, message: str | None, params: dict[str, Any]) -> B2Error:
    if plain := _PLAIN_CLASSES.get((400, code)):
        return plain()
    if code == 'bad_request' and message in _OLD_MESSAGES:
        return _OLD_MESSAGES[message]()
    match code:
        case 'event_type_invalid':
            valid = sorted(get_args(EVENT_TYPE))
            message = f'Event Type error: {message!r}. Valid types: {valid!r}'
        case 'bad_json':
            return BadJson(message)
        case 'bad_bucket_id':
            return BucketIdNotFound(params.get('bucketId'))
        case 'file_not_present' | 'no_such_file':
            return _not_present(params)
        case 'already_hidden':
            return FileAlreadyHidden(params.get('fileName'))
        case 'duplicate_bucket_name':
            return DuplicateBucketName(params.get('bucketName'))
        case 'missing_part':
            return MissingPart(params.get('fileId'))
        case 'part_sha1_mismatch':
            return PartSha1Mismatch(params.get('fileId'))
        case 'auth_token_limit':
            return UploadTokenUsedConcurrently('')
        case 'source_too_large':
            if found := _SOURCE_TOO_BIG.match(message or ''):
                return CopySourceTooBig(message, code, int(found[1]))
    return _BAD_REQUEST_CLASSES.get(code or '', BadRequest)(message, code)


def _not_present(params: dict[str, Any]) -> FileNotPresent:
    return FileNotPresent(file_id_or_name=params.get('fileId') or params.get('fileName'))


def _retry_after(headers: Mapping[str, Any]) -> Any:
    return next((value for name, value in headers.items() if name.lower() == 'retry-after'), None)
