"""The side-by-side benchmark runs and writes its tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).parents[2] / 'benches' / 'side_by_side.py'


@pytest.mark.rclone
@pytest.mark.parametrize(
    ('setting', 'suffix'),
    [('plain', ''), ('tls', ', TLS'), ('latency', ', 50 ms before every answer')],
)
def test_the_quick_run_measures_every_client(tmp_path: Path, setting: str, suffix: str) -> None:
    output = tmp_path / 'results.md'
    result = subprocess.run(
        [
            sys.executable,
            str(RUNNER),
            '--quick',
            f'--settings={setting}',
            f'--output={output}',
            f'--dir={tmp_path}',
        ],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert result.returncode == 0, result.stderr
    text = output.read_text()
    for title in (
        'One file of 12 MiB up',
        'One file of 12 MiB down',
        '20 files of 10 kB up',
        '20 files of 10 kB down',
    ):
        section = text.partition(f'## {title}{suffix}\n')[2].partition('\n## ')[0]
        clients = {line.split('|')[1].strip() for line in section.splitlines() if line}
        assert {'b2fast', 'b2sdk', 'rclone'} <= clients
    assert [path.name for path in tmp_path.iterdir()] == ['results.md']
