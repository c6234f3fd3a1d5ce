"""Directories with one large file that is synced, and what simulators are sent of it."""

from __future__ import annotations

import io
import os
from itertools import count
from pathlib import Path
from typing import Any

from b2fast import (
    B2Folder,
    Bucket,
    EncryptionSetting,
    LocalFolder,
    NewerFileSyncMode,
    Synchronizer,
)

from ..conftest import PART_SIZE
from ..helpers import sha1_of

BLOCK = PART_SIZE // 5
CONTENT = bytes(number * 7 % 251 for number in range(20 * PART_SIZE))
OVERHEAD = 2 * PART_SIZE
"""Bytes that are sent in addition to each run of changed blocks."""


class Received:
    """Bytes of content that simulators were sent."""

    def __init__(self) -> None:
        self.bytes = 0

    def since(self) -> int:
        found, self.bytes = self.bytes, 0
        return found


class Tree:
    """A directory with one file, and its place in the bucket."""

    _numbers = count()

    def __init__(self, bucket: Bucket, root: Path) -> None:
        self.bucket = bucket
        self.name = f'{next(self._numbers)}'
        self.root = root / self.name
        self.root.mkdir()
        self.path = self.root / 'file'
        self.cache = root / 'digests.sqlite'
        self._time = 10**18

    def write(self, content: bytes) -> None:
        self.path.write_bytes(content)
        self._time += 10**9
        os.utime(self.path, ns=(self._time, self._time))

    def sync(self, provider: Any = None, **options: Any) -> None:
        options = {
            'newer_file_mode': NewerFileSyncMode.REPLACE,
            'delta_uploads': True,
            'digest_cache': self.cache,
            **options,
        }
        folder = B2Folder(self.bucket.name, self.name, self.bucket.api)
        providers = [] if provider is None else [provider]
        result = Synchronizer(2, **options).sync_folders(
            LocalFolder(self.root), folder, 1, None, *providers
        )
        assert result.uploaded == 1

    def stored(self, encryption: EncryptionSetting | None = None) -> bytes:
        file = io.BytesIO()
        name = f'{self.name}/file'
        opened = self.bucket.download_file_by_name(name, encryption=encryption)
        opened.save(file)
        return file.getvalue()

    def check(self, content: bytes, encryption: EncryptionSetting | None = None) -> None:
        """The bucket has the content, with its SHA-1, and nothing unfinished."""
        assert self.stored(encryption) == content
        ((version, _),) = self.bucket.ls(self.name)
        assert version.get_content_sha1() == sha1_of(content)
        assert list(self.bucket.list_unfinished_large_files()) == []
