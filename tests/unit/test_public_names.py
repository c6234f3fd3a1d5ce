"""The names that ``import b2fast`` offers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import b2fast
import b2fast.b2http
import b2fast.utils


def output_of(program: str) -> str:
    """What a Python of its own prints when it runs the program."""
    return subprocess.run(
        [sys.executable, '-c', program], check=True, capture_output=True, text=True
    ).stdout


PACKAGES = [b2fast, b2fast.utils]


@pytest.mark.parametrize(
    ('package', 'name'), [(package, name) for package in PACKAGES for name in package.__all__]
)
def test_every_name_exists(package: Any, name: str) -> None:
    assert getattr(package, name) is getattr(package, name)
    assert name in dir(package)


@pytest.mark.parametrize('module', [*PACKAGES, b2fast.b2http])
def test_unknown_name(module: Any) -> None:
    with pytest.raises(AttributeError, match=f'{module.__name__}.*NoSuchName'):
        module.NoSuchName  # noqa: B018


@pytest.mark.parametrize('package', PACKAGES)
def test_type_checkers_see_the_same_names(package: Any) -> None:
    tree = ast.parse(Path(package.__file__).read_text())
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.dump(node.test)
    )
    seen = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == package._MODULES


def test_import_is_light() -> None:
    program = (
        'import sys, b2fast\n'
        "heavy = {'requests', 'tqdm', 'sqlite3', 'http.client', 'asyncio', 'hashlib'}\n"
        'print(sorted(heavy & set(sys.modules)))'
    )
    assert output_of(program) == '[]\n'


@pytest.mark.parametrize('module', ['utils', 'b2http', 'session'])
def test_a_module_waits_for_what_is_heavy(module: str) -> None:
    program = (
        f'import sys, b2fast.{module}\n'
        "heavy = {'requests', 'tqdm', 'sqlite3', 'http.client'}\n"
        'print(sorted(heavy & set(sys.modules)))'
    )
    assert output_of(program) == '[]\n'


def test_debug_build_warns() -> None:
    program = (
        'import warnings, b2fast._core\n'
        'b2fast._core.DEBUG_BUILD = True\n'
        'import importlib, sys\n'
        "warnings.simplefilter('error')\n"
        'try:\n'
        '    importlib.reload(b2fast)\n'
        'except RuntimeWarning as warning:\n'
        '    print(type(warning).__name__)\n'
    )
    assert output_of(program) == 'DebugBuildWarning\n'
