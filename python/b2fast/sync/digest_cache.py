"""What is remembered of local files from one sync to the next."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from ..exception import B2Error, LocalFileError
from ..log import logger_of
from ..utils.database import LOCK, Database, in_transaction
from .file_digests import FileDigests, FileState, digests_of_file

logger = logger_of(__name__)

XDG_CACHE_HOME_ENV_VAR = 'XDG_CACHE_HOME'
"""The environment variable that names the directory of caches; ``~/.cache`` if it is not set."""

_T = TypeVar('_T')

_APPLICATION_ID = 0x62326663
_VERSION = 1
_TABLES = (
    # One text each, because not every inode number fits into an integer of SQLite.
    'CREATE TABLE file_digests (file TEXT PRIMARY KEY, state TEXT NOT NULL, sha1 TEXT NOT NULL, '
    'blake3 BLOB NOT NULL, seen_day INT NOT NULL) WITHOUT ROWID',
    'CREATE INDEX file_digests_by_day ON file_digests (seen_day)',
    'CREATE TABLE uploaded_blocks (bucket_id TEXT NOT NULL, file_id TEXT NOT NULL, '
    'size INT NOT NULL, block_size INT NOT NULL, digests BLOB NOT NULL, day INT NOT NULL, '
    'PRIMARY KEY (bucket_id, file_id))',
)
_NO_STATE = ''
"""The state of an entry that does not count."""
_DAY_NS = 24 * 60 * 60 * 1_000_000_000
KEPT_DAYS = 180
"""After so many days what nobody has seen is forgotten."""
_SEEN_DAYS = 30
"""So many days may pass before it is noted again that a file is still there."""
_BUSY_SECONDS = 5.0
"""How long to wait for another process; to read the files again is better than to wait on."""
_ENTRIES_AT_A_TIME = 4096
_BYTES_AT_A_TIME = 1 << 30
"""What is written in one transaction: so many entries, or less after reading so many bytes."""


class _Entry(NamedTuple):
    state: str
    sha1: str
    blake3: bytes
    seen_day: int


class DigestCache:
    """Keeps the digests of local files in a SQLite file, so that they need not be read again.

    A digest counts as long as device, inode, size and both times of the file (of its last
    modification and of its last change of any kind) are what they were when it was read. A file
    that was changed within the 2 seconds before it was read is not remembered, since another
    change might leave the same times. Not noticed is a program that changes a file through
    memory that is mapped to it, as long as the system has not written that back.

    If the file cannot be used, a warning is logged, and nothing is remembered. Threads and
    processes may share it. Files that no sync has seen for 180 days are forgotten.

    :param path: the file, for its owner alone; made if it does not exist. None for
        ``b2fast/digests.sqlite`` in ``$XDG_CACHE_HOME`` or ``~/.cache``
    :param max_entries: how many files are remembered at most; of more, those that were seen last
    :param now: tells the time, in nanoseconds since 1970
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        max_entries: int = 1_000_000,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self.path = _default_path() if path is None else os.path.abspath(os.fspath(path))
        self.max_entries = max_entries
        self.now = now
        self._has_default_path = path is None
        self._database: Database | None = None
        self._is_usable = True
        self._waiting: dict[str, _Entry] = {}
        self._waiting_bytes = 0

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.path!r})'

    def known_sha1(self, path: str | os.PathLike[str]) -> tuple[FileState, str] | None:
        """The SHA-1 of a file in hex, and what the file is, if it is known without reading it.

        :raises OSError: if there is no such file.
        """
        state = FileState.of(os.stat(path))
        now = self.now()
        if state.may_change_unseen(now):
            return None
        file = _file_of(state)
        entry = self._entry(file)
        if entry is None or entry.state != _text_of(state):
            return None
        today = day_of(now)
        if today - entry.seen_day >= _SEEN_DAYS:
            self._put(file, entry._replace(seen_day=today), 0)
        return state, entry.sha1

    def read(
        self,
        path: str | os.PathLike[str],
        block_size: int | None = None,
        *,
        check: Callable[[], None],
    ) -> FileDigests:
        """Read a file and remember its digests; see `digests_of_file`.

        The content is compared, by its BLAKE3, with what was known of it: a change that the file
        system did not show is logged.
        """
        digests = digests_of_file(path, block_size, check=check, now=self.now)
        state = digests.state
        file = _file_of(state)
        known = self._entry(file)
        text = _text_of(state)
        if known is not None and (known.state, known.blake3) == (text, digests.blake3):
            return digests
        is_racy = state.may_change_unseen(digests.read_at_ns)
        if known is not None and known.state == text:
            logger.warning('%s changed, and its times did not', path)
            text = _NO_STATE if is_racy else text
        elif is_racy:
            return digests
        today = day_of(self.now())
        self._put(file, _Entry(text, digests.sha1, digests.blake3, today), state.size)
        return digests

    def close(self) -> None:
        """Write what is not yet written, and close the file; the next use opens it again."""
        if self._write_waiting():
            self.attempt(lambda database: database.write(self._forget_old), None)
        with LOCK:
            if self._database is not None:
                self._database.close()

    def attempt(self, action: Callable[[Database], _T], otherwise: _T) -> _T:
        """Do something with the database; if it cannot be used, give the other value.

        After the first failure nothing more is tried.
        """
        if not self._is_usable:
            return otherwise
        try:
            with LOCK:
                if self._database is None:
                    self._database = self._opened()
            return action(self._database)
        except (B2Error, OSError) as error:
            with LOCK:
                is_first, self._is_usable = self._is_usable, False
            if is_first:
                logger.warning('digests are not remembered: %s', error)
            return otherwise

    def _opened(self) -> Database:
        if self._has_default_path:
            # The mode that the XDG Base Directory Specification asks for.
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        return Database(os.path.realpath(self.path), self.path, _prepare, _corrupt, _BUSY_SECONDS)

    def _entry(self, file: str) -> _Entry | None:
        with LOCK:
            waiting = self._waiting.get(file)
        if waiting is not None:
            return waiting
        statement = 'SELECT state, sha1, blake3, seen_day FROM file_digests WHERE file = ?'
        rows: list[Any] = self.attempt(lambda database: database.read(statement, (file,)), [])
        if not rows or not isinstance(rows[0][-1], int):
            return None
        return _Entry(*rows[0])

    def _put(self, file: str, entry: _Entry, read_bytes: int) -> None:
        with LOCK:
            self._waiting[file] = entry
            self._waiting_bytes += read_bytes
            is_enough = (
                len(self._waiting) >= _ENTRIES_AT_A_TIME or self._waiting_bytes >= _BYTES_AT_A_TIME
            )
        if is_enough:
            self._write_waiting()

    def _write_waiting(self) -> bool:
        """Was there something to write?"""
        with LOCK:
            waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        rows = [(file, *entry) for file, entry in waiting.items()]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany('REPLACE INTO file_digests VALUES (?, ?, ?, ?, ?)', rows)

        if rows:
            self.attempt(lambda database: database.write(write), None)
        return bool(rows)

    def _forget_old(self, connection: sqlite3.Connection) -> None:
        oldest = day_of(self.now()) - KEPT_DAYS
        connection.execute('DELETE FROM file_digests WHERE seen_day < ?', (oldest,))
        ((count,),) = connection.execute('SELECT count(*) FROM file_digests')
        connection.execute(
            'DELETE FROM file_digests WHERE file IN '
            '(SELECT file FROM file_digests ORDER BY seen_day LIMIT ?)',
            (max(0, count - self.max_entries),),
        )


