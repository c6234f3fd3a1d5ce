"""Arbitrary bytes, sent to a running server.

An input is what is sent, in packets of their own between one `CUT` and the next. After the last
byte the sender says that it sends no more, reads what is answered, and hangs up.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
from types import TracebackType
from typing import Self

from b2fast.simulator import SimulatorServer

CUT = b'\n~~~~~\n'
PATIENCE = 5
"""Seconds within which the server has to answer or to hang up when nothing more can come."""


class Sender:
    """A server and who sends to it."""

    def __init__(self) -> None:
        self._server = SimulatorServer(minimum_part_size=5)
        self._port = int(self._server.url.rpartition(':')[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()

    def check(self, data: bytes) -> bytes:
        """Sends the bytes; the server has to serve others afterwards.

        :return: what was answered
        :raises TimeoutError: the server neither answered nor hung up
        """
        answer = b''
        with socket.create_connection(('127.0.0.1', self._port), timeout=PATIENCE) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # A server that has heard enough resets the connection.
            with contextlib.suppress(ConnectionError):
                for piece in data.split(CUT):
                    connection.sendall(piece)
                # A connection that was reset meanwhile is not there any more.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                while received := connection.recv(65536):
                    answer += received
        self._check_service()
        return answer

    def _check_service(self) -> None:
        other = http.client.HTTPConnection('127.0.0.1', self._port, timeout=PATIENCE)
        with contextlib.closing(other):
            other.request('GET', '/b2api/v4/b2_authorize_account')
            assert other.getresponse().status == 401
