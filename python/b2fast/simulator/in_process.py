"""HTTP without a network: what `requests` sends is answered in the process.

This takes the place of the connection, the server's parsing and the server's sending. Everything
behind is the HTTP door, as the server asks it.
"""

from __future__ import annotations

import errno
import http.client
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from email.utils import formatdate
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import ProtocolError

from b2fast._core.server import BodyFaults, Content, Request, Response
from b2fast.http_constants import HEX_DIGITS_AT_END

from . import errors, rules
from .faults import UPLOAD_CALLS
from .http_door import HttpDoor, error_response

#: What answers name as the service's host. It exists nowhere (RFC 2606), so that a client that
#: does without this module sends nothing to anybody.
HOST = 'simulator.invalid'

_PIECE = 1024 * 1024


class Wire:
    """What lies between the sessions of `requests` and a door. Safe for several threads.

    :param door: answers the requests.
    """

    def __init__(self, door: HttpDoor) -> None:
        self._door = door

    def send(
        self, request: requests.PreparedRequest, patience: float | None
    ) -> urllib3.HTTPResponse:
        """Returns the answer, its body still to be read.

        :param patience: seconds without a byte that are too long; None: none are.
        :raises requests.RequestException: what `requests` would raise if this had been a network.
        """
        response = self._exchange(request)
        if patience is not None and response.delay > patience:
            raise _timeout(request)
        faults = response.faults
        if faults is not None:
            if faults.cut_after == 0:
                message = 'Remote end closed connection without response'
                raise _connection_error(http.client.RemoteDisconnected(message), request)
            if faults.reset_after == 0:
                raise _connection_error(_reset(), request)
            if faults.stall_after == 0:
                raise _timeout(request)
        return _on_the_wire(request, response)

    def _exchange(self, request: requests.PreparedRequest) -> Response:
        url = urlsplit(request.url or '')
        headers = _received_headers(request.headers)
        is_upload = request.method == 'POST' and any(
            segment in UPLOAD_CALLS for segment in url.path.split('/')
        )
        if is_upload and 'content-length' not in headers:
            return error_response(
                errors.bad_request(
                    'an upload needs a Content-Length; chunked encoding is not supported'
                )
            )
        head = request.method or '', url.path, url.query, headers
        faults = self._door.begin_upload(Request(*head, b'')) if is_upload else None
        try:
            pieces = list(_received_body(request, headers, faults))
        except requests.RequestException:
            raise
        except OSError as error:
            raise _connection_error(error, request) from error
        if not is_upload:
            return self._door(Request(*head, b''.join(pieces)))
        if faults is not None and faults.flip_at is not None:
            pieces = [_flipped(b''.join(pieces), faults.flip_at)]
        content, trailer = Content.concat([Content(piece) for piece in pieces]), None
        if headers.get('x-bz-content-sha1') == HEX_DIGITS_AT_END:
            end = max(0, len(content) - rules.DIGEST_LENGTH)
            trailer = _lenient_text(content.read(end))
            content = content.slice(0, end)
        return self._door(Request(*head, b'', content, trailer))


def _received_body(
    request: requests.PreparedRequest, headers: Mapping[str, str], faults: BodyFaults | None
) -> Iterator[bytes]:
    """Gives what would arrive at the server."""
    endings: tuple[int | None, int | None, int | None] = (None, None, None)
    if faults is not None:
        endings = faults.cut_after, faults.reset_after, faults.stall_after
    ending = next((after for after in endings if after is not None), None)
    left = int(headers.get('content-length', '0'))
    has_length = 'content-length' in headers
    received = 0
    for piece in _pieces(request.body):
        arrived = piece[:left] if has_length else piece
        received += len(arrived)
        left -= len(arrived)
        yield arrived
        if (ending is not None and received >= ending) or (has_length and not left):
            break
    if ending is not None:
        raise _timeout(request) if endings[2] is not None else _reset()
    if has_length and left:
        raise requests.ReadTimeout(
            f'The service waits for {left} bytes that the request announced', request=request
        )


