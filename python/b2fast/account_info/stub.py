"""Account data for tests of others' programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .upload_url_pool import UrlPoolAccountInfo

if TYPE_CHECKING:
    from .abstract import NamedBucket


class StubAccountInfo(UrlPoolAccountInfo):
    """Account data as plain attributes, None before they are set; no lock, no checks."""

    account_id: Any
    auth_token: Any
    api_url: Any
    download_url: Any
    recommended_part_size: Any
    absolute_minimum_part_size: Any
    application_key: Any
    realm: Any
    s3_api_url: Any
    allowed: Any
    application_key_id: Any

    def __init__(self) -> None:
        super().__init__()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        for name in (
            'account_id',
            'auth_token',
            'api_url',
            'download_url',
            'recommended_part_size',
            'absolute_minimum_part_size',
            'application_key',
            'realm',
            's3_api_url',
            'allowed',
            'application_key_id',
        ):
            setattr(self, name, None)
        self.buckets: dict[str, Any] = {}
        """The buckets that were saved, by their IDs."""

    def _set_auth_data(
        self,
        account_id: str,
        auth_token: str,
        api_url: str,
        download_url: str,
        recommended_part_size: int,
        absolute_minimum_part_size: int,
        application_key: str,
        realm: str,
        s3_api_url: str,
        allowed: dict[str, Any],
        application_key_id: str,
    ) -> None:
        self.account_id = account_id
        self.auth_token = auth_token
        self.api_url = api_url
        self.download_url = download_url
        self.recommended_part_size = recommended_part_size
        self.absolute_minimum_part_size = absolute_minimum_part_size
        self.application_key = application_key
        self.realm = realm
        self.s3_api_url = s3_api_url
        self.allowed = allowed
        self.application_key_id = application_key_id

    def refresh_entire_bucket_name_cache(self, name_id_iterable: Iterable[tuple[str, str]]) -> None:
        """Forget all buckets."""
        self.buckets = {}

    def list_bucket_names_ids(self) -> list[tuple[str, str]]:
        """Name and ID of every saved bucket."""
        return [(bucket.name, bucket.id_) for bucket in self.buckets.values()]

    def get_bucket_id_or_none_from_bucket_name(self, bucket_name: str) -> str | None:
        """None: no bucket is found, so that every name is asked for."""
        return None

    def get_bucket_name_or_none_from_bucket_id(self, bucket_id: str) -> str | None:
        """None: no bucket is found, so that every ID is asked for."""
        return None

    def save_bucket(self, bucket: NamedBucket) -> None:
        """Keep a bucket in ``buckets``."""
        self.buckets[bucket.id_] = bucket

    def remove_bucket_name(self, bucket_name: str) -> None:
        """Nothing."""

    def take_bucket_upload_url(self, bucket_id: str) -> tuple[str | None, str | None]:
        """Two None: no upload URLs of buckets are kept."""
        return None, None

    def put_bucket_upload_url(
        self, bucket_id: str, upload_url: str, upload_auth_token: str
    ) -> None:
        """Nothing: no upload URLs of buckets are kept."""

    def clear_bucket_upload_data(self, bucket_id: str) -> None:
        """Forget a bucket, if it is known."""
        self.buckets.pop(bucket_id, None)

    def get_bucket_upload_data(self, bucket_id: str) -> Any:
        """A saved bucket, or two None."""
        return self.buckets.get(bucket_id, (None, None))

    def get_account_id(self) -> Any:
        """The ID of the account."""
        return self.account_id

    def get_application_key_id(self) -> Any:
        """The ID of the key."""
        return self.application_key_id

    def get_account_auth_token(self) -> Any:
        """The token for calls."""
        return self.auth_token

    def get_api_url(self) -> Any:
        """The base URL of calls."""
        return self.api_url

    def get_application_key(self) -> Any:
        """The key itself, for the next authorization."""
        return self.application_key

    def get_download_url(self) -> Any:
        """The base URL of downloads."""
        return self.download_url

    def get_realm(self) -> Any:
        """The realm, as it was given to the authorization."""
        return self.realm

    def get_recommended_part_size(self) -> Any:
        """The size of parts that B2 recommends, in bytes."""
        return self.recommended_part_size

    def get_absolute_minimum_part_size(self) -> Any:
        """The least size of a part but the last, in bytes."""
        return self.absolute_minimum_part_size

    def get_allowed(self) -> Any:
        """What the key is allowed to do."""
        return self.allowed

    def get_s3_api_url(self) -> Any:
        """The base URL of the S3-compatible API."""
        return self.s3_api_url
