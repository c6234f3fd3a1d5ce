"""Makes buckets of what the service answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .bucket import Bucket
from .encryption.setting import EncryptionSettingFactory
from .exception import UnexpectedCloudBehaviour
from .file_lock import FileLockConfiguration
from .replication.setting import ReplicationConfigurationFactory

if TYPE_CHECKING:
    from .api import B2Api


class BucketFactory:
    """Makes `Bucket` of the bucket objects in B2's answers."""

    BUCKET_CLASS: type[Bucket] = Bucket

    @classmethod
    def from_api_response(cls, api: B2Api, response: dict[str, Any]) -> list[Bucket]:
        """The buckets in the answer of ``b2_list_buckets``."""
        return [cls.from_api_bucket_dict(api, entry) for entry in response['buckets']]

    @classmethod
    def from_api_bucket_dict(cls, api: B2Api, bucket_dict: dict[str, Any]) -> Bucket:
        """The bucket of a bucket object."""
        encryption = EncryptionSettingFactory.from_bucket_dict(bucket_dict)
        if 'defaultServerSideEncryption' not in bucket_dict or encryption is None:
            raise UnexpectedCloudBehaviour('server did not provide `defaultServerSideEncryption`')
        lock = FileLockConfiguration.from_bucket_dict(bucket_dict)
        return cls.BUCKET_CLASS(
            api,
            bucket_dict['bucketId'],
            bucket_dict['bucketName'],
            bucket_dict['bucketType'],
            bucket_dict['bucketInfo'],
            bucket_dict['corsRules'],
            bucket_dict['lifecycleRules'],
            bucket_dict['revision'],
            bucket_dict,
            set(bucket_dict['options']),
            encryption,
            lock.default_retention,
            lock.is_file_lock_enabled,
            ReplicationConfigurationFactory.from_bucket_dict(bucket_dict).value,
        )
