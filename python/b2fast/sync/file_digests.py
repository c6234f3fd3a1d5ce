"""Digests of the content of a local file, and what tells whether they still hold."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, Self

from .._core.hashing import Blake3, Sha1
from ..cancel import check_scope
from ..exception import InvalidUploadSource, LocalFileError, SourceChanged

_READ_SIZE = 1024 * 1024
"""Bytes that are read and hashed at a time, without the GIL; so often is looked for the end."""

RACY_NS = 2_000_000_000
"""Nanoseconds for which two changes of a file may have the same time; FAT counts in 2 seconds."""


class FileState(NamedTuple):
    """What a file system says of a file; the content was not changed as long as it is the same.

    ``ctime_ns`` is the time of the last change of whatever kind, which no program can set.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        """The state that a call of ``stat`` found."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    def may_change_unseen(self, now_ns: int) -> bool:
        """Was the file changed so lately that another change may leave the same state?

        :param now_ns: nanoseconds since 1970
        """
        return max(self.mtime_ns, self.ctime_ns) > now_ns - RACY_NS


class FileDigests(NamedTuple):
    """What a file contained when it was read as a whole.

    :ivar read_at_ns: when reading began, in nanoseconds since 1970
    :ivar sha1: in hex
    :ivar blocks: the BLAKE3 of each block of it, one after the other
    """

    state: FileState
    read_at_ns: int
    sha1: str
    blake3: bytes
    blocks: bytes


def digests_of_file(
    path: str | os.PathLike[str],
    block_size: int | None = None,
    *,
    check: Callable[[], None] = check_scope,
    now: Callable[[], int] = time.time_ns,
) -> FileDigests:
    """Read a file and hash it.

    :param block_size: bytes of the blocks, of which the last one may be shorter; None for none
    :param check: is called often, and may end it by an exception
    :param now: nanoseconds since 1970
    :raises SourceChanged: if the file changes meanwhile.
    :raises InvalidUploadSource: if it is no regular file.
    :raises LocalFileError: if it cannot be read.
    """
    read_at_ns = now()
    sha1, blake3, blocks = Sha1(), Blake3(), bytearray()
    with opened_regular_file(path) as (file, state):
        length = 0
        for block_length, pieces in _blocks_of(file, state.size, block_size):
            block = Blake3()
            for piece in pieces:
                check()
                sha1.update(piece)
                blake3.update(piece)
                if block_size is not None:
                    block.update(piece)
                length += len(piece)
            if block_size is not None and block_length:
                blocks += block.digest()
        if length != state.size or FileState.of(os.fstat(file.fileno())) != state:
            raise SourceChanged(os.fspath(path))
    return FileDigests(state, read_at_ns, sha1.hexdigest(), blake3.digest(), bytes(blocks))


@contextmanager
def opened_regular_file(path: str | os.PathLike[str]) -> Iterator[tuple[BinaryIO, FileState]]:
    """Open a file to be read, with what it is now; see `digests_of_file` for the errors."""
    try:
        # What has become a pipe since it was found is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, 'rb', buffering=0) as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise InvalidUploadSource(path)
            yield file, FileState.of(found)
    except OSError as error:
        if isinstance(error, LocalFileError):
            raise
        reason = error.strerror or str(error)
        raise LocalFileError(os.fspath(path), error.errno, reason) from error


def _blocks_of(
    file: BinaryIO, size: int, block_size: int | None
) -> Iterator[tuple[int, Iterator[bytes]]]:
    """The blocks of a file with their lengths, each as pieces that are read when asked for."""
    for offset in range(0, size, block_size or max(size, 1)):
        length = min(block_size or size, size - offset)
        yield length, _pieces_of(file, length)


def _pieces_of(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0:
        piece = file.read(min(length, _READ_SIZE))
        if not piece:
            return
        length -= len(piece)
        yield piece
