"""What was asked for: bad parameters, missing files and buckets, conflicts."""

from __future__ import annotations

from typing import Any

from .base import B2Error, B2SimpleError, InvalidUserInput


class BadRequest(B2Error):
    """The service finds fault with the request (status 400)."""

    def __init__(self, message: str | None, code: str | None) -> None:
        super().__init__()
        self.message = message
        self.code = code

    def __str__(self) -> str:
        return f'{self.message} ({self.code})'


class BadJson(B2SimpleError):
    """The service cannot read the JSON of the request."""

    prefix = 'Bad request'


class CopySourceTooBig(BadRequest):
    """The source is too big for one copy call; ``size`` is in bytes."""

    def __init__(self, message: str | None, code: str | None, size: int) -> None:
        super().__init__(message, code)
        self.size = size


class EventTypeError(BadRequest):
    """The event types of a notification rule are wrong."""


class EventTypeCategoriesError(EventTypeError):
    """The event types of one rule are of several categories."""


class EventTypeOverlapError(EventTypeError):
    """One of the event types includes another one."""


class EventTypesEmptyError(EventTypeError):
    """The rule has no event type."""


class EventTypeInvalidError(EventTypeError):
    """One of the event types does not exist."""


class InvalidArgument(B2Error, ValueError):
    """The parameter ``parameter_name`` has a value that cannot be used."""

    def __init__(self, parameter_name: str, message: str) -> None:
        super().__init__()
        self.parameter_name = parameter_name
        self.message = message

    def __str__(self) -> str:
        return f'{self.parameter_name} {self.message}'


class InvalidMetadataDirective(B2Error):
    """The metadata given to a copy do not fit its directive."""


class SSECKeyIdMismatchInCopy(InvalidMetadataDirective):
    """A copy with its metadata would carry the ID of another key."""


class CopyArgumentsMismatch(InvalidUserInput):
    """The arguments of a copy contradict each other."""


class WrongEncryptionModeForBucketDefault(InvalidUserInput):
    """The encryption mode cannot be a bucket's default."""

    def __init__(self, encryption_mode: Any) -> None:
        super().__init__()
        self.encryption_mode = encryption_mode

    def __str__(self) -> str:
        return f'{self.encryption_mode} cannot be used as default for a bucket.'


class WrongEncryptionSettingForFileWrite(InvalidUserInput):
    """The encryption setting cannot be used when a file is written."""

    def __init__(self, encryption_setting: Any) -> None:
        super().__init__()
        self.encryption_setting = encryption_setting

    def __str__(self) -> str:
        return f'{self.encryption_setting} cannot be used for file writes.'


class UnrecognizedBucketType(B2Error):
    """The type of the bucket is none that B2 knows."""


class DuplicateBucketName(B2SimpleError):
    """A bucket of this name exists, perhaps in another account."""

    prefix = 'Bucket name is already in use'


class Conflict(B2SimpleError):
    """Somebody else changed the same thing meanwhile (status 409); read it again."""


class DisablingFileLockNotSupported(B2Error):
    """File lock cannot be turned off again."""

    def __str__(self) -> str:
        return 'Disabling file lock is not supported'


class SourceReplicationConflict(B2Error):
    """The bucket is the source of a replication."""

    def __str__(self) -> str:
        return 'Operation not supported for buckets with source replication'


class EnablingFileLockOnRestrictedBucket(B2Error):
    """File lock cannot be turned on for a restricted bucket."""

    def __str__(self) -> str:
        return 'Turning on file lock for a restricted bucket is not allowed'


class ResourceNotFound(B2SimpleError, FileNotFoundError):
    """What was asked for does not exist (status 404)."""

    prefix = 'No such file, bucket, or endpoint'


class BucketIdNotFound(ResourceNotFound):
    """There is no bucket of this ID."""

    def __init__(self, bucket_id: str | None) -> None:
        super().__init__(bucket_id)
        self.bucket_id = bucket_id

    def __str__(self) -> str:
        return f'Bucket with id={self.bucket_id} not found'


class FileOrBucketNotFound(ResourceNotFound):
    """There is no such file, or no such bucket."""

    def __init__(self, bucket_name: str | None = None, file_id_or_name: str | None = None) -> None:
        super().__init__()
        self.bucket_name = bucket_name
        self.file_id_or_name = file_id_or_name

    def __str__(self) -> str:
        file = f'file [{self.file_id_or_name}]' if self.file_id_or_name else 'a file'
        bucket = f'bucket [{self.bucket_name}]' if self.bucket_name else 'a bucket'
        return f'Could not find {file} within {bucket}'


class FileNotPresent(FileOrBucketNotFound):
    """There is no such file."""

    def __str__(self) -> str:
        return 'File not present' + (f': {self.file_id_or_name}' if self.file_id_or_name else '')


class NonExistentBucket(FileOrBucketNotFound):
    """There is no such bucket, or the application key does not see it."""

    def __str__(self) -> str:
        return 'No such bucket' + (f': {self.bucket_name}' if self.bucket_name else '')


class FileAlreadyHidden(B2SimpleError):
    """The newest version of the name is a hide marker already."""


class FileNotHidden(B2SimpleError):
    """The newest version of the name is not a hide marker."""


class FileDeleted(B2SimpleError):
    """The file has no version left."""


class UnexpectedFileVersionAction(B2SimpleError):
    """A listing holds an action that is not known."""

    prefix = 'Unexpected file version action returned by the server'


class BadFileInfo(B2SimpleError):
    """The file info cannot be stored: too long, too many entries or reserved names."""


class UnusableFileName(B2SimpleError, ValueError):
    """B2 refuses the file name."""


class MaxFileSizeExceeded(B2Error):
    """The content is larger than allowed; both sizes are in bytes."""

    def __init__(self, size: int, max_allowed_size: int) -> None:
        super().__init__()
        self.size = size
        self.max_allowed_size = max_allowed_size

    def __str__(self) -> str:
        return f'Allowed file size of exceeded: {self.size} > {self.max_allowed_size}'


class InvalidRange(B2Error):
    """The service has less than the range asks for; ``range_`` is (first, last) byte."""

    def __init__(self, content_length: int, range_: tuple[int, int]) -> None:
        super().__init__()
        self.content_length = content_length
        self.range_ = range_

    def __str__(self) -> str:
        first, last = self.range_
        return (
            f'A range of {first}-{last} was requested (size of {last - first + 1}), '
            f'but cloud could only serve {self.content_length} of that'
        )


class UnsatisfiableRange(B2Error):
    """The range begins behind the end of the file (status 416)."""

    def __str__(self) -> str:
        return 'The range in the request is outside the size of the file'
