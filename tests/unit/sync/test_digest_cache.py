"""What a `DigestCache` remembers, and for how long."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import time
from pathlib import Path

import pytest

from b2fast import DigestCache
from b2fast._core.hashing import Blake3
from b2fast.cancel import check_scope
from b2fast.exception import InvalidUploadSource, LocalFileError
from b2fast.sync.file_digests import digests_of_file

from ...helpers import Clock, run_in_threads, sha1_of

DAY = 24 * 60 * 60 * 10**9


@pytest.fixture
def clock() -> Clock:
    """Some time after the tests wrote their files."""
    return Clock(time.time_ns() + 60 * 10**9)


@pytest.fixture
def cache(tmp_path: Path, clock: Clock) -> DigestCache:
    return DigestCache(tmp_path / 'cache', now=clock)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / 'file'
    path.write_bytes(b'content')
    return path


def read(cache: DigestCache, path: Path) -> str:
    return cache.read(path, check=check_scope).sha1


def known(cache: DigestCache, path: Path) -> str | None:
    found = cache.known_sha1(path)
    return None if found is None else found[1]


@pytest.mark.parametrize('closed', [False, True])
def test_it_is_remembered(cache: DigestCache, file: Path, closed: bool) -> None:
    assert known(cache, file) is None
    assert read(cache, file) == sha1_of(b'content')
    if closed:
        cache.close()
    assert known(cache, file) == sha1_of(b'content')


def test_through_a_link_it_is_the_same_file(cache: DigestCache, file: Path) -> None:
    read(cache, file)
    link = file.with_name('link')
    link.symlink_to(file)
    assert known(cache, link) == sha1_of(b'content')


@pytest.mark.parametrize('change', ['size', 'content', 'mtime', 'replaced', 'times set back'])
def test_a_change_is_seen(cache: DigestCache, file: Path, change: str) -> None:
    os.utime(file, ns=(10**18, 10**18))
    read(cache, file)
    cache.close()
    match change:
        case 'size':
            file.write_bytes(b'longer content')
        case 'content':
            file.write_bytes(b'CONTENT')
        case 'mtime':
            os.utime(file, ns=(10**18, 10**18 + 1))
        case 'replaced':
            other = file.with_name('other')
            other.write_bytes(b'CONTENT')
            os.utime(other, ns=(10**18, 10**18))
            other.replace(file)
        case 'times set back':
            file.write_bytes(b'CONTENT')
            os.utime(file, ns=(10**18, 10**18))
    assert known(cache, file) is None


@pytest.mark.parametrize(('age', 'remembered'), [(0, False), (1.9, False), (2.1, True)])
def test_files_changed_just_now(
    cache: DigestCache, clock: Clock, file: Path, age: float, remembered: bool
) -> None:
    clock.now = file.stat().st_ctime_ns + int(age * 10**9)
    read(cache, file)
    clock.now += DAY
    assert (known(cache, file) is not None) is remembered


def test_a_change_without_a_trace_is_seen_when_it_is_read(
    tmp_path: Path, clock: Clock, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two contents with one state: as if the file had been changed through a mapping."""
    cache = DigestCache(tmp_path / 'cache', now=clock)
    read(cache, file)
    cache.close()
    connection = sqlite3.connect(cache.path)
    connection.execute('UPDATE file_digests SET sha1 = ?, blake3 = ?', ('0' * 40, b'0' * 32))
    connection.commit()
    connection.close()
    assert known(cache, file) == '0' * 40
    with caplog.at_level(logging.WARNING):
        assert read(cache, file) == sha1_of(b'content')
    assert [str(file) in record.getMessage() for record in caplog.records] == [True]
    assert known(cache, file) == sha1_of(b'content')


def test_what_was_not_seen_for_long_is_forgotten(
    tmp_path: Path, cache: DigestCache, clock: Clock, file: Path
) -> None:
    other = tmp_path / 'other'
    other.write_bytes(b'other')
    read(cache, file)
    read(cache, other)
    cache.close()
    for _ in range(4):
        clock.now += 50 * DAY
        assert known(cache, file) is not None
        cache.close()
    assert known(cache, file) == sha1_of(b'content')
    assert known(cache, other) is None


def test_no_more_are_kept_than_wanted(tmp_path: Path, clock: Clock) -> None:
    cache = DigestCache(tmp_path / 'cache', max_entries=3, now=clock)
    files = [tmp_path / f'{number}' for number in range(6)]
    for path in files:
        path.write_bytes(b'x')
        read(cache, path)
        cache.close()
        clock.now += DAY
    assert [known(cache, path) is not None for path in files] == [False] * 3 + [True] * 3


def test_many_at_once(tmp_path: Path, clock: Clock) -> None:
    paths = [tmp_path / f'{number}' for number in range(20)]
    for path in paths:
        path.write_bytes(path.name.encode())

    def work() -> None:
        cache = DigestCache(tmp_path / 'cache', now=clock)
        for path in paths:
            if known(cache, path) is None:
                read(cache, path)
            cache.close()

    run_in_threads(4, work)
    cache = DigestCache(tmp_path / 'cache', now=clock)
    assert [known(cache, path) for path in paths] == [sha1_of(path.name.encode()) for path in paths]
    cache.close()


@pytest.mark.parametrize('variable', ['/absolute', 'relative', ''])
def test_its_default_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock, file: Path, variable: str
) -> None:
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    if variable == '/absolute':
        variable = str(tmp_path / 'caches')
    monkeypatch.setenv('XDG_CACHE_HOME', variable)
    cache = DigestCache(now=clock)
    directory = Path(variable if os.path.isabs(variable) else tmp_path / 'home/.cache') / 'b2fast'
    assert Path(cache.path) == directory / 'digests.sqlite'
    assert not directory.exists()
    read(cache, file)
    cache.close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(cache.path).stat().st_mode) == 0o600


class TestDigestsOfFile:
    @pytest.mark.parametrize('size', [0, 1, 999, 1000, 1001, 3_000_000])
    @pytest.mark.parametrize('block_size', [1000, 1_000_000, 5_000_000])
    def test_blocks(self, tmp_path: Path, size: int, block_size: int) -> None:
        content = os.urandom(size)
        path = tmp_path / 'file'
        path.write_bytes(content)
        digests = digests_of_file(path, block_size)
        assert digests.sha1 == sha1_of(content)
        assert digests.blake3 == Blake3(content).digest()
        blocks = [content[start : start + block_size] for start in range(0, size, block_size)]
        assert digests.blocks == b''.join(Blake3(block).digest() for block in blocks)

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / 'pipe')
        with pytest.raises(InvalidUploadSource):
            digests_of_file(tmp_path / 'pipe')

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(LocalFileError, match='missing'):
            digests_of_file(tmp_path / 'missing')
