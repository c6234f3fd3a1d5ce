"""The API object of v2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import exception as v3_exception, services as v3_services
from ..v3 import B2Api as V3B2Api
from .api_config import DEFAULT_HTTP_API_CONFIG
from .application_key import ApplicationKey, FullApplicationKey
from .bucket import Bucket, BucketFactory
from .exception import (
    BucketIdNotFound,
    MissingAccountData,
    RestrictedBucket,
    RestrictedBucketMissing,
)
from .file_version import FileVersionFactory
from .large_file import LargeFileServices
from .raw_api import API_VERSION as RAW_API_VERSION
from .session import B2Session

if TYPE_CHECKING:
    from ... import api_config as v3_config
    from ...account_info import AbstractAccountInfo
    from ...cache import AbstractCache


class Services(v3_services.Services):
    """As in v3, with the classes of v2."""

    LARGE_FILE_SERVICES_CLASS = LargeFileServices


class B2Api(V3B2Api):
    """As in v3, but for the order of parameters, keys for one bucket, and numbers of workers."""

    API_VERSION = RAW_API_VERSION
    APPLICATION_KEY_CLASS = ApplicationKey  # type: ignore[assignment]
    BUCKET_CLASS = Bucket
    BUCKET_FACTORY_CLASS = BucketFactory
    FILE_VERSION_FACTORY_CLASS = FileVersionFactory
    FULL_APPLICATION_KEY_CLASS = FullApplicationKey  # type: ignore[assignment]
    SERVICES_CLASS = Services
    SESSION_CLASS = B2Session

    def __init__(
        self,
        account_info: AbstractAccountInfo | None = None,
        cache: AbstractCache | None = None,
        max_upload_workers: int | None = 10,
        max_copy_workers: int | None = 10,
        api_config: v3_config.B2HttpApiConfig = DEFAULT_HTTP_API_CONFIG,
        max_download_workers: int | None = None,
        save_to_buffer_size: int | None = None,
        check_download_hash: bool = True,
        max_download_streams_per_file: int | None = None,
    ) -> None:
        super().__init__(
            account_info,
            cache,
            max_upload_workers,
            max_copy_workers,
            api_config,
            max_download_workers,
            save_to_buffer_size,
            check_download_hash,
            max_download_streams_per_file,
        )

    def authorize_account(  # type: ignore[override]
        self, realm: str, application_key_id: str, application_key: str
    ) -> None:
        """Authorize with a key; as in v3, but the realm is the first parameter."""
        super().authorize_account(application_key_id, application_key, realm)

    def _remember_buckets_of_key(self) -> None:
        try:
            allowed = self.account_info.get_allowed()
        except MissingAccountData:
            return
        if allowed['bucketId'] is None:
            return
        if allowed['bucketName'] is None:
            raise RestrictedBucketMissing()
        self.cache.save_bucket(
            self.BUCKET_CLASS(self, allowed['bucketId'], name=allowed['bucketName'])
        )

    def _check_restrictions(self, field: str, value: str | None) -> None:
        allowed = self.account_info.get_allowed()
        only = allowed['bucketName' if field == 'name' else 'bucketId']
        if only is not None and only != value:
            raise RestrictedBucket(only)

    def get_bucket_by_id(self, bucket_id: str) -> Bucket:
        """As in v3, but `BucketIdNotFound` is that of v2."""
        try:
            return super().get_bucket_by_id(bucket_id)  # type: ignore[return-value]
        except v3_exception.BucketIdNotFound as error:
            raise BucketIdNotFound(error.bucket_id) from None

    def create_key(  # type: ignore[override]
        self,
        capabilities: list[str],
        key_name: str,
        valid_duration_seconds: int | None = None,
        bucket_id: str | None = None,
        name_prefix: str | None = None,
    ) -> FullApplicationKey:
        """As in v3, for one bucket or for all."""
        return self.FULL_APPLICATION_KEY_CLASS.from_create_response(
            self.session.create_key(
                self.get_account_id(),
                capabilities,
                key_name,
                valid_duration_seconds,
                bucket_id,
                name_prefix,
            )
        )
