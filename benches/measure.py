"""Runs programs and takes their figures."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_TICKS_PER_SECOND = os.sysconf('SC_CLK_TCK')
_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Usage:
    """What one run of a client took."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    server_cpu_seconds: float = 0.0
    calls: int = 0


def run(command: Sequence[str], environment: dict[str, str]) -> Usage:
    """Run a program to its end and take what the kernel counted for it and its children.

    :raises RuntimeError: if it fails or takes longer than 15 minutes, with the end of what it said
    """
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        watchdog = threading.Timer(_TIMEOUT_SECONDS, process.kill)
        watchdog.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors='replace')[-2000:]
            raise RuntimeError(f'{" ".join(command)} ended with {process.returncode}:\n{said}')
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def cpu_seconds_of(pid: int) -> float:
    """User and system time of a running process so far."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def import_seconds(module: str, rounds: int) -> float:
    """Median wall time of importing a module in a new interpreter, less that of one that does not.

    Each round runs both, so that a busy machine hits both.
    """
    differences = []
    for _ in range(rounds):
        bare = run([sys.executable, '-c', 'pass'], {}).wall_seconds
        differences.append(run([sys.executable, '-c', f'import {module}'], {}).wall_seconds - bare)
    return median(differences)


def cpu_model() -> str:
    """The processor's name."""
    for line in Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return 'unknown'
