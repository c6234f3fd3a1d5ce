"""What happens to content on its way."""

from __future__ import annotations

from typing import Any

from .base import B2Error, B2SimpleError, TransientErrorMixin


class AlreadyFailed(B2SimpleError):
    """Another part of the same transfer failed before."""


class BadUploadUrl(B2SimpleError):
    """The upload URL is of no use any more."""

    def should_retry_upload(self) -> bool:
        """Yes, with a fresh URL."""
        return True


class UploadTokenUsedConcurrently(B2Error):
    """Two uploads at once used one upload URL; the token itself is not kept."""

    def __init__(self, token: str) -> None:
        super().__init__()

    def __str__(self) -> str:
        return 'More than one concurrent upload using one auth token'

    def should_retry_upload(self) -> bool:
        """Yes: a fresh URL has a token of its own."""
        return True


class ChecksumMismatch(TransientErrorMixin, B2Error):
    """The content that arrived is not the content that was sent."""

    def __init__(self, checksum_type: str, expected: str, actual: str) -> None:
        super().__init__()
        self.checksum_type = checksum_type
        self.expected = expected
        self.actual = actual

    def __str__(self) -> str:
        return f'{self.checksum_type} checksum mismatch -- bad data'


class FileSha1Mismatch(B2SimpleError):
    """The SHA-1 of the file is not the one that was announced."""

    prefix = 'Upload file SHA1 mismatch'


class PartSha1Mismatch(B2Error):
    """A part of a large file has another SHA-1 than announced."""

    def __init__(self, key: Any) -> None:
        super().__init__()
        self.key = key

    def __str__(self) -> str:
        return f'Part number {self.key} has wrong SHA1'


class MissingPart(B2SimpleError):
    """A large file cannot be finished, since a part is missing."""

    prefix = 'Part number has not been uploaded'


class TruncatedOutput(TransientErrorMixin, B2Error):
    """A download ended early; both numbers are bytes."""

    def __init__(self, bytes_read: int, file_size: int) -> None:
        super().__init__()
        self.bytes_read = bytes_read
        self.file_size = file_size

    def __str__(self) -> str:
        return f'only {self.bytes_read} of {self.file_size} bytes read'


class MaxRetriesExceeded(B2Error):
    """Every attempt failed; ``exception_info_list`` has the errors, oldest first."""

    def __init__(self, limit: int, exception_info_list: list[Any]) -> None:
        super().__init__()
        self.limit = limit
        self.exception_info_list = exception_info_list

    def __str__(self) -> str:
        errors = '\n'.join(str(info) for info in self.exception_info_list)
        return f'FAILED to upload after {self.limit} tries. Encountered exceptions: {errors}'


class CannotResumeUpload(B2Error, ValueError):
    """An upload cannot go on with the large file ``file_id``; ``reason`` says why."""

    def __init__(self, file_id: str, reason: str) -> None:
        super().__init__()
        self.file_id = file_id
        self.reason = reason

    def __str__(self) -> str:
        return f'cannot resume the large file {self.file_id}: {self.reason}'


class TransferCancelled(B2Error):
    """The transfer was cancelled by its owner before it was complete; see `cancel_scope`.

    ``file_name`` is the file in the bucket, if it was about one, and ``how_to_go_on`` says what
    is kept of it and how to get the rest.
    """

    file_name: str | None = None
    how_to_go_on: str | None = None

    def __str__(self) -> str:
        return _end_of(self, super().__str__() or 'cancelled')


class DeadlineExceeded(B2Error, TimeoutError):
    """A transfer was not complete within the ``seconds`` of its `cancel_scope`.

    ``file_name`` and ``how_to_go_on`` are those of `TransferCancelled`.
    """

    file_name: str | None = None
    how_to_go_on: str | None = None

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def __str__(self) -> str:
        return _end_of(self, f'not complete within the deadline of {self.seconds} s')


def _end_of(error: TransferCancelled | DeadlineExceeded, what: str) -> str:
    named = what if error.file_name is None else f'{error.file_name!r}: {what}'
    return named if error.how_to_go_on is None else f'{named}; {error.how_to_go_on}'


class UnboundStreamBufferTimeout(B2SimpleError):
    """No part of a stream was stored for so long that the stream was given up."""
