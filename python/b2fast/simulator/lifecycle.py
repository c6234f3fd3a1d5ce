"""Lifecycle rules at work: what B2 hides, deletes and cancels by itself about once a day.

Source: B2's documentation of lifecycle rules. Ages count from `uploadTimestamp`, hence from custom
timestamps, too; of a large file from its start. A version under retention or legal hold stays
until it is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from . import locks
from .clock import DAY

if TYPE_CHECKING:
    from .bucket import Bucket
    from .file import File


def apply_rules(bucket: Bucket, now: int) -> None:
    """Does what the bucket's rules ask for.

    :param now: milliseconds since 1970 UTC.
    """
    for rule in bucket.lifecycle_rules:
        for versions in bucket.versions_by_name(rule['fileNamePrefix']):
            _apply_rule(bucket, rule, versions, now)


def _apply_rule(bucket: Bucket, rule: Mapping[str, Any], versions: list[File], now: int) -> None:
    """Applies a rule to the versions of one name, the newest first."""
    for file in versions:
        if file.action == 'start' and _has_come(
            rule, 'daysFromStartingToCancelingUnfinishedLargeFiles', file.upload_timestamp, now
        ):
            bucket.abandon_large_file(file.file_id)
    done = [file for file in versions if file.action != 'start']
    if not done:
        return
    for file in _expired(rule, done, now):
        bucket.delete_by_rule(file)
        done.remove(file)
    if done and done[0].action != 'hide':
        uploaded = done[0].upload_timestamp
        if _has_come(rule, 'daysFromUploadingToHiding', uploaded, now):
            bucket.hide_by_rule(done[0].name)


def _expired(rule: Mapping[str, Any], done: list[File], now: int) -> list[File]:
    """Returns the versions whose time to be deleted has come."""
    key = 'daysFromHidingToDeleting'
    expired = []
    for newer, file in pairwise(done):
        # A newer version hides an older one as a hide marker does.
        if _has_come(rule, key, newer.upload_timestamp, now) and not locks.is_locked(file, now):
            expired.append(file)
    newest = done[0]
    is_left_over = len(expired) == len(done) - 1
    if (
        newest.action == 'hide'
        and is_left_over
        and _has_come(rule, key, newest.upload_timestamp, now)
    ):
        expired.append(newest)
    return expired


def _has_come(rule: Mapping[str, Any], key: str, since: int, now: int) -> bool:
    days = rule.get(key)
    return days is not None and since + days * DAY <= now
