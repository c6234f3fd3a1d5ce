"""Sources of uploads."""

from __future__ import annotations

import io
import os
from abc import abstractmethod
from collections.abc import Callable
from contextlib import closing
from enum import Enum, auto, unique
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from ..._core import hashing
from ...exception import InvalidUploadSource, SourceChanged
from ...http_constants import DEFAULT_MIN_PART_SIZE
from ...stream.range import RangeOfInputStream, go_to, wrap_with_range
from ...utils.hashing import hex_sha1_of_file
from ...utils.stream_hashing import IncrementalHexDigester, hex_sha1_of_unlimited_stream
from .copy_source import CopySource
from .outbound_source import OutboundTransferSource

if TYPE_CHECKING:
    from ...file_version import BaseFileVersion
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
    :ivar file_state: bytes of the file and when it was modified, in nanoseconds since 1970, as it
        was looked at

    Raises `InvalidUploadSource` if there is no regular file.
    """

    def __init__(
        self, local_path: os.PathLike[str] | str, content_sha1: Sha1HexDigest | None = None
    ) -> None:
        self.local_path = Path(local_path)
        self.content_length = 0
        self.file_state: tuple[int, int] | None = None
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
        found = self.local_path.stat()
        self.content_length = found.st_size
        self.file_state = found.st_size, found.st_mtime_ns

    def check_unchanged(self) -> None:
        """Raise `SourceChanged` if the file is not as it was when it was looked at."""
        found = self.local_path.stat()
        if self.file_state not in (None, (found.st_size, found.st_mtime_ns)):
            raise SourceChanged(str(self.local_path))

    def get_content_length(self) -> int:
        """The file's size in bytes when it was looked at."""
        return self.content_length

    def get_content_sha1(self) -> Sha1HexDigest:
        """Its SHA-1 in hex; reads the whole file when it is asked for first."""
        if self.content_sha1 is None:
            self.content_sha1 = hex_sha1_of_file(self.local_path)
        return self.content_sha1

    def is_sha1_known(self) -> bool:
        """Was it given, or computed before?"""
        return self.content_sha1 is not None

    def open(self) -> BinaryIO:
        """Open the file."""
        return self.local_path.open('rb')


class UploadSourceLocalFile(UploadSourceLocalFileBase):
    """A local file, sent as a whole."""

    def get_incremental_sources(
        self, file_version: BaseFileVersion | None, min_part_size: int | None = None
    ) -> list[OutboundTransferSource]:
        """What the file can be made of, if it only grew since a version of it was stored.

        If it starts with the content of that version, which is proven by its SHA-1, these are
        a copy of the version and the rest of the file. Otherwise it is the file alone.

        :param file_version: the stored version; None if there is none
        :param min_part_size: bytes that the version must have to be worth it; 5 MB if None
        """
        whole: list[OutboundTransferSource] = [self]
        if file_version is None:
            return whole
        stored, sha1 = file_version.size, file_version.get_content_sha1()
        least = min_part_size or DEFAULT_MIN_PART_SIZE
        if sha1 is None or stored is None or not least <= stored <= self.get_content_length():
            return whole
        with self.open() as stream:
            digester = IncrementalHexDigester(stream)
            same = digester.update_from_stream(stored) == sha1
            if self.content_sha1 is None:
                # Whichever way the file is sent, its SHA-1 goes with it.
                self.content_sha1 = digester.update_from_stream()
        # What is copied and the SHA-1 belong to the content that was read just now.
        self.check_unchanged()
        if not same:
            return whole
        encryption = file_version.server_side_encryption
        rest = UploadSourceLocalFileRange(self.local_path, offset=stored)
        rest.file_state = self.file_state
        return [
            CopySource(
                file_version.id_,
                offset=0,
                length=stored,
                encryption=None if encryption is None or encryption.is_unknown() else encryption,
                source_file_info=file_version.file_info,
                source_content_type=file_version.content_type,
            ),
            rest,
        ]


