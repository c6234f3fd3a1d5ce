"""Which unfinished large file an upload goes on with, in b2sdk and in b2fast."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from .worlds import World, assert_same_in_both, both_worlds

PART_SIZE = 200
PARTS = 4
DATA = bytes(range(PART_SIZE)) * PARTS
SHA1 = hashlib.sha1(DATA, usedforsecurity=False).hexdigest()
INFO = {'a': 'b'}
WITH_SHA1 = {**INFO, 'large_file_sha1': SHA1}


def deviation(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.just(fields)


BEGUN = st.one_of(
    deviation(),
    deviation(info=INFO),
    deviation(name='nam'),
    deviation(name='name2'),
    deviation(info={}),
    deviation(info={**WITH_SHA1, 'c': 'd'}),
    deviation(info={**WITH_SHA1, 'a': 'c'}),
    deviation(encryption='b2'),
    deviation(hold='on'),
    deviation(hold='off'),
    deviation(until=7_000_000_000_000),
    deviation(until=8_000_000_000_000),
    deviation(part_size=PART_SIZE + 1),
    deviation(part_size=PART_SIZE - 1),
    deviation(extra_part=True),
)
"""In what an unfinished file may differ; all have as many parts, so the first that fits is the
one with most parts."""
WANTED = st.fixed_dictionaries(
    {},
    optional={
        'encryption': st.just('b2'),
        'hold': st.sampled_from(['on', 'off']),
        'until': st.sampled_from([7_000_000_000_000, 8_000_000_000_000]),
    },
)


def metadata(
    sdk: Any, encryption: str | None = None, hold: str | None = None, until: int | None = None
) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if encryption:
        given['encryption'] = sdk.SSE_B2_AES
    if hold:
        given['legal_hold'] = sdk.LegalHold(hold)
    if until:
        given['file_retention'] = sdk.FileRetentionSetting(sdk.RetentionMode.GOVERNANCE, until)
    return given


def begin(
    world: World,
    bucket: Any,
    *,
    name: str = 'name',
    info: dict[str, str] = WITH_SHA1,
    content_type: str | None = None,
    parts: tuple[int, ...] = (1, 2),
    part_size: int = PART_SIZE,
    extra_part: bool = False,
    data: bytes = DATA,
    **settings: Any,
) -> str:
    file = world.api.services.large_file.start_large_file(
        bucket.id_, name, content_type, info, **metadata(world.sdk, **settings)
    )
    for number in (*parts, *([PARTS + 1] if extra_part else [])):
        part = data[(number - 1) * part_size : number * part_size] or bytes(PART_SIZE)
        sha1 = hashlib.sha1(part, usedforsecurity=False).hexdigest()
        world.api.session.upload_part(file.file_id, number, len(part), sha1, io.BytesIO(part))
    file_id: str = file.file_id
    return file_id


def upload(world: World, bucket: Any, **settings: Any) -> tuple[str, list[int]]:
    """The ID of the file that is uploaded, and the numbers of the parts that are sent."""
    sent: list[int] = []
    upload_part = world.raw.upload_part

    def count(url: str, token: str, number: int, *args: Any, **kwargs: Any) -> Any:
        sent.append(number)
        return upload_part(url, token, number, *args, **kwargs)

    world.raw.upload_part = count
    content_type = settings.pop('content_type', None)
    version = bucket.upload_bytes(
        DATA,
        'name',
        content_type,
        INFO,
        large_file_sha1=SHA1,
        **metadata(world.sdk, **settings),
    )
    return version.id_, sorted(sent)


def new_bucket(world: World) -> Any:
    return world.api.create_bucket('a-bucket', 'allPrivate', is_file_lock_enabled=True)


@given(begun=st.lists(BEGUN, max_size=5), wanted=WANTED, parts=st.sets(st.integers(1, PARTS - 1)))
@settings(max_examples=150)
def test_same_file_is_picked(
    begun: list[dict[str, Any]], wanted: dict[str, Any], parts: set[int]
) -> None:
    if not parts:
        # Nothing would say of what content it is; see below.
        begun = [candidate for candidate in begun if candidate.get('info') != INFO]

    def program(world: World) -> None:
        bucket = new_bucket(world)
        for number, candidate in enumerate(begun):
            world.see(
                f'begin {number}',
                lambda: begin(world, bucket, parts=tuple(sorted(parts)), **candidate),  # noqa: B023
            )
        world.see('upload', lambda: upload(world, bucket, **wanted))
        world.see('left', lambda: [file.file_id for file in bucket.list_unfinished_large_files()])

    assert_same_in_both(program)


@pytest.mark.parametrize(
    ('begun', 'wanted', 'theirs', 'ours'),
    [
        # b2sdk takes the first that fits, b2fast the one with most parts.
        ([{'parts': (1,)}, {'parts': (1, 2, 3)}, {'parts': (1, 2)}], {}, (0, [2, 3, 4]), (1, [4])),
        # A wrong part: another file, or sent again.
        ([{'data': bytes(9) + DATA[9:]}], {}, (None, [1, 2, 3, 4]), (0, [1, 3, 4])),
        # Nothing says that it is of the same content.
        ([{'info': INFO, 'parts': ()}], {}, (0, [1, 2, 3, 4]), (None, [1, 2, 3, 4])),
        # Finished, its file info would have a wrong SHA-1.
        ([{'info': {**INFO, 'large_file_sha1': '0' * 40}}], {}, (0, [3, 4]), (None, [1, 2, 3, 4])),
        (
            [{'content_type': 'text/plain'}],
            {'content_type': 'text/html'},
            (0, [3, 4]),
            (None, [1, 2, 3, 4]),
        ),
    ],
    ids=['most parts', 'wrong part', 'no part', 'other SHA-1', 'content type'],
)
def test_differences(
    begun: list[dict[str, Any]],
    wanted: dict[str, Any],
    theirs: tuple[int | None, list[int]],
    ours: tuple[int | None, list[int]],
) -> None:
    for world, expected in zip(both_worlds(), (theirs, ours), strict=True):
        bucket = new_bucket(world)
        ids = [begin(world, bucket, **candidate) for candidate in begun]
        picked, sent = upload(world, bucket, **wanted)
        assert (ids.index(picked) if picked in ids else None, sent) == expected
