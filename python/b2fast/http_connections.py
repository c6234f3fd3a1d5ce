"""Connections of requests that can be broken off while a thread waits for them."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .cancel import Scope, current_scope

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

    _Base = HTTPConnection
else:
    _Base = object


class _Breakable(_Base):
    scope: Scope | None = None
    _socket_of_answer: socket.socket | None = None

    def connect(self) -> None:
        self._enter_scope()
        super().connect()
        # Until now there was nothing that could be broken off.
        self._enter_scope()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._enter_scope()
        super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        # If the server closes the connection behind its answer, only the answer keeps it.
        self._socket_of_answer = self.sock
        return super().getresponse()

    def _enter_scope(self) -> None:
        self.scope = current_scope()
        if self.scope is not None:
            self.scope.watch(self)

    def break_off(self) -> None:
        for found in (self.sock, self._socket_of_answer):
            if found is not None:
                # It may be closed, or not connected yet.
                with suppress(OSError):
                    # Not that of ssl: it would have the other thread read on without TLS.
                    socket.socket.shutdown(found, socket.SHUT_RDWR)


class _BreakableHTTPConnection(_Breakable, HTTPConnection):
    pass


class _BreakableHTTPSConnection(_Breakable, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _BreakableHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _BreakableHTTPSConnection


def make_breakable(adapter: HTTPAdapter) -> None:
    """Have the end of a scope break off the connections of an adapter, but those to proxies."""
    adapter.poolmanager.pool_classes_by_scheme = {'http': _HTTPPool, 'https': _HTTPSPool}
