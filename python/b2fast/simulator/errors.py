"""What the simulated service refuses, once for both doors.

A refusal has the face of the service (status, code, message: what HTTP clients see) and, where
programs written against b2sdk's in-process simulator rely on it, the exception that simulator
raises. Where none is named, the exception is the one a client makes of the HTTP answer.
"""

from __future__ import annotations

from collections.abc import Callable

from b2fast import exception


class SimulatedError(Exception):
    """A request refused by the simulated service.

    :param status: the HTTP status.
    :param code: the `code` of the JSON error body.
    :param message: the `message` of the JSON error body.
    :param client: makes the exception for in-process callers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        client: Callable[[], Exception] | None = None,
    ) -> None:
        super().__init__(f'{message} ({status} {code})')
        self.status = status
        self.code = code
        self.message = message
        self._client = client

    def as_client_exception(self) -> Exception:
        """Returns what an in-process caller gets to see."""
        if self._client is not None:
            return self._client()
        return exception.interpret_b2_error(self.status, self.code, self.message, {})


def bad_request(message: str, code: str = 'bad_request') -> SimulatedError:
    return SimulatedError(400, code, message, lambda: exception.BadRequest(message, code))


def bad_json(message: str) -> SimulatedError:
    return SimulatedError(400, 'bad_json', message)


def bad_key(message: str) -> SimulatedError:
    return SimulatedError(400, 'bad_request', message, lambda: exception.BadJson(message))


def method_not_allowed(allowed: str) -> SimulatedError:
    return SimulatedError(405, 'method_not_allowed', f'only {allowed} is supported')


def unauthorized(message: str = '') -> SimulatedError:
    return SimulatedError(
        401, 'unauthorized', message, lambda: exception.Unauthorized(message, 'unauthorized')
    )


def wrong_key(message: str, code: str) -> SimulatedError:
    return SimulatedError(
        401, code, message, lambda: exception.InvalidAuthToken(message, 'unauthorized')
    )


def bad_auth_token(message: str = 'Invalid authorization token') -> SimulatedError:
    return SimulatedError(401, 'bad_auth_token', message)


def expired_auth_token() -> SimulatedError:
    return SimulatedError(
        401,
        'expired_auth_token',
        'Authorization token has expired',
        lambda: exception.InvalidAuthToken('auth token expired', 'auth_token_expired'),
    )


def token_in_use(code: str) -> SimulatedError:
    message = 'more than one upload using auth token for this upload URL'
    return SimulatedError(400, code, message)


def bad_upload_url(url: str) -> SimulatedError:
    return SimulatedError(
        400, 'bad_request', 'Invalid upload URL', lambda: exception.BadUploadUrl(url)
    )


def not_stored(reason: str) -> SimulatedError:
    return SimulatedError(500, 'internal_error', f'The change cannot be stored: {reason}')


def no_such_bucket(bucket_id: str) -> SimulatedError:
    return SimulatedError(
        400,
        'bad_bucket_id',
        f'Bucket {bucket_id} does not exist',
        lambda: exception.NonExistentBucket(bucket_id),
    )


def no_such_bucket_name(bucket_name: str) -> SimulatedError:
    return SimulatedError(
        404,
        'not_found',
        f'Bucket {bucket_name} does not exist',
        lambda: exception.NonExistentBucket(bucket_name),
    )


def bucket_name_taken(bucket_name: str) -> SimulatedError:
    return SimulatedError(
        400,
        'duplicate_bucket_name',
        'Bucket name is already in use.',
        lambda: exception.DuplicateBucketName(bucket_name),
    )


def revision_conflict() -> SimulatedError:
    return SimulatedError(409, 'conflict', 'simultaneous updates to bucket', exception.Conflict)


def not_found(file_id_or_name: str, bucket_name: str | None = None) -> SimulatedError:
    return SimulatedError(
        404,
        'not_found',
        f'File not present: {file_id_or_name}',
        lambda: exception.FileNotPresent(bucket_name, file_id_or_name),
    )


def file_not_present(file_name: str, file_id: str) -> SimulatedError:
    return SimulatedError(
        400,
        'file_not_present',
        f'File not present: {file_name} {file_id}',
        lambda: exception.FileNotPresent(file_id_or_name=file_id),
    )


def file_sha1_mismatch(file_name: str) -> SimulatedError:
    return SimulatedError(
        400,
        'bad_request',
        'Sha1 did not match data received',
        lambda: exception.FileSha1Mismatch(file_name),
    )


def part_sha1_mismatch(file_id: str) -> SimulatedError:
    return SimulatedError(
        400,
        'bad_request',
        'Sha1 did not match data received',
        lambda: exception.PartSha1Mismatch(file_id),
    )


def parts_differ(part_number: int, expected: object, actual: object) -> SimulatedError:
    return SimulatedError(
        400,
        'part_sha1_mismatch',
        f'Part number {part_number} has wrong SHA1',
        lambda: exception.ChecksumMismatch('sha1', expected=str(expected), actual=str(actual)),
    )


def part_not_uploaded(part_number: int) -> SimulatedError:
    return SimulatedError(
        400,
        'missing_part',
        f'Part number {part_number} has not been uploaded',
        lambda: exception.MissingPart(part_number),
    )


def missing_part(part_number: int, expected: object, actual: object) -> SimulatedError:
    return SimulatedError(
        400,
        'missing_part',
        f'Part number {part_number} has not been uploaded',
        lambda: exception.ChecksumMismatch('sha1', expected=str(expected), actual=str(actual)),
    )


def range_not_satisfiable() -> SimulatedError:
    return SimulatedError(
        416,
        'range_not_satisfiable',
        'The range in the request is outside the size of the file',
        exception.UnsatisfiableRange,
    )


def malformed_range(status: int) -> SimulatedError:
    code = 'range_not_satisfiable' if status == 416 else 'bad_request'
    return SimulatedError(status, code, 'The Range header is not one range of bytes')


def copy_source_too_big(size: int) -> SimulatedError:
    message = f'Copy source too big: {size}'
    return SimulatedError(
        400,
        'source_too_large',
        message,
        lambda: exception.CopySourceTooBig(message, 'bad_request', size),
    )


def bad_metadata_directive(message: str) -> SimulatedError:
    return SimulatedError(
        400, 'bad_request', message, lambda: exception.InvalidMetadataDirective(message)
    )


def encryption_key_missing() -> SimulatedError:
    return SimulatedError(
        400,
        'bad_request',
        'The object was stored using a form of Server Side Encryption. '
        'The correct parameters must be provided to retrieve the object.',
        exception.SSECKeyError,
    )


def encryption_key_wrong() -> SimulatedError:
    return SimulatedError(
        403, 'access_denied', 'Wrong encryption key for the object', exception.SSECKeyError
    )


def access_denied(status: int) -> SimulatedError:
    return SimulatedError(status, 'access_denied', 'Access Denied', exception.AccessDenied)


def not_allowed_by_cors() -> SimulatedError:
    return SimulatedError(403, 'access_denied', 'No CORS rule of the bucket allows this request')


def no_file_lock() -> SimulatedError:
    return bad_request('The bucket is not file lock enabled', 'bucket_missing_file_lock')


def no_unfinished_file(file_id: str) -> SimulatedError:
    return SimulatedError(
        400,
        'bad_request',
        f'No active upload for: {file_id}',
        lambda: exception.FileNotPresent(file_id_or_name=file_id),
    )


def already_hidden(file_name: str) -> SimulatedError:
    return SimulatedError(
        400,
        'already_hidden',
        f'File already hidden: {file_name}',
        lambda: exception.FileAlreadyHidden(file_name),
    )


def no_such_file(file_name: str) -> SimulatedError:
    return SimulatedError(
        400,
        'no_such_file',
        f'File not present: {file_name}',
        lambda: exception.FileNotPresent(file_id_or_name=file_name),
    )


def disabling_file_lock() -> SimulatedError:
    return SimulatedError(400, 'file_lock_conflict', 'Disabling file lock is not supported')


def no_such_rule(name: str) -> SimulatedError:
    message = f'Rule {name} not found'
    return SimulatedError(404, 'not_found', message, lambda: exception.ResourceNotFound(message))


def replicated_file_lock() -> SimulatedError:
    return SimulatedError(
        400,
        'source_replication_conflict',
        'File lock cannot be enabled for the source of a replication',
        exception.SourceReplicationConflict,
    )