class UploadSourceLocalFileRange(UploadSourceLocalFileBase):
    """A stretch of a local file.

    :param content_sha1: the SHA-1 of the stretch in hex, if it is known
    :param offset: its first byte
    :param length: its bytes; None for all that are left

    Raises `InvalidUploadSource` if there is no regular file, `ValueError` if the stretch
    reaches beyond it.
    """

    def __init__(
        self,
        local_path: os.PathLike[str] | str,
        content_sha1: Sha1HexDigest | None = None,
        offset: int = 0,
        length: int | None = None,
    ) -> None:
        super().__init__(local_path, content_sha1)
        self.file_size = self.content_length
        self.offset = offset
        self.content_length = self.file_size - offset if length is None else length
        if offset < 0 or self.content_length < 0 or offset + self.content_length > self.file_size:
            raise ValueError('Range length overflow file size')

    def __repr__(self) -> str:
        return (
            f'<{type(self).__name__} local_path={self.local_path} offset={self.offset} '
            f'content_length={self.content_length} content_sha1={self.content_sha1} '
            f'id={id(self)}>'
        )

    def get_content_sha1(self) -> Sha1HexDigest:
        """The SHA-1 of the stretch in hex; reads it when it is asked for first."""
        if self.content_sha1 is None:
            with self.open() as stream:
                self.content_sha1 = hex_sha1_of_unlimited_stream(stream)[0]
        return self.content_sha1

    def open(self) -> BinaryIO:
        """Open the stretch."""
        file = super().open()
        return cast(
            'BinaryIO', wrap_with_range(file, self.file_size, self.offset, self.content_length)
        )


class UploadSourceStream(AbstractUploadSource):
    """What a function opens.

    :param stream_opener: opens the content for reading, at its start, as often as it is called
    :param stream_length: its bytes; None to count them, for which it is read once
    :param stream_sha1: its SHA-1 in hex; None to compute it, for which it is read once
    """

    def __init__(
        self,
        stream_opener: Callable[[], Any],
        stream_length: int | None = None,
        stream_sha1: Sha1HexDigest | None = None,
    ) -> None:
        self.stream_opener = stream_opener
        self._content_length = stream_length
        self._content_sha1 = stream_sha1

    def __repr__(self) -> str:
        return (
            f'<{type(self).__name__} stream_opener={self.stream_opener!r} '
            f'content_length={self._content_length} content_sha1={self._content_sha1} '
            f'id={id(self)}>'
        )

    def get_content_length(self) -> int:
        """The number of bytes, counted when it is asked for first."""
        if self._content_length is None:
            return self._read_once()[1]
        return self._content_length

    def get_content_sha1(self) -> Sha1HexDigest:
        """The SHA-1 in hex, computed when it is asked for first."""
        if self._content_sha1 is None:
            return self._read_once()[0]
        return self._content_sha1

    def _read_once(self) -> tuple[Sha1HexDigest, int]:
        with closing(self.open()) as stream:
            found = hex_sha1_of_unlimited_stream(stream)
        self._content_sha1, self._content_length = found
        return found

    def is_sha1_known(self) -> bool:
        """Was it given, or computed before?"""
        return self._content_sha1 is not None

    def open(self) -> BinaryIO:
        """Open the content."""
        stream: BinaryIO = self.stream_opener()
        return stream


class UploadSourceStreamRange(UploadSourceStream):
    """A stretch of what a function opens.

    :param stream_opener: opens the stream at its start, as often as it is called
    :param offset: the first byte; a stream that cannot be sought is read up to there
    :param stream_length: bytes of the stretch; None for all that are left, which are counted
    :param stream_sha1: the SHA-1 of the stretch in hex; None to compute it
    """

    def __init__(
        self,
        stream_opener: Callable[[], Any],
        offset: int = 0,
        stream_length: int | None = None,
        stream_sha1: Sha1HexDigest | None = None,
    ) -> None:
        super().__init__(stream_opener, stream_length, stream_sha1)
        self._offset = offset

    def __repr__(self) -> str:
        return (
            f'<{type(self).__name__} stream_opener={self.stream_opener!r} '
            f'offset={self._offset} content_length={self._content_length} '
            f'content_sha1={self._content_sha1} id={id(self)}>'
        )

    def open(self) -> BinaryIO:
        """Open the stretch."""
        stream = super().open()
        if self._content_length is None:
            go_to(stream, self._offset)
            return stream
        return cast('BinaryIO', RangeOfInputStream(stream, self._offset, self._content_length))


def path_of_content(source: AbstractUploadSource) -> Path | None:
    """The local file that the source's content is, or None.

    A subclass with an `open` of its own means that content and nothing else.
    """
    if not isinstance(source, UploadSourceLocalFileBase):
        return None
    return source.local_path if type(source).open is UploadSourceLocalFileBase.open else None


def stretch_of_file(source: AbstractUploadSource) -> tuple[Path, int] | None:
    """The local file that the source's content is a stretch of, and where it starts, or None."""
    if type(source) is UploadSourceLocalFileRange:
        return source.local_path, source.offset
    path = path_of_content(source)
    return None if path is None else (path, 0)


def name_of(source: OutboundTransferSource) -> str:
    """What errors call a source."""
    return str(getattr(source, 'local_path', source))


def bytes_of(data: bytes | bytearray | memoryview) -> bytes | bytearray:
    """Bytes as a type that `UploadSourceBytes` takes. Raises `TypeError` for text."""
    if isinstance(data, bytes | bytearray):
        return data
    return bytes(memoryview(data))
