"""The seam below `B2Session`: one method per call of the native API."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..utils.url import b2_url_encode
from .constants import API_VERSION, MetadataDirectiveMode
from .headers import upload_file_headers

if TYPE_CHECKING:
    from .._core.transfer import Engine
    from ..encryption.setting import EncryptionSetting
    from ..file_lock import BucketRetentionSetting, FileRetentionSetting, LegalHold
    from ..stats import CallCounter
    from ..types import LifecycleRule, NotificationRule, NotificationRuleResponse, ReadOnlyStream


class AbstractRawApi(ABC):
    """The calls of the B2 native API, each with the parameters and the answer of the service.

    An implementation keeps no account data: URLs and tokens come with every call.  Answers are
    the service's JSON as Python data; errors are exceptions of `b2fast.exception`.
    """

    def transfer_engine(self, connections: int) -> Engine | None:
        """The engine that moves content for this raw API, or None.

        With an engine, uploads and downloads go over HTTP without passing through Python, to
        the URLs that the calls of this raw API return.  An implementation that does not speak
        HTTP keeps this default; content then goes through `upload_file`, `upload_part` and
        `download_file_from_url` as ordinary streams.

        :param connections: how many connections one transfer may use at a time
        """
        return None

    def call_counter(self) -> CallCounter | None:
        """What counts the requests of this raw API, or None if nothing does.

        With None, which is the default, a session counts the calls that it makes.
        """
        return None

    @abstractmethod
    def authorize_account(
        self, realm_url: str, application_key_id: str, application_key: str
    ) -> dict[str, Any]:
        """``b2_authorize_account``: exchange a key for a token (valid for at most 24 hours)."""

    @abstractmethod
    def cancel_large_file(
        self, api_url: str, account_auth_token: str, file_id: str
    ) -> dict[str, Any]:
        """``b2_cancel_large_file``: give up a large file and delete its parts."""

    @abstractmethod
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
        """``b2_copy_file``: copy a file, or its bytes first to last, within the service."""

    @abstractmethod
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
        """``b2_copy_part``: make a part of a large file from a stored file."""

    @abstractmethod
    def create_bucket(
        self,
        api_url: str,
        account_auth_token: str,
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
        """``b2_create_bucket``."""

    @abstractmethod
    def create_key(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        capabilities: Sequence[str],
        key_name: str,
        valid_duration_seconds: int | None,
        bucket_ids: Sequence[str] | None,
        name_prefix: str | None,
    ) -> dict[str, Any]:
        """``b2_create_key``; the answer is the only place where the key itself is told."""

    @abstractmethod
    def download_file_from_url(
        self,
        account_auth_token_or_none: str | None,
        url: str,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> Any:
        """Open a download of the whole file, or of the bytes first to last.

        :return: a context manager that gives the response (of ``requests``, or alike).
        """

    @abstractmethod
    def delete_key(
        self, api_url: str, account_auth_token: str, application_key_id: str
    ) -> dict[str, Any]:
        """``b2_delete_key``."""

    @abstractmethod
    def delete_bucket(
        self, api_url: str, account_auth_token: str, account_id: str, bucket_id: str
    ) -> dict[str, Any]:
        """``b2_delete_bucket``: only an empty bucket can be deleted."""

    @abstractmethod
    def delete_file_version(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        bypass_governance: bool = False,
    ) -> dict[str, Any]:
        """``b2_delete_file_version``."""

    @abstractmethod
    def finish_large_file(
        self, api_url: str, account_auth_token: str, file_id: str, part_sha1_array: Sequence[str]
    ) -> dict[str, Any]:
        """``b2_finish_large_file``: make one file of the parts, given by their SHA-1 in order."""

    @abstractmethod
    def get_download_authorization(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        file_name_prefix: str,
        valid_duration_in_seconds: int,
    ) -> dict[str, Any]:
        """``b2_get_download_authorization``: a token for names with a prefix, 1 s to 7 days."""

    @abstractmethod
    def get_file_info_by_id(
        self, api_url: str, account_auth_token: str, file_id: str
    ) -> dict[str, Any]:
        """``b2_get_file_info``."""

    @abstractmethod
    def get_file_info_by_name(
        self, download_url: str, account_auth_token: str, bucket_name: str, file_name: str
    ) -> dict[str, Any]:
        """The headers of a HEAD request to the download URL of the newest version."""

    @abstractmethod
    def get_upload_url(
        self, api_url: str, account_auth_token: str, bucket_id: str
    ) -> dict[str, Any]:
        """``b2_get_upload_url``: a URL and a token for one upload at a time."""

    @abstractmethod
    def get_upload_part_url(
        self, api_url: str, account_auth_token: str, file_id: str
    ) -> dict[str, Any]:
        """``b2_get_upload_part_url``: a URL and a token for one part at a time."""

    @abstractmethod
    def hide_file(
        self, api_url: str, account_auth_token: str, bucket_id: str, file_name: str
    ) -> dict[str, Any]:
        """``b2_hide_file``."""

    @abstractmethod
    def list_buckets(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        bucket_id: str | None = None,
        bucket_name: str | None = None,
    ) -> dict[str, Any]:
        """``b2_list_buckets``, all of them or the one of that ID or name."""

    @abstractmethod
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

    @abstractmethod
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

    @abstractmethod
    def list_keys(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        max_key_count: int | None = None,
        start_application_key_id: str | None = None,
    ) -> dict[str, Any]:
        """``b2_list_keys``: one page."""

    @abstractmethod
    def list_parts(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        start_part_number: int | None,
        max_part_count: int | None,
    ) -> dict[str, Any]:
        """``b2_list_parts``: one page of the parts of an unfinished large file."""

    @abstractmethod
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

    @abstractmethod
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
    ) -> dict[str, Any]:
        """``b2_start_large_file``."""

    @abstractmethod
    def update_bucket(
        self,
        api_url: str,
        account_auth_token: str,
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
        """``b2_update_bucket``: None leaves a setting as it is."""

    @abstractmethod
    def update_file_retention(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        file_retention: FileRetentionSetting,
        bypass_governance: bool = False,
    ) -> dict[str, Any]:
        """``b2_update_file_retention``."""

    def update_file_legal_hold(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        legal_hold: LegalHold,
    ) -> dict[str, Any]:
        """``b2_update_file_legal_hold``.

        Not abstract, since implementations made for b2sdk need not have it.
        """
        raise NotImplementedError(f'{type(self).__name__} has no legal holds')

    @classmethod
    def get_upload_file_headers(
        cls,
        upload_auth_token: str,
        file_name: str,
        content_length: int,
        content_type: str,
        content_sha1: str,
        file_info: dict[str, str],
        server_side_encryption: EncryptionSetting | None,
        file_retention: FileRetentionSetting | None,
        legal_hold: LegalHold | None,
        custom_upload_timestamp: int | None = None,
    ) -> dict[str, str]:
        """Make the headers of ``b2_upload_file``.

        :param content_length: length of the body in bytes, including 40 for a SHA-1 at the end.
        :param content_sha1: 40 hex digits, ``hex_digits_at_end`` or ``do_not_verify``.
        :param custom_upload_timestamp: milliseconds since 1970, for accounts that may set it.
        """
        return upload_file_headers(
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

    @abstractmethod
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
    ) -> dict[str, Any]:
        """``b2_upload_file``: one attempt to store a file of up to 5 GB."""

    @abstractmethod
    def upload_part(
        self,
        upload_url: str,
        upload_auth_token: str,
        part_number: int,
        content_length: int,
        sha1_sum: str,
        input_stream: ReadOnlyStream,
        server_side_encryption: EncryptionSetting | None = None,
    ) -> dict[str, Any]:
        """``b2_upload_part``: one attempt to store a part, numbered from 1."""

    def get_download_url_by_id(self, download_url: str, file_id: str) -> str:
        """The URL of a file version."""
        return f'{download_url}/b2api/{API_VERSION}/b2_download_file_by_id?fileId={file_id}'

    def get_download_url_by_name(self, download_url: str, bucket_name: str, file_name: str) -> str:
        """The URL of the newest version of a name."""
        return f'{download_url}/file/{bucket_name}/{b2_url_encode(file_name)}'

    @abstractmethod
    def set_bucket_notification_rules(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        rules: Iterable[NotificationRule],
    ) -> list[NotificationRuleResponse]:
        """``b2_set_bucket_notification_rules``: replaces all rules."""

    @abstractmethod
    def get_bucket_notification_rules(
        self, api_url: str, account_auth_token: str, bucket_id: str
    ) -> list[NotificationRuleResponse]:
        """``b2_get_bucket_notification_rules``."""
