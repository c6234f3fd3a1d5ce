"""Buckets."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .bucket_bulk import BucketBulk
from .bucket_emerging import BucketEmerging
from .encryption.setting import EncryptionSetting
from .encryption.types import EncryptionMode
from .exception import (
    BucketIdNotFound,
    FileNotHidden,
    FileNotPresent,
    FileOrBucketNotFound,
    UnexpectedFileVersionAction,
)
from .file_lock import UNKNOWN_BUCKET_RETENTION, BucketRetentionSetting
from .file_version import DownloadVersion, FileIdAndName, FileVersion
from .filter import Filter
from .http_constants import LIST_FILE_NAMES_MAX_LIMIT
from .large_file.part import Part
from .large_file.unfinished_large_file import UnfinishedLargeFile
from .listing import FolderListing
from .progress import AbstractProgressListener
from .transfer.inbound.download_manager import naming
from .version_pages import page_of_versions

if TYPE_CHECKING:
    from .api import B2Api
    from .replication.setting import ReplicationConfiguration
    from .transfer.inbound.downloaded_file import DownloadedFile
    from .types import LifecycleRule, NotificationRule, NotificationRuleResponse


class Bucket(BucketEmerging, BucketBulk):
    """A bucket and what can be done in it.

    One that comes from `B2Api.get_bucket_by_name` may know its ID and name only, since both can
    come from a cache; `get_fresh_state` asks for the rest.
    """

    def __init__(
        self,
        api: B2Api,
        id_: str,
        name: str | None = None,
        type_: str | None = None,
        bucket_info: dict[str, str] | None = None,
        cors_rules: list[dict[str, Any]] | None = None,
        lifecycle_rules: list[LifecycleRule] | None = None,
        revision: int | None = None,
        bucket_dict: dict[str, Any] | None = None,
        options_set: set[str] | None = None,
        default_server_side_encryption: EncryptionSetting = EncryptionSetting(  # noqa: B008
            EncryptionMode.UNKNOWN
        ),
        default_retention: BucketRetentionSetting = UNKNOWN_BUCKET_RETENTION,
        is_file_lock_enabled: bool | None = None,
        replication: ReplicationConfiguration | None = None,
    ) -> None:
        self.api = api
        self.id_ = id_
        # Every bucket that an API object hands out has a name, so who uses one need not ask.
        self.name: str = name  # type: ignore[assignment]
        self.type_ = type_
        self.bucket_info = bucket_info or {}
        self.cors_rules = cors_rules or []
        self.lifecycle_rules = lifecycle_rules or []
        self.revision = revision
        self.bucket_dict = bucket_dict or {}
        self.options_set = options_set or set()
        self.default_server_side_encryption = default_server_side_encryption
        self.default_retention = default_retention
        self.is_file_lock_enabled = is_file_lock_enabled
        self.replication = replication

    def __repr__(self) -> str:
        return f'{type(self).__name__}<{self.id_},{self.name},{self.type_}>'

    def as_dict(self) -> dict[str, Any]:
        """The bucket as data for JSON, named as in the native API."""
        result: dict[str, Any] = {
            'accountId': self.api.account_info.get_account_id(),
            'bucketId': self.id_,
            'bucketInfo': self.bucket_info,
            'corsRules': self.cors_rules,
            'lifecycleRules': self.lifecycle_rules,
            'revision': self.revision,
            'options': self.options_set,
            'defaultServerSideEncryption': self.default_server_side_encryption.as_dict(),
            'isFileLockEnabled': self.is_file_lock_enabled,
            'defaultRetention': self.default_retention.as_dict(),
            'replication': self.replication and self.replication.as_dict(),
        }
        if self.name is not None:
            result['bucketName'] = self.name
        if self.type_ is not None:
            result['bucketType'] = self.type_
        return result

    def get_id(self) -> str:
        """The ID."""
        return self.id_

    def get_fresh_state(self) -> Bucket:
        """The bucket as the service has it now. Raises `BucketIdNotFound` if it is gone."""
        found = self.api.list_buckets(bucket_id=self.id_)
        if not found:
            raise BucketIdNotFound(self.id_)
        return found[0]

    def set_info(
        self, new_bucket_info: dict[str, str], if_revision_is: int | None = None
    ) -> Bucket:
        """Replace the bucket info; see `update`."""
        return self.update(bucket_info=new_bucket_info, if_revision_is=if_revision_is)

    def set_type(self, bucket_type: str) -> Bucket:
        """Make the bucket ``allPrivate`` or ``allPublic``; see `update`."""
        return self.update(bucket_type=bucket_type)

    def update(
        self,
        bucket_type: str | None = None,
        bucket_info: dict[str, str] | None = None,
        cors_rules: list[dict[str, Any]] | None = None,
        lifecycle_rules: list[LifecycleRule] | None = None,
        if_revision_is: int | None = None,
        default_server_side_encryption: EncryptionSetting | None = None,
        default_retention: BucketRetentionSetting | None = None,
        replication: ReplicationConfiguration | None = None,
        is_file_lock_enabled: bool | None = None,
    ) -> Bucket:
        """Change settings (``b2_update_bucket``) and return the bucket with all of them.

        None leaves a setting as it is; anything else replaces it.

        :param if_revision_is: raise `Conflict` if the bucket has another revision by now
        """
        return self.api.BUCKET_FACTORY_CLASS.from_api_bucket_dict(
            self.api,
            self.api.session.update_bucket(
                self.api.account_info.get_account_id(),
                self.id_,
                bucket_type=bucket_type,
                bucket_info=bucket_info,
                cors_rules=cors_rules,
                lifecycle_rules=lifecycle_rules,
                if_revision_is=if_revision_is,
                default_server_side_encryption=default_server_side_encryption,
                default_retention=default_retention,
                replication=replication,
                is_file_lock_enabled=is_file_lock_enabled,
            ),
        )

    def ls(
        self,
        path: str = '',
        latest_only: bool = True,
        recursive: bool = False,
        fetch_count: int | None = LIST_FILE_NAMES_MAX_LIMIT,
        with_wildcard: bool = False,
        filters: Sequence[Filter] = (),
    ) -> Iterable[tuple[FileVersion, str | None]]:
        """List files like those of a directory, in order of their names.

        Each entry is a version and None, or, unless ``recursive``, the first version in a folder
        and the folder's name with a ``/`` at its end.

        :param path: a file, or a folder (with or without ``/`` at its end); what names a file, be
                    it hidden, is no folder
        :param latest_only: only the newest version of a file, and no hidden ones; else all
        :param recursive: list what is in folders too
        :param fetch_count: entries per call, up to 10000; B2 bills one transaction per 1000
        :param with_wildcard: ``path`` is a pattern of the shell for whole names, in which ``*``
                    matches ``/`` too; needs ``recursive``
        :param filters: which names to list; see `Filter`

        Raises `ValueError` for wildcards without ``recursive``.
        """
        if with_wildcard and not recursive:
            raise ValueError('with_wildcard requires recursive to be turned on as well')
        return FolderListing(
            self, path, latest_only, recursive, fetch_count, with_wildcard, filters
        ).entries()

    def list_file_versions(
        self, file_name: str, fetch_count: int | None = LIST_FILE_NAMES_MAX_LIMIT
    ) -> Iterable[FileVersion]:
        """List all versions of one file, newest first.

        :param fetch_count: entries per call, 1 to 10000; B2 bills one transaction per 1000
        """
        if fetch_count is not None and fetch_count <= 0:
            raise ValueError('unsupported fetch_count value')
        return self._versions_of(file_name, fetch_count)

    def _versions_of(
        self, file_name: str, fetch_count: int | None
    ) -> Generator[FileVersion, None, None]:
        start_name: str | None = file_name
        start_id: str | None = None
        while start_name == file_name:
            page = page_of_versions(
                self.api, self.id_, start_name, start_id, fetch_count, file_name
            )
            for version in page.versions():
                if version.file_name != file_name:
                    # Names that only begin like it come after it.
                    return
                yield version
            start_name, start_id = page.next_name, page.next_id

    def get_file_info_by_id(self, file_id: str) -> FileVersion:
        """What B2 tells about a version. Raises `FileNotPresent` if there is none."""
        return self.api.get_file_info(file_id)

    def get_file_info_by_name(self, file_name: str) -> DownloadVersion:
        """What B2 tells about the newest version of a file.

        Raises `FileNotPresent` if there is none, or if it is hidden.
        """
        try:
            return self.api.get_file_info_by_name(self._known_name(), file_name)
        except FileOrBucketNotFound:
            # A HEAD request is answered without a word on which of the two is missing.
            raise FileNotPresent(bucket_name=self.name, file_id_or_name=file_name) from None

    def download_file_by_id(
        self,
        file_id: str,
        progress_listener: AbstractProgressListener | None = None,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> DownloadedFile:
        """Open a download of a version; see `B2Api.download_file_by_id`."""
        return self.api.download_file_by_id(file_id, progress_listener, range_, encryption)

    def download_file_by_name(
        self,
        file_name: str,
        progress_listener: AbstractProgressListener | None = None,
        range_: tuple[int, int] | None = None,
        encryption: EncryptionSetting | None = None,
    ) -> DownloadedFile:
        """Open a download of the newest version of a file.

        Parameters and exceptions are those of `B2Api.download_file_by_id`.
        """
        url = self.api.session.get_download_url_by_name(self._known_name(), file_name)
        with naming(file_name):
            return self.api.services.download_manager.download_file_from_url(
                url, progress_listener, range_, encryption
            )

    def get_download_url(self, filename: str) -> str:
        """The URL of the newest version of a file; a private bucket also wants a token."""
        return self.api.get_download_url_for_file_name(self._known_name(), filename)

    def get_download_authorization(
        self, file_name_prefix: str, valid_duration_in_seconds: int
    ) -> str:
        """A token that lets its holder download some files (``b2_get_download_authorization``).

        :param file_name_prefix: what their names begin with
        :param valid_duration_in_seconds: 1 to 604800
        """
        token: str = self.api.session.get_download_authorization(
            self.id_, file_name_prefix, valid_duration_in_seconds
        )['authorizationToken']
        return token

    def hide_file(self, file_name: str) -> FileVersion:
        """Hide a file: its newest version becomes a hide marker (``b2_hide_file``)."""
        return self.api.file_version_factory.from_api_response(
            self.api.session.hide_file(self.id_, file_name)
        )

    def unhide_file(self, file_name: str, bypass_governance: bool = False) -> FileIdAndName:
        """Show a hidden file again by deleting its hide marker.

        Raises `FileNotPresent` if there is no version of it, `FileNotHidden` if it is not
        hidden.

        :param bypass_governance: delete the marker although governance retention protects it
        """
        for version in self.list_file_versions(file_name, fetch_count=1):
            match version.action:
                case 'hide':
                    return version.delete(bypass_governance)
                case 'upload':
                    raise FileNotHidden(file_name)
                case 'start':
                    # Not finished, so what is visible is the version below it.
                    continue
                case action:
                    raise UnexpectedFileVersionAction(action)
        raise FileNotPresent(bucket_name=self.name, file_id_or_name=file_name)

    def delete_file_version(
        self, file_id: str, file_name: str, bypass_governance: bool = False
    ) -> FileIdAndName:
        """Delete one version; see `B2Api.delete_file_version`."""
        return self.api.delete_file_version(file_id, file_name, bypass_governance)

    def list_unfinished_large_files(
        self,
        start_file_id: str | None = None,
        batch_size: int | None = None,
        prefix: str | None = None,
    ) -> Generator[UnfinishedLargeFile, None, None]:
        """Large files that are neither finished nor cancelled, oldest first.

        :param start_file_id: the first one to list
        :param batch_size: files per call, up to 100; 100 if None
        :param prefix: only files whose names begin with it
        """
        return self.api.services.large_file.list_unfinished_large_files(
            self.id_, start_file_id, batch_size, prefix
        )

    def list_parts(
        self, file_id: str, start_part_number: int | None = None, batch_size: int | None = None
    ) -> Generator[Part, None, None]:
        """The uploaded parts of an unfinished large file; see `B2Api.list_parts`."""
        return self.api.list_parts(file_id, start_part_number, batch_size)

    def cancel_large_file(self, file_id: str) -> FileIdAndName:
        """Give up a large file and delete its parts; see `B2Api.cancel_large_file`."""
        return self.api.cancel_large_file(file_id)

    def get_notification_rules(self) -> list[NotificationRuleResponse]:
        """The rules by which B2 tells web hooks about events."""
        return self.api.session.get_bucket_notification_rules(self.id_)

    def set_notification_rules(
        self, rules: Iterable[NotificationRule]
    ) -> list[NotificationRuleResponse]:
        """Replace the event notification rules; returns them as the service has them now.

        Those of `get_notification_rules` go through `notification_rule_response_to_request`
        first.
        """
        return self.api.session.set_bucket_notification_rules(self.id_, rules)

    def _known_name(self) -> str:
        """The name, which the service is asked for if only the ID is known."""
        if self.name is None:
            self.name = self.get_fresh_state().name
        return self.name
