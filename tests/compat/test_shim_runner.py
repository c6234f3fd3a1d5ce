"""``python -m b2fast.compat``: runs programs as ``python`` itself does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .shim import SHIM, python

SHOW = (
    'import sys, b2sdk.v3\n'
    'print(__name__, sys.argv, b2sdk.v3.B2Api.__module__, sys.argv[0] == __file__)\n'
)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / 'some_program.py'
    path.write_text(SHOW)
    return path


def test_script(script: Path) -> None:
    shown = python(*SHIM, script, '-m', '--x', 'y').stdout
    assert shown == (f"__main__ ['{script}', '-m', '--x', 'y'] b2fast.compat.v3 True\n")


def test_script_finds_modules_beside_it(script: Path) -> None:
    script.with_name('beside.py').write_text('HERE = 1\n')
    script.write_text('import beside\nprint(beside.HERE)\n')
    assert python(*SHIM, script).stdout == '1\n'


@pytest.mark.parametrize('name', ['some_program', 'some_package'])
def test_module(script: Path, name: str) -> None:
    package = script.with_name('some_package')
    package.mkdir()
    (package / '__init__.py').touch()
    (package / '__main__.py').write_text(SHOW)
    path = os.pathsep.join((str(script.parent), os.environ.get('PYTHONPATH', '')))
    shown = python(*SHIM, '-m', name, 'x', env={**os.environ, 'PYTHONPATH': path}).stdout
    assert shown.startswith('__main__ [')
    assert shown.endswith("'x'] b2fast.compat.v3 True\n")


def test_exit_status_and_exceptions(script: Path) -> None:
    script.write_text('import sys; sys.exit(int(sys.argv[1]))')
    assert python(*SHIM, script, '3', check=False).returncode == 3
    script.write_text('1 / 0')
    failed = python(*SHIM, script, check=False)
    assert failed.returncode == 1
    assert 'ZeroDivisionError' in failed.stderr


def test_what_cannot_be_run() -> None:
    for arguments, message, status in (
        ((), 'usage:', 2),
        (('-m',), 'usage:', 2),
        (('-x',), 'usage:', 2),
        (('no-such-file.py',), "there is no file 'no-such-file.py'", 2),
        (('-m', 'no_such_module'), "there is no module 'no_such_module'", 1),
        (('-m', 'no_such_module.below'), "there is no module 'no_such_module.below'", 1),
    ):
        failed = python(*SHIM, *arguments, check=False)
        assert failed.returncode == status
        assert failed.stderr.startswith(message)
        assert failed.stdout == ''
    assert python(*SHIM, '--help').stdout.startswith('usage:')
