"""rclone against the simulator: its B2 backend calls version 1 and authorizes by GET."""

from __future__ import annotations

import filecmp
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2fast.simulator import Fault, SimulatorServer

RCLONE = shutil.which('rclone')

pytestmark = pytest.mark.rclone


class Rclone:
    def __init__(self, server: SimulatorServer) -> None:
        self._environment = {
            'PATH': os.defpath,
            'RCLONE_CONFIG': os.devnull,
            'RCLONE_CONFIG_SIM_TYPE': 'b2',
            'RCLONE_CONFIG_SIM_ENDPOINT': server.url,
            'RCLONE_CONFIG_SIM_ACCOUNT': server.key_id,
            'RCLONE_CONFIG_SIM_KEY': server.key,
            'RCLONE_CONFIG_SIM_UPLOAD_CUTOFF': '5M',
            'RCLONE_CONFIG_SIM_CHUNK_SIZE': '5M',
        }

    def __call__(self, *arguments: str | Path) -> str:
        done = subprocess.run(
            [str(RCLONE), '--retries=1', *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        yield server


@pytest.fixture
def rclone(server: SimulatorServer) -> Rclone:
    return Rclone(server)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    numbers = random.Random(7)
    root = tmp_path / 'tree'
    names = ['empty', 'text.txt', 'a/b/c d+é%.bin', 'a/b/#&?', 'z/\U0001f600']
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(numbers.randbytes(0 if name == 'empty' else 5000))
    (root / 'large.bin').write_bytes(numbers.randbytes(13_000_001))
    return root


def assert_equal_trees(one: Path, two: Path) -> None:
    names = sorted(path.relative_to(one) for path in one.rglob('*') if path.is_file())
    assert names == sorted(path.relative_to(two) for path in two.rglob('*') if path.is_file())
    for name in names:
        assert filecmp.cmp(one / name, two / name, shallow=False), name


def test_tree_up_and_down(
    server: SimulatorServer, rclone: Rclone, tree: Path, tmp_path: Path
) -> None:
    rclone('copy', tree, 'sim:bucket-1/tree')
    assert server.calls['b2_upload_part'] == 3
    assert server.calls['b2_finish_large_file'] == 1
    rclone('copy', 'sim:bucket-1/tree', tmp_path / 'copy')
    assert_equal_trees(tree, tmp_path / 'copy')
    rclone('check', '--download', tree, 'sim:bucket-1/tree')


def test_second_copy_sends_nothing(server: SimulatorServer, rclone: Rclone, tree: Path) -> None:
    rclone('copy', tree, 'sim:bucket-1')
    before = server.calls
    rclone('copy', tree, 'sim:bucket-1')
    after = server.calls
    for call in ('b2_upload_file', 'b2_upload_part', 'b2_copy_file'):
        assert after[call] == before[call]


def test_changed_time_is_a_copy_on_the_server(
    server: SimulatorServer, rclone: Rclone, tree: Path
) -> None:
    rclone('copy', tree, 'sim:bucket-1')
    uploads = server.calls['b2_upload_file']
    os.utime(tree / 'text.txt', (1_600_000_000, 1_600_000_000))
    rclone('copy', tree, 'sim:bucket-1')
    assert server.calls['b2_copy_file'] == 1
    assert server.calls['b2_upload_file'] == uploads
    assert '2020-09-13' in rclone('lsl', 'sim:bucket-1/text.txt')


def test_folders_versions_and_deletion(rclone: Rclone, tree: Path) -> None:
    rclone('copy', tree, 'sim:bucket-1')
    assert rclone('lsf', 'sim:bucket-1').split() == ['a/', 'empty', 'large.bin', 'text.txt', 'z/']
    rclone('deletefile', 'sim:bucket-1/empty')
    assert 'empty' not in rclone('lsf', 'sim:bucket-1')
    assert 'empty' in rclone('lsf', '--b2-versions', 'sim:bucket-1')
    rclone('purge', '--b2-hard-delete', 'sim:bucket-1')
    assert rclone('lsd', 'sim:') == ''


def test_link(rclone: Rclone, tree: Path) -> None:
    import requests

    rclone('copy', tree, 'sim:bucket-1')
    link = rclone('link', 'sim:bucket-1/text.txt', '--expire=1h').strip()
    assert requests.get(link, timeout=30).content == (tree / 'text.txt').read_bytes()


def test_rides_out_a_busy_service(server: SimulatorServer, rclone: Rclone, tree: Path) -> None:
    server.inject(Fault(call='b2_upload_file', status=503, count=2))
    rclone('copy', tree, 'sim:bucket-1')
    rclone('check', tree, 'sim:bucket-1')
