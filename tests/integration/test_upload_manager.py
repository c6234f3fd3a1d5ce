"""Uploads of a file or a part in one request, which return a future."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    SSE_B2_AES,
    Bucket,
    LargeFileUploadState,
    Part,
    PartProgressReporter,
    ProgressListenerForTest,
    RawSimulator,
    UploadManager,
    UploadSourceBytes,
    UploadSourceLocalFile,
)
from b2fast.exception import (
    AlreadyFailed,
    MaxRetriesExceeded,
    ServiceError,
)
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, Account, new_raw_account
from ..helpers import sha1_of

DATA = os.urandom(PART_SIZE * 5)


@pytest.fixture
def manager(account: Account) -> UploadManager:
    return account.api.services.upload_manager


def content_of(bucket: Bucket, name: str) -> bytes:
    file = io.BytesIO()
    bucket.download_file_by_name(name).save(file)
    return file.getvalue()


@pytest.mark.parametrize('data', [b'', b'x', DATA], ids=len)
@pytest.mark.parametrize('sha1_is_known', [False, True])
def test_file(bucket: Bucket, manager: UploadManager, data: bytes, sha1_is_known: bool) -> None:
    listener = ProgressListenerForTest()
    version = manager.upload_file(
        bucket.id_,
        UploadSourceBytes(data, sha1_of(data) if sha1_is_known else None),
        'name',
        'text/plain',
        {'a': 'b'},
        listener,
        SSE_B2_AES,
    ).result()
    # One request, however large it is.
    assert version.content_sha1 == sha1_of(data)
    assert (version.content_type, version.file_info) == ('text/plain', {'a': 'b'})
    assert content_of(bucket, 'name') == data
    calls = listener.get_calls()
    assert calls[0] == f'set_total_bytes({len(data)})'
    assert calls[-1] == f'bytes_completed({len(data)})'


def test_local_file(bucket: Bucket, manager: UploadManager, tmp_path: Path) -> None:
    (tmp_path / 'source').write_bytes(DATA)
    source = UploadSourceLocalFile(tmp_path / 'source')
    future = manager.upload_file(
        bucket.id_,
        source,
        'name',
        'text/plain',
        {},
        ProgressListenerForTest(),
        custom_upload_timestamp=5,
    )
    assert future.result().upload_timestamp == 5
    assert content_of(bucket, 'name') == DATA


def test_parts(account: Account, bucket: Bucket, manager: UploadManager) -> None:
    session = account.api.session
    file_id = session.start_large_file(bucket.id_, 'large', 'text/plain', {})['fileId']
    listener = ProgressListenerForTest()
    state = LargeFileUploadState(listener)
    parts = [DATA[:PART_SIZE], b'end']
    futures = [
        manager.upload_part(
            bucket.id_, file_id, UploadSourceBytes(part), number, state, encryption=SSE_B2_AES
        )
        for number, part in enumerate(parts, 1)
    ]
    answers = [future.result() for future in futures]
    assert answers[1] == {
        'fileId': file_id,
        'partNumber': 2,
        'contentLength': 3,
        'contentSha1': sha1_of(b'end'),
    }
    assert state.bytes_completed == PART_SIZE + 3
    finished = {1: Part(file_id, 1, PART_SIZE, answers[0]['contentSha1'])}
    again = manager.upload_part(
        bucket.id_, file_id, UploadSourceBytes(parts[0]), 1, state, finished
    ).result()
    assert again == {'contentSha1': answers[0]['contentSha1']}
    assert state.bytes_completed == 2 * PART_SIZE + 3
    session.finish_large_file(file_id, [answer['contentSha1'] for answer in answers])
    assert content_of(bucket, 'large') == b''.join(parts)


def raw_bucket() -> tuple[RawSimulator, Bucket]:
    account = new_raw_account()
    simulator = account.api.raw_api
    assert isinstance(simulator, RawSimulator)
    return simulator, account.api.create_bucket('a-bucket', 'allPrivate')


class FewAttempts(UploadManager):
    MAX_UPLOAD_ATTEMPTS = 2


@pytest.mark.parametrize(('failures', 'succeeds'), [(1, True), (2, False)])
@pytest.mark.parametrize('as_part', [False, True])
def test_attempts(failures: int, succeeds: bool, as_part: bool) -> None:
    simulator, bucket = raw_bucket()
    manager = FewAttempts(bucket.api.services)
    state = LargeFileUploadState(ProgressListenerForTest())
    file_id = bucket.api.session.start_large_file(bucket.id_, 'large', 'text/plain', {})['fileId']
    simulator.set_upload_errors([ServiceError(str(number)) for number in range(failures)])

    def upload() -> Any:
        source = UploadSourceBytes(b'x')
        if as_part:
            return manager.upload_part(bucket.id_, file_id, source, 1, state).result()
        listener = ProgressListenerForTest()
        return manager.upload_file(bucket.id_, source, 'n', 'a/b', {}, listener).result()

    if succeeds:
        assert upload()
        assert not state.has_error()
        return
    with pytest.raises(MaxRetriesExceeded) as caught:
        upload()
    assert [str(error) for error in caught.value.exception_info_list] == ['0', '1']
    if as_part:
        assert state.get_error_message() == '1'
        with pytest.raises(AlreadyFailed, match='1'):
            upload()


@pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)
def test_attempts_over_http(account: Account, bucket: Bucket) -> None:
    assert account.server is not None
    manager = FewAttempts(account.api.services)

    def upload() -> Any:
        return manager.upload_file(
            bucket.id_, UploadSourceBytes(b'x'), 'n', 'a/b', {}, ProgressListenerForTest()
        ).result()

    account.server.inject(Fault(call='b2_upload_file', status=503))
    assert upload().size == 1
    account.server.inject(Fault(call='b2_upload_file', status=503, count=2))
    with pytest.raises(MaxRetriesExceeded) as caught:
        upload()
    assert caught.value.limit == 2


def test_progress_that_falls_back() -> None:
    listener = ProgressListenerForTest()
    state = LargeFileUploadState(listener)
    one, other = PartProgressReporter(state), PartProgressReporter(state)
    one.set_total_bytes(10)
    one.bytes_completed(4)
    other.bytes_completed(5)
    one.bytes_completed(0)
    one.bytes_completed(10)
    one.close()
    assert [call.rpartition('(')[2] for call in listener.get_calls()] == ['4)', '9)', '5)', '15)']
    with pytest.raises(AssertionError):
        state.get_error_message()
