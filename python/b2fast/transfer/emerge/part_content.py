"""The content of a part that is sent: pieces of several sources in a row."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from ...stream.chained import ChainedStream
from ...types import Sha1HexDigest
from ...utils.stream_hashing import hex_sha1_of_unlimited_stream
from ..outbound.copy_source import CopySource
from ..outbound.upload_source import AbstractUploadSource, name_of
from .downloaded_stretch import CachedBytesStreamOpener, download_stretch
from .stretch_stream import StretchStream

if TYPE_CHECKING:
    from ...services import Services
    from .planner import EmergePart


class PartContent(AbstractUploadSource):
    """A part as an upload source.

    What is downloaded for it is downloaded once and kept until `forget`, so that the part can be
    sent again.

    :param sha1: in hex, if it is known
    """

    def __init__(
        self, services: Services, part: EmergePart, sha1: Sha1HexDigest | None = None
    ) -> None:
        self._length = part.length
        self._sha1 = sha1
        self._downloaded: list[CachedBytesStreamOpener] = []
        self._openers: list[Callable[[], Any]] = []
        self._names = [name_of(stretch.source) for stretch in part.stretches]
        for stretch in part.stretches:
            source = stretch.source
            if isinstance(source, CopySource):
                copied = source.get_copy_source_range(stretch.offset, stretch.length)
                opener = CachedBytesStreamOpener(partial(download_stretch, services, copied))
                self._downloaded.append(opener)
                # The chain must not clean up: it is opened again.
                self._openers.append(opener.__call__)
            else:
                assert isinstance(source, AbstractUploadSource)
                self._openers.append(partial(StretchStream, source, stretch))

    def __repr__(self) -> str:
        # Errors name a source so.
        return ' + '.join(self._names)

    def get_content_length(self) -> int:
        """Bytes."""
        return self._length

    def get_content_sha1(self) -> Sha1HexDigest:
        """The SHA-1 in hex, for which the content is read when it is asked for first."""
        if self._sha1 is None:
            with self.open() as stream:
                self._sha1 = hex_sha1_of_unlimited_stream(stream)[0]
        return self._sha1

    def is_sha1_known(self) -> bool:
        """Was it computed before?"""
        return self._sha1 is not None

    def open(self) -> BinaryIO:
        """Open the content at its start."""
        if len(self._openers) == 1:
            stream: BinaryIO = self._openers[0]()
            return stream
        return cast('BinaryIO', ChainedStream(self._openers))

    def forget(self) -> None:
        """Give up what was downloaded."""
        for opener in self._downloaded:
            opener.cleanup()


def downloaded_bytes(part: EmergePart) -> int:
    """How many bytes of a part that is sent are downloaded and kept in memory for it."""
    return sum(stretch.length for stretch in part.stretches if stretch.source.is_copy())
