"""Fixtures for the tests that run other people's programs against the simulator."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2fast.simulator import SimulatorServer

from .b2_tool import B2Tool
from .programs import Program, rclone_environment
from .sdk import World, new_api, new_server


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SimulatorServer]:
    """A simulator that keeps all in memory or, by ``indirect`` parameter, in a directory.

    It recommends the smallest parts, so that a file of some megabytes is a large one.
    """
    data_dir = None
    if getattr(request, 'param', 'memory') == 'data-dir':
        data_dir = tmp_path / 'data-dir'
        data_dir.mkdir()
    with SimulatorServer(data_dir=data_dir, recommended_part_size=5_000_000) as server:
        yield server


@pytest.fixture
def rclone(server: SimulatorServer) -> Program:
    """rclone, with the remote ``sim:``."""
    return Program('rclone', '--retries=1', environment=rclone_environment(server))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """b2sdk, signed in at a simulator with small parts."""
    with new_server() as server:
        yield World(server, tmp_path, new_api(server))


@pytest.fixture
def b2(server: SimulatorServer, tmp_path: Path) -> B2Tool:
    """The b2 command line tool on b2sdk, signed in."""
    tool = Path(sysconfig.get_path('scripts')) / 'b2'
    return B2Tool(str(tool), server=server, directory=tmp_path)
