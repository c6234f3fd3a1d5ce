"""Laws of object lock and of lifecycle rules, whatever is tried in whatever order."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

from b2fast._core.server import Content
from b2fast.file_lock import NO_RETENTION_FILE_SETTING, FileRetentionSetting, RetentionMode
from b2fast.simulator.bucket import Bucket, BucketSettings, NewFile
from b2fast.simulator.errors import SimulatedError
from b2fast.simulator.file import File
from b2fast.simulator.profile import Profile
from b2fast.simulator.state import Service

from ..helpers import Clock, sha1_of

START = 1_700_000_000_000
DAY_SECONDS = 24 * 3600
DAY = DAY_SECONDS * 1000
COMPLIANCE, GOVERNANCE = RetentionMode.COMPLIANCE, RetentionMode.GOVERNANCE


def new_bucket(clock: Clock, **settings: Any) -> Bucket:
    service = Service(Profile(clock=clock, custom_timestamps=True))
    return service.create_bucket(
        'a' * 12,
        service.ids.bucket_id,
        'bucket-1',
        BucketSettings(bucket_type='allPrivate', **settings),
    )


def upload(bucket: Bucket, name: str) -> File:
    new = NewFile(name=name, content_type='x/y', info={})
    return bucket.upload(new, Content(b'data'), sha1_of(b'data'))


@st.composite
def attempts(draw: st.DrawFn) -> tuple[int, FileRetentionSetting, bool]:
    """After how many days to try which retention, and whether with bypass."""
    mode = draw(st.sampled_from([None, GOVERNANCE, COMPLIANCE]))
    setting = NO_RETENTION_FILE_SETTING
    if mode is not None:
        setting = FileRetentionSetting(mode, START + draw(st.integers(0, 20)) * DAY)
    return draw(st.integers(0, 3)), setting, draw(st.booleans())


@given(st.lists(attempts(), max_size=12))
def test_what_was_promised_is_kept(tries: list[tuple[int, FileRetentionSetting, bool]]) -> None:
    clock = Clock(START)
    bucket = new_bucket(clock, file_lock=True)
    file = upload(bucket, 'a')
    compliance = governance = START
    for days, wanted, bypass in tries:
        clock.now += days * DAY
        try:
            bucket.update_retention(file.file_id, 'a', wanted, bypass)
        except SimulatedError:
            pass
        else:
            until = wanted.retain_until or START
            # What takes the bypass may end the promise of governance, and of nothing else.
            governance = until if bypass else max(governance, until)
            if wanted.mode == COMPLIANCE:
                compliance = max(compliance, until)
        for bypassing, promised in ((False, max(governance, compliance)), (True, compliance)):
            if clock.now < promised:
                with pytest.raises(SimulatedError):
                    bucket.delete(file.file_id, 'a', bypassing)
    clock.now = START + 30 * DAY
    bucket.delete(file.file_id, 'a')


DAYS = st.none() | st.integers(1, 4)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    return {
        'fileNamePrefix': draw(st.sampled_from(['', 'a'])),
        'daysFromUploadingToHiding': draw(DAYS),
        'daysFromHidingToDeleting': draw(DAYS),
        'daysFromStartingToCancelingUnfinishedLargeFiles': draw(st.integers(1, 4)),
    }


STEPS = st.lists(
    st.tuples(st.sampled_from(['upload', 'hide', 'start', 'wait']), st.sampled_from(['a', 'b'])),
    max_size=12,
)


def history(rule: dict[str, Any], steps: list[tuple[str, str]]) -> Bucket:
    clock = Clock(START)
    bucket = new_bucket(clock, lifecycle_rules=[rule])
    for step, name in steps:
        if step == 'upload':
            upload(bucket, name)
        elif step == 'start':
            bucket.begin_large_file(NewFile(name=name, content_type='x/y', info={}))
        elif step == 'wait':
            bucket.service.advance_clock(DAY_SECONDS)
        else:
            with suppress(SimulatedError):
                bucket.hide(name)
    return bucket


def shown(bucket: Bucket) -> list[tuple[str, str, int]]:
    page = bucket.page_of_versions(None, None, 1000, None)
    return [
        (file.name, file.action, file.upload_timestamp)
        for file in page.entries
        if isinstance(file, File)
    ]


@given(rules(), STEPS, st.integers(0, 9))
def test_one_leap_is_as_good_as_many(
    rule: dict[str, Any], steps: list[tuple[str, str]], days: int
) -> None:
    leaping, walking = history(rule, steps), history(rule, steps)
    leaping.service.advance_clock(days * DAY_SECONDS)
    for _ in range(days):
        walking.service.advance_clock(DAY_SECONDS)
    assert shown(leaping) == shown(walking)


@given(rules(), STEPS)
def test_what_rules_leave_in_the_end(rule: dict[str, Any], steps: list[tuple[str, str]]) -> None:
    bucket = history(rule, steps)
    before = shown(bucket)
    bucket.service.advance_clock(20 * DAY_SECONDS)
    after = shown(bucket)
    covered = [file for file in after if file[0].startswith(rule['fileNamePrefix'])]
    # Nobody touches what no rule covers.
    assert [file for file in after if file not in covered] == [
        file for file in before if not file[0].startswith(rule['fileNamePrefix'])
    ]
    assert not [file for file in covered if file[1] == 'start']
    if rule['daysFromHidingToDeleting'] is not None:
        assert not [file for file in covered if file[1] == 'hide']
        names = [file[0] for file in covered]
        assert len(set(names)) == len(names)
        if rule['daysFromUploadingToHiding'] is not None:
            assert covered == []
    elif rule['daysFromUploadingToHiding'] is not None:
        newest = {file[0]: file[1] for file in reversed(covered)}
        assert set(newest.values()) <= {'hide'}
