"""Who is asking: tokens, keys, caps and stored account data."""

from __future__ import annotations

from typing import Any

from .base import B2Error, B2SimpleError


class Unauthorized(B2Error, PermissionError):
    """The service refused the token or what it may do (status 401)."""

    def __init__(self, message: str | None, code: str | None) -> None:
        super().__init__()
        self.message = message
        self.code = code

    def __str__(self) -> str:
        return f'{self.message} ({self.code})'

    def should_retry_upload(self) -> bool:
        """Yes: an upload token ends before the account's token does."""
        return True


class EmailNotVerified(Unauthorized):
    """The account's e-mail address must be verified first."""

    def should_retry_upload(self) -> bool:
        """No: a person has to act."""
        return False


class NoPaymentHistory(Unauthorized):
    """The account must have paid a bill first."""

    def should_retry_upload(self) -> bool:
        """No: a person has to act."""
        return False


class InvalidAuthToken(Unauthorized):
    """The token is unknown or has expired; authorize again."""

    def __init__(self, message: str | None, code: str | None) -> None:
        super().__init__(f'Invalid authorization token. Server said: {message}', code)


class AccessDenied(B2Error, PermissionError):
    """The token is good, but the object refuses (status 403)."""

    def __str__(self) -> str:
        return 'This call with these parameters is not allowed for this auth token'


class SSECKeyError(AccessDenied):
    """The file is encrypted with a customer's key, and this is not the one."""

    def __str__(self) -> str:
        return 'Wrong or no SSE-C key provided when reading a file.'


class RetentionWriteError(AccessDenied):
    """The retention of the file cannot be changed in this way."""

    def __str__(self) -> str:
        return (
            'Auth token not authorized to write retention or file already in '
            "'compliance' mode or bypassGovernance=true parameter missing"
        )


class NotAllowedByAppKeyError(B2SimpleError):
    """The application key does not allow the call."""


class BucketNotAllowed(NotAllowedByAppKeyError):
    """The application key is for other buckets."""


class CapabilityNotAllowed(NotAllowedByAppKeyError):
    """The application key lacks the capability."""


class FileNameNotAllowed(NotAllowedByAppKeyError):
    """The application key is for names with another prefix."""


class RestrictedBucket(B2Error):
    """The application key is restricted to other buckets, named in ``bucket_names``."""

    def __init__(self, bucket_names: Any) -> None:
        super().__init__()
        self.bucket_names = bucket_names

    def __str__(self) -> str:
        return f'Application key is restricted to buckets: {self.bucket_names}'


class RestrictedBucketMissing(RestrictedBucket):
    """The application key is restricted to a bucket that is gone."""

    def __init__(self) -> None:
        super().__init__('')

    def __str__(self) -> str:
        return "Application key is restricted to a bucket that doesn't exist"


class CapExceeded(B2Error):
    """A cap that the account's owner set is reached."""

    def __str__(self) -> str:
        return 'Cap exceeded.'


class StorageCapExceeded(CapExceeded):
    """The cap on storage is reached."""

    def __str__(self) -> str:
        return 'Cannot upload or copy files, storage cap exceeded.'


class TransactionCapExceeded(CapExceeded):
    """The daily cap on transactions is reached."""

    def __str__(self) -> str:
        return 'Cannot perform the operation, transaction cap exceeded.'


class AccountInfoError(B2Error):
    """Base of the errors of the stored account data."""


class CorruptAccountInfo(AccountInfoError):
    """The file with the stored account data cannot be read."""

    def __init__(self, file_name: str) -> None:
        super().__init__()
        self.file_name = file_name

    def __str__(self) -> str:
        return (
            f'Account info file ({self.file_name}) appears corrupted. '
            'Try removing and then re-authorizing the account.'
        )


class MissingAccountData(AccountInfoError):
    """Something is asked for that only an authorization provides.

    ``hint`` says what to do, where more is known than what is missing.
    """

    hint: str | None = None

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key

    def __str__(self) -> str:
        hint = '' if self.hint is None else f'; {self.hint}'
        return f'Missing account data: {self.key}{hint}'
