"""The buckets of `RawSimulator`: b2sdk's signatures and answers on top of `Bucket`."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, cast

from b2fast.encryption.setting import EncryptionSetting
from b2fast.file_lock import FileRetentionSetting, LegalHold
from b2fast.raw_api import MetadataDirectiveMode
from b2fast.types import LifecycleRule, NotificationRule, NotificationRuleResponse, ReadOnlyStream

from . import errors, notifications, rules
from .bucket import Bucket, NewFile
from .file import File, Part, encryption_fields
from .listing import Folder
from .raw_arguments import bucket_settings, copied_metadata, new_file, receive
from .raw_calls import client_errors, service_call
from .raw_notifications import merged
from .raw_objects import FileSimulator, PartSimulator
from .raw_response import FakeResponse

if TYPE_CHECKING:
    from requests.structures import CaseInsensitiveDict

    from .raw_simulator import RawSimulator


class BucketSimulator(Bucket):
    """A bucket of `RawSimulator`.

    :param api: the simulator it belongs to.
    :param account_id: the account that owns it.
    :param bucket_id: names the bucket for ever.
    :param bucket_name: unique in the simulator.
    :param bucket_type: `allPublic` or `allPrivate`.
    """

    FIRST_FILE_NUMBER = 9999
    FIRST_FILE_ID: ClassVar[str] = str(FIRST_FILE_NUMBER)
    FILE_SIMULATOR_CLASS: ClassVar[type[FileSimulator]] = FileSimulator
    RESPONSE_CLASS: ClassVar[type[FakeResponse]] = FakeResponse
    #: Most bytes in one simple copy.
    MAX_SIMPLE_COPY_SIZE: ClassVar[int] = 200

    part_class = PartSimulator

    def __init__(
        self,
        api: RawSimulator,
        account_id: str,
        bucket_id: str,
        bucket_name: str,
        bucket_type: str,
        bucket_info: Mapping[str, str] | None = None,
        cors_rules: Sequence[Mapping[str, Any]] | None = None,
        lifecycle_rules: list[LifecycleRule] | None = None,
        options_set: set[str] | None = None,
        default_server_side_encryption: EncryptionSetting | None = None,
        is_file_lock_enabled: bool | None = None,
        replication: Any | None = None,
    ) -> None:
        self.api = api
        self.file_class = self.FILE_SIMULATOR_CLASS
        settings = bucket_settings(
            bucket_type,
            bucket_info,
            cors_rules,
            lifecycle_rules,
            default_server_side_encryption,
            is_file_lock_enabled,
            replication,
        )
        super().__init__(
            api.service, account_id, bucket_id, bucket_name, bucket_type, settings, options_set
        )

    @property
    def file_name_and_id_to_file(self) -> dict[tuple[str, str], File]:
        """The versions by name and ID, in listing order."""
        return {(file.name, file.file_id): file for file in self._index}

    @property
    def maximum_copy_size(self) -> int:
        """Most bytes in one simple copy."""
        return self.MAX_SIMPLE_COPY_SIZE

    @client_errors
    def get_file(self, file_id: str, file_name: str) -> FileSimulator:
        """Returns the version of this ID and name."""
        return self._simulated(self.file_of_name(file_id, file_name))

    def is_allowed_to_read_bucket_encryption_setting(self, account_auth_token: str | None) -> bool:
        """Tells whether answers to this token show the default encryption."""
        return self.service.may(account_auth_token, 'readBucketEncryption')

    def is_allowed_to_read_bucket_retention(self, account_auth_token: str | None) -> bool:
        """Tells whether answers to this token show the default retention."""
        return self.service.may(account_auth_token, 'readBucketRetentions')

    def bucket_dict(self, account_auth_token: str | None) -> dict[str, Any]:
        """Returns the bucket as the calls for buckets answer it."""
        reads_encryption = self.is_allowed_to_read_bucket_encryption_setting(account_auth_token)
        reads_retention = self.is_allowed_to_read_bucket_retention(account_auth_token)
        encryption = self.default_server_side_encryption.as_dict()
        replication = None
        if self.replication is not None:
            reads = self.service.may(account_auth_token, 'readBucketReplications')
            replication = {
                'isClientAuthorizedToRead': reads,
                'value': self.replication.as_dict() if reads else None,
            }
        return {
            'accountId': self.account_id,
            'bucketName': self.bucket_name,
            'bucketId': self.bucket_id,
            'bucketType': self.bucket_type,
            'bucketInfo': self.bucket_info,
            'corsRules': self.cors_rules,
            'lifecycleRules': self.lifecycle_rules,
            'options': self.options_set,
            'revision': self.revision,
            'defaultServerSideEncryption': {
                'isClientAuthorizedToRead': reads_encryption,
                'value': encryption if reads_encryption else {'mode': None},
            },
            'fileLockConfiguration': {
                'isClientAuthorizedToRead': reads_retention,
                'value': {
                    'defaultRetention': {
                        'mode': self.default_retention.mode.value,
                        'period': (
                            None
                            if self.default_retention.period is None
                            else self.default_retention.period.as_dict()
                        ),
                    },
                    'isFileLockEnabled': self.is_file_lock_enabled,
                }
                if reads_retention
                else None,
            },
            'replicationConfiguration': replication,
        }

    # Uploads

    @service_call
    def get_upload_url(self, account_auth_token: str) -> dict[str, Any]:
        """Returns a URL for uploads; it is its own token."""
        key = self.service.key_of(account_auth_token)
        number = next(self.upload_url_counter)
        url = f'https://upload.example.com/{self.bucket_id}/{number}/{account_auth_token}'
        self.service.add_upload_token(url, self, key)
        return {'bucketId': self.bucket_id, 'uploadUrl': url, 'authorizationToken': url}

    @service_call
    def get_upload_part_url(self, account_auth_token: str, file_id: str) -> dict[str, Any]:
        """Returns a URL for parts of a large file; it is its own token."""
        key = self.service.key_of(account_auth_token)
        self.unfinished_file(file_id)
        number = random.randint(1, 10**9)  # noqa: S311
        url = f'https://upload.example.com/part/{file_id}/{number}/{account_auth_token}'
        self.service.add_upload_token(url, self, key, file_id)
        return {'bucketId': self.bucket_id, 'uploadUrl': url, 'authorizationToken': url}

    @client_errors
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
    ) -> dict[str, Any]:
        """Reads the stream and stores it as a file.

        :param content_length: bytes in the stream, with those of a digest at its end.
        :param content_sha1: hex digits, `hex_digits_at_end` or `do_not_verify`.
        """
        new = new_file(
            file_name,
            content_type,
            file_info,
            server_side_encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
        )
        content, sha1 = receive(data_stream, content_length, content_sha1)
        with self.service.lock:
            file = self.upload(new, content, sha1)
            return self._simulated(file).as_upload_result(self.api.current_token)

    @client_errors
    def upload_part(
        self,
        file_id: str,
        part_number: int,
        content_length: int,
        sha1_sum: str,
        input_stream: ReadOnlyStream,
        server_side_encryption: EncryptionSetting | None = None,
    ) -> dict[str, Any]:
        """Reads the stream and stores it as a part; see `upload_file`."""
        content, sha1 = receive(input_stream, content_length, sha1_sum)
        with self.service.lock:
            part = self.add_part(file_id, part_number, content, sha1, server_side_encryption)
            return self.part_dict(part, server_side_encryption)

    @staticmethod
    def part_dict(part: Part, encryption: EncryptionSetting | None) -> dict[str, Any]:
        """Returns a part as the calls that store one answer it."""
        result = cast(PartSimulator, part).as_list_parts_dict()
        if encryption is not None:
            result['serverSideEncryption'] = encryption_fields(encryption)
        return result

    @service_call
    def start_large_file(
        self,
        account_auth_token: str,
        file_name: str,
        content_type: str,
        file_info: Mapping[str, str],
        server_side_encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        custom_upload_timestamp: int | None = None,
    ) -> dict[str, Any]:
        """Starts a large file."""
        new = new_file(
            file_name,
            content_type,
            file_info,
            server_side_encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
        )
        file = self.begin_large_file(new)
        return self._simulated(file).as_start_large_file_result(account_auth_token)

    @service_call
    def finish_large_file(
        self, account_auth_token: str, file_id: str, part_sha1_array: Sequence[str]
    ) -> dict[str, Any]:
        """Makes a file of its parts."""
        file = self.complete_large_file(file_id, part_sha1_array)
        return self._simulated(file).as_upload_result(account_auth_token)

    @service_call
    def cancel_large_file(self, file_id: str) -> dict[str, Any]:
        """Removes an unfinished file and its parts."""
        file = self.abandon_large_file(file_id)
        return {
            'accountId': self.account_id,
            'bucketId': self.bucket_id,
            'fileId': file_id,
            'fileName': file.name,
        }

    @service_call
    def list_parts(
        self, file_id: str, start_part_number: int | None, max_part_count: int | None
    ) -> dict[str, Any]:
        """Returns a page of the parts of an unfinished file."""
        file = self._simulated(self.unfinished_file(file_id))
        return file.list_parts(start_part_number, max_part_count)

    # Files

    @service_call
    def get_file_info_by_id(self, account_auth_token: str, file_id: str) -> dict[str, Any]:
        """Returns a version, also a hide marker or an unfinished file."""
        return self._simulated(self.file(file_id)).as_upload_result(account_auth_token)

    @service_call
    def get_file_info_by_name(
        self, account_auth_token: str, file_name: str
    ) -> CaseInsensitiveDict[str]:
        """Returns the headers of a download of the newest version."""
        from requests.structures import CaseInsensitiveDict

        try:
            file = self.visible_file(file_name)
        except errors.SimulatedError:
            raise errors.not_found(file_name, self.bucket_name) from None
        return CaseInsensitiveDict(self._simulated(file).as_download_headers(account_auth_token))

    @service_call
    def hide_file(self, account_auth_token: str, file_name: str) -> dict[str, Any]:
        """Puts a hide marker before the versions of a name."""
        return self._simulated(self.hide(file_name)).as_list_files_dict(account_auth_token)

    @service_call
    def delete_file_version(
        self,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        bypass_governance: bool = False,
    ) -> dict[str, Any]:
        """Deletes a version, finished or not."""
        file = self.delete(file_id, file_name, bypass_governance)
        return {
            'fileId': file_id,
            'fileName': file_name,
            'uploadTimestamp': file.upload_timestamp,
        }

    @service_call
    def copy_file(
        self,
        account_auth_token: str,
        file_id: str,
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
    ) -> FileSimulator:
        """Copies a file of this bucket, or its bytes first to last.

        :return: the copy, with the action `copy` that only this answer shows.
        """
        source = self.file(file_id)
        type_, info = copied_metadata(source, metadata_directive, content_type, file_info)
        new = NewFile(
            name=new_file_name,
            content_type=type_,
            info=info,
            encryption=destination_server_side_encryption,
            retention=file_retention,
            legal_hold=legal_hold,
        )
        bucket: Bucket = self
        if destination_bucket_id is not None:
            bucket = self.service.bucket(destination_bucket_id)
        file = bucket.copy(source, new, bytes_range, source_server_side_encryption)
        shown = copy.copy(self._simulated(file))
        shown.action = 'copy'
        return shown

    @service_call
    def update_file_retention(
        self,
        account_auth_token: str,
        file_id: str,
        file_name: str,
        file_retention: FileRetentionSetting,
        bypass_governance: bool = False,
    ) -> dict[str, Any]:
        """Sets until when a version is protected."""
        self.update_retention(file_id, file_name, file_retention, bypass_governance)
        return {
            'fileId': file_id,
            'fileName': file_name,
            'fileRetention': file_retention.serialize_to_json_for_request(),
        }

    @service_call
    def update_file_legal_hold(
        self, account_auth_token: str, file_id: str, file_name: str, legal_hold: LegalHold
    ) -> dict[str, Any]:
        """Protects a version, or no longer."""
        self.update_legal_hold(file_id, file_name, legal_hold)
        return {'fileId': file_id, 'fileName': file_name, 'legalHold': legal_hold.value}

    # Downloads

    @service_call
    def download_file_by_id(
        self,
        account_auth_token_or_none: str | None,
        file_id: str,
        url: str,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> AbstractContextManager[Any]:
        """Opens a version for reading."""
        file = self.file(file_id)
        if not file.is_visible():
            raise errors.not_found(file_id)
        return self._response(account_auth_token_or_none, file, url, range_, encryption)

    @service_call
    def download_file_by_name(
        self,
        account_auth_token_or_none: str | None,
        file_name: str,
        url: str,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> AbstractContextManager[Any]:
        """Opens the newest version of a name for reading."""
        file = self.visible_file(file_name)
        return self._response(account_auth_token_or_none, file, url, range_, encryption)

    def _response(
        self,
        token: str | None,
        file: File,
        url: str,
        range_: tuple[int, int] | None,
        encryption: EncryptionSetting | None,
    ) -> AbstractContextManager[Any]:
        file.check_encryption(encryption)
        return self.RESPONSE_CLASS(token, self._simulated(file), url, range_)

    # Listings

    @service_call
    def list_file_names(
        self,
        account_auth_token: str,
        start_file_name: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        """Returns a page of the visible files."""
        count = rules.check_page_size(max_file_count, 100, 10_000, 'maxFileCount')
        page = self.page_of_names(start_file_name, count, prefix)
        files = self._files(page.entries)
        # b2sdk's simulator goes on behind the last name of a full page, whatever follows.
        more = len(files) == count
        return {
            'files': [file.as_list_files_dict(account_auth_token) for file in files],
            'nextFileName': files[-1].name + ' ' if more else None,
        }

    @service_call
    def list_file_versions(
        self,
        account_auth_token: str,
        start_file_name: str | None = None,
        start_file_id: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        """Returns a page of all versions."""
        count = rules.check_page_size(max_file_count, 100, 10_000, 'maxFileCount')
        page = self.page_of_versions(start_file_name, start_file_id, count, prefix)
        files = self._files(page.entries)
        more = len(files) == count
        return {
            'files': [file.as_list_files_dict(account_auth_token) for file in files],
            'nextFileName': files[-1].name if more else None,
            'nextFileId': str(int(files[-1].file_id) + 1) if more else None,
        }

    @service_call
    def list_unfinished_large_files(
        self,
        account_auth_token: str,
        start_file_id: str | None = None,
        max_file_count: int | None = None,
        prefix: str | None = None,
    ) -> dict[str, Any]:
        """Returns a page of the large files in the making, the oldest first."""
        count = rules.check_page_size(max_file_count, 100, 10_000, 'maxFileCount')
        files, following = self.page_of_unfinished(start_file_id, count, prefix)
        return {
            'files': [
                self._simulated(file).as_start_large_file_result(account_auth_token)
                for file in files
            ],
            'nextFileId': None if following is None else following.file_id,
        }

    @staticmethod
    def _files(entries: Iterable[File | Folder]) -> list[FileSimulator]:
        # Without a delimiter there are no folders.
        return [entry for entry in entries if isinstance(entry, FileSimulator)]

    @staticmethod
    def _simulated(file: File) -> FileSimulator:
        return cast(FileSimulator, file)

    # Notification rules

    @service_call
    def get_notification_rules(self) -> list[NotificationRuleResponse]:
        """Returns the event notification rules."""
        return cast('list[NotificationRuleResponse]', copy.deepcopy(self.notification_rules))

    @service_call
    def set_notification_rules(
        self, rules: Iterable[NotificationRule]
    ) -> list[NotificationRuleResponse]:
        """Replaces the event notification rules."""
        self.notification_rules = merged(rules, self.notification_rules)
        return self.get_notification_rules()

    @service_call
    def simulate_notification_rule_suspension(
        self, rule_name: str, reason: str, is_suspended: bool | None = None
    ) -> None:
        """Suspends a rule, as the service does when nobody takes its events."""
        rule = notifications.named(self.notification_rules, rule_name)
        self.suspend_notification_rule(rule, reason, is_suspended)
