"""What shall be where in a new file."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...types import Sha1HexDigest
    from ..outbound.outbound_source import OutboundTransferSource


class WriteIntent:
    """A source and the place of its content in a new file.

    :param outbound_source: content to send, or a stored file to copy; its length must be known
    :param destination_offset: where it starts in the new file, in bytes

    Raises `ValueError` for a source of unknown length.
    """

    def __init__(
        self, outbound_source: OutboundTransferSource, destination_offset: int = 0
    ) -> None:
        if outbound_source.get_content_length() is None:
            raise ValueError('Cannot wrap outbound source of unknown length')
        self.outbound_source = outbound_source
        self.destination_offset = destination_offset

    def __repr__(self) -> str:
        return (
            f'<{type(self).__name__} outbound_source={self.outbound_source!r} '
            f'destination_offset={self.destination_offset} id={id(self)}>'
        )

    @property
    def length(self) -> int:
        """The length of the source in bytes."""
        return self.outbound_source.get_content_length()

    @property
    def destination_end_offset(self) -> int:
        """Where the source ends in the new file, in bytes."""
        return self.destination_offset + self.length

    def is_copy(self) -> bool:
        """Is the source copied within B2?"""
        return self.outbound_source.is_copy()

    def is_upload(self) -> bool:
        """Is the source sent from here?"""
        return self.outbound_source.is_upload()

    def get_content_sha1(self) -> Sha1HexDigest | None:
        """The SHA-1 of the source in hex, or None if that cannot be known."""
        return self.outbound_source.get_content_sha1()

    @classmethod
    def wrap_sources_iterator(
        cls, outbound_sources_iterator: Iterable[OutboundTransferSource]
    ) -> Generator[WriteIntent, None, None]:
        """Put sources one after the other, without a gap."""
        offset = 0
        for source in outbound_sources_iterator:
            intent = cls(source, offset)
            yield intent
            offset = intent.destination_end_offset
