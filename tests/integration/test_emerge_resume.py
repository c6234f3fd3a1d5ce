"""Large files of several sources that are continued where they were left."""

from __future__ import annotations

import io
import time
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
from b2fast.exception import AccessDenied, CannotResumeUpload, FileNotPresent, SSECKeyError
from b2fast.transfer.outbound.file_upload import PartUpload

from ..conftest import PART_SIZE, Account
from ..helpers import sha1_of
from .test_emerge import CONTENT, content_of, customer_key
from .test_resume_upload_together import Paused, another_client, in_background, unclaimed
from .unfinished_uploads import (
    begin,
    calls_of,
    cancel_behind_listing,
    send_part,
    unfinished,
)
from .wire import DEADLINE

__all__ = ['unclaimed']

SECOND = bytes(300)
PARTS = 7
"""Of `sources`."""


@pytest.fixture
def stored(bucket: Bucket) -> FileVersion:
    return bucket.upload_bytes(CONTENT, 'stored')


def sources(stored: FileVersion) -> list[Any]:
    """Five parts that are sent, one of them from two sources, and two that are copied."""
    return [
        UploadSourceBytes(CONTENT[:1000]),
        UploadSourceStream(lambda: io.BytesIO(CONTENT[1000:1100])),
        CopySource(stored.id_, 1100, 250),
        CopySource(stored.id_, 1350, 650),
    ]


def fail_at_the_end(bucket: Bucket, stored: FileVersion, **settings: Any) -> str:
    """Make a file of `sources` whose last source fails; returns the ID of what is left."""

    def fail() -> io.BytesIO:
        # When all the others are there.
        give_up = time.monotonic() + DEADLINE
        (file,) = bucket.list_unfinished_large_files()
        while len(list(bucket.list_parts(file.file_id))) < PARTS:
            assert time.monotonic() < give_up
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
    file_id = begin(bucket, [1, 2, 3], 'file', info={'k': 'v'}, encryption=SSE_B2_AES)

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


SETTINGS = {'file_info': {'k': 'v'}, 'encryption': SSE_B2_AES}


@pytest.mark.parametrize('way', ['known', 'list', 'iterator'])
def test_what_was_left_is_found(
    account: Account, bucket: Bucket, stored: FileVersion, way: str
) -> None:
    file_id = fail_at_the_end(bucket, stored, **SETTINGS)
    # The first client may still be counting.
    bucket = another_client(account)
    concatenate = bucket.concatenate if way == 'known' else bucket.concatenate_stream
    everything: Any = [*sources(stored), UploadSourceBytes(SECOND)]
    if way == 'iterator':
        everything = iter(everything)
    made: list[FileVersion] = []
    listener = ProgressListenerForTest()
    calls = calls_of(
        bucket,
        lambda: made.append(
            concatenate(everything, 'file', progress_listener=listener, **SETTINGS)
        ),
    )
    (version,) = made
    assert content_of(bucket, version) == CONTENT[:2000] + SECOND
    assert version.file_info == {'k': 'v'}
    assert listener.get_calls()[-1] == f'bytes_completed({2000 + len(SECOND)})'
    assert calls['b2_copy_part'] == 2
    if way != 'iterator':
        assert version.id_ == file_id
        assert unfinished(bucket) == []
        assert calls['b2_upload_part'] == 1
        assert calls['b2_list_unfinished_large_files'] == 1
    else:
        assert unfinished(bucket) == [file_id]
        assert 'b2_list_unfinished_large_files' not in calls


def test_copies_of_something_else_are_not_taken_over(bucket: Bucket, stored: FileVersion) -> None:
    """Nobody knows the SHA-1 of what is copied, so parts of equal length say nothing."""
    other = bucket.upload_bytes(CONTENT[::-1], 'other')
    file_id = fail_at_the_end(bucket, stored)
    everything = [
        *sources(stored)[:-1],
        CopySource(other.id_, 1350, 650),
        UploadSourceBytes(SECOND),
    ]
    version = bucket.concatenate(everything, 'file')
    assert version.id_ == file_id
    assert content_of(bucket, version) == CONTENT[:1350] + CONTENT[::-1][1350:2000] + SECOND


@pytest.mark.parametrize('sha1_is_known', [False, True])
def test_file_of_copies_alone(bucket: Bucket, stored: FileVersion, sha1_is_known: bool) -> None:
    """Without a SHA-1 of the whole there is nothing to know an unfinished file by."""
    settings = {'large_file_sha1': sha1_of(CONTENT)} if sha1_is_known else {}
    started = bucket.api.services.large_file.start_large_file(
        bucket.id_, 'file', None, dict(settings)
    )
    halves = [CopySource(stored.id_, 0, 2500), CopySource(stored.id_, 2500, 2500)]
    made: list[FileVersion] = []
    calls = calls_of(bucket, lambda: made.append(bucket.concatenate(halves, 'file', **settings)))
    assert content_of(bucket, made[0]) == CONTENT
    assert (made[0].id_ == started.file_id) == sha1_is_known
    assert calls.get('b2_list_unfinished_large_files', 0) == sha1_is_known


