"""The names that ``import b2fast`` offers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import b2fast


def output_of(program: str) -> str:
    """What a Python of its own prints when it runs the program."""
    return subprocess.run(
        [sys.executable, '-c', program], check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize('name', b2fast.__all__)
def test_every_name_exists(name: str) -> None:
    assert getattr(b2fast, name) is getattr(b2fast, name)
    assert name in dir(b2fast)


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match='NoSuchName'):
        b2fast.NoSuchName  # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(b2fast.__file__).read_text())
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
    assert seen == b2fast._MODULES


def test_import_is_light() -> None:
    program = (
        'import sys, b2fast\n'
        "heavy = {'requests', 'tqdm', 'sqlite3', 'http.client', 'asyncio', 'hashlib'}\n"
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
