"""Identifiers and secrets in the forms that the service gives them."""

from __future__ import annotations

import itertools
import re
import secrets
import time

from . import errors

_FILE_ID = re.compile(r'4_z[0-9a-f]{24}_f[12][0-9a-f]{15}_d\d{8}_m\d{6}_c\d{3}_v\d{7}_t\d{4}')


def new_account_id() -> str:
    """Returns 12 hex digits."""
    return secrets.token_hex(6)


def new_key_id(account_id: str, number: int) -> str:
    """Returns 25 hex digits with the account's ID in the middle."""
    return f'005{account_id}{number:010x}'


def new_key() -> str:
    """Returns a secret of 31 characters."""
    return 'K005' + secrets.token_urlsafe(21)[:27]


def new_token(key_id: str) -> str:
    """Returns a token for the calls of a key, or for its uploads."""
    return f'4_{key_id}_{secrets.token_urlsafe(24)}'


class Ids:
    """Makes the identifiers of one service."""

    def __init__(self) -> None:
        self._volume = itertools.count(1)
        # The last second that a file had its ID in, as IDs spell it.
        self._stamp = (0, _stamp(0))

    def bucket_id(self) -> str:
        """Returns 24 hex digits."""
        return secrets.token_hex(12)

    def file_id(self, bucket_id: str, timestamp: int, large: bool) -> str:
        """Returns an ID whose order says nothing about the age of the version.

        :param timestamp: milliseconds since 1970 UTC.
        :param large: for a large file.
        """
        second, stamp = self._stamp
        if second != timestamp // 1000:
            second = timestamp // 1000
            stamp = _stamp(second)
            self._stamp = (second, stamp)
        kind = '2' if large else '1'
        unique = secrets.token_hex(8)[1:]
        return f'4_z{bucket_id}_f{kind}{unique}_{stamp}_{self.pod()}'

    def pod(self) -> str:
        """Returns the part of a file ID, and of an upload URL, that names a place in a pod."""
        number = next(self._volume)
        return f'c{number % 1000:03}_v{number % 10_000_000:07}_t{number % 10_000:04}'


def _stamp(second: int) -> str:
    return time.strftime('d%Y%m%d_m%H%M%S', time.gmtime(second))


def check_file_id(file_id: str) -> None:
    """Refuses what cannot be a file ID.

    :raises SimulatedError: 400 `bad_request`.
    """
    if not _FILE_ID.fullmatch(file_id):
        raise errors.bad_request(f'Invalid fileId: {file_id}')
