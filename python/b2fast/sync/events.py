"""What happens in a sync, as lines of JSON for other programs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from .result import SyncFailure, SyncResult

SECONDS_BETWEEN_PROGRESS = 1.0


class SyncEvents:
    """Writes an event per line; each is a JSON object, and ``event`` is its kind.

    - ``upload``, ``download``, ``copy``, ``hide``, ``delete``: done, or in a dry run to be done;
      with ``path`` and ``bytes``
    - ``failure``: with ``action``, ``path``, ``error`` (the class) and ``message``
    - ``progress``: every second at most, with ``files`` and ``bytes`` that are done
    - ``end``: the last one, with the fields of `SyncResult`; ``failures`` is their number

    All are written by the thread that runs the sync. Texts are ASCII, with escapes.

    :param stream: gets the lines; it is flushed after each
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next_progress = time.monotonic() + SECONDS_BETWEEN_PROGRESS

    def done(self, kind: str, path: str, byte_count: int, result: SyncResult) -> None:
        """An action was done."""
        self._write(event=kind, path=path, bytes=byte_count)
        now = time.monotonic()
        if now >= self._next_progress:
            self._next_progress = now + SECONDS_BETWEEN_PROGRESS
            self._write(event='progress', files=result.files, bytes=result.bytes_transferred)

    def failed(self, failure: SyncFailure) -> None:
        """Something failed, or was left out."""
        self._write(
            event='failure',
            action=failure.action,
            path=failure.path,
            error=type(failure.error).__name__,
            message=str(failure.error),
        )

    def end(self, result: SyncResult) -> None:
        """The sync is over."""
        fields = {name: getattr(result, name) for name in result.__slots__}
        self._write(event='end', **fields | {'failures': len(result.failures)})

    def _write(self, **fields: Any) -> None:
        self._stream.write(json.dumps(fields) + '\n')
        self._stream.flush()
