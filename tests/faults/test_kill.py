"""Programs that are killed at any moment (SIGKILL): nothing is wrong, and nothing is in the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from ..interrupts import KILLER
from .clients import SEAMS, new_api
from .scenes import OLD, Scene
from .service import BUCKET, PART_SIZE, Service, serving

KILLS = 25
"""How many programs one test kills when they have moved so many bytes; there are two tests for
each direction. As many again meet the signal at a time that may be before, between or after."""

PROGRAM = (
    """
import os, signal, sys
import requests
from b2fast import (
    AbstractProgressListener, B2Api, B2HttpApiConfig, InMemoryAccountInfo, InMemoryCache
)

def new_session():
    return requests.Session()
"""
    + KILLER
    + """
seam, direction, url, key_id, key, bucket_name = sys.argv[1:]
config = B2HttpApiConfig() if seam == 'engine' else B2HttpApiConfig(new_session)
api = B2Api(InMemoryAccountInfo(), InMemoryCache(), api_config=config)
api.authorize_account(key_id, key, url)
bucket = api.get_bucket_by_name(bucket_name)
for line in sys.stdin:
    name, path, moment = line.rstrip('\\n').split('|')
    listener = Killer(int(moment)) if moment else None
    child = os.fork()
    if child:
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
        continue
    if direction == 'up':
        bucket.upload_local_file(path, name, progress_listener=listener)
    else:
        bucket.download_file_by_name(name, listener).save_to(path)
    os._exit(0)
"""
)
"""For each line it reads, a child does a transfer; its process ID and its status are printed.

A number at the end of the line tells how many bytes the child moves before it kills itself.
"""


class Victims:
    """Does transfers in processes that are killed."""

    def __init__(self, service: Service, seam: str, direction: str) -> None:
        account = [service.url, service.key_id, service.key, BUCKET]
        self._process = subprocess.Popen(
            [sys.executable, '-c', PROGRAM, seam, direction, *account],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill_at(self, byte_count: int, name: str, path: Path) -> None:
        """Begin a transfer that is killed when it has moved so many bytes."""
        self._begin(name, path, str(byte_count))
        assert self._read_number() == signal.SIGKILL

    def kill_within(self, random: Random, name: str, path: Path) -> None:
        """Begin a transfer and kill it at a moment of it, or at its end."""
        child = self._begin(name, path, '')
        # Most transfers take some hundredths of a second. The child is not waited for before
        # its status is read, so the ID is its own or that of nobody.
        time.sleep(random.random() ** 2 * 0.1)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        assert self._read_number() in (0, signal.SIGKILL)

    def _begin(self, name: str, path: Path, moment: str) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(f'{name}|{path}|{moment}\n')
        self._process.stdin.flush()
        return self._read_number()

    def _read_number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the program that starts them."""
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0


@contextmanager
def victims(service: Service, seam: str, direction: str) -> Iterator[Victims]:
    started = Victims(service, seam, direction)
    try:
        yield started
    finally:
        started.close()


@pytest.fixture(scope='module')
def service() -> Iterator[Service]:
    with serving() as service:
        yield service


by_seam = pytest.mark.parametrize('seam', SEAMS)


@pytest.mark.timeout(120)
@by_seam
def test_kill_during_uploads(service: Service, tmp_path: Path, seam: str) -> None:
    with victims(service, seam, 'up') as started:
        for number in range(KILLS):
            for counted in (True, False):
                upload_twice(started, service, seam, tmp_path / 'source', number, counted)


def upload_twice(
    started: Victims, service: Service, seam: str, path: Path, number: int, counted: bool
) -> None:
    name = f'up {seam} {number} {counted}'
    random = Random(name)
    content = os.urandom(random.choice([PART_SIZE, 10 * PART_SIZE, 40 * PART_SIZE]) + number)
    path.write_bytes(content)
    old = service.upload(name, OLD)
    if counted:
        started.kill_at(random.randint(0, len(content)), name, path)
    else:
        started.kill_within(random, name, path)
    check_versions(service, name, old, content)
    scene = Scene(service, new_api(service, seam), name, path.parent)
    version = scene.bucket.upload_local_file(path, name)
    assert service.content(version.id_) == content
    check_versions(service, name, old, content)
    for left in service.unfinished(name):
        # Its start may have been on its way when the second upload looked for it.
        assert not counted
        assert service.call('b2_list_parts', fileId=left)['parts'] == []


def check_versions(service: Service, name: str, old: str, content: bytes) -> None:
    """Each version is whole, and the old one is there."""
    # A request that the killed program had sent in full may still be served.
    found = service.versions(name)
    assert found[-1]['fileId'] == old
    for version in found[:-1]:
        assert service.content(version['fileId']) == content
    assert service.content(old) == OLD


@pytest.mark.timeout(120)
@by_seam
def test_kill_during_downloads(service: Service, tmp_path: Path, seam: str) -> None:
    with victims(service, seam, 'down') as started:
        for number in range(KILLS):
            for counted in (True, False):
                directory = tmp_path / f'{number} {counted}'
                directory.mkdir()
                download_twice(started, service, seam, directory, number, counted)


def download_twice(
    started: Victims, service: Service, seam: str, directory: Path, number: int, counted: bool
) -> None:
    name = f'down {seam} {number} {counted}'
    random = Random(name)
    content = os.urandom(random.choice([1000, 1024**2, 6 * 1024**2, 16 * 1024**2]) + number)
    service.upload(name, content)
    target = directory / 'target'
    has_old = random.random() < 0.5
    if has_old:
        target.write_bytes(OLD)
    if counted:
        started.kill_at(random.randint(0, len(content)), name, target)
    else:
        started.kill_within(random, name, target)
    if target.exists():
        assert target.read_bytes() in ((OLD, content) if has_old else (content,))
    else:
        assert not has_old
    scene = Scene(service, new_api(service, seam), name, directory)
    scene.bucket.download_file_by_name(name).save_to(target)
    assert target.read_bytes() == content
    assert os.listdir(directory) == ['target']
