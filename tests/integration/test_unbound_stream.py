"""Uploads of streams of unknown length."""

from __future__ import annotations

import io
import os
import random
import threading
import tracemalloc
from typing import Any

import pytest

from b2fast import (
    SSE_B2_AES,
    Bucket,
    EncryptionMode,
    EncryptionSetting,
    FileVersion,
    LegalHold,
    ProgressListenerForTest,
)
from b2fast._core.planning import MAX_PARTS
from b2fast.exception import (
    InvalidArgument,
    InvalidUserInput,
    MaxRetriesExceeded,
    UnboundStreamBufferTimeout,
    UnusableFileName,
    WrongEncryptionSettingForFileWrite,
)
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, Account
from ..helpers import sha1_of
from .test_emerge import CONTENT, Pipe, content_of

over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)


@pytest.mark.parametrize('read_size', [1, 7, PART_SIZE, 3 * PART_SIZE + 1, 8192])
@pytest.mark.parametrize(
    'length', [0, 1, PART_SIZE - 1, PART_SIZE, PART_SIZE + 1, 2 * PART_SIZE, 1003]
)
def test_any_length(bucket: Bucket, length: int, read_size: int) -> None:
    content = CONTENT[:length]
    listener = ProgressListenerForTest()
    version = bucket.upload_unbound_stream(
        io.BytesIO(content), 'file', read_size=read_size, progress_listener=listener
    )
    assert version.size == length
    assert content_of(bucket, version) == content
    # One part is no large file.
    assert version.content_sha1 == (sha1_of(content) if length <= PART_SIZE else 'none')
    assert version.file_info == {}
    assert listener.get_calls()[-1] == f'bytes_completed({length})'


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
def test_longer_than_ten_thousand_parts_of_the_first_size(bucket: Bucket) -> None:
    content = random.Random(1).randbytes(MAX_PARTS * PART_SIZE + 1)
    version = bucket.upload_unbound_stream(io.BytesIO(content), 'file')
    assert content_of(bucket, version) == content


def test_pipe(bucket: Bucket) -> None:
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, 'wb') as pipe:
            pipe.write(CONTENT)

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, 'rb', buffering=0) as pipe:
        version = bucket.upload_unbound_stream(pipe, 'file', buffers_count=4)
        assert not pipe.closed
    thread.join()
    assert content_of(bucket, version) == CONTENT


def test_settings(account: Account) -> None:
    bucket = account.api.create_bucket('locked', 'allPrivate', is_file_lock_enabled=True)
    version = bucket.upload_unbound_stream(
        Pipe(CONTENT),
        'file',
        'text/css',
        {'k': 'v'},
        encryption=SSE_B2_AES,
        legal_hold=LegalHold.ON,
        large_file_sha1=sha1_of(CONTENT),
        buffer_size=300,
        cache_control='max-age=1',
    ).get_fresh_state()
    assert version.content_type == 'text/css'
    assert version.file_info == {
        'k': 'v',
        'b2-cache-control': 'max-age=1',
        'large_file_sha1': sha1_of(CONTENT),
    }
    assert version.legal_hold is LegalHold.ON
    assert version.server_side_encryption == SSE_B2_AES
    assert content_of(bucket, version) == CONTENT


def test_impossible_arguments(bucket: Bucket) -> None:
    def upload(name: str = 'file', **settings: Any) -> FileVersion:
        return bucket.upload_unbound_stream(io.BytesIO(CONTENT), name, **settings)

    with pytest.raises(ValueError, match='buffers_count'):
        upload(buffers_count=1)
    with pytest.raises(ValueError, match='read_size'):
        upload(read_size=0)
    with pytest.raises(ValueError, match='unused_buffer_timeout_seconds'):
        upload(unused_buffer_timeout_seconds=0.0)
    with pytest.raises(InvalidArgument, match='buffer_size'):
        upload(buffer_size=PART_SIZE - 1)
    with pytest.raises(InvalidArgument, match='buffer_size'):
        upload(buffer_size=-1)
    with pytest.raises(InvalidUserInput, match='min_part_size'):
        upload(min_part_size=500, recommended_upload_part_size=400)
    with pytest.raises(UnusableFileName):
        upload('/file')
    with pytest.raises(WrongEncryptionSettingForFileWrite):
        upload(encryption=EncryptionSetting(EncryptionMode.UNKNOWN))
    with pytest.raises(TypeError):
        bucket.upload_unbound_stream(io.StringIO('text'), 'file')
    assert list(bucket.ls()) == []
    assert list(bucket.list_unfinished_large_files()) == []


