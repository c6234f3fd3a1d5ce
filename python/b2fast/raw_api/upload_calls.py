"""Storing files: whole ones, and large ones in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..encryption.types import EncryptionMode
from ..exception import AccessDenied, SSECKeyError
from .caller import HttpCaller
from .names import check_file_name
from .parameters import for_write, given, json_or_none, range_text, source_key

if TYPE_CHECKING:
    from ..encryption.setting import EncryptionSetting
    from ..file_lock import FileRetentionSetting, LegalHold
    from ..types import ReadOnlyStream


class UploadCalls(HttpCaller):
    """Calls that store files."""

    def check_b2_filename(self, filename: str) -> None:
        """Check a file name as `upload_file` does.

        :raises UnusableFileName: if the name is too long or has characters that it must not.
        """
        check_file_name(filename)

    def get_upload_url(
        self, api_url: str, account_auth_token: str, bucket_id: str
    ) -> dict[str, Any]:
        """``b2_get_upload_url``: a URL and a token for one upload at a time."""
        return self._post_json(api_url, 'b2_get_upload_url', account_auth_token, bucketId=bucket_id)

    def upload_file(
        self,
        upload_url: str,
        upload_auth_token: str,
        file_name: str,
        content_length: int,
        content_type: str,
        content_sha1: str,
        file_info: dict[str, str],
        data_stream: ReadOnlyStream,
        server_side_encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        custom_upload_timestamp: int | None = None,
    ) -> Any:
        """``b2_upload_file``: one attempt to store a file of up to 5 GB.

        :raises UnusableFileName: if B2 refuses the name.
        :raises WrongEncryptionSettingForFileWrite: if the encryption cannot be used.
        """
        for_write(server_side_encryption)
        self.check_b2_filename(file_name)
        headers = self.get_upload_file_headers(
            upload_auth_token,
            file_name,
            content_length,
            content_type,
            content_sha1,
            file_info,
            server_side_encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
        )
        # One attempt: a second one needs another upload URL.
        return self.b2_http.post_content_return_json(upload_url, headers, data_stream, try_count=1)

    def start_large_file(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        file_name: str,
        content_type: str,
        file_info: Mapping[str, str],
        server_side_encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        custom_upload_timestamp: int | None = None,
    ) -> dict[str, Any]:
        """``b2_start_large_file``.

        :param custom_upload_timestamp: milliseconds since 1970, for accounts that may set it.
        :raises WrongEncryptionSettingForFileWrite: if the encryption cannot be used.
        """
        encryption = for_write(server_side_encryption)
        if server_side_encryption is not None:
            with_key_id = server_side_encryption.add_key_id_to_file_info(dict(file_info))
            file_info = with_key_id if with_key_id is not None else file_info
        params = given(
            serverSideEncryption=encryption,
            legalHold=legal_hold.to_server() if legal_hold is not None else None,
            fileRetention=json_or_none(file_retention),
            customUploadTimestamp=custom_upload_timestamp,
        )
        return self._post_json(
            api_url,
            'b2_start_large_file',
            account_auth_token,
            bucketId=bucket_id,
            fileName=file_name,
            fileInfo=file_info,
            contentType=content_type,
            **params,
        )

    def get_upload_part_url(
        self, api_url: str, account_auth_token: str, file_id: str
    ) -> dict[str, Any]:
        """``b2_get_upload_part_url``: a URL and a token for one part at a time."""
        return self._post_json(
            api_url, 'b2_get_upload_part_url', account_auth_token, fileId=file_id
        )

    def upload_part(
        self,
        upload_url: str,
        upload_auth_token: str,
        part_number: int,
        content_length: int,
        content_sha1: str,
        data_stream: ReadOnlyStream,
        server_side_encryption: EncryptionSetting | None = None,
    ) -> Any:
        """``b2_upload_part``: one attempt to store a part, numbered from 1."""
        for_write(server_side_encryption)
        headers = {
            'Authorization': upload_auth_token,
            'Content-Length': str(content_length),
            'X-Bz-Part-Number': str(part_number),
            'X-Bz-Content-Sha1': content_sha1,
        }
        # Parts have SSE-C headers alone: SSE-B2 is said once, when the large file is started.
        if (
            server_side_encryption is not None
            and server_side_encryption.mode is EncryptionMode.SSE_C
        ):
            server_side_encryption.add_to_download_headers(headers)
        return self.b2_http.post_content_return_json(upload_url, headers, data_stream, try_count=1)

    def copy_part(
        self,
        api_url: str,
        account_auth_token: str,
        source_file_id: str,
        large_file_id: str,
        part_number: int,
        bytes_range: tuple[int, int] | None = None,
        destination_server_side_encryption: EncryptionSetting | None = None,
        source_server_side_encryption: EncryptionSetting | None = None,
    ) -> dict[str, Any]:
        """``b2_copy_part``: make a part of a large file from a stored file.

        :raises SSECKeyError: if the source is encrypted with another key.
        """
        params = given(
            range=range_text(bytes_range) if bytes_range is not None else None,
            destinationServerSideEncryption=for_write(destination_server_side_encryption),
            sourceServerSideEncryption=source_key(source_server_side_encryption),
        )
        try:
            return self._post_json(
                api_url,
                'b2_copy_part',
                account_auth_token,
                sourceFileId=source_file_id,
                largeFileId=large_file_id,
                partNumber=part_number,
                **params,
            )
        except AccessDenied:
            raise SSECKeyError from None

    def list_parts(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        start_part_number: int | None,
        max_part_count: int | None,
    ) -> dict[str, Any]:
        """``b2_list_parts``: one page of the parts of an unfinished large file."""
        return self._post_json(
            api_url,
            'b2_list_parts',
            account_auth_token,
            fileId=file_id,
            startPartNumber=start_part_number,
            maxPartCount=max_part_count,
        )

    def list_unfinished_large_files(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        start_file_id: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        """``b2_list_unfinished_large_files``: one page, at most 100."""
        return self._post_json(
            api_url,
            'b2_list_unfinished_large_files',
            account_auth_token,
            bucketId=bucket_id,
            startFileId=start_file_id,
            maxFileCount=max_file_count,
            namePrefix=prefix,
        )

    def finish_large_file(
        self, api_url: str, account_auth_token: str, file_id: str, part_sha1_array: Sequence[str]
    ) -> dict[str, Any]:
        """``b2_finish_large_file``: make one file of the parts, given by their SHA-1 in order."""
        return self._post_json(
            api_url,
            'b2_finish_large_file',
            account_auth_token,
            fileId=file_id,
            partSha1Array=part_sha1_array,
        )

    def cancel_large_file(
        self, api_url: str, account_auth_token: str, file_id: str
    ) -> dict[str, Any]:
        """``b2_cancel_large_file``: give up a large file and delete its parts."""
        return self._post_json(api_url, 'b2_cancel_large_file', account_auth_token, fileId=file_id)
