"""Plans uploads: in one piece or in parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..._core.planning import MAX_FILE_SIZE, MAX_PART_SIZE, plan_parts
from ...cancel import in_this_context, naming_transfer
from ...encryption.types import EncryptionMode
from ...exception import (
    AlreadyFailed,
    CannotResumeUpload,
    InvalidArgument,
    MaxFileSizeExceeded,
    MaxRetriesExceeded,
    WrongEncryptionSettingForFileWrite,
)
from ...large_file.unfinished import get_unfinished
from ...progress import AbstractProgressListener, TransferProgress
from ...utils.file_names import validate_b2_file_name
from ..transfer_manager import TransferManager
from .file_upload import FileUpload, PartUpload
from .large_file_making import how_to_go_on
from .large_file_upload import LargeFileUpload
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
        resume_file_id: str | None = None,
    ) -> FileVersion:
        """Upload the content of a source.

        It becomes a large file if it has at least a recommended and a minimum part. If there is
        an unfinished large file of it, only what is missing there is sent.

        :param large_file_sha1: the SHA-1 of all of it in hex, if known, for a large file
        :param recommended_part_size: bytes; the service's recommendation if None
        :param min_part_size: bytes; the service's minimum if None
        :param resume_file_id: the unfinished large file to go on with, and no other; a part that
                    is not the content's is sent again

        Raises, before anything is sent: `UnusableFileName`, `MaxFileSizeExceeded` above 10 TB,
        `WrongEncryptionSettingForFileWrite`, `InvalidArgument`, `CannotResumeUpload` and an error
        of the source.
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
            is_small = length < recommended + minimum and length <= MAX_PART_SIZE
            if is_small and resume_file_id is None:
                with naming_transfer(upload.file_name, 'upload it again'):
                    answer = content.send(upload, _known_sha1(source), progress.update)
            else:
                parts = plan_parts(length, recommended, minimum)
                if len(parts) < 2:
                    raise CannotResumeUpload(str(resume_file_id), 'the content is a single part')
                known = large_file_sha1 or _known_sha1(source)
                with naming_transfer(upload.file_name, how_to_go_on(upload)):
                    answer = LargeFileUpload(
                        self.services, upload, content, parts, known, progress
                    ).run(resume_file_id)
            progress.finish()
        return self.services.api.file_version_factory.from_api_response(answer)

    def resume(
        self,
        bucket_id: str,
        file_id: str,
        source: AbstractUploadSource,
        file_name: str,
        progress_listener: AbstractProgressListener,
    ) -> FileVersion:
        """Upload the rest of an unfinished large file with the metadata of its start.

        Its parts get the size of those that are there. Raises `CannotResumeUpload` and what
        `upload` raises.
        """
        unfinished = get_unfinished(self.services, bucket_id, file_id, file_name)
        encryption = unfinished.encryption
        parts = self.services.large_file.part_dicts(file_id)
        sizes = Counter(part['contentLength'] for part in parts)
        return self.upload(
            FileUpload(
                bucket_id,
                file_name,
                unfinished.content_type,
                unfinished.file_info,
                encryption if encryption.can_be_used_for_file_write() else None,
                unfinished.file_retention,
                unfinished.legal_hold,
            ),
            source,
            progress_listener,
            # The last part may have another size.
            recommended_part_size=sizes.most_common(1)[0][0] if sizes else None,
            resume_file_id=file_id,
        )

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
        return self._thread_pool.submit(
            in_this_context(self._upload_file), upload, upload_source, progress_listener
        )

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
            in_this_context(self._upload_part),
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
                sha1s = content.send_parts(file_id, [part], encryption, reporter.update)
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


def _known_sha1(source: AbstractUploadSource) -> str | None:
    return source.get_content_sha1() if source.is_sha1_known() else None
