"""The demo's files: what is sent, and whether it came back equal."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .display import MIB


@dataclass(frozen=True)
class LocalFile:
    """A file to be sent: its name in the bucket, where it is, and how many bytes it has."""

    name: str
    path: Path
    size: int


def find_files(root: Path, prefix: str) -> tuple[list[LocalFile], list[str]]:
    """All regular files below a directory, and what could not be taken, with the reason.

    Symbolic links are not followed, in directories neither.

    :param prefix: what stands before the relative path in each file's name
    :raises OSError: if the directory itself cannot be read
    """
    files: list[LocalFile] = []
    problems: list[str] = []
    directories = [root]
    while directories:
        directory = directories.pop()
        try:
            entries = list(os.scandir(directory))
        except OSError as error:
            if directory == root:
                raise
            problems.append(str(error))
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                directories.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                path = Path(entry.path)
                name = prefix + path.relative_to(root).as_posix()
                try:
                    name.encode()
                except UnicodeEncodeError:
                    problems.append(f'{path!r}: the name is not UTF-8, as B2 wants it')
                else:
                    files.append(LocalFile(name, path, entry.stat(follow_symlinks=False).st_size))
    files.sort(key=lambda file: file.name)
    return files, problems


def write_random_file(path: Path, size: int) -> None:
    """Make a file of that many random bytes: nothing between here and the disk can shrink it."""
    with path.open('xb', buffering=0) as file:
        for start in range(0, size, MIB):
            file.write(os.urandom(min(MIB, size - start)))


def first_difference(one: Path, other: Path) -> int | None:
    """The offset of the first byte in which two files differ; None if they are equal."""
    offset = 0
    with one.open('rb') as left, other.open('rb') as right:
        while True:
            ours, theirs = left.read(MIB), right.read(MIB)
            if ours != theirs:
                pairs = zip(ours, theirs, strict=False)
                equal = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
                return offset + (min(len(ours), len(theirs)) if equal is None else equal)
            if not ours:
                return None
            offset += len(ours)
