"""The code in the documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def snippets(document: str, language: str) -> list[str]:
    """The blocks of code in a document.

    :param document: its path in the repository
    :param language: what the blocks are marked as
    """
    text = (ROOT / document).read_text()
    return re.findall(rf'^```{language}\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)


def run_python(snippet: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a directory, warnings being errors."""
    return subprocess.run(
        [sys.executable, '-W', 'error', '-c', snippet],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
    )


def last_line(snippet: str) -> str:
    """What a test is called after the snippet that it runs."""
    return snippet.splitlines()[-1]
