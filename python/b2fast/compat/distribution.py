"""What `importlib.metadata` says of b2sdk when b2fast stands for it."""

from __future__ import annotations

import os
from importlib.metadata import Distribution
from pathlib import Path


class StandIn(Distribution):
    """A distribution that is called b2sdk and has no files.

    :param version: its version
    """

    def __init__(self, version: str) -> None:
        self._version = version

    def read_text(self, filename: str) -> str | None:
        """The metadata; there are no other files."""
        if filename != 'METADATA':
            return None
        return f'Metadata-Version: 2.1\nName: b2sdk\nVersion: {self._version}\n'

    def locate_file(self, path: str | os.PathLike[str]) -> Path:
        """Where a file of it would be."""
        return Path(__file__).parent / path
