"""Counts the local files of a sync ahead, so that its progress has an end to go to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..exception import B2Error

if TYPE_CHECKING:
    from ..scan.folder import AbstractFolder
    from ..scan.policies import ScanPoliciesManager
    from .report import SyncReport

_FILES_PER_UPDATE = 100


@contextmanager
def counted(
    folder: AbstractFolder, policies: ScanPoliciesManager, reporter: SyncReport
) -> Iterator[None]:
    """Count the files of a folder in a thread, for as long as the sync goes on.

    Problems are left to the scan of the sync, which finds the same.
    """
    is_over = threading.Event()

    def count() -> None:
        found = 0
        try:
            for _ in folder.all_files(None, policies):
                found += 1
                if found % _FILES_PER_UPDATE == 0:
                    if is_over.is_set():
                        return
                    reporter.update_total(_FILES_PER_UPDATE)
        except (B2Error, OSError):
            return
        reporter.update_total(found % _FILES_PER_UPDATE)
        reporter.end_total()

    thread = threading.Thread(target=count, name='b2fast-count', daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        # Not waited for: a slow file system must not hold up Ctrl-C.
        is_over.set()
        raise
    thread.join()
