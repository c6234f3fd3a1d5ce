"""The calls of the raw API, made for one account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .authorized_session import AuthorizedSession
from .http_request import call_of_url
from .repeated_calls import (
    answer_of_repeated,
    cancelled_large_file,
    deleted_version,
    hide_marker,
)
from .token_type import TokenType

if TYPE_CHECKING:
    from .encryption.setting import EncryptionSetting
    from .file_lock import BucketRetentionSetting, FileRetentionSetting, LegalHold
    from .raw_api import MetadataDirectiveMode
    from .types import LifecycleRule, NotificationRule, NotificationRuleResponse, ReadOnlyStream

__all__ = ['B2Session', 'TokenType']


class B2Session(AuthorizedSession):
    """Makes the calls of the raw API for one account.

    An expired token is replaced, once for all threads, and the call is made again.  A refusal
    (`Unauthorized`) says what the application key is restricted to.

    :param account_info: where tokens, URLs and bucket names are kept; in memory by default, or,
        in subclasses that set it, an instance of ``SQLITE_ACCOUNT_INFO_CLASS``.
    :param cache: where names of buckets are looked up; in the account data by default.
    :param api_config: how HTTP is spoken, and with which raw API.
    """

    def create_key(
        self,
        account_id: str,
        capabilities: Sequence[str],
        key_name: str,
        valid_duration_seconds: int | None,
        bucket_ids: Sequence[str] | None,
        name_prefix: str | None,
    ) -> dict[str, Any]:
        """See `AbstractRawApi.create_key`."""
        return self._call(
            self.raw_api.create_key,
            account_id,
            capabilities,
            key_name,
            valid_duration_seconds,
            bucket_ids,
            name_prefix,
        )

    def delete_key(self, application_key_id: str) -> dict[str, Any]:
        """See `AbstractRawApi.delete_key`."""
        return self._call(self.raw_api.delete_key, application_key_id)

    def list_keys(
        self,
        account_id: str,
        max_key_count: int | None = None,
        start_application_key_id: str | None = None,
    ) -> dict[str, Any]:
        """See `AbstractRawApi.list_keys`."""
        return self._call(
            self.raw_api.list_keys, account_id, max_key_count, start_application_key_id
        )

    def create_bucket(
        self,
        account_id: str,
        bucket_name: str,
        bucket_type: str,
        bucket_info: Mapping[str, str] | None = None,
        cors_rules: Sequence[Mapping[str, Any]] | None = None,
        lifecycle_rules: list[LifecycleRule] | None = None,
        default_server_side_encryption: EncryptionSetting | None = None,
        is_file_lock_enabled: bool | None = None,
        replication: Any | None = None,
    ) -> dict[str, Any]:
        """See `AbstractRawApi.create_bucket`."""
        return self._call(
            self.raw_api.create_bucket,
            account_id,
            bucket_name,
            bucket_type,
            bucket_info=bucket_info,
            cors_rules=cors_rules,
            lifecycle_rules=lifecycle_rules,
            default_server_side_encryption=default_server_side_encryption,
            is_file_lock_enabled=is_file_lock_enabled,
            replication=replication,
        )

    def update_bucket(
        self,
        account_id: str,
        bucket_id: str,
        bucket_type: str | None = None,
        bucket_info: Mapping[str, str] | None = None,
        cors_rules: Sequence[Mapping[str, Any]] | None = None,
        lifecycle_rules: list[LifecycleRule] | None = None,
        if_revision_is: int | None = None,
        default_server_side_encryption: EncryptionSetting | None = None,
        default_retention: BucketRetentionSetting | None = None,
        replication: Any | None = None,
        is_file_lock_enabled: bool | None = None,
    ) -> dict[str, Any]:
        """See `AbstractRawApi.update_bucket`."""
        return self._call(
            self.raw_api.update_bucket,
            account_id,
            bucket_id,
            bucket_type=bucket_type,
            bucket_info=bucket_info,
            cors_rules=cors_rules,
            lifecycle_rules=lifecycle_rules,
            if_revision_is=if_revision_is,
            default_server_side_encryption=default_server_side_encryption,
            default_retention=default_retention,
            replication=replication,
            is_file_lock_enabled=is_file_lock_enabled,
        )

    def delete_bucket(self, account_id: str, bucket_id: str) -> dict[str, Any]:
        """See `AbstractRawApi.delete_bucket`."""
        return self._call(self.raw_api.delete_bucket, account_id, bucket_id)

    def list_buckets(
        self, account_id: str, bucket_id: str | None = None, bucket_name: str | None = None
    ) -> dict[str, Any]:
        """See `AbstractRawApi.list_buckets`."""
        return self._call(
            self.raw_api.list_buckets, account_id, bucket_id=bucket_id, bucket_name=bucket_name
        )

    def get_bucket_notification_rules(self, bucket_id: str) -> list[NotificationRuleResponse]:
        """See `AbstractRawApi.get_bucket_notification_rules`."""
        return self._call(self.raw_api.get_bucket_notification_rules, bucket_id)

    def set_bucket_notification_rules(
        self, bucket_id: str, rules: Iterable[NotificationRule]
    ) -> list[NotificationRuleResponse]:
        """See `AbstractRawApi.set_bucket_notification_rules`."""
        return self._call(self.raw_api.set_bucket_notification_rules, bucket_id, rules)

    def list_file_names(
        self,
        bucket_id: str,
        start_file_name: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        """See `AbstractRawApi.list_file_names`."""
        return self._call(
            self.raw_api.list_file_names,
            bucket_id,
            start_file_name=start_file_name,
            max_file_count=max_file_count,
            prefix=prefix,
        )

    def list_file_versions(
        self,
        bucket_id: str,
        start_file_name: str | None = None,
        start_file_id: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        """See `AbstractRawApi.list_file_versions`."""
        return self._call(
            self.raw_api.list_file_versions,
            bucket_id,
            start_file_name=start_file_name,
            start_file_id=start_file_id,
            max_file_count=max_file_count,
            prefix=prefix,
        )

    def get_file_info_by_id(self, file_id: str) -> dict[str, Any]:
        """See `AbstractRawApi.get_file_info_by_id`."""
        return self._call(self.raw_api.get_file_info_by_id, file_id)

    def get_file_info_by_name(self, bucket_name: str, file_name: str) -> dict[str, Any]:
        """See `AbstractRawApi.get_file_info_by_name`."""
        return self._with_token(
            lambda token: self.raw_api.get_file_info_by_name(
                self.account_info.get_download_url(), token, bucket_name, file_name
            ),
            'b2_download_file_by_name',
        )

    def get_download_authorization(
        self, bucket_id: str, file_name_prefix: str, valid_duration_in_seconds: int
    ) -> dict[str, Any]:
        """See `AbstractRawApi.get_download_authorization`."""
        return self._call(
            self.raw_api.get_download_authorization,
            bucket_id,
            file_name_prefix,
            valid_duration_in_seconds,
        )

    def get_download_url_by_id(self, file_id: str) -> str:
        """The URL of a file version."""
        return self.raw_api.get_download_url_by_id(self.account_info.get_download_url(), file_id)

    def get_download_url_by_name(self, bucket_name: str, file_name: str) -> str:
        """The URL of the newest version of a name."""
        return self.raw_api.get_download_url_by_name(
            self.account_info.get_download_url(), bucket_name, file_name
        )

    def download_file_from_url(
        self,
        url: str,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> Any:
        """See `AbstractRawApi.download_file_from_url`."""
        return self._with_token(
            lambda token: self.raw_api.download_file_from_url(
                token, url, range_=range_, encryption=encryption
            ),
            call_of_url(url),
        )

    def copy_file(
        self,
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
        """See `AbstractRawApi.copy_file`."""
        return self._call(
            self.raw_api.copy_file,
            source_file_id,
            new_file_name,
            bytes_range=bytes_range,
            metadata_directive=metadata_directive,
            content_type=content_type,
            file_info=file_info,
            destination_bucket_id=destination_bucket_id,
            destination_server_side_encryption=destination_server_side_encryption,
            source_server_side_encryption=source_server_side_encryption,
            file_retention=file_retention,
            legal_hold=legal_hold,
        )

    def hide_file(self, bucket_id: str, file_name: str) -> dict[str, Any]:
        """See `AbstractRawApi.hide_file`. A call that had to be repeated may find it hidden."""
        return answer_of_repeated(
            lambda: self._call(self.raw_api.hide_file, bucket_id, file_name),
            lambda: hide_marker(self, bucket_id, file_name),
        )

    def delete_file_version(
        self, file_id: str, file_name: str, bypass_governance: bool = False
    ) -> dict[str, Any]:
        """See `AbstractRawApi.delete_file_version`. A call that had to be repeated may find it
        deleted.
        """
        return answer_of_repeated(
            lambda: self._call(
                self.raw_api.delete_file_version, file_id, file_name, bypass_governance
            ),
            lambda: deleted_version(self, file_id, file_name),
        )

    def update_file_retention(
        self,
        file_id: str,
        file_name: str,
        file_retention: FileRetentionSetting,
        bypass_governance: bool = False,
    ) -> dict[str, Any]:
        """See `AbstractRawApi.update_file_retention`."""
        return self._call(
            self.raw_api.update_file_retention,
            file_id,
            file_name,
            file_retention,
            bypass_governance,
        )

    def update_file_legal_hold(
        self, file_id: str, file_name: str, legal_hold: LegalHold
    ) -> dict[str, Any]:
        """See `AbstractRawApi.update_file_legal_hold`."""
        return self._call(self.raw_api.update_file_legal_hold, file_id, file_name, legal_hold)

    def get_upload_url(self, bucket_id: str) -> dict[str, Any]:
        """See `AbstractRawApi.get_upload_url`."""
        return self._call(self.raw_api.get_upload_url, bucket_id)

    def get_upload_part_url(self, file_id: str) -> dict[str, Any]:
        """See `AbstractRawApi.get_upload_part_url`."""
        return self._call(self.raw_api.get_upload_part_url, file_id)

    def upload_file(
        self,
        bucket_id: str,
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
    ) -> dict[str, Any]:
        """Upload with a spare upload URL or a fresh one; see `AbstractRawApi.upload_file`.

        The URL is kept for the next upload if this one succeeds, and dropped if not.
        """
        info = self.account_info
        return self._upload(
            'b2_upload_file',
            lambda: info.take_bucket_upload_url(bucket_id),
            lambda: self.get_upload_url(bucket_id),
            lambda url, token: info.put_bucket_upload_url(bucket_id, url, token),
            lambda: info.clear_bucket_upload_data(bucket_id),
            lambda url, token: self.raw_api.upload_file(
                url,
                token,
                file_name,
                content_length,
                content_type,
                content_sha1,
                file_info,
                data_stream,
                server_side_encryption,
                file_retention=file_retention,
                legal_hold=legal_hold,
                custom_upload_timestamp=custom_upload_timestamp,
            ),
            data_stream,
        )

    def upload_part(
        self,
        file_id: str,
        part_number: int,
        content_length: int,
        sha1_sum: str,
        input_stream: ReadOnlyStream,
        server_side_encryption: EncryptionSetting | None = None,
    ) -> dict[str, Any]:
        """Upload a part as `upload_file` does a file; see `AbstractRawApi.upload_part`."""
        info = self.account_info
        return self._upload(
            'b2_upload_part',
            lambda: info.take_large_file_upload_url(file_id),
            lambda: self.get_upload_part_url(file_id),
            lambda url, token: info.put_large_file_upload_url(file_id, url, token),
            lambda: info.clear_large_file_upload_urls(file_id),
            lambda url, token: self.raw_api.upload_part(
                url,
                token,
                part_number,
                content_length,
                sha1_sum,
                input_stream,
                server_side_encryption,
            ),
            input_stream,
        )

    def start_large_file(
        self,
        bucket_id: str,
        file_name: str,
        content_type: str,
        file_info: Mapping[str, str],
        server_side_encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        custom_upload_timestamp: int | None = None,
    ) -> dict[str, Any]:
        """See `AbstractRawApi.start_large_file`."""
        # Not every implementation of AbstractRawApi knows the timestamp.
        optional = (
            {'custom_upload_timestamp': custom_upload_timestamp}
            if custom_upload_timestamp is not None
            else {}
        )
        return self._call(
            self.raw_api.start_large_file,
            bucket_id,
            file_name,
            content_type,
            file_info,
            server_side_encryption,
            file_retention=file_retention,
            legal_hold=legal_hold,
            **optional,
        )

    def copy_part(
        self,
        source_file_id: str,
        large_file_id: str,
        part_number: int,
        bytes_range: tuple[int, int] | None = None,
        destination_server_side_encryption: EncryptionSetting | None = None,
        source_server_side_encryption: EncryptionSetting | None = None,
    ) -> dict[str, Any]:
        """See `AbstractRawApi.copy_part`."""
        return self._call(
            self.raw_api.copy_part,
            source_file_id,
            large_file_id,
            part_number,
            bytes_range=bytes_range,
            destination_server_side_encryption=destination_server_side_encryption,
            source_server_side_encryption=source_server_side_encryption,
        )

    def list_parts(
        self, file_id: str, start_part_number: int | None, max_part_count: int | None
    ) -> dict[str, Any]:
        """See `AbstractRawApi.list_parts`."""
        return self._call(self.raw_api.list_parts, file_id, start_part_number, max_part_count)

    def list_unfinished_large_files(
        self,
        bucket_id: str,
        start_file_id: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        """See `AbstractRawApi.list_unfinished_large_files`."""
        return self._call(
            self.raw_api.list_unfinished_large_files,
            bucket_id,
            start_file_id,
            max_file_count,
            prefix,
        )

    def finish_large_file(self, file_id: str, part_sha1_array: Sequence[str]) -> dict[str, Any]:
        """See `AbstractRawApi.finish_large_file`."""
        return self._call(self.raw_api.finish_large_file, file_id, part_sha1_array)

    def cancel_large_file(self, file_id: str) -> dict[str, Any]:
        """See `AbstractRawApi.cancel_large_file`. A call that had to be repeated may find it
        cancelled; the ``fileName`` of the answer is empty then.
        """
        return answer_of_repeated(
            lambda: self._call(self.raw_api.cancel_large_file, file_id),
            lambda: cancelled_large_file(self, file_id),
        )
