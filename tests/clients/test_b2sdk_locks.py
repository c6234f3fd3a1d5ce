"""b2sdk against the simulator: file locks and lifecycle rules."""

from __future__ import annotations

import time

import pytest
from b2sdk.v3 import (
    NO_RETENTION_BUCKET_SETTING,
    NO_RETENTION_FILE_SETTING,
    BucketRetentionSetting,
    FileRetentionSetting,
    FileVersion,
    LegalHold,
    RetentionMode,
    RetentionPeriod,
)
from b2sdk.v3.exception import B2Error

from .sdk import World, content, names

_DAY = 24 * 3600
GOVERNANCE, COMPLIANCE = RetentionMode.GOVERNANCE, RetentionMode.COMPLIANCE


def days_ahead(days: int) -> int:
    return int(time.time() + days * _DAY) * 1000


def assert_locked(version: FileVersion) -> None:
    with pytest.raises(B2Error):
        version.delete()


def test_legal_holds(world: World) -> None:
    bucket = world.new_bucket(is_file_lock_enabled=True)
    version = bucket.upload_bytes(b'data', 'file', legal_hold=LegalHold.ON)
    assert version.legal_hold is LegalHold.ON
    assert_locked(version)
    off = world.api.update_file_legal_hold(version.id_, version.file_name, LegalHold.OFF)
    assert off is LegalHold.OFF
    version = version.update_legal_hold(LegalHold.ON)
    assert_locked(version)
    told = bucket.get_file_info_by_name('file')
    assert told.legal_hold is LegalHold.ON
    told = told.update_legal_hold(LegalHold.OFF)
    assert told.legal_hold is LegalHold.OFF
    told.delete()
    assert names(bucket, latest_only=False) == []


def test_governance_is_lifted_by_those_who_may(world: World) -> None:
    bucket = world.new_bucket(is_file_lock_enabled=True)
    setting = FileRetentionSetting(GOVERNANCE, days_ahead(2))
    version = bucket.upload_bytes(b'data', 'file', file_retention=setting)
    assert version.file_retention == setting
    assert bucket.get_file_info_by_name('file').file_retention == setting
    assert_locked(version)
    longer = FileRetentionSetting(GOVERNANCE, days_ahead(3))
    assert world.api.update_file_retention(version.id_, 'file', longer) == longer
    with pytest.raises(B2Error):
        version.update_retention(setting)
    version = version.update_retention(setting, bypass_governance=True)
    assert version.file_retention == setting
    told = bucket.get_file_info_by_name('file').update_retention(
        NO_RETENTION_FILE_SETTING, bypass_governance=True
    )
    assert told.file_retention == NO_RETENTION_FILE_SETTING
    version.update_retention(setting)
    version.delete(bypass_governance=True)
    again = bucket.upload_bytes(b'data', 'file', file_retention=setting)
    bucket.delete_file_version(again.id_, 'file', bypass_governance=True)
    assert names(bucket, latest_only=False) == []


def test_compliance_lasts_until_its_end(world: World) -> None:
    bucket = world.new_bucket(is_file_lock_enabled=True)
    setting = FileRetentionSetting(COMPLIANCE, days_ahead(2))
    version = bucket.upload_bytes(b'data', 'file', file_retention=setting)
    with pytest.raises(B2Error):
        version.update_retention(NO_RETENTION_FILE_SETTING, bypass_governance=True)
    with pytest.raises(B2Error):
        version.delete(bypass_governance=True)
    world.server.advance_clock(3 * _DAY)
    version.delete()
    assert names(bucket, latest_only=False) == []


def test_default_retention(world: World) -> None:
    bucket = world.new_bucket(is_file_lock_enabled=True)
    assert bucket.get_fresh_state().default_retention == NO_RETENTION_BUCKET_SETTING
    setting = BucketRetentionSetting(GOVERNANCE, RetentionPeriod(days=5))
    assert bucket.update(default_retention=setting).default_retention == setting
    version = bucket.upload_bytes(b'data', 'file')
    retention = bucket.get_file_info_by_id(version.id_).file_retention
    assert retention.mode is GOVERNANCE
    assert retention.retain_until == version.upload_timestamp + 5 * _DAY * 1000
    copy = bucket.copy(version.id_, 'copy', legal_hold=LegalHold.ON)
    assert copy.legal_hold is LegalHold.ON
    assert_locked(copy)
    plain = world.new_bucket().update(is_file_lock_enabled=True)
    assert plain.is_file_lock_enabled


def test_lifecycle_rules_hide_and_delete(world: World) -> None:
    rule = {
        'fileNamePrefix': 'logs/',
        'daysFromUploadingToHiding': 2,
        'daysFromHidingToDeleting': 3,
        'daysFromStartingToCancelingUnfinishedLargeFiles': None,
    }
    bucket = world.new_bucket(lifecycle_rules=[rule])
    bucket.upload_bytes(b'data', 'logs/file')
    kept = bucket.upload_bytes(b'data', 'other/file')
    world.server.advance_clock(3 * _DAY)
    assert names(bucket) == ['other/file']
    assert 'logs/file' in names(bucket, latest_only=False)
    world.server.advance_clock(4 * _DAY)
    world.server.advance_clock(_DAY)
    assert names(bucket, latest_only=False) == ['other/file']
    assert content(kept.download()) == b'data'
