"""Local files that change between the scan of a sync and their transfer, and what is in its way."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    B2Folder,
    KeepOrDeleteMode,
    LocalFolder,
    LocalPath,
    Synchronizer,
    UploadMode,
)
from b2fast.exception import B2Error, IncompleteSync

from .clients import SEAMS, new_api
from .service import BUCKET, PART_SIZE, Service, serving
from .test_sync_random import NEW, NOW, OLD, read, visible, write

DELETE = KeepOrDeleteMode.DELETE
SMALL, LARGE = 1000, 3 * PART_SIZE


@pytest.fixture(scope='module')
def service() -> Iterator[Service]:
    with serving() as service:
        yield service


@pytest.fixture(params=SEAMS)
def folder(request: pytest.FixtureRequest, service: Service) -> B2Folder:
    return B2Folder(BUCKET, request.node.name, new_api(service, request.param))


class Changing(LocalFolder):
    """Changes a file when it has found it, before anybody else knows of it."""

    def __init__(self, root: Path, name: str, change: Callable[[Path], object]) -> None:
        super().__init__(root)
        self.name = name
        self.change = change

    def all_files(self, *args: Any) -> Iterator[LocalPath]:
        for found in super().all_files(*args):
            if found.relative_path == self.name:
                self.change(Path(found.absolute_path))
            yield found


def vanish(path: Path) -> None:
    path.unlink()


def grow(path: Path) -> None:
    with path.open('ab') as file:
        file.write(b'more')


def shrink(path: Path) -> None:
    os.truncate(path, 10)


def become_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_a_socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as made:
        directory = os.open(path.parent, os.O_RDONLY)
        # The path may be too long for a socket.
        made.bind(f'/proc/self/fd/{directory}/{path.name}')
        os.close(directory)


def become_a_broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to('nowhere')


CHANGES = [
    *(vanish, grow, shrink, become_a_directory, become_a_pipe, become_a_socket),
    become_a_broken_link,
]


@pytest.mark.parametrize('change', CHANGES)
@pytest.mark.parametrize('size', [SMALL, LARGE], ids=['small', 'large'])
@pytest.mark.parametrize('mode', [UploadMode.FULL, UploadMode.INCREMENTAL])
def test_source_that_changes_after_the_scan(
    service: Service,
    folder: B2Folder,
    tmp_path: Path,
    change: Callable[[Path], object],
    size: int,
    mode: UploadMode,
) -> None:
    """It is told, or stored as it is; the old version stays until then, and the rest is done."""
    old, new = {'b': b'x' * (size - 100), 'unwanted': b''}, {'a': b'1', 'b': b'x' * size, 'c': b'3'}
    write(tmp_path / 'old', old, OLD)
    Synchronizer(1).sync_folders(LocalFolder(tmp_path / 'old'), folder, NOW, None)
    write(tmp_path / 'new', new, NEW)
    source = Changing(tmp_path / 'new', 'b', change)
    synchronizer = Synchronizer(
        2, keep_days_or_delete=DELETE, upload_mode=mode, absolute_minimum_part_size=PART_SIZE
    )
    failed: IncompleteSync | None = None
    try:
        synchronizer.sync_folders(source, folder, NOW, None)
    except IncompleteSync as incomplete:
        failed = incomplete
    expected = {'a': b'1', 'b': old['b'], 'c': b'3'}
    if change in (grow, shrink) and failed is None:
        expected['b'] = (tmp_path / 'new/b').read_bytes()
    else:
        assert failed is not None
        (failure,) = failed.failures
        assert (failure.path, failure.action) == ('b', 'upload')
        assert isinstance(failure.error, B2Error)
        assert str(tmp_path / 'new/b') in str(failure)
    assert visible(service, folder.prefix) == expected


@pytest.mark.parametrize('change', CHANGES)
def test_destination_that_changes_after_the_scan(
    service: Service, folder: B2Folder, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    """What is in the place of a file is replaced, but for a directory."""
    write(tmp_path / 'source', {'a': b'1', 'b': b'new', 'c': b'3'}, NEW)
    Synchronizer(1).sync_folders(LocalFolder(tmp_path / 'source'), folder, NOW, None)
    target = tmp_path / 'target'
    write(target, {'b': b'older', 'unwanted': b''}, OLD)
    dest = Changing(target, 'b', change)
    synchronizer = Synchronizer(2, keep_days_or_delete=DELETE)
    if change is become_a_directory:
        with pytest.raises(IncompleteSync) as caught:
            synchronizer.sync_folders(folder, dest, NOW, None)
        assert [failure.path for failure in caught.value.failures] == ['b']
        assert read(target) == {'a': b'1', 'c': b'3'}
    else:
        synchronizer.sync_folders(folder, dest, NOW, None)
        assert read(target) == {'a': b'1', 'b': b'new', 'c': b'3'}
    assert not (target / 'nowhere').exists()


@pytest.mark.parametrize('change', [become_a_directory, become_a_pipe, vanish, grow])
def test_unwanted_file_that_changes_after_the_scan(
    service: Service, folder: B2Folder, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    write(tmp_path / 'source', {'a': b'1'}, NEW)
    Synchronizer(1).sync_folders(LocalFolder(tmp_path / 'source'), folder, NOW, None)
    target = tmp_path / 'target'
    write(target, {'unwanted': b'2', 'unwanted too': b'3'}, OLD)
    synchronizer = Synchronizer(2, keep_days_or_delete=DELETE)
    dest = Changing(target, 'unwanted', change)
    if change is become_a_directory:
        with pytest.raises(IncompleteSync) as caught:
            synchronizer.sync_folders(folder, dest, NOW, None)
        ((path, action),) = [(it.path, it.action) for it in caught.value.failures]
        assert (path, action) == ('unwanted', 'delete')
    else:
        synchronizer.sync_folders(folder, dest, NOW, None)
    assert read(target) == {'a': b'1'}
    assert os.path.lexists(target / 'unwanted') is (change is become_a_directory)


def test_links_of_the_destination_that_lead_out(
    service: Service, folder: B2Folder, tmp_path: Path
) -> None:
    names = ['file-link', 'link/a', 'link/new/b', 'in/link/c', 'plain', 'broken/d']
    write(tmp_path / 'source', dict.fromkeys(names, b'new'), NEW)
    Synchronizer(1).sync_folders(LocalFolder(tmp_path / 'source'), folder, NOW, None)
    outside, target = tmp_path / 'outside', tmp_path / 'target'
    kept = {'a': b'here', 'file': b'here', 'unwanted': b'here'}
    write(outside, kept, OLD)
    write(target, {'in/unwanted': b''}, OLD)
    (target / 'file-link').symlink_to(outside / 'file')
    (target / 'link').symlink_to(outside)
    (target / 'in/link').symlink_to(outside)
    (target / 'broken').symlink_to(tmp_path / 'nowhere')
    with pytest.raises(IncompleteSync) as caught:
        Synchronizer(2, keep_days_or_delete=DELETE).sync_folders(
            folder, LocalFolder(target), NOW, None
        )
    assert read(outside) == kept
    assert not (tmp_path / 'nowhere').exists()
    assert {failure.path for failure in caught.value.failures} == {
        *('link/a', 'link/new/b', 'in/link/c', 'broken/d', str(target / 'broken')),
    }
    assert (target / 'plain').read_bytes() == b'new'
    assert (target / 'file-link').read_bytes() == b'new'
    assert not (target / 'file-link').is_symlink()
    assert (target / 'in/unwanted').exists()
