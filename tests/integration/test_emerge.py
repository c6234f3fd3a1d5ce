"""Files made of several sources."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from b2fast import (
    Bucket,
    CopySource,
    FileVersion,
    OutboundTransferSource,
    UploadSourceBytes,
    UploadSourceLocalFile,
    UploadSourceLocalFileRange,
    UploadSourceStream,
    UploadSourceStreamRange,
)

from ..conftest import PART_SIZE
from ..helpers import sha1_of

CONTENT = bytes(number * 7 % 251 for number in range(5000))


@pytest.fixture
def stored(bucket: Bucket) -> FileVersion:
    """A stored file with `CONTENT`."""
    return bucket.upload_bytes(CONTENT, 'stored')


def content_of(bucket: Bucket, version: FileVersion, **parameters: Any) -> bytes:
    file = io.BytesIO()
    bucket.download_file_by_id(version.id_, **parameters).save(file)
    return file.getvalue()


def copied(version: FileVersion, start: int, end: int) -> CopySource:
    """The stretch of a stored file."""
    return CopySource(version.id_, start, end - start)


Make = Callable[..., FileVersion]


@pytest.fixture(params=['known', 'stream'])
def concatenate(request: pytest.FixtureRequest, bucket: Bucket) -> Make:
    """Makes files of sources in a row, in both ways."""
    if request.param == 'known':
        return bucket.concatenate
    return lambda sources, *args, **kwargs: bucket.concatenate_stream(
        iter(sources), *args, **kwargs
    )


def all_kinds(path: Path) -> list[OutboundTransferSource]:
    """Each kind of source, all with the same 700 bytes."""
    part = CONTENT[1000:1700]

    def piped() -> io.BufferedReader:
        return io.BufferedReader(Pipe(CONTENT))

    return [
        UploadSourceBytes(part),
        UploadSourceBytes(bytearray(part), sha1_of(part)),
        UploadSourceLocalFileRange(path, offset=1000, length=700),
        UploadSourceStream(lambda: io.BytesIO(part)),
        UploadSourceStream(lambda: io.BytesIO(part), 700, sha1_of(part)),
        UploadSourceStreamRange(lambda: io.BytesIO(CONTENT), 1000, 700),
        UploadSourceStreamRange(piped, 1000, 700),
    ]


class Pipe(io.RawIOBase):
    """Gives little at a time, and cannot be sought."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._content.read(min(len(buffer), 33))
        buffer[: len(data)] = data
        return len(data)


def test_each_kind_of_source(
    bucket: Bucket, make_file: Callable[..., Path], concatenate: Make
) -> None:
    path = make_file(CONTENT)
    for source in all_kinds(path):
        version = concatenate([source], 'alone')
        assert content_of(bucket, version) == CONTENT[1000:1700], source
        assert version.file_info == {'large_file_sha1': sha1_of(CONTENT[1000:1700])}
    sources = [*all_kinds(path), UploadSourceLocalFile(path), UploadSourceBytes(b'end')]
    version = concatenate(sources, 'all')
    assert content_of(bucket, version) == CONTENT[1000:1700] * 7 + CONTENT + b'end'
    assert version.file_info == {}


@given(
    pieces=st.lists(
        st.tuples(st.booleans(), st.integers(0, 4000), st.integers(0, 1000)), min_size=1, max_size=6
    )
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mix(
    bucket: Bucket,
    stored: FileVersion,
    concatenate: Make,
    pieces: list[tuple[bool, int, int]],
) -> None:
    sources: list[OutboundTransferSource] = [
        CopySource(stored.id_, start if length else 0, length)
        if is_copy
        else UploadSourceBytes(CONTENT[start : start + length])
        for is_copy, start, length in pieces
    ]
    expected = b''.join(CONTENT[start : start + length] for _, start, length in pieces)
    version = concatenate(sources, 'mix', max_part_size=PART_SIZE) if False else None
    version = bucket.concatenate(sources, 'mix', max_part_size=PART_SIZE)
    assert version.size == len(expected)
    assert content_of(bucket, version) == expected
    assert list(bucket.list_unfinished_large_files()) == []
