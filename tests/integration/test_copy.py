"""Copies within the service."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest

from b2fast import (
    SSE_B2_AES,
    Bucket,
    CopySource,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    FileVersion,
    LargeFileUploadState,
    LegalHold,
    Part,
    ProgressListenerForTest,
)
from b2fast.exception import (
    AlreadyFailed,
    BadRequest,
    CopyArgumentsMismatch,
    CopySourceTooBig,
    FileNotPresent,
    InvalidArgument,
    SSECKeyError,
    SSECKeyIdMismatchInCopy,
    UnsatisfiableRange,
    UnusableFileName,
)

from ..conftest import PART_SIZE, Account, new_raw_account
from ..helpers import sha1_of

DATA = b'hello world'
INFO = {'color': 'blue'}


@pytest.fixture
def source(bucket: Bucket) -> FileVersion:
    return bucket.upload_bytes(DATA, 'source', 'text/plain', INFO)


def content_of(
    bucket: Bucket, version: FileVersion, encryption: EncryptionSetting | None = None
) -> bytes:
    file = io.BytesIO()
    bucket.download_file_by_id(version.id_, encryption=encryption).save(file)
    return file.getvalue()


def customer_key(letter: bytes, key_id: str | None) -> EncryptionSetting:
    return EncryptionSetting(
        EncryptionMode.SSE_C,
        EncryptionAlgorithm.AES256,
        EncryptionKey(secret=letter * 32, key_id=key_id),
    )


def test_whole_file(bucket: Bucket, source: FileVersion) -> None:
    copy = bucket.copy(source.id_, 'copy')
    assert (copy.file_name, copy.action, copy.size) == ('copy', 'copy', len(DATA))
    assert (copy.content_type, copy.file_info) == ('text/plain', INFO)
    assert copy.content_sha1 == sha1_of(DATA)
    assert content_of(bucket, copy) == DATA
    assert bucket.get_file_info_by_id(copy.id_).action == 'upload'


def test_into_another_bucket(account: Account, bucket: Bucket, source: FileVersion) -> None:
    other = account.api.create_bucket('other-bucket', 'allPrivate')
    copy = other.copy(source.id_, 'copy')
    assert copy.bucket_id == other.id_
    assert [version.file_name for version, _ in other.ls()] == ['copy']
    assert [version.file_name for version, _ in bucket.ls()] == ['source']


@pytest.mark.parametrize(('offset', 'length'), [(0, 1), (2, 3), (0, len(DATA)), (10, 1)])
def test_stretch(bucket: Bucket, source: FileVersion, offset: int, length: int) -> None:
    listener = ProgressListenerForTest()
    copy = bucket.copy(source.id_, 'copy', offset=offset, length=length, progress_listener=listener)
    assert content_of(bucket, copy) == DATA[offset : offset + length]
    assert copy.file_info == INFO
    assert listener.get_calls() == [f'set_total_bytes({length})', f'bytes_completed({length})']


@pytest.mark.parametrize('length', [None, 5])
def test_new_metadata(bucket: Bucket, source: FileVersion, length: int | None) -> None:
    copy = bucket.copy(
        source.id_,
        'copy',
        content_type='text/html',
        file_info={'new': 'info'},
        length=length,
        cache_control='max-age=1',
        expires='Thu, 01 Dec 2050 16:00:00 GMT',
        content_disposition='attachment',
        content_encoding='gzip',
        content_language='de',
    )
    assert copy.content_type == 'text/html'
    assert copy.file_info == {
        'new': 'info',
        'b2-cache-control': 'max-age=1',
        'b2-expires': 'Thu, 01 Dec 2050 16:00:00 GMT',
        'b2-content-disposition': 'attachment',
        'b2-content-encoding': 'gzip',
        'b2-content-language': 'de',
    }


@pytest.mark.parametrize('length', [None, 5])
def test_no_file_info(bucket: Bucket, source: FileVersion, length: int | None) -> None:
    copy = bucket.copy(source.id_, 'copy', 'text/html', {}, length=length)
    assert (copy.content_type, copy.file_info) == ('text/html', {})


@pytest.mark.parametrize(
    'arguments',
    [
        {'file_info': {'a': 'b'}},
        {'file_info': {'a': 'b'}, 'length': 5},
        {'cache_control': 'max-age=1', 'length': 5},
        {'cache_control': 'max-age=1'},
        {'content_type': 'text/html'},
    ],
)
def test_metadata_that_would_be_lost(
    bucket: Bucket, source: FileVersion, arguments: dict[str, Any]
) -> None:
    with pytest.raises(CopyArgumentsMismatch):
        bucket.copy(source.id_, 'copy', **arguments)


def test_customer_keys(bucket: Bucket, source: FileVersion) -> None:
    one, other, nameless = (
        customer_key(b'1', 'one'),
        customer_key(b'2', 'other'),
        customer_key(b'3', None),
    )
    version = bucket.upload_bytes(DATA, 'secret', 'text/plain', INFO, encryption=one)
    key_info = {**INFO, 'sse_c_key_id': 'one'}
    assert version.file_info == key_info
    same = bucket.copy(version.id_, 'c', source_encryption=one, destination_encryption=one)
    assert (same.file_info, content_of(bucket, same, one)) == (key_info, DATA)
    for target in (other, nameless, SSE_B2_AES, None):
        with pytest.raises(SSECKeyIdMismatchInCopy, match='sse_c_key_ids'):
            bucket.copy(version.id_, 'c', source_encryption=one, destination_encryption=target)
    # B2 answers that a key is missing as any bad request.
    with pytest.raises((SSECKeyError, BadRequest)):
        bucket.copy(version.id_, 'c')
    with pytest.raises(SSECKeyError):
        bucket.copy(version.id_, 'c', source_encryption=customer_key(b'x', None))
    known: dict[str, Any] = {
        'source_encryption': one,
        'source_file_info': key_info,
        'source_content_type': 'text/plain',
    }
    copy = bucket.copy(version.id_, 'c', destination_encryption=other, **known)
    assert copy.file_info == {**INFO, 'sse_c_key_id': 'other'}
    assert content_of(bucket, copy, other) == DATA
    copy = bucket.copy(version.id_, 'c', destination_encryption=nameless, **known)
    assert (copy.file_info, content_of(bucket, copy, nameless)) == (INFO, DATA)
    copy = bucket.copy(version.id_, 'c', **known)
    assert (copy.file_info, content_of(bucket, copy)) == (INFO, DATA)
    copy = bucket.copy(
        version.id_, 'c', 'a/b', {}, source_encryption=one, destination_encryption=other
    )
    assert copy.file_info == {'sse_c_key_id': 'other'}
    copy = bucket.copy(source.id_, 'c', 'a/b', {'k': 'v'}, destination_encryption=other)
    assert copy.file_info == {'k': 'v', 'sse_c_key_id': 'other'}


def test_locks(account: Account) -> None:
    bucket = account.api.create_bucket('locked', 'allPrivate', is_file_lock_enabled=True)
    source = bucket.upload_bytes(DATA, 'source')
    copy = bucket.copy(source.id_, 'copy', legal_hold=LegalHold.ON)
    assert copy.legal_hold is LegalHold.ON


def test_impossible_arguments(bucket: Bucket, source: FileVersion) -> None:
    with pytest.raises(ValueError, match='non zero offset'):
        bucket.copy(source.id_, 'copy', offset=1)
    with pytest.raises(InvalidArgument, match='negative'):
        bucket.copy(source.id_, 'copy', length=-1)
    with pytest.raises(UnusableFileName):
        bucket.copy(source.id_, '/copy')
    with pytest.raises(UnsatisfiableRange):
        bucket.copy(source.id_, 'copy', offset=5, length=100)
    assert len(list(bucket.ls())) == 1


def test_missing_source(bucket: Bucket, source: FileVersion) -> None:
    source.delete()
    with pytest.raises(FileNotPresent):
        bucket.copy(source.id_, 'copy')


BIG = bytes(number * 7 % 251 for number in range(3 * PART_SIZE + 50))


@pytest.fixture
def big(bucket: Bucket) -> FileVersion:
    """A file that is larger than the largest part of the tests, which is a large file itself."""
    return bucket.upload_bytes(BIG, 'big', 'text/plain', INFO)


@pytest.mark.parametrize('start', [0, 7])
def test_in_parts(bucket: Bucket, big: FileVersion, start: int) -> None:
    listener = ProgressListenerForTest()
    copy = bucket.copy(
        big.id_,
        'copy',
        offset=start,
        length=len(BIG) - start,
        max_part_size=PART_SIZE * 3 // 2,
        progress_listener=listener,
    )
    assert content_of(bucket, copy) == BIG[start:]
    assert copy.content_type == 'text/plain'
    # The SHA-1 of the whole goes with the whole only.
    assert copy.file_info == (big.file_info if start == 0 else INFO)
    assert (copy.content_sha1, copy.action) == ('none', 'upload')
    calls = listener.get_calls()
    assert calls[0] == f'set_total_bytes({len(BIG) - start})'
    assert calls[-1] == f'bytes_completed({len(BIG) - start})'
    assert len(calls) == 4


def test_in_parts_with_new_metadata(bucket: Bucket, big: FileVersion) -> None:
    limits = {'length': len(BIG), 'max_part_size': PART_SIZE * 2}
    copy = bucket.copy(big.id_, 'copy', 'a/b', {'k': 'v'}, cache_control='max-age=1', **limits)  # type: ignore[arg-type]
    assert copy.content_type == 'a/b'
    assert copy.file_info == {'k': 'v', 'b2-cache-control': 'max-age=1'}
    with pytest.raises(CopyArgumentsMismatch):
        bucket.copy(big.id_, 'copy', file_info={'k': 'v'}, **limits)  # type: ignore[arg-type]
    copy = bucket.copy(
        big.id_,
        'copy',
        source_content_type='c/d',
        source_file_info={'sse_c_key_id': 'old', 'known': 'info', 'large_file_sha1': 'a' * 40},
        **limits,  # type: ignore[arg-type]
    )
    assert (copy.content_type, copy.file_info) == ('c/d', {'known': 'info'})
    assert list(bucket.list_unfinished_large_files()) == []


def test_in_parts_with_customer_keys(bucket: Bucket) -> None:
    one, other = customer_key(b'1', 'one'), customer_key(b'2', 'other')
    version = bucket.upload_bytes(BIG, 'secret', encryption=one)
    limits = {'length': len(BIG), 'max_part_size': PART_SIZE * 2}
    for target in (other, SSE_B2_AES, None):
        copy = bucket.copy(
            version.id_,
            'copy',
            source_encryption=one,
            destination_encryption=target,
            **limits,  # type: ignore[arg-type]
        )
        assert content_of(bucket, copy, target if target is other else None) == BIG
        assert copy.file_info.get('sse_c_key_id') == ('other' if target is other else None)
    with pytest.raises(SSECKeyError):
        bucket.copy(version.id_, 'copy', source_encryption=other, **limits)  # type: ignore[arg-type]


def test_what_one_call_refuses_is_copied_in_parts() -> None:
    bucket = new_raw_account().api.create_bucket('a-bucket', 'allPrivate')
    big = bucket.upload_bytes(BIG, 'big', 'text/plain', INFO)
    # This simulator copies 200 bytes in one call.
    copy = bucket.copy(big.id_, 'copy', max_part_size=200)
    assert (content_of(bucket, copy), copy.file_info) == (BIG, big.file_info)
    with pytest.raises(CopySourceTooBig):
        bucket.copy(big.id_, 'copy')


@pytest.mark.parametrize('size', [PART_SIZE - 1, 1])
def test_parts_that_b2_would_refuse(bucket: Bucket, big: FileVersion, size: int) -> None:
    with pytest.raises(InvalidArgument, match='max_part_size'):
        bucket.copy(big.id_, 'copy', length=len(BIG), max_part_size=size)
    assert list(bucket.list_unfinished_large_files()) == []


def test_number_of_workers(account: Account) -> None:
    manager = account.new_api(max_copy_workers=2).services.copy_manager
    assert manager.get_thread_pool_size() == 2
    assert account.api.services.copy_manager.get_thread_pool_size() == 10
    with pytest.raises(InvalidArgument):
        account.new_api(max_copy_workers=0)


def test_as_many_at_a_time_as_workers(
    account: Account, bucket: Bucket, source: FileVersion
) -> None:
    api = account.new_api(max_copy_workers=2)
    api.authorize_account(account.key_id, account.key, account.realm)
    manager = api.services.copy_manager
    both_run = threading.Barrier(2, timeout=60)
    running, most = 0, 0
    lock = threading.Lock()

    class Listener(ProgressListenerForTest):
        def set_total_bytes(self, total_byte_count: int) -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            both_run.wait()

        def bytes_completed(self, byte_count: int) -> None:
            nonlocal running
            with lock:
                running -= 1

    futures = [
        manager.copy_file(CopySource(source.id_), str(n), None, None, bucket.id_, Listener())
        for n in range(6)
    ]
    assert sorted(future.result().file_name for future in futures) == sorted('012345')
    assert most == 2


def test_parts(account: Account, bucket: Bucket) -> None:
    source = bucket.upload_bytes(bytes(PART_SIZE) + b'end', 'source')
    session, manager = account.api.session, account.api.services.copy_manager
    listener = ProgressListenerForTest()
    state = LargeFileUploadState(listener)
    file_id = session.start_large_file(bucket.id_, 'large', 'text/plain', {})['fileId']
    first = manager.copy_part(
        file_id,
        CopySource(source.id_, 0, PART_SIZE),
        1,
        state,
        destination_encryption=SSE_B2_AES,
    ).result()
    last = manager.copy_part(file_id, CopySource(source.id_, PART_SIZE, 3), 2, state).result()
    finished = {2: Part(file_id, 2, 3, last['contentSha1'])}
    again = manager.copy_part(file_id, CopySource('none'), 2, state, finished).result()
    assert again == {'contentSha1': sha1_of(b'end')}
    assert listener.get_calls() == [
        f'bytes_completed({PART_SIZE})',
        f'bytes_completed({PART_SIZE + 3})',
        f'bytes_completed({PART_SIZE + 6})',
    ]
    session.finish_large_file(file_id, [first['contentSha1'], last['contentSha1']])
    file = io.BytesIO()
    bucket.download_file_by_name('large').save(file)
    assert file.getvalue() == bytes(PART_SIZE) + b'end'
    state.set_error('it failed')
    with pytest.raises(AlreadyFailed, match='it failed'):
        manager.copy_part(file_id, CopySource(source.id_), 3, state).result()
