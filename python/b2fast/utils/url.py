"""Percent encoding of file names and file info, by the rules of the native API."""

from __future__ import annotations

from urllib.parse import quote, unquote_plus


def b2_url_encode(s: str) -> str:
    """Encode a file name or a file info value for a URL or a header.

    Everything but letters, digits and ``-._~/`` becomes the ``%XX`` of its UTF-8 bytes.  B2
    allows a few more characters plainly, but reads a plain ``+`` as a space, so the smaller
    set is the safe one ("Native API String Encoding").
    """
    return quote(s.encode('utf-8'))


def b2_url_decode(s: str) -> str:
    """Decode what B2 sends in headers: ``%XX`` and ``+`` for a space."""
    return unquote_plus(s)