class Breaking(Pipe):
    """Raises an error after its content, or has nothing for now."""

    def __init__(self, content: bytes, error: Exception | None) -> None:
        super().__init__(content)
        self._error = error

    def readinto(self, buffer: Any) -> int:
        length = super().readinto(buffer)
        if length:
            return length
        if self._error is not None:
            raise self._error
        return None  # type: ignore[return-value]


@pytest.mark.parametrize('length', [10, 1000])
def test_stream_that_breaks(bucket: Bucket, length: int) -> None:
    with pytest.raises(ConnectionResetError):
        bucket.upload_unbound_stream(Breaking(bytes(length), ConnectionResetError()), 'file')
    with pytest.raises(BlockingIOError):
        bucket.upload_unbound_stream(Breaking(bytes(length), None), 'file')
    assert list(bucket.ls()) == []
    # What was started can be continued or cancelled.
    assert len(list(bucket.list_unfinished_large_files())) == (2 if length == 1000 else 0)


@over_http
@pytest.mark.parametrize(
    'fault',
    [{'status': 503}, {'reset_upload_after': 50}, {'cut_after': 5}],
    ids=str,
)
def test_parts_are_sent_again(account: Account, bucket: Bucket, fault: dict[str, Any]) -> None:
    assert account.server is not None
    account.server.inject(Fault(call='b2_upload_part', count=2, **fault))
    version = bucket.upload_unbound_stream(Pipe(CONTENT), 'file', buffers_count=3)
    assert content_of(bucket, version) == CONTENT


@over_http
def test_service_that_stays_busy(account: Account, bucket: Bucket) -> None:
    assert account.server is not None
    account.server.inject(Fault(call='b2_upload_part', status=503, count=10_000))
    with pytest.raises(MaxRetriesExceeded) as caught:
        bucket.upload_unbound_stream(Pipe(CONTENT), 'file')
    (unfinished,) = bucket.list_unfinished_large_files()
    assert unfinished.file_id in caught.value.__notes__[0]


@pytest.mark.parametrize('account', ['http'], indirect=True)
def test_memory_is_bounded(bucket: Bucket) -> None:
    part_size, buffers = 200_000, 3

    class Zeros(io.RawIOBase):
        left = 40 * part_size

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            length = min(len(buffer), self.left)
            self.left -= length
            return length

    class Listener(ProgressListenerForTest):
        most = 0

        def bytes_completed(self, byte_count: int) -> None:
            self.most = max(self.most, tracemalloc.get_traced_memory()[0])

    listener = Listener()
    tracemalloc.start()
    try:
        bucket.upload_unbound_stream(
            Zeros(),
            'file',
            buffers_count=buffers,
            buffer_size=part_size,
            progress_listener=listener,
        )
    finally:
        tracemalloc.stop()
    assert listener.most < (buffers + 1.5) * part_size


def test_no_part_is_stored_in_time(bucket: Bucket) -> None:
    class Listener(ProgressListenerForTest):
        def bytes_completed(self, byte_count: int) -> None:
            threading.Event().wait(0.1)

    with pytest.raises(UnboundStreamBufferTimeout, match='1e-06 seconds'):
        bucket.upload_unbound_stream(
            Pipe(CONTENT),
            'file',
            progress_listener=Listener(),
            unused_buffer_timeout_seconds=1e-6,
        )
    assert list(bucket.ls()) == []
