"""One of several processes that use the same file of account data.

Arguments: the library (``b2fast`` or ``b2sdk.v3``), the file, what to do, the number of the
process, how often to do it.  Starts when a line comes from the standard input.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, NamedTuple


class Named(NamedTuple):
    name: str
    id_: str


def account(number: int) -> dict[str, Any]:
    """What an authorization gives; everything in it tells the number."""
    return {
        'account_id': f'account {number}',
        'auth_token': f'token {number}',
        'api_url': f'http://api/{number}',
        'download_url': f'http://download/{number}',
        'recommended_part_size': 1000 + number,
        'absolute_minimum_part_size': 100 + number,
        'application_key': f'key {number}',
        'realm': f'realm {number}',
        's3_api_url': f'http://s3/{number}',
        'allowed': {'buckets': None, 'capabilities': [f'cap {number}'], 'namePrefix': None},
        'application_key_id': f'key id {number}',
    }


def save(info: Any, number: int, step: int) -> None:
    """Remember a bucket of one's own, and forget another one."""
    name = f'bucket {number} {step}'
    info.save_bucket(Named(name, f'id {number} {step}'))
    info.save_bucket(Named(f'old {number}', f'old {number}'))
    info.remove_bucket_name(f'old {number}')
    found = info.get_bucket_id_or_none_from_bucket_name(name)
    if found != f'id {number} {step}':
        raise AssertionError(f'{found!r} for {name!r}')


def authorize(info: Any, number: int, step: int) -> None:
    """Replace the account."""
    info.set_auth_data(**account(number * 1000 + step))
    if not info.get_account_id().startswith('account '):
        raise AssertionError(info.get_account_id())


def main(library: str, path: str, action: str, number: int, times: int) -> None:
    sdk = importlib.import_module(library)
    make = sdk.SqliteAccountInfo
    do = {'save': save, 'authorize': authorize}[action]
    print('ready', flush=True)
    sys.stdin.readline()
    info = make(path)
    for step in range(times):
        do(info, number, step)
    info.close()


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
