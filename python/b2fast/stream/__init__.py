"""Streams that wrap others: a stretch of one, several in a row, with progress, with a hash."""

from __future__ import annotations

from .hashing import StreamWithHash
from .progress import ReadingStreamWithProgress, WritingStreamWithProgress
from .range import RangeOfInputStream

__all__ = [
    'RangeOfInputStream',
    'ReadingStreamWithProgress',
    'StreamWithHash',
    'WritingStreamWithProgress',
]
