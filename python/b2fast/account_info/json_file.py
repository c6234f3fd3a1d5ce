"""The account data of the oldest versions, which were a JSON file."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Callable
from typing import Any

_FIELDS = (
    'account_id',
    'application_key',
    'account_auth_token',
    'api_url',
    'download_url',
    'minimum_part_size',
    'realm',
)


_SQLITE = b'SQLite format 3\0'
"""What a SQLite file begins with."""

_MOST_BYTES = 1 << 20
"""Much more than account data need; a file named by mistake may be of any size."""


def replace_json_file(path: str, build: Callable[[str, dict[str, Any]], None]) -> bool:
    """Replace a JSON file of account data, in one step, by a SQLite file that is built from it.

    One process does it; others that come at the same time wait for it.

    :param path: a file that SQLite does not understand.
    :param build: is given the path of an empty file, which will be the new one, and the data.
    :returns: is it replaced?  False if there are no account data in it.
    :raises OSError: if it cannot be read or replaced.
    """
    with open(path, 'rb') as file:
        content = file.read(_MOST_BYTES)
    if content.startswith(_SQLITE):
        # Another process was first.
        return True
    if _account_data(content) is None:
        return False
    # NFS locks only what is open for writing.
    with open(path, 'r+b') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        data = _account_data(file.read(_MOST_BYTES))
        if data is None or not os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
            return True
        # Such a file is for its owner alone.
        descriptor, new = tempfile.mkstemp(dir=os.path.dirname(path), prefix='.b2-')
        os.close(descriptor)
        try:
            build(new, data)
            os.replace(new, path)
        except BaseException:
            os.unlink(new)
            raise
    return True


def _account_data(content: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(content)
    except ValueError:
        return None
    if isinstance(data, dict) and all(name in data for name in _FIELDS):
        return {name: data[name] for name in _FIELDS}
    return None
