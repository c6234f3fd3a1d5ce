"""Server-side encryption: modes, keys and settings."""

from __future__ import annotations

from .setting import (
    SSE_B2_AES,
    SSE_NONE,
    UNKNOWN_KEY_ID,
    EncryptionKey,
    EncryptionSetting,
    EncryptionSettingFactory,
)
from .types import EncryptionAlgorithm, EncryptionMode

__all__ = [
    'SSE_B2_AES',
    'SSE_NONE',
    'UNKNOWN_KEY_ID',
    'EncryptionAlgorithm',
    'EncryptionKey',
    'EncryptionMode',
    'EncryptionSetting',
    'EncryptionSettingFactory',
]
