"""Uploads that go on with an unfinished large file."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from b2fast import (
    SSE_B2_AES,
    B2Api,
    Bucket,
    DoNothingProgressListener,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    FileRetentionSetting,
    LegalHold,
    ProgressListenerForTest,
    RetentionMode,
    UploadSourceBytes,
    UploadSourceLocalFile,
)
from b2fast.exception import B2Error, BadRequest, CannotResumeUpload, ServiceError, SourceChanged
from b2fast.large_file import in_use
from b2fast.simulator import Fault
from b2fast.transfer.outbound.file_upload import FileUpload

from ..conftest import PART_SIZE, Account
from ..helpers import sha1_of
from .wire import DEADLINE

PARTS = 5
DAY = 24 * 60 * 60 * 1000
LENGTH = PARTS * PART_SIZE - 7
DATA = os.urandom(LENGTH)
INFO = {'a': 'b', 'large_file_sha1': sha1_of(DATA)}
SSE_C = EncryptionSetting(
    EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(b'k' * 32, 'id')
)

MakeFile = Callable[..., Path]
over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)


def part_of(data: bytes, number: int, size: int = PART_SIZE) -> bytes:
    return data[(number - 1) * size : number * size]


def send_part(bucket: Bucket, file_id: str, number: int, data: bytes, sha1: str = '') -> None:
    bucket.api.session.upload_part(
        file_id, number, len(data), sha1 or sha1_of(data), io.BytesIO(data)
    )


def begin(
    bucket: Bucket,
    numbers: Sequence[int],
    name: str = 'name',
    *,
    data: bytes = DATA,
    info: dict[str, str] = INFO,
    content_type: str | None = None,
    size: int = PART_SIZE,
    **settings: Any,
) -> str:
    """Start a large file, send some of its parts and return its ID."""
    started = bucket.api.services.large_file.start_large_file(
        bucket.id_, name, content_type, info, **settings
    )
    for number in numbers:
        send_part(bucket, started.file_id, number, part_of(data, number, size))
    return started.file_id


def calls_of(bucket: Bucket, action: Callable[[], object]) -> dict[str, int]:
    """How often each call was made by the action."""
    before = bucket.api.stats()
    action()
    return {name: n for name, n in (bucket.api.stats() - before).calls.items() if n}


def content_of(bucket: Bucket, name: str) -> bytes:
    file = io.BytesIO()
    bucket.download_file_by_name(name).save(file)
    return file.getvalue()


def unfinished(bucket: Bucket) -> list[str]:
    return [file.file_id for file in bucket.list_unfinished_large_files()]


def assert_resumed(
    bucket: Bucket, file_id: str, missing: int, name: str = 'name', **parameters: Any
) -> None:
    """An upload finishes that file and sends no more than what is missing."""
    parameters = {'file_info': {'a': 'b'}} | parameters
    versions = []
    calls = calls_of(bucket, lambda: versions.append(bucket.upload_bytes(DATA, name, **parameters)))
    assert versions[0].id_ == file_id
    assert calls.get('b2_upload_part', 0) == missing
    assert calls['b2_list_unfinished_large_files'] == 1
    assert 'b2_start_large_file' not in calls
    assert content_of(bucket, name) == DATA


def assert_not_resumed(bucket: Bucket, file_id: str, **parameters: Any) -> None:
    """An upload leaves that file alone."""
    parameters = {'file_info': {'a': 'b'}} | parameters
    parts = [(part.part_number, part.content_sha1) for part in bucket.list_parts(file_id)]
    version = bucket.upload_bytes(DATA, 'name', **parameters)
    assert version.id_ != file_id
    assert file_id in unfinished(bucket)
    assert parts == [(part.part_number, part.content_sha1) for part in bucket.list_parts(file_id)]


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


def assert_good_progress(listener: ProgressListenerForTest, there: int) -> None:
    """What is there counts at once, what is sent as it goes."""
    calls = listener.get_calls()
    assert calls[0] == f'set_total_bytes({LENGTH})'
    assert calls[-1] == f'bytes_completed({LENGTH})'
    numbers = [int(call[len('bytes_completed(') : -1]) for call in calls[1:]]
    assert numbers == sorted(set(numbers))
    assert not there or numbers[0] == there


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


class Paused:
    """Makes a session wait at a call, until it may go on."""

    def __init__(self, session: Any, call: str) -> None:
        self._call = getattr(session, call)
        self.reached = threading.Event()
        self.go_on = threading.Event()
        setattr(session, call, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.reached.set()
        assert self.go_on.wait(DEADLINE)
        return self._call(*args, **kwargs)


def in_background(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    results: list[object] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def another_client(account: Account) -> Bucket:
    api = account.new_api()
    api.authorize_account(account.key_id, account.key, account.realm)
    return api.get_bucket_by_name('a-bucket')


def test_file_that_another_upload_of_the_process_sends_is_not_taken(
    account: Account, bucket: Bucket
) -> None:
    first = another_client(account)
    pause = Paused(first.api.session, 'finish_large_file')
    thread, results = in_background(lambda: first.upload_bytes(DATA, 'name'))
    assert pause.reached.wait(DEADLINE)
    (file_id,) = unfinished(bucket)
    second = bucket.upload_bytes(DATA, 'name')
    with pytest.raises(CannotResumeUpload, match='another upload of this process'):
        bucket.resume_upload(file_id, UploadSourceBytes(DATA), 'name')
    pause.go_on.set()
    thread.join()
    assert [version.id_ for version in results] == [file_id]  # type: ignore[attr-defined]
    assert second.id_ != file_id
    # What was in use is free again.
    file_id = begin(bucket, [1], 'other')
    assert_resumed(bucket, file_id, 4, 'other')


def test_file_that_another_upload_claims_first(account: Account, bucket: Bucket) -> None:
    """It was found between its start and the claim."""
    session = account.api.session
    start = session.start_large_file
    account_id = account.api.account_info.get_account_id()
    started = []

    def start_and_lose(*args: Any, **kwargs: Any) -> Any:
        answer = start(*args, **kwargs)
        if not started:
            assert in_use.claim(account_id, answer['fileId'])
        started.append(answer['fileId'])
        return answer

    session.start_large_file = start_and_lose  # type: ignore[method-assign]
    version = bucket.upload_bytes(DATA, 'name')
    assert [version.id_] == started[1:]
    in_use.release(account_id, started[0])
    assert unfinished(bucket) == started[:1]


@over_http
def test_search_that_fails_claims_nothing(account: Account, bucket: Bucket) -> None:
    assert account.server is not None
    best = begin(bucket, [1, 2])
    begin(bucket, [1])
    account.server.inject(Fault(call='b2_list_parts', status=503, skip=1, count=1000))
    with pytest.raises(ServiceError):
        bucket.upload_bytes(DATA, 'name', file_info={'a': 'b'})
    account.server.clear_faults()
    assert_resumed(bucket, best, 3)


@pytest.fixture
def unclaimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads know nothing of each other, as if each were in a process of its own."""
    monkeypatch.setattr('b2fast.large_file.in_use.claim', lambda *_: True)
    monkeypatch.setattr('b2fast.large_file.in_use.release', lambda *_: None)


