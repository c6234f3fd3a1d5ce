"""The grammar of the headers that a download carries on the uploader's or the reader's word.

Source: B2's documentation of file information, which names RFC 6266 for Content-Disposition,
without continuations and with UTF-8 as the only character set of extended values, and RFC 2616
for the others.
"""

from __future__ import annotations

import re

from . import errors

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = r'"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"'
_VALUE = rf'(?:{_WORD}|{_QUOTED})'
# No `*` in it: that marks an extended value, or a continuation.
_PARAMETER_NAME = r"[!#$%&'+\-.^_`|~0-9A-Za-z]+"
_EXTENDED = r"(?i:utf-8)''(?:%[0-9A-Fa-f]{2}|[!#$&+\-.^_`|~0-9A-Za-z])+"
_PARAMETER = rf'{_PARAMETER_NAME}(?:\s*=\s*{_VALUE}|\*\s*=\s*{_EXTENDED})'
_DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
_MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
_TIME = r'\d\d:\d\d:\d\d'


def _list_of(element: str) -> str:
    return rf'\s*{element}(?:\s*,\s*{element})*\s*'


_GRAMMAR = {
    name: re.compile(pattern)
    for name, pattern in {
        'Content-Disposition': rf'\s*{_WORD}(?:\s*;\s*{_PARAMETER})*\s*',
        'Content-Language': _list_of(r'[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*'),
        'Expires': rf'{_DAY}, \d\d {_MONTH} \d{{4}} {_TIME} GMT'
        rf'|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d\d-{_MONTH}-\d\d {_TIME} GMT'
        rf'|{_DAY} {_MONTH} [ \d]\d {_TIME} \d{{4}}',
        'Cache-Control': _list_of(rf'{_WORD}(?:={_VALUE})?'),
        'Content-Encoding': _list_of(_WORD),
        'Content-Type': rf'\s*{_WORD}/{_WORD}(?:\s*;\s*{_WORD}={_VALUE})*\s*',
    }.items()
}


def check(name: str, value: str) -> None:
    """Refuses a value that the header cannot have.

    :param name: one of the six headers that file information or a query can set.
    :raises SimulatedError: 400.
    """
    if not _GRAMMAR[name].fullmatch(value):
        raise errors.bad_request(f'Invalid value for {name}: {value!r}')
