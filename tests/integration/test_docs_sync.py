"""The code in docs/sync.md runs as it is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ..snippets import last_line, run_python, snippets


@pytest.mark.parametrize('snippet', snippets('docs/sync.md', 'python'), ids=last_line)
def test_what_is_printed_is_what_the_comments_say(snippet: str, tmp_path: Path) -> None:
    result = run_python(snippet, tmp_path)
    assert (result.returncode, result.stderr) == (0, '')
    expected = re.findall(r'print\(.*\)  # (.*)', snippet)
    assert expected
    assert result.stdout.splitlines() == expected
