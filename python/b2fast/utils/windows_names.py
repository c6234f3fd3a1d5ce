"""Names that Windows does not take, or takes for something else."""

from __future__ import annotations

import re

# "Naming Files, Paths, and Namespaces" in Microsoft's documentation. The superscript digits count.
_RESERVED = re.compile(
    r'(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3]) *(?:[.:].*)?',
    re.IGNORECASE | re.DOTALL,
)
_FORBIDDEN = re.compile(r'[<>:"|?*\\]')
_MAX_UTF16_UNITS = 255


def windows_problem(segment: str) -> str | None:
    r"""Why a part of a path cannot be the name of a file on Windows; None if it can.

    A ``:`` would name a stream of a file, or a drive; dots and spaces at the end are dropped
    without a word; names of devices are devices in every directory, with any suffix.

    :param segment: without ``/``, and without control characters
    """
    if _RESERVED.fullmatch(segment):
        return 'is the name of a device on Windows'
    forbidden = _FORBIDDEN.search(segment)
    if forbidden is not None:
        return f'contains {forbidden[0]!r}, which Windows does not allow'
    if segment.endswith(('.', ' ')):
        return 'ends with a dot or a space, which Windows drops'
    if len(segment.encode('utf-16-le')) > 2 * _MAX_UTF16_UNITS:
        return f'has more than {_MAX_UTF16_UNITS} characters, the most that Windows allows'
    return None
