"""The upload of one source as a large file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...large_file.unfinished import LargeFilePlan, StartedFile, claim_given
from .file_upload import FileUpload, PartUpload
from .large_file_making import LargeFileMaking, StoredParts

if TYPE_CHECKING:
    from ...progress import TransferProgress
    from ...services import Services
    from ..seam import UploadContent


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
        lengths = [length for _, length in self._parts]
        plan = LargeFilePlan(self._upload, lengths, self._sha1, self._part_sha1)
        making = LargeFileMaking(
            self._services, self._upload, self._sha1, self._content.length, self._send
        )
        if resume_file_id is not None:
            return making.complete(claim_given(self._services, plan, resume_file_id))
        return making.run(plan)

    def _part_sha1(self, number: int) -> str:
        if self._part_sha1s is None:
            _, self._part_sha1s = self._content.hash_parts(self._parts)
        return self._part_sha1s[number - 1]

    def _send(self, started: StartedFile) -> StoredParts:
        known: Sequence[str | None] = self._part_sha1s or [None] * len(self._parts)
        missing = [
            PartUpload(number, offset, length, sha1)
            for number, ((offset, length), sha1) in enumerate(
                zip(self._parts, known, strict=True), start=1
            )
            if number not in started.parts
        ]
        sha1s = {number: part.content_sha1 for number, part in started.parts.items()}
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
        in_order = [sha1s[number] for number in range(1, len(self._parts) + 1)]
        return StoredParts(in_order, self._content.length)
