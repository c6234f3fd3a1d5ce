"""Uploads that go on with an unfinished large file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from b2fast import (
    SSE_B2_AES,
    B2Api,
    Bucket,
    FileRetentionSetting,
    LegalHold,
    ProgressListenerForTest,
    RetentionMode,
)
from b2fast.exception import B2Error, BadRequest, SourceChanged
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, Account
from ..helpers import sha1_of
from .unfinished_uploads import (
    DATA,
    DAY,
    INFO,
    LENGTH,
    PARTS,
    SSE_C,
    assert_good_progress,
    assert_not_resumed,
    assert_resumed,
    begin,
    calls_of,
    content_of,
    part_of,
    send_part,
    unfinished,
)

MakeFile = Callable[..., Path]
over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)


def test_large_upload_costs_one_more_call(bucket: Bucket) -> None:
    calls = calls_of(bucket, lambda: bucket.upload_bytes(DATA, 'name'))
    assert calls['b2_list_unfinished_large_files'] == 1
    assert 'b2_list_parts' not in calls
    calls = calls_of(bucket, lambda: bucket.upload_bytes(b'small', 'small'))
    assert 'b2_list_unfinished_large_files' not in calls


@given(
    there=st.lists(
        st.sampled_from(['missing', 'right', 'wrong', 'unverified']),
        min_size=PARTS,
        max_size=PARTS,
    ),
    name=st.uuids().map(str),
    sha1_is_known=st.booleans(),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mixture_of_parts(
    account: Account, bucket: Bucket, there: list[str], name: str, sha1_is_known: bool
) -> None:
    file_id = begin(bucket, [], name)
    for number, state in enumerate(there, start=1):
        part = part_of(DATA, number)
        if state == 'unverified' and account.server is None:
            # The simulator in the process always verifies.
            state = 'wrong'
        if state == 'right':
            send_part(bucket, file_id, number, part)
        elif state == 'wrong':
            send_part(bucket, file_id, number, bytes(len(part)))
        elif state == 'unverified':
            send_part(bucket, file_id, number, part, 'do_not_verify')
    parameters = {'large_file_sha1': INFO['large_file_sha1']} if sha1_is_known else {}
    assert_resumed(bucket, file_id, PARTS - there.count('right'), name, **parameters)
    assert unfinished(bucket) == []


@over_http
@pytest.mark.parametrize('sent', range(PARTS))
def test_interrupted_at_every_part(
    account: Account, bucket: Bucket, make_file: MakeFile, sent: int
) -> None:
    assert account.server is not None
    api = account.new_api(max_upload_workers=1)
    api.authorize_account(account.key_id, account.key, account.realm)
    one_by_one = api.get_bucket_by_name('a-bucket')
    path = make_file(DATA)
    account.server.inject(Fault(call='b2_upload_part', status=400, skip=sent))
    with pytest.raises(B2Error) as caught:
        one_by_one.upload_local_file(path, 'name')
    (file_id,) = unfinished(bucket)
    assert any(file_id in note for note in caught.value.__notes__)
    assert len(list(bucket.list_parts(file_id))) == sent
    versions = []
    listener = ProgressListenerForTest()
    calls = calls_of(
        bucket,
        lambda: versions.append(bucket.upload_local_file(path, 'name', progress_listener=listener)),
    )
    assert versions[0].id_ == file_id
    assert calls['b2_upload_part'] == PARTS - sent
    assert content_of(bucket, 'name') == DATA
    assert_good_progress(listener, there=sent * PART_SIZE)


def test_all_parts_are_there(bucket: Bucket) -> None:
    assert_resumed(bucket, begin(bucket, range(1, PARTS + 1)), 0)


def test_file_with_most_parts_is_taken(bucket: Bucket) -> None:
    begin(bucket, [1])
    best = begin(bucket, [2, 3, 4])
    begin(bucket, [1, 2])
    begin(bucket, range(1, PARTS + 1), 'name2')
    assert_resumed(bucket, best, 2)
    assert len(unfinished(bucket)) == 3


@pytest.mark.parametrize('change', ['upload', 'hide'])
def test_older_than_the_newest_version(bucket: Bucket, change: str) -> None:
    """It would be finished below that version, which would stay what is seen."""
    bucket.upload_bytes(b'old', 'name')
    time.sleep(0.002)
    file_id = begin(bucket, [1, 2])
    time.sleep(0.002)
    if change == 'upload':
        bucket.upload_bytes(b'newer', 'name')
    else:
        bucket.hide_file('name')
    time.sleep(0.002)
    assert_not_resumed(bucket, file_id)
    assert content_of(bucket, 'name') == DATA


def test_newer_than_all_versions(bucket: Bucket) -> None:
    bucket.upload_bytes(b'old', 'name')
    time.sleep(0.002)
    file_id = begin(bucket, [1, 2])
    begin(bucket, [1])
    bucket.upload_bytes(b'newer', 'name2')
    assert_resumed(bucket, file_id, 3)


@pytest.mark.parametrize('account', ['raw', 'faithful'], indirect=True)
def test_more_parts_than_one_call_lists(account: Account, bucket: Bucket) -> None:
    count = 1003
    data = os.urandom(count * PART_SIZE)
    info = {'large_file_sha1': sha1_of(data)}
    there = [number for number in range(1, count + 1) if number not in (7, 1001)]
    file_id = begin(bucket, there, data=data, info=info)
    versions = []
    calls = calls_of(bucket, lambda: versions.append(bucket.upload_bytes(data, 'name')))
    assert versions[0].id_ == file_id
    assert (calls['b2_list_parts'], calls['b2_upload_part']) == (2, 2)
    assert content_of(bucket, 'name') == data


def test_file_without_sha1_shows_its_content_by_its_parts(bucket: Bucket) -> None:
    file_id = begin(bucket, [1, 5], info={'a': 'b'})
    assert_resumed(bucket, file_id, 3)


@pytest.mark.parametrize(
    'begun',
    [
        {'numbers': [1, 2, 3], 'info': {'a': 'c', 'large_file_sha1': sha1_of(DATA)}},
        {'numbers': [1, 2, 3], 'info': {'large_file_sha1': sha1_of(DATA)}},
        {'numbers': [1, 2, 3], 'info': {**INFO, 'c': 'd'}},
        {'numbers': [1, 2, 3], 'info': {**INFO, 'large_file_sha1': sha1_of(b'other')}},
        {'numbers': [1, 2, 3], 'info': {'a': 'b'}, 'data': DATA[:PART_SIZE] + bytes(LENGTH)},
        {'numbers': [], 'info': {'a': 'b'}},
        {'numbers': [1, 2], 'size': PART_SIZE + 1},
        {'numbers': [1, 6], 'data': DATA + bytes(PART_SIZE)},
        {'numbers': [1, 2, 3], 'name': 'name2'},
        {'numbers': [1, 2, 3], 'name': 'nam'},
        {'numbers': [], 'encryption': SSE_C},
    ],
    ids=[
        'other value',
        'less info',
        'more info',
        'other SHA-1',
        'other part',
        'nothing known',
        'other part size',
        'more parts',
        'longer name',
        'shorter name',
        "customer's key",
    ],
)
def test_other_file_is_left_alone(bucket: Bucket, begun: dict[str, Any]) -> None:
    assert_not_resumed(bucket, begin(bucket, **begun))


@pytest.mark.parametrize(
    ('begun', 'wanted', 'resumed'),
    [
        ({'content_type': 'text/plain'}, {'content_type': 'text/plain'}, True),
        ({'content_type': 'text/plain'}, {}, True),
        ({'content_type': 'text/plain'}, {'content_type': 'text/html'}, False),
        ({'encryption': SSE_B2_AES}, {'encryption': SSE_B2_AES}, True),
        ({'info': INFO | {'b2-cache-control': 'x'}}, {'cache_control': 'x'}, True),
        ({'info': INFO | {'b2-cache-control': 'x'}}, {'cache_control': 'y'}, False),
        ({}, {'file_info': {'A': 'b'}}, True),
    ],
    ids=str,
)
def test_metadata(
    account: Account, bucket: Bucket, begun: Any, wanted: dict[str, Any], resumed: bool
) -> None:
    if 'A' in wanted.get('file_info', {}) and account.server is None:
        # The simulator in the process keeps names as they are; to B2 these are the same.
        begun = {'info': INFO | {'A': 'b'}}
        del begun['info']['a']
    file_id = begin(bucket, [1, 2], **begun)
    if resumed:
        assert_resumed(bucket, file_id, 3, **wanted)
    else:
        assert_not_resumed(bucket, file_id, **wanted)


def test_unencrypted_file_is_not_taken_for_an_encrypted_one(bucket: Bucket) -> None:
    """B2 encrypts all new files; old buckets may have others in the making."""
    listing = bucket.api.session.list_unfinished_large_files

    def unencrypted(*args: Any) -> Any:
        answer = listing(*args)
        for file in answer['files']:
            file['serverSideEncryption'] = {'mode': None, 'algorithm': None}
        return answer

    bucket.api.session.list_unfinished_large_files = unencrypted  # type: ignore[method-assign]
    assert_not_resumed(bucket, begin(bucket, [1, 2]), encryption=SSE_B2_AES)
    assert_resumed(bucket, begin(bucket, [1, 2], 'other'), 3, 'other')


@pytest.mark.parametrize(
    ('begun', 'wanted', 'resumed'),
    [
        ({}, {}, True),
        ({'legal_hold': LegalHold.ON}, {'legal_hold': LegalHold.ON}, True),
        ({'legal_hold': LegalHold.ON}, {}, False),
        ({}, {'legal_hold': LegalHold.ON}, False),
        ({'until': 3}, {'until': 3}, True),
        ({'until': 3}, {'until': 4}, False),
        ({'until': 3}, {}, False),
        ({}, {'until': 3}, False),
    ],
    ids=str,
)
def test_locks(api: B2Api, begun: dict[str, Any], wanted: dict[str, Any], resumed: bool) -> None:
    bucket = api.create_bucket('locked-bucket', 'allPrivate', is_file_lock_enabled=True)

    def locks(until: int | None = None, **hold: Any) -> dict[str, Any]:
        if until is None:
            return hold
        moment = int(time.time() * 1000) // DAY * DAY + until * DAY
        return {'file_retention': FileRetentionSetting(RetentionMode.GOVERNANCE, moment)} | hold

    file_id = begin(bucket, [1, 2], **locks(**begun))
    if resumed:
        assert_resumed(bucket, file_id, 3, **locks(**wanted))
    else:
        assert_not_resumed(bucket, file_id, **locks(**wanted))


def test_custom_timestamp(bucket: Bucket) -> None:
    def start(timestamp: int) -> str:
        answer = bucket.api.session.start_large_file(
            bucket.id_, 'name', 'b2/x-auto', INFO, custom_upload_timestamp=timestamp
        )
        send_part(bucket, answer['fileId'], 1, part_of(DATA, 1))
        file_id: str = answer['fileId']
        return file_id

    other, same = start(1_000_000), start(2_000_000)
    assert_resumed(bucket, same, 4, custom_upload_timestamp=2_000_000)
    assert_not_resumed(bucket, other, custom_upload_timestamp=3_000_000)


def test_customers_key_is_not_resumed_and_costs_no_listing(bucket: Bucket) -> None:
    file_id = bucket.api.session.start_large_file(
        bucket.id_, 'name', 'b2/x-auto', INFO, server_side_encryption=SSE_C
    )['fileId']
    versions = []
    calls = calls_of(
        bucket,
        lambda: versions.append(
            bucket.upload_bytes(DATA, 'name', file_info={'a': 'b'}, encryption=SSE_C)
        ),
    )
    assert versions[0].id_ != file_id
    assert 'b2_list_unfinished_large_files' not in calls


def with_key(account: Account, capabilities: list[str], **restrictions: Any) -> Bucket:
    """The bucket, for who has another key."""
    key = account.api.create_key(capabilities, 'a-key', **restrictions)
    api = account.new_api()
    api.authorize_account(key.id_, key.application_key, account.realm)
    return api.get_bucket_by_name('a-bucket')


def test_key_that_may_not_list_files(account: Account, bucket: Bucket) -> None:
    file_id = begin(bucket, [1, 2])
    writer = with_key(account, ['listBuckets', 'writeFiles', 'readFiles'])
    versions = []
    calls = calls_of(
        writer,
        lambda: versions.append(writer.upload_bytes(DATA, 'name', file_info={'a': 'b'})),
    )
    assert versions[0].id_ != file_id
    assert 'b2_list_unfinished_large_files' not in calls
    assert content_of(bucket, 'name') == DATA


@over_http
def test_key_for_some_names(account: Account, bucket: Bucket) -> None:
    file_id = begin(bucket, [1, 2], 'dir/name')
    key = with_key(
        account,
        ['listBuckets', 'listFiles', 'writeFiles', 'readFiles', 'writeFileLegalHolds'],
        bucket_ids=[bucket.id_],
        name_prefix='dir/',
    )
    assert_resumed(key, file_id, 3, 'dir/name')
    # Whether the file is locked otherwise is not for this key to know.
    file_id = begin(bucket, [1, 2], 'dir/name')
    with pytest.raises(BadRequest, match='not file lock enabled'):
        key.upload_bytes(DATA, 'dir/name', file_info={'a': 'b'}, legal_hold=LegalHold.OFF)
    assert unfinished(bucket) == [file_id]


@over_http
@pytest.mark.parametrize(
    ('call', 'status'),
    [
        ('b2_list_unfinished_large_files', 400),
        ('b2_list_unfinished_large_files', 401),
        ('b2_list_unfinished_large_files', 403),
        ('b2_list_parts', 400),
        ('b2_list_file_versions', 400),
    ],
)
def test_refused_listing_is_done_without(
    account: Account, bucket: Bucket, call: str, status: int
) -> None:
    assert account.server is not None
    code = 'unauthorized' if status == 401 else None
    account.server.inject(Fault(call=call, status=status, code=code, count=10))
    file_id = begin(bucket, [1, 2])
    version = bucket.upload_bytes(DATA, 'name', file_info={'a': 'b'})
    assert version.id_ != file_id
    assert content_of(bucket, 'name') == DATA


@over_http
def test_busy_listing_is_repeated(account: Account, bucket: Bucket) -> None:
    assert account.server is not None
    file_id = begin(bucket, [1, 2])
    account.server.inject(Fault(call='b2_list_*', status=503, count=3))
    version = bucket.upload_bytes(DATA, 'name', file_info={'a': 'b'})
    assert version.id_ == file_id


def test_source_that_changes_is_not_mixed_with_what_is_there(
    bucket: Bucket, make_file: MakeFile
) -> None:
    """The SHA-1 is given, so that the parts are hashed when some are found."""
    file_id = begin(bucket, [1, 2])
    path = make_file(DATA)
    list_parts = bucket.api.session.list_parts

    def list_and_change(*args: Any) -> Any:
        path.write_bytes(DATA + b'x')
        return list_parts(*args)

    bucket.api.session.list_parts = list_and_change  # type: ignore[method-assign]
    with pytest.raises(SourceChanged):
        bucket.upload_local_file(
            path, 'name', sha1_sum=INFO['large_file_sha1'], file_info={'a': 'b'}
        )
    assert unfinished(bucket) == [file_id]
