"""Is what arrived what was announced?"""

from __future__ import annotations

from ..._core.hashing import Sha1
from ...exception import ChecksumMismatch, TruncatedOutput


class ContentCheck:
    """Counts and hashes content as it arrives.

    :param sha1: what its SHA-1 must be, in hex; None for no check
    :param length: what its length must be, in bytes
    """

    def __init__(self, sha1: str | None, length: int) -> None:
        self._sha1 = sha1
        self._length = length
        self._digest = None if sha1 is None else Sha1()
        self.received = 0

    def update(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.received += len(chunk)
        if self._digest is not None:
            self._digest.update(chunk)

    def is_complete(self) -> bool:
        """Has all of it arrived?"""
        return self.received >= self._length

    def finish(self) -> None:
        """Raise `TruncatedOutput` or `ChecksumMismatch` if something is wrong."""
        if self.received != self._length:
            raise TruncatedOutput(self.received, self._length)
        if self._digest is not None and self._sha1 is not None:
            actual = self._digest.hexdigest()
            if actual != self._sha1.lower():
                raise ChecksumMismatch('sha1', self._sha1, actual)
