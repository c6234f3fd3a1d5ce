"""What a file name must look like."""

from __future__ import annotations

from ..exception import UnusableFileName
from .text import unprintable_to_hex

_MAX_NAME_BYTES = 1024
_MAX_SEGMENT_BYTES = 250


def validate_b2_file_name(name: str) -> None:
    """Check a name by the rules of the B2 documentation ("Files", "File names").

    The service has since dropped the rules on slashes and on the length of a segment, but
    tools that map names to paths still rely on them.

    :raises UnusableFileName: if a rule is broken; it is a `ValueError`.
    """
    if not isinstance(name, str):
        raise UnusableFileName(f'Filename must be a str, not {type(name).__name__}.')
    try:
        encoded = name.encode('utf-8')
    except UnicodeEncodeError:
        # Half of a surrogate pair stands for a byte of a local name that is not UTF-8.
        raise UnusableFileName(f'Filename {name!r} has no encoding in UTF-8.') from None
    if not 1 <= len(encoded) <= _MAX_NAME_BYTES:
        if encoded:
            raise UnusableFileName('Filename is too long (can be at most 1024 bytes).')
        raise UnusableFileName('Filename must be at least 1 character.')
    lowest = min(name)
    if ord(lowest) < 32:
        code = ord(lowest)
        raise UnusableFileName(
            f'Filename "{unprintable_to_hex(name)}" contains code {code} (hex {code:02x}), '
            'less than 32.'
        )
    if '\x7f' in name:
        raise UnusableFileName('DEL character (0x7f) not allowed.')
    if name[0] == '/' or name[-1] == '/':
        raise UnusableFileName("Filename may not start or end with '/'.")
    if '//' in name:
        raise UnusableFileName('Filename may not contain "//".')
    if max(len(segment) for segment in encoded.split(b'/')) > _MAX_SEGMENT_BYTES:
        raise UnusableFileName('Filename segment too long (maximum 250 bytes in utf-8).')
