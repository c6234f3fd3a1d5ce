"""The code in docs/testing.md runs as it is written."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ..plugin_project import find_plugin
from ..snippets import last_line, run_python, snippets

PAGE = 'docs/testing.md'
PYTHON = snippets(PAGE, 'python')
FILES = {name[1]: snippet for snippet in PYTHON if (name := re.match(r'# (\w+\.py)\n', snippet))}
TEST_FILES = sorted(name for name in FILES if name.startswith('test_'))
CONFTESTS = [snippet for snippet in PYTHON if re.search("scope='session'|^pytest_plugins", snippet)]
PROGRAMS = [snippet for snippet in PYTHON if snippet not in [*FILES.values(), *CONFTESTS]]
START, *SHELL = snippets(PAGE, 'sh')


def needing_rclone(names: list[str]) -> list[object]:
    marks = {True: [pytest.mark.rclone], False: []}
    return [pytest.param(name, marks=marks['rclone' in name]) for name in names]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the files of the page."""
    find_plugin(monkeypatch, tmp_path / 'installed')
    project = tmp_path / 'project'
    project.mkdir()
    for name, snippet in FILES.items():
        (project / name).write_text(snippet)
    return project


def run_pytest(project: Path, *files: str) -> str:
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-W', 'error', '--strict-markers', *files],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_all_code_is_run() -> None:
    assert len(TEST_FILES) == 6
    assert len(CONFTESTS) == 2
    assert len(PROGRAMS) == 1
    assert len(SHELL) == 3


@pytest.mark.parametrize('name', needing_rclone(TEST_FILES))
def test_tests_pass(project: Path, name: str) -> None:
    told = run_pytest(project, name)
    assert f'{FILES[name].count("def test_")} passed' in told


def test_one_server_for_the_session(project: Path) -> None:
    (project / 'conftest.py').write_text(CONFTESTS[0])
    (project / 'test_it.py').write_text(
        'def test_one(b2_api): pass\n'
        "def test_other(b2_simulator): assert b2_simulator.calls == {'b2_authorize_account': 1}\n"
    )
    run_pytest(project, 'test_it.py')


def test_fixtures_for_a_real_account(project: Path) -> None:
    (project / 'conftest.py').write_text(CONFTESTS[1])
    assert 'bucket_manager' in run_pytest(project, '--fixtures')


@pytest.mark.parametrize('snippet', PROGRAMS, ids=last_line)
def test_programs_run(project: Path, snippet: str) -> None:
    result = run_python(snippet, project)
    assert (result.returncode, result.stdout) == (0, '1\n'), result.stderr


@pytest.mark.parametrize(
    'snippet',
    [
        pytest.param(snippet, marks=[pytest.mark.rclone] if 'rclone' in snippet else [])
        for snippet in SHELL
    ],
    ids=last_line,
)
def test_commands_run(project: Path, snippet: str) -> None:
    photos = project / 'photos'
    photos.mkdir()
    (photos / 'one.jpg').write_text('1')
    # The commands of this environment come first.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']])
    kept = {name: value for name, value in os.environ.items() if not name.startswith('B2_')}
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = str(free.getsockname()[1])
    script = f"set -eu\ntrap 'kill %1' EXIT\n{START}\n{snippet}".replace('8180', port)
    done = subprocess.run(
        ['bash', '-c', script],
        cwd=project,
        env={**kept, 'PATH': path, 'HOME': str(project), 'RCLONE_CONFIG': os.devnull},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    log = (project / 'simulator.log').read_text()
    assert f'http://127.0.0.1:{port}' in log
    assert 'my-key-id' in log
    if 'curl' in snippet:
        assert done.stdout.endswith('{"calls":{}}')
    if 'b2 ls' in snippet:
        assert done.stdout.splitlines()[-1] == 'photos/one.jpg'
