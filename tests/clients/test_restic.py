"""restic against the simulator, through the rclone that it starts.

Its own B2 backend (0.14) calls https://api.backblazeb2.com and nothing else: there is no option
for the address, so it cannot be led to a simulator.
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
from .trees import assert_equal_trees, make_tree, write

pytestmark = [pytest.mark.rclone, pytest.mark.restic]


def restic_for(simulator: SimulatorServer | SimulatorProcess, directory: Path) -> Program:
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


def test_backup_check_restore_prune(command: SimulatorProcess, tree: Path, tmp_path: Path) -> None:
    restic = restic_for(command, tmp_path)
    restic('init')
    restic('backup', tree)
    before = make_tree(tmp_path / 'as before')
    write(tree / 'text.txt', b'other')
    write(tree / 'new/file', bytes(range(256)) * 4000)
    (tree / 'empty').unlink()
    restic('backup', tree)
    first, second = (snapshot['id'] for snapshot in snapshots(restic))
    assert 'no errors were found' in restic('check', '--read-data')
    for snapshot, expected in ((first, before), (second, tree)):
        target = tmp_path / snapshot
        restic('restore', snapshot, '--target', target)
        assert_equal_trees(expected, target / tree.relative_to('/'))

    restic('forget', '--prune', '--keep-last=1')
    assert [snapshot['id'] for snapshot in snapshots(restic)] == [second]
    assert 'no errors were found' in restic('check', '--read-data')
    target = tmp_path / 'after prune'
    restic('restore', 'latest', '--target', target)
    assert_equal_trees(tree, target / tree.relative_to('/'))


def test_check_finds_what_is_missing(
    server: SimulatorServer, rclone: Program, tree: Path, tmp_path: Path
) -> None:
    restic = restic_for(server, tmp_path)
    restic('init')
    restic('backup', tree)
    rclone('delete', '--min-size=1M', 'sim:bucket-1/path to/repository/data')
    failed = restic.run('check')
    assert failed.returncode == 1
    assert 'does not exist' in failed.stderr
