"""Downloads from `RawSimulator`, as programs written for b2sdk know them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .ranges import clamp_range, exact_range
from .raw_calls import client_errors

if TYPE_CHECKING:
    from requests.structures import CaseInsensitiveDict

    from .raw_objects import FileSimulator


@client_errors
def get_bytes_range(data_bytes: bytes, bytes_range: tuple[int, int] | None) -> bytes:
    """Cuts an inclusive range out of bytes; None is all of them.

    As in b2sdk, the last byte may be one behind the end.

    :raises UnsatisfiableRange: the range is none, or reaches further.
    """
    if bytes_range is None:
        return data_bytes
    start, end = exact_range(bytes_range, len(data_bytes), beyond=1)
    return data_bytes[start:end]


@dataclass
class FakeRequest:
    """The request of a `FakeResponse`: what of `requests.PreparedRequest` is looked at."""

    url: str
    headers: CaseInsensitiveDict[str]


@dataclass
class FakeRaw:
    """The body of a `FakeResponse`: what of `urllib3.HTTPResponse` is looked at."""

    data_bytes: bytes
    _position: int = 0

    def tell(self) -> int:
        """Returns how many bytes were read."""
        return self._position

    def read(self, size: int) -> bytes:
        """Returns the next bytes."""
        data = self.data_bytes[self._position : self._position + size]
        self._position += len(data)
        return data


class FakeResponse:
    """A download from `RawSimulator`: what of `requests.Response` is looked at.

    :param account_auth_token_or_none: the reader's token.
    :param file_sim: the version to read.
    :param url: what was asked for.
    :param range_: first and last byte; the end is clamped to the file's.
    """

    @client_errors
    def __init__(
        self,
        account_auth_token_or_none: str | None,
        file_sim: FileSimulator,
        url: str,
        range_: tuple[int, int] | None = None,
    ) -> None:
        from requests.structures import CaseInsensitiveDict

        length = file_sim.content_length
        start, end = (0, length) if range_ is None else clamp_range(range_, length)
        self.raw = FakeRaw(file_sim.content.read(start, end))
        self.headers: CaseInsensitiveDict[str] = CaseInsensitiveDict(
            file_sim.as_download_headers(account_auth_token_or_none, range_)
        )
        self.url = url
        self.range_ = range_
        self.status_code = 200 if range_ is None else 206

    @property
    def data_bytes(self) -> bytes:
        """The bytes of this answer; new ones are read from their start."""
        return self.raw.data_bytes

    @data_bytes.setter
    def data_bytes(self, value: bytes) -> None:
        self.raw = FakeRaw(value)

    @property
    def request(self) -> FakeRequest:
        """The request that this answers."""
        from requests.structures import CaseInsensitiveDict

        headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
        if self.range_ is not None:
            headers['Range'] = f'{self.range_[0]}-{self.range_[1]}'
        return FakeRequest(self.url, headers)

    def iter_content(self, chunk_size: int = 1) -> Iterator[bytes]:
        """Gives the bytes in chunks."""
        while chunk := self.raw.read(chunk_size):
            yield chunk

    def close(self) -> None:
        """Ends the download; what was not read can still be read, as in b2sdk."""

    def __enter__(self) -> FakeResponse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
