"""b2sdk against the simulator: files up and down, listings, versions, unfinished files."""

from __future__ import annotations

import datetime as dt

import pytest
from b2sdk import v3 as b2sdk
from b2sdk.v3.exception import B2Error, FileNotPresent, InvalidRange

from b2fast.simulator import Fault

from ..helpers import sha1_of
from .sdk import PART_SIZE, World, content, names

LARGE = bytes(range(251)) * 40
"""Five parts of the recommended size and a bit."""


def test_small_uploads_and_what_is_told_of_them(world: World) -> None:
    bucket = world.new_bucket()
    expires = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    headers = {
        'cache_control': 'max-age=60',
        'content_disposition': 'attachment; filename="a.txt"',
        'content_encoding': 'identity',
        'content_language': 'de, fr',
        'expires': expires,
    }
    version = bucket.upload_bytes(
        b'some text',
        'dir/é+ %.txt',
        'text/plain',
        {'color': 'blue & é', 'src_last_modified_millis': '1600000000000'},
        custom_upload_timestamp=1_500_000_000_000,
        **headers,
    )
    assert version.upload_timestamp == 1_500_000_000_000
    told = bucket.get_file_info_by_name('dir/é+ %.txt')
    assert told.as_dict()['fileId'] == version.id_
    for found in (version, version.get_fresh_state(), told):
        assert found.size == 9
        assert found.content_type == 'text/plain'
        assert found.get_content_sha1() == sha1_of(b'some text')
        assert found.mod_time_millis == 1_600_000_000_000
        assert found.file_info['color'] == 'blue & é'
        assert found.cache_control == 'max-age=60'
        assert found.content_disposition == headers['content_disposition']
        assert found.content_encoding == 'identity'
        assert found.content_language == 'de, fr'
        assert found.expires_parsed() == expires
        assert found.expires == 'Wed, 02 Jan 2030 03:04:05 GMT'
    assert not version.has_large_header
    assert (
        world.api.get_file_info(version.id_) == bucket.get_file_info_by_id(version.id_) == version
    )
    by_name = world.api.get_file_info_by_name(bucket.name, version.file_name)
    assert by_name.as_dict() == told.as_dict()
    assert version.as_dict()['contentMd5'] == version.content_md5


def test_large_uploads(world: World) -> None:
    bucket = world.new_bucket()
    path = world.new_file(LARGE)
    listener = b2sdk.ProgressListenerForTest()
    by_path = bucket.upload_local_file(path, 'path', progress_listener=listener)
    assert f'bytes_completed({len(LARGE)})' in listener.get_calls()
    by_source = bucket.upload(b2sdk.UploadSourceLocalFile(path), 'source', min_part_size=PART_SIZE)
    by_bytes = bucket.upload_bytes(LARGE, 'bytes', large_file_sha1=sha1_of(LARGE))
    for version in (by_path, by_source, by_bytes):
        assert version.size == len(LARGE)
        assert version.get_content_sha1() == sha1_of(LARGE)
        assert content(version.download()) == LARGE
    assert world.server.calls['b2_upload_part'] >= 15


def test_incremental_upload_copies_what_is_there(world: World) -> None:
    bucket = world.new_bucket()
    path = world.new_file(LARGE)
    bucket.upload_local_file(path, 'file')
    path.write_bytes(LARGE + b'more' * 1000)
    copied = world.server.calls['b2_copy_part']
    version = bucket.upload_local_file(path, 'file', upload_mode=b2sdk.UploadMode.INCREMENTAL)
    assert world.server.calls['b2_copy_part'] > copied
    assert content(version.download()) == path.read_bytes()


def test_unbound_streams(world: World) -> None:
    bucket = world.new_bucket()
    for number, data in enumerate((b'', b'short', LARGE)):
        with world.new_file(data).open('rb') as stream:
            version = bucket.upload_unbound_stream(stream, f'stream-{number}')
        assert version.size == len(data)
        assert content(bucket.download_file_by_id(version.id_)) == data


def test_downloads(world: World) -> None:
    bucket = world.new_bucket()
    version = bucket.upload_bytes(
        LARGE, 'large', file_info={'src_last_modified_millis': '1600000000000'}
    )
    for number, downloaded in enumerate(
        (
            bucket.download_file_by_name('large'),
            bucket.download_file_by_id(version.id_),
            world.api.download_file_by_id(version.id_, b2sdk.DoNothingProgressListener()),
            version.download(),
        )
    ):
        assert downloaded.download_version.size == len(LARGE)
        target = world.directory / f'target-{number}'
        downloaded.save_to(target)
        assert target.read_bytes() == LARGE
        assert int(target.stat().st_mtime) == 1_600_000_000
    part = version.download(range_=(7, 2500))
    assert part.download_version.range_ == b2sdk.Range(7, 2500)
    assert part.download_version.content_length == 2494
    assert content(part) == LARGE[7:2501]
    with pytest.raises(InvalidRange, match='could only serve 3'):
        bucket.download_file_by_name('large', range_=(len(LARGE) - 3, 10**6))
    empty = bucket.upload_bytes(b'', 'empty')
    assert content(empty.download()) == b''
    with pytest.raises(FileNotPresent):
        bucket.download_file_by_name('missing')


