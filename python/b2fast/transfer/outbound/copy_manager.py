"""Copies within B2, without the content going through this machine."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ...cancel import in_this_context
from ...encryption.types import EncryptionMode
from ...exception import AlreadyFailed, CopyArgumentsMismatch, SSECKeyIdMismatchInCopy
from ...http_constants import SSE_C_KEY_ID_FILE_INFO_KEY_NAME
from ...raw_api.constants import MetadataDirectiveMode
from ..transfer_manager import TransferManager

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...file_lock import FileRetentionSetting, LegalHold
    from ...file_version import FileVersion
    from ...large_file.part import Part
    from ...progress import AbstractProgressListener
    from .copy_source import CopySource
    from .large_file_upload_state import LargeFileUploadState


class CopyManager(TransferManager):
    """Has files and parts copied; as many at a time as it has workers."""

    MAX_LARGE_FILE_SIZE = 10 * 1000**4
    """Bytes; B2's limit."""

    def copy_file(
        self,
        copy_source: CopySource,
        file_name: str,
        content_type: str | None,
        file_info: dict[str, str] | None,
        destination_bucket_id: str | None,
        progress_listener: AbstractProgressListener,
        destination_encryption: EncryptionSetting | None = None,
        source_encryption: EncryptionSetting | None = None,
        legal_hold: LegalHold | None = None,
        file_retention: FileRetentionSetting | None = None,
    ) -> Future[FileVersion]:
        """Copy a file in one call (``b2_copy_file``, up to 5 GB); returns a future.

        :param content_type: None to take content type and file info from the source
        :param file_info: given exactly if the content type is
        :param destination_bucket_id: the source's bucket if None
        :param destination_encryption: None for the bucket's default
        :param source_encryption: the key of an SSE-C file

        The future raises `CopyArgumentsMismatch` for one of content type and file info without
        the other, `SSECKeyIdMismatchInCopy` if the source's file info would name a key that is
        not the copy's, and errors of the service.
        """
        return self._thread_pool.submit(
            in_this_context(self._copy_file),
            copy_source,
            file_name,
            content_type,
            file_info,
            destination_bucket_id,
            progress_listener,
            destination_encryption,
            source_encryption,
            legal_hold,
            file_retention,
        )

    def _copy_file(
        self,
        source: CopySource,
        file_name: str,
        content_type: str | None,
        file_info: dict[str, str] | None,
        destination_bucket_id: str | None,
        progress_listener: AbstractProgressListener,
        destination_encryption: EncryptionSetting | None,
        source_encryption: EncryptionSetting | None,
        legal_hold: LegalHold | None,
        file_retention: FileRetentionSetting | None,
    ) -> FileVersion:
        progress_listener.set_total_bytes(source.get_content_length() or 0)
        if content_type is None and file_info is not None:
            raise CopyArgumentsMismatch('File info can be set only when content type is set')
        if content_type is not None and file_info is None:
            raise CopyArgumentsMismatch(
                'File info can be not set only when content type is not set'
            )
        directive, file_info, content_type = self.establish_sse_c_file_metadata(
            MetadataDirectiveMode.COPY if content_type is None else MetadataDirectiveMode.REPLACE,
            file_info,
            content_type,
            destination_encryption,
            source_encryption,
            source.source_file_info,
            source.source_content_type,
        )
        version = self.services.api.file_version_factory.from_api_response(
            self.services.session.copy_file(
                source.file_id,
                file_name,
                bytes_range=source.get_bytes_range(),
                metadata_directive=directive,
                content_type=content_type,
                file_info=file_info,
                destination_bucket_id=destination_bucket_id,
                destination_server_side_encryption=destination_encryption,
                source_server_side_encryption=source_encryption,
                file_retention=file_retention,
                legal_hold=legal_hold,
            )
        )
        progress_listener.bytes_completed(version.size)
        return version

    @classmethod
    def establish_sse_c_file_metadata(
        cls,
        metadata_directive: MetadataDirectiveMode,
        destination_file_info: dict[str, str] | None,
        destination_content_type: str | None,
        destination_server_side_encryption: EncryptionSetting | None,
        source_server_side_encryption: EncryptionSetting | None,
        source_file_info: dict[str, str] | None,
        source_content_type: str | None,
    ) -> tuple[MetadataDirectiveMode, dict[str, str] | None, str | None]:
        """What a copy has to say so that its file info names its own key.

        The file info of an SSE-C file may name its key (``sse_c_key_id``). A copy that takes
        the file info of its source and has another key must replace it, for which the source's
        must be known.

        Returns directive, file info and content type of the copy. Raises
        `SSECKeyIdMismatchInCopy` if the source's are not known and would be needed.
        """
        destination = destination_server_side_encryption
        if metadata_directive is MetadataDirectiveMode.REPLACE:
            return (
                metadata_directive,
                _with_key_id(destination_file_info, destination),
                destination_content_type,
            )
        source_key_id = _key_id(source_server_side_encryption)
        destination_key_id = _key_id(destination)
        if source_key_id == destination_key_id:
            return metadata_directive, destination_file_info, destination_content_type
        if source_file_info is None or source_content_type is None:
            raise SSECKeyIdMismatchInCopy(
                f'attempting to copy file using {MetadataDirectiveMode.COPY} without providing '
                f'source_file_info and source_content_type for differing sse_c_key_ids: '
                f'source="{source_key_id}", destination="{destination_key_id}"'
            )
        kept = {
            key: value
            for key, value in source_file_info.items()
            if key != SSE_C_KEY_ID_FILE_INFO_KEY_NAME
        }
        return MetadataDirectiveMode.REPLACE, _with_key_id(kept, destination), source_content_type

    def copy_part(
        self,
        large_file_id: str,
        part_copy_source: CopySource,
        part_number: int,
        large_file_upload_state: LargeFileUploadState,
        finished_parts: Mapping[int, Part] | None = None,
        destination_encryption: EncryptionSetting | None = None,
        source_encryption: EncryptionSetting | None = None,
    ) -> Future[dict[str, Any]]:
        """Copy a stretch of a file into a large file (``b2_copy_part``); returns a future.

        The future's result has at least ``contentSha1``. It raises `AlreadyFailed` if another
        part of the large file failed, and errors of the service.

        :param large_file_upload_state: is told how many bytes are done
        :param finished_parts: parts that are there already, by their numbers; such a one is
                    not copied again
        """
        return self._thread_pool.submit(
            in_this_context(self._copy_part),
            large_file_id,
            part_copy_source,
            part_number,
            large_file_upload_state,
            finished_parts or {},
            destination_encryption,
            source_encryption,
        )

    def _copy_part(
        self,
        large_file_id: str,
        source: CopySource,
        part_number: int,
        state: LargeFileUploadState,
        finished_parts: Mapping[int, Part],
        destination_encryption: EncryptionSetting | None,
        source_encryption: EncryptionSetting | None,
    ) -> dict[str, Any]:
        finished = finished_parts.get(part_number)
        if finished is not None:
            state.update_part_bytes(finished.content_length)
            return {'contentSha1': finished.content_sha1}
        if state.has_error():
            raise AlreadyFailed(state.get_error_message())
        if (
            destination_encryption is not None
            and destination_encryption.mode is EncryptionMode.SSE_B2
        ):
            # B2 is told of SSE-B2 when the large file starts, and of a customer's key every time.
            destination_encryption = None
        answer = self.services.session.copy_part(
            source.file_id,
            large_file_id,
            part_number,
            bytes_range=source.get_bytes_range(),
            destination_server_side_encryption=destination_encryption,
            source_server_side_encryption=source_encryption,
        )
        state.update_part_bytes(answer['contentLength'])
        return answer


def _key_id(encryption: EncryptionSetting | None) -> object:
    return None if encryption is None or encryption.key is None else encryption.key.key_id


def _with_key_id(
    file_info: dict[str, str] | None, encryption: EncryptionSetting | None
) -> dict[str, str] | None:
    return file_info if encryption is None else encryption.add_key_id_to_file_info(file_info)
