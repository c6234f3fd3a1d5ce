"""Unfinished large files of v2."""

from __future__ import annotations

from typing import Any

from ...large_file import services as v3_services, unfinished_large_file as v3


class UnfinishedLargeFile(v3.UnfinishedLargeFile):
    """As in v3, but ``cache_control`` can be set."""

    cache_control: str | None = None

    def __init__(self, file_dict: dict[str, Any]) -> None:
        super().__init__(file_dict)
        self.cache_control = (file_dict['fileInfo'] or {}).get('b2-cache-control')


class LargeFileServices(v3_services.LargeFileServices):
    """As in v3, for the large files of v2."""

    UNFINISHED_LARGE_FILE_CLASS = UnfinishedLargeFile
