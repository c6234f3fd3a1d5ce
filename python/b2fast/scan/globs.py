"""Glob patterns for the paths of a scan, translated to regular expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ANY_DIRECTORIES = '(?:[^/]*/)*'
_ANY_FILE_BELOW = '(?s:.+)'


@dataclass(frozen=True)
class Glob:
    """A pattern of `ScanPoliciesManager`; its syntax is explained there.

    :ivar text: the pattern
    :ivar is_directory: does it end with ``/``?
    :ivar path: matches the whole path of what the pattern names
    """

    text: str
    is_directory: bool
    path: re.Pattern[str]

    def below(self) -> re.Pattern[str]:
        """Matches the whole paths of the files below the directories that the pattern names."""
        return _compiled(self.text + '**')


def parse_glob(text: str) -> Glob:
    """Read a pattern.

    :raises ValueError: if it is malformed.
    """
    is_directory = text.endswith('/')
    return Glob(text, is_directory, _compiled(text.removesuffix('/')))


def _compiled(text: str) -> re.Pattern[str]:
    # Each of these is either `**` or matches one part of a path.
    parts = text.removeprefix('/').split('/')
    if not text.startswith('/') and parts[0] != '**':
        parts.insert(0, '**')
    # What stands between two `**` matches so many parts one after the other. The first place
    # where it does is as good as any later one, so nothing has to be tried again (atomic groups):
    # the time does not grow with a power of the path's length.
    blocks: list[list[str]] = [[]]
    for part in parts:
        if part == '**':
            if len(blocks) == 1 or blocks[-1]:
                blocks.append([])
        else:
            blocks[-1].append(_part_expression(part))
    first, *others = [''.join(f'{part}/' for part in block) for block in blocks]
    expression = first
    if others:
        *middle, last = others
        expression += ''.join(f'(?>(?:[^/]*/)*?{block})' for block in middle)
        expression += _ANY_DIRECTORIES + last if last else _ANY_FILE_BELOW
    return re.compile(expression.removesuffix('/') + r'\Z')


def _part_expression(part: str) -> str:
    """An expression for one part of a path, to be followed by ``/`` or the end."""
    if part in ('', '.', '..'):
        raise ValueError(f'{part!r} is no part of a path')
    pieces = ['']
    position = 0
    while position < len(part):
        character = part[position]
        position += 1
        if character == '*':
            if part.startswith('*', position):
                raise ValueError('** has to stand alone between slashes')
            pieces.append('')
        elif character == '?':
            pieces[-1] += '[^/]'
        elif character == '[':
            set_, position = _set_expression(part, position)
            pieces[-1] += set_
        elif character == '\\':
            if position == len(part):
                raise ValueError('nothing follows the last \\')
            pieces[-1] += re.escape(part[position])
            position += 1
        else:
            pieces[-1] += re.escape(character)
    first, *others = pieces
    if not others:
        return first
    *middle, last = others
    # As above: each piece has a fixed length, and the first place will do.
    return first + ''.join(f'(?>[^/]*?{piece})' for piece in middle) + f'[^/]*{last}'


def _set_expression(part: str, position: int) -> tuple[str, int]:
    """An expression for the set of characters that begins behind a ``[``, and where it ends."""
    negated = part[position : position + 1] in ('!', '^')
    start = position + negated
    # A ] at the beginning is one of the set.
    end = part.find(']', start + 1)
    if end < 0:
        raise ValueError('[ without ]')
    members = part[start:end]
    items = []
    index = 0
    while index < len(members):
        low = members[index]
        if members[index + 1 : index + 2] == '-' and index + 2 < len(members):
            high = members[index + 2]
            if low > high:
                raise ValueError(f'{low}-{high} is empty')
            items.append(f'{re.escape(low)}-{re.escape(high)}')
            index += 3
        else:
            items.append(re.escape(low))
            index += 1
    mark = '^' if negated else ''
    return f'(?!/)[{mark}{"".join(items)}]', end + 1
