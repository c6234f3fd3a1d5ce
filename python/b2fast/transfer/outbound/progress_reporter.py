"""The progress of a part as progress of its file."""

from __future__ import annotations

from typing import Any

from ...progress import AbstractProgressListener
from .large_file_upload_state import LargeFileUploadState


class PartProgressReporter(AbstractProgressListener):
    """Listens to the upload of one part and passes on what was added.

    The count falls back to 0 when the part is sent again; so does that of the file.

    :param large_file_upload_state: adds up the parts of the file
    """

    def __init__(
        self, large_file_upload_state: LargeFileUploadState, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.large_file_upload_state = large_file_upload_state
        self.prev_byte_count = 0
        self._retried = 0

    def bytes_completed(self, byte_count: int) -> None:
        """Pass on the difference to the last count."""
        self.large_file_upload_state.update_part_bytes(byte_count - self.prev_byte_count)
        self.prev_byte_count = byte_count

    def bytes_retried(self, byte_count: int) -> None:
        """Pass on the difference to the last count."""
        self.large_file_upload_state.update_retried_bytes(byte_count - self._retried)
        self._retried = byte_count

    def update(self, byte_count: int, retried: int) -> None:
        """Pass on both counts."""
        self.bytes_completed(byte_count)
        if retried != self._retried:
            self.bytes_retried(retried)

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Do nothing: the file has its own total."""

    def close(self) -> None:
        """Do nothing: the file's listener is closed by its owner."""
