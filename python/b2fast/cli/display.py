"""What a command shows: sizes, tables, and the progress of many transfers at once."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Protocol, Self, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

KIB = 1024
MIB = 1024 * KIB

_UNITS = {
    '': 1,
    'k': 10**3,
    'm': 10**6,
    'g': 10**9,
    't': 10**12,
    'ki': KIB,
    'mi': MIB,
    'gi': 1024 * MIB,
    'ti': 1024 * 1024 * MIB,
}
_SIZE = re.compile(r'(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?', re.IGNORECASE)


def parse_size(text: str) -> int:
    """The number of bytes that a text like ``512MiB``, ``1.5 GB`` or ``10000`` names.

    :raises ValueError: if it names none
    """
    match = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f'not a size: {text!r} (examples: 512MiB, 1.5GB, 10000)')
    return int(float(match[1]) * unit) if '.' in match[1] else int(match[1]) * unit


def format_size(byte_count: float) -> str:
    """A number of bytes for people, in binary units: ``1.5 GiB``."""
    for unit in ('B', 'KiB', 'MiB', 'GiB'):
        if abs(byte_count) < KIB:
            return f'{byte_count:.0f} {unit}' if unit == 'B' else f'{byte_count:.1f} {unit}'
        byte_count /= KIB
    return f'{byte_count:.1f} TiB'


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under their header: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return '  '.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])

    return '\n'.join([line(header), '  '.join('-' * width for width in widths), *map(line, rows)])


class Progress(Protocol):
    """The progress of one phase; `advance` may be called from any thread."""

    def advance(self, byte_count: int, files: int = 0) -> None:
        """Count further bytes and finished files; a negative number takes bytes back."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def open_progress(label: str, total_bytes: int, total_files: int) -> Progress:
    """A bar on standard error if that is a terminal and tqdm is installed, else lines."""
    if sys.stderr.isatty():
        try:
            from tqdm import tqdm
        except ImportError:
            pass
        else:
            bar: tqdm[NoReturn] = tqdm(
                desc=label, total=total_bytes, unit='B', unit_scale=True, unit_divisor=1024
            )
            return BarProgress(bar, total_files)
    return LineProgress(label, total_bytes, total_files, sys.stderr)


class BarProgress:
    """A tqdm bar that counts bytes and shows finished files beside it."""

    def __init__(self, bar: tqdm[NoReturn], total_files: int) -> None:
        self._bar = bar
        self._total_files = total_files
        self._files = 0
        self._lock = threading.Lock()

    def advance(self, byte_count: int, files: int = 0) -> None:
        with self._lock:
            self._bar.update(byte_count)
            if files:
                self._files += files
                self._bar.set_postfix_str(f'{self._files}/{self._total_files} files', refresh=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()


class LineProgress:
    """A line every few seconds and one at the end, for logs and for terminals without tqdm."""

    def __init__(
        self,
        label: str,
        total_bytes: int,
        total_files: int,
        stream: TextIO,
        *,
        interval: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """:param interval: seconds between two lines"""
        self._label = label
        self._total_bytes = total_bytes
        self._total_files = total_files
        self._stream = stream
        self._interval = interval
        self._clock = clock
        self._bytes = 0
        self._files = 0
        self._start = clock()
        self._next_line = self._start + interval
        self._lock = threading.Lock()

    def advance(self, byte_count: int, files: int = 0) -> None:
        with self._lock:
            self._bytes += byte_count
            self._files += files
            now = self._clock()
            if now >= self._next_line:
                self._next_line = now + self._interval
                self._write(now)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._write(self._clock())

    def _write(self, now: float) -> None:
        percent = 100 * self._bytes // self._total_bytes if self._total_bytes else 100
        print(
            f'{self._label}: {percent:3d} %  {format_size(self._bytes)} of '
            f'{format_size(self._total_bytes)}  {self._files}/{self._total_files} files  '
            f'{now - self._start:.1f} s',
            file=self._stream,
            flush=True,
        )
