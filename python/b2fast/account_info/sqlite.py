"""Account data in a SQLite file, which programs share."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..exception import (
    CorruptAccountInfo,
    InvalidArgument,
    LocalFileError,
    MissingAccountData,
)
from ..utils.database import LOCK, Database
from .json_file import replace_json_file
from .location import B2_ACCOUNT_INFO_ENV_VAR, account_info_path
from .schema import ABSOLUTE_MINIMUM_PART_SIZE, read_allowed, upgrade
from .upload_url_pool import UrlPoolAccountInfo

if TYPE_CHECKING:
    from .abstract import NamedBucket


class SqliteAccountInfo(UrlPoolAccountInfo):
    """Keeps account data in a SQLite file that b2sdk and the ``b2`` command line read as well.

    The file, ``filename``, is the first of these:

    - with ``profile``: ``db-<profile>.sqlite`` in ``$XDG_CONFIG_HOME/b2``, or on macOS and
      Windows, if that variable is not set, ``~/.b2db-<profile>.sqlite``
    - ``file_name``
    - what the environment variable ``B2_ACCOUNT_INFO`` says
    - ``~/.b2_account_info``, if it is there
    - ``account_info`` in ``$XDG_CONFIG_HOME/b2``; an unset variable means ``~/.config``, but on
      macOS and Windows ``~/.b2_account_info``

    It is readable by its owner alone; an existing one is made so.  Any number of threads and
    processes may use it at once, also after a fork.  Upload URLs are not kept in it.

    :param file_name: the file; made if it does not exist.
    :param last_upgrade_to_run: for tests: make an old file, without the later upgrades.
    :param profile: the name of one of several accounts: letters, digits, ``_`` and ``-``.
    :raises CorruptAccountInfo: if the file has something else in it; it is left as it is.
    :raises LocalFileError: if the file cannot be read or made, or is another user's.
    :raises ValueError: if a profile and a file are given, no proper profile, or an empty name in
        the environment.
    """

    def __init__(
        self,
        file_name: str | os.PathLike[str] | None = None,
        last_upgrade_to_run: int | None = None,
        profile: str | None = None,
    ) -> None:
        self.filename = self.get_user_account_info_path(file_name=file_name, profile=profile)
        if not self.filename:
            raise InvalidArgument(
                B2_ACCOUNT_INFO_ENV_VAR, 'is empty: unset it, or let it name a file'
            )
        self._database = Database(
            # Where it is now, whatever the current directory will be.
            os.path.realpath(self.filename),
            self.filename,
            lambda connection: upgrade(connection, last_upgrade_to_run),
            CorruptAccountInfo,
        )
        self._open()
        super().__init__()

    @classmethod
    def get_user_account_info_path(
        cls, file_name: str | os.PathLike[str] | None = None, profile: str | None = None
    ) -> str:
        """The file for these arguments and the environment as it is now; see the class."""
        return account_info_path(file_name, profile)

    def _open(self) -> None:
        try:
            self._database.open()
        except CorruptAccountInfo as error:
            code = getattr(error.__cause__, 'sqlite_errorcode', None)
            if code != sqlite3.SQLITE_NOTADB:
                raise
            # Another thread may have replaced the file and use it by now, and looking at it
            # would end that thread's locks.
            with LOCK:
                if not self._replace_json_file():
                    raise
            self._database.open()

    def _replace_json_file(self) -> bool:
        def build(path: str, data: dict[str, Any]) -> None:
            columns = {
                **data,
                'recommended_part_size': data['minimum_part_size'],
                'absolute_minimum_part_size': ABSOLUTE_MINIMUM_PART_SIZE,
            }
            del columns['minimum_part_size']
            database = Database(path, self.filename, upgrade, CorruptAccountInfo)
            database.write(lambda connection: _replace_account(connection, columns))
            database.close()

        try:
            return replace_json_file(self._database.path, build)
        except LocalFileError:
            raise
        except OSError as error:
            raise LocalFileError(
                self.filename, error.errno, error.strerror or str(error)
            ) from error

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._database.close()

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.filename!r})'

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process opens the same file, from whatever directory.
        return type(self), (self._database.path,)

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self._database.write(_forget)

    def _set_auth_data(
        self,
        account_id: str,
        auth_token: str,
        api_url: str,
        download_url: str,
        recommended_part_size: int,
        absolute_minimum_part_size: int,
        application_key: str,
        realm: str,
        s3_api_url: str,
        allowed: dict[str, Any],
        application_key_id: str,
    ) -> None:
        self._replace(
            account_id=account_id,
            account_auth_token=auth_token,
            api_url=api_url,
            download_url=download_url,
            recommended_part_size=recommended_part_size,
            absolute_minimum_part_size=absolute_minimum_part_size,
            application_key=application_key,
            realm=realm,
            s3_api_url=s3_api_url,
            allowed=json.dumps(allowed),
            account_id_or_app_key_id=application_key_id,
        )

    def set_auth_data_with_schema_0_for_test(
        self,
        account_id: str,
        auth_token: str,
        api_url: str,
        download_url: str,
        minimum_part_size: int,
        application_key: str,
        realm: str,
    ) -> None:
        """Keep an authorization in a file made with ``last_upgrade_to_run=0``, for tests."""
        self._replace(
            account_id=account_id,
            account_auth_token=auth_token,
            api_url=api_url,
            download_url=download_url,
            minimum_part_size=minimum_part_size,
            application_key=application_key,
            realm=realm,
        )

    def _replace(self, **columns: Any) -> None:
        self._database.write(lambda connection: _replace_account(connection, columns))

    def _column(self, column: str, name: str) -> Any:
        """The value of a column of the account.

        :param name: what the error calls it.
        """
        rows = self._database.read(f'SELECT {column} FROM account')  # noqa: S608 - a fixed name
        if not rows:
            error = MissingAccountData(name)
            error.hint = f'{self.filename} holds no account: call authorize_account() first'
            raise error
        return rows[0][0]

    def get_account_id(self) -> str:
        """The ID of the account."""
        return str(self._column('account_id', 'account_id'))

    def get_application_key_id(self) -> str:
        """The ID of the key; that of the account in files that do not have it."""
        key_id = self._column('account_id_or_app_key_id', 'application_key_id')
        return self.get_account_id() if key_id is None else str(key_id)

    def get_account_auth_token(self) -> str:
        """The token for calls."""
        return str(self._column('account_auth_token', 'account_auth_token'))

    def get_api_url(self) -> str:
        """The base URL of calls."""
        return str(self._column('api_url', 'api_url'))

    def get_application_key(self) -> str:
        """The key itself, for the next authorization."""
        return str(self._column('application_key', 'application_key'))

    def get_download_url(self) -> str:
        """The base URL of downloads."""
        return str(self._column('download_url', 'download_url'))

    def get_realm(self) -> str:
        """The realm, by its name or URL, as it was given to the authorization."""
        return str(self._column('realm', 'realm'))

    def get_recommended_part_size(self) -> int:
        """The size of parts that B2 recommends, in bytes."""
        return int(self._column('recommended_part_size', 'recommended_part_size'))

    def get_absolute_minimum_part_size(self) -> int:
        """The least size of a part but the last, in bytes."""
        return int(self._column('absolute_minimum_part_size', 'absolute_minimum_part_size'))

    def get_allowed(self) -> dict[str, Any]:
        """What the key is allowed to do; everything in files that do not say."""
        text = self._column('allowed', 'allowed')
        if text is None:
            return self.DEFAULT_ALLOWED
        try:
            # Older versions of b2sdk write their form into files of any version.
            return read_allowed(text)
        except ValueError as error:
            raise CorruptAccountInfo(self.filename) from error

    def get_s3_api_url(self) -> str:
        """The base URL of the S3-compatible API; empty in files that do not have it."""
        url = self._column('s3_api_url', 's3_api_url')
        return '' if url is None else str(url)

    def refresh_entire_bucket_name_cache(self, name_id_iterable: Iterable[tuple[str, str]]) -> None:
        """Know these buckets, by name and ID, and no others."""
        buckets = list(name_id_iterable)

        def change(connection: sqlite3.Connection) -> None:
            connection.execute('DELETE FROM bucket')
            connection.executemany(
                'INSERT INTO bucket (bucket_name, bucket_id) VALUES (?, ?)', buckets
            )

        self._database.write(change)

    def list_bucket_names_ids(self) -> list[tuple[str, str]]:
        """Name and ID of every known bucket."""
        rows = self._database.read('SELECT bucket_name, bucket_id FROM bucket ORDER BY rowid')
        return [(str(name), str(id_)) for name, id_ in rows]

    def save_bucket(self, bucket: NamedBucket) -> None:
        """Remember the name and the ID of a bucket, and nothing else of either of them."""
        name, id_ = bucket.name, bucket.id_

        def change(connection: sqlite3.Connection) -> None:
            connection.execute(
                'DELETE FROM bucket WHERE bucket_id = ? OR bucket_name = ?', (id_, name)
            )
            connection.execute(
                'INSERT INTO bucket (bucket_name, bucket_id) VALUES (?, ?)', (name, id_)
            )

        self._database.write(change)

    def remove_bucket_name(self, bucket_name: str) -> None:
        """Forget a bucket, if it is known."""
        self._database.write(
            lambda connection: connection.execute(
                'DELETE FROM bucket WHERE bucket_name = ?', (bucket_name,)
            )
        )

    def get_bucket_id_or_none_from_bucket_name(self, bucket_name: str) -> str | None:
        """The ID of a known bucket."""
        return self._first('SELECT bucket_id FROM bucket WHERE bucket_name = ?', bucket_name)

    def get_bucket_name_or_none_from_bucket_id(self, bucket_id: str) -> str | None:
        """The name of a known bucket."""
        return self._first('SELECT bucket_name FROM bucket WHERE bucket_id = ?', bucket_id)

    def _first(self, query: str, value: str) -> str | None:
        rows = self._database.read(query, (value,))
        return str(rows[0][0]) if rows else None


def _forget(connection: sqlite3.Connection) -> None:
    for table in ('account', 'bucket', 'bucket_upload_url'):
        connection.execute(f'DELETE FROM {table}')  # noqa: S608 - fixed names


def _replace_account(connection: sqlite3.Connection, columns: dict[str, Any]) -> None:
    """Forget everything and keep a new account.

    :param columns: the columns of the table, which are fixed names, with their values.
    """
    _forget(connection)
    names = ', '.join(columns)
    values = ', '.join(f':{name}' for name in columns)
    connection.execute(f'INSERT INTO account ({names}) VALUES ({values})', columns)  # noqa: S608
