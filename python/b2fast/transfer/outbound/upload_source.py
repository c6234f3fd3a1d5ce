"""Sources of uploads."""

from __future__ import annotations

import io
import os
from abc import abstractmethod
from enum import Enum, auto, unique
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..._core import hashing
from ...exception import InvalidUploadSource
from .outbound_source import OutboundTransferSource

if TYPE_CHECKING:
    from ...types import Sha1HexDigest


@unique
class UploadMode(Enum):
    """What an upload of a local file sends."""

    FULL = auto()
    """The whole file."""
    INCREMENTAL = auto()
    """What was appended to the newest version in the bucket; the rest is copied from it."""


class AbstractUploadSource(OutboundTransferSource):
    """Content that is sent from here. It can be opened any number of times."""

    @abstractmethod
    def open(self) -> BinaryIO:
        """Open the content for reading, at its start."""

    def is_upload(self) -> bool:
        """Yes."""
        return True

    def is_copy(self) -> bool:
        """No."""
        return False

    def is_sha1_known(self) -> bool:
        """Does `get_content_sha1` answer without reading the content?"""
        return False


class UploadSourceBytes(AbstractUploadSource):
    """Bytes in memory.

    :param content_sha1: their SHA-1 in hex, if it is known
    """

    _SHOWN_BYTES = 20

    def __init__(
        self, data_bytes: bytes | bytearray, content_sha1: Sha1HexDigest | None = None
    ) -> None:
        self.data_bytes = data_bytes
        self.content_sha1 = content_sha1

    def __repr__(self) -> str:
        shown = bytes(self.data_bytes[: self._SHOWN_BYTES])
        more = '...' if len(self.data_bytes) > self._SHOWN_BYTES else ''
        return f'<{type(self).__name__} data={shown!r}{more} id={id(self)}>'

    def get_content_length(self) -> int:
        """The number of bytes."""
        return len(self.data_bytes)

    def get_content_sha1(self) -> Sha1HexDigest:
        """Their SHA-1 in hex, computed when it is asked for first."""
        if self.content_sha1 is None:
            self.content_sha1 = hashing.sha1_of_bytes(self.data_bytes)
        return self.content_sha1

    def is_sha1_known(self) -> bool:
        """Was it given, or computed before?"""
        return self.content_sha1 is not None

    def open(self) -> BinaryIO:
        """The bytes as a file."""
        return io.BytesIO(self.data_bytes)


class UploadSourceLocalFileBase(AbstractUploadSource):
    """A local file.

    :param local_path: its path; symbolic links are followed
    :param content_sha1: its SHA-1 in hex, if it is known

    Raises `InvalidUploadSource` if there is no regular file.
    """

    def __init__(
        self, local_path: os.PathLike[str] | str, content_sha1: Sha1HexDigest | None = None
    ) -> None:
        self.local_path = Path(local_path)
        self.content_length = 0
        self.content_sha1 = content_sha1
        self.check_path_and_get_size()

    def __repr__(self) -> str:
        return (
            f'<{type(self).__name__} local_path={self.local_path} '
            f'content_length={self.content_length} content_sha1={self.content_sha1} '
            f'id={id(self)}>'
        )

    def check_path_and_get_size(self) -> None:
        """Look at the file again. Raises `InvalidUploadSource` if it is no regular file."""
        if not self.local_path.is_file():
            raise InvalidUploadSource(self.local_path)
        self.content_length = self.local_path.stat().st_size

    def get_content_length(self) -> int:
        """The file's size in bytes when it was looked at."""
        return self.content_length

    def get_content_sha1(self) -> Sha1HexDigest:
        """Its SHA-1 in hex; reads the whole file when it is asked for first."""
        if self.content_sha1 is None:
            self.content_sha1 = hashing.sha1_of_file(self.local_path)
        return self.content_sha1

    def is_sha1_known(self) -> bool:
        """Was it given, or computed before?"""
        return self.content_sha1 is not None

    def open(self) -> BinaryIO:
        """Open the file."""
        return self.local_path.open('rb')


class UploadSourceLocalFile(UploadSourceLocalFileBase):
    """A local file, sent as a whole."""


def path_of_content(source: AbstractUploadSource) -> Path | None:
    """The local file that the source's content is, or None.

    A subclass with an `open` of its own means that content and nothing else.
    """
    if not isinstance(source, UploadSourceLocalFileBase):
        return None
    return source.local_path if type(source).open is UploadSourceLocalFileBase.open else None


def bytes_of(data: bytes | bytearray | memoryview) -> bytes | bytearray:
    """Bytes as a type that `UploadSourceBytes` takes. Raises `TypeError` for text."""
    if isinstance(data, bytes | bytearray):
        return data
    return bytes(memoryview(data))
