"""Large files of several sources that are continued where they were left."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from b2fast import (
    SSE_B2_AES,
    Bucket,
    CopySource,
    FileVersion,
    ProgressListenerForTest,
    UploadSourceBytes,
    UploadSourceLocalFile,
    UploadSourceStream,
    WriteIntent,
)
from b2fast.exception import AccessDenied, FileNotPresent, SSECKeyError
from b2fast.transfer.outbound.file_upload import PartUpload

from ..conftest import PART_SIZE, Account
from .test_emerge import CONTENT, content_of, customer_key

SECOND = bytes(300)


@pytest.fixture
def stored(bucket: Bucket) -> FileVersion:
    return bucket.upload_bytes(CONTENT, 'stored')


def sources(stored: FileVersion) -> list[Any]:
    """Sent, sent with a downloaded stretch, copied."""
    return [
        UploadSourceBytes(CONTENT[:1000]),
        UploadSourceStream(lambda: io.BytesIO(CONTENT[1000:1100])),
        CopySource(stored.id_, 1100, 250),
        CopySource(stored.id_, 1350, 650),
    ]


def fail_at_the_end(bucket: Bucket, stored: FileVersion, **settings: Any) -> str:
    """Make a file of `sources` whose last source fails; returns the ID of what is left."""

    def fail() -> io.BytesIO:
        raise RuntimeError('it cannot be opened')

    with pytest.raises(RuntimeError):
        bucket.concatenate(
            [*sources(stored), UploadSourceStream(fail, 300, 'a' * 40)], 'file', **settings
        )
    (unfinished,) = bucket.list_unfinished_large_files()
    return unfinished.file_id


@pytest.mark.parametrize('stream', [False, True])
def test_what_is_there_is_not_sent_again(
    account: Account, bucket: Bucket, stored: FileVersion, stream: bool
) -> None:
    settings = {'file_info': {'k': 'v'}, 'encryption': SSE_B2_AES}
    file_id = fail_at_the_end(bucket, stored, **settings)
    there = sum(part.content_length for part in bucket.list_parts(file_id))
    before = account.api.stats().bytes_sent
    everything = [*sources(stored), UploadSourceBytes(SECOND)]
    concatenate = bucket.concatenate_stream if stream else bucket.concatenate
    listener = ProgressListenerForTest()
    version = concatenate(
        everything, 'file', continue_large_file_id=file_id, progress_listener=listener, **settings
    )
    assert version.id_ == file_id
    assert content_of(bucket, version) == CONTENT[:2000] + SECOND
    assert listener.get_calls()[-1] == f'bytes_completed({2000 + len(SECOND)})'
    sent = account.api.stats().bytes_sent - before
    assert sent <= 2000 + len(SECOND) - there
    assert list(bucket.list_unfinished_large_files()) == []


def test_parts_that_differ_are_sent_again(
    bucket: Bucket, make_file: Callable[..., Any], account: Account
) -> None:
    session = account.api.session
    file_id = session.start_large_file(bucket.id_, 'file', 'b2/x-auto', {})['fileId']
    content = CONTENT[: 4 * PART_SIZE]
    parts = {
        1: content[:PART_SIZE],
        2: bytes(PART_SIZE),
        3: content[2 * PART_SIZE : 3 * PART_SIZE + 1],
    }
    for number, data in parts.items():
        seam = account.api.services.transfer_seam
        with seam.open(UploadSourceBytes(data)) as opened:
            opened.send_parts(
                file_id, [PartUpload(number, 0, len(data), None)], None, lambda *_: None
            )
    before = account.api.stats().bytes_sent
    # No SHA-1 of the whole goes into the file info: there are two sources.
    version = bucket.concatenate(
        [UploadSourceLocalFile(make_file(content)), UploadSourceBytes(b'')],
        'file',
        continue_large_file_id=file_id,
    )
    assert content_of(bucket, version) == content
    assert account.api.stats().bytes_sent - before == 3 * PART_SIZE


def test_what_may_not_be_continued(bucket: Bucket, stored: FileVersion) -> None:
    file_id = fail_at_the_end(bucket, stored, file_info={'k': 'v'}, encryption=SSE_B2_AES)

    def go_on(name: str = 'file', large_file_id: str = file_id, **settings: Any) -> None:
        everything = [*sources(stored), UploadSourceBytes(SECOND)]
        bucket.concatenate(everything, name, continue_large_file_id=large_file_id, **settings)

    with pytest.raises(ValueError, match='different file_info'):
        go_on()
    with pytest.raises(ValueError, match='different file_info'):
        go_on(file_info={'k': 'w'})
    with pytest.raises(ValueError, match='different encryption'):
        go_on(file_info={'k': 'v'}, encryption=customer_key(b'k', None))
    with pytest.raises(ValueError, match='more parts'):
        bucket.concatenate(
            [*sources(stored)[:1], UploadSourceBytes(b'')],
            'file',
            continue_large_file_id=file_id,
            file_info={'k': 'v'},
            recommended_upload_part_size=600,
        )
    with pytest.raises(FileNotPresent):
        go_on('other', file_info={'k': 'v'})
    with pytest.raises(FileNotPresent):
        go_on(large_file_id=stored.id_, file_info={'k': 'v'})
    assert len(list(bucket.list_unfinished_large_files())) == 1


def test_customer_key(bucket: Bucket, stored: FileVersion) -> None:
    key = customer_key(b'k', 'id')
    file_id = fail_at_the_end(bucket, stored, encryption=key)
    everything = [*sources(stored), UploadSourceBytes(SECOND)]
    with pytest.raises(ValueError, match=r'different (encryption|file_info)'):
        bucket.concatenate(everything, 'file', continue_large_file_id=file_id)
    # B2 says of a part only that it is not allowed.
    with pytest.raises((SSECKeyError, AccessDenied)):
        bucket.concatenate(
            everything,
            'file',
            continue_large_file_id=file_id,
            encryption=customer_key(b'x', 'id'),
        )
    version = bucket.concatenate(everything, 'file', continue_large_file_id=file_id, encryption=key)
    assert content_of(bucket, version, encryption=key) == CONTENT[:2000] + SECOND


def test_stream_of_intents(bucket: Bucket, stored: FileVersion) -> None:
    file_id = fail_at_the_end(bucket, stored)
    everything = [*sources(stored), UploadSourceBytes(SECOND)]
    intents = WriteIntent.wrap_sources_iterator(everything)
    version = bucket.create_file_stream(intents, 'file', continue_large_file_id=file_id)
    assert content_of(bucket, version) == CONTENT[:2000] + SECOND
