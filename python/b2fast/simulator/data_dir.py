"""A directory that keeps a simulator's state: whose it is, and who uses it now."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import stat
import weakref
from contextlib import suppress
from pathlib import Path

from b2fast.exception import LocalFileError
from b2fast.utils.private_file import make_private

_MARKER = 'b2fast-simulator'
_MARKER_TEXT = b"The data of a b2fast simulator. It deletes what it does not know in 'content'.\n"
_DATABASE = 'metadata.sqlite3'
_CONTENT = 'content'
# "b2fa": tells this kind of SQLite file from others.
_APPLICATION_ID = 0x62326661
#: What this version writes, and the newest one that it reads.
SCHEMA_VERSION = 1
# Pages of 4 KiB after which the journal goes into the file. The disk is waited for then, so not
# often: with SQLite's own 1000 it is every 400 uploads.
_CHECKPOINT_PAGES = 4000


class DataDir:
    """A directory that one simulator at a time uses.

    :param directory: made, for its owner alone, if it is missing.
    :param schema: the SQL that makes the tables of a new one.
    :raises LocalFileError: it is in use, has another's files in it, is damaged or was written by
        a newer version.
    """

    def __init__(self, directory: str | os.PathLike[str], schema: str) -> None:
        # Where it is now, whatever the current directory will be.
        self.path = os.path.realpath(directory)
        try:
            lock = self._claim()
            try:
                self.database = self._open_database(schema)
            except BaseException:
                _unlock(lock, os.getpid())
                raise
        except LocalFileError:
            raise
        except OSError as error:
            raise LocalFileError(
                error.filename or self.path, error.errno, error.strerror or str(error)
            ) from error
        self._finalizer = weakref.finalize(self, _close, self.database, lock, os.getpid())
        # At the end of the process there is nothing to be done, and handlers may be at work.
        self._finalizer.atexit = False

    @property
    def content_path(self) -> str:
        """The directory for the content."""
        return self._inside(_CONTENT)

    @property
    def database_path(self) -> str:
        """The file for the metadata."""
        return self._inside(_DATABASE)

    def close(self) -> None:
        """Lets others use the directory."""
        self._finalizer()

    def _inside(self, name: str) -> str:
        return os.path.join(self.path, name)

    def _claim(self) -> int:
        """Returns the descriptor that holds the lock."""
        Path(self.path).mkdir(0o700, parents=True, exist_ok=True)
        marker = self._inside(_MARKER)
        if not os.path.lexists(marker):
            self._refuse_strangers([])
        lock = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._refusal(
                    errno.EBUSY,
                    'Another simulator uses this directory; stop it or choose another one',
                ) from None
            text = os.read(lock, len(_MARKER_TEXT) + 1)
            if not text:
                # A new one, or one whose maker was killed here.
                self._refuse_strangers([_MARKER])
                os.write(lock, _MARKER_TEXT)
            elif text != _MARKER_TEXT:
                self._refuse_strangers([])
        except BaseException:
            os.close(lock)
            raise
        return lock

    def _refuse_strangers(self, known: list[str]) -> None:
        if os.listdir(self.path) != known:
            raise self._refusal(
                errno.ENOTEMPTY,
                'There are files in this directory that no simulator made, and it would delete '
                'what it does not know; choose an empty or a new directory',
            )

    def _open_database(self, schema: str) -> sqlite3.Connection:
        for name in (_DATABASE, f'{_DATABASE}-wal', f'{_DATABASE}-shm', _CONTENT):
            self._check_kind(name, directory=name == _CONTENT)
        path = self.database_path
        make_private(path)
        try:
            # mode=rw: SQLite would make a missing file for everybody to read.
            connection = sqlite3.connect(
                f'{Path(path).as_uri()}?mode=rw',
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._prepare(connection, schema)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise self.damage(str(error)) from error
        return connection

    def _check_kind(self, name: str, *, directory: bool) -> None:
        path = self._inside(name)
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return
        if not (stat.S_ISDIR(mode) if directory else stat.S_ISREG(mode)):
            kind = 'directory' if directory else 'ordinary file'
            raise LocalFileError(path, errno.EINVAL, f'It has to be an {kind}, and no link to one')

    def _prepare(self, connection: sqlite3.Connection, schema: str) -> None:
        (application,) = connection.execute('PRAGMA application_id').fetchone()
        (version,) = connection.execute('PRAGMA user_version').fetchone()
        (tables,) = connection.execute('SELECT count(*) FROM sqlite_master').fetchone()
        is_new = application == version == tables == 0
        if is_new:
            if os.path.isdir(self.content_path) and os.listdir(self.content_path):
                raise self.damage('it is missing or empty, and there is content')
        elif application != _APPLICATION_ID:
            raise self.damage('it is not a database of the simulator')
        elif version > SCHEMA_VERSION:
            raise LocalFileError(
                self.database_path,
                errno.EINVAL,
                f'A newer version of b2fast wrote it (format {version}; this one knows '
                f'{SCHEMA_VERSION}); use that version or another directory',
            )
        connection.execute('PRAGMA journal_mode = WAL')
        connection.execute('PRAGMA synchronous = NORMAL')
        connection.execute(f'PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}')
        if is_new:
            connection.executescript(
                f'BEGIN; {schema} PRAGMA application_id = {_APPLICATION_ID};'
                f'PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;'
            )

    def damage(self, reason: str) -> LocalFileError:
        """Returns the error for metadata that cannot be used."""
        return LocalFileError(
            self.database_path,
            errno.EINVAL,
            f'The metadata of the simulator cannot be used: {reason}. Restore the directory or '
            'choose another one',
        )

    def _refusal(self, number: int, reason: str) -> LocalFileError:
        return LocalFileError(self.path, number, reason)


def _close(database: sqlite3.Connection, lock: int, process: int) -> None:
    # SQLite forbids a child of fork even to close what it inherited.
    if process == os.getpid():
        with suppress(sqlite3.Error):
            database.close()
    _unlock(lock, process)


def _unlock(lock: int, process: int) -> None:
    if process == os.getpid():
        # Children of fork have the descriptor, too: to close it here would not be enough.
        fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(lock)