def _flipped(body: bytes, at: int) -> bytes:
    changed = bytearray(body)
    if at < len(changed):
        changed[at] ^= 0xFF
    return bytes(changed)


class WireSession(requests.Session):
    """A session whose requests go over a wire, whatever is mounted.

    A client that mounts an adapter of its own, as b2sdk does, has it make the responses.
    """

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.trust_env = False
        self._wire = wire

    def get_adapter(self, url: str) -> BaseAdapter:
        """Returns what sends to the wire."""
        return _WireAdapter(self._wire, cast(HTTPAdapter, super().get_adapter(url)))


class _WireAdapter(BaseAdapter):
    def __init__(self, wire: Wire, mounted: HTTPAdapter) -> None:
        super().__init__()
        self._wire = wire
        self._mounted = mounted

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        *_: Any,
        **__: Any,
    ) -> requests.Response:
        patience = timeout[1] if isinstance(timeout, tuple) else timeout
        answer = self._mounted.build_response(request, self._wire.send(request, patience))
        if not stream:
            answer.content  # noqa: B018
        return answer

    def close(self) -> None:
        """There is nothing to close."""


class _AnswerBody(io.RawIOBase):
    """The body of an answer as it comes out of the wire."""

    def __init__(self, content: Content, faults: BodyFaults | None) -> None:
        self._content = content
        self._position = 0
        self._end = len(content)
        self._failure: OSError | None = None
        self._flip_at = None if faults is None else faults.flip_at
        if faults is None:
            return
        for after, failure in (
            (faults.cut_after, None),
            (faults.reset_after, _reset()),
            (faults.stall_after, TimeoutError('timed out')),
        ):
            if after is not None and after < self._end:
                self._end, self._failure = after, failure

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        start = self._position
        data = self._content.read(start, min(start + len(buffer), self._end))
        if not data and self._failure is not None:
            raise self._failure
        self._position += len(data)
        buffer[: len(data)] = data
        if self._flip_at is not None and start <= self._flip_at < self._position:
            buffer[self._flip_at - start] ^= 0xFF
        return len(data)


def _on_the_wire(request: requests.PreparedRequest, response: Response) -> urllib3.HTTPResponse:
    content = response.body
    headers = urllib3.HTTPHeaderDict(response.headers)
    headers['content-length'] = str(len(content))
    # The machine's time, as the server has it: clients compare it with theirs.
    headers['date'] = formatdate(usegmt=True)
    if request.method == 'HEAD':
        content = Content()
    return urllib3.HTTPResponse(
        # Not buffered: what came before the connection broke is there to be read.
        _AnswerBody(content, response.faults),
        headers=headers,
        status=response.status,
        version=11,
        reason=http.client.responses.get(response.status),
        preload_content=False,
        request_method=request.method,
    )


def _reset() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


def _timeout(request: requests.PreparedRequest) -> requests.ReadTimeout:
    return requests.ReadTimeout('Read timed out.', request=request)


def _received_headers(sent: Mapping[str, str | bytes]) -> dict[str, str]:
    headers = {
        _lenient_text(_as_sent(name)).lower(): _lenient_text(_as_sent(value)).strip()
        for name, value in sent.items()
    }
    return headers | {'host': HOST}


def _as_sent(text: str | bytes) -> bytes:
    return text.encode('latin-1') if isinstance(text, str) else text


def _lenient_text(received: bytes) -> str:
    """UTF-8 where it is, Latin-1 otherwise, as the server reads what is sent."""
    try:
        return received.decode()
    except UnicodeDecodeError:
        return received.decode('latin-1')


def _pieces(body: Any) -> Iterator[bytes]:
    if body is None:
        return
    if isinstance(body, str):
        body = body.encode()
    if isinstance(body, bytes | bytearray):
        yield bytes(body)
    elif hasattr(body, 'read'):
        while piece := body.read(_PIECE):
            yield piece
    else:
        yield from cast('Iterable[bytes]', body)


def _connection_error(
    error: Exception, request: requests.PreparedRequest
) -> requests.ConnectionError:
    # As urllib3 and requests wrap what ends a connection.
    return requests.ConnectionError(ProtocolError('Connection aborted.', error), request=request)
