"""Runs rclone and restic with an environment of their own: nothing of the user's gets in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from b2fast import FullApplicationKey
from b2fast.cli.simulator_process import SimulatorProcess
from b2fast.simulator import SimulatorServer

_SECONDS = 100
"""Longer than any of them takes, shorter than the limit of a test."""


def rclone_environment(
    server: SimulatorServer | SimulatorProcess, key: FullApplicationKey | None = None
) -> dict[str, str]:
    """What makes ``sim:`` a remote of rclone: the simulator.

    :param key: what it signs in with instead of the master key
    """
    rclone = shutil.which('rclone')
    return {
        # restic looks for it there.
        'PATH': os.path.dirname(rclone) if rclone else os.defpath,
        'RCLONE_CONFIG': os.devnull,
        'RCLONE_CONFIG_SIM_TYPE': 'b2',
        'RCLONE_CONFIG_SIM_ENDPOINT': server.url,
        'RCLONE_CONFIG_SIM_ACCOUNT': key.id_ if key else server.key_id,
        'RCLONE_CONFIG_SIM_KEY': key.application_key if key else server.key,
        # The smallest that it takes.
        'RCLONE_CONFIG_SIM_UPLOAD_CUTOFF': '5M',
        'RCLONE_CONFIG_SIM_CHUNK_SIZE': '5M',
    }


class Program:
    """A program with the arguments and the environment that it always gets.

    :param command: its name and what comes first on its command line.
    """

    def __init__(self, *command: str, environment: Mapping[str, str]) -> None:
        self._command = [str(shutil.which(command[0])), *command[1:]]
        self._environment = environment

    def __call__(self, *arguments: str | Path) -> str:
        """Run it, and return what it writes to its standard output."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run it, whatever comes of it."""
        return subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
