"""A SQLite file that threads, processes and children of fork use at once."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ..exception import B2Error, LocalFileError
from .private_file import make_private

BUSY_SECONDS = 60.0
"""How long to wait for another process that holds the file."""

_BUSY_SLICE_SECONDS = 0.5
"""How long SQLite itself waits: as long a signal may go unnoticed and a fork may wait."""

LOCK = threading.RLock()
"""Held while any database is used; nothing of SQLite is going on when a process forks."""

_databases: weakref.WeakSet[Database] = weakref.WeakSet()

_T = TypeVar('_T')


class Database:
    """A SQLite file, opened at first use, with one connection that the threads share.

    The connection is closed before the process forks: SQLite allows neither the use nor the
    closing of an inherited one.  Parent and child open their own when they need it.

    :param path: the file, absolute and symbolic links resolved; made for its owner alone.
    :param name: what errors call it.
    :param prepare: is given every new connection, in autocommit mode, before its first use.
    :param corrupt: makes of the name the error for a file with something else in it.
    :param busy_seconds: how long to wait for another process that holds the file; `BUSY_SECONDS`
        if None.
    """

    def __init__(
        self,
        path: str,
        name: str,
        prepare: Callable[[sqlite3.Connection], None],
        corrupt: Callable[[str], B2Error],
        busy_seconds: float | None = None,
    ) -> None:
        self.path = path
        self.name = name
        self._prepare = prepare
        self._corrupt = corrupt
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._closer: weakref.finalize[..., Database] | None = None
        with LOCK:
            _databases.add(self)

    def open(self) -> None:
        """Connect, unless this is done."""
        self._repeated(self._connected)

    def close(self) -> None:
        """Close the connection; the next use opens another one."""
        with LOCK:
            if self._closer is not None:
                self._closer()
            self._closer = self._connection = None

    def read(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """The rows of a query."""
        return self._repeated(lambda: self._connected().execute(statement, parameters).fetchall())

    def write(self, change: Callable[[sqlite3.Connection], _T]) -> _T:
        """Make a change as one transaction, in turn with all other processes.

        :param change: is called again if the transaction failed because the file was busy.
        """

        def transaction() -> _T:
            return in_transaction(self._connected(), change)

        return self._repeated(transaction)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        make_private(self.path)
        # mode=rw: SQLite would make a missing file for everybody to read.
        connection = sqlite3.connect(
            f'{Path(self.path).as_uri()}?mode=rw',
            uri=True,
            timeout=_BUSY_SLICE_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # Old keys do not stay in the free space of the file.
            connection.execute('PRAGMA secure_delete = ON')
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._closer = weakref.finalize(self, connection.close)
        self._connection = connection
        return connection

    def _repeated(self, action: Callable[[], _T]) -> _T:
        patience = BUSY_SECONDS if self._busy_seconds is None else self._busy_seconds
        deadline = time.monotonic() + patience
        while True:
            try:
                with LOCK:
                    return action()
            except (sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.IntegrityError):
                # A value that no column takes: the caller's mistake.
                raise
            except sqlite3.Error as error:
                code = getattr(error, 'sqlite_errorcode', None)
                if not _may_pass(code) or time.monotonic() >= deadline:
                    raise self._meaning_of(code) from error
                if code == sqlite3.SQLITE_READONLY_DBMOVED:
                    self.close()

    def _meaning_of(self, code: int | None) -> B2Error:
        reason = _REASONS.get(code & 0xFF) if code is not None else None
        if reason is not None:
            return LocalFileError(self.name, *reason)
        return self._corrupt(self.name)


def in_transaction(
    connection: sqlite3.Connection, change: Callable[[sqlite3.Connection], _T]
) -> _T:
    """Make a change as one transaction that no other one can come between.

    :param connection: is in autocommit mode.
    """
    # IMMEDIATE: two transactions that start with reading and then want to write would have to
    # fail, however long they wait.
    connection.execute('BEGIN IMMEDIATE')
    try:
        result = change(connection)
        connection.execute('COMMIT')
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise
    return result


def _may_pass(code: int | None) -> bool:
    """Is the file busy, or was it removed, so that it has to be opened anew?"""
    return code is not None and (
        code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        or code == sqlite3.SQLITE_READONLY_DBMOVED
    )


_REASONS = {
    sqlite3.SQLITE_BUSY: (errno.EBUSY, 'Another program does not release the file'),
    sqlite3.SQLITE_LOCKED: (errno.EBUSY, 'Another program does not release the file'),
    sqlite3.SQLITE_FULL: (errno.ENOSPC, os.strerror(errno.ENOSPC)),
    sqlite3.SQLITE_READONLY: (errno.EACCES, 'The file or its directory cannot be written'),
    sqlite3.SQLITE_PERM: (errno.EACCES, os.strerror(errno.EACCES)),
    sqlite3.SQLITE_CANTOPEN: (
        errno.EACCES,
        'The file cannot be opened, or no file beside it be made',
    ),
    sqlite3.SQLITE_IOERR: (errno.EIO, os.strerror(errno.EIO)),
    sqlite3.SQLITE_NOMEM: (errno.ENOMEM, os.strerror(errno.ENOMEM)),
}
"""What the codes of SQLite mean that are about the file and not about its content."""


def _close_all() -> None:
    LOCK.acquire()
    for database in list(_databases):
        database.close()


def _release() -> None:
    # Imported by another function that a fork calls before, it is only called behind.
    with contextlib.suppress(RuntimeError):
        LOCK.release()


os.register_at_fork(before=_close_all, after_in_parent=_release, after_in_child=_release)