@pytest.mark.parametrize('sha1_is_known', [False, True])
def test_part_that_is_not_ours(bucket: Bucket, sha1_is_known: bool) -> None:
    """It is replaced if the SHA-1 of the whole says what the file is, else the file is not ours."""
    content = CONTENT[: 4 * PART_SIZE]
    settings = {'large_file_sha1': sha1_of(content)} if sha1_is_known else {}
    started = bucket.api.services.large_file.start_large_file(
        bucket.id_, 'file', None, dict(settings)
    )
    send_part(bucket, started.file_id, 1, content[:PART_SIZE])
    send_part(bucket, started.file_id, 2, bytes(PART_SIZE))
    both = [UploadSourceBytes(content[:300]), UploadSourceBytes(content[300:])]
    version = bucket.concatenate(both, 'file', **settings)
    assert content_of(bucket, version) == content
    assert (version.id_ == started.file_id) == sha1_is_known


def test_file_that_says_another_sha1_is_left(bucket: Bucket) -> None:
    content = CONTENT[: 4 * PART_SIZE]
    started = bucket.api.services.large_file.start_large_file(
        bucket.id_, 'file', None, {'large_file_sha1': 'a' * 40}
    )
    send_part(bucket, started.file_id, 1, content[:PART_SIZE])
    both = [UploadSourceBytes(content[:300]), UploadSourceBytes(content[300:])]
    version = bucket.concatenate(both, 'file')
    assert version.id_ != started.file_id
    assert 'large_file_sha1' not in version.file_info


@pytest.mark.parametrize('way', ['concatenate', 'unbound', 'continued'])
def test_file_that_another_call_of_the_process_makes(
    account: Account, bucket: Bucket, way: str
) -> None:
    both = [UploadSourceBytes(CONTENT[:300]), UploadSourceBytes(CONTENT[300:])]
    first = another_client(account)
    pause = Paused(first.api.session, 'finish_large_file')

    def make() -> FileVersion:
        if way == 'unbound':
            return first.upload_unbound_stream(io.BytesIO(CONTENT), 'file')
        return first.concatenate(both, 'file')

    thread, results = in_background(make)
    assert pause.reached.wait(DEADLINE)
    (file_id,) = unfinished(bucket)
    if way == 'continued':
        with pytest.raises(CannotResumeUpload, match='another upload of this process'):
            bucket.concatenate(both, 'file', continue_large_file_id=file_id)
    else:
        assert bucket.concatenate(both, 'file').id_ != file_id
        assert bucket.upload_bytes(CONTENT, 'file').id_ != file_id
    pause.go_on.set()
    thread.join()
    assert [version.id_ for version in results] == [file_id]  # type: ignore[attr-defined]


@pytest.mark.usefixtures('unclaimed')
def test_other_process_finishes_the_file_with_something_else(
    account: Account, bucket: Bucket, stored: FileVersion
) -> None:
    """Nobody could tell by its SHA-1, so it is not taken for one's own."""
    file_id = fail_at_the_end(bucket, stored)
    everything = [*sources(stored), UploadSourceBytes(SECOND)]
    slow = another_client(account)
    pause = Paused(slow.api.session, 'finish_large_file')
    thread, results = in_background(lambda: slow.concatenate(everything, 'file'))
    assert pause.reached.wait(DEADLINE)
    other = bucket.concatenate(
        [*sources(stored)[:-1], CopySource(stored.id_, 0, 650), UploadSourceBytes(SECOND)], 'file'
    )
    assert other.id_ == file_id
    pause.go_on.set()
    thread.join()
    (version,) = results
    assert isinstance(version, FileVersion)
    assert version.id_ != file_id
    assert content_of(bucket, version) == CONTENT[:2000] + SECOND


def test_file_that_is_cancelled_meanwhile(bucket: Bucket, stored: FileVersion) -> None:
    file_id = fail_at_the_end(bucket, stored)
    cancel_behind_listing(bucket, file_id)
    listener = ProgressListenerForTest()
    version = bucket.concatenate(
        [*sources(stored), UploadSourceBytes(SECOND)], 'file', progress_listener=listener
    )
    assert version.id_ != file_id
    assert content_of(bucket, version) == CONTENT[:2000] + SECOND
    numbers = [int(call[len('bytes_completed(') : -1]) for call in listener.get_calls()[1:]]
    assert numbers == sorted(set(numbers))


def test_customer_key_is_not_looked_for(bucket: Bucket, stored: FileVersion) -> None:
    key = customer_key(b'k', 'id')
    file_id = fail_at_the_end(bucket, stored, encryption=key)
    version = bucket.concatenate(
        [*sources(stored), UploadSourceBytes(SECOND)], 'file', encryption=key
    )
    assert version.id_ != file_id
