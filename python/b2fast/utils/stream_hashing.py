"""Digests of streams, read in blocks; digests of bytes and files are in `utils.hashing`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from .._core.hashing import Sha1
from ..types import ReadOnlyStream, Sha1HexDigest

_BLOCK_SIZE = 1024 * 1024


class Digest(Protocol):
    """A hash function at work: one of ``hashlib``, or of this package's core."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """The digest of all bytes so far, in hex."""


_D = TypeVar('_D', bound=Digest)


@dataclass
class IncrementalHexDigester:
    """Hashes a stream piece by piece.

    :param stream: what to read, from its position on
    :param digest: the hash function; SHA-1 if none is given
    :param read_bytes: how many bytes were read; counts up
    :param block_size: the bytes to read at a time
    """

    stream: ReadOnlyStream
    digest: Digest = field(default_factory=Sha1)
    read_bytes: int = 0
    block_size: int = _BLOCK_SIZE

    @property
    def hex_digest(self) -> Sha1HexDigest:
        """The digest of what was read so far, in hex."""
        return self.digest.hexdigest()

    def update_from_stream(self, limit: int | None = None) -> Sha1HexDigest:
        """Read on and return the digest of all that was read so far, in hex.

        :param limit: how many bytes to read at most; None for all that are left. A stream that
            gives less than it is asked for, as pipes do, is asked again.
        :raises ValueError: if the limit is negative.
        """
        if limit is not None and limit < 0:
            raise ValueError(f'the limit must not be negative: {limit}')
        left = limit
        while left is None or left > 0:
            data = self.stream.read(self.block_size if left is None else min(left, self.block_size))
            if not data:
                break
            self.digest.update(data)
            self.read_bytes += len(data)
            if left is not None:
                left -= len(data)
        return self.hex_digest


def update_digest_from_stream(digest: _D, input_stream: ReadOnlyStream, content_length: int) -> _D:
    """Add the next ``content_length`` bytes of a stream to a digest; returns the digest.

    :raises ValueError: if the stream ends before; the digest has what was read.
    """
    digester = IncrementalHexDigester(input_stream, digest)
    digester.update_from_stream(content_length)
    if digester.read_bytes != content_length:
        raise ValueError(f'the stream ended after {digester.read_bytes} of {content_length} bytes')
    return digest


def hex_sha1_of_unlimited_stream(
    input_stream: ReadOnlyStream, limit: int | None = None
) -> tuple[Sha1HexDigest, int]:
    """The SHA-1 of the rest of a stream in hex, and the number of bytes it has.

    :param limit: how many bytes to read at most; None for all
    :raises ValueError: if the limit is negative.
    """
    digester = IncrementalHexDigester(input_stream)
    return digester.update_from_stream(limit), digester.read_bytes
