"""Syncs under faults at random: what is not as it should be is told, and nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from b2fast import (
    B2Folder,
    KeepOrDeleteMode,
    LocalFolder,
    RetryPolicy,
    Synchronizer,
)
from b2fast.exception import B2Error, IncompleteSync

from .clients import SEAMS, new_api, no_descriptor_left, no_thread_left, quick_collections
from .service import BUCKET, PART_SIZE, Service, serving
from .test_random import POLICY, TIMEOUTS, fault_of

NOW = 1_700_000_000_000
OLD, NEW = 1_500_000_000, 1_600_000_000
RUNS = 60
BATCH = 15

CALLS = [
    *('b2_list_file_versions', 'b2_upload_*', 'b2_download_*', 'b2_delete_file_version'),
    *('b2_hide_file', 'b2_get_upload_url', 'b2_*_large_file', 'b2_copy_file', '*'),
]
HURRIED = RetryPolicy(attempts=2, first_delay=0.001, max_delay=0.002, deadline=60)
"""So that a fault is an error as often as not."""

Versions = dict[str, list[bytes]]
"""The contents of all versions, newest first; the empty hide markers are left out."""


@pytest.fixture(scope='module')
def service() -> Iterator[Service]:
    with serving() as service, no_thread_left(), quick_collections():
        yield service


def files_of(random: Random, kind: str) -> dict[str, bytes]:
    names = ['a', 'a.txt', 'b/c', 'b/d/e', 'f', 'g/h', 'é', 'large']
    return {
        f'{name}-{kind}': random.randbytes(
            3 * PART_SIZE if name == 'large' else random.choice([0, 1, 1000, PART_SIZE])
        )
        for name in names
        if random.random() < 0.7
    }


def write(root: Path, files: dict[str, bytes], modified: int) -> None:
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (modified, modified))


def read(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob('*')
        if path.is_file() and not path.name.endswith(('.b2fast-part', '.b2fast-journal'))
    }


def stored(service: Service, prefix: str) -> Versions:
    found: Versions = {}
    for version in service.versions(prefix):
        if version['action'] == 'upload':
            name = version['fileName'].removeprefix(prefix)
            found.setdefault(name, []).append(service.content(version['fileId']))
    return found


def visible(service: Service, prefix: str) -> dict[str, bytes]:
    newest: dict[str, Any] = {}
    for version in service.versions(prefix):
        newest.setdefault(version['fileName'].removeprefix(prefix), version)
    return {
        name: service.content(version['fileId'])
        for name, version in newest.items()
        if version['action'] == 'upload'
    }


class SmallPages(B2Folder):
    """Listed in pages so small that a fault may come after some of them."""

    def get_file_versions(self) -> Iterator[Any]:
        for version, _ in self.bucket.ls(
            self.prefix, latest_only=False, recursive=True, fetch_count=3
        ):
            yield version


class Run:
    """One sync of a folder in which some files are new, some changed, and some unwanted."""

    def __init__(self, service: Service, seam: str, directory: Path, seed: int) -> None:
        random = Random(f'sync {seam} {seed}')
        self.service = service
        self.seam = seam
        self.seed = seed
        self.way = random.choice(['up', 'down', 'copy'])
        modes = ['DELETE', 'NO_DELETE'] + ['KEEP_BEFORE_DELETE'] * (self.way != 'down')
        self.mode = KeepOrDeleteMode[random.choice(modes)]
        self.new, self.unwanted = files_of(random, 'new'), files_of(random, 'unwanted')
        self.changed = files_of(random, 'changed')
        self.old = {name: b'old ' + content for name, content in self.changed.items()}
        self.same = files_of(random, 'same')
        self.faults = [fault_of(random, CALLS) for _ in range(random.randint(1, 3))]
        self.policy = random.choice([POLICY, HURRIED])
        self.here, self.prefix = directory / 'here', f'{seam} {seed}/'
        self.wanted = self.new | self.changed | self.same
        self.broken = self.here / 'm-broken'
        self.is_broken = random.random() < 0.3

    def prepare(self) -> None:
        """Make both folders."""
        api = new_api(self.service, 'engine')
        source, dest = (self.here, self.here.with_name('there'))
        for root, files in ((source, self.changed | self.new), (dest, self.old | self.unwanted)):
            write(root, files, NEW if root is source else OLD)
            write(root, self.same, OLD)
        for root, place, is_needed in (
            (source, 'source', self.way != 'up'),
            (dest, 'dest', self.way != 'down'),
        ):
            if is_needed:
                folder = B2Folder(BUCKET, f'{self.prefix}{place}', api)
                Synchronizer(4, allow_empty_source=True).sync_folders(
                    LocalFolder(root), folder, NOW, None
                )

        if self.is_broken:
            self.broken.symlink_to('nowhere')

    def folders(self, policy: RetryPolicy) -> tuple[Any, Any]:
        """The source and the destination, with a client of their own."""
        api = new_api(self.service, self.seam, TIMEOUTS, policy)
        stored = [SmallPages(BUCKET, f'{self.prefix}{place}', api) for place in ('source', 'dest')]
        local = LocalFolder(self.here), LocalFolder(self.here.with_name('there'))
        return (
            local[0] if self.way == 'up' else stored[0],
            local[1] if self.way == 'down' else stored[1],
        )

    def sync(self, folders: tuple[Any, Any]) -> B2Error | None:
        """Sync; the error."""
        synchronizer = Synchronizer(
            3, allow_empty_source=True, keep_days_or_delete=self.mode, keep_days=self._days()
        )
        try:
            synchronizer.sync_folders(*folders, NOW, None)
        except B2Error as error:
            return error.with_traceback(None)
        return None

    def _days(self) -> int | None:
        return 100_000 if self.mode is KeepOrDeleteMode.KEEP_BEFORE_DELETE else None

    def destination(self) -> dict[str, bytes]:
        """What is visible there."""
        if self.way == 'down':
            return read(self.here.with_name('there'))
        return visible(self.service, f'{self.prefix}dest/')

    def check(self, error: B2Error | None) -> None:
        """What is there fits what was told."""
        here = self.destination()
        failures = error.failures if isinstance(error, IncompleteSync) else []
        failed = {failure.path for failure in failures}
        assert self.same.items() <= here.items()
        for name, content in (self.new | self.changed).items():
            if error is None or (isinstance(error, IncompleteSync) and name not in failed):
                assert here[name] == content, name
            elif name in self.changed:
                # An upload may have been done though its answer was lost.
                assert here[name] in (content, self.old[name]), name
            else:
                assert here.get(name, content) == content, name
        kept = self.unwanted.keys() & here.keys()
        assert all(here[name] == self.unwanted[name] for name in kept)
        scan_failed = self.way == 'up' and self.broken.is_symlink()
        if scan_failed and isinstance(error, IncompleteSync):
            (failure,) = (failure for failure in failures if failure.action == 'scan')
            assert failure.path == str(self.broken)
        else:
            assert all(failure.action != 'scan' for failure in failures)
        if (
            self.mode is KeepOrDeleteMode.NO_DELETE
            or scan_failed
            or (error is not None and not isinstance(error, IncompleteSync))
        ):
            assert kept == self.unwanted.keys()
            self._check_old_versions()
        else:
            assert kept <= failed
        assert set(here) <= self.wanted.keys() | self.unwanted.keys()
        if self.way == 'up':
            assert read(self.here) == self.wanted
        else:
            assert visible(self.service, f'{self.prefix}source/') == self.wanted

    def _check_old_versions(self) -> None:
        if self.way != 'down':
            versions = stored(self.service, f'{self.prefix}dest/')
            for name, content in self.old.items():
                assert content in versions[name], name


@pytest.mark.timeout(200)
@pytest.mark.parametrize('first', range(0, RUNS, BATCH))
@pytest.mark.parametrize('seam', SEAMS)
def test_random_faults(service: Service, tmp_path: Path, seam: str, first: int) -> None:
    for seed in range(first, first + BATCH):
        directory = tmp_path / str(seed)
        directory.mkdir()
        try:
            run = Run(service, seam, directory, seed)
            run.prepare()
            with no_descriptor_left():
                folders = run.folders(run.policy)
                service.inject(*run.faults, seed=seed)
                error = run.sync(folders)
                service.renew()
                run.check(error)
                # When all is well again, the next sync does the rest.
                run.broken.unlink(missing_ok=True)
                folders = run.folders(POLICY)
                assert run.sync(folders) is None
                del folders, error
                run.check(None)
        except BaseException as failure:
            failure.add_note(f'the seed is {seed}: Run(service, {seam!r}, ..., {seed})')
            raise
