"""The progress of work on many files, in one line of a terminal."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import ClassVar, Self, TextIO

from ..utils.numbers import format_and_scale_number
from ..utils.text import escape_control_chars


@dataclass
class ProgressReport:
    """Shows how many files are done, and keeps warnings for the end.

    Any number of threads may use it. As a context manager it closes itself.

    :ivar stdout: where it writes
    :ivar no_progress: leave the progress out, and show messages only
    """

    UPDATE_INTERVAL: ClassVar[float] = 0.1
    """Seconds that a line stays at least."""

    stdout: TextIO
    no_progress: bool

    def __post_init__(self) -> None:
        self.start_time = time.time()
        self.count = 0
        self.total_count = 0
        self.total_done = False
        self.closed = False
        self.lock = threading.Lock()
        self.current_line = ''
        self.encoding_warning_was_already_printed = False
        self.warnings: list[str] = []
        self._warnings_written = 0
        self.errors_encountered = False
        self._last_update = 0.0
        self._update_progress()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the progress off the line and write the warnings.

        It may be called again, and writes the warnings that have come since: `zip_folders` closes
        the report when the scan is done, and the program when all is done.
        """
        with self.lock:
            if not self.no_progress and not self.closed:
                self._write_line('', stays=False)
            self.closed = True
            for warning in self.warnings[self._warnings_written :]:
                self._write_line(warning, stays=True)
            self._warnings_written = len(self.warnings)

    def has_errors_or_warnings(self) -> bool:
        """Was there an error or a warning?"""
        return self.errors_encountered or bool(self.warnings)

    def error(self, message: str) -> None:
        """Write the message of an error above the progress."""
        self.print_completion(message)
        self.errors_encountered = True

    def print_completion(self, message: str) -> None:
        """Write a message above the progress."""
        with self.lock:
            self._write_line(message, stays=True)
            self._last_update = 0.0
            self._update_progress()

    def update_count(self, delta: int) -> None:
        """So many files more are done."""
        with self.lock:
            self.count += delta
            self._update_progress()

    def update_total(self, delta: int) -> None:
        """So many files more were found."""
        with self.lock:
            self.total_count += delta
            self._update_progress()

    def end_total(self) -> None:
        """All files were found."""
        with self.lock:
            self.total_done = True
            self._update_progress()

    def local_access_error(self, path: str) -> None:
        """Warn that a local file is not there."""
        self._warn(path, 'could not be accessed (broken symlink?)')

    def local_permission_error(self, path: str) -> None:
        """Warn that a local file may not be read."""
        self._warn(path, 'could not be accessed (no permissions to read?)')

    def symlink_skipped(self, path: str) -> None:
        """Nothing: who asks for symbolic links to be left out knows."""

    def circular_symlink_skipped(self, path: str) -> None:
        """Warn that a symbolic link leads back to where the scan has been."""
        self._warn(path, 'is a circular symlink, which was already visited. Skipping.')

    def invalid_name(self, path: str, error: str) -> None:
        """Warn that a file has a name that cannot be used."""
        self._warn(path, f'path contains invalid name ({error}). Skipping.')

    def _warn(self, path: str, what: str) -> None:
        self.warnings.append(f'WARNING: {escape_control_chars(path)} {what}')

    def _update_progress(self) -> None:
        now = time.time()
        if self.closed or self.no_progress or now - self._last_update < self.UPDATE_INTERVAL:
            return
        self._last_update = now
        self._write_line(self._progress(now - self.start_time), stays=False)

    def _progress(self, elapsed: float) -> str:
        """What the line says.

        :param elapsed: seconds since the start
        """
        rate = int(self.count / elapsed) if elapsed else 0
        speed = format_and_scale_number(rate, '/s')
        return f' count: {self.count}/{self.total_count}   {speed}'

    def _write_line(self, line: str, *, stays: bool) -> None:
        # What is left of a longer line is overwritten.
        line = line.ljust(len(self.current_line))
        try:
            self.stdout.write(line)
        except UnicodeEncodeError:
            if not self.encoding_warning_was_already_printed:
                self.encoding_warning_was_already_printed = True
                self.stdout.write(
                    f'some names cannot be written in the encoding {self.stdout.encoding}\n'
                )
            self.stdout.write(line.encode('ascii', 'backslashreplace').decode())
        self.stdout.write('\n' if stays else '\r')
        self.current_line = '' if stays else line
        self.stdout.flush()