def day_of(now_ns: int) -> int:
    """The day of a time in nanoseconds since 1970, counted from there."""
    return now_ns // _DAY_NS


def _corrupt(path: str) -> LocalFileError:
    return LocalFileError(
        path, errno.EINVAL, 'The file is damaged or no digest cache; remove it, or name another one'
    )


def _default_path() -> str:
    # https://specifications.freedesktop.org/basedir-spec: a relative path counts as unset.
    home = os.environ.get(XDG_CACHE_HOME_ENV_VAR, '')
    if not os.path.isabs(home):
        home = os.path.expanduser(os.path.join('~', '.cache'))
    return os.path.join(home, 'b2fast', 'digests.sqlite')


def _file_of(state: FileState) -> str:
    return f'{state.device}:{state.inode}'


def _text_of(state: FileState) -> str:
    return f'{state.size}:{state.mtime_ns}:{state.ctime_ns}'


def _prepare(connection: sqlite3.Connection) -> None:
    if _is_ours(connection):
        return

    def create(connection: sqlite3.Connection) -> None:
        if _is_ours(connection):
            return
        if connection.execute('SELECT 1 FROM sqlite_master').fetchone() is not None:
            raise sqlite3.DatabaseError('a database of something else')
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(f'PRAGMA application_id = {_APPLICATION_ID}')
        connection.execute(f'PRAGMA user_version = {_VERSION}')

    in_transaction(connection, create)


def _is_ours(connection: sqlite3.Connection) -> bool:
    ((application_id,),) = connection.execute('PRAGMA application_id')
    ((version,),) = connection.execute('PRAGMA user_version')
    return (application_id, version) == (_APPLICATION_ID, _VERSION)
