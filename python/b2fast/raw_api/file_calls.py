"""Stored files: listing, downloading, copying, locking, deleting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..exception import (
    AccessDenied,
    FileOrBucketNotFound,
    InvalidMetadataDirective,
    ResourceNotFound,
    RetentionWriteError,
    SSECKeyError,
)
from .caller import HttpCaller
from .constants import MetadataDirectiveMode
from .parameters import for_write, given, json_or_none, range_text, source_key

if TYPE_CHECKING:
    from ..b2http import ResponseContextManager
    from ..encryption.setting import EncryptionSetting
    from ..file_lock import FileRetentionSetting, LegalHold


class FileCalls(HttpCaller):
    """Calls about files that are stored."""

    def list_file_names(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        start_file_name: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        """``b2_list_file_names``: one page of names, newest versions only."""
        return self._post_json(
            api_url,
            'b2_list_file_names',
            account_auth_token,
            bucketId=bucket_id,
            startFileName=start_file_name,
            maxFileCount=max_file_count,
            prefix=prefix,
        )

    def list_file_versions(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        start_file_name: str | None = None,
        start_file_id: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        """``b2_list_file_versions``: one page of all versions, newest of a name first."""
        return self._post_json(
            api_url,
            'b2_list_file_versions',
            account_auth_token,
            bucketId=bucket_id,
            startFileName=start_file_name,
            startFileId=start_file_id,
            maxFileCount=max_file_count,
            prefix=prefix,
        )

    def get_file_info_by_id(
        self, api_url: str, account_auth_token: str, file_id: str
    ) -> dict[str, Any]:
        """``b2_get_file_info``."""
        return self._post_json(api_url, 'b2_get_file_info', account_auth_token, fileId=file_id)

    def get_file_info_by_name(
        self, download_url: str, account_auth_token: str, bucket_name: str, file_name: str
    ) -> Any:
        """The headers of a HEAD request to the download URL of the newest version.

        :raises FileOrBucketNotFound: if there is no such file; HEAD does not tell more.
        """
        url = self.get_download_url_by_name(download_url, bucket_name, file_name)
        try:
            response = self.b2_http.head_content(url, headers={'Authorization': account_auth_token})
        except ResourceNotFound:
            raise FileOrBucketNotFound(bucket_name, file_name) from None
        return response.headers

    def get_download_authorization(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        file_name_prefix: str,
        valid_duration_in_seconds: int,
    ) -> dict[str, Any]:
        """``b2_get_download_authorization``: a token for names with a prefix, 1 s to 7 days."""
        return self._post_json(
            api_url,
            'b2_get_download_authorization',
            account_auth_token,
            bucketId=bucket_id,
            fileNamePrefix=file_name_prefix,
            validDurationInSeconds=valid_duration_in_seconds,
        )

    def download_file_from_url(
        self,
        account_auth_token_or_none: str | None,
        url: str,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> ResponseContextManager:
        """Open a download of the whole file, or of the bytes first to last.

        :raises SSECKeyError: if the file is encrypted with another key.
        """
        headers: dict[str, str] = {}
        if range_ is not None:
            headers['Range'] = range_text(range_)
        if encryption is not None:
            encryption.add_to_download_headers(headers)
        if account_auth_token_or_none is not None:
            headers['Authorization'] = account_auth_token_or_none
        try:
            return self.b2_http.get_content(url, headers)
        except AccessDenied:
            raise SSECKeyError from None

    def copy_file(
        self,
        api_url: str,
        account_auth_token: str,
        source_file_id: str,
        new_file_name: str,
        bytes_range: tuple[int, int] | None = None,
        metadata_directive: MetadataDirectiveMode | None = None,
        content_type: str | None = None,
        file_info: Mapping[str, str] | None = None,
        destination_bucket_id: str | None = None,
        destination_server_side_encryption: EncryptionSetting | None = None,
        source_server_side_encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
    ) -> dict[str, Any]:
        """``b2_copy_file``: copy a file, or its bytes first to last, within the service.

        :raises InvalidMetadataDirective: if the metadata do not fit the directive.
        :raises SSECKeyError: if the source is encrypted with another key.
        """
        destination_encryption = for_write(destination_server_side_encryption)
        if metadata_directive is MetadataDirectiveMode.COPY and (
            content_type is not None or file_info is not None
        ):
            raise InvalidMetadataDirective(
                'content_type and file_info should be None when metadata_directive is COPY'
            )
        if metadata_directive is MetadataDirectiveMode.REPLACE and content_type is None:
            raise InvalidMetadataDirective(
                'content_type cannot be None when metadata_directive is REPLACE'
            )
        params = given(
            range=range_text(bytes_range) if bytes_range is not None else None,
            metadataDirective=metadata_directive.name if metadata_directive is not None else None,
            contentType=content_type,
            fileInfo=file_info,
            destinationBucketId=destination_bucket_id,
            destinationServerSideEncryption=destination_encryption,
            sourceServerSideEncryption=source_key(source_server_side_encryption),
            legalHold=legal_hold.to_server() if legal_hold is not None else None,
            fileRetention=json_or_none(file_retention),
        )
        try:
            return self._post_json(
                api_url,
                'b2_copy_file',
                account_auth_token,
                sourceFileId=source_file_id,
                fileName=new_file_name,
                **params,
            )
        except AccessDenied:
            raise SSECKeyError from None

    def hide_file(
        self, api_url: str, account_auth_token: str, bucket_id: str, file_name: str
    ) -> dict[str, Any]:
        """``b2_hide_file``."""
        return self._post_json(
            api_url, 'b2_hide_file', account_auth_token, bucketId=bucket_id, fileName=file_name
        )

    def delete_file_version(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        bypass_governance: bool = False,
    ) -> dict[str, Any]:
        """``b2_delete_file_version``."""
        return self._post_json(
            api_url,
            'b2_delete_file_version',
            account_auth_token,
            fileId=file_id,
            fileName=file_name,
            bypassGovernance=bypass_governance,
        )

    def update_file_retention(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        file_retention: FileRetentionSetting,
        bypass_governance: bool = False,
    ) -> dict[str, Any]:
        """``b2_update_file_retention``.

        :raises RetentionWriteError: if the retention cannot be changed in this way.
        """
        try:
            return self._post_json(
                api_url,
                'b2_update_file_retention',
                account_auth_token,
                fileId=file_id,
                fileName=file_name,
                bypassGovernance=bypass_governance,
                fileRetention=file_retention.serialize_to_json_for_request(),
            )
        except AccessDenied:
            raise RetentionWriteError from None

    def update_file_legal_hold(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        legal_hold: LegalHold,
    ) -> dict[str, Any]:
        """``b2_update_file_legal_hold``.

        :raises RetentionWriteError: if the hold cannot be changed.
        """
        try:
            return self._post_json(
                api_url,
                'b2_update_file_legal_hold',
                account_auth_token,
                fileId=file_id,
                fileName=file_name,
                legalHold=legal_hold.to_server(),
            )
        except AccessDenied:
            raise RetentionWriteError from None
