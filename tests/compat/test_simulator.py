"""The simulator in the process beside b2sdk's.

b2sdk runs in processes of its own, so that its warnings and globals stay there.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

from b2fast import encryption, file_lock, raw_api, simulator
from b2fast.simulator import RawSimulator

HERE = Path(__file__).parent


class Sdk:
    """Names of b2fast, wherever they are."""

    RawSimulator = RawSimulator

    def __getattr__(self, name: str) -> Any:
        for module in (encryption, file_lock, raw_api):
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(name)


def run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(HERE / program), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_raw_simulators_answer_alike() -> None:
    theirs = json.loads(run('scripted_calls.py'))
    ours = runpy.run_path(str(HERE / 'scripted_calls.py'))['script'](Sdk())
    assert len(ours) > 100
    assert [entry[0] for entry in ours] == [entry[0] for entry in theirs]
    for our, their in zip(ours, theirs, strict=True):
        assert our == their


def test_classes_have_the_same_signatures() -> None:
    theirs = json.loads(run('signatures.py'))
    ours = runpy.run_path(str(HERE / 'signatures.py'))['signatures'](simulator)
    for name, members in theirs.items():
        assert {member: ours[name].get(member) for member in members} == members
