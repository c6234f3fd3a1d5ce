"""Object lock: what protects a version, and who may change it.

Source: B2's documentation of Object Lock, and the live tests of its Python SDK and command line for
the codes. Retention and legal hold are independent; either protects a version from deletion.
Hide markers and unfinished large files carry neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2fast.file_lock import (
    NO_RETENTION_FILE_SETTING,
    BucketRetentionSetting,
    FileRetentionSetting,
    LegalHold,
    RetentionMode,
)

from . import errors
from .clock import DAY

if TYPE_CHECKING:
    from .file import File
    from .profile import Profile

_LOCKING_MODES = (RetentionMode.GOVERNANCE, RetentionMode.COMPLIANCE)


def retention_in_force(file: File, now: int) -> FileRetentionSetting | None:
    """Returns the retention that protects a version now, if any does.

    :param now: milliseconds since 1970 UTC.
    """
    retention = file.file_retention or NO_RETENTION_FILE_SETTING
    if retention.retain_until is None or retention.retain_until <= now:
        return None
    return retention


def is_locked(file: File, now: int) -> bool:
    """Tells whether retention or legal hold protects a version now."""
    return file.legal_hold == LegalHold.ON or retention_in_force(file, now) is not None


def may_delete(file: File, now: int, bypass_governance: bool) -> bool:
    """Tells whether a version may be deleted.

    :param bypass_governance: lifts retention in governance mode.
    """
    # What an unfinished file is to have protects nothing before there is a file.
    if file.action == 'start' and file.bucket.profile.checks_locks:
        return True
    if file.legal_hold == LegalHold.ON:
        return False
    retention = retention_in_force(file, now)
    if retention is None:
        return True
    return bypass_governance and retention.mode == RetentionMode.GOVERNANCE


def may_change(
    current: FileRetentionSetting | None, new: FileRetentionSetting, bypass_governance: bool
) -> bool:
    """Tells whether the retention in force may be replaced.

    Governance can be extended, or turned into compliance that ends no earlier; anything else
    needs the bypass. Compliance can be extended only.
    """
    if current is None or current.retain_until is None:
        return True
    extends = new.retain_until is not None and new.retain_until >= current.retain_until
    if current.mode == RetentionMode.COMPLIANCE:
        return extends and new.mode == RetentionMode.COMPLIANCE
    return extends or bypass_governance


def check_new_retention(retention: FileRetentionSetting, profile: Profile) -> None:
    """Refuses a retention that ends in the past or too far ahead.

    :raises SimulatedError: 400.
    """
    until = retention.retain_until
    if until is None:
        return
    now = profile.clock()
    if until <= now:
        raise errors.bad_request(
            'The retain until timestamp must be in the future',
            'retain_until_timestamp_must_be_in_future',
        )
    if until > now + profile.options.maximum_retention_days * DAY:
        raise errors.bad_request('The retain until timestamp is too far in the future')


def check_default_retention(setting: BucketRetentionSetting, profile: Profile) -> None:
    """Refuses a bucket's default retention that no file could have.

    :raises SimulatedError: 400.
    """
    if period_of(setting) > profile.options.maximum_retention_days * DAY:
        raise errors.bad_request('defaultRetention: the period is too long')


def default_retention(
    setting: BucketRetentionSetting, timestamp: int
) -> FileRetentionSetting | None:
    """Returns the retention of a new version that asks for none.

    :param setting: the default of its bucket.
    :param timestamp: when the version came, milliseconds since 1970 UTC.
    """
    if setting.period is None or setting.mode not in _LOCKING_MODES:
        return None
    return FileRetentionSetting(setting.mode, timestamp + period_of(setting))


def period_of(setting: BucketRetentionSetting) -> int:
    """Returns the period of a default retention in milliseconds; a year has 365 days."""
    if setting.period is None:
        return 0
    return setting.period.duration * (365 if setting.period.unit == 'years' else 1) * DAY


def set_retention(
    file: File, retention: FileRetentionSetting, profile: Profile, bypass_governance: bool
) -> None:
    """Replaces the retention of a version.

    :param retention: the mode `NONE` removes it.
    :param bypass_governance: allows to shorten or remove retention in governance mode.
    :raises SimulatedError: 400; 403 `access_denied`.
    """
    check_lockable(file)
    check_new_retention(retention, profile)
    if not may_change(retention_in_force(file, profile.clock()), retention, bypass_governance):
        raise errors.access_denied(profile.options.locked_update_status)
    file.file_retention = None if retention.retain_until is None else retention


def check_lockable(file: File) -> None:
    """Refuses what has neither retention nor legal hold.

    :raises SimulatedError: 400.
    """
    if not file.bucket.is_file_lock_enabled:
        raise errors.no_file_lock()
    if not file.is_visible():
        raise errors.bad_request('Hide markers and unfinished large files cannot be locked')
