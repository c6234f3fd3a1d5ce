"""The benchmark of listings runs and writes its table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RUNNER = Path(__file__).parents[2] / 'benches' / 'listing_speed.py'


def test_a_small_run_measures_both_clients() -> None:
    result = subprocess.run(
        [sys.executable, str(RUNNER), '--versions=100', '--rounds=1'],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith('100 versions, 1 rounds')
    for client in ('b2fast', 'b2sdk.v3'):
        assert result.stdout.count(f' | {client} | ') == 2
