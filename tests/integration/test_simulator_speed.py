"""The benchmark of the simulator runs and writes its tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RUNNER = Path(__file__).parents[2] / 'benches' / 'simulator_speed.py'


def test_the_quick_run_measures_both_ways_of_keeping_content(tmp_path: Path) -> None:
    output = tmp_path / 'simulator.md'
    result = subprocess.run(
        [sys.executable, str(RUNNER), '--quick', f'--output={output}', f'--dir={tmp_path}'],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    text = output.read_text()
    for where in ('memory', '`--data-dir`'):
        for what in ('up', 'down', '`b2_get_file_info`', '`b2_list_file_names`'):
            assert f'| {what}, {where} |' in text
    assert [path.name for path in tmp_path.iterdir()] == ['simulator.md']
