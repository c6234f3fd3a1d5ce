"""The README's snippets run as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..snippets import last_line, run_python, snippets

SNIPPETS = snippets('README.md', 'python')


def test_there_are_snippets() -> None:
    assert len(SNIPPETS) == 6


@pytest.mark.parametrize('snippet', SNIPPETS, ids=last_line)
def test_snippet_runs(snippet: str, tmp_path: Path) -> None:
    result = run_python(snippet, tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ''


def test_the_quick_start_lists_and_fetches_its_files(tmp_path: Path) -> None:
    result = run_python(SNIPPETS[0], tmp_path)
    assert result.stdout.splitlines() == [
        'answer 2 92cfceb39d57d914ed8b14d0e37643de0797ae56',
        'greetings/hello.txt 9 939ebfcdadeb36999890fe83f07f21f21aee71c3',
    ]
    assert (tmp_path / 'copy.txt').read_text() == 'Hello, B2'


def test_the_scan_shows_what_its_comments_say(tmp_path: Path) -> None:
    (snippet,) = (snippet for snippet in SNIPPETS if 'ScanPoliciesManager' in snippet)
    assert run_python(snippet, tmp_path).stdout.splitlines() == [
        'notes.txt',
        'photos/1.jpg',
        "'photos/1.raw' is left out: exclude_globs '/photos/**' applies to 'photos/1.raw'",
    ]


def test_the_sync_says_what_it_did(tmp_path: Path) -> None:
    (snippet,) = (snippet for snippet in SNIPPETS if 'Synchronizer' in snippet)
    assert run_python(snippet, tmp_path).stdout == (
        '2 uploaded, 0 downloaded, 0 copied, 0 hidden, 0 deleted; 31 bytes\n'
    )
