"""Copies of files that one call takes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from .worlds import World, assert_same_in_both

RANGES = [(0, None), (0, 0), (3, 4), (0, 11), (0, 12), (5, 20), (-1, 3), (2, None)]
CONTENT = b'hello world'


def fill(world: World) -> tuple[Any, Any]:
    """Two buckets, the first with locks."""
    create = world.api.create_bucket
    return (
        create('bucket-one', 'allPrivate', is_file_lock_enabled=True),
        create('bucket-two', 'allPublic'),
    )


def customer(world: World, key_id: str | None, letter: bytes = b'k') -> Any:
    """A customer's key."""
    sdk = world.sdk
    return sdk.EncryptionSetting(
        sdk.EncryptionMode.SSE_C,
        sdk.EncryptionAlgorithm.AES256,
        sdk.EncryptionKey(secret=letter * 32, key_id=key_id),
    )


def see_copy(world: World, what: str, bucket: Any, *arguments: Any, **settings: Any) -> None:
    """Copy, and look at the copy, the listing and the progress."""
    listener = world.sdk.ProgressListenerForTest()
    world.see(what, lambda: bucket.copy(*arguments, progress_listener=listener, **settings))
    world.see(f'{what}: progress', listener.get_calls)
    world.see(f'{what}: listing', lambda: [version for version, _ in bucket.ls(latest_only=False)])


@pytest.mark.parametrize('content_type', [None, 'text/html'])
@pytest.mark.parametrize('file_info', [None, {'new': 'info'}], ids=str)
@pytest.mark.parametrize('header', [{}, {'cache_control': 'max-age=1'}], ids=str)
def test_ranges_and_metadata(
    content_type: str | None, file_info: dict[str, str] | None, header: dict[str, str]
) -> None:
    def program(world: World) -> None:
        one, two = fill(world)
        source = one.upload_bytes(CONTENT, 'source', 'text/plain', {'old': 'info'})
        for (offset, length), bucket in itertools.product(RANGES, (one, two)):
            if length and content_type is None and (file_info or header):
                # b2sdk drops what was asked for; see docs/compatibility.md.
                continue
            if length and content_type and not (file_info or header):
                # b2sdk's simulator keeps the old info then; see docs/compatibility.md.
                continue
            see_copy(
                world,
                f'{offset} {length} to {bucket.name}',
                bucket,
                source.id_,
                'copy',
                content_type,
                file_info,
                offset,
                length,
                **header,
            )

    assert_same_in_both(program)


def test_all_headers() -> None:
    def program(world: World) -> None:
        one, _ = fill(world)
        source = one.upload_bytes(CONTENT, 'source')
        headers = {
            'cache_control': 'max-age=1',
            'expires': 'Thu, 01 Dec 2050 16:00:00 GMT',
            'content_disposition': 'attachment',
            'content_encoding': 'gzip',
            'content_language': 'de',
        }
        see_copy(world, 'copy', one, source.id_, 'copy', 'text/html', {'a': 'b'}, **headers)

    assert_same_in_both(program)


KEYS = ['none', 'SSE-B2', 'id', 'other id', 'no id']


@pytest.mark.parametrize('source_key', KEYS)
@pytest.mark.parametrize('known', ['nothing', 'info', 'type', 'both'])
@pytest.mark.parametrize('content_type', [None, 'text/html'])
def test_encryption(source_key: str, known: str, content_type: str | None) -> None:
    def program(world: World) -> None:
        one, _ = fill(world)
        settings = {
            'none': None,
            'SSE-B2': world.sdk.SSE_B2_AES,
            'id': customer(world, 'id'),
            'other id': customer(world, 'other', b'o'),
            'no id': customer(world, None, b'n'),
        }
        encryption = settings[source_key]
        source = one.upload_bytes(
            CONTENT, 'source', 'text/plain', {'old': 'info'}, encryption=encryption
        )
        info = {'sse_c_key_id': 'id', 'old': 'info'} if known in ('info', 'both') else None
        for name, destination in settings.items():
            for source_encryption in {'given': encryption, 'missing': None}.items():
                what, given = source_encryption
                see_copy(
                    world,
                    f'to {name}, key {what}',
                    one,
                    source.id_,
                    'copy',
                    content_type,
                    None if content_type is None else {'new': 'info'},
                    destination_encryption=destination,
                    source_encryption=given,
                    source_file_info=info,
                    source_content_type='text/css' if known in ('type', 'both') else None,
                )
            assert source.file_name == 'source'

    assert_same_in_both(program)


