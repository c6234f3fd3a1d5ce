"""Directories full of files, and whether two of them are the same."""

from __future__ import annotations

import filecmp
import os
import random
from pathlib import Path

MODIFIED = 1_600_000_000
"""When the files of a tree were modified, in seconds since 1970 UTC: 2020-09-13."""

LARGE = 'large.bin'
LARGE_SIZE = 13_000_001
"""Bytes; three parts of 5 MiB, which is the smallest that rclone and B2 take."""

_NAMES = (
    'empty',
    'text.txt',
    'a/b/c d+é%.bin',
    'a/b/#&?',
    'a/100%/%41+%2B',
    "a/it's; (a=b) [c] {d} ~@$!,^`|",
    'a/ leading and trailing ',
    'z/\U0001f600',
    'z/e\u0301 decomposed',
    'z/日本語/ファイル.txt',
)


def make_tree(root: Path, *, large: bool = True) -> Path:
    """Make a tree of small files with names that need care, and one large file if wanted."""
    numbers = random.Random(7)
    for name in _NAMES:
        write(root / name, numbers.randbytes(0 if name == 'empty' else 5000))
    if large:
        write(root / LARGE, numbers.randbytes(LARGE_SIZE))
    return root


def write(path: Path, content: bytes, modified: int = MODIFIED) -> None:
    """Write a file and, if need be, the directories above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (modified, modified))


def names_of(root: Path) -> list[str]:
    """The files of a tree, sorted."""
    return sorted(str(path.relative_to(root)) for path in root.rglob('*') if path.is_file())


def assert_equal_trees(one: Path, two: Path, *, times: bool = True) -> None:
    """Compare names, contents and, to the millisecond, times of modification."""
    assert names_of(one) == names_of(two)
    for name in names_of(one):
        assert filecmp.cmp(one / name, two / name, shallow=False), name
        if times:
            assert _milliseconds(one / name) == _milliseconds(two / name), name


def _milliseconds(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000
