"""Plans uploads: in one piece or in parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..._core.planning import MAX_FILE_SIZE, MAX_PART_SIZE, plan_parts
from ...exception import (
    B2Error,
    InvalidArgument,
    MaxFileSizeExceeded,
    WrongEncryptionSettingForFileWrite,
)
from ...http_constants import LARGE_FILE_SHA1
from ...progress import AbstractProgressListener, TransferProgress
from ...utils.file_names import validate_b2_file_name
from ..seam import UploadContent
from ..transfer_manager import TransferManager
from .file_upload import FileUpload, PartUpload
from .upload_source import AbstractUploadSource

if TYPE_CHECKING:
    from ...file_version import FileVersion
    from ...services import Services


class UploadManager(TransferManager):
    """Has content uploaded, as one file or as a large file of parts."""

    def __init__(self, services: Services, **kwargs: Any) -> None:
        super().__init__(services, **kwargs)

    def upload(
        self,
        upload: FileUpload,
        source: AbstractUploadSource,
        progress_listener: AbstractProgressListener,
        *,
        large_file_sha1: str | None = None,
        recommended_part_size: int | None = None,
        min_part_size: int | None = None,
    ) -> FileVersion:
        """Upload the content of a source.

        It becomes a large file if it has at least a recommended and a minimum part.

        :param large_file_sha1: the SHA-1 of all of it in hex, if known, for a large file
        :param recommended_part_size: bytes; the service's recommendation if None
        :param min_part_size: bytes; the service's minimum if None

        Raises, before anything is sent: `UnusableFileName`, `MaxFileSizeExceeded` above 10 TB,
        `WrongEncryptionSettingForFileWrite`, `InvalidArgument`, and an error of the source.
        Later: `SourceChanged`, `MaxRetriesExceeded`, errors of the service.
        """
        validate_b2_file_name(upload.file_name)
        if upload.encryption is not None and not upload.encryption.can_be_used_for_file_write():
            raise WrongEncryptionSettingForFileWrite(upload.encryption)
        minimum = self._minimum_part_size(min_part_size)
        recommended = max(
            recommended_part_size or self.account_info.get_recommended_part_size(), minimum
        )
        with self.services.transfer_seam.open(source) as content:
            length = content.length
            if length > MAX_FILE_SIZE:
                raise MaxFileSizeExceeded(length, MAX_FILE_SIZE)
            progress = TransferProgress(progress_listener, length)
            if length < recommended + minimum and length <= MAX_PART_SIZE:
                sha1 = source.get_content_sha1() if source.is_sha1_known() else None
                answer = content.send(upload, sha1, progress.update)
            else:
                known = large_file_sha1 or (
                    source.get_content_sha1() if source.is_sha1_known() else None
                )
                parts = plan_parts(length, recommended, minimum)
                answer = self._upload_large_file(upload, content, parts, known, progress)
            progress.finish()
        return self.services.api.file_version_factory.from_api_response(answer)

    def _minimum_part_size(self, asked: int | None) -> int:
        minimum = self.account_info.get_absolute_minimum_part_size()
        if asked is None:
            return minimum
        if not minimum <= asked <= MAX_PART_SIZE:
            raise InvalidArgument(
                'min_part_size', f'{asked} is not between {minimum} and {MAX_PART_SIZE} bytes'
            )
        return asked

    def _upload_large_file(
        self,
        upload: FileUpload,
        content: UploadContent,
        parts: list[tuple[int, int]],
        sha1: str | None,
        progress: TransferProgress,
    ) -> dict[str, Any]:
        # B2 keeps no SHA-1 of a large file, so the file info has it, and that must be told at
        # the start. The pass that computes it hashes the parts as well.
        part_sha1s: list[str | None]
        if sha1 is None:
            sha1, digests = content.hash_parts(parts)
            part_sha1s = list(digests)
        else:
            part_sha1s = [None] * len(parts)
        session = self.services.session
        started = session.start_large_file(
            upload.bucket_id,
            upload.file_name,
            upload.content_type,
            {**upload.file_info, LARGE_FILE_SHA1: sha1},
            server_side_encryption=upload.encryption,
            file_retention=upload.file_retention,
            legal_hold=upload.legal_hold,
            custom_upload_timestamp=upload.custom_upload_timestamp,
        )
        file_id: str = started['fileId']
        with _named(upload.file_name, file_id):
            sent = content.send_parts(
                file_id,
                [
                    PartUpload(number, offset, length, part_sha1)
                    for number, ((offset, length), part_sha1) in enumerate(
                        zip(parts, part_sha1s, strict=True), start=1
                    )
                ],
                upload.encryption,
                progress.update,
            )
            return self._finish(file_id, sent, content.length)

    def _finish(self, file_id: str, part_sha1s: list[str], length: int) -> dict[str, Any]:
        session = self.services.session
        try:
            return session.finish_large_file(file_id, part_sha1s)
        except B2Error:
            # The answer may have been lost and the work done, which a repeated call is refused
            # for. Only a finished file has file info.
            try:
                found = session.get_file_info_by_id(file_id)
            except B2Error:
                found = {}
            if found.get('action') == 'upload' and found.get('contentLength') == length:
                return found
            raise


@contextmanager
def _named(file_name: str, file_id: str) -> Iterator[None]:
    """Say in an error which large file is left unfinished."""
    try:
        yield
    except Exception as error:
        error.add_note(
            f'the upload of {file_name!r} is not finished; its large file ID is {file_id}'
        )
        raise