def test_encryption_that_is_none() -> None:
    def program(world: World) -> None:
        one, _ = fill(world)
        source = one.upload_bytes(CONTENT, 'source')
        settings = [
            world.sdk.SSE_NONE,
            world.sdk.EncryptionSetting(world.sdk.EncryptionMode.UNKNOWN),
        ]
        for number, setting in enumerate(settings):
            see_copy(world, f'to {number}', one, source.id_, 'copy', destination_encryption=setting)

    assert_same_in_both(program)


def test_locks() -> None:
    def program(world: World) -> None:
        one, two = fill(world)
        sdk = world.sdk
        source = one.upload_bytes(CONTENT, 'source')
        retention = sdk.FileRetentionSetting(sdk.RetentionMode.GOVERNANCE, 4_000_000_000_000)
        for hold, until in itertools.product(sdk.LegalHold, (None, retention)):
            if hold is sdk.LegalHold.UNKNOWN:
                continue
            see_copy(
                world,
                f'{hold.value} {until}',
                one,
                source.id_,
                'copy',
                legal_hold=hold,
                file_retention=until,
            )
        see_copy(world, 'without locks', two, source.id_, 'copy', file_retention=retention)

    assert_same_in_both(program)


def test_sizes() -> None:
    def program(world: World) -> None:
        one, _ = fill(world)
        empty = one.upload_bytes(b'', 'empty')
        most = one.upload_bytes(bytes(200), 'most')
        more = one.upload_bytes(bytes(201), 'more')
        large = one.upload_bytes(bytes(1000), 'large')
        for source in (empty, most, more, large):
            for length in (None, 0, 1, 200):
                # What is too big is below.
                if length or source in (empty, most):
                    see_copy(world, f'{source.size} {length}', one, source.id_, 'c', length=length)
        see_copy(world, 'parts', one, most.id_, 'c', length=3, min_part_size=5, max_part_size=4)
        see_copy(
            world, 'fitting parts', one, most.id_, 'c', length=3, min_part_size=1, max_part_size=4
        )

    assert_same_in_both(program)


def test_too_much() -> None:
    def program(world: World) -> None:
        one, _ = fill(world)
        source = one.upload_bytes(bytes(201), 'more')
        for length in (None, 0, 201):
            world.see(f'{length}', lambda: one.copy(source.id_, 'c', length=length))  # noqa: B023
        world.see('listing', lambda: [version.file_name for version, _ in one.ls()])

    assert_same_in_both(program)


def test_sources() -> None:
    def program(world: World) -> None:
        sdk = world.sdk
        info = {'large_file_sha1': 'a' * 40}
        world.see('no length', lambda: sdk.CopySource('id', offset=1))
        world.see('no bytes', lambda: sdk.CopySource('id', offset=1, length=0))
        key = customer(world, 'id')
        for number, source in enumerate(
            [
                sdk.CopySource('id'),
                sdk.CopySource('id', length=0, source_file_info=info),
                sdk.CopySource('id', 5, 10, key, info, 'text/plain'),
                sdk.CopySource('id', source_file_info={}, source_content_type='a/b'),
            ]
        ):
            text = repr(source).replace(str(id(source)), 'ID')
            world.see(f'{number} repr', lambda: text)  # noqa: B023
            world.see(f'{number} attributes', lambda: {**vars(source), 'encryption': 0})  # noqa: B023
            world.see(f'{number} range', source.get_bytes_range)
            world.see(f'{number} length', source.get_content_length)
            world.see(f'{number} kind', lambda: [source.is_copy(), source.is_upload()])  # noqa: B023
            if source.source_file_info is not None:
                world.see(f'{number} SHA-1', source.get_content_sha1)
            for start, length in itertools.product((0, 3), (0, 1, 7, 10, 11)):
                world.see(
                    f'{number} {start} {length}',
                    lambda: source.get_copy_source_range(start, length).get_bytes_range(),  # noqa: B023
                )

    assert_same_in_both(program)
