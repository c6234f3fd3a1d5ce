"""Uploads that go on with the unfinished large file that the user names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from b2fast import (
    Bucket,
    DoNothingProgressListener,
    ProgressListenerForTest,
    UploadSourceBytes,
    UploadSourceLocalFile,
)
from b2fast.exception import CannotResumeUpload
from b2fast.transfer.outbound.file_upload import FileUpload

from ..conftest import PART_SIZE, Account
from .unfinished_uploads import (
    DATA,
    LENGTH,
    PARTS,
    SSE_C,
    assert_good_progress,
    begin,
    calls_of,
    content_of,
    unfinished,
)

MakeFile = Callable[..., Path]


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
