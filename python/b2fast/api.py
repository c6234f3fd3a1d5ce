"""The entry to everything: an account at B2."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from .api_config import DEFAULT_HTTP_API_CONFIG, B2HttpApiConfig
from .application_key import ApplicationKey, BaseApplicationKey, FullApplicationKey
from .bucket import Bucket
from .bucket_factory import BucketFactory
from .exception import (
    BucketIdNotFound,
    NonExistentBucket,
    RestrictedBucket,
    RestrictedBucketMissing,
)
from .file_lock import FileRetentionSetting, LegalHold
from .file_version import (
    DownloadVersion,
    DownloadVersionFactory,
    FileIdAndName,
    FileVersion,
    FileVersionFactory,
)
from .large_file.part import Part
from .raw_api.constants import API_VERSION
from .services import Services
from .session import B2Session
from .transfer.inbound.download_manager import naming

if TYPE_CHECKING:
    from .account_info.abstract import AbstractAccountInfo
    from .cache import AbstractCache
    from .encryption.setting import EncryptionSetting
    from .progress import AbstractProgressListener
    from .raw_api.abstract import AbstractRawApi
    from .replication.setting import ReplicationConfiguration
    from .stats import ClientStats
    from .transfer.inbound.downloaded_file import DownloadedFile
    from .types import LifecycleRule


class B2Api:
    """An account at B2, its buckets, keys and files.

    ::

        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(key_id, key)
        bucket = api.get_bucket_by_name('photos')

    One object serves any number of threads.

    :param account_info: where keys and tokens are kept
    :param cache: where names and IDs of buckets are kept
    :param max_upload_workers: connections that one upload of a large file uses at a time
    :param max_copy_workers: files that are copied at a time; 10 if None
    :param api_config: how to speak to the service
    :param max_download_workers: connections that downloads use at a time
    :param save_to_buffer_size: bytes to collect before they are written into a file object
    :param check_download_hash: verify the SHA-1 of downloaded files
    :param max_download_streams_per_file: connections for one file, if not all of them
    """

    API_VERSION = API_VERSION
    APPLICATION_KEY_CLASS = ApplicationKey
    BUCKET_CLASS = Bucket
    BUCKET_FACTORY_CLASS = BucketFactory
    DEFAULT_LIST_KEY_COUNT = 1000
    DOWNLOAD_VERSION_FACTORY_CLASS = DownloadVersionFactory
    FILE_VERSION_FACTORY_CLASS = FileVersionFactory
    FULL_APPLICATION_KEY_CLASS = FullApplicationKey
    SERVICES_CLASS = Services
    SESSION_CLASS = B2Session

    whole_file_sha1: bool = True
    """Compute the SHA-1 of a large file before it is sent, and store it in its file info.

    B2 itself keeps the SHA-1 of each part only. False saves reading and hashing the content
    ahead of the upload; each part is verified as before, but whoever downloads the file finds
    no SHA-1 to check it with. A SHA-1 that is known is stored all the same.
    """

    def __init__(
        self,
        account_info: AbstractAccountInfo | None = None,
        cache: AbstractCache | None = None,
        max_upload_workers: int | None = None,
        max_copy_workers: int | None = None,
        api_config: B2HttpApiConfig = DEFAULT_HTTP_API_CONFIG,
        max_download_workers: int | None = None,
        save_to_buffer_size: int | None = None,
        check_download_hash: bool = True,
        max_download_streams_per_file: int | None = None,
    ) -> None:
        self.session = self.SESSION_CLASS(
            account_info=account_info, cache=cache, api_config=api_config
        )
        self.api_config = api_config
        self.file_version_factory = self.FILE_VERSION_FACTORY_CLASS(self)
        self.download_version_factory = self.DOWNLOAD_VERSION_FACTORY_CLASS(self)
        self.services = self.SERVICES_CLASS(
            self,
            max_upload_workers=max_upload_workers,
            max_copy_workers=max_copy_workers,
            max_download_workers=max_download_workers,
            save_to_buffer_size=save_to_buffer_size,
            check_download_hash=check_download_hash,
            max_download_streams_per_file=max_download_streams_per_file,
        )

    @property
    def account_info(self) -> AbstractAccountInfo:
        """Where keys and tokens are kept."""
        return self.session.account_info

    @property
    def cache(self) -> AbstractCache:
        """Where names and IDs of buckets are kept."""
        return self.session.cache

    @property
    def raw_api(self) -> AbstractRawApi:
        """The calls of the native API."""
        return self.session.raw_api

    def stats(self) -> ClientStats:
        """What this object has asked the service for so far, and what B2 bills for it.

        ::

            before = api.stats()
            bucket.upload_local_file('photo.jpg', 'photo.jpg')
            print(api.stats() - before)
        """
        return self.session.counter.stats()

    def authorize_account(
        self, application_key_id: str, application_key: str, realm: str = 'production'
    ) -> None:
        """Authorize with a key (``b2_authorize_account``).

        :param realm: ``production``, another name in ``REALM_URLS``, or a URL

        Raises `InvalidAuthToken` if the service does not know the key, and
        `RestrictedBucketMissing` if a bucket that the key is restricted to does not exist; the
        authorization is kept.
        """
        self.session.authorize_account(realm, application_key_id, application_key)
        if any(entry['name'] is None for entry in self._buckets_of_key()):
            raise RestrictedBucketMissing()
        self._remember_buckets_of_key()

    def authorize_automatically(self) -> bool:
        """Authorize with the key that the account info has; returns whether there is one."""
        if not self.session.authorize_automatically():
            return False
        self._remember_buckets_of_key()
        return True

    def _buckets_of_key(self) -> list[dict[str, Any]]:
        return self.account_info.get_allowed().get('buckets') or []

    def _remember_buckets_of_key(self) -> None:
        # A restricted key may not be allowed to list even its own buckets.
        for entry in self._buckets_of_key():
            if entry['name'] is not None:
                self.cache.save_bucket(self.BUCKET_CLASS(self, entry['id'], name=entry['name']))

    def get_account_id(self) -> str:
        """The ID of the account."""
        return self.account_info.get_account_id()

    def create_bucket(
        self,
        name: str,
        bucket_type: str,
        bucket_info: dict[str, str] | None = None,
        cors_rules: list[dict[str, Any]] | None = None,
        lifecycle_rules: list[LifecycleRule] | None = None,
        default_server_side_encryption: EncryptionSetting | None = None,
        is_file_lock_enabled: bool | None = None,
        replication: ReplicationConfiguration | None = None,
    ) -> Bucket:
        """Create a bucket (``b2_create_bucket``).

        :param name: 6 to 63 lower-case letters, digits and ``-``, which nobody else uses
        :param bucket_type: ``allPrivate`` or ``allPublic``
        :param bucket_info: keys and values to keep with it

        Raises `DuplicateBucketName` if somebody has a bucket of that name.
        """
        bucket = self.BUCKET_FACTORY_CLASS.from_api_bucket_dict(
            self,
            self.session.create_bucket(
                self.get_account_id(),
                name,
                bucket_type,
                bucket_info=bucket_info,
                cors_rules=cors_rules,
                lifecycle_rules=lifecycle_rules,
                default_server_side_encryption=default_server_side_encryption,
                is_file_lock_enabled=is_file_lock_enabled,
                replication=replication,
            ),
        )
        self.cache.save_bucket(bucket)
        return bucket

    def delete_bucket(self, bucket: Bucket) -> None:
        """Delete an empty bucket (``b2_delete_bucket``)."""
        self.session.delete_bucket(self.get_account_id(), bucket.id_)
        self.cache.forget_bucket(bucket.id_)

    def list_buckets(
        self,
        bucket_name: str | None = None,
        bucket_id: str | None = None,
        *,
        use_cache: bool = False,
    ) -> Sequence[Bucket]:
        """List buckets, all of them or the one of that name or ID (``b2_list_buckets``).

        :param use_cache: take names and IDs from the cache if it has the wanted ones

        Raises `RestrictedBucket` if the key is restricted to other buckets, or to some and all
        are asked for; `ValueError` for a name and an ID at once.
        """
        if bucket_name is not None and bucket_id is not None:
            raise ValueError('Provide either bucket_name or bucket_id, not both')
        if bucket_id:
            self.check_bucket_id_restrictions(bucket_id)
        else:
            self._check_restrictions('name', bucket_name)
        if use_cache:
            cached = [
                self.BUCKET_CLASS(self, id_, name=name)
                for name, id_ in self.cache.list_bucket_names_ids()
                if bucket_name in (None, name) and bucket_id in (None, id_)
            ]
            if cached:
                return cached
        buckets = self.BUCKET_FACTORY_CLASS.from_api_response(
            self,
            self.session.list_buckets(
                self.get_account_id(), bucket_id=bucket_id, bucket_name=bucket_name
            ),
        )
        if bucket_name is None and bucket_id is None:
            self.cache.set_bucket_name_cache(buckets)
        else:
            for bucket in buckets:
                self.cache.save_bucket(bucket)
        return buckets

    def get_bucket_by_name(self, bucket_name: str) -> Bucket:
        """The bucket of a name; from the cache if that has it, with ID and name only.

        Raises `NonExistentBucket` if there is none, `RestrictedBucket` if the key may not use
        it.
        """
        self.check_bucket_name_restrictions(bucket_name)
        id_ = self.cache.get_bucket_id_or_none_from_bucket_name(bucket_name)
        if id_ is not None:
            return self.BUCKET_CLASS(self, id_, name=bucket_name)
        found = self.list_buckets(bucket_name=bucket_name)
        if not found:
            raise NonExistentBucket(bucket_name)
        return found[0]

    def get_bucket_by_id(self, bucket_id: str) -> Bucket:
        """The bucket of an ID; from the cache if that has it, with ID and name only.

        Raises `BucketIdNotFound` if there is none, `RestrictedBucket` if the key may not use it.
        """
        self.check_bucket_id_restrictions(bucket_id)
        name = self.cache.get_bucket_name_or_none_from_bucket_id(bucket_id)
        if name is not None:
            return self.BUCKET_CLASS(self, bucket_id, name=name)
        found = self.list_buckets(bucket_id=bucket_id)
        if not found:
            raise BucketIdNotFound(bucket_id)
        return found[0]

    def check_bucket_name_restrictions(self, bucket_name: str) -> None:
        """Raise `RestrictedBucket` if the key is restricted to buckets of other names."""
        self._check_restrictions('name', bucket_name)

    def check_bucket_id_restrictions(self, bucket_id: str) -> None:
        """Raise `RestrictedBucket` if the key is restricted to buckets of other IDs."""
        self._check_restrictions('id', bucket_id)

    def _check_restrictions(self, field: str, value: str | None) -> None:
        buckets = self._buckets_of_key()
        if buckets and value not in [entry[field] for entry in buckets]:
            raise RestrictedBucket(str([entry['name'] for entry in buckets]))

    def get_file_info(self, file_id: str) -> FileVersion:
        """What B2 tells about a version (``b2_get_file_info``).

        Raises `FileNotPresent` if there is none.
        """
        return self.file_version_factory.from_api_response(
            self.session.get_file_info_by_id(file_id)
        )

    def get_file_info_by_name(self, bucket_name: str, file_name: str) -> DownloadVersion:
        """What B2 tells about the newest version of a file (HEAD of its download URL).

        Raises `FileNotPresent` if there is none, or if it is hidden.
        """
        self.check_bucket_name_restrictions(bucket_name)
        return self.download_version_factory.from_response_headers(
            self.session.get_file_info_by_name(bucket_name, file_name)
        )

    def download_file_by_id(
        self,
        file_id: str,
        progress_listener: AbstractProgressListener | None = None,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> DownloadedFile:
        """Open a download of a version; its `save_to` or `save` receives the content.

        :param progress_listener: is told what was received; it is not closed
        :param range_: the first and the last byte to receive, from 0, both inclusive; the SHA-1
                    of a range cannot be verified
        :param encryption: the key of an SSE-C file

        Raises `FileNotPresent` if there is none, `UnsatisfiableRange` for a range behind its
        end, and `InvalidRange` for one that reaches beyond it.
        """
        with naming(file_id):
            return self.services.download_manager.download_file_from_url(
                self.get_download_url_for_fileid(file_id), progress_listener, range_, encryption
            )

    def get_download_url_for_fileid(self, file_id: str) -> str:
        """The URL of a version; it always wants a token."""
        return self.session.get_download_url_by_id(file_id)

    def get_download_url_for_file_name(self, bucket_name: str, file_name: str) -> str:
        """The URL of the newest version of a file; a private bucket also wants a token."""
        self.check_bucket_name_restrictions(bucket_name)
        return self.session.get_download_url_by_name(bucket_name, file_name)

    def delete_file_version(
        self, file_id: str, file_name: str, bypass_governance: bool = False
    ) -> FileIdAndName:
        """Delete a version (``b2_delete_file_version``).

        :param bypass_governance: delete it although governance retention protects it

        Raises `FileNotPresent` if there is no such version of that name.
        """
        return FileIdAndName.from_cancel_or_delete_response(
            self.session.delete_file_version(file_id, file_name, bypass_governance)
        )

    def update_file_retention(
        self,
        file_id: str,
        file_name: str,
        file_retention: FileRetentionSetting,
        bypass_governance: bool = False,
    ) -> FileRetentionSetting:
        """Set until when a version cannot be deleted (``b2_update_file_retention``)."""
        return FileRetentionSetting.from_server_response(
            self.session.update_file_retention(
                file_id, file_name, file_retention, bypass_governance
            )
        )

    def update_file_legal_hold(
        self, file_id: str, file_name: str, legal_hold: LegalHold
    ) -> LegalHold:
        """Set or take off a legal hold (``b2_update_file_legal_hold``)."""
        return LegalHold.from_server_response(
            self.session.update_file_legal_hold(file_id, file_name, legal_hold)
        )

    def list_parts(
        self, file_id: str, start_part_number: int | None = None, batch_size: int | None = None
    ) -> Generator[Part, None, None]:
        """The uploaded parts of an unfinished large file (``b2_list_parts``).

        :param start_part_number: the first number to list; parts are numbered from 1
        :param batch_size: parts per call, up to 1000; 100 if None
        """
        return self.services.large_file.list_parts(file_id, start_part_number, batch_size)

    def cancel_large_file(self, file_id: str) -> FileIdAndName:
        """Give up a large file and delete its parts (``b2_cancel_large_file``).

        If the answer was lost, so that the call was repeated and found the file cancelled, the
        name in the result is empty: nothing tells it any more.
        """
        return self.services.large_file.cancel_large_file(file_id)

    def create_key(
        self,
        capabilities: list[str],
        key_name: str,
        valid_duration_seconds: int | None = None,
        bucket_ids: list[str] | None = None,
        name_prefix: str | None = None,
    ) -> FullApplicationKey:
        """Create a key (``b2_create_key``); its secret is told now and never again.

        :param key_name: 1 to 100 letters, digits and ``-``
        :param valid_duration_seconds: up to 86400000 (1000 days); None for ever
        :param bucket_ids: the buckets to restrict it to
        :param name_prefix: what the names of files must begin with to restrict it to them
        """
        return self.FULL_APPLICATION_KEY_CLASS.from_create_response(
            self.session.create_key(
                self.get_account_id(),
                capabilities,
                key_name,
                valid_duration_seconds,
                bucket_ids,
                name_prefix,
            )
        )

    def delete_key(self, application_key: BaseApplicationKey) -> ApplicationKey:
        """Delete a key; see `delete_key_by_id`."""
        return self.delete_key_by_id(application_key.id_)

    def delete_key_by_id(self, application_key_id: str) -> ApplicationKey:
        """Delete the key of an ID (``b2_delete_key``)."""
        return self.APPLICATION_KEY_CLASS.from_api_response(
            self.session.delete_key(application_key_id)
        )

    def list_keys(
        self, start_application_key_id: str | None = None
    ) -> Generator[ApplicationKey, None, None]:
        """The keys of the account in order of their IDs (``b2_list_keys``).

        :param start_application_key_id: the first one to list
        """
        next_id: str | None = start_application_key_id
        while True:
            answer = self.session.list_keys(
                self.get_account_id(),
                max_key_count=self.DEFAULT_LIST_KEY_COUNT,
                start_application_key_id=next_id,
            )
            for entry in answer['keys']:
                yield self.APPLICATION_KEY_CLASS.from_api_response(entry)
            next_id = answer['nextApplicationKeyId']
            if next_id is None:
                return

    def get_key(self, key_id: str) -> ApplicationKey | None:
        """The key of an ID, or None if there is none."""
        first = next(self.list_keys(start_application_key_id=key_id), None)
        return first if first is not None and first.id_ == key_id else None
