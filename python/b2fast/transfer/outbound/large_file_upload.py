"""The upload of one large file, from the search for its beginnings to its finish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...exception import (
    BadRequest,
    ChecksumMismatch,
    MissingPart,
    PartSha1Mismatch,
    ResourceNotFound,
)
from ...http_constants import LARGE_FILE_SHA1
from ...large_file import in_use
from ...large_file.unfinished import LargeFilePlan, StartedFile, claim_given, claim_unfinished
from .file_upload import FileUpload, PartUpload
from .large_file_finish import finish_large_file, finished_file, named_in_errors

if TYPE_CHECKING:
    from ...progress import TransferProgress
    from ...services import Services
    from ..seam import UploadContent

_REFUSALS = (BadRequest, ResourceNotFound, ChecksumMismatch, MissingPart, PartSha1Mismatch)
"""What is said of a large file that is finished or cancelled, or has parts of somebody else."""


class LargeFileUpload:
    """Sends content as a large file, or what is missing of it.

    :param content: is hashed and sent
    :param parts: offset and length of each part, in bytes
    :param sha1: of all of the content in hex; None to compute it, if the API object's
        `whole_file_sha1` says so
    """

    def __init__(
        self,
        services: Services,
        upload: FileUpload,
        content: UploadContent,
        parts: Sequence[tuple[int, int]],
        sha1: str | None,
        progress: TransferProgress,
    ) -> None:
        self._services = services
        self._upload = upload
        self._content = content
        self._parts = parts
        self._progress = progress
        self._part_sha1s: list[str] | None = None
        # B2 keeps no SHA-1 of a large file, so the file info has it, and that must be told at
        # the start. The pass that computes it hashes the parts as well.
        if sha1 is None and services.api.whole_file_sha1:
            sha1, self._part_sha1s = content.hash_parts(parts)
        self._sha1 = sha1

    def run(self, resume_file_id: str | None = None) -> dict[str, Any]:
        """Upload it; returns B2's answer about the finished file.

        :param resume_file_id: the unfinished file to go on with; None for the best there is
        """
        plan = LargeFilePlan(self._upload, self._parts, self._sha1, self._known_part_sha1s)
        if resume_file_id is not None:
            return self._complete(claim_given(self._services, plan, resume_file_id))
        resumed = claim_unfinished(self._services, plan)
        if resumed is not None:
            try:
                return self._complete(resumed)
            except _REFUSALS:
                # Another process has cancelled it, or sent something else.
                pass
        return self._complete(self._start())

    def _known_part_sha1s(self) -> list[str]:
        if self._part_sha1s is None:
            _, self._part_sha1s = self._content.hash_parts(self._parts)
        return self._part_sha1s

    def _start(self) -> StartedFile:
        upload = self._upload
        sha1_info = {} if self._sha1 is None else {LARGE_FILE_SHA1: self._sha1}
        while True:
            answer = self._services.session.start_large_file(
                upload.bucket_id,
                upload.file_name,
                upload.content_type,
                {**upload.file_info, **sha1_info},
                server_side_encryption=upload.encryption,
                file_retention=upload.file_retention,
                legal_hold=upload.legal_hold,
                custom_upload_timestamp=upload.custom_upload_timestamp,
            )
            # Between the start and the claim another upload of the process may have found it.
            if in_use.claim(self._account_id, answer['fileId']):
                return StartedFile(answer['fileId'], {})

    def _complete(self, started: StartedFile) -> dict[str, Any]:
        """Send what is missing and finish; gives the claim back."""
        file_id = started.file_id
        account_id = self._account_id
        session, length = self._services.session, self._content.length
        try:
            with named_in_errors(self._upload.file_name, file_id):
                try:
                    sha1s = self._send(started)
                except _REFUSALS:
                    # A file that says no SHA-1 may have parts of somebody else.
                    said = () if self._sha1 is None else (self._sha1,)
                    found = finished_file(session, file_id, length, said)
                    if found is None:
                        raise
                    return found
                return finish_large_file(session, file_id, sha1s, length, {self._sha1, None})
        finally:
            in_use.release(account_id, file_id)

    @property
    def _account_id(self) -> str:
        return self._services.session.account_info.get_account_id()

    def _send(self, started: StartedFile) -> list[str]:
        known: Sequence[str | None] = self._part_sha1s or [None] * len(self._parts)
        missing = [
            PartUpload(number, offset, length, sha1)
            for number, ((offset, length), sha1) in enumerate(
                zip(self._parts, known, strict=True), start=1
            )
            if number not in started.sha1s
        ]
        sha1s = dict(started.sha1s)
        if missing:
            there = self._content.length - sum(part.length for part in missing)
            self._progress.update(there)
            sent = self._content.send_parts(
                file_id=started.file_id,
                parts=missing,
                encryption=self._upload.encryption,
                progress=lambda byte_count, retried: self._progress.update(
                    there + byte_count, retried
                ),
            )
            sha1s.update(zip((part.number for part in missing), sent, strict=True))
        return [sha1s[number] for number in range(1, len(self._parts) + 1)]
