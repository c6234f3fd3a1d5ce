"""The tables of the account data, as b2sdk has them, and how old files are brought up to date.

``update_done`` lists the numbers of the upgrades that a file has had.  Numbers that are not known
here, from a newer version, do no harm, nor do columns and tables.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from ..utils.database import in_transaction

ABSOLUTE_MINIMUM_PART_SIZE = 5_000_000
"""The least size of parts at B2 since ever, in bytes, for files that do not have it."""

_TABLES = {
    'update_done': 'update_number INT NOT NULL',
    'account': (
        'account_id TEXT NOT NULL, application_key TEXT NOT NULL, '
        'account_auth_token TEXT NOT NULL, api_url TEXT NOT NULL, download_url TEXT NOT NULL, '
        'minimum_part_size INT NOT NULL, realm TEXT NOT NULL'
    ),
    'bucket': 'bucket_name TEXT NOT NULL, bucket_id TEXT NOT NULL',
    # Not used, but b2sdk empties it.
    'bucket_upload_url': (
        'bucket_id TEXT NOT NULL, upload_url TEXT NOT NULL, upload_auth_token TEXT NOT NULL'
    ),
}
"""The columns of the tables, before all upgrades."""


class NotAccountData(sqlite3.DatabaseError):
    """The file is a database, but not one with account data."""


def upgrade(connection: sqlite3.Connection, last: int | None = None) -> None:
    """Make the tables that are missing and bring them up to date, in one transaction.

    :param last: the number of the last upgrade to make; the newest one if None.
    """
    newest = len(_UPGRADES)
    numbers = range(1, (newest if last is None else min(last, newest)) + 1)
    # Who finds nothing to do writes nothing: many do so at once, and some may not write.
    if _is_up_to_date(connection, numbers):
        return

    def change(connection: sqlite3.Connection) -> None:
        tables = _tables_of(connection)
        if 'update_done' not in tables and not tables <= _TABLES.keys():
            raise NotAccountData('a database of something else')
        for name, columns in _TABLES.items():
            connection.execute(f'CREATE TABLE IF NOT EXISTS {name} ({columns})')
        for number in sorted(set(numbers) - _upgrades_of(connection)):
            _UPGRADES[number - 1](connection)
            connection.execute('INSERT INTO update_done (update_number) VALUES (?)', (number,))

    in_transaction(connection, change)


def _is_up_to_date(connection: sqlite3.Connection, numbers: range) -> bool:
    return _TABLES.keys() <= _tables_of(connection) and set(numbers) <= _upgrades_of(connection)


def _tables_of(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


def _upgrades_of(connection: sqlite3.Connection) -> set[int]:
    return {number for (number,) in connection.execute('SELECT update_number FROM update_done')}


def read_allowed(text: str) -> dict[str, Any]:
    """What a key is allowed to do, as it is stored, in the form with a list of buckets.

    Older versions have one bucket at most and no list.

    :raises ValueError: if it is not readable.
    """
    allowed = json.loads(text)
    if not isinstance(allowed, dict):
        raise ValueError('not an object')
    if 'buckets' in allowed:
        return allowed
    bucket_id, name = allowed.pop('bucketId', None), allowed.pop('bucketName', None)
    return {**allowed, 'buckets': None if bucket_id is None else [{'id': bucket_id, 'name': name}]}


def _add_column(declaration: str) -> Callable[[sqlite3.Connection], None]:
    def add(connection: sqlite3.Connection) -> None:
        connection.execute(f'ALTER TABLE account ADD COLUMN {declaration}')

    return add


def _tell_part_sizes_apart(connection: sqlite3.Connection) -> None:
    connection.execute(
        'ALTER TABLE account RENAME COLUMN minimum_part_size TO recommended_part_size'
    )
    connection.execute(
        'ALTER TABLE account ADD COLUMN absolute_minimum_part_size INT NOT NULL '
        f'DEFAULT {ABSOLUTE_MINIMUM_PART_SIZE}'
    )


def _allow_several_buckets(connection: sqlite3.Connection) -> None:
    rows = connection.execute('SELECT rowid, allowed FROM account WHERE allowed IS NOT NULL')
    for rowid, text in rows.fetchall():
        try:
            allowed = json.dumps(read_allowed(text))
        except ValueError as error:
            raise NotAccountData('unreadable restrictions of the key') from error
        connection.execute('UPDATE account SET allowed = ? WHERE rowid = ?', (allowed, rowid))


_UPGRADES: list[Callable[[sqlite3.Connection], None]] = [
    _add_column('allowed TEXT'),
    _add_column('account_id_or_app_key_id TEXT'),
    _add_column('s3_api_url TEXT'),
    _tell_part_sizes_apart,
    _allow_several_buckets,
    # Again: some versions wrote the old form into files that had had the fifth upgrade.
    _allow_several_buckets,
]
"""The upgrades; the first has the number 1."""
