"""What the tests of account data keep, and how they look at the file."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

DATA: dict[str, Any] = {
    'account_id': 'account',
    'auth_token': 'hush token',
    'api_url': 'http://api',
    'download_url': 'http://download',
    'recommended_part_size': 100,
    'absolute_minimum_part_size': 5,
    'application_key': 'hush key',
    'realm': 'dev',
    's3_api_url': 'http://s3',
    'allowed': None,
    'application_key_id': 'key id',
}


class Named(NamedTuple):
    name: str
    id_: str


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def change(path: Path, statement: str, *values: object) -> None:
    """Make a change to the file as another program would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)