@pytest.mark.usefixtures('unclaimed')
@pytest.mark.parametrize('call', ['get_upload_part_url', 'finish_large_file'])
def test_other_process_finishes_the_file_first(account: Account, bucket: Bucket, call: str) -> None:
    slow = another_client(account)
    pause = Paused(slow.api.session, call)
    thread, results = in_background(lambda: slow.upload_bytes(DATA, 'name'))
    assert pause.reached.wait(DEADLINE)
    version = bucket.upload_bytes(DATA, 'name')
    pause.go_on.set()
    thread.join()
    assert [version.id_ for version in results] == [version.id_]  # type: ignore[attr-defined]
    assert content_of(bucket, 'name') == DATA
    assert len(list(bucket.list_file_versions('name'))) == 1


@pytest.mark.parametrize('there', [[1, 2], range(1, PARTS + 1)], ids=['some', 'all'])
def test_other_process_cancels_the_file(
    account: Account, bucket: Bucket, there: Sequence[int]
) -> None:
    file_id = begin(bucket, there)
    session = account.api.session
    list_parts = session.list_parts

    def list_and_cancel(*args: Any) -> Any:
        answer = list_parts(*args)
        bucket.cancel_large_file(file_id)
        return answer

    session.list_parts = list_and_cancel  # type: ignore[method-assign]
    version = bucket.upload_bytes(DATA, 'name', file_info={'a': 'b'})
    assert version.id_ != file_id
    assert content_of(bucket, 'name') == DATA
    assert unfinished(bucket) == []


