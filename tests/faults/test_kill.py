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

from .clients import SEAMS, new_api
from .scenes import OLD, Scene
from .service import BUCKET, PART_SIZE, Service, serving

MOMENTS = 50
"""How many programs are killed in each direction."""

CHILDREN = 25
"""How many of them one test kills."""

PROGRAM = """
import os, sys
import requests
from b2fast import B2Api, B2HttpApiConfig, InMemoryAccountInfo, InMemoryCache

def new_session():
    return requests.Session()

seam, direction, url, key_id, key, bucket_name = sys.argv[1:]
config = B2HttpApiConfig() if seam == 'engine' else B2HttpApiConfig(new_session)
api = B2Api(InMemoryAccountInfo(), InMemoryCache(), api_config=config)
api.authorize_account(key_id, key, url)
bucket = api.get_bucket_by_name(bucket_name)
for line in sys.stdin:
    name, path = line.rstrip().split('|')
    child = os.fork()
    if child:
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
        continue
    if direction == 'up':
        bucket.upload_local_file(path, name)
    else:
        bucket.download_file_by_name(name).save_to(path)
    os._exit(0)
"""
"""For each line it reads, a child does a transfer; its process ID and its status are printed."""


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

    def kill_within(self, random: Random, name: str, path: Path) -> None:
        """Begin a transfer and kill it at a moment of it, or at its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f'{name}|{path}\n')
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        # Most transfers take some hundredths of a second. The child is not waited for before
        # its status is read, so the ID is its own or that of nobody.
        time.sleep(random.random() ** 2 * 0.1)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        assert int(self._process.stdout.readline()) in (0, signal.SIGKILL)

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


def rounds() -> pytest.MarkDecorator:
    firsts = range(0, MOMENTS, CHILDREN)
    return pytest.mark.parametrize(('seam', 'first'), list(zip(SEAMS, firsts, strict=True)))


@pytest.mark.timeout(120)
@rounds()
def test_kill_during_uploads(service: Service, tmp_path: Path, seam: str, first: int) -> None:
    with victims(service, seam, 'up') as started:
        for seed in range(first, first + CHILDREN):
            upload_twice(started, service, seam, tmp_path / 'source', seed)


def upload_twice(started: Victims, service: Service, seam: str, path: Path, seed: int) -> None:
    random = Random(f'up {seed}')
    name = f'up {seed}'
    content = os.urandom(random.choice([PART_SIZE, 10 * PART_SIZE, 40 * PART_SIZE]) + seed)
    path.write_bytes(content)
    old = service.upload(name, OLD)
    started.kill_within(random, name, path)
    check_versions(service, name, old, content)
    scene = Scene(service, new_api(service, seam), name, path.parent)
    version = scene.bucket.upload_local_file(path, name)
    assert service.content(version.id_) == content
    check_versions(service, name, old, content)


def check_versions(service: Service, name: str, old: str, content: bytes) -> None:
    """Each version is whole, and the old one is there."""
    # A request that the killed program had sent in full may still be served.
    found = service.versions(name)
    assert found[-1]['fileId'] == old
    for version in found[:-1]:
        assert service.content(version['fileId']) == content
    assert service.content(old) == OLD


@pytest.mark.timeout(120)
@rounds()
def test_kill_during_downloads(service: Service, tmp_path: Path, seam: str, first: int) -> None:
    with victims(service, seam, 'down') as started:
        for seed in range(first, first + CHILDREN):
            directory = tmp_path / str(seed)
            directory.mkdir()
            download_twice(started, service, seam, directory, seed)


def download_twice(
    started: Victims, service: Service, seam: str, directory: Path, seed: int
) -> None:
    random = Random(f'down {seed}')
    name = f'down {seed}'
    content = os.urandom(random.choice([1000, 1024**2, 6 * 1024**2, 16 * 1024**2]) + seed)
    service.upload(name, content)
    target = directory / 'target'
    has_old = random.random() < 0.5
    if has_old:
        target.write_bytes(OLD)
    started.kill_within(random, name, target)
    if target.exists():
        assert target.read_bytes() in ((OLD, content) if has_old else (content,))
    else:
        assert not has_old
    scene = Scene(service, new_api(service, seam), name, directory)
    scene.bucket.download_file_by_name(name).save_to(target)
    assert target.read_bytes() == content
