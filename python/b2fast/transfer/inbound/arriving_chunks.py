"""The chunks of a response's body, of which nothing is lost when the connection breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...exception import B2ConnectionError


def arriving_chunks(response: Any, size: int) -> Iterator[bytes]:
    """Give the body in chunks of a size; what arrived before a failure comes before its error.

    :param response: the open response; has ``iter_content``
    :param size: bytes to receive at a time

    Raises `OSError` if the body breaks off.
    """
    raw = getattr(response, 'raw', None)
    # Only what comes over a connection arrives by and by, and urllib3 1 cannot read it so.
    read1 = getattr(raw, 'read1', None)
    if read1 is None or getattr(raw, 'connection', None) is None:
        return response.iter_content(size)  # type: ignore[no-any-return]
    return _gathered(read1, size)


def _gathered(read1: Callable[..., bytes], size: int) -> Iterator[bytes]:
    # `iter_content` drops what it has of a chunk when the connection breaks within it.
    from urllib3.exceptions import HTTPError

    chunk = bytearray()
    try:
        while data := read1(size - len(chunk), decode_content=True):
            chunk += data
            if len(chunk) >= size:
                yield bytes(chunk)
                chunk.clear()
    except (OSError, HTTPError) as error:
        if chunk:
            yield bytes(chunk)
        raise B2ConnectionError(str(error)) from None
    if chunk:
        yield bytes(chunk)