@pytest.mark.usefixtures('unclaimed')
def test_other_process_replaces_a_part(account: Account, bucket: Bucket) -> None:
    """The finish is refused, since the SHA-1 of that part is another one."""
    file_id = begin(bucket, [1, 2], info={'a': 'b'})
    session = account.api.session
    finish = session.finish_large_file

    def replace_and_finish(finished_id: str, sha1s: list[str]) -> Any:
        if finished_id == file_id:
            send_part(bucket, file_id, 1, bytes(PART_SIZE))
        return finish(finished_id, sha1s)

    session.finish_large_file = replace_and_finish  # type: ignore[method-assign]
    version = bucket.upload_bytes(DATA, 'name', file_info={'a': 'b'})
    assert version.id_ != file_id
    assert content_of(bucket, 'name') == DATA


def test_file_is_resumed_as_it_was_started(bucket: Bucket) -> None:
    """Parts, type and info are of another program; the user has to know the name alone."""
    size = PART_SIZE + 30
    file_id = begin(bucket, [1, 3], info={'by': 'another'}, content_type='text/plain', size=size)
    listener = ProgressListenerForTest()
    versions = []
    calls = calls_of(
        bucket,
        lambda: versions.append(
            bucket.resume_upload(
                file_id, UploadSourceBytes(DATA), 'name', progress_listener=listener
            )
        ),
    )
    assert versions[0].id_ == file_id
    assert versions[0].content_type == 'text/plain'
    assert versions[0].file_info == {'by': 'another'}
    assert calls['b2_upload_part'] == -(-LENGTH // size) - 2
    assert content_of(bucket, 'name') == DATA
    assert_good_progress(listener, there=2 * size)


def test_local_file_is_resumed_with_wrong_parts(bucket: Bucket, make_file: MakeFile) -> None:
    file_id = begin(bucket, [1, 2, 4], data=DATA[:PART_SIZE] + bytes(LENGTH), info={})
    source = UploadSourceLocalFile(make_file(DATA))
    calls = calls_of(bucket, lambda: bucket.resume_upload(file_id, source, 'name'))
    assert calls['b2_upload_part'] == PARTS - 1
    assert content_of(bucket, 'name') == DATA


def refused(bucket: Bucket, file_id: str, data: bytes = DATA, name: str = 'name') -> str:
    with pytest.raises(CannotResumeUpload) as caught:
        bucket.resume_upload(file_id, UploadSourceBytes(data), name)
    assert caught.value.file_id == file_id
    assert file_id in str(caught.value)
    return caught.value.reason


def test_why_a_file_cannot_be_resumed(bucket: Bucket) -> None:
    file_id = begin(bucket, [1, 2])
    assert refused(bucket, file_id, name='nam') == "its name is 'name'"
    assert refused(bucket, file_id, name='other') == "its name is 'name'"
    assert refused(bucket, file_id, DATA[:-1]) == 'its SHA-1 is that of other content'
    assert refused(bucket, file_id, b'') == 'the content is a single part'
    assert refused(bucket, file_id, b'x') == 'the content is a single part'
    unknown = 'the bucket has no such unfinished file of that name'
    assert refused(bucket, '4_z0123') == unknown
    assert refused(bucket, '1') == unknown
    with_more = begin(bucket, [1, 6], data=DATA + bytes(PART_SIZE), info={})
    assert refused(bucket, with_more) == 'it has a part 6, the content has 5'
    encrypted = begin(bucket, [], encryption=SSE_C)
    assert 'customer' in refused(bucket, encrypted)
    assert len(unfinished(bucket)) == 3
    bucket.resume_upload(file_id, UploadSourceBytes(DATA), 'name')
    assert refused(bucket, file_id) == 'it is finished already'
    bucket.cancel_large_file(with_more)
    assert refused(bucket, with_more) == unknown


def test_upload_manager_says_what_differs(account: Account, bucket: Bucket) -> None:
    file_id = begin(bucket, [1, 2], content_type='text/plain')
    manager = account.api.services.upload_manager
    for content_type, info, reason in [
        ('text/html', {'a': 'b'}, 'its content type is text/plain'),
        ('text/plain', {}, 'it has other file info'),
    ]:
        with pytest.raises(CannotResumeUpload, match=reason):
            manager.upload(
                FileUpload(bucket.id_, 'name', content_type, info),
                UploadSourceBytes(DATA),
                DoNothingProgressListener(),
                resume_file_id=file_id,
            )
    version = manager.upload(
        FileUpload(bucket.id_, 'name', 'text/plain', {'a': 'b'}),
        UploadSourceBytes(DATA),
        DoNothingProgressListener(),
        resume_file_id=file_id,
    )
    assert version.id_ == file_id
