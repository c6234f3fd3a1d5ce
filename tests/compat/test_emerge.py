"""Files of several sources, on b2sdk's simulator and on ours."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..helpers import sha1_of
from .worlds import World, assert_same_in_both

CONTENT = bytes(number * 7 % 251 for number in range(3000))

Sources = Callable[[Any, Any], list[Any]]


def bytes_(sdk: Any, start: int, length: int) -> Any:
    return sdk.UploadSourceBytes(CONTENT[start : start + length])


def copy(sdk: Any, stored: Any, start: int, length: int) -> Any:
    return sdk.CopySource(stored.id_, start, length)


MIXES: dict[str, Sources] = {
    'nothing': lambda sdk, stored: [bytes_(sdk, 0, 0)],
    'small upload': lambda sdk, stored: [bytes_(sdk, 0, 10)],
    'small uploads': lambda sdk, stored: [bytes_(sdk, 0, 10), bytes_(sdk, 10, 30)],
    'small copy': lambda sdk, stored: [copy(sdk, stored, 0, 10)],
    'one upload of two parts': lambda sdk, stored: [bytes_(sdk, 0, 401)],
    'uploads': lambda sdk, stored: [bytes_(sdk, 0, 1000), bytes_(sdk, 1000, 1)],
    'many uploads': lambda sdk, stored: [bytes_(sdk, n * 9, 9) for n in range(100)],
    'copies': lambda sdk, stored: [copy(sdk, stored, 0, 200), copy(sdk, stored, 300, 700)],
    'short copies': lambda sdk, stored: [copy(sdk, stored, n, 50) for n in range(20)],
    'upload and copy': lambda sdk, stored: [bytes_(sdk, 0, 200), copy(sdk, stored, 0, 300)],
    'short upload and copy': lambda sdk, stored: [bytes_(sdk, 0, 3), copy(sdk, stored, 0, 900)],
    'copy and short upload': lambda sdk, stored: [copy(sdk, stored, 0, 900), bytes_(sdk, 0, 3)],
    'copy between uploads': lambda sdk, stored: [
        bytes_(sdk, 0, 450),
        copy(sdk, stored, 50, 500),
        bytes_(sdk, 0, 450),
    ],
    'short copy between uploads': lambda sdk, stored: [
        bytes_(sdk, 0, 50),
        copy(sdk, stored, 50, 20),
        bytes_(sdk, 0, 450),
    ],
}


def see_file(world: World, what: str, bucket: Any, make: Callable[[], Any]) -> None:
    """Look at a new file, at its content and at the sizes of its parts."""
    parts: list[int] = []
    finish = world.raw.finish_large_file

    def look_and_finish(url: str, token: str, file_id: str, sha1s: list[str]) -> Any:
        listed = world.raw.list_parts(url, token, file_id, 1, 1000)['parts']
        parts.extend(part['contentLength'] for part in listed)
        return finish(url, token, file_id, sha1s)

    world.raw.finish_large_file = look_and_finish
    version = make()
    # b2sdk writes down the plan; see docs/compatibility.md.
    info = {key: value for key, value in version.file_info.items() if key != 'plan_id'}
    seen = [content_of(bucket, version), parts, info, version.content_type, version.content_sha1]
    world.see(what, lambda: seen)


def content_of(bucket: Any, version: Any) -> bytes:
    file = io.BytesIO()
    # b2sdk's simulator does not find copies by their IDs.
    bucket.download_file_by_name(version.file_name).save(file)
    return file.getvalue()


def program_of(sources: Sources, stream: bool, **settings: Any) -> Callable[[World], None]:
    def program(world: World) -> None:
        bucket = world.api.create_bucket('a-bucket', 'allPrivate')
        stored = bucket.upload_bytes(CONTENT, 'stored', 'text/plain')
        made = sources(world.sdk, stored)
        method = bucket.concatenate_stream if stream else bucket.concatenate
        see_file(
            world, 'file', bucket, lambda: method(iter(made) if stream else made, 'f', **settings)
        )

    return program


@pytest.mark.parametrize('stream', [False, True], ids=['known', 'stream'])
@pytest.mark.parametrize('mix', MIXES)
def test_same_file_of_the_same_parts(mix: str, stream: bool) -> None:
    assert_same_in_both(program_of(MIXES[mix], stream))


@pytest.mark.parametrize(
    ('mix', 'sha1'),
    [
        ('small uploads', 'not looked at'),
        ('uploads', sha1_of(CONTENT[:1001])),
        ('copies', sha1_of(CONTENT[:200] + CONTENT[300:1000])),
    ],
)
def test_same_metadata(mix: str, sha1: str) -> None:
    assert_same_in_both(
        program_of(
            MIXES[mix],
            False,
            content_type='text/css',
            file_info={'k': 'v'},
            large_file_sha1=sha1,
            cache_control='max-age=1',
            recommended_upload_part_size=300,
            # b2sdk takes the recommended size if there is no other.
            min_part_size=200,
        )
    )


@pytest.mark.parametrize(
    'offsets',
    [[(0, 400), (300, 500)], [(0, 300), (0, 600)], [(0, 10), (11, 5)]],
    ids=str,
)
@pytest.mark.parametrize('kinds', ['uu', 'uc', 'cu', 'cc'])
def test_overlaps(offsets: list[tuple[int, int]], kinds: str) -> None:
    def program(world: World) -> None:
        sdk = world.sdk
        bucket = world.api.create_bucket('a-bucket', 'allPrivate')
        stored = bucket.upload_bytes(CONTENT, 'stored', 'text/plain')
        intents = [
            sdk.WriteIntent(
                bytes_(sdk, start, length) if kind == 'u' else copy(sdk, stored, start, length),
                start,
            )
            for kind, (start, length) in zip(kinds, offsets, strict=True)
        ]

        world.see('content', lambda: content_of(bucket, bucket.create_file(intents, 'f')))

    assert_same_in_both(program)


@pytest.mark.parametrize('length', [0, 1, 199, 200, 201, 400, 1001])
@pytest.mark.parametrize('buffer_size', [None, 250])
def test_unbound_streams(length: int, buffer_size: int | None) -> None:
    def program(world: World) -> None:
        bucket = world.api.create_bucket('a-bucket', 'allPrivate')
        see_file(
            world,
            'file',
            bucket,
            lambda: bucket.upload_unbound_stream(
                io.BytesIO(CONTENT[:length]), 'f', buffer_size=buffer_size, read_size=77
            ),
        )

    assert_same_in_both(program)


def test_refusals() -> None:
    def program(world: World) -> None:
        sdk = world.sdk
        bucket = world.api.create_bucket('a-bucket', 'allPrivate')
        some = bytes_(sdk, 0, 5)
        more = bytes_(sdk, 0, 900)

        def intents(*offsets: int) -> list[Any]:
            return [sdk.WriteIntent(more, offset) for offset in offsets]

        def stream(**settings: Any) -> Any:
            return bucket.upload_unbound_stream(io.BytesIO(CONTENT), 'f', **settings)

        create = bucket.create_file
        world.see('unknown length', lambda: sdk.WriteIntent(sdk.CopySource('id')))
        world.see('hole', lambda: create(intents(0, 1000), 'f'))
        world.see('hole at the start', lambda: create(intents(1), 'f'))
        world.see('order', lambda: bucket.create_file_stream(iter(intents(0, 9, 8)), 'f'))
        world.see('to continue', lambda: create([sdk.WriteIntent(some)], 'f', None, None, None, None, 'id'))  # fmt: skip  # noqa: E501
        sizes = {'min_part_size': 500, 'recommended_upload_part_size': 400}
        world.see('minimum', lambda: create(intents(0), 'f', **sizes))
        sizes = {'recommended_upload_part_size': 400, 'max_part_size': 300}
        world.see('maximum', lambda: create(intents(0), 'f', **sizes))
        world.see('buffers', lambda: stream(buffers_count=1))
        world.see('reads', lambda: stream(read_size=0))
        world.see('wait', lambda: stream(unused_buffer_timeout_seconds=0))
        world.see('listing', lambda: [version.file_name for version, _ in bucket.ls()])

    assert_same_in_both(program)


def test_sources(tmp_path: Path) -> None:
    path = tmp_path / 'source'
    path.write_bytes(CONTENT)

    def program(world: World) -> None:
        sdk = world.sdk
        opened: list[int] = []

        def open_() -> io.BytesIO:
            opened.append(1)
            return io.BytesIO(CONTENT)

        made = {
            'range': lambda: sdk.UploadSourceLocalFileRange(path, offset=10, length=20),
            'rest': lambda: sdk.UploadSourceLocalFileRange(str(path), offset=2990),
            'all': lambda: sdk.UploadSourceLocalFileRange(path, 'a' * 40),
            'stream': lambda: sdk.UploadSourceStream(open_),
            'known stream': lambda: sdk.UploadSourceStream(open_, 3000, 'a' * 40),
            'stretch': lambda: sdk.UploadSourceStreamRange(open_, 10, 20),
            'known stretch': lambda: sdk.UploadSourceStreamRange(open_, 10, 20, 'a' * 40),
        }
        for name, make in made.items():
            source = make()
            world.see(f'{name} known', source.is_sha1_known)
            world.see(f'{name} length', source.get_content_length)
            world.see(f'{name} SHA-1', source.get_content_sha1)
            world.see(f'{name} known now', source.is_sha1_known)
            with source.open() as stream:
                world.see(f'{name} content', stream.read)
            world.see(f'{name} kind', lambda: [source.is_copy(), source.is_upload()])  # noqa: B023
            text = repr(source).replace(str(id(source)), 'ID').replace(repr(open_), 'OPENER')
            world.see(f'{name} repr', lambda: text)  # noqa: B023
        world.see('opened', lambda: len(opened))
        world.see('too long', lambda: sdk.UploadSourceLocalFileRange(path, None, 2990, 11))
        intent = sdk.WriteIntent(bytes_(sdk, 0, 5), 7)
        world.see('intent', lambda: [intent.length, intent.destination_end_offset])
        world.see('intent SHA-1', intent.get_content_sha1)
        world.see('intent kind', lambda: [intent.is_copy(), intent.is_upload()])
        calls: list[int] = []
        opener = sdk.CachedBytesStreamOpener(lambda: calls.append(1) or b'bytes')
        world.see('opener', lambda: [opener().read(), opener().read(), len(calls)])
        opener.cleanup()
        world.see('opener again', lambda: [opener().read(), len(calls)])

    assert_same_in_both(program)


@pytest.mark.parametrize('change', ['grows', 'same', 'shrinks', 'changes'])
def test_incremental_upload(tmp_path: Path, change: str) -> None:
    path = tmp_path / 'source'
    # One call copies no more in the simulators.
    old = CONTENT[:200] if change == 'same' else CONTENT
    new = {
        'grows': old + b'more',
        'same': old,
        'shrinks': old[:-1],
        'changes': b'new' + old,
    }[change]

    def program(world: World) -> None:
        bucket = world.api.create_bucket('a-bucket', 'allPrivate')
        path.write_bytes(old)
        bucket.upload_local_file(path, 'f')
        path.write_bytes(new)
        source = world.sdk.UploadSourceLocalFile(path)
        stored = bucket.get_file_info_by_name('f')
        sources = source.get_incremental_sources(stored, 200)
        world.see('sources', lambda: [(type(s).__name__, s.get_content_length()) for s in sources])
        version = bucket.upload_local_file(path, 'f', upload_mode=world.sdk.UploadMode.INCREMENTAL)
        sha1 = version.get_content_sha1()
        world.see('file', lambda: [content_of(bucket, version), sha1, version.content_type])

    assert_same_in_both(program)
