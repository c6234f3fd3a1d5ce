"""Folders side by side: their files in pairs, and what is counted of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from .policies import DEFAULT_SCAN_MANAGER, ScanPoliciesManager

if TYPE_CHECKING:
    from ..file_version import FileVersion
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


@dataclass(frozen=True)
class AbstractScanResult(ABC):
    """What there is to say of the files that have one path in the scanned folders."""

    @classmethod
    @abstractmethod
    def from_files(cls, *files: AbstractPath | None) -> AbstractScanResult:
        """The result for one path.

        :param files: one of each folder; None where there is none
        """


@dataclass
class AbstractScanReport(ABC):
    """What there is to say of all paths; ``SCAN_RESULT_CLASS`` is made for each."""

    SCAN_RESULT_CLASS: ClassVar[type[AbstractScanResult]] = AbstractScanResult  # type: ignore[type-abstract]

    @abstractmethod
    def add(self, *files: AbstractPath | None) -> None:
        """Take in one path.

        :param files: one of each folder; None where there is none
        """


@dataclass
class CountAndSampleScanReport(AbstractScanReport):
    """Counts equal results, and keeps the versions of the first and the last path with each."""

    counter_by_status: Counter[AbstractScanResult] = field(default_factory=Counter)
    samples_by_status_first: dict[AbstractScanResult, tuple[FileVersion | None, ...]] = field(
        default_factory=dict
    )
    samples_by_status_last: dict[AbstractScanResult, tuple[FileVersion | None, ...]] = field(
        default_factory=dict
    )

    def add(self, *files: Any) -> None:
        """Take in one path.

        :param files: a `B2Path` of each folder; None where there is none
        """
        status = self.SCAN_RESULT_CLASS.from_files(*files)
        sample = tuple(file and file.selected_version for file in files)
        self.counter_by_status[status] += 1
        self.samples_by_status_first.setdefault(status, sample)
        self.samples_by_status_last[status] = sample
