"""What the network and the HTTP layer did."""

from __future__ import annotations

import math
from typing import Any

from .base import B2Error, B2SimpleError, TransientErrorMixin


def _whole_seconds(value: int | float | str | None) -> int | None:
    """The value of ``Retry-After``; a date, which B2 does not send, counts as nothing."""
    if isinstance(value, str):
        value = value.strip()
        return int(value) if value.isascii() and value.isdigit() else None
    return int(value) if value is not None and 0 <= value < math.inf else None


class B2ConnectionError(TransientErrorMixin, B2SimpleError, ConnectionError):
    """The connection could not be made or broke."""


class B2RequestTimeout(TransientErrorMixin, B2SimpleError, TimeoutError):
    """Nothing was received for as long as the timeout allows."""


class B2RequestTimeoutDuringUpload(B2RequestTimeout):
    """As `B2RequestTimeout`, while content was sent.

    The service may still be busy with the request and its upload token, so only an upload to
    a fresh URL makes sense.
    """

    def should_retry_http(self) -> bool:
        """No: the token may still be in use on the server."""
        return False


class BrokenPipe(B2Error, BrokenPipeError):
    """The peer closed the connection before the whole request was sent."""

    def __str__(self) -> str:
        return 'Broken pipe: unable to send entire request'

    def should_retry_upload(self) -> bool:
        """Yes: this is how an overloaded upload server refuses."""
        return True


class ConnectionReset(B2Error, ConnectionResetError):
    """The peer reset the connection."""

    def __str__(self) -> str:
        return 'Connection reset'

    def should_retry_upload(self) -> bool:
        """Yes, with a fresh URL."""
        return True


class UnknownHost(B2Error, ConnectionError):
    """The host's name does not resolve: a wrong realm URL or no network."""

    def __str__(self) -> str:
        return 'unknown host'


class RequestTimeout(TransientErrorMixin, B2Error, TimeoutError):
    """The service gave up waiting for the request (status 408)."""


class ServiceError(TransientErrorMixin, B2Error):
    """The service failed (status 5xx)."""

    def __init__(self, *args: Any, retry_after_seconds: int | float | str | None = None) -> None:
        super().__init__(*args)
        self.retry_after_seconds = _whole_seconds(retry_after_seconds)


class TooManyRequests(B2Error):
    """The service asks to slow down (status 429)."""

    def __init__(self, retry_after_seconds: int | float | str | None = None) -> None:
        super().__init__()
        self.retry_after_seconds = _whole_seconds(retry_after_seconds)

    def __str__(self) -> str:
        return 'Too many requests'

    def should_retry_http(self) -> bool:
        """Yes, after the time that the service asked for."""
        return True


class InvalidJsonResponse(B2SimpleError):
    """The answer is not the JSON that was expected; ``content`` is the answer."""

    UP_TO_BYTES_COUNT = 200

    def __init__(self, content: bytes) -> None:
        self.content = content
        text = content[: self.UP_TO_BYTES_COUNT].decode('utf-8', errors='replace')
        super().__init__(text if len(content) <= self.UP_TO_BYTES_COUNT else text + '...')


class PotentialS3EndpointPassedAsRealm(InvalidJsonResponse):
    """The answer is not JSON and the URL looks like one of the S3-compatible API.

    The realm must be a URL of the native API, such as ``https://api.backblazeb2.com``.
    """


class UnexpectedCloudBehaviour(B2SimpleError):
    """The service answered in a way that contradicts its documentation."""


class UnknownError(B2SimpleError):
    """The service refused with a status and a code that are not known."""


class BadDateFormat(B2SimpleError):
    """The ``Date`` header of an answer cannot be read."""

    prefix = 'Date from server'


class B2HttpCallbackException(B2SimpleError):
    """A callback of `B2Http` stopped the request."""


class B2HttpCallbackPreRequestException(B2HttpCallbackException):
    """A callback stopped the request before it was sent."""


class B2HttpCallbackPostRequestException(B2HttpCallbackException):
    """A callback refused the answer."""


class ClockSkew(B2HttpCallbackPostRequestException):
    """The local clock and that of the service differ by more than ten minutes."""

    def __init__(self, clock_skew_seconds: int) -> None:
        super().__init__()
        self.clock_skew_seconds = clock_skew_seconds

    def __str__(self) -> str:
        seconds = self.clock_skew_seconds
        if seconds < 0:
            return f'ClockSkew: local clock is {-seconds} seconds behind server'
        return f'ClockSkew; local clock is {seconds} seconds ahead of server'
