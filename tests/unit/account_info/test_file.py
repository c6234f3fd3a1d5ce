"""The file of account data: who may read it, and what cannot be used as one."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from b2fast import SqliteAccountInfo
from b2fast.exception import (
    CorruptAccountInfo,
    InvalidArgument,
    LocalFileError,
)
from b2fast.utils import database

from ...conftest import NOBODY
from ...helpers import no_file_longer_than
from .data import DATA, Named, change, mode_of

# Who may read the file


@pytest.mark.parametrize('umask', [0, 0o022, 0o777])
def test_the_file_is_private_before_anything_is_in_it(
    path: Path, umask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        seen.append((mode_of(path), path.stat().st_size))
        return real(*args, **kwargs)

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, 'connect', connect)
    old = os.umask(umask)
    try:
        SqliteAccountInfo(path).set_auth_data(**DATA)
    finally:
        os.umask(old)
    assert seen == [(0o600, 0)]
    assert mode_of(path) == 0o600


def test_the_journal_is_private(path: Path, info: SqliteAccountInfo) -> None:
    journal = path.with_name(path.name + '-journal')

    def look(connection: sqlite3.Connection) -> int:
        connection.execute('DELETE FROM account')
        return mode_of(journal)

    old = os.umask(0)
    try:
        assert info._database.write(look) == 0o600
    finally:
        os.umask(old)
    assert not journal.exists()


@pytest.mark.parametrize(('mode', 'tightened'), [(0o666, 0o600), (0o640, 0o600), (0o604, 0o600)])
def test_an_open_file_is_tightened(path: Path, mode: int, tightened: int) -> None:
    path.touch()
    path.chmod(mode)
    SqliteAccountInfo(path)
    assert mode_of(path) == tightened


def test_a_link_is_followed_to_a_file_that_is_there_or_not(tmp_path: Path) -> None:
    for name in ('there', 'missing'):
        link, target = tmp_path / f'link to {name}', tmp_path / name
        link.symlink_to(target)
        if name == 'there':
            target.touch(0o666)
        SqliteAccountInfo(link).set_auth_data(**DATA)
        assert link.is_symlink()
        assert mode_of(target) == 0o600
        assert SqliteAccountInfo(target).get_account_id() == 'account'


def test_the_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    if os.geteuid() == 0:
        os.chown(path, NOBODY, -1)
    owner = path.stat().st_uid
    with monkeypatch.context() as patch:
        patch.setattr(os, 'geteuid', lambda: owner + 1)
        with pytest.raises(LocalFileError, match='another user') as caught:
            SqliteAccountInfo(path)
        assert caught.value.errno == errno.EPERM
        assert path.read_bytes() == b''
        # Root may: containers see the files of the user outside like this.
        patch.setattr(os, 'geteuid', lambda: 0)
        SqliteAccountInfo(path).set_auth_data(**DATA)
    assert mode_of(path) == 0o600


def test_a_mode_that_cannot_be_changed_is_logged(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*args: Any) -> None:
        raise PermissionError(errno.EPERM, 'Operation not permitted')

    path.touch()
    path.chmod(0o644)
    monkeypatch.setattr(os, 'chmod', refuse)
    SqliteAccountInfo(path).set_auth_data(**DATA)
    assert 'open to other users' in caplog.text
    assert 'hush' not in caplog.text


def test_nothing_of_a_key_stays_in_the_file(path: Path, info: SqliteAccountInfo) -> None:
    assert b'hush' in path.read_bytes()
    info.clear()
    assert b'hush' not in path.read_bytes()
    info.set_auth_data(**DATA)
    info.set_auth_data(**{**DATA, 'application_key': 'other', 'auth_token': 'other'})
    assert b'hush' not in path.read_bytes()


# What cannot be used


@pytest.mark.parametrize(
    'content',
    [b'xx', b'no database' * 100, b'{ ', b'[]', b'55', b'{"account_id": "x"}', b'\xff' * 600],
)
def test_a_corrupt_file_is_named_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CorruptAccountInfo, match='Try removing') as caught:
        SqliteAccountInfo(path)
    assert caught.value.file_name == str(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def test_a_damaged_database_is_reported(path: Path, info: SqliteAccountInfo) -> None:
    info.close()
    content = bytearray(path.read_bytes())
    content[100:4096] = bytes(3996)
    path.write_bytes(content)
    with pytest.raises(CorruptAccountInfo):
        SqliteAccountInfo(path)
    with pytest.raises(CorruptAccountInfo):
        info.get_account_id()
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    change(path, 'CREATE TABLE account (name TEXT)')
    change(path, 'CREATE TABLE cookies (name TEXT)')
    content = path.read_bytes()
    with pytest.raises(CorruptAccountInfo):
        SqliteAccountInfo(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize('allowed', ['{', '5', '[]', 'null'])
def test_unreadable_restrictions(path: Path, info: SqliteAccountInfo, allowed: str) -> None:
    change(path, 'UPDATE account SET allowed = ?', allowed)
    with pytest.raises(CorruptAccountInfo):
        info.get_allowed()
    change(path, 'DELETE FROM update_done WHERE update_number > 4')
    content = path.read_bytes()
    with pytest.raises(CorruptAccountInfo):
        SqliteAccountInfo(path)
    assert path.read_bytes() == content


def test_a_newer_schema_is_tolerated(path: Path, info: SqliteAccountInfo) -> None:
    change(path, 'ALTER TABLE account ADD COLUMN region TEXT')
    change(path, 'CREATE TABLE news (name TEXT)')
    change(path, 'INSERT INTO update_done (update_number) VALUES (7)')
    newer = SqliteAccountInfo(path)
    assert newer.get_account_id() == info.get_account_id() == 'account'
    newer.set_auth_data(**{**DATA, 'account_id': 'other'})
    assert info.get_account_id() == 'other'


def test_a_directory_in_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(LocalFileError) as caught:
        SqliteAccountInfo(tmp_path)
    assert caught.value.errno == errno.EISDIR
    assert caught.value.filename == str(tmp_path)


def test_a_fifo_in_place_of_the_file(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(LocalFileError, match='Not an ordinary file'):
        SqliteAccountInfo(path)


def test_a_directory_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LocalFileError) as caught:
        SqliteAccountInfo(tmp_path / 'missing' / 'file')
    assert caught.value.errno == errno.ENOENT


def test_a_path_that_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('B2_ACCOUNT_INFO', '')
    with pytest.raises(InvalidArgument, match='B2_ACCOUNT_INFO is empty'):
        SqliteAccountInfo()


def test_a_directory_that_cannot_be_written(
    shared_directory: Path, without_privileges: Callable[[], AbstractContextManager[None]]
) -> None:
    owner = NOBODY if os.geteuid() == 0 else os.geteuid()
    path = shared_directory / 'account'
    SqliteAccountInfo(path).set_auth_data(**DATA)
    os.chown(path, owner, -1)
    shared_directory.chmod(0o555)
    try:
        with without_privileges():
            with pytest.raises(LocalFileError) as caught:
                SqliteAccountInfo(shared_directory / 'new')
            assert caught.value.errno == errno.EACCES
            info = SqliteAccountInfo(path)
            assert info.get_account_id() == 'account'
            with pytest.raises(LocalFileError) as caught:
                info.set_auth_data(**DATA)
            assert caught.value.errno == errno.EACCES
            assert caught.value.filename == str(path)
            assert info.get_account_id() == 'account'
    finally:
        shared_directory.chmod(0o777)


def test_a_file_that_cannot_be_written_can_be_read(
    shared_directory: Path, without_privileges: Callable[[], AbstractContextManager[None]]
) -> None:
    path = shared_directory / 'account'
    SqliteAccountInfo(path).set_auth_data(**DATA)
    path.chmod(0o400)
    os.chown(path, NOBODY if os.geteuid() == 0 else -1, -1)
    with without_privileges():
        info = SqliteAccountInfo(path)
        assert info.get_account_id() == 'account'
        with pytest.raises(LocalFileError) as caught:
            info.clear()
        assert caught.value.errno == errno.EACCES


def test_a_full_disk(info: SqliteAccountInfo) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        connection.execute('PRAGMA max_page_count = 1')
        connection.execute("INSERT INTO bucket VALUES ('x', ?)", ('x' * 100_000,))

    with pytest.raises(LocalFileError) as caught:
        info._database.write(fill)
    assert caught.value.errno == errno.ENOSPC
    assert info.get_account_id() == 'account'
    assert info.list_bucket_names_ids() == []


def test_a_write_that_the_system_refuses(info: SqliteAccountInfo, path: Path) -> None:
    size = path.stat().st_size
    with no_file_longer_than(size), pytest.raises(LocalFileError) as caught:
        info.save_bucket(Named('x' * 100_000, 'y'))
    assert caught.value.errno == errno.EIO
    assert info.get_account_id() == 'account'
    info.save_bucket(Named('x' * 100_000, 'y'))
    assert len(info.list_bucket_names_ids()) == 1


def test_values_that_are_none_are_the_callers_mistake(info: SqliteAccountInfo) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        info.set_auth_data(**{**DATA, 'account_id': None})
    assert info.get_account_id() == 'account'


def test_who_holds_the_file_for_ever_is_given_up(
    path: Path, info: SqliteAccountInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, 'BUSY_SECONDS', 0.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute('BEGIN EXCLUSIVE')
        with pytest.raises(LocalFileError, match='Another program') as caught:
            info.get_account_id()
        assert caught.value.errno == errno.EBUSY
        with pytest.raises(LocalFileError, match='Another program'):
            SqliteAccountInfo(path)
    assert info.get_account_id() == 'account'


def test_who_holds_the_file_for_longer_than_sqlite_waits_is_waited_for(
    path: Path, info: SqliteAccountInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, '_BUSY_SLICE_SECONDS', 0.001)
    info.close()
    attempts = []
    monkeypatch.setattr(database, '_may_pass', lambda code: attempts.append(code) or may_pass(code))
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute('BEGIN EXCLUSIVE')
        found = []
        thread = threading.Thread(target=lambda: found.append(info.get_account_id()))
        thread.start()
        while len(attempts) < 3:
            pass
        other.execute('COMMIT')
        thread.join()
    assert found == ['account']


may_pass = database._may_pass
