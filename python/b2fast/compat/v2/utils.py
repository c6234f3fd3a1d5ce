"""Utilities that only v2 has."""

from __future__ import annotations

import shutil
import tempfile
import warnings


class TempDir:
    """A directory that is there as long as the block; ``tempfile`` has a better one."""

    def __enter__(self) -> str:
        warnings.warn(
            'TempDir is deprecated: use tempfile.TemporaryDirectory or tmp_path of pytest',
            DeprecationWarning,
            stacklevel=2,
        )
        self.dirpath = tempfile.mkdtemp()
        return self.dirpath

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.dirpath)
