"""The calls of the native API as v2 makes them: in its version 3, where a key has one bucket."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import raw_api as v3
from ...utils.text import unprintable_to_hex
from .old_parameters import takes_file_infos, with_cache_control

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...file_lock import FileRetentionSetting, LegalHold
    from ...types import ReadOnlyStream

    _Base = v3.AbstractRawApi
else:
    # The mixin stands before classes that have what it calls by ``super()``.
    _Base = object

API_VERSION = 'v3'


class WithCacheControl(_Base):
    """Uploads that take ``cache_control``, and ``file_infos`` for ``file_info``."""

    @classmethod
    @takes_file_infos
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
        cache_control: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, str]:
        """As in v3.

        :param cache_control: the header ``Cache-Control`` of later downloads
        """
        return super().get_upload_file_headers(
            upload_auth_token,
            file_name,
            content_length,
            content_type,
            content_sha1,
            with_cache_control(file_info, cache_control),
            server_side_encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
            *args,
            **kwargs,
        )

    @takes_file_infos
    def upload_file(
        self,
        upload_url: str,
        upload_auth_token: str,
        file_name: str,
        content_length: int,
        content_type: str,
        content_sha1: str,
        file_info: Mapping[str, str],
        data_stream: ReadOnlyStream,
        server_side_encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        custom_upload_timestamp: int | None = None,
        cache_control: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """As in v3.

        :param cache_control: the header ``Cache-Control`` of later downloads
        """
        return super().upload_file(  # type: ignore[safe-super]
            upload_url,
            upload_auth_token,
            file_name,
            content_length,
            content_type,
            content_sha1,
            with_cache_control(file_info, cache_control),
            data_stream,
            server_side_encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
            *args,
            **kwargs,
        )


class _Version3(WithCacheControl):
    def unprintable_to_hex(self, s: str) -> str:
        """As the function `b2fast.unprintable_to_hex`."""
        return unprintable_to_hex(s)

    def get_download_url_by_id(self, download_url: str, file_id: str) -> str:
        """The URL of a file version."""
        return f'{download_url}/b2api/{API_VERSION}/b2_download_file_by_id?fileId={file_id}'


class AbstractRawApi(_Version3, v3.AbstractRawApi):
    """As in v3, but a key is for one bucket or for all."""

    @abstractmethod
    def create_key(  # type: ignore[override]
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        capabilities: Sequence[str],
        key_name: str,
        valid_duration_seconds: int | None,
        bucket_id: str | None,
        name_prefix: str | None,
    ) -> dict[str, Any]:
        """``b2_create_key`` for one bucket or for all."""


class B2RawHTTPApi(_Version3, v3.B2RawHTTPApi):
    """As in v3, in version 3 of the native API."""

    API_VERSION = API_VERSION

    def create_key(  # type: ignore[override]
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        capabilities: Sequence[str],
        key_name: str,
        valid_duration_seconds: int | None,
        bucket_id: str | None,
        name_prefix: str | None,
    ) -> dict[str, Any]:
        """``b2_create_key`` for one bucket or for all."""
        return self._post_json(
            api_url,
            'b2_create_key',
            account_auth_token,
            accountId=account_id,
            capabilities=capabilities,
            keyName=key_name,
            validDurationInSeconds=valid_duration_seconds,
            bucketId=bucket_id,
            namePrefix=name_prefix,
        )
