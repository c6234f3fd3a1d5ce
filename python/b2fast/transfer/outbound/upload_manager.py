"""Plans uploads: in one piece or in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..._core.planning import MAX_FILE_SIZE, MAX_PART_SIZE, plan_parts
from ...encryption.types import EncryptionMode
from ...exception import (
    AlreadyFailed,
    B2Error,
    InvalidArgument,
    MaxFileSizeExceeded,
    MaxRetriesExceeded,
    WrongEncryptionSettingForFileWrite,
)
from ...http_constants import LARGE_FILE_SHA1
from ...progress import AbstractProgressListener, TransferProgress
from ...utils.file_names import validate_b2_file_name
from ..seam import UploadContent
from ..transfer_manager import TransferManager
from .file_upload import FileUpload, PartUpload
from .progress_reporter import PartProgressReporter
from .upload_source import AbstractUploadSource

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...file_lock import FileRetentionSetting, LegalHold
    from ...file_version import FileVersion
    from ...large_file.part import Part
    from ...services import Services
    from .large_file_upload_state import LargeFileUploadState


class UploadManager(TransferManager):
    """Has content uploaded, as one file or as a large file of parts."""

    MAX_UPLOAD_ATTEMPTS = 5
    """How often `upload_file` and `upload_part` try; other uploads follow the `RetryPolicy`."""

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
                answer = content.send(upload, _known_sha1(source), progress.update)
            else:
                known = large_file_sha1 or _known_sha1(source)
                parts = plan_parts(length, recommended, minimum)
                answer = self._upload_large_file(upload, content, parts, known, progress)
            progress.finish()
        return self.services.api.file_version_factory.from_api_response(answer)

    def upload_file(
        self,
        bucket_id: str,
        upload_source: AbstractUploadSource,
        file_name: str,
        content_type: str,
        file_info: dict[str, str],
        progress_listener: AbstractProgressListener,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        custom_upload_timestamp: int | None = None,
    ) -> Future[FileVersion]:
        """Upload a source in one request, whatever its size; returns a future.

        The future raises `MaxRetriesExceeded` after `MAX_UPLOAD_ATTEMPTS`, `SourceChanged`, and
        errors of the source and of the service.

        :param custom_upload_timestamp: milliseconds since 1970
        """
        upload = FileUpload(
            bucket_id,
            file_name,
            content_type,
            file_info,
            encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
        )
        return self._thread_pool.submit(self._upload_file, upload, upload_source, progress_listener)

    def _upload_file(
        self,
        upload: FileUpload,
        source: AbstractUploadSource,
        progress_listener: AbstractProgressListener,
    ) -> FileVersion:
        with self.services.transfer_seam.open(source, self.MAX_UPLOAD_ATTEMPTS) as content:
            progress = TransferProgress(progress_listener, content.length)
            answer = content.send(upload, _known_sha1(source), progress.update)
            progress.finish()
        return self.services.api.file_version_factory.from_api_response(answer)

    def upload_part(
        self,
        bucket_id: str,
        file_id: str,
        part_upload_source: AbstractUploadSource,
        part_number: int,
        large_file_upload_state: LargeFileUploadState,
        finished_parts: Mapping[int, Part] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> Future[dict[str, Any]]:
        """Upload a source as a part of a large file; returns a future.

        The future's result has at least ``contentSha1``. It raises `AlreadyFailed` if another
        part failed, `MaxRetriesExceeded` after `MAX_UPLOAD_ATTEMPTS`, and errors of the source
        and of the service.

        :param large_file_upload_state: is told how many bytes are done, and if there were too
                    many failures
        :param finished_parts: parts that are there already, by their numbers; such a one is
                    not sent again
        """
        return self._thread_pool.submit(
            self._upload_part,
            file_id,
            part_upload_source,
            part_number,
            large_file_upload_state,
            finished_parts or {},
            encryption,
        )

    def _upload_part(
        self,
        file_id: str,
        source: AbstractUploadSource,
        part_number: int,
        state: LargeFileUploadState,
        finished_parts: Mapping[int, Part],
        encryption: EncryptionSetting | None,
    ) -> dict[str, Any]:
        finished = finished_parts.get(part_number)
        if finished is not None:
            state.update_part_bytes(source.get_content_length())
            return {'contentSha1': finished.content_sha1}
        if state.has_error():
            raise AlreadyFailed(state.get_error_message())
        if encryption is not None and encryption.mode is EncryptionMode.SSE_B2:
            # B2 is told of SSE-B2 when the large file starts, and of a customer's key every time.
            encryption = None
        reporter = PartProgressReporter(state)
        try:
            with self.services.transfer_seam.open(source, self.MAX_UPLOAD_ATTEMPTS) as content:
                length = content.length
                part = PartUpload(part_number, 0, length, _known_sha1(source))
                sha1s = content.send_parts(file_id, [part], encryption, reporter.bytes_completed)
        except MaxRetriesExceeded as error:
            state.set_error(str(error.exception_info_list[-1]))
            raise
        if reporter.prev_byte_count != length:
            reporter.bytes_completed(length)
        return {
            'fileId': file_id,
            'partNumber': part_number,
            'contentLength': length,
            'contentSha1': sha1s[0],
        }

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
        with named_in_errors(upload.file_name, file_id):
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
            return self.finish_large_file(file_id, sent, content.length)

    def finish_large_file(self, file_id: str, part_sha1s: list[str], length: int) -> dict[str, Any]:
        """Make the parts a file (``b2_finish_large_file``); returns B2's answer.

        :param part_sha1s: the SHA-1 of each part in hex, in order
        :param length: bytes of all parts
        """
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


def _known_sha1(source: AbstractUploadSource) -> str | None:
    return source.get_content_sha1() if source.is_sha1_known() else None


@contextmanager
def named_in_errors(file_name: str, file_id: str) -> Iterator[None]:
    """Say in an error which large file is left unfinished."""
    try:
        yield
    except Exception as error:
        error.add_note(
            f'the upload of {file_name!r} is not finished; its large file ID is {file_id}'
        )
        raise
