"""Scans of local directories: what is found, what is skipped, and how far they read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, strategies as st

from b2fast import LocalFolder, ScanPoliciesManager
from b2fast._core.transfer import TEMPORARY_SUFFIXES
from b2fast.exception import LocalFileError, NotADirectory, UnsupportedFilename
from b2fast.utils.file_names import validate_b2_file_name
from b2fast.utils.filesystem import validate_b2_file_name_as_path

from ...helpers import Reporter

Drop = Callable[[], AbstractContextManager[None]]


def plant(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x')


def scan(root: Path, **policies: object) -> tuple[list[str], list[tuple[str, str]]]:
    """The relative paths in order, and what the reporter was told, with paths below the root."""
    reporter = Reporter()
    manager = ScanPoliciesManager(**policies)  # type: ignore[arg-type]
    found = [path.relative_path for path in LocalFolder(root).all_files(reporter, manager)]
    without = [path.relative_path for path in LocalFolder(root).all_files(None, manager)]
    assert found == without, 'without a reporter the same is found'
    return found, [(event, os.path.relpath(path, root)) for event, path in reporter.events]


def test_order_of_files_and_directories(tmp_path: Path) -> None:
    plant(tmp_path, 'a0.txt', 'b/a', 'a.txt', 'b-', 'b0', 'é', 'z', 'Z', 'b/c/d', 'b.d/e')
    (tmp_path / 'a').mkdir()
    plant(tmp_path, 'a/x', 'z\uffff', 'z\U00010000')
    found, _ = scan(tmp_path)
    assert found == sorted(found, key=str.encode)
    assert found[:4] == ['Z', 'a.txt', 'a/x', 'a0.txt']


segments = st.text('ab.-0é', min_size=1, max_size=4).filter(lambda text: text.strip('.'))


@given(st.lists(st.lists(segments, min_size=1, max_size=3).map('/'.join), max_size=12))
def test_order_is_that_of_bytes(names: list[str]) -> None:
    with TemporaryDirectory() as directory:
        planted = set()
        for name in names:
            try:
                plant(Path(directory), name)
            except OSError:
                # A file is where a directory should be, or the other way round.
                continue
            planted.add(name)
        found, told = scan(Path(directory))
    assert found == sorted(planted, key=str.encode)
    assert told == []


def test_what_is_told_of_a_file(tmp_path: Path) -> None:
    plant(tmp_path, 'a/b')
    # As a float has it, and b2sdk with it.
    os.utime(tmp_path / 'a/b', ns=(0, 1_700_000_000_123_999_999))
    (found,) = LocalFolder(tmp_path).all_files(None)
    assert (found.absolute_path, found.relative_path) == (str(tmp_path / 'a/b'), 'a/b')
    assert (found.mod_time, found.size, found.is_visible()) == (1_700_000_000_124, 1, True)


def test_directories_are_read_when_their_turn_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, 'a/1', 'a/2', 'b/c/3', 'b/4', 'd/5')
    read: list[str] = []
    scandir = os.scandir

    def noted(path: str) -> Iterator[os.DirEntry[str]]:
        read.append(os.path.relpath(path, tmp_path))
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', noted)
    files = LocalFolder(tmp_path).all_files(None)
    assert read == []
    steps = [(path.relative_path, len(read)) for path in files]
    assert steps == [('a/1', 2), ('a/2', 2), ('b/4', 3), ('b/c/3', 4), ('d/5', 5)]
    assert read == ['.', 'a', 'b', 'b/c', 'd']


def test_directories_that_are_left_out_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, 'a/b/c', 'a/d', 'e')
    (tmp_path / 'a/b/lost').symlink_to('nowhere')
    scandir = os.scandir

    def picky(path: str) -> Iterator[os.DirEntry[str]]:
        assert not path.endswith('/a/b')
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', picky)
    assert scan(tmp_path, exclude_dir_regexes=['a/b$']) == (['a/d', 'e'], [])


def test_a_deep_tree(tmp_path: Path) -> None:
    """What is deeper than a name at B2 can say is left out at the first directory of that kind."""
    deepest = tmp_path
    for _ in range(600):
        deepest /= 'd'
        deepest.mkdir()
    plant(tmp_path, 'd/f')
    found, told = scan(tmp_path)
    assert found == ['d/f']
    assert told == [('name', '/'.join('d' * 513))]


def test_links_to_files_and_directories_are_followed(tmp_path: Path) -> None:
    plant(tmp_path / 'root', 'a/x', 'b')
    plant(tmp_path, 'beside/y')
    for name, target in [('l-a', 'a'), ('l-a2', 'a'), ('l-b', 'b'), ('out', '../beside')]:
        (tmp_path / 'root' / name).symlink_to(target)
    found, told = scan(tmp_path / 'root')
    assert found == ['a/x', 'b', 'l-a/x', 'l-a2/x', 'l-b', 'out/y']
    assert told == []


def test_links_can_be_left_out(tmp_path: Path) -> None:
    plant(tmp_path, 'a/x', 'b')
    for name, target in [('dir', 'a'), ('file', 'b'), ('loop', '.'), ('lost', 'nowhere')]:
        (tmp_path / name).symlink_to(target)
    found, told = scan(tmp_path, exclude_all_symlinks=True)
    assert found == ['a/x', 'b']
    assert sorted(told) == [('symlink', name) for name in ('dir', 'file', 'loop', 'lost')]


def test_loops_end(tmp_path: Path) -> None:
    plant(tmp_path, 'a/b/x', 'c/y')
    links = {
        'self': 'self',
        'here': '.',
        'a/up': '..',
        'a/b/top': '../..',
        'c/other': '../a',
        'a/other': '../c',
        'ping': 'pong',
        'pong': 'ping',
    }
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    found, told = scan(tmp_path)
    assert found == ['a/b/x', 'a/other/y', 'c/other/b/x', 'c/y']
    assert sorted(told) == [
        ('access', 'ping'),
        ('access', 'pong'),
        ('access', 'self'),
        ('circular', 'a/b/top'),
        ('circular', 'a/other/other'),
        ('circular', 'a/up'),
        ('circular', 'c/other/b/top'),
        ('circular', 'c/other/other'),
        ('circular', 'c/other/up'),
        ('circular', 'here'),
    ]


def test_a_link_as_the_root(tmp_path: Path) -> None:
    plant(tmp_path / 'real', 'a')
    (tmp_path / 'real/back').symlink_to('.')
    (tmp_path / 'root').symlink_to('real')
    (found,) = LocalFolder(tmp_path / 'root').all_files(None)
    assert found.absolute_path == str(tmp_path / 'root' / 'a')


def test_links_that_lead_nowhere_are_reported(tmp_path: Path) -> None:
    plant(tmp_path, 'a', 'z')
    (tmp_path / 'lost').symlink_to('nowhere')
    (tmp_path / 'lost-too').symlink_to('a/b')
    found, told = scan(tmp_path)
    assert found == ['a', 'z']
    assert told == [('access', 'lost'), ('access', 'lost-too')]
    assert scan(tmp_path, exclude_file_regexes=['lost']) == (['a', 'z'], [])


def test_odd_names_are_reported(tmp_path: Path) -> None:
    good = [' a', 'a\\b', 'bc:d', 'con', 'dot.', 'é' * 125]
    bad = ['C:x', '\\x', 'a\\..\\b', 'del\x7f', 'line\nend', 'é' * 126, 'dir\x01/in']
    plant(tmp_path, *good, *bad)
    root = os.fsencode(tmp_path)
    os.mkdir(os.path.join(root, b'no-utf8\xff'))
    for name in (b'no-utf8\xff/in', b'no-utf8-\xfe'):
        with open(os.path.join(root, name), 'wb'):
            pass
    found, told = scan(tmp_path)
    assert found == sorted(good)
    expected = [*bad[:-1], 'dir\x01', 'no-utf8\udcff', 'no-utf8-\udcfe']
    assert sorted(told) == sorted(('name', name) for name in expected)


@given(st.text('ab\\:.é\x1f\x7f ~', min_size=1, max_size=5), st.integers(1, 100))
def test_whatever_is_found_can_be_stored_and_fetched(name: str, times: int) -> None:
    with TemporaryDirectory() as directory:
        try:
            plant(Path(directory), 'd/' + name * times)
        except OSError:
            return
        for path in LocalFolder(directory).all_files(None):
            validate_b2_file_name(path.relative_path)
            validate_b2_file_name_as_path(path.relative_path)


def test_odd_names_that_are_left_out_are_not_reported(tmp_path: Path) -> None:
    plant(tmp_path, 'a', 'bad\x7f', 'dir\x7f/in')
    policies = {'exclude_file_regexes': ['bad'], 'exclude_dir_regexes': ['dir']}
    assert scan(tmp_path, **policies) == (['a'], [])


def test_what_is_no_file_is_reported(tmp_path: Path) -> None:
    plant(tmp_path, 'a')
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'null').symlink_to('/dev/null')
    with socket.socket(socket.AF_UNIX) as listener:
        working = os.getcwd()
        os.chdir(tmp_path)
        try:
            listener.bind('socket')
        finally:
            os.chdir(working)
        found, told = scan(tmp_path)
    assert found == ['a']
    assert told == [('name', 'null'), ('name', 'pipe'), ('name', 'socket')]


def test_what_downloads_keep_is_no_file_of_the_user(tmp_path: Path) -> None:
    plant(tmp_path, *(f'dir/.name{suffix}' for suffix in TEMPORARY_SUFFIXES), 'dir/.name')
    plant(tmp_path, *(f'name{suffix}' for suffix in TEMPORARY_SUFFIXES))
    found, told = scan(tmp_path)
    assert found == ['dir/.name', *sorted(f'name{suffix}' for suffix in TEMPORARY_SUFFIXES)]
    assert told == []


def test_what_may_not_be_read_is_reported(shared_directory: Path, without_privileges: Drop) -> None:
    plant(shared_directory, 'a', 'closed/in', 'list-only/in', 'secret', 'z')
    scan(shared_directory)
    (shared_directory / 'closed').chmod(0o311)
    (shared_directory / 'list-only').chmod(0o444)
    (shared_directory / 'secret').chmod(0)
    with without_privileges():
        found, told = scan(shared_directory)
        left_out = scan(
            shared_directory,
            exclude_dir_regexes=['closed'],
            exclude_file_regexes=['.*in', 'secret'],
        )
    assert found == ['a', 'z']
    assert told == [
        ('permission', 'closed'),
        ('permission', 'list-only/in'),
        ('permission', 'secret'),
    ]
    assert left_out == (['a', 'z'], [])


def test_what_vanishes_is_reported(tmp_path: Path) -> None:
    plant(tmp_path, 'a', 'b', 'c/in', 'd')
    reporter = Reporter()
    files = LocalFolder(tmp_path).all_files(reporter)
    assert next(files).relative_path == 'a'
    (tmp_path / 'c/in').unlink()
    (tmp_path / 'c').rmdir()
    (tmp_path / 'd').unlink()
    # Files that follow each other are looked at together.
    assert [path.relative_path for path in files] == ['b']
    assert reporter.events == [('access', str(tmp_path / name)) for name in ('c', 'd')]


def test_roots_that_cannot_be_listed(shared_directory: Path, without_privileges: Drop) -> None:
    root = shared_directory / 'root'
    with pytest.raises(LocalFileError, match='root') as missing:
        scan(root)
    assert missing.value.filename == str(root)
    plant(root, 'file')
    with pytest.raises(NotADirectory, match='file'):
        scan(root / 'file')
    root.chmod(0)
    with without_privileges(), pytest.raises(LocalFileError, match='Permission denied'):
        scan(root)
    with without_privileges(), pytest.raises(LocalFileError, match='Permission denied'):
        LocalFolder(root).ensure_non_empty()


@pytest.mark.parametrize('name', ['a//b', './a', 'a/../b', 'C:a', 'a\x01', 'a' * 256, '\udcff'])
def test_paths_without_a_place(name: str) -> None:
    with pytest.raises(UnsupportedFilename, match='illegal file name'):
        LocalFolder('/root').make_full_path(name)
