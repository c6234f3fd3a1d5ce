"""Removing what interrupted downloads have left."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from b2fast import cleanup_downloads
from b2fast._core.transfer import TEMPORARY_SUFFIXES
from b2fast.exception import InvalidArgument, LocalFileError

HOUR = timedelta(hours=1)


def leave(path: Path, hours_ago: float = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(5000))
    moment = time.time() - hours_ago * 3600
    os.utime(path, (moment, moment))
    return path


def files_of(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob('*') if not path.is_dir())


def test_all_files_of_old_downloads_are_removed(tmp_path: Path) -> None:
    for suffix in TEMPORARY_SUFFIXES:
        leave(tmp_path / f'a/b/.target{suffix}')
        leave(tmp_path / f'.new{suffix}', hours_ago=0)
        leave(tmp_path / f'not-hidden{suffix}')
    leave(tmp_path / '.hidden')
    kept = [*(f'.new{suffix}' for suffix in TEMPORARY_SUFFIXES), '.hidden']
    kept += [f'not-hidden{suffix}' for suffix in TEMPORARY_SUFFIXES]
    before = files_of(tmp_path)
    would = cleanup_downloads(tmp_path, HOUR, dry_run=True)
    assert files_of(tmp_path) == before
    (left,) = cleanup_downloads(str(tmp_path), HOUR)
    assert would == [left]
    assert left.path == str(tmp_path / f'a/b/.target{TEMPORARY_SUFFIXES[0]}')
    assert left.size >= 5000
    assert left.error is None
    assert files_of(tmp_path) == sorted(kept)


@pytest.mark.parametrize('suffix', TEMPORARY_SUFFIXES[1:])
def test_a_journal_alone_is_removed(tmp_path: Path, suffix: str) -> None:
    journal = leave(tmp_path / f'.target{suffix}')
    assert [left.path for left in cleanup_downloads(tmp_path, HOUR)] == [str(journal)]
    assert files_of(tmp_path) == []


def test_what_a_download_holds_is_spared(tmp_path: Path) -> None:
    for suffix in TEMPORARY_SUFFIXES:
        leave(tmp_path / f'.target{suffix}')
    with (tmp_path / f'.target{TEMPORARY_SUFFIXES[0]}').open('rb') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert cleanup_downloads(tmp_path, HOUR) == []
        assert len(files_of(tmp_path)) == 3
    assert len(cleanup_downloads(tmp_path, HOUR)) == 1
    assert files_of(tmp_path) == []


def test_links_and_pipes_are_left_alone(tmp_path: Path) -> None:
    outside = leave(tmp_path / f'outside/.target{TEMPORARY_SUFFIXES[0]}')
    root = tmp_path / 'root'
    root.mkdir()
    (root / 'link').symlink_to(outside.parent)
    (root / outside.name).symlink_to(outside)
    os.mkfifo(root / f'.pipe{TEMPORARY_SUFFIXES[0]}')
    assert cleanup_downloads(root, timedelta()) == []
    assert outside.exists()
    assert len(os.listdir(root)) == 3


def test_errors_do_not_keep_it_from_the_next(
    shared_directory: Path, without_privileges: Callable[[], AbstractContextManager[None]]
) -> None:
    for name in ('closed', 'open', 'read-only'):
        leave(shared_directory / name / f'.target{TEMPORARY_SUFFIXES[0]}').chmod(0o644)
        (shared_directory / name).chmod(0o777)
    (shared_directory / 'closed').chmod(0o311)
    (shared_directory / 'read-only').chmod(0o555)
    cleanup_downloads(shared_directory, HOUR, dry_run=True)
    with without_privileges():
        results = cleanup_downloads(shared_directory, HOUR)
    failed = {os.path.relpath(left.path, shared_directory): left.error for left in results}
    part = f'.target{TEMPORARY_SUFFIXES[0]}'
    assert sorted(failed) == ['closed', f'open/{part}', f'read-only/{part}']
    assert failed[f'open/{part}'] is None
    assert 'Permission denied' in str(failed['closed'])
    assert 'Permission denied' in str(failed[f'read-only/{part}'])


def test_what_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument):
        cleanup_downloads(tmp_path, -HOUR)
    with pytest.raises(LocalFileError, match='missing'):
        cleanup_downloads(tmp_path / 'missing', HOUR)
