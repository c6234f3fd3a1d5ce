"""Account data in a file: old files, and who uses it at once."""

from __future__ import annotations

import errno
import gc
import json
import os
import pickle
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from b2fast import B2Session, SqliteAccountInfo
from b2fast.exception import (
    LocalFileError,
    MissingAccountData,
)

from ...helpers import run_in_threads, through_pickle
from .data import DATA, Named, change, mode_of

JSON_DATA = {
    'account_id': 'account',
    'application_key': 'hush key',
    'account_auth_token': 'hush token',
    'api_url': 'http://api',
    'download_url': 'http://download',
    'minimum_part_size': 100,
    'realm': 'dev',
}


# Old files


def test_a_json_file_is_replaced(path: Path) -> None:
    path.write_text(json.dumps(JSON_DATA))
    path.chmod(0o644)
    info = SqliteAccountInfo(path)
    assert info.get_account_auth_token() == 'hush token'
    assert info.get_recommended_part_size() == 100
    assert info.get_absolute_minimum_part_size() == 5_000_000
    assert info.get_application_key_id() == 'account'
    assert info.get_s3_api_url() == ''
    assert info.get_allowed() == info.DEFAULT_ALLOWED
    assert mode_of(path) == 0o600
    assert os.listdir(path.parent) == [path.name]


def test_a_json_file_stays_if_it_cannot_be_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise PermissionError(errno.EACCES, 'Permission denied')

    path.write_text(json.dumps(JSON_DATA))
    monkeypatch.setattr(os, 'replace', refuse)
    with pytest.raises(LocalFileError, match='Permission denied'):
        SqliteAccountInfo(path)
    assert json.loads(path.read_text()) == JSON_DATA
    assert os.listdir(path.parent) == [path.name]


def test_restrictions_that_an_older_version_writes_into_a_new_file(
    path: Path, info: SqliteAccountInfo
) -> None:
    old = {'bucketId': 'id', 'bucketName': "it's", 'capabilities': ['x'], 'namePrefix': "it's"}
    new = {
        'buckets': [{'id': 'id', 'name': "it's"}],
        'capabilities': ['x'],
        'namePrefix': "it's",
    }
    change(path, 'UPDATE account SET allowed = ?', json.dumps(old))
    assert info.get_allowed() == new
    change(path, 'DELETE FROM update_done WHERE update_number = 6')
    assert SqliteAccountInfo(path).get_allowed() == new
    with closing(sqlite3.connect(path)) as connection:
        assert json.loads(connection.execute('SELECT allowed FROM account').fetchone()[0]) == new


def test_a_later_upgrade_than_there_is_means_all(tmp_path: Path) -> None:
    info = SqliteAccountInfo(tmp_path / 'x', last_upgrade_to_run=99)
    info.set_auth_data(**DATA)
    assert SqliteAccountInfo(tmp_path / 'x').get_account_id() == 'account'


# At once


def test_threads(path: Path) -> None:
    info = SqliteAccountInfo(path)
    numbers = iter(range(80))

    def save() -> None:
        for _ in range(10):
            number = next(numbers)
            info.save_bucket(Named(f'name {number}', f'id {number}'))
            assert info.get_bucket_id_or_none_from_bucket_name(f'name {number}') == f'id {number}'

    run_in_threads(8, save)
    assert len(info.list_bucket_names_ids()) == 80


def test_a_change_is_made_once_or_not_at_all(info: SqliteAccountInfo) -> None:
    def broken() -> Iterator[tuple[str, str]]:
        yield 'one', '1'
        raise RuntimeError

    info.refresh_entire_bucket_name_cache([('zero', '0')])
    with pytest.raises(RuntimeError):
        info.refresh_entire_bucket_name_cache(broken())
    with pytest.raises(sqlite3.IntegrityError):
        info.refresh_entire_bucket_name_cache([('one', '1'), ('two', None)])  # type: ignore[list-item]
    assert info.list_bucket_names_ids() == [('zero', '0')]


