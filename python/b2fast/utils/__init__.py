"""Small helpers, by subject.

What needs the extension module (`utils.hashing`, `utils.parts`) is imported from there.
"""

from __future__ import annotations

from .clock import current_time_millis
from .log_filter import UrllibWarningFilter
from .text import escape_control_chars, substitute_control_chars, unprintable_to_hex
from .url import b2_url_decode, b2_url_encode

__all__ = [
    'UrllibWarningFilter',
    'b2_url_decode',
    'b2_url_encode',
    'current_time_millis',
    'escape_control_chars',
    'substitute_control_chars',
    'unprintable_to_hex',
]
