"""Which file names B2 takes."""

from __future__ import annotations

from ..exception import UnusableFileName

_MAX_BYTES = 1024
_DELETE = 127


def check_file_name(name: str) -> None:
    """Raise `UnusableFileName` for a name that B2 refuses.

    A name is 1 to 1024 bytes of UTF-8 without control characters ("Files" in B2's
    documentation). b2sdk also refuses ``//``, a backslash, ``/`` at either end and segments of
    more than 250 bytes, which B2 itself has allowed since 2020.
    """
    if not name:
        raise UnusableFileName('a file name has at least one character')
    try:
        size = len(name.encode('utf-8'))
    except UnicodeEncodeError:
        raise UnusableFileName(f'{name!r} is not valid Unicode') from None
    if size > _MAX_BYTES:
        raise UnusableFileName(f'{name!r} has {size} bytes; B2 takes {_MAX_BYTES}')
    for character in name:
        if ord(character) < ord(' ') or ord(character) == _DELETE:
            raise UnusableFileName(f'{name!r} has a control character, {ord(character):#04x}')
