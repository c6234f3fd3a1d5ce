"""restic against the simulator: through the rclone that it starts, and with its own B2 backend.

The latter (of restic 0.14) has no option for the address, so a proxy leads it to the simulator.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from b2fast.cli.simulator_process import SimulatorProcess
from b2fast.simulator import SimulatorServer

from .programs import Program, rclone_environment
from .proxy import proxy_to
from .trees import assert_equal_trees, make_tree, write

pytestmark = pytest.mark.restic


def restic_over_rclone(simulator: SimulatorServer | SimulatorProcess, directory: Path) -> Program:
    environment = {
        **rclone_environment(simulator),
        'RESTIC_REPOSITORY': 'rclone:sim:bucket-1/path to/repository',
        'RESTIC_PASSWORD': 'a password',
        'RESTIC_CACHE_DIR': str(directory / 'cache'),
    }
    return Program('restic', environment=environment)


@pytest.fixture
def command(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """``b2fast simulator --data-dir``."""
    data_dir = tmp_path / 'data-dir'
    data_dir.mkdir()
    with SimulatorProcess(data_dir) as process:
        yield process


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / 'tree')


def snapshots(restic: Program) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(restic('snapshots', '--json'))
    return found


def back_up_restore_and_prune(restic: Program, tree: Path, directory: Path) -> None:
    restic('init')
    restic('backup', tree)
    before = make_tree(directory / 'as before')
    write(tree / 'text.txt', b'other')
    write(tree / 'new/file', bytes(range(256)) * 4000)
    (tree / 'empty').unlink()
    restic('backup', tree)
    first, second = (snapshot['id'] for snapshot in snapshots(restic))
    assert 'no errors were found' in restic('check', '--read-data')
    for snapshot, expected in ((first, before), (second, tree)):
        target = directory / snapshot
        restic('restore', snapshot, '--target', target)
        assert_equal_trees(expected, target / tree.relative_to('/'))

    restic('forget', '--prune', '--keep-last=1')
    assert [snapshot['id'] for snapshot in snapshots(restic)] == [second]
    assert 'no errors were found' in restic('check', '--read-data')
    target = directory / 'after prune'
    restic('restore', 'latest', '--target', target)
    assert_equal_trees(tree, target / tree.relative_to('/'))


@pytest.mark.rclone
def test_over_rclone(command: SimulatorProcess, tree: Path, tmp_path: Path) -> None:
    back_up_restore_and_prune(restic_over_rclone(command, tmp_path), tree, tmp_path)


def test_own_backend(server: SimulatorServer, tree: Path, tmp_path: Path) -> None:
    with proxy_to(server.url) as proxy:
        environment = {
            'HTTP_PROXY': proxy,
            'HTTPS_PROXY': proxy,
            'B2_ACCOUNT_ID': server.key_id,
            'B2_ACCOUNT_KEY': server.key,
            'RESTIC_REPOSITORY': 'b2:bucket-1:path to/repository',
            'RESTIC_PASSWORD': 'a password',
            'RESTIC_CACHE_DIR': str(tmp_path / 'cache'),
        }
        restic = Program('restic', '--insecure-tls', environment=environment)
        back_up_restore_and_prune(restic, tree, tmp_path)
    assert server.calls['b2_upload_file'] > 0
    assert server.calls['unknown'] == server.calls['failed'] == 0


@pytest.mark.rclone
def test_check_finds_what_is_missing(
    server: SimulatorServer, rclone: Program, tree: Path, tmp_path: Path
) -> None:
    restic = restic_over_rclone(server, tmp_path)
    restic('init')
    restic('backup', tree)
    rclone('delete', '--min-size=1M', 'sim:bucket-1/path to/repository/data')
    failed = restic.run('check')
    assert failed.returncode == 1
    assert 'does not exist' in failed.stderr
