"""Faults of this machine: full disks, targets that cannot be written, sources that change."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from b2fast import AbstractProgressListener, Bucket
from b2fast.exception import B2Error, LocalFileError, SourceChanged
from b2fast.simulator import Fault

from ..helpers import no_file_longer_than
from .clients import SEAMS, new_api, no_descriptor_left
from .scenes import OLD, Scene
from .service import PART_SIZE, Service, serving

SMALL = PART_SIZE
LARGE = 4 * PART_SIZE
sizes = pytest.mark.parametrize('size', [SMALL, LARGE], ids=['small', 'large'])
lengths = pytest.mark.parametrize('size', [300_000, 6 * 1024**2], ids=['one', 'many streams'])


@pytest.fixture(scope='module')
def service() -> Iterator[Service]:
    with serving() as service:
        yield service


@pytest.fixture(params=SEAMS)
def bucket(request: pytest.FixtureRequest, service: Service, tmp_path: Path) -> Bucket:
    return Scene(service, new_api(service, request.param), '', tmp_path).bucket


class At(AbstractProgressListener):
    """Does something when the first bytes have moved."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act: Callable[[], object] | None = act

    def set_total_bytes(self, total_byte_count: int) -> None:
        """It does not matter."""

    def bytes_completed(self, byte_count: int) -> None:
        if self._act is not None and byte_count:
            act, self._act = self._act, None
            act()


def grow(path: Path) -> None:
    with path.open('ab') as file:
        file.write(b'more')


def shrink(path: Path) -> None:
    os.truncate(path, 10)


def rewrite(path: Path) -> None:
    size = path.stat().st_size
    path.write_bytes(bytes(size))
    os.utime(path, ns=(1, 1))


@sizes
@pytest.mark.parametrize('change', [grow, shrink, rewrite])
def test_source_that_changes_while_it_is_read(
    service: Service, bucket: Bucket, tmp_path: Path, size: int, change: Callable[[Path], None]
) -> None:
    """Where the change is seen only at the end, what was sent before is one state of the file."""
    path = tmp_path / 'source'
    content = os.urandom(size)
    path.write_bytes(content)
    name = f'{change.__name__} {size} {bucket.api.session.transfer_engine(1) is None}'
    # Time to hear of the progress, whatever the speed.
    service.inject(Fault(call='b2_upload_*', delay=0.5))
    with pytest.raises(SourceChanged) as caught:
        bucket.upload_local_file(path, name, progress_listener=At(lambda: change(path)))
    assert str(path) in str(caught.value)
    assert all(service.content(found['fileId']) == content for found in service.versions(name))
    assert bucket.upload_local_file(path, name).size == path.stat().st_size


@sizes
def test_source_that_vanishes_is_read_to_its_end_or_refused(
    service: Service, bucket: Bucket, tmp_path: Path, size: int
) -> None:
    path = tmp_path / 'source'
    content = os.urandom(size)
    path.write_bytes(content)
    name = f'vanishes {size} {bucket.api.session.transfer_engine(1) is None}'
    with suppress(FileNotFoundError, SourceChanged):
        bucket.upload_local_file(path, name, progress_listener=At(path.unlink))
    assert all(service.content(found['fileId']) == content for found in service.versions(name))
    with pytest.raises(B2Error):
        bucket.upload_local_file(path, name)


def test_source_that_may_not_be_read(
    bucket: Bucket,
    shared_directory: Path,
    without_privileges: Callable[[], AbstractContextManager[None]],
) -> None:
    path = shared_directory / 'source'
    path.write_bytes(b'x')
    bucket.upload_local_file(path, 'unreadable')
    path.chmod(0)
    with without_privileges(), pytest.raises(PermissionError):
        bucket.upload_local_file(path, 'unreadable')


@pytest.mark.parametrize('path', ['/dev/null', '/'])
def test_source_that_is_no_ordinary_file(bucket: Bucket, path: str) -> None:
    with pytest.raises((B2Error, OSError)):
        bucket.upload_local_file(path, 'no file')
    assert [version.size for version, _ in bucket.ls('no file')] == []


@lengths
def test_disk_that_becomes_full(
    service: Service, bucket: Bucket, tmp_path: Path, size: int
) -> None:
    """A limit on the length of files stands for a full disk; it needs no rights."""
    service.upload('full', os.urandom(size))
    directory = tmp_path / 'directory'
    directory.mkdir()
    target = directory / 'target'
    target.write_bytes(OLD)
    bucket.download_file_by_name('full').save_to(directory / 'first')
    (directory / 'first').unlink()
    with no_descriptor_left(), no_file_longer_than(size - 1000):
        with pytest.raises(LocalFileError) as caught:
            bucket.download_file_by_name('full').save_to(target)
        assert caught.value.errno == errno.EFBIG
        assert caught.value.filename == str(target)
    assert target.read_bytes() == OLD
    assert os.listdir(directory) == ['target']


def test_device_that_is_full(service: Service, bucket: Bucket) -> None:
    service.upload('full device', os.urandom(100_000))
    with pytest.raises(LocalFileError) as caught:
        bucket.download_file_by_name('full device').save_to('/dev/full')
    assert caught.value.errno == errno.ENOSPC


@lengths
def test_directory_that_is_not_to_be_written(
    service: Service,
    bucket: Bucket,
    shared_directory: Path,
    without_privileges: Callable[[], AbstractContextManager[None]],
    size: int,
) -> None:
    service.upload('read-only', os.urandom(size))
    target = shared_directory / 'target'
    target.write_bytes(OLD)
    bucket.download_file_by_name('read-only').save_to(shared_directory / 'first')
    (shared_directory / 'first').unlink()
    shared_directory.chmod(0o555)
    opened = bucket.download_file_by_name('read-only')
    with without_privileges(), pytest.raises(PermissionError) as caught:
        opened.save_to(target)
    assert isinstance(caught.value, B2Error)
    assert target.read_bytes() == OLD
    assert os.listdir(shared_directory) == ['target']


@pytest.mark.parametrize(
    ('place', 'error'),
    [
        ('', IsADirectoryError),
        ('file/target', NotADirectoryError),
        ('missing/target', FileNotFoundError),
        ('n' * 300, OSError),
    ],
)
def test_place_where_no_file_can_be(
    service: Service, bucket: Bucket, tmp_path: Path, place: str, error: type[Exception]
) -> None:
    service.upload('no place', b'x')
    (tmp_path / 'file').write_bytes(OLD)
    opened = bucket.download_file_by_name('no place')
    with pytest.raises(error) as caught:
        opened.save_to(tmp_path / place)
    assert isinstance(caught.value, B2Error)
    assert os.listdir(tmp_path) == ['file']
    assert (tmp_path / 'file').read_bytes() == OLD


def test_file_system_that_takes_no_files(service: Service, bucket: Bucket) -> None:
    """/proc refuses them, to root as well."""
    service.upload('no place', b'x')
    opened = bucket.download_file_by_name('no place')
    with pytest.raises(OSError) as caught:  # noqa: PT011
        opened.save_to('/proc/self/target')
    assert isinstance(caught.value, B2Error)
