"""The body of a download that goes on where its connection broke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...cancel import check_scope
from ...exception import B2Error, TruncatedOutput
from ...retry import Attempts
from .arriving_chunks import arriving_chunks

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...session import B2Session


def open_response(
    session: B2Session,
    url: str,
    range_: tuple[int, int] | None,
    encryption: EncryptionSetting | None,
) -> Any:
    """Ask the raw API for a file, or its bytes first to last; returns the open response."""
    opened = session.download_file_from_url(url, range_=range_, encryption=encryption)
    return opened.__enter__() if hasattr(opened, '__enter__') else opened


class ContinuedBody:
    """Reads a response, and what is missing of it from further ones.

    :param response: the first response; has ``iter_content`` and ``close``
    :param url: where further ones are asked for; it may be changed
    :param start: where in the file the response begins
    :param length: how many bytes of it are wanted
    :param chunk_size: bytes to receive at a time
    """

    def __init__(
        self,
        session: B2Session,
        url: str,
        encryption: EncryptionSetting | None,
        response: Any,
        *,
        start: int,
        length: int,
        chunk_size: int,
    ) -> None:
        self.url = url
        self.received = 0
        self._session = session
        self._encryption = encryption
        self._response = response
        self._start = start
        self._length = length
        self._chunk_size = chunk_size
        self._chunks = arriving_chunks(response, chunk_size)
        self._attempts = Attempts(session.retry_policies.downloads)

    def next_chunk(self) -> bytes:
        """The next bytes; none at the end.

        Raises `TruncatedOutput` if the body cannot be had to its end.
        """
        while self.received < self._length:
            check_scope()
            try:
                chunk: bytes = next(self._chunks, b'')
            except OSError as error:
                # Errors of requests are OSError, as are some of ours; not all of these pass.
                # The end of a scope breaks connections off.
                check_scope()
                if isinstance(error, B2Error) and not error.should_retry_http():
                    raise
                chunk = b''
            if chunk:
                self.received += len(chunk)
                self._session.counter.received(len(chunk))
                self._attempts.progress()
                return chunk
            if not self._attempts.wait(None):
                raise TruncatedOutput(self.received, self._length)
            self._session.counter.retried()
            self._continue()
        return b''

    def _continue(self) -> None:
        self._response.close()
        missing = self._start + self.received, self._start + self._length - 1
        self._response = open_response(self._session, self.url, missing, self._encryption)
        self._chunks = arriving_chunks(self._response, self._chunk_size)

    def close(self) -> None:
        """Close the connection, or give it back if the body was read."""
        self._response.close()
