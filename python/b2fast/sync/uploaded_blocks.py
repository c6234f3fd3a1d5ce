"""What is remembered of the blocks of large files that a sync has uploaded."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

from .digest_cache import KEPT_DAYS, day_of

if TYPE_CHECKING:
    from .digest_cache import DigestCache

DIGEST_SIZE = 32
"""Bytes of a BLAKE3."""
MAX_BLOCKS = 65_536
"""Blocks of a file that is new here; they are larger in larger files."""
MAX_GROWN_BLOCKS = 8 * MAX_BLOCKS
"""Blocks up to which a file that grows keeps the size of its blocks."""
_MAX_BYTES = 256 * 1024 * 1024
"""Bytes of digests that are kept at most; those of the oldest versions go."""


class BlockDigests(NamedTuple):
    """The BLAKE3 of the blocks of a stored version, one after the other.

    The last block may be shorter than ``block_size``.
    """

    size: int
    block_size: int
    digests: bytes

    def is_sound(self) -> bool:
        """Is it what can have been written, whatever has become of the file since?"""
        size, block_size, digests = self
        numbers = isinstance(size, int) and isinstance(block_size, int) and block_size > 0
        if not (numbers and isinstance(digests, bytes)):
            return False
        return len(digests) == -(-size // block_size) * DIGEST_SIZE

    def unchanged(self, digests: bytes) -> list[bool]:
        """For each block of other content, whether this one has the same in the same place."""
        return [
            digests[start : start + DIGEST_SIZE] == self.digests[start : start + DIGEST_SIZE]
            for start in range(0, len(digests), DIGEST_SIZE)
        ]


class UploadedBlocks:
    """Keeps the digests of the blocks of versions, in the file of a `DigestCache`.

    B2 tells nothing of the parts of a file that is finished.

    :param cache: has the file; if that cannot be used, nothing is known
    """

    def __init__(self, cache: DigestCache) -> None:
        self._cache = cache

    def get(self, bucket_id: str, file_id: str) -> BlockDigests | None:
        """What is known of a version."""
        rows: list[Any] = self._cache.attempt(
            lambda database: database.read(
                'SELECT size, block_size, digests FROM uploaded_blocks '
                'WHERE bucket_id = ? AND file_id = ?',
                (bucket_id, file_id),
            ),
            [],
        )
        found = BlockDigests(*rows[0]) if rows else None
        return found if found is not None and found.is_sound() else None

    def put(
        self, bucket_id: str, file_id: str, blocks: BlockDigests, former_file_id: str | None
    ) -> None:
        """Remember a version, and forget the one that it replaced."""
        day = day_of(self._cache.now())

        def change(connection: sqlite3.Connection) -> None:
            connection.execute(
                'DELETE FROM uploaded_blocks WHERE bucket_id = ? AND file_id = ? OR day < ?',
                (bucket_id, former_file_id, day - KEPT_DAYS),
            )
            connection.execute(
                'REPLACE INTO uploaded_blocks VALUES (?, ?, ?, ?, ?, ?)',
                (bucket_id, file_id, *blocks, day),
            )
            # The newest first, whichever were uploaded on one day.
            connection.execute(
                'DELETE FROM uploaded_blocks WHERE rowid IN (SELECT rowid FROM (SELECT rowid, '
                'sum(length(digests)) OVER (ORDER BY day DESC, rowid DESC) AS total '
                'FROM uploaded_blocks) WHERE total > ?)',
                (_MAX_BYTES,),
            )

        self._cache.attempt(lambda database: database.write(change), None)
