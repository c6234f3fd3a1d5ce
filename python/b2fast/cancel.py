"""Ending transfers from outside: by a token that any thread may use, or by a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import ParamSpec, Protocol, TypeVar
from weakref import ref

from ._core.transfer import CURRENT_SCOPE, CancelFlag, Scope as CoreScope
from .exception import DeadlineExceeded, TransferCancelled

_P = ParamSpec('_P')
_T = TypeVar('_T')

POLL_INTERVAL = 0.05
"""Seconds after which who waits looks whether it may go on; the core has the same."""


class Breakable(Protocol):
    """A connection that may be waiting for the network."""

    scope: Scope | None

    def break_off(self) -> None:
        """Have what waits for it fail at once; from any thread."""


class _Connections:
    """Connections that have been used in scopes, as long as they live.

    There is no lock in it: a signal handler may come while the thread that it interrupts is here.
    """

    def __init__(self) -> None:
        self._refs: dict[int, ref[Breakable]] = {}

    def add(self, connection: Breakable) -> None:
        key = id(connection)
        self._refs[key] = ref(connection, lambda _: self._refs.pop(key, None))

    def break_off(self, is_concerned: Callable[[Scope], bool]) -> None:
        for found in list(self._refs.values()):
            connection = found()
            if connection is not None:
                # By now it may serve a request of another scope.
                scope = connection.scope
                if scope is not None and is_concerned(scope):
                    connection.break_off()


class CancelToken(CancelFlag):
    """Ends transfers: every one of every `cancel_scope` that was given the token.

    It may be used from any thread, and from a signal handler. Once cancelled, it stays so: what
    begins in such a scope afterwards ends at once as well.
    """

    def __init__(self) -> None:
        self._connections = _Connections()

    def __repr__(self) -> str:
        state = 'cancelled' if self.is_cancelled else 'not cancelled'
        return f'<{type(self).__name__}, {state}>'

    @property
    def is_cancelled(self) -> bool:
        """Was `cancel` called?"""
        return self.is_set

    def cancel(self) -> None:
        """End the transfers. Does not wait for them; calling it again does nothing."""
        self.set()
        self._connections.break_off(lambda scope: self in scope.tokens)

    def watch(self, connection: Breakable) -> None:
        """Have a connection broken off by `cancel`."""
        self._connections.add(connection)


class Scope(CoreScope):
    """What a `cancel_scope` is in its context, with all that are around it."""

    def __init__(
        self, outer: Scope | None, token: CancelToken | None, deadline: float | None
    ) -> None:
        self.tokens: tuple[CancelToken, ...] = () if outer is None else outer.tokens
        if token is not None:
            self.tokens += (token,)
        #: Seconds of the deadline that comes first, as they were given.
        self.deadline = deadline
        if outer is not None:
            left = outer.remaining
            if left is not None and (deadline is None or left < deadline):
                self.deadline = outer.deadline
        self._connections = _Connections()
        self._timer: threading.Timer | None = None

    def error(self) -> TransferCancelled | DeadlineExceeded:
        """What to raise when the scope is over."""
        if self.deadline is None or any(token.is_cancelled for token in self.tokens):
            return TransferCancelled()
        return DeadlineExceeded(self.deadline)

    def check(self) -> None:
        """Raise `error` if the scope is over."""
        if self.is_over:
            raise self.error()

    def watch(self, connection: Breakable) -> None:
        """Have a connection broken off at the end of the scope; raises as `check`."""
        for token in self.tokens:
            token.watch(connection)
        remaining = self.remaining
        if remaining is not None:
            self._connections.add(connection)
            # A child of fork has the object, but not its thread.
            if self._timer is None or not self._timer.is_alive():
                self._timer = threading.Timer(remaining, self._break_off)
                self._timer.daemon = True
                self._timer.start()
        # Whoever ended it a moment ago may not have seen the connection.
        self.check()

    def close(self) -> None:
        """Leave it: nothing begins in it any more."""
        if self._timer is not None and not self.is_over:
            self._timer.cancel()

    def _break_off(self) -> None:
        self._connections.break_off(lambda scope: scope is self)


@contextmanager
def cancel_scope(
    token: CancelToken | None = None, *, deadline: float | None = None
) -> Iterator[None]:
    """Within this context, transfers end when a token is cancelled or a time has passed.

    All uploads, downloads, copies, bulk calls and other calls of the thread (or of the asyncio
    task) that happen in the context are concerned, with what other threads of this package do
    for them. Threads that the program starts enter a context of their own, with the same token. A
    context within another one ends with it. A bulk call belongs to the context in which its first
    result is asked for.

    What is under way ends within a fraction of a second, by an exception: `TransferCancelled`
    after `CancelToken.cancel`, `DeadlineExceeded` after the deadline. A wait for a SOCKS proxy, or
    in an adapter of the program's own in a session of ``requests``, ends at the latest with its
    time-out. What can be resumed is kept: the parts of an
    unfinished large file, and what has arrived of a download of 8 MiB or more.

    :param token: ends the transfers when it is cancelled.
    :param deadline: seconds from now after which they end; None for no limit. Unlike
        `RetryPolicy.deadline`, it counts when all goes well, too.
    :raises ValueError: if the deadline is negative or no number.
    """
    outer = current_scope()
    scope = Scope(outer, token, deadline)
    variable_token = CURRENT_SCOPE.set(scope)
    try:
        yield
    finally:
        CURRENT_SCOPE.reset(variable_token)
        scope.close()


def current_scope() -> Scope | None:
    """The innermost scope of the context; None outside of all."""
    scope: Scope | None = CURRENT_SCOPE.get(None)
    return scope


def check_scope() -> None:
    """Raise `TransferCancelled` or `DeadlineExceeded` if the scope of the context is over."""
    scope = current_scope()
    if scope is not None:
        scope.check()


def sleep(seconds: float) -> None:
    """Sleep, but no longer than the scope of the context lasts; raises as `check_scope`."""
    scope = current_scope()
    if scope is None:
        time.sleep(seconds)
        return
    end = time.monotonic() + seconds
    while True:
        scope.check()
        left = end - time.monotonic()
        if left <= 0:
            return
        remaining = scope.remaining
        time.sleep(min(left, POLL_INTERVAL, left if remaining is None else remaining))


@contextmanager
def locked(lock: threading.Lock) -> Iterator[None]:
    """Hold a lock that others may hold for long; raises as `check_scope` while it waits."""
    if current_scope() is None:
        lock.acquire()
    else:
        while not lock.acquire(timeout=POLL_INTERVAL):
            check_scope()
    try:
        yield
    finally:
        lock.release()


def in_this_context(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The function for other threads, with the scope of the context that it is given away in."""
    context = copy_context()

    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        # Only one thread at a time may be in a context.
        return context.copy().run(function, *args, **kwargs)

    return call


@contextmanager
def ending_together() -> Iterator[CancelToken]:
    """A scope that an exception ends: what other threads do in it ends with the block."""
    token = CancelToken()
    with cancel_scope(token):
        try:
            yield token
        except BaseException:
            token.cancel()
            raise


@contextmanager
def naming_transfer(file_name: str, how_to_go_on: str) -> Iterator[None]:
    """Say in `TransferCancelled` and `DeadlineExceeded` which file it was, and what to do.

    :param how_to_go_on: what is kept and how to get the rest, for the message.
    """
    try:
        yield
    except (TransferCancelled, DeadlineExceeded) as error:
        if error.file_name is None:
            error.file_name, error.how_to_go_on = file_name, how_to_go_on
        raise