def test_a_child_of_fork_uses_a_connection_of_its_own(path: Path, info: SqliteAccountInfo) -> None:
    program = """
import os, sys, threading
from b2fast import SqliteAccountInfo

class Named:
    def __init__(self, name):
        self.name = self.id_ = name

info = SqliteAccountInfo(sys.argv[1])
going = True

def keep_going(number):
    count = 0
    while going:
        info.save_bucket(Named(f'thread {number}'))
        count += 1

threads = [threading.Thread(target=keep_going, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
children = []
for number in range(8):
    child = os.fork()
    if child == 0:
        try:
            assert info._database._connection is None
            for step in range(5):
                info.save_bucket(Named(f'child {number} {step}'))
            os._exit(0)
        finally:
            os._exit(1)
    children.append(child)
codes = [os.waitpid(child, 0)[1] for child in children]
going = False
for thread in threads:
    thread.join()
assert codes == [0] * 8, codes
names = {name for name, _ in info.list_bucket_names_ids()}
assert names == {f'thread {n}' for n in range(3)} | {
    f'child {n} {s}' for n in range(8) for s in range(5)
}, names
"""
    # From Python 3.12 on a fork beside threads is warned of, rightly.
    command = [sys.executable, '-W', 'error', '-W', 'ignore:This process:DeprecationWarning']
    subprocess.run([*command, '-c', program, str(path)], check=True)
    assert info.get_account_id() == 'account'


def test_a_file_that_was_removed_is_made_anew(path: Path, info: SqliteAccountInfo) -> None:
    path.unlink()
    info.set_auth_data(**{**DATA, 'account_id': 'other'})
    assert mode_of(path) == 0o600
    assert SqliteAccountInfo(path).get_account_id() == 'other'


def test_another_directory_later(
    tmp_path: Path, info: SqliteAccountInfo, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    relative = SqliteAccountInfo(path.name)
    assert relative.filename == path.name
    monkeypatch.chdir('/')
    relative.close()
    assert relative.get_account_id() == 'account'
    copy = through_pickle(relative)
    assert copy.get_account_id() == 'account'
    assert b'hush' not in pickle.dumps(relative)


@pytest.mark.parametrize('close', [True, False])
def test_the_connection_is_closed(path: Path, close: bool) -> None:
    info = SqliteAccountInfo(path)
    connection = info._database._connection
    assert connection is not None
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        if close:
            info.close()
            info.close()
        else:
            del info
            gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match='closed'):
        connection.execute('SELECT 1')


def test_repr_and_errors_hold_no_secret(info: SqliteAccountInfo, path: Path) -> None:
    assert repr(info) == f'SqliteAccountInfo({str(path)!r})'
    info.clear()
    with pytest.raises(MissingAccountData, match='authorize_account') as caught:
        info.get_account_id()
    assert caught.value.key == 'account_id'
    assert str(path) in str(caught.value)


# As the default of a session


def test_sqlite3_is_imported_when_it_is_used() -> None:
    program = """
import sys
from b2fast import B2Session, InMemoryAccountInfo, B2_ACCOUNT_INFO_ENV_VAR
B2Session(InMemoryAccountInfo())
B2Session()
assert 'sqlite3' not in sys.modules
assert B2Session.SQLITE_ACCOUNT_INFO_CLASS.__name__ == 'SqliteAccountInfo'
assert 'sqlite3' in sys.modules
"""
    subprocess.run([sys.executable, '-c', program], check=True)


def test_the_default_is_in_memory_and_says_what_to_do() -> None:
    with pytest.raises(MissingAccountData, match=r'authorize_account\(\).*SqliteAccountInfo\(\)'):
        B2Session().account_info.get_api_url()


def test_a_session_with_a_class_of_its_own(path: Path, info: SqliteAccountInfo) -> None:
    class Session(B2Session):
        SQLITE_ACCOUNT_INFO_CLASS = staticmethod(lambda: SqliteAccountInfo(path))

    assert Session().account_info.get_account_id() == 'account'
    assert B2Session.SQLITE_ACCOUNT_INFO_CLASS is SqliteAccountInfo
