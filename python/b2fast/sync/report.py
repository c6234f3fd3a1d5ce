"""The progress of a sync, in one line of a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..progress import AbstractProgressListener
from ..scan.report import ProgressReport
from ..utils.numbers import format_and_scale_fraction, format_and_scale_number


@dataclass
class SyncReport(ProgressReport):
    """Shows how many files are compared and transferred, and keeps warnings for the end.

    Any number of threads may use it. As a context manager it closes itself.
    """

    def __post_init__(self) -> None:
        self.compare_done = False
        self.compare_count = 0
        self.total_transfer_files = 0
        self.total_transfer_bytes = 0
        self.transfer_files = 0
        self.transfer_bytes = 0
        super().__post_init__()

    def update_compare(self, delta: int) -> None:
        """So many files more are compared."""
        with self.lock:
            self.compare_count += delta
            self._update_progress()

    def end_compare(self, total_transfer_files: int, total_transfer_bytes: int) -> None:
        """All files are compared, and this is what has to be done."""
        with self.lock:
            self.compare_done = True
            self.total_transfer_files = total_transfer_files
            self.total_transfer_bytes = total_transfer_bytes
            self._update_progress()

    def update_transfer(self, file_delta: int, byte_delta: int) -> None:
        """So many files and bytes more are transferred."""
        with self.lock:
            self.transfer_files += file_delta
            self.transfer_bytes += byte_delta
            self._update_progress()

    def _progress(self, elapsed: float) -> str:
        rate = int(self.transfer_bytes / elapsed) if elapsed else 0
        compared, updated = f'{self.compare_count}', f'{self.transfer_files}'
        transferred = format_and_scale_number(self.transfer_bytes, 'B')
        if self.total_done:
            compared += f'/{self.total_count}'
            if self.compare_done:
                updated += f'/{self.total_transfer_files}'
                transferred = format_and_scale_fraction(
                    self.transfer_bytes, self.total_transfer_bytes, 'B'
                )
        counted = '' if self.total_done else f' count: {self.total_count} files  '
        return (
            f'{counted} compare: {compared} files   updated: {updated} files   {transferred}   '
            f'{format_and_scale_number(rate, "B/s")}'
        )


class SyncFileReporter(AbstractProgressListener):
    """Adds what is transferred of one file to a `SyncReport`.

    :param reporter: the report
    """

    def __init__(self, reporter: SyncReport, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bytes_so_far = 0
        self.reporter = reporter

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Nothing: the report knows it from the comparison."""

    def bytes_completed(self, byte_count: int) -> None:
        """Add what is new to what is transferred."""
        self.reporter.update_transfer(0, byte_count - self.bytes_so_far)
        self.bytes_so_far = byte_count

    def close(self) -> None:
        """Count the file as transferred."""
        self.reporter.update_transfer(1, 0)