def test_listings(world: World) -> None:
    bucket = world.new_bucket()
    for name in ('a.txt', 'b/1.txt', 'b/2.bin', 'b/c/3.txt', 'é'):
        bucket.upload_bytes(name.encode(), name)
    bucket.upload_bytes(b'newer', 'a.txt')
    bucket.hide_file('b/2.bin')
    assert [(version.file_name, folder) for version, folder in bucket.ls()] == [
        ('a.txt', None),
        ('b/1.txt', 'b/'),
        ('é', None),
    ]
    assert names(bucket, fetch_count=1) == ['a.txt', 'b/1.txt', 'b/c/3.txt', 'é']
    assert names(bucket, path='b') == ['b/1.txt', 'b/c/3.txt']
    assert names(bucket, path='*.txt', with_wildcard=True) == ['a.txt', 'b/1.txt', 'b/c/3.txt']
    assert names(bucket, filters=[b2sdk.Filter.exclude('*.txt')]) == ['é']
    versions = [
        (version.file_name, version.action)
        for version, _ in bucket.ls(latest_only=False, recursive=True, fetch_count=2)
    ]
    assert versions == [
        ('a.txt', 'upload'),
        ('a.txt', 'upload'),
        ('b/1.txt', 'upload'),
        ('b/2.bin', 'hide'),
        ('b/2.bin', 'upload'),
        ('b/c/3.txt', 'upload'),
        ('é', 'upload'),
    ]
    assert [version.size for version in bucket.list_file_versions('a.txt')] == [5, 5]


def test_hiding_and_deletion(world: World) -> None:
    api, bucket = world.api, world.new_bucket()
    versions = [bucket.upload_bytes(bytes(size), 'file') for size in range(5)]
    assert bucket.hide_file('file').action == 'hide'
    with pytest.raises(FileNotPresent):
        bucket.get_file_info_by_name('file')
    assert bucket.unhide_file('file').file_name == 'file'
    assert bucket.get_file_info_by_name('file').size == 4
    assert api.delete_file_version(versions[0].id_, 'file').as_dict()['fileId'] == versions[0].id_
    bucket.delete_file_version(versions[1].id_, 'file')
    versions[2].delete()
    bucket.get_file_info_by_name('file').delete()
    assert [version.size for version in bucket.list_file_versions('file')] == [3]
    with pytest.raises(FileNotPresent):
        versions[0].delete()


def test_unfinished_large_files(world: World) -> None:
    api, bucket = world.api, world.new_bucket()
    for name in ('a/one', 'a/two', 'b/three'):
        world.server.inject(Fault(call='b2_finish_large_file', status=400))
        with pytest.raises(B2Error):
            bucket.upload_bytes(LARGE, name)
    one, two, three = bucket.list_unfinished_large_files(batch_size=2)
    assert [file.file_name for file in (one, two, three)] == ['a/one', 'a/two', 'b/three']
    assert [file.file_id for file in bucket.list_unfinished_large_files(prefix='b/')] == [
        three.file_id
    ]
    assert [file.file_id for file in bucket.list_unfinished_large_files(two.file_id)] == [
        two.file_id,
        three.file_id,
    ]
    parts = list(bucket.list_parts(one.file_id, batch_size=2))
    assert [part.part_number for part in parts] == list(range(1, len(parts) + 1))
    assert sum(part.content_length for part in parts) == len(LARGE)
    assert parts[0].content_sha1 == sha1_of(LARGE[: parts[0].content_length])
    assert list(api.list_parts(one.file_id, start_part_number=2)) == parts[1:]

    # What is there is not sent again.
    sent = world.server.calls['b2_upload_part']
    version = bucket.create_file(
        [b2sdk.WriteIntent(b2sdk.UploadSourceBytes(LARGE))],
        'a/one',
        continue_large_file_id=one.file_id,
    )
    assert version.id_ == one.file_id
    assert world.server.calls['b2_upload_part'] == sent
    assert content(version.download()) == LARGE
    assert bucket.cancel_large_file(two.file_id).file_name == 'a/two'
    assert api.cancel_large_file(three.file_id).as_dict()['fileId'] == three.file_id
    assert list(bucket.list_unfinished_large_files()) == []
