"""Projects of users of the pytest plugin."""

from __future__ import annotations

import os
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from .snippets import ROOT


def find_plugin(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Let runs of pytest in child processes find b2fast's plugin by its entry point.

    The installed wheel has it. On the source tree, beside which another b2fast may be installed,
    a distribution with the entry point that pyproject.toml declares stands in for the wheel.
    """
    if list(entry_points(group='pytest11', name='b2fast')):
        return
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    declared = project['entry-points']['pytest11']
    metadata = directory / 'stand_in-0.dist-info'
    metadata.mkdir(parents=True)
    (metadata / 'METADATA').write_text('Metadata-Version: 2.1\nName: stand-in\nVersion: 0\n')
    lines = [f'{name} = {module}' for name, module in declared.items()]
    (metadata / 'entry_points.txt').write_text('\n'.join(['[pytest11]', *lines, '']))
    # What pytest takes for the modules of the plugin, and prepares their asserts.
    (metadata / 'RECORD').write_text('b2fast/__init__.py,,\nb2fast/testing/__init__.py,,\n')
    monkeypatch.setenv('PYTHONPATH', str(directory), prepend=os.pathsep)
