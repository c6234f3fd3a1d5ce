"""What content can be made of: bytes that are sent, or stored files that are copied."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...types import Sha1HexDigest


class OutboundTransferSource(ABC):
    """Something that a file in B2 can be made of."""

    @abstractmethod
    def get_content_length(self) -> int:
        """Its length in bytes."""

    @abstractmethod
    def get_content_sha1(self) -> Sha1HexDigest | None:
        """Its SHA-1 in hex, or None if that cannot be known."""

    @abstractmethod
    def is_upload(self) -> bool:
        """Are its bytes sent from here?"""

    @abstractmethod
    def is_copy(self) -> bool:
        """Are its bytes copied within B2?"""
