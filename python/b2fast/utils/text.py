"""File names made safe for a terminal: a name can hold any character."""

from __future__ import annotations

import re
import shlex

# Tabs and line ends stay: programs that print names line by line quote them (see below).
_UNPRINTABLE = re.compile('[\x00-\x08\x0e-\x1f\x7f-\x9f]')


def unprintable_to_hex(s: str) -> str:
    r"""Write control characters as ``\xNN``."""
    return _UNPRINTABLE.sub(lambda found: f'\\x{ord(found[0]):02x}', s) if s else s


def escape_control_chars(s: str) -> str:
    r"""Write control characters as ``\xNN``, and quote the text for a shell if need be."""
    return shlex.quote(unprintable_to_hex(s)) if s else s


def substitute_control_chars(s: str) -> tuple[str, bool]:
    """Replace control characters by U+FFFD; was there one?"""
    replaced, count = _UNPRINTABLE.subn('\ufffd', s)
    return replaced, count > 0
