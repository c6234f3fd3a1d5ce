"""The simulator in the process as v2 knows it: a key has one bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import simulator as v3
from .old_parameters import takes_file_infos, with_cache_control
from .raw_api import WithCacheControl

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...file_lock import FileRetentionSetting, LegalHold
    from ...simulator.state import NamedBucket
    from ...types import ReadOnlyStream


class KeySimulator(v3.KeySimulator):
    """As in v3, for one bucket or for all."""

    def __init__(
        self,
        account_id: str,
        name: str,
        application_key_id: str,
        key: str,
        capabilities: Sequence[str],
        expiration_timestamp_or_none: int | None,
        bucket_id_or_none: str | None,
        bucket_name_or_none: str | None,
        name_prefix_or_none: str | None,
    ) -> None:
        super().__init__(
            account_id,
            name,
            application_key_id,
            key,
            capabilities,
            expiration_timestamp_or_none,
            None
            if bucket_id_or_none is None
            else [{'id': bucket_id_or_none, 'name': bucket_name_or_none}],
            name_prefix_or_none,
        )

    @property
    def bucket_id_or_none(self) -> str | None:
        """The ID of the only bucket it may use."""
        return self.buckets_or_none[0]['id'] if self.buckets_or_none else None

    @property
    def bucket_name_or_none(self) -> str | None:
        """The name of the only bucket it may use, unless the bucket is gone."""
        return self.buckets_or_none[0]['name'] if self.buckets_or_none else None

    def as_key(self) -> dict[str, Any]:
        """Returns the key as `b2_list_keys` answers it: without its secret."""
        result = super().as_key()
        del result['bucketIds']
        return {**result, 'bucketId': self.bucket_id_or_none}

    def get_allowed(self) -> dict[str, Any]:
        """Returns what `b2_authorize_account` answers as `allowed`."""
        result = super().get_allowed()
        del result['buckets']
        return {
            **result,
            'bucketId': self.bucket_id_or_none,
            'bucketName': self.bucket_name_or_none,
        }


class BucketSimulator(v3.BucketSimulator):
    """As in v3, but uploads take ``cache_control``."""

    @takes_file_infos
    def upload_file(
        self,
        upload_id: str,
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
        return super().upload_file(
            upload_id,
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


class RawSimulator(WithCacheControl, v3.RawSimulator):
    """As in v3, in version 3 of the native API: a key has one bucket."""

    def _new_key(
        self,
        account_id: str,
        name: str,
        application_key_id: str,
        key: str,
        capabilities: Sequence[str],
        expiration_timestamp: int | None,
        buckets: list[NamedBucket] | None,
        name_prefix: str | None,
    ) -> KeySimulator:
        bucket_id, bucket_name = (buckets[0]['id'], buckets[0]['name']) if buckets else (None, None)
        return KeySimulator(
            account_id,
            name,
            application_key_id,
            key,
            capabilities,
            expiration_timestamp,
            bucket_id,
            bucket_name,
            name_prefix,
        )

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
        """As in v3, for one bucket or for all."""
        return super().create_key(
            api_url,
            account_auth_token,
            account_id,
            capabilities,
            key_name,
            valid_duration_seconds,
            None if bucket_id is None else [bucket_id],
            name_prefix,
        )

    def authorize_account(
        self, realm_url: str, application_key_id: str, application_key: str
    ) -> dict[str, Any]:
        """As in v3, for one bucket or for all."""
        answer = super().authorize_account(realm_url, application_key_id, application_key)
        storage = answer['apiInfo']['storageApi']
        storage |= storage['allowed']
        return answer
