"""Small helpers, by subject."""

from __future__ import annotations

from .clock import current_time_millis
from .url import b2_url_decode, b2_url_encode

__all__ = ['b2_url_decode', 'b2_url_encode', 'current_time_millis']
