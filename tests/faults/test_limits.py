"""Sizes and names at the limits, up and down."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings, strategies as st

from b2fast import AbstractUploadSource, Bucket
from b2fast.exception import B2Error, MaxFileSizeExceeded

from .clients import SEAMS, new_api
from .scenes import Scene
from .service import PART_SIZE, Service, serving

NAME_BYTES = 1024
"""The most that B2 allows."""


@pytest.fixture(scope='module')
def service() -> Iterator[Service]:
    with serving() as service:
        yield service


@pytest.fixture(params=SEAMS)
def bucket(request: pytest.FixtureRequest, service: Service, tmp_path: Path) -> Bucket:
    return Scene(service, new_api(service, request.param), '', tmp_path).bucket


SIZES = sorted(
    {0, 1}
    | {
        limit + more
        for limit in (PART_SIZE, 2 * PART_SIZE, 3 * PART_SIZE, 10 * PART_SIZE)
        for more in (-1, 0, 1)
    }
)


@pytest.mark.parametrize('size', SIZES)
def test_size_at_a_limit(service: Service, bucket: Bucket, tmp_path: Path, size: int) -> None:
    """Two parts are the least for a large file: a recommended one and a minimum one."""
    path, target = tmp_path / 'source', tmp_path / 'target'
    content = os.urandom(size)
    path.write_bytes(content)
    name = f'size {size}'
    version = bucket.upload_local_file(path, name)
    assert service.content(version.id_) == content
    info = service.call('b2_get_file_info', fileId=version.id_)
    assert (info['contentSha1'] == 'none') is (size >= 2 * PART_SIZE)
    bucket.download_file_by_name(name).save_to(target)
    assert target.read_bytes() == content
    assert service.unfinished(name) == []


@pytest.mark.parametrize('size', [1000, 4 * 1024**2 - 1, 4 * 1024**2, 4 * 1024**2 + 1])
@pytest.mark.parametrize('first', [0, 1])
def test_range_at_a_limit(
    service: Service, bucket: Bucket, tmp_path: Path, size: int, first: int
) -> None:
    """4 MiB are what the core asks for first."""
    content = os.urandom(size)
    id_ = service.upload(f'range {size}', content)
    target = tmp_path / 'target'
    for last in (first, size - 2, size - 1):
        bucket.api.download_file_by_id(id_, range_=(first, last)).save_to(target)
        assert target.read_bytes() == content[first : last + 1]


class Endless(AbstractUploadSource):
    """Says that it has so many bytes, and is not to be read."""

    def __init__(self, size: int) -> None:
        self.size = size

    def get_content_length(self) -> int:
        return self.size

    def get_content_sha1(self) -> str | None:
        return None

    def open(self) -> object:  # type: ignore[override]
        raise AssertionError('read')


@pytest.mark.parametrize('size', [10 * 1000**4 + 1, 10**18])
def test_file_that_is_too_large_is_refused_before_it_is_read(bucket: Bucket, size: int) -> None:
    with pytest.raises(MaxFileSizeExceeded):
        bucket.upload(Endless(size), 'name')


def test_no_file_needs_more_than_ten_thousand_parts(service: Service, tmp_path: Path) -> None:
    """Parts grow until they are few enough; 10,001 of the recommended size become 10,000."""
    with serving(part_size=1) as small:
        bucket = Scene(small, new_api(small, 'engine'), '', tmp_path).bucket
        path = tmp_path / 'source'
        content = os.urandom(10_001)
        path.write_bytes(content)
        version = bucket.upload_local_file(path, 'name')
        assert small.content(version.id_) == content


LEGAL = st.text(
    st.characters(exclude_categories=('Cs',), exclude_characters='\x7f\\').filter(
        lambda character: ord(character) >= 32
    ),
    min_size=1,
    max_size=NAME_BYTES,
)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(LEGAL)
@example(''.join(map(chr, [*range(32, 92), *range(93, 127)])).replace('//', '/'))
@example('?a=b&c#d%20+;:@,!$')
@example('a' * 250 + '/' + 'b' * 250)
@example('\u0080\u0085\u00a0\u2028\ufeff\uffff\U0010ffff')
@example(' begins and ends with a blank ')
@example('../../etc/passwd')
@example('.')
@example('..')
@example('a/./b/../c')
@example('%2e%2e')
@example('e\u0301 \u00e9')
def test_legal_name(service: Service, bucket: Bucket, tmp_path: Path, name: str) -> None:
    assume(len(name.encode()) <= NAME_BYTES)
    assume(not name.startswith('/'))
    assume(not name.endswith('/'))
    assume('//' not in name)
    assume(all(len(segment.encode()) <= 250 for segment in name.split('/')))
    content = name.encode()
    version = bucket.upload_bytes(content, name)
    assert service.call('b2_get_file_info', fileId=version.id_)['fileName'] == name
    target = tmp_path / 'target'
    opened = bucket.download_file_by_name(name)
    assert opened.download_version.file_name == name
    opened.save_to(target)
    assert target.read_bytes() == content
    assert bucket.get_file_info_by_name(name).id_ == version.id_
    assert name in [found.file_name for found in bucket.list_file_versions(name)]


@pytest.mark.parametrize('letter', ['a', 'é', '€', '𝄞'])
def test_name_of_so_many_bytes(bucket: Bucket, tmp_path: Path, letter: str) -> None:
    width = len(letter.encode())
    segment = letter * (248 // width) + '/'
    name = segment * 5
    name = name.encode()[: NAME_BYTES - 8].decode(errors='ignore').rstrip('/')
    name += 'x' * (NAME_BYTES - len(name.encode()))
    assert len(name.encode()) == NAME_BYTES
    bucket.upload_bytes(b'x', name)
    target = tmp_path / 'target'
    bucket.download_file_by_name(name).save_to(target)
    assert target.read_bytes() == b'x'
    with pytest.raises(B2Error):
        bucket.upload_bytes(b'x', name + 'x')
