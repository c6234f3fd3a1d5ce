"""What the uploads of the parts of one large file have come to."""

from __future__ import annotations

import threading

from ...progress import AbstractProgressListener, tell_retried


class LargeFileUploadState:
    """Adds up the progress of parts that are sent at once; any thread may call it.

    :param file_progress_listener: is told the bytes of the whole file
    """

    def __init__(self, file_progress_listener: AbstractProgressListener) -> None:
        self.lock = threading.RLock()
        self.error_message: str | None = None
        self.file_progress_listener = file_progress_listener
        self.part_number_to_part_state: dict[int, object] = {}
        self.bytes_completed = 0
        self._bytes_retried = 0

    def set_error(self, message: str) -> None:
        """Say that a part failed, and why."""
        with self.lock:
            self.error_message = message

    def has_error(self) -> bool:
        """Has a part failed?"""
        with self.lock:
            return self.error_message is not None

    def get_error_message(self) -> str:
        """Why a part failed. Raises `AssertionError` if none has."""
        with self.lock:
            if self.error_message is None:
                raise AssertionError('no part has failed')
            return self.error_message

    def update_part_bytes(self, bytes_delta: int) -> None:
        """Count bytes of a part; a negative number of those that have to be sent again."""
        with self.lock:
            self.bytes_completed += bytes_delta
            self.file_progress_listener.bytes_completed(self.bytes_completed)

    def update_retried_bytes(self, bytes_delta: int) -> None:
        """Count bytes of a part that were sent again."""
        with self.lock:
            self._bytes_retried += bytes_delta
            tell_retried(self.file_progress_listener, self._bytes_retried)
