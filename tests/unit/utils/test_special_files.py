"""Which targets are written in place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from b2fast.utils.special_files import is_written_in_place


@pytest.mark.parametrize('path', ['/dev/stdout', '/dev/fd/7', '/proc/self/fd/7', '/dev/null'])
def test_descriptors_and_devices_are(path: str) -> None:
    assert is_written_in_place(path)


def test_pipes_are(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'pipe')
    assert is_written_in_place(str(tmp_path / 'pipe'))


@pytest.mark.parametrize('path', ['/dev/shm/file', '/tmp/new-file', '/device/file'])
def test_ordinary_files_are_replaced(path: str) -> None:
    assert not is_written_in_place(path)
