"""What the parts of one large file share while they are sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...progress import AbstractProgressListener


class LargeFileUploadState:
    """Adds up the progress of the parts of a large file, and keeps an error of one for all.

    Any number of threads may use it.

    :param file_progress_listener: is told how many bytes of all parts are done
    """

    def __init__(self, file_progress_listener: AbstractProgressListener) -> None:
        self.lock = threading.RLock()
        self.error_message: str | None = None
        self.file_progress_listener = file_progress_listener
        self.part_number_to_part_state: dict[int, object] = {}
        self.bytes_completed = 0

    def set_error(self, message: str) -> None:
        """Keep the error of a part, after which the others need not be sent."""
        with self.lock:
            self.error_message = message

    def has_error(self) -> bool:
        """Did a part fail?"""
        with self.lock:
            return self.error_message is not None

    def get_error_message(self) -> str:
        """The error of the part that failed. Raises `AssertionError` if none did."""
        with self.lock:
            if self.error_message is None:
                raise AssertionError('no part has failed')
            return self.error_message

    def update_part_bytes(self, bytes_delta: int) -> None:
        """Count bytes of a part; fewer than none when they have to be sent again."""
        with self.lock:
            self.bytes_completed += bytes_delta
            self.file_progress_listener.bytes_completed(self.bytes_completed)
