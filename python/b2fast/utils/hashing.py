"""SHA-1 and MD5 of bytes, streams and files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._core import hashing
from .._core.transfer import TransferError
from ..cancel import check_scope
from ..types import ReadOnlyStream, Sha1HexDigest
from .stream_hashing import hex_sha1_of_unlimited_stream

if TYPE_CHECKING:
    import hashlib


def hex_sha1_of_bytes(data: bytes) -> Sha1HexDigest:
    """The SHA-1 of bytes, as 40 hex digits."""
    return hashing.sha1_of_bytes(data)


def hex_sha1_of_stream(input_stream: ReadOnlyStream, content_length: int) -> Sha1HexDigest:
    """The SHA-1 of the next ``content_length`` bytes of a stream, as 40 hex digits.

    :raises ValueError: if the stream ends before.
    """
    return hashing.sha1_of_stream(input_stream, content_length)


def hex_sha1_of_file(path_: str | os.PathLike[str]) -> Sha1HexDigest:
    """The SHA-1 of a local file, as 40 hex digits; a pipe or a device is read to its end.

    :raises OSError: if the file cannot be read.
    :raises TransferCancelled: or `DeadlineExceeded`, by the end of a `cancel_scope`.
    """
    if os.path.isfile(path_):
        try:
            return hashing.sha1_of_file(path_)
        except TransferError:
            check_scope()
            raise
    with open(path_, 'rb') as stream:
        return hex_sha1_of_unlimited_stream(stream)[0]


def hex_md5_of_bytes(data: bytes) -> str:
    """The MD5 of bytes, as 32 hex digits."""
    return _md5(data).hexdigest()


def md5_of_bytes(data: bytes) -> bytes:
    """The MD5 of bytes, as 16 bytes."""
    return _md5(data).digest()


def b64_of_bytes(data: bytes) -> str:
    """Bytes in Base64, as B2 takes keys and their MD5."""
    import base64

    return base64.b64encode(data).decode('ascii')


def _md5(data: bytes) -> hashlib._Hash:
    import hashlib  # loads OpenSSL

    return hashlib.md5(data, usedforsecurity=False)
