from __future__ import annotations

import ast
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
