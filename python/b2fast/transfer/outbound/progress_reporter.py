"""The progress of one part, for that of its large file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...progress import AbstractProgressListener

if TYPE_CHECKING:
    from .large_file_upload_state import LargeFileUploadState


class PartProgressReporter(AbstractProgressListener):
    """Takes the bytes of one part and tells the state of its large file what was added."""

    def __init__(
        self, large_file_upload_state: LargeFileUploadState, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.large_file_upload_state = large_file_upload_state
        self.prev_byte_count = 0

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Do nothing: the large file's total is known."""

    def bytes_completed(self, byte_count: int) -> None:
        """Tell the difference to the last number, which a repeated part makes negative."""
        self.large_file_upload_state.update_part_bytes(byte_count - self.prev_byte_count)
        self.prev_byte_count = byte_count

    def close(self) -> None:
        """Do nothing: the large file's listener goes on."""
