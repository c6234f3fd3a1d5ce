"""Modes and algorithms of server-side encryption, as the service writes them."""

from __future__ import annotations

from enum import Enum, unique


@unique
class EncryptionAlgorithm(Enum):
    """How content is encrypted."""

    AES256 = 'AES256'

    def get_length(self) -> int:
        """Length of a key in bytes."""
        return 32


@unique
class EncryptionMode(Enum):
    """Who holds the key."""

    UNKNOWN = None
    """The application key may not read it."""
    NONE = 'none'
    """Content is not encrypted."""
    SSE_B2 = 'SSE-B2'
    """The service holds the key."""
    SSE_C = 'SSE-C'
    """The customer holds the key and sends it with every request."""

    def can_be_set_as_bucket_default(self) -> bool:
        """Does the service accept the mode as the default of a bucket?"""
        return self is EncryptionMode.SSE_B2


ENCRYPTION_MODES_WITH_MANDATORY_ALGORITHM = frozenset((EncryptionMode.SSE_B2, EncryptionMode.SSE_C))
ENCRYPTION_MODES_WITH_MANDATORY_KEY = frozenset((EncryptionMode.SSE_C,))
