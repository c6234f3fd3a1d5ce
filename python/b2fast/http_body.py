"""A Python stream as the body of a request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast

from .types import ReadOnlyStream


class StreamBody:
    """Lets requests send a stream in the way that B2 accepts.

    It has a length and no ``__iter__``, or requests would send it in chunks, which B2 refuses.
    It remembers an error of the stream itself, which urllib3 would take for one of the network.

    :param stream: what to send, from its position on.
    :param headers: where ``Content-Length`` is taken from, if it is there.
    """

    def __init__(self, stream: ReadOnlyStream, headers: Mapping[str, str]) -> None:
        self._stream = cast(Any, stream)
        self.error: OSError | None = None
        try:
            self._start: int | None = self._stream.tell()
        except (AttributeError, OSError):
            self._start = None
        given = headers.get('Content-Length')
        self._length = int(given) if given is not None else self._remaining()

    @property
    def can_rewind(self) -> bool:
        """Can the stream be sent a second time?"""
        return self._start is not None

    def rewind(self) -> None:
        """Go back to where the stream was in the beginning."""
        self.error = None
        if self._start is not None:
            self._stream.seek(self._start)

    def read(self, size: int = -1) -> bytes:
        """Read at most ``size`` bytes."""
        try:
            data: bytes = self._stream.read(size)
        except OSError as error:
            self.error = error
            raise
        return data

    def __len__(self) -> int:
        return self._length

    def _remaining(self) -> int:
        if self._start is None:
            raise ValueError('a stream that cannot be rewound needs a Content-Length header')
        end: int = self._stream.seek(0, os.SEEK_END)
        self._stream.seek(self._start)
        return end - self._start
