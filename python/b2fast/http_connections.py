"""Connections of requests that can be broken off while a thread waits for them."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import ProxyManager

from .cancel import POLL_INTERVAL, Scope, current_scope

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
        if self.scope is None:
            super().connect()
        else:
            self._connect_within(self.scope)

    def _connect_within(self, scope: Scope) -> None:
        # Nothing can be broken off before there is a connection, and a name may be looked up for
        # long. Nothing was asked for either, so it is left behind.
        made: Future[None] = Future()
        connect = super().connect

        def run() -> None:
            try:
                connect()
            except BaseException as error:
                made.set_exception(error)
            else:
                made.set_result(None)

        threading.Thread(target=run, name='b2fast-connect', daemon=True).start()
        try:
            while not wait([made], POLL_INTERVAL).done:
                scope.check()
            scope.check()
        except BaseException:
            made.add_done_callback(lambda _: self.close())
            raise
        made.result()

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


_POOLS = {'http': _HTTPPool, 'https': _HTTPSPool}


def make_breakable(adapter: HTTPAdapter) -> None:
    """Have the end of a scope break off the connections of an adapter, but those by SOCKS."""
    adapter.poolmanager.pool_classes_by_scheme = _POOLS
    proxy_manager_for = adapter.proxy_manager_for

    def breakable_proxy_manager_for(*args: Any, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = proxy_manager_for(*args, **kwargs)
        if type(manager) is ProxyManager:
            manager.pool_classes_by_scheme = _POOLS
        return manager

    adapter.proxy_manager_for = breakable_proxy_manager_for  # type: ignore[method-assign]
