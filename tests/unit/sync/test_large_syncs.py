"""A sync of very many files: it begins at once, and keeps none of them."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from b2fast import (
    AbstractFolder,
    B2Folder,
    KeepOrDeleteMode,
    LocalPath,
    Synchronizer,
    SyncReport,
)
from b2fast.bulk.pump import ITEMS_PER_WORKER

from ...conftest import new_raw_account

COUNT = 300_000
TRACED = 100_000
"""The last files; the memory is watched while they are read, which takes most of the time."""
MOST = 1_000_000
"""Bytes; ten for each of them."""


class Generated(AbstractFolder):
    """Files that are made while they are read; notes how many were.

    :param traced: before so many of the last ones, the tracing of memory begins
    """

    def __init__(self, count: int, traced: int = 0) -> None:
        self.count = count
        self.traced = traced
        self.read = 0

    def all_files(self, *_: Any, **__: Any) -> Iterator[LocalPath]:
        for number in range(self.count):
            self.read += 1
            if number == self.count - self.traced:
                tracemalloc.start()
            name = f'directory {number // 1000:03}/file {number % 1000:03}'
            yield LocalPath(f'/local/{name}', name, 10, 7)

    def folder_type(self) -> str:
        return 'local'

    def make_full_path(self, file_name: str) -> str:
        return f'/local/{file_name}'


class Notebook(io.TextIOBase):
    """Counts the lines that are written, and notes how many files were read before the first."""

    def __init__(self, folder: Generated) -> None:
        self.folder = folder
        self.lines = 0
        self.read_before: int | None = None

    def write(self, text: str) -> int:
        if self.read_before is None:
            self.read_before = self.folder.read
        self.lines += text.count('\n')
        return len(text)


@pytest.fixture
def stored() -> B2Folder:
    """A folder of an empty bucket."""
    api = new_raw_account().api
    api.create_bucket('a-bucket', 'allPrivate')
    return B2Folder('a-bucket', '', api)


def dry_run(source: Any, dest: Any, notebook: Notebook, **options: Any) -> Any:
    synchronizer = Synchronizer(10, dry_run=True, allow_empty_source=True, **options)
    return synchronizer.sync_folders(source, dest, 100, SyncReport(notebook, True))


def peak_of(call: Any) -> tuple[Any, int]:
    """What a call returns, and the most bytes that were allocated while a folder was traced."""
    try:
        result = call()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_no_file_is_kept(stored: B2Folder) -> None:
    source = Generated(COUNT, TRACED)
    notebook = Notebook(source)
    result, peak = peak_of(lambda: dry_run(source, stored, notebook))
    assert result.uploaded == notebook.lines == COUNT
    assert result.bytes_transferred == 7 * COUNT
    assert 0 < peak < MOST


def test_the_first_action_runs_while_the_folder_is_read(stored: B2Folder) -> None:
    source = Generated(10_000)
    notebook = Notebook(source)
    dry_run(source, stored, notebook)
    # One file ahead for the pairs, and what the queue has room for.
    assert notebook.read_before is not None
    assert notebook.read_before <= ITEMS_PER_WORKER + 1


def test_deletions_wait_outside_of_the_memory(stored: B2Folder) -> None:
    dest = Generated(30_000, 30_000)
    notebook = Notebook(dest)
    result, peak = peak_of(
        lambda: dry_run(stored, dest, notebook, keep_days_or_delete=KeepOrDeleteMode.DELETE)
    )
    assert result.deleted == notebook.lines == 30_000
    assert 0 < peak < MOST
