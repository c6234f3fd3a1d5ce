"""The way of a large file, from the search for its beginnings to its finish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...encryption.types import EncryptionMode
from ...exception import (
    BadRequest,
    ChecksumMismatch,
    MissingPart,
    PartSha1Mismatch,
    ResourceNotFound,
)
from ...http_constants import LARGE_FILE_SHA1
from ...large_file import in_use
from ...large_file.unfinished import LargeFilePlan, StartedFile, claim_unfinished
from .large_file_finish import finish_large_file, finished_file, named_in_errors

if TYPE_CHECKING:
    from ...services import Services
    from .file_upload import FileUpload

_REFUSALS = (BadRequest, ResourceNotFound, ChecksumMismatch, MissingPart, PartSha1Mismatch)
"""What is said of a large file that is finished or cancelled, or has parts of somebody else."""


@dataclass(frozen=True, slots=True)
class StoredParts:
    """The SHA-1 of each part in hex, in order, and the bytes of all of them."""

    sha1s: list[str]
    length: int


class LargeFileMaking:
    """Makes a large file, or goes on with an unfinished one.

    :param sha1: of all of the content in hex; None if nobody knows
    :param length: bytes of the content; None if that is not known before its end
    :param store: stores the parts that are missing in a large file
    """

    def __init__(
        self,
        services: Services,
        upload: FileUpload,
        sha1: str | None,
        length: int | None,
        store: Callable[[StartedFile], StoredParts],
    ) -> None:
        self._services = services
        self._session = services.session
        self._upload = upload
        self._sha1 = sha1
        self._length = length
        self._store = store

    def run(self, plan: LargeFilePlan | None) -> dict[str, Any]:
        """Make the file; returns B2's answer about it.

        :param plan: of the parts, to look for an unfinished file of them; the parts may be stored
                    twice then. None to start one
        """
        resumed = None if plan is None else claim_unfinished(self._services, plan)
        if resumed is not None:
            try:
                return self.complete(resumed)
            except _REFUSALS:
                # Another process has cancelled it, or sent something else.
                pass
        return self.complete(self._start())

    def complete(self, started: StartedFile) -> dict[str, Any]:
        """Store what is missing in a claimed file and finish it; gives the claim back."""
        file_id = started.file_id
        account_id = self._account_id
        try:
            with named_in_errors(self._upload.file_name, file_id):
                try:
                    stored = self._store(started)
                except _REFUSALS:
                    found = self._finished_by_another(file_id)
                    if found is None:
                        raise
                    return found
                return finish_large_file(
                    self._session, file_id, stored.sha1s, stored.length, self._sha1
                )
        finally:
            in_use.release(account_id, file_id)

    def _finished_by_another(self, file_id: str) -> dict[str, Any] | None:
        if self._sha1 is None or self._length is None:
            return None
        return finished_file(self._session, file_id, self._length, {self._sha1})

    def _start(self) -> StartedFile:
        upload = self._upload
        file_info = file_info_with_sha1(upload, self._sha1)
        while True:
            answer = self._session.start_large_file(
                upload.bucket_id,
                upload.file_name,
                upload.content_type,
                file_info,
                server_side_encryption=upload.encryption,
                file_retention=upload.file_retention,
                legal_hold=upload.legal_hold,
                custom_upload_timestamp=upload.custom_upload_timestamp,
            )
            # Between the start and the claim another upload of the process may have found it.
            if in_use.claim(self._account_id, answer['fileId']):
                return StartedFile(answer['fileId'], {})

    @property
    def _account_id(self) -> str:
        return self._session.account_info.get_account_id()


def file_info_with_sha1(upload: FileUpload, sha1: str | None) -> dict[str, str]:
    """The file info that a large file is started with.

    :param sha1: of all the content in hex, if it is known
    """
    return upload.file_info if sha1 is None else {**upload.file_info, LARGE_FILE_SHA1: sha1}


def how_to_go_on(upload: FileUpload) -> str:
    """What to do after a large file of known content was not finished, for `naming_transfer`."""
    if upload.encryption is not None and upload.encryption.mode is EncryptionMode.SSE_C:
        return 'upload it again'
    return 'the parts that are stored are kept, and the same upload sends the rest'
