"""The errors of stored account data, by the path that b2sdk has for them."""

from __future__ import annotations

from ..exception import AccountInfoError, CorruptAccountInfo, MissingAccountData

__all__ = ['AccountInfoError', 'CorruptAccountInfo', 'MissingAccountData']
