"""One progress of many transfers."""

from __future__ import annotations

import threading
import time

from ..progress import AbstractProgressListener, tell_retried

_SECONDS_BETWEEN_CALLS = 0.1


class BulkProgress:
    """Adds up what many transfers have done, and tells a listener now and then.

    The total grows with every transfer whose size becomes known, and loses what a failed one has
    not done. It is never below what is done.
    """

    def __init__(self, listener: AbstractProgressListener | None) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._total = 0
        self._done = 0
        self._retried = 0
        self._told: tuple[int | None, int | None, int] = (None, None, 0)
        self._next_call = 0.0

    def add(self, total: int = 0, done: int = 0, retried: int = 0) -> None:
        """Bytes became known, were done, or were moved again."""
        with self._lock:
            self._total += total
            self._done += done
            self._retried += retried

    def tell(self) -> None:
        """Tell the listener if that is due; on the thread that runs the call."""
        if self._listener is not None:
            now = time.monotonic()
            if now >= self._next_call:
                self._next_call = now + _SECONDS_BETWEEN_CALLS
                self._tell(self._listener)

    def finish(self) -> None:
        """Tell the listener how it ended."""
        if self._listener is not None:
            self._tell(self._listener)

    def _tell(self, listener: AbstractProgressListener) -> None:
        with self._lock:
            total, done, retried = self._total, self._done, self._retried
        told_total, told_done, told_retried = self._told
        self._told = total, done, retried
        if total != told_total:
            listener.set_total_bytes(total)
        if done != told_done:
            listener.bytes_completed(done)
        if retried != told_retried:
            tell_retried(listener, retried)


class Share(AbstractProgressListener):
    """Listens to one transfer of many."""

    def __init__(self, whole: BulkProgress) -> None:
        super().__init__()
        self._whole = whole
        self._total = 0
        self._done = 0
        self._retried = 0

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Add the bytes to the total of all."""
        self._whole.add(total=total_byte_count - self._total)
        self._total = total_byte_count

    def bytes_completed(self, byte_count: int) -> None:
        """Add what is new to what is done."""
        if byte_count > self._total:
            self.set_total_bytes(byte_count)
        if byte_count > self._done:
            self._whole.add(done=byte_count - self._done)
            self._done = byte_count

    def bytes_retried(self, byte_count: int) -> None:
        """Add what is new to what was moved again."""
        self._whole.add(retried=byte_count - self._retried)
        self._retried = byte_count

    def settle(self) -> None:
        """The transfer is over: take what was not done off the total."""
        self.set_total_bytes(self._done)
