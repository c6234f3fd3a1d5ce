"""Two folders side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .policies import DEFAULT_SCAN_MANAGER, ScanPoliciesManager

if TYPE_CHECKING:
    from .folder import AbstractFolder
    from .path import AbstractPath
    from .report import ProgressReport


def zip_folders(
    folder_a: AbstractFolder,
    folder_b: AbstractFolder,
    reporter: ProgressReport | None,
    policies_manager: ScanPoliciesManager = DEFAULT_SCAN_MANAGER,
) -> Iterator[tuple[AbstractPath | None, AbstractPath | None]]:
    """The files of two folders in pairs; None where only the other folder has the path.

    Both are scanned as far as the caller reads, and no further than one file ahead.

    :param reporter: is told what is skipped, and closed at the end; may be None
    :param policies_manager: decides which files of ``folder_a`` take part; those of ``folder_b``
        all do
    """
    files_a = folder_a.all_files(reporter, policies_manager)
    files_b = folder_b.all_files(reporter)
    a, b = next(files_a, None), next(files_b, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a.relative_path < b.relative_path):
            yield a, None
            a = next(files_a, None)
        elif a is None or b.relative_path < a.relative_path:
            yield None, b
            b = next(files_b, None)
        else:
            yield a, b
            a, b = next(files_a, None), next(files_b, None)
    if reporter is not None:
        reporter.close()
