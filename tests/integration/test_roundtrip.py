"""The demo's phases notice what is not as it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from b2fast import B2Api, Bucket, InMemoryAccountInfo
from b2fast.cli.local_files import LocalFile, find_files
from b2fast.cli.roundtrip import RoundTrip
from b2fast.simulator import SimulatorServer


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with SimulatorServer() as server:
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(server.key_id, server.key, realm=server.url)
        yield api.create_bucket('roundtrip', 'allPrivate')


@pytest.fixture
def files(tmp_path: Path) -> list[LocalFile]:
    source = tmp_path / 'source'
    source.mkdir()
    (source / 'one').write_bytes(b'1' * 1000)
    (source / 'two').write_bytes(b'2' * 2000)
    found, _ = find_files(source, 'x/')
    return found


@pytest.fixture
def trip(bucket: Bucket, tmp_path: Path) -> RoundTrip:
    (tmp_path / 'download').mkdir()
    return RoundTrip(bucket, tmp_path / 'download', workers=2)


def test_all_is_well(trip: RoundTrip, files: list[LocalFile]) -> None:
    up, listing, down, comparison = (
        trip.upload('up', files),
        trip.list(files),
        trip.download('down', files),
        trip.compare(files),
    )
    for phase in (up, down, comparison):
        assert phase.byte_count == 3000
    for phase in (up, listing, down, comparison):
        assert phase.failures == {}
        assert phase.files == 2
        assert phase.seconds > 0
        assert phase.cpu_seconds > 0


def test_a_changed_byte_is_a_failure(
    trip: RoundTrip, files: list[LocalFile], tmp_path: Path
) -> None:
    trip.upload('up', files)
    trip.download('down', files)
    fetched = tmp_path / 'download' / 'x' / 'two'
    content = bytearray(fetched.read_bytes())
    content[1234] ^= 1
    fetched.write_bytes(content)
    phase = trip.compare(files)
    assert phase.failures == {'x/two': 'differs from its source at byte 1234'}
    assert (phase.files, phase.byte_count) == (1, 1000)


def test_the_listing_has_to_have_what_was_sent_and_nothing_else(
    trip: RoundTrip, files: list[LocalFile], bucket: Bucket
) -> None:
    trip.upload('up', files)
    bucket.hide_file('x/one')
    bucket.upload_bytes(b'', 'stranger')
    bucket.upload_bytes(b'short', 'x/two')
    assert trip.list(files).failures.keys() == {'x/one', 'x/two', 'stranger'}


def test_a_file_that_is_gone_fails_alone(
    trip: RoundTrip, files: list[LocalFile], tmp_path: Path
) -> None:
    files[0].path.unlink()
    phase = trip.upload('up', files)
    assert phase.failures.keys() == {'x/one'}
    assert phase.files == 1


def test_a_hostile_name_is_not_written(
    trip: RoundTrip, files: list[LocalFile], bucket: Bucket, tmp_path: Path
) -> None:
    bucket.upload_bytes(b'gotcha', '../outside')
    hostile = LocalFile('../outside', files[0].path, 6)
    assert trip.download('down', [hostile]).failures.keys() == {'../outside'}
    assert not (tmp_path / 'outside').exists()
