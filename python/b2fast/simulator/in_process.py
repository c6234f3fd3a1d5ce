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
from threading import Lock
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import ProtocolError

from b2fast._core.server import Content, Request, Response
from b2fast.http_constants import HEX_DIGITS_AT_END

from . import errors
from .faults import Fault
from .http_door import HttpDoor, refusal_response

#: What answers name as the service's host. It exists nowhere (RFC 2606), so that a client that
#: does without this module sends nothing to anybody.
HOST = 'simulator.invalid'

_UPLOAD_CALLS = {'b2_upload_file', 'b2_upload_part'}
_DIGEST_LENGTH = 40
_PIECE = 1024 * 1024


class Wire:
    """What lies between the sessions of `requests` and a door. Safe for several threads.

    :param door: answers the requests.
    """

    def __init__(self, door: HttpDoor) -> None:
        self._door = door
        self._cut_lock = Lock()
        self._cut = (0, 0)

    def cut_uploads(self, after: int, count: int) -> None:
        """Aborts the next uploads when so many bytes, or all if there are fewer, were read."""
        with self._cut_lock:
            self._cut = (after, count)

    def _claim_cut(self) -> int | None:
        with self._cut_lock:
            after, count = self._cut
            if not count:
                return None
            self._cut = (after, count - 1)
            return after

    def send(self, request: requests.PreparedRequest) -> urllib3.HTTPResponse:
        """Returns the answer, its body still to be read.

        :raises requests.RequestException: what `requests` would raise if this had been a network.
        """
        response, fault = self._exchange(request)
        if fault is not None and fault.cut_after == 0:
            message = 'Remote end closed connection without response'
            raise _connection_error(http.client.RemoteDisconnected(message), request)
        return _on_the_wire(request, response, fault)

    def _exchange(self, request: requests.PreparedRequest) -> tuple[Response, Fault | None]:
        url = urlsplit(request.url or '')
        headers = _received_headers(request.headers)
        is_upload = request.method == 'POST' and not _UPLOAD_CALLS.isdisjoint(url.path.split('/'))
        if is_upload and 'content-length' not in headers:
            return refusal_response(
                errors.bad_request(
                    'an upload needs a Content-Length; chunked encoding is not supported'
                )
            ), None
        try:
            pieces = list(self._body(request, headers, self._claim_cut() if is_upload else None))
        except requests.RequestException:
            raise
        except OSError as error:
            raise _connection_error(error, request) from error
        body, content, trailer = b'', None, None
        if is_upload:
            content = Content.concat([Content(piece) for piece in pieces])
            if headers.get('x-bz-content-sha1') == HEX_DIGITS_AT_END:
                end = max(0, len(content) - _DIGEST_LENGTH)
                trailer = _lenient_text(content.read(end))
                content = content.slice(0, end)
        else:
            body = b''.join(pieces)
        return self._door.serve(
            Request(request.method or '', url.path, url.query, headers, body, content, trailer)
        )

    @staticmethod
    def _body(
        request: requests.PreparedRequest, headers: Mapping[str, str], cut: int | None
    ) -> Iterator[bytes]:
        """Gives what would arrive at the server.

        :param cut: the connection is reset after so many bytes.
        """
        left = int(headers.get('content-length', '0'))
        has_length = 'content-length' in headers
        received = 0
        for piece in _pieces(request.body):
            arrived = piece[:left] if has_length else piece
            received += len(arrived)
            left -= len(arrived)
            yield arrived
            if (cut is not None and received >= cut) or (has_length and not left):
                break
        if cut is not None:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        if has_length and left:
            raise requests.ReadTimeout(
                f'The service waits for {left} bytes that the request announced', request=request
            )


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
        self, request: requests.PreparedRequest, stream: bool = False, *_: Any, **__: Any
    ) -> requests.Response:
        answer = self._mounted.build_response(request, self._wire.send(request))
        if not stream:
            answer.content  # noqa: B018
        return answer

    def close(self) -> None:
        """There is nothing to close."""


class _AnswerBody(io.RawIOBase):
    """The body of an answer as it comes out of the wire."""

    def __init__(self, content: Content, fault: Fault | None) -> None:
        cut = None if fault is None else fault.cut_after
        self._content = content
        self._end = len(content) if cut is None else min(cut, len(content))
        self._flip_at = None if fault is None else fault.flip_at
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        start = self._position
        data = self._content.read(start, min(start + len(buffer), self._end))
        self._position += len(data)
        buffer[: len(data)] = data
        if self._flip_at is not None and start <= self._flip_at < self._position:
            buffer[self._flip_at - start] ^= 0xFF
        return len(data)


def _on_the_wire(
    request: requests.PreparedRequest, response: Response, fault: Fault | None
) -> urllib3.HTTPResponse:
    content = response.body
    headers = urllib3.HTTPHeaderDict(response.headers)
    headers['content-length'] = str(len(content))
    # The machine's time, as the server has it: clients compare it with theirs.
    headers['date'] = formatdate(usegmt=True)
    if request.method == 'HEAD':
        content = Content()
    return urllib3.HTTPResponse(
        io.BufferedReader(_AnswerBody(content, fault), _PIECE),
        headers=headers,
        status=response.status,
        version=11,
        reason=http.client.responses.get(response.status),
        preload_content=False,
        request_method=request.method,
    )


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
