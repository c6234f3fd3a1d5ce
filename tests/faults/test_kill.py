"""Programs that are killed at any moment (SIGKILL): nothing is wrong, and nothing is in the way."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
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
import sys
import requests
from b2fast import B2Api, B2HttpApiConfig, InMemoryAccountInfo, InMemoryCache

def new_session():
    return requests.Session()

seam, direction, url, key_id, key, bucket_name, name, path = sys.argv[1:]
config = B2HttpApiConfig() if seam == 'engine' else B2HttpApiConfig(new_session)
api = B2Api(InMemoryAccountInfo(), InMemoryCache(), api_config=config)
api.authorize_account(key_id, key, url)
bucket = api.get_bucket_by_name(bucket_name)
print('ready', flush=True)
if direction == 'up':
    bucket.upload_local_file(path, name)
else:
    bucket.download_file_by_name(name).save_to(path)
print('done', flush=True)
"""


@pytest.fixture(scope='module')
def service() -> Iterator[Service]:
    with serving() as service:
        yield service


def kill_within(service: Service, random: Random, *args: str | Path) -> None:
    """Begin a transfer in another process and kill it at a moment of it, or at its end."""
    process = subprocess.Popen(
        [sys.executable, '-c', PROGRAM, *map(str, args)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b'ready\n'
        # Most transfers take some hundredths of a second here.
        select.select([process.stdout], [], [], random.random() ** 2 * 0.15)
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) in (0, -signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()


def arguments(service: Service, seam: str, direction: str) -> list[str]:
    return [seam, direction, service.url, service.key_id, service.key, BUCKET]


def rounds() -> pytest.MarkDecorator:
    first = [number for number in range(0, MOMENTS, CHILDREN)]
    return pytest.mark.parametrize(('seam', 'first'), list(zip(SEAMS, first, strict=True)))


@pytest.mark.timeout(120)
@rounds()
def test_kill_during_uploads(service: Service, tmp_path: Path, seam: str, first: int) -> None:
    path = tmp_path / 'source'
    for seed in range(first, first + CHILDREN):
        random = Random(f'up {seed}')
        name = f'up {seed}'
        content = os.urandom(random.choice([PART_SIZE, 10 * PART_SIZE, 40 * PART_SIZE]) + seed)
        path.write_bytes(content)
        old = service.upload(name, OLD)
        kill_within(service, random, *arguments(service, seam, 'up'), name, path)
        check_versions(service, name, old, content)
        scene = Scene(service, new_api(service, seam), name, tmp_path)
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
    for seed in range(first, first + CHILDREN):
        random = Random(f'down {seed}')
        name = f'down {seed}'
        content = os.urandom(random.choice([1000, 1024**2, 6 * 1024**2, 16 * 1024**2]) + seed)
        service.upload(name, content)
        directory = tmp_path / str(seed)
        directory.mkdir()
        target = directory / 'target'
        has_old = random.random() < 0.5
        if has_old:
            target.write_bytes(OLD)
        kill_within(service, random, *arguments(service, seam, 'down'), name, target)
        if target.exists():
            assert target.read_bytes() in ((OLD, content) if has_old else (content,))
        else:
            assert not has_old
        scene = Scene(service, new_api(service, seam), name, directory)
        scene.bucket.download_file_by_name(name).save_to(target)
        assert target.read_bytes() == content
