from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import b2fast
from b2fast.imports_at_fork import NOT_NEEDED, OTHER_MODULES

PACKAGE = Path(b2fast.__file__).parent


def imported_by_functions(path: Path) -> Iterator[str]:
    for function in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from (name.name for name in node.names)
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    yield node.module


def test_names_what_functions_import() -> None:
    found = {
        name
        for path in PACKAGE.rglob('*.py')
        if path.relative_to(PACKAGE).parts[0].removesuffix('.py') not in NOT_NEEDED
        for name in imported_by_functions(path)
    }

    assert found == set(OTHER_MODULES)


PROGRAM = """
import os, sys, threading, warnings
from b2fast import B2Api, InMemoryAccountInfo

api = B2Api(InMemoryAccountInfo())
assert 'b2fast.utils.database' not in sys.modules
sys.unraisablehook = lambda unraisable: os._exit(3)
stop = threading.Event()
thread = threading.Thread(target=stop.wait)
thread.start()
child = os.fork()
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert 'b2fast.utils.database' in sys.modules
assert os.fork() or os._exit(0) is None
stop.set()
"""


def test_hooks_that_are_registered_meanwhile_fail_at_nothing() -> None:
    result = subprocess.run(
        [sys.executable, '-c', PROGRAM], capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stderr) == (0, '')
