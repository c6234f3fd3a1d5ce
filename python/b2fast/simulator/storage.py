"""The state of a simulated service in a directory: content in files, the rest in SQLite.

What makes a file exist is its row. Content is complete before the row is written, and the row
before the client gets its answer; a deletion removes the row first. So whenever the process ends,
there is at most content too much, which the next start removes.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from contextlib import suppress
from typing import Any

from b2fast._core.server import Content, ContentStore
from b2fast.exception import LocalFileError

from . import errors
from .bucket import Bucket
from .bucket_settings import BucketSettings, ConfiguredBucket
from .data_dir import DataDir
from .file import File, Part
from .journal import Journal
from .state import DownloadToken, Key, Service
from .storage_fields import (
    BUCKET_FIELDS,
    DOWNLOAD_TOKEN_FIELDS,
    FILE_FIELDS,
    KEY_FIELDS,
    PART_FIELDS,
    loaded,
    restore,
    stored,
)

# The rows of deleted versions stay, without their body: a listing may be continued from one of
# them. New versions go to the end of their bucket's rows.
_SCHEMA = """
CREATE TABLE account (account_id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key_id TEXT UNIQUE NOT NULL, body TEXT NOT NULL
);
CREATE TABLE buckets (bucket_id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE files (
    bucket_id TEXT, sequence INTEGER, age INTEGER NOT NULL, file_id TEXT NOT NULL, body TEXT,
    PRIMARY KEY (bucket_id, sequence)
) WITHOUT ROWID;
CREATE TABLE parts (
    file_id TEXT, number INTEGER, body TEXT NOT NULL, PRIMARY KEY (file_id, number)
) WITHOUT ROWID;
CREATE TABLE download_tokens (token TEXT PRIMARY KEY, body TEXT NOT NULL);
"""
# The first account stays the first.
_SAVE_MASTER_KEY = (
    'INSERT INTO account VALUES (?, ?) ON CONFLICT (account_id) DO UPDATE SET body = excluded.body'
)
_ADD_KEY = 'INSERT INTO keys (key_id, body) VALUES (?, ?)'
_REMOVE_KEY = 'DELETE FROM keys WHERE key_id = ?'
_SAVE_BUCKET = 'INSERT OR REPLACE INTO buckets VALUES (?, ?)'
_REMOVE_BUCKET = 'DELETE FROM buckets WHERE bucket_id = ?'
_FORGET_POSITIONS = 'DELETE FROM files WHERE bucket_id = ?'
_ADD_FILE = 'INSERT INTO files VALUES (?, ?, ?, ?, ?)'
_SAVE_FILE = 'UPDATE files SET body = ? WHERE bucket_id = ? AND sequence = ?'
_SAVE_PART = 'INSERT OR REPLACE INTO parts VALUES (?, ?, ?)'
_REMOVE_PARTS = 'DELETE FROM parts WHERE file_id = ?'
_ADD_GRANT = 'INSERT INTO download_tokens VALUES (?, ?)'
_REMOVE_GRANT = 'DELETE FROM download_tokens WHERE token = ?'

_Statement = tuple[str, tuple[object, ...]]


class Storage(Journal):
    """Keeps a service in a directory.

    :param directory: made, for its owner alone, if it is missing.
    :raises LocalFileError: it cannot be used; see `DataDir`.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._data_dir = DataDir(directory, _SCHEMA)
        self._database = self._data_dir.database
        try:
            #: Where the content is.
            self.contents = ContentStore(self._data_dir.content_path)
        except OSError as error:
            self.close()
            raise self._content_error(error) from error

    def close(self) -> None:
        """Ends the use of the directory. Changes are refused from now on."""
        self._data_dir.close()

    # Loading

    def load(self, service: Service) -> Key | None:
        """Gives a new service what was stored, and removes content that nothing refers to.

        :return: the master key that the first account had last; None in a new directory.
        :raises LocalFileError: the metadata are damaged, or content is missing or not what a
            simulator stores.
        """
        try:
            master_keys = self._load_accounts(service)
            self._load_keys(service)
            self._load_buckets(service)
            self._load_files(service)
            self._load_download_tokens(service)
            self.contents.sweep()
            return master_keys[0] if master_keys else None
        except (sqlite3.Error, LookupError, TypeError, ValueError, OverflowError) as error:
            raise self._data_dir.damage(repr(error)) from error
        except OSError as error:
            raise self._content_error(error) from error

    def _load_accounts(self, service: Service) -> list[Key]:
        query = 'SELECT body FROM account ORDER BY rowid'
        keys = [_key(body) for (body,) in self._database.execute(query)]
        for key in keys[1:]:
            # The first one may get another key now.
            service.keys[key.account_id] = service.keys[key.application_key_id] = key
        return keys

    def _load_keys(self, service: Service) -> None:
        for (body,) in self._database.execute('SELECT body FROM keys ORDER BY number'):
            key = _key(body)
            service.keys[key.application_key_id] = key
            service.created_keys.append(key)
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'keys'"
        for (count,) in self._database.execute(query):
            service.key_count = count

    def _load_buckets(self, service: Service) -> None:
        for bucket_id, body in self._database.execute('SELECT bucket_id, body FROM buckets'):
            values = json.loads(body)
            bucket = Bucket(
                service,
                values['account_id'],
                bucket_id,
                values['bucket_name'],
                values['bucket_type'],
                BucketSettings(),
            )
            restore(bucket, values, BUCKET_FIELDS)
            service.add_bucket(bucket)

    def _load_files(self, service: Service) -> None:
        query = 'SELECT bucket_id, sequence, age, file_id, body FROM files'
        for bucket_id, sequence, age, file_id, body in self._database.execute(query):
            bucket = service.buckets_by_id[bucket_id]
            position = (int(age), -int(sequence))
            if body is None:
                bucket.remember_position(file_id, position)
                continue
            file = self._file(bucket, file_id, json.loads(body))
            file.position = position
            bucket.add_file(file)
        for file_id, number, body in self._database.execute('SELECT * FROM parts'):
            bucket = service.buckets_by_id[service.file_id_to_bucket_id[file_id]]
            file = bucket.file_id_to_file[file_id]
            file.numbered_parts[number] = self._part(file_id, number, json.loads(body))

    def _file(self, bucket: Bucket, file_id: str, values: dict[str, Any]) -> File:
        file = File(
            values['account_id'],
            bucket,
            file_id,
            values['action'],
            values['name'],
            values['content_type'],
            values['content_sha1'],
            values['file_info'],
            self._content(values),
            values['upload_timestamp'],
        )
        restore(file, values, FILE_FIELDS)
        return file

    def _part(self, file_id: str, number: int, values: dict[str, Any]) -> Part:
        content = self._content(values)
        part = Part(file_id, number, len(content), values['content_sha1'], content)
        restore(part, values, PART_FIELDS)
        return part

    def _content(self, values: dict[str, Any]) -> Content:
        sha1 = (values['content_sha1'] or 'none').removeprefix('unverified:')
        segments = [(name, offset, length) for name, offset, length in values['content']]
        return self.contents.open(segments, None if sha1 == 'none' else sha1)

    def _load_download_tokens(self, service: Service) -> None:
        expired = []
        for token, body in self._database.execute('SELECT token, body FROM download_tokens'):
            granted = DownloadToken(**loaded(json.loads(body), DOWNLOAD_TOKEN_FIELDS))
            if granted.expires > service.profile.clock():
                service.download_tokens[token] = granted
            else:
                expired.append((_REMOVE_GRANT, (token,)))
        self._execute(*expired)

    def _content_error(self, error: OSError) -> LocalFileError:
        return LocalFileError(
            self._data_dir.content_path, error.errno or errno.EINVAL, error.strerror or str(error)
        )

    # Writing

    def save_master_key(self, key: Key) -> None:
        """See `Journal`; it is called before there are clients.

        :raises LocalFileError: it cannot be stored.
        """
        try:
            self._execute((_SAVE_MASTER_KEY, (key.account_id, stored(key, KEY_FIELDS))))
        except sqlite3.Error as error:
            raise self._data_dir.damage(str(error)) from error

    def add_key(self, key: Key) -> None:
        """See `Journal`."""
        self._write((_ADD_KEY, (key.application_key_id, stored(key, KEY_FIELDS))))

    def remove_key(self, key: Key) -> None:
        """See `Journal`."""
        self._write((_REMOVE_KEY, (key.application_key_id,)))

    def save_bucket(self, bucket: ConfiguredBucket) -> None:
        """See `Journal`."""
        self._write((_SAVE_BUCKET, (bucket.bucket_id, stored(bucket, BUCKET_FIELDS))))

    def remove_bucket(self, bucket: Bucket) -> None:
        """See `Journal`."""
        bucket_id = (bucket.bucket_id,)
        self._write((_REMOVE_BUCKET, bucket_id), (_FORGET_POSITIONS, bucket_id))

    def add_file(self, file: File) -> None:
        """See `Journal`."""
        age, sequence = file.position
        row = (file.bucket.bucket_id, -sequence, age, file.file_id, _file_body(file))
        self._write((_ADD_FILE, row))
        file.content.keep()

    def save_file(self, file: File) -> None:
        """See `Journal`."""
        self._write(_saved(file, _file_body(file)))

    def remove_file(self, file: File) -> None:
        """See `Journal`."""
        statements = [_saved(file, None)]
        if file.numbered_parts:
            statements.append((_REMOVE_PARTS, (file.file_id,)))
        self._write(*statements)
        file.content.release()
        for part in file.numbered_parts.values():
            part.part_data.release()

    def save_part(self, file: File, part: Part) -> None:
        """See `Journal`."""
        former = file.numbered_parts.get(part.part_number)
        body = stored(part, PART_FIELDS, content=part.part_data.stored())
        self._write((_SAVE_PART, (file.file_id, part.part_number, body)))
        part.part_data.keep()
        if former is not None:
            former.part_data.release()

    def finish_file(self, file: File, parts: dict[int, Part]) -> None:
        """See `Journal`."""
        self._write(_saved(file, _file_body(file)), (_REMOVE_PARTS, (file.file_id,)))
        file.content.keep()
        for part in parts.values():
            part.part_data.release()

    def add_download_token(self, token: str, granted: DownloadToken) -> None:
        """See `Journal`."""
        self._write((_ADD_GRANT, (token, stored(granted, DOWNLOAD_TOKEN_FIELDS))))

    def _write(self, *statements: _Statement) -> None:
        """Executes all statements or, if one fails, none.

        :raises SimulatedError: 500 `internal_error`.
        """
        try:
            self._execute(*statements)
        except sqlite3.Error as error:
            raise errors.not_stored(str(error)) from error

    def _execute(self, *statements: _Statement) -> None:
        database = self._database
        # A single statement is a transaction of its own.
        several = len(statements) > 1
        try:
            if several:
                database.execute('BEGIN IMMEDIATE')
            for statement, parameters in statements:
                database.execute(statement, parameters)
            if several:
                database.execute('COMMIT')
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                database.rollback()
            raise


def _saved(file: File, body: str | None) -> _Statement:
    return _SAVE_FILE, (body, file.bucket.bucket_id, -file.position[1])


def _file_body(file: File) -> str:
    # Known before it is stored: the answer has it as well, and a listing would read all content.
    _ = file.content_md5
    return stored(file, FILE_FIELDS, content=file.content.stored())


def _key(body: str) -> Key:
    values = loaded(json.loads(body), KEY_FIELDS)
    return Key(
        values['account_id'],
        values['name'],
        values['application_key_id'],
        values['key'],
        values['capabilities'],
        values['expiration_timestamp_or_none'],
        values['buckets_or_none'],
        values['name_prefix_or_none'],
    )
