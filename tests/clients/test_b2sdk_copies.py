"""b2sdk against the simulator: copies, and files made of copies and uploads."""

from __future__ import annotations

import io

from b2sdk import v3 as b2sdk
from b2sdk.v3 import CopySource, UploadSourceBytes, WriteIntent

from ..helpers import sha1_of
from .sdk import MINIMUM_PART_SIZE, PART_SIZE, World, content

LARGE = bytes(range(251)) * 40


def test_simple_copies(world: World) -> None:
    bucket, other = world.new_bucket(), world.new_bucket()
    source = bucket.upload_bytes(LARGE[:700], 'source', 'text/plain', {'color': 'blue'})
    whole = bucket.copy(source.id_, 'whole')
    assert (whole.content_type, whole.file_info) == ('text/plain', {'color': 'blue'})
    assert whole.content_sha1 == source.content_sha1
    assert content(whole.download()) == LARGE[:700]
    part = other.copy(source.id_, 'part', offset=10, length=500)
    assert content(part.download()) == LARGE[10:510]
    replaced = other.copy(
        source.id_, 'replaced', 'image/png', {'size': 'big'}, cache_control='max-age=5'
    )
    assert replaced.content_type == 'image/png'
    assert replaced.file_info == {'size': 'big', 'b2-cache-control': 'max-age=5'}


def test_copies_in_parts(world: World) -> None:
    bucket = world.new_bucket()
    source = bucket.upload_bytes(LARGE, 'source', 'text/plain', {'color': 'blue'})
    before = world.server.calls['b2_copy_part']
    copy = bucket.copy(
        source.id_,
        'copy',
        source.content_type,
        source.file_info,
        length=len(LARGE),
        min_part_size=MINIMUM_PART_SIZE,
        max_part_size=PART_SIZE,
    )
    assert world.server.calls['b2_copy_part'] - before > 4
    assert (copy.content_type, copy.file_info['color']) == ('text/plain', 'blue')
    assert content(copy.download()) == LARGE


def test_concatenation(world: World) -> None:
    bucket = world.new_bucket()
    source = bucket.upload_bytes(LARGE, 'source')
    pieces = (
        CopySource(source.id_, offset=100, length=3000),
        UploadSourceBytes(b'between' * 300),
        CopySource(source.id_, offset=0, length=len(LARGE)),
        UploadSourceBytes(b'short end'),
    )
    expected = LARGE[100:3100] + b'between' * 300 + LARGE + b'short end'
    joined = bucket.concatenate(pieces, 'joined', file_info={'color': 'blue'})
    streamed = bucket.concatenate_stream(iter(pieces), 'streamed')
    for version in (joined, streamed):
        assert version.size == len(expected)
        assert content(version.download()) == expected
    assert joined.file_info['color'] == 'blue'
    small = bucket.concatenate([UploadSourceBytes(b'one '), UploadSourceBytes(b'two')], 'small')
    assert content(small.download()) == b'one two'


def test_files_made_of_intents(world: World) -> None:
    bucket = world.new_bucket()
    old = bucket.upload_bytes(LARGE, 'file')
    # The middle of the file changes, the rest is copied.
    intents = [
        WriteIntent(CopySource(old.id_, offset=0, length=4000)),
        WriteIntent(UploadSourceBytes(b'new' * 500), destination_offset=4000),
        WriteIntent(
            CopySource(old.id_, offset=5500, length=len(LARGE) - 5500), destination_offset=5500
        ),
    ]
    expected = LARGE[:4000] + b'new' * 500 + LARGE[5500:]
    uploaded = world.server.calls['b2_upload_part']
    made = bucket.create_file(intents, 'file', large_file_sha1=sha1_of(expected))
    assert world.server.calls['b2_upload_part'] - uploaded < 4
    streamed = bucket.create_file_stream(iter(intents), 'streamed')
    for version in (made, streamed):
        assert content(version.download()) == expected
    assert made.get_content_sha1() == sha1_of(expected)


def test_upload_sources(world: World) -> None:
    bucket = world.new_bucket()
    path = world.new_file(LARGE)
    sources = {
        'range': b2sdk.UploadSourceLocalFileRange(path, offset=500, length=5000),
        'stream': b2sdk.UploadSourceStream(lambda: io.BytesIO(LARGE), len(LARGE)),
        'stream range': b2sdk.UploadSourceStreamRange(lambda: io.BytesIO(LARGE), 500, 5000),
    }
    for name, source in sources.items():
        version = bucket.upload(source, name)
        expected = LARGE if name == 'stream' else LARGE[500:5500]
        assert content(version.download()) == expected
