"""One re-authorization at a time, however many threads find the token expired."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable

from .cancel import locked
from .exception import B2Error, DeadlineExceeded, TransferCancelled


class Reauthorizer:
    """Replaces an expired token once and gives the new one to everybody who asks meanwhile.

    Whoever comes with the token that is still the current one authorizes; the others wait and
    find a newer token.  If the authorization fails, those who waited for it fail alike, instead
    of trying one after the other.

    :param current_token: gives the token in use.
    :param authorize: authorizes again, so that `current_token` gives another token.
    """

    def __init__(self, current_token: Callable[[], str], authorize: Callable[[], None]) -> None:
        self._current_token = current_token
        self._authorize = authorize
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._failures = 0
        self._error: B2Error | None = None

    def token_newer_than(self, failed_token: str | None) -> str:
        """Give a token other than the failed one; with None, just the current one."""
        if self._pid != os.getpid():
            # A child of fork: the lock may be held by a thread that the child does not have.
            self._reset()
        failures_seen = self._failures
        with locked(self._lock):
            token = self._current_token()
            if token != failed_token:
                return token
            if self._error is not None and self._failures != failures_seen:
                raise copy.copy(self._error)
            try:
                self._authorize()
            except (TransferCancelled, DeadlineExceeded):
                # That concerns nobody else: the next one authorizes.
                raise
            except B2Error as error:
                self._error = error
                self._failures += 1
                raise
            self._error = None
            return self._current_token()
