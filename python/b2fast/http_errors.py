"""From error answers and from exceptions of requests to exceptions of this package."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .exception import (
    B2ConnectionError,
    B2Error,
    B2RequestTimeout,
    B2RequestTimeoutDuringUpload,
    BrokenPipe,
    ConnectionReset,
    InvalidJsonResponse,
    PotentialS3EndpointPassedAsRealm,
    UnknownError,
    UnknownHost,
    interpret_b2_error,
)
from .http_request import HttpRequest, Redactor

if TYPE_CHECKING:
    import requests

_TOKEN_IN_URL = re.compile(r'(authorization=)[^&\s\'")]+', re.IGNORECASE)
# A name that does not exist.  EAI_AGAIN, a name server that does not answer, is no such case:
# the network may come back.
_UNKNOWN_HOST = frozenset(
    getattr(socket, name) for name in ('EAI_NONAME', 'EAI_NODATA') if hasattr(socket, name)
)


def not_json(content: bytes, url: str) -> InvalidJsonResponse:
    """The exception for an answer that should be JSON and is not."""
    if '://s3.' in url:
        return PotentialS3EndpointPassedAsRealm(content)
    return InvalidJsonResponse(content)


def error_of_response(response: requests.Response, request: HttpRequest) -> B2Error:
    """The exception for an answer with an error status, without the secrets of the request."""
    redactor = Redactor(request.url, request.headers)
    status, content = response.status_code, redactor.content(response.content)
    if 300 <= status < 400:
        return UnknownError(f'{status} redirect: B2 uses none, so it was not followed')
    code: str | None = None
    message: str | None = None
    if content:
        try:
            answer = json.loads(content)
            code, message = (
                None if answer.get(name) is None else str(answer[name])
                for name in ('code', 'message')
            )
        except (ValueError, AttributeError):
            invalid = not_json(content, request.url)
            if isinstance(invalid, PotentialS3EndpointPassedAsRealm) and status < 500:
                return invalid
            code, message = 'non_json_response', invalid.args[0]
    if message is not None:
        # Once more: it may have been escaped in the JSON.
        message = redactor.text(message)
    return interpret_b2_error(status, code, message, dict(response.headers), request.post_params)


def never_left(error: requests.RequestException) -> bool:
    """Did the request fail before it reached the service?"""
    import requests
    import urllib3

    return isinstance(error, ValueError) or _is_caused_by(
        error,
        requests.ConnectTimeout,
        requests.exceptions.ProxyError,
        requests.exceptions.SSLError,
        urllib3.exceptions.NewConnectionError,
    )


def error_of_exception(error: requests.RequestException, request: HttpRequest) -> B2Error:
    """The exception for a request that got no answer."""
    import requests

    redactor = Redactor(request.url, request.headers)
    text = redactor.text(_TOKEN_IN_URL.sub(r'\1******', str(error)))
    # Only a fresh upload URL helps then.
    sends_content = request.sends_content

    if _is_caused_by(error, requests.exceptions.InvalidHeader):
        # Its text holds the header's value, which may be a token.
        return UnknownError('a header of the request has a value that cannot be sent')
    if _is_caused_by(error, requests.ConnectTimeout):
        return B2RequestTimeout(text)
    if _is_caused_by(error, requests.Timeout, TimeoutError):
        return B2RequestTimeoutDuringUpload(text) if sends_content else B2RequestTimeout(text)
    if any(isinstance(c, socket.gaierror) and c.errno in _UNKNOWN_HOST for c in _causes_of(error)):
        return UnknownHost(text)
    if sends_content and _is_caused_by(error, BrokenPipeError):
        return BrokenPipe(text)
    if sends_content and _is_caused_by(error, ConnectionResetError):
        return ConnectionReset(text)
    if _is_caused_by(error, requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return B2ConnectionError(text)
    return UnknownError(text)


def _is_caused_by(error: BaseException, *classes: type[BaseException]) -> bool:
    return any(isinstance(cause, classes) for cause in _causes_of(error))


def _causes_of(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it wraps: urllib3 and requests put the cause into ``args``."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [*cause.args, getattr(cause, 'reason', None), cause.__cause__, cause.__context__]
