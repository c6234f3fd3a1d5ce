"""Runs Python programs in processes of their own, with b2sdk or with b2fast in its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SHIM = ('-m', 'b2fast.compat')


def python(
    *arguments: str | Path, check: bool = True, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``python`` with the arguments."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=env,
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


def shimmed(program: str, *arguments: str, env: dict[str, str] | None = None) -> str:
    """Run a program with b2fast in the place of b2sdk, warnings being errors; what it prints."""
    start = 'from b2fast.compat import install_as_b2sdk\ninstall_as_b2sdk()\n'
    return python('-W', 'error', '-c', start + program, *arguments, env=env).stdout
