"""Calls about unfinished large files."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ..file_version import FileIdAndName
from .part import Part
from .unfinished_large_file import UnfinishedLargeFile

if TYPE_CHECKING:
    from ..encryption.setting import EncryptionSetting
    from ..file_lock import FileRetentionSetting, LegalHold
    from ..services import Services

_DEFAULT_BATCH_SIZE = 100
MAX_BATCH_SIZE = 1000
"""Parts that one call lists at most."""
AUTO_CONTENT_TYPE = 'b2/x-auto'
"""Lets B2 choose the content type by the extension of the name."""


class LargeFileServices:
    """Starts, lists and cancels large files."""

    UNFINISHED_LARGE_FILE_CLASS = UnfinishedLargeFile

    def __init__(self, services: Services) -> None:
        self.services = services

    def list_parts(
        self, file_id: str, start_part_number: int | None = None, batch_size: int | None = None
    ) -> Generator[Part, None, None]:
        """The uploaded parts of an unfinished large file (``b2_list_parts``).

        :param start_part_number: the first number to list; parts are numbered from 1
        :param batch_size: parts per call, up to 1000; 100 if None
        """
        for part in self.part_dicts(file_id, start_part_number, batch_size or _DEFAULT_BATCH_SIZE):
            yield Part.from_api_response(part)

    def part_dicts(
        self, file_id: str, start_part_number: int | None = None, batch_size: int = MAX_BATCH_SIZE
    ) -> Generator[dict[str, Any], None, None]:
        """The uploaded parts of an unfinished large file, with all that B2 tells of them."""
        next_number: int | None = start_part_number
        while True:
            answer = self.services.session.list_parts(file_id, next_number, batch_size)
            yield from answer['parts']
            next_number = answer.get('nextPartNumber')
            if next_number is None:
                return

    def list_unfinished_large_files(
        self,
        bucket_id: str,
        start_file_id: str | None = None,
        batch_size: int | None = None,
        prefix: str | None = None,
    ) -> Generator[UnfinishedLargeFile, None, None]:
        """Large files of a bucket that are neither finished nor cancelled, oldest first.

        :param start_file_id: the first one to list
        :param batch_size: files per call, up to 100; 100 if None
        :param prefix: only files whose names begin with it
        """
        next_file_id: str | None = start_file_id
        while True:
            answer = self.services.session.list_unfinished_large_files(
                bucket_id, next_file_id, batch_size or _DEFAULT_BATCH_SIZE, prefix
            )
            for file_dict in answer['files']:
                yield self.UNFINISHED_LARGE_FILE_CLASS(file_dict)
            next_file_id = answer.get('nextFileId')
            if next_file_id is None:
                return

    def get_unfinished_large_file(
        self, bucket_id: str, large_file_id: str, prefix: str | None = None
    ) -> UnfinishedLargeFile | None:
        """The unfinished large file of an ID, or None if there is none.

        :param prefix: what its name begins with, which a restricted key has to say
        """
        found = next(
            self.list_unfinished_large_files(
                bucket_id, start_file_id=large_file_id, batch_size=1, prefix=prefix
            ),
            None,
        )
        return found if found is not None and found.file_id == large_file_id else None

    def start_large_file(
        self,
        bucket_id: str,
        file_name: str,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
    ) -> UnfinishedLargeFile:
        """Start a large file (``b2_start_large_file``).

        :param content_type: a MIME type; None lets B2 choose by the extension of the name
        """
        return self.UNFINISHED_LARGE_FILE_CLASS(
            self.services.session.start_large_file(
                bucket_id,
                file_name,
                content_type or AUTO_CONTENT_TYPE,
                file_info or {},
                encryption,
                file_retention=file_retention,
                legal_hold=legal_hold,
            )
        )

    def cancel_large_file(self, file_id: str) -> FileIdAndName:
        """Give up a large file and delete its parts (``b2_cancel_large_file``).

        If the answer was lost, so that the call was repeated and found the file cancelled, the
        name in the result is empty: nothing tells it any more.
        """
        return FileIdAndName.from_cancel_or_delete_response(
            self.services.session.cancel_large_file(file_id)
        )
