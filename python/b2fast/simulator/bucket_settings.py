"""What is set for a bucket, whatever files are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from b2fast.encryption.setting import EncryptionSetting
from b2fast.encryption.types import EncryptionMode
from b2fast.file_lock import NO_RETENTION_BUCKET_SETTING, BucketRetentionSetting

from . import cors, errors, locks, notifications, replication, rules

if TYPE_CHECKING:
    from .profile import Profile
    from .state import Service


@dataclass(frozen=True, kw_only=True)
class BucketSettings:
    """What `b2_update_bucket` can change; None leaves a setting as it is."""

    bucket_type: str | None = None
    bucket_info: Mapping[str, str] | None = None
    cors_rules: Sequence[Mapping[str, Any]] | None = None
    lifecycle_rules: Sequence[Mapping[str, Any]] | None = None
    encryption: EncryptionSetting | None = None
    retention: BucketRetentionSetting | None = None
    replication: Any | None = None
    file_lock: bool | None = None


def check_settings(settings: BucketSettings, profile: Profile) -> None:
    """Refuses settings that no bucket can have."""
    if settings.bucket_type is not None:
        rules.check_bucket_type(settings.bucket_type)
    if settings.bucket_info is not None:
        rules.check_bucket_info(settings.bucket_info)
    if settings.cors_rules is not None:
        cors.check_rules(settings.cors_rules)
    if settings.lifecycle_rules is not None:
        overlaps = profile.options.overlapping_lifecycle_rules
        rules.check_lifecycle_rules(settings.lifecycle_rules, overlaps)
    if settings.encryption is not None and settings.encryption.mode == EncryptionMode.SSE_C:
        raise errors.bad_request('The default encryption of a bucket has to be SSE-B2')
    if settings.retention is not None:
        locks.check_default_retention(settings.retention, profile)


class ConfiguredBucket:
    """The settings of a bucket. Callers hold the lock of the service.

    :param service: the service it belongs to.
    :param account_id: the account that owns it.
    :param bucket_id: names the bucket for ever.
    :param bucket_name: unique in the service.
    :param bucket_type: `allPublic` or `allPrivate`.
    :param options_set: what the answers show as `options`.
    """

    def __init__(
        self,
        service: Service,
        account_id: str,
        bucket_id: str,
        bucket_name: str,
        bucket_type: str,
        settings: BucketSettings,
        options_set: set[str] | None = None,
    ) -> None:
        self.service = service
        self.profile = service.profile
        self.account_id = account_id
        self.bucket_id = bucket_id
        self.bucket_name = bucket_name
        self.bucket_type = bucket_type
        self.bucket_info: dict[str, str] = dict(settings.bucket_info or {})
        self.cors_rules: list[Mapping[str, Any]] = list(settings.cors_rules or [])
        self.lifecycle_rules: list[Mapping[str, Any]] = list(settings.lifecycle_rules or [])
        self.default_server_side_encryption = (
            self.profile.unset_encryption
            if settings.encryption is None
            else self._encryption(settings.encryption)
        )
        self.is_file_lock_enabled = settings.file_lock
        self.default_retention = NO_RETENTION_BUCKET_SETTING
        self.replication = settings.replication
        self.notification_rules: list[notifications.Rule] = []
        self.options_set = options_set or set(self.profile.bucket_options)
        self.revision = self.profile.first_revision

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {self.bucket_name} {self.bucket_id}>'

    @property
    def is_public(self) -> bool:
        return self.bucket_type == 'allPublic'

    def update(self, settings: BucketSettings, if_revision_is: int | None = None) -> None:
        """Changes settings: all of them or, if one is refused, none.

        :param if_revision_is: the revision that the caller saw last.
        :raises SimulatedError: 409 `conflict` if the bucket has another revision; 400.
        """
        with self.service.change(self):
            self._update(settings, if_revision_is)

    def _update(self, settings: BucketSettings, if_revision_is: int | None) -> None:
        if if_revision_is is not None and if_revision_is != self.revision:
            raise errors.revision_conflict()
        if self.profile.checks_settings:
            check_settings(settings, self.profile)
        replicated = settings.replication
        if self.profile.acts_on_rules and replicated is not None:
            replicated = replication.checked(
                self.service, self.account_id, self.bucket_id, replicated
            )
        if settings.file_lock is False and self.is_file_lock_enabled:
            raise errors.disabling_file_lock()
        if settings.file_lock and not self.is_file_lock_enabled:
            becomes_source = self.profile.acts_on_rules and replication.is_source(replicated)
            if replication.is_source(self.replication) or becomes_source:
                raise errors.replicated_file_lock()
        locked = settings.file_lock or self.is_file_lock_enabled
        if settings.retention is not None and not locked:
            raise errors.no_file_lock()
        if settings.bucket_type is not None:
            self.bucket_type = settings.bucket_type
        if settings.bucket_info is not None:
            self.bucket_info = dict(settings.bucket_info)
        if settings.cors_rules is not None:
            self.cors_rules = list(settings.cors_rules)
        if settings.lifecycle_rules is not None:
            self.lifecycle_rules = list(settings.lifecycle_rules)
        if settings.encryption is not None:
            self.default_server_side_encryption = self._encryption(settings.encryption)
        if settings.retention is not None:
            self.default_retention = settings.retention
        if replicated is not None:
            self.replication = replicated
        if settings.file_lock is not None:
            self.is_file_lock_enabled = settings.file_lock
        self.revision += 1

    def replace_notification_rules(self, given: Sequence[object]) -> None:
        """Replaces the event notification rules: all of them or, if one is refused, none.

        :raises SimulatedError: 400.
        """
        checked = notifications.checked(given, self.profile.webhook_hosts)
        with self.service.change(self):
            self.notification_rules = checked

    def suspend_notification_rule(
        self, rule: notifications.Rule, reason: str, is_suspended: bool | None = None
    ) -> None:
        """Marks a rule as suspended, or no longer.

        :param is_suspended: None means suspended if there is a reason.
        """
        former = dict(rule)
        rule['isSuspended'] = bool(reason) if is_suspended is None else is_suspended
        rule['suspensionReason'] = reason
        try:
            self.service.journal.save_bucket(self)
        except BaseException:
            rule.update(former)
            raise

    def _encryption(self, setting: EncryptionSetting) -> EncryptionSetting:
        """Returns how the service encrypts what asks for a setting; none is up to its options."""
        if setting.mode == EncryptionMode.NONE and not self.profile.counted_ids:
            return self.profile.unset_encryption
        return setting
