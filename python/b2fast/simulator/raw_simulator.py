"""B2 in the process, in the profile that b2sdk's users know."""

from __future__ import annotations

import itertools
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, cast

from b2fast.encryption.setting import EncryptionSetting
from b2fast.exception import WrongEncryptionSettingForFileWrite
from b2fast.file_lock import BucketRetentionSetting, FileRetentionSetting, LegalHold
from b2fast.raw_api import ALL_CAPABILITIES, AbstractRawApi, MetadataDirectiveMode
from b2fast.types import LifecycleRule, NotificationRule, NotificationRuleResponse, ReadOnlyStream
from b2fast.utils.url import b2_url_decode, b2_url_encode

from . import errors
from .bucket_settings import BucketSettings
from .profile import b2sdk_profile
from .raw_arguments import bucket_settings
from .raw_bucket import BucketSimulator
from .raw_calls import client_errors, service_call
from .raw_objects import KeySimulator
from .state import NamedBucket, Service, UploadToken

if TYPE_CHECKING:
    from b2fast.b2http import B2Http


class RawSimulator(AbstractRawApi):
    """The calls of B2, answered in the process.

    IDs and timestamps are counted, parts are tiny (`MIN_PART_SIZE`), and many of the service's
    checks are left out; `SimulatorServer` is the faithful one. Where b2sdk's simulator ends in
    an `AssertionError` or a `KeyError`, this one raises what a client of the service would.

    :param b2_http: not used; other raw APIs take one.
    """

    API_URL: ClassVar[str] = 'http://api.example.com'
    S3_API_URL: ClassVar[str] = 'http://s3.api.example.com'
    DOWNLOAD_URL: ClassVar[str] = 'http://download.example.com'
    #: Minimum and recommended part size in bytes.
    MIN_PART_SIZE: ClassVar[int] = 200
    MAX_PART_ID: ClassVar[int] = 10000
    MAX_DURATION_IN_SECONDS: ClassVar[int] = 86400000
    UPLOAD_PART_MATCHER: ClassVar[re.Pattern[str]] = re.compile(
        r'https://upload\.example\.com/part/([^/]*)'
    )
    UPLOAD_URL_MATCHER: ClassVar[re.Pattern[str]] = re.compile(
        r'https://upload\.example\.com/([^/]*)/([^/]*)'
    )
    DOWNLOAD_URL_MATCHER: ClassVar[re.Pattern[str]] = re.compile(
        r'http://download\.example\.com(?:'
        r'/b2api/v[0-9]+/b2_download_file_by_id\?fileId=(?P<file_id>[^/]+)'
        r'|/file/(?P<bucket_name>[^/]+)/(?P<file_name>.+))'
    )
    BUCKET_SIMULATOR_CLASS: ClassVar[type[BucketSimulator]] = BucketSimulator

    def __init__(self, b2_http: B2Http | None = None) -> None:
        self.service = Service(b2sdk_profile(self.MIN_PART_SIZE), self._new_bucket)
        self.account_counter = 0
        self.app_key_counter = 0
        self.auth_token_counter = 0
        self.current_token: str | None = None
        self.upload_errors: list[Exception] = []
        self.bucket_id_counter: Iterator[int] = itertools.count()
        self.currently_used_auth_tokens: defaultdict[str, threading.Lock] = defaultdict(
            threading.Lock
        )

    def _new_bucket(
        self,
        service: Service,
        account_id: str,
        bucket_id: str,
        bucket_name: str,
        bucket_type: str,
        settings: BucketSettings,
    ) -> BucketSimulator:
        return self.BUCKET_SIMULATOR_CLASS(
            self,
            account_id,
            bucket_id,
            bucket_name,
            bucket_type,
            settings.bucket_info,
            settings.cors_rules,
            cast('list[LifecycleRule] | None', settings.lifecycle_rules),
            None,
            settings.encryption,
            settings.file_lock,
            settings.replication,
        )

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
        return KeySimulator(
            account_id,
            name,
            application_key_id,
            key,
            capabilities,
            expiration_timestamp,
            buckets,
            name_prefix,
        )

    # For tests

    def create_account(self) -> tuple[str, str]:
        """Makes an account.

        :return: the ID and the key of its master key.
        """
        with self.service.lock:
            account_id = f'account-{self.account_counter}'
            key = f'masterKey-{self.account_counter}'
            self.account_counter += 1
            master = self._new_key(
                account_id, 'master', account_id, key, ALL_CAPABILITIES, None, None, None
            )
            self.service.add_account(account_id, master)
            return account_id, key

    def set_upload_errors(self, errors: Iterable[Exception]) -> None:
        """Lets each of the next uploads of files and parts fail with one of the exceptions."""
        self.upload_errors = list(errors)

    def expire_auth_token(self, auth_token: str) -> None:
        """Ends an account token before its time."""
        self.service.expire_token(auth_token)

    @property
    def expired_auth_tokens(self) -> set[str]:
        """The tokens that ended before their time; it may be changed."""
        return self.service.expired_tokens

    @contextmanager
    def _claimed(self, upload_auth_token: str) -> Iterator[UploadToken]:
        lock = self.currently_used_auth_tokens[upload_auth_token]
        if not lock.acquire(blocking=False):
            raise errors.token_in_use(self.service.profile.options.concurrent_upload_code)
        try:
            with self.service.upload_with(upload_auth_token) as token:
                yield token
        finally:
            lock.release()

    @property
    def bucket_id_to_bucket(self) -> dict[str, BucketSimulator]:
        """The buckets by their IDs."""
        return cast('dict[str, BucketSimulator]', self.service.buckets_by_id)

    @property
    def bucket_name_to_bucket(self) -> dict[str, BucketSimulator]:
        """The buckets by their names."""
        return cast('dict[str, BucketSimulator]', self.service.buckets_by_name)

    @property
    def file_id_to_bucket_id(self) -> dict[str, str]:
        """The bucket that last gave a file ID."""
        return self.service.file_id_to_bucket_id

    @property
    def key_id_to_key(self) -> dict[str, KeySimulator]:
        """The keys by their IDs; that of a master key is the account's."""
        return cast('dict[str, KeySimulator]', self.service.keys)

    @property
    def all_application_keys(self) -> list[KeySimulator]:
        """The keys that were created, in this order."""
        return cast('list[KeySimulator]', self.service.created_keys)

    @property
    def auth_token_to_key(self) -> dict[str, KeySimulator]:
        """The keys behind the account tokens."""
        return {
            token: cast(KeySimulator, found.key)
            for token, found in self.service.account_tokens.items()
        }

    # Accounts and keys

    @service_call
    def authorize_account(
        self, realm_url: str, application_key_id: str, application_key: str
    ) -> dict[str, Any]:
        key = cast(KeySimulator, self.service.authenticate(application_key_id, application_key))
        token = f'auth_token_{self.auth_token_counter}'
        self.auth_token_counter += 1
        self.current_token = token
        self.service.add_token(token, key)
        allowed = key.get_allowed()
        return {
            'accountId': key.account_id,
            'authorizationToken': token,
            'apiInfo': {
                'groupsApi': {},
                'storageApi': {
                    'apiUrl': self.API_URL,
                    'downloadUrl': self.DOWNLOAD_URL,
                    'recommendedPartSize': self.MIN_PART_SIZE,
                    'absoluteMinimumPartSize': self.MIN_PART_SIZE,
                    'allowed': allowed,
                    's3ApiUrl': self.S3_API_URL,
                    'capabilities': allowed['capabilities'],
                    'namePrefix': allowed['namePrefix'],
                },
            },
        }

    @service_call
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
        creator = self._check(account_auth_token, 'writeKeys', account_id=account_id)
        number = self.app_key_counter

        def make(
            account_id: str, end: int | None, buckets: list[NamedBucket] | None
        ) -> KeySimulator:
            return self._new_key(
                account_id,
                key_name,
                f'appKeyId{number}',
                f'appKey{number}',
                capabilities,
                end,
                buckets,
                name_prefix,
            )

        key = self.service.create_key(
            creator, make, capabilities, key_name, valid_duration_seconds, bucket_ids
        )
        self.app_key_counter += 1
        return cast(KeySimulator, key).as_created_key()

    @service_call
    def delete_key(
        self, api_url: str, account_auth_token: str, application_key_id: str
    ) -> dict[str, Any]:
        self._check(account_auth_token, 'deleteKeys')
        return cast(KeySimulator, self.service.delete_key(application_key_id)).as_key()

    @service_call
    def list_keys(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        max_key_count: int | None = 1000,
        start_application_key_id: str | None = None,
    ) -> dict[str, Any]:
        self._check(account_auth_token, 'listKeys', account_id=account_id)
        keys = sorted(
            (
                key
                for key in self.all_application_keys
                if key.account_id == account_id
                and key.application_key_id >= (start_application_key_id or '')
            ),
            key=lambda key: key.application_key_id,
        )
        count = max_key_count or 1000
        following = keys[count].application_key_id if len(keys) > count else None
        return {
            'keys': [key.as_key() for key in keys[:count]],
            'nextApplicationKeyId': following,
        }

    # Buckets

    @service_call
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
        self._check(account_auth_token, 'writeBuckets', account_id=account_id)
        settings = bucket_settings(
            bucket_type,
            bucket_info,
            cors_rules,
            lifecycle_rules,
            default_server_side_encryption,
            is_file_lock_enabled,
            replication,
        )
        bucket = self.service.create_bucket(
            account_id, lambda: f'bucket_{next(self.bucket_id_counter)}', bucket_name, settings
        )
        return cast(BucketSimulator, bucket).bucket_dict(account_auth_token)

    @service_call
    def delete_bucket(
        self, api_url: str, account_auth_token: str, account_id: str, bucket_id: str
    ) -> dict[str, Any]:
        bucket = self._bucket(account_auth_token, 'deleteBuckets', bucket_id)
        self.service.delete_bucket(bucket)
        return bucket.bucket_dict(account_auth_token)

    @service_call
    def list_buckets(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        bucket_id: str | None = None,
        bucket_name: str | None = None,
    ) -> dict[str, Any]:
        key = self._check(account_auth_token, 'listBuckets', account_id=account_id)
        found = self.service.buckets(key, bucket_id, bucket_name)
        return {
            'buckets': [
                cast(BucketSimulator, bucket).bucket_dict(account_auth_token) for bucket in found
            ]
        }

    @service_call
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
        bucket = self._bucket(account_auth_token, 'writeBuckets', bucket_id)
        settings = bucket_settings(
            bucket_type,
            bucket_info,
            cors_rules,
            lifecycle_rules,
            default_server_side_encryption,
            is_file_lock_enabled,
            replication,
            default_retention,
        )
        if settings == BucketSettings():
            raise ValueError('update_bucket needs at least one setting to update')
        bucket.update(settings, if_revision_is)
        return bucket.bucket_dict(account_auth_token)

    # Uploads

    @service_call
    def get_upload_url(
        self, api_url: str, account_auth_token: str, bucket_id: str
    ) -> dict[str, Any]:
        bucket = self._bucket(account_auth_token, 'writeFiles', bucket_id)
        return bucket.get_upload_url(account_auth_token)

    @service_call
    def get_upload_part_url(
        self, api_url: str, account_auth_token: str, file_id: str
    ) -> dict[str, Any]:
        bucket = self._bucket_of(account_auth_token, 'writeFiles', file_id)
        return bucket.get_upload_part_url(account_auth_token, file_id)

    @client_errors
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
    ) -> dict[str, Any]:
        match = self.UPLOAD_URL_MATCHER.match(upload_url)
        if match is None:
            raise errors.bad_upload_url(upload_url)
        with self._claimed(upload_auth_token):
            self._raise_upload_error()
            bucket = cast(BucketSimulator, self.service.bucket(match[1]))
            return bucket.upload_file(
                match[2],
                upload_auth_token,
                file_name,
                content_length,
                content_type,
                content_sha1,
                file_info,
                data_stream,
                server_side_encryption,
                file_retention,
                legal_hold,
                custom_upload_timestamp,
            )

    @client_errors
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
        match = self.UPLOAD_PART_MATCHER.match(upload_url)
        if match is None:
            raise errors.bad_upload_url(upload_url)
        with self._claimed(upload_auth_token) as token:
            self._raise_upload_error()
            return cast(BucketSimulator, token.bucket).upload_part(
                match[1],
                part_number,
                content_length,
                sha1_sum,
                input_stream,
                server_side_encryption,
            )

    def _raise_upload_error(self) -> None:
        with self.service.lock:
            if self.upload_errors:
                raise self.upload_errors.pop(0)

    @service_call
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
        bucket = self._bucket(account_auth_token, 'writeFiles', bucket_id, file_name)
        return bucket.start_large_file(
            account_auth_token,
            file_name,
            content_type,
            file_info,
            server_side_encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
        )

    @service_call
    def finish_large_file(
        self, api_url: str, account_auth_token: str, file_id: str, part_sha1_array: Sequence[str]
    ) -> dict[str, Any]:
        bucket = self._bucket_of(account_auth_token, 'writeFiles', file_id)
        return bucket.finish_large_file(account_auth_token, file_id, part_sha1_array)

    @service_call
    def cancel_large_file(
        self, api_url: str, account_auth_token: str, file_id: str
    ) -> dict[str, Any]:
        bucket = self._bucket_of(account_auth_token, 'writeFiles', file_id)
        return bucket.cancel_large_file(file_id)

    @service_call
    def list_parts(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        start_part_number: int | None,
        max_part_count: int | None,
    ) -> dict[str, Any]:
        bucket = self._bucket_of(account_auth_token, 'writeFiles', file_id)
        return bucket.list_parts(file_id, start_part_number, max_part_count)

    @service_call
    def list_unfinished_large_files(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        start_file_id: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        bucket = self._bucket(account_auth_token, 'listFiles', bucket_id)
        return bucket.list_unfinished_large_files(
            account_auth_token, start_file_id, max_file_count, prefix
        )

    # Files

    @service_call
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
        encryption = destination_server_side_encryption
        if encryption is not None and not encryption.can_be_used_for_file_write():
            raise WrongEncryptionSettingForFileWrite(encryption)
        source = self._bucket_of(account_auth_token, 'readFiles', source_file_id)
        self._bucket(
            account_auth_token,
            'writeFiles',
            destination_bucket_id or source.bucket_id,
            new_file_name,
        )
        file = source.copy_file(
            account_auth_token,
            source_file_id,
            new_file_name,
            bytes_range,
            metadata_directive,
            content_type,
            file_info,
            destination_bucket_id,
            destination_server_side_encryption,
            source_server_side_encryption,
            file_retention,
            legal_hold,
        )
        return file.as_upload_result(account_auth_token)

    @service_call
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
        source = self._bucket_of(account_auth_token, 'readFiles', source_file_id)
        bucket = self._bucket_of(account_auth_token, 'writeFiles', large_file_id)
        part = bucket.copy_part(
            source.file(source_file_id),
            large_file_id,
            part_number,
            bytes_range,
            source_server_side_encryption,
            destination_server_side_encryption,
        )
        return bucket.part_dict(part, destination_server_side_encryption)

    @service_call
    def hide_file(
        self, api_url: str, account_auth_token: str, bucket_id: str, file_name: str
    ) -> dict[str, Any]:
        bucket = self._bucket(account_auth_token, 'writeFiles', bucket_id, file_name)
        return bucket.hide_file(account_auth_token, file_name)

    @service_call
    def delete_file_version(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        bypass_governance: bool = False,
    ) -> dict[str, Any]:
        bucket = self._bucket_of(account_auth_token, 'deleteFiles', file_id, file_name)
        return bucket.delete_file_version(account_auth_token, file_id, file_name, bypass_governance)

    @service_call
    def update_file_retention(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        file_retention: FileRetentionSetting,
        bypass_governance: bool = False,
    ) -> dict[str, Any]:
        bucket = self._bucket_of(account_auth_token, 'writeFileRetentions', file_id, file_name)
        return bucket.update_file_retention(
            account_auth_token, file_id, file_name, file_retention, bypass_governance
        )

    @service_call
    def update_file_legal_hold(
        self,
        api_url: str,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        legal_hold: LegalHold,
    ) -> dict[str, Any]:
        """``b2_update_file_legal_hold``."""
        bucket = self._bucket_of(account_auth_token, 'writeFileLegalHolds', file_id, file_name)
        return bucket.update_file_legal_hold(account_auth_token, file_id, file_name, legal_hold)

    @service_call
    def get_file_info_by_id(
        self, api_url: str, account_auth_token: str, file_id: str
    ) -> dict[str, Any]:
        bucket = self._bucket_of(account_auth_token, 'readFiles', file_id)
        return bucket.get_file_info_by_id(account_auth_token, file_id)

    @service_call
    def get_file_info_by_name(
        self, api_url: str, account_auth_token: str, bucket_name: str, file_name: str
    ) -> Any:
        bucket = cast(BucketSimulator, self.service.bucket_named(bucket_name))
        self._check(account_auth_token, 'readFiles', bucket, file_name)
        return bucket.get_file_info_by_name(account_auth_token, file_name)

    @service_call
    def list_file_names(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        start_file_name: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        bucket = self._bucket(account_auth_token, 'listFiles', bucket_id)
        return bucket.list_file_names(account_auth_token, start_file_name, max_file_count, prefix)

    @service_call
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
        bucket = self._bucket(account_auth_token, 'listFiles', bucket_id)
        return bucket.list_file_versions(
            account_auth_token, start_file_name, start_file_id, max_file_count, prefix
        )

    # Downloads

    @client_errors
    def download_file_from_url(
        self,
        account_auth_token_or_none: str | None,
        url: str,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> Any:
        match = self.DOWNLOAD_URL_MATCHER.fullmatch(url)
        if match is None:
            raise errors.bad_request(f'Invalid download URL: {url}')
        file_id, bucket_name, file_name = match.group('file_id', 'bucket_name', 'file_name')
        if file_id is not None:
            bucket = self._known_bucket_of(file_id)
            return bucket.download_file_by_id(
                account_auth_token_or_none, file_id, url, range_, encryption
            )
        bucket = cast(BucketSimulator, self.service.bucket_named(b2_url_decode(bucket_name)))
        return bucket.download_file_by_name(
            account_auth_token_or_none, b2_url_decode(file_name), url, range_, encryption
        )

    @service_call
    def get_download_authorization(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        file_name_prefix: str,
        valid_duration_in_seconds: int,
    ) -> dict[str, Any]:
        self._bucket(account_auth_token, 'shareFiles', bucket_id, file_name_prefix)
        fields = (bucket_id, b2_url_encode(file_name_prefix), str(valid_duration_in_seconds))
        return {
            'bucketId': bucket_id,
            'fileNamePrefix': file_name_prefix,
            'authorizationToken': '_'.join(('fake_download_auth_token', *fields)),
        }

    # Notification rules

    @service_call
    def get_bucket_notification_rules(
        self, api_url: str, account_auth_token: str, bucket_id: str
    ) -> list[NotificationRuleResponse]:
        bucket = self._bucket(account_auth_token, 'readBucketNotifications', bucket_id)
        return bucket.get_notification_rules()

    @service_call
    def set_bucket_notification_rules(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        rules: Iterable[NotificationRule],
    ) -> list[NotificationRuleResponse]:
        bucket = self._bucket(account_auth_token, 'writeBucketNotifications', bucket_id)
        return bucket.set_notification_rules(rules)

    # What the calls have in common

    def _check(
        self,
        token: str,
        capability: str,
        bucket: BucketSimulator | None = None,
        file_name: str | None = None,
        account_id: str | None = None,
    ) -> KeySimulator:
        self.current_token = token
        return cast(
            KeySimulator, self.service.check(token, capability, bucket, file_name, account_id)
        )

    def _bucket(
        self, token: str, capability: str, bucket_id: str, file_name: str | None = None
    ) -> BucketSimulator:
        bucket = cast(BucketSimulator, self.service.bucket(bucket_id))
        self._check(token, capability, bucket, file_name)
        return bucket

    def _bucket_of(
        self, token: str, capability: str, file_id: str, file_name: str | None = None
    ) -> BucketSimulator:
        bucket = self._known_bucket_of(file_id)
        self._check(token, capability, bucket, file_name)
        return bucket

    def _known_bucket_of(self, file_id: str) -> BucketSimulator:
        bucket = self.service.bucket_of(file_id)
        if bucket is None:
            raise errors.not_found(file_id)
        return cast(BucketSimulator, bucket)
