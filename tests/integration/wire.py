"""What the tests of faults have in common: a wire that can be stopped, and impatient clients."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

from b2fast import (
    B2Api,
    B2HttpApiConfig,
    Bucket,
    InMemoryAccountInfo,
    InMemoryCache,
    RetryPolicies,
    RetryPolicy,
)
from b2fast.simulator.state import Key

from ..conftest import Account

DEADLINE = 60
"""Seconds after which a test takes what it waits for as hanging."""

Direction = Literal['up', 'down']


def connect(
    account: Account,
    policy: RetryPolicy | RetryPolicies,
    realm: str | None = None,
    *,
    decode_content: bool = False,
    **parameters: object,
) -> B2Api:
    """A further authorized client of the same account and seam, with a policy of its own.

    :param realm: another way to the same service
    """
    settings: dict[str, Any] = {'retry_policy': policy, 'decode_content': decode_content}
    config = B2HttpApiConfig(**settings)
    if account.session is not None:
        config = B2HttpApiConfig(account.session, **settings)
    api = B2Api(
        InMemoryAccountInfo(),
        InMemoryCache(),
        api_config=config,
        **parameters,  # type: ignore[arg-type]
    )
    api.authorize_account(account.key_id, account.key, realm or account.realm)
    return api


class Wire:
    """Passes bytes between clients and a server, until it is told to stop.

    :param url: the server's URL
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = parts.hostname or '', parts.port or 0
        self._listener = socket.create_server(('127.0.0.1', 0))
        self._lock = threading.Lock()
        self._left: dict[Direction, int | None] = {'up': None, 'down': None}
        self._sockets: list[socket.socket] = []
        self._free = threading.Event()
        self._free.set()
        self.stopped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """What clients take as realm."""
        return f'http://127.0.0.1:{self._listener.getsockname()[1]}'

    def stop_after(self, direction: Direction, byte_count: int) -> None:
        """Let so many more bytes pass in a direction, then none at all; sets `stopped`."""
        with self._lock:
            self._left[direction] = byte_count
            self._free.clear()
            self.stopped.clear()

    def go_on(self) -> None:
        """Let everything pass again."""
        with self._lock:
            self._left = {'up': None, 'down': None}
            self._free.set()

    def close(self) -> None:
        """Break all connections."""
        self.go_on()
        # Closing alone would leave the thread that accepts where it is.
        for end in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            self._sockets += [client, server]
            for source, target, direction in ((client, server, 'up'), (server, client, 'down')):
                threading.Thread(
                    target=self._pass_on, args=(source, target, direction), daemon=True
                ).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, direction: Direction) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(16 * 1024):
                target.sendall(data[: self._allowed(direction, len(data))])
                if not self._free.is_set() and self.stopped.is_set():
                    self._free.wait()
                    return
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _allowed(self, direction: Direction, wanted: int) -> int:
        with self._lock:
            left = self._left[direction]
            if left is None:
                return wanted
            self._left[direction] = max(0, left - wanted)
            if left <= wanted:
                self.stopped.set()
            return min(left, wanted)


@contextmanager
def stoppable(account: Account) -> Iterator[Wire]:
    """A wire to the account's server."""
    wire = Wire(account.realm)
    try:
        yield wire
    finally:
        wire.close()


@contextmanager
def calls_none(account: Account) -> Iterator[None]:
    """Nothing is asked of the service meanwhile."""
    before = None if account.server is None else account.server.calls
    yield
    assert before == (None if account.server is None else account.server.calls)


def hold_uploads(account: Account, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let the service answer no upload before the event that is returned is set."""
    assert account.server is not None
    go_on = threading.Event()
    transfers = account.server._door._transfers

    def held(answer: Callable[..., Any]) -> Callable[..., Any]:
        def wait_and_answer(*args: Any) -> Any:
            assert go_on.wait(DEADLINE)
            return answer(*args)

        return wait_and_answer

    for call in ('upload_file', 'upload_part'):
        monkeypatch.setattr(transfers, call, held(getattr(transfers, call)))
    return go_on


def restricted(account: Account, *capabilities: str, prefix: str | None = None) -> Bucket:
    """The bucket ``a-bucket`` for a key that may not do everything."""
    if account.server is None:
        new = account.api.create_key(list(capabilities), 'a-key', name_prefix=prefix)
        key_id, secret = new.id_, new.application_key
    else:
        key_id, secret = 'restricted-id', 'restricted-key'
        account.server._service.keys[key_id] = Key(
            account.server.account_id,
            'a-key',
            key_id,
            secret,
            list(capabilities),
            None,
            None,
            prefix,
        )
    api = account.new_api()
    api.authorize_account(key_id, secret, account.realm)
    return api.get_bucket_by_name('a-bucket')


PREAMBLE = """
import os, signal, sys, threading
from b2fast import *
# A shell has its background jobs, and all that they start, ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
realm, key_id, key, *args = sys.argv[1:]
policy = RetryPolicy(attempts=5, first_delay=0.001, max_delay=0.01)
config = B2HttpApiConfig(retry_policy=policy)
if os.environ['SEAM'] == 'streams':
    import requests
    config = B2HttpApiConfig(requests.Session, retry_policy=policy)
api = B2Api(InMemoryAccountInfo(), api_config=config)
api.authorize_account(key_id, key, realm)
bucket = api.get_bucket_by_name('a-bucket')
"""
"""The begin of the programs that run in a process of their own."""


def start(
    account: Account,
    program: str,
    args: Sequence[str | Path] = (),
    realm: str | None = None,
    prefix: Sequence[str] = (),
    stdin: int | None = None,
) -> subprocess.Popen[str]:
    """Start a program that has an authorized client ``api`` and its bucket ``a-bucket``.

    :param realm: another way to the same service
    :param prefix: a command that runs the command behind it
    :param stdin: what its standard input is, as for `subprocess.Popen`
    """
    seam = 'engine' if account.has_engine else 'streams'
    return subprocess.Popen(
        [
            *prefix,
            sys.executable,
            '-c',
            PREAMBLE + program,
            realm or account.realm,
            account.key_id,
            account.key,
            *map(str, args),
        ],
        env=os.environ | {'SEAM': seam},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    account: Account,
    program: str,
    args: Sequence[str | Path] = (),
    prefix: Sequence[str] = (),
) -> str:
    """Run such a program to its end and return what it printed."""
    with start(account, program, args, prefix=prefix) as process:
        try:
            out, err = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert process.returncode == 0, err
    return out
