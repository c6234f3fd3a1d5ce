"""The benchmark of syncs runs and writes its tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).parents[2] / 'benches' / 'sync_speed.py'


@pytest.mark.rclone
def test_a_small_run_measures_every_client(tmp_path: Path) -> None:
    output = tmp_path / 'results.md'
    sizes = ['--rounds=1', '--unchanged=20', '--small=5', '--many=30']
    result = subprocess.run(
        [sys.executable, str(RUNNER), *sizes, f'--output={output}', f'--dir={tmp_path}'],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert result.returncode == 0, result.stderr
    text = output.read_text()
    for title in ('20 files, unchanged', '5 files of 10 kB up', '5 files of 10 kB down'):
        section = text.partition(f'## {title}\n')[2].partition('\n## ')[0]
        clients = {line.split('|')[1].strip() for line in section.splitlines() if line}
        assert {'b2fast', 'b2sdk', 'rclone'} <= clients
    assert '## 30 local files, empty bucket' in text
    assert [path.name for path in tmp_path.iterdir()] == ['results.md']
