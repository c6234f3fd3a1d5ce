"""Large files in the making, and uploads that go on with them."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from typing import Any

from b2fast import (
    Bucket,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    ProgressListenerForTest,
)

from ..conftest import PART_SIZE
from ..helpers import sha1_of

PARTS = 5
DAY = 24 * 60 * 60 * 1000
LENGTH = PARTS * PART_SIZE - 7
# The same in each process of a parallel run, since the names of tests have its SHA-1.
DATA = random.Random(5).randbytes(LENGTH)
INFO = {'a': 'b', 'large_file_sha1': sha1_of(DATA)}
SSE_C = EncryptionSetting(
    EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(b'k' * 32, 'id')
)


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


def cancel_behind_listing(bucket: Bucket, file_id: str) -> None:
    """Cancel a large file as soon as the client of the bucket has listed its parts."""
    session = bucket.api.session
    list_parts = session.list_parts

    def list_and_cancel(*args: Any) -> Any:
        answer = list_parts(*args)
        bucket.cancel_large_file(file_id)
        return answer

    session.list_parts = list_and_cancel  # type: ignore[method-assign]


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


def assert_good_progress(listener: ProgressListenerForTest, there: int) -> None:
    """What is there counts at once, what is sent as it goes."""
    calls = listener.get_calls()
    assert calls[0] == f'set_total_bytes({LENGTH})'
    assert calls[-1] == f'bytes_completed({LENGTH})'
    numbers = [int(call[len('bytes_completed(') : -1]) for call in calls[1:]]
    assert numbers == sorted(set(numbers))
    assert not there or numbers[0] == there
