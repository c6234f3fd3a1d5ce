"""A simulator that is restarted answers as one that is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from hypothesis import example, given, settings, strategies as st

from b2fast.simulator import SimulatorServer

from ..helpers import Clock, sha1_of
from ..integration.simulator_client import NOW, Client
from ..integration.test_storage import everything, send_part

_IDS = ('accountId', 'applicationKeyId', 'bucketId', 'fileId')
_RANDOM = ('applicationKey', 'authorizationToken', 'uploadUrl')


class Account:
    """One of two accounts that get the same calls; what it answers is made comparable.

    :param data_dir: where it is kept over restarts; None: it is never restarted.
    """

    def __init__(self, data_dir: Path | None, http: requests.Session) -> None:
        self._data_dir = data_dir
        self._http = http
        # The clock stands still: only the order of arrival tells versions apart.
        self._clock = Clock(NOW)
        self._names: dict[str, str] = {}
        self.buckets: list[str] = []
        self.files: list[dict[str, Any]] = []
        self.deleted: list[dict[str, Any]] = []
        self.large: list[dict[str, Any]] = []
        self.parts: dict[str, dict[int, bytes]] = {}
        self.keys: list[str] = []
        self._start()

    def _start(self) -> None:
        self._server = SimulatorServer(
            data_dir=self._data_dir, clock=self._clock, minimum_part_size=3
        )
        self.client = Client(self._server, http=self._http)
        self.client.token = self.client.authorize().json()['authorizationToken']

    def stop(self) -> None:
        self._server.stop()

    def restart(self) -> None:
        if self._data_dir is not None:
            before = everything(self.client)
            self.stop()
            self._start()
            assert everything(self.client) == before

    def comparable(self, response: requests.Response) -> Any:
        """Status and answer, with IDs numbered in the order in which they appear."""
        return response.status_code, self.plain(response.json())

    def plain(self, answer: Any) -> Any:
        self._number(answer)
        text = json.dumps(answer, sort_keys=True)
        # The account's ID is a part of its keys'.
        for name in sorted(self._names, key=len, reverse=True):
            text = text.replace(name, self._names[name])
        return json.loads(text)

    def _number(self, value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                self._number(item)
        if isinstance(value, dict):
            for name in _RANDOM:
                value.pop(name, None)
            for name in _IDS:
                if isinstance(value.get(name), str):
                    self._names.setdefault(value[name], f'<{name} {len(self._names)}>')
            for item in value.values():
                self._number(item)

    def contents(self) -> list[bytes]:
        path = '/b2api/v4/b2_download_file_by_id?fileId='
        return [self.client.download(path + file['fileId']).content for file in self.files]


Step = Callable[[Account], Any]
NAMES = st.sampled_from(['a', 'b', 'b/c'])
DATA = st.binary(min_size=3, max_size=20)
NUMBERS = st.integers(0, 100)


def chosen(things: list[Any], number: int) -> Any:
    return things[number % len(things)] if things else None


def create_bucket(name: str) -> Step:
    def step(account: Account) -> Any:
        response = account.client.post(
            'b2_create_bucket',
            accountId=account.client.server.account_id,
            bucketName=f'bucket-{name[-1]}',
            bucketType='allPrivate',
        )
        if response.status_code == 200:
            account.buckets.append(response.json()['bucketId'])
        return account.comparable(response)

    return step


def update_bucket(number: int, revision: int | None, value: str) -> Step:
    def step(account: Account) -> Any:
        if not account.buckets:
            return None
        return account.comparable(
            account.client.post(
                'b2_update_bucket',
                accountId=account.client.server.account_id,
                bucketId=chosen(account.buckets, number),
                bucketInfo={'key': value},
                ifRevisionIs=revision,
            )
        )

    return step


def delete_bucket(number: int) -> Step:
    def step(account: Account) -> Any:
        if not account.buckets:
            return None
        bucket_id = chosen(account.buckets, number)
        response = account.client.post(
            'b2_delete_bucket', accountId=account.client.server.account_id, bucketId=bucket_id
        )
        if response.status_code == 200:
            account.buckets.remove(bucket_id)
        return account.comparable(response)

    return step


def upload(number: int, name: str, data: bytes) -> Step:
    def step(account: Account) -> Any:
        if not account.buckets:
            return None
        response = account.client.upload(chosen(account.buckets, number), name, data)
        account.files.append(response.json())
        return account.comparable(response)

    return step


def hide(number: int, name: str) -> Step:
    def step(account: Account) -> Any:
        if not account.buckets:
            return None
        bucket_id = chosen(account.buckets, number)
        return account.comparable(
            account.client.post('b2_hide_file', bucketId=bucket_id, fileName=name)
        )

    return step


def copy(number: int, name: str, start: int) -> Step:
    def step(account: Account) -> Any:
        if not account.files:
            return None
        response = account.client.post(
            'b2_copy_file',
            sourceFileId=chosen(account.files, number)['fileId'],
            fileName=name,
            range=f'bytes={start}-{start + 1}' if start else None,
        )
        if response.status_code == 200:
            account.files.append(response.json())
        return account.comparable(response)

    return step


def delete(number: int) -> Step:
    def step(account: Account) -> Any:
        if not account.files:
            return None
        file = chosen(account.files, number)
        account.files.remove(file)
        account.deleted.append(file)
        return account.comparable(
            account.client.post(
                'b2_delete_file_version', fileId=file['fileId'], fileName=file['fileName']
            )
        )

    return step


def list_from(number: int) -> Step:
    """A page that begins at a version, which may be gone."""

    def step(account: Account) -> Any:
        file = chosen([*account.files, *account.deleted], number)
        if file is None:
            return None
        return account.comparable(
            account.client.post(
                'b2_list_file_versions',
                bucketId=file['bucketId'],
                startFileName=file['fileName'],
                startFileId=file['fileId'],
            )
        )

    return step


def start(number: int, name: str) -> Step:
    def step(account: Account) -> Any:
        if not account.buckets:
            return None
        response = account.client.post(
            'b2_start_large_file',
            bucketId=chosen(account.buckets, number),
            fileName=name,
            contentType='text/plain',
        )
        account.large.append(response.json())
        account.parts[response.json()['fileId']] = {}
        return account.comparable(response)

    return step


def part(number: int, part_number: int, data: bytes) -> Step:
    def step(account: Account) -> Any:
        if not account.large:
            return None
        file_id = chosen(account.large, number)['fileId']
        account.parts[file_id][part_number] = data
        return account.comparable(send_part(account.client, file_id, part_number, data))

    return step


def finish(number: int) -> Step:
    def step(account: Account) -> Any:
        if not account.large:
            return None
        file = chosen(account.large, number)
        parts = account.parts[file['fileId']]
        response = account.client.post(
            'b2_finish_large_file',
            fileId=file['fileId'],
            partSha1Array=[sha1_of(parts[number]) for number in sorted(parts)],
        )
        if response.status_code == 200:
            account.large.remove(file)
            account.files.append(file)
        return account.comparable(response)

    return step


def cancel(number: int) -> Step:
    def step(account: Account) -> Any:
        if not account.large:
            return None
        file = chosen(account.large, number)
        account.large.remove(file)
        return account.comparable(
            account.client.post('b2_cancel_large_file', fileId=file['fileId'])
        )

    return step


def create_key(number: int) -> Step:
    def step(account: Account) -> Any:
        response = account.client.post(
            'b2_create_key',
            accountId=account.client.server.account_id,
            keyName='key',
            capabilities=['listFiles'],
            bucketIds=[chosen(account.buckets, number)] if account.buckets and number % 2 else None,
        )
        account.keys.append(response.json()['applicationKeyId'])
        return account.comparable(response)

    return step


def delete_key(number: int) -> Step:
    def step(account: Account) -> Any:
        if not account.keys:
            return None
        key_id = chosen(account.keys, number)
        account.keys.remove(key_id)
        return account.comparable(account.client.post('b2_delete_key', applicationKeyId=key_id))

    return step


def restart() -> Step:
    return Account.restart


STEPS = st.one_of(
    st.builds(create_bucket, NAMES),
    st.builds(update_bucket, NUMBERS, st.none() | st.integers(2, 4), st.text('xyz', max_size=3)),
    st.builds(delete_bucket, NUMBERS),
    st.builds(upload, NUMBERS, NAMES, DATA),
    st.builds(hide, NUMBERS, NAMES),
    st.builds(copy, NUMBERS, NAMES, st.integers(0, 3)),
    st.builds(delete, NUMBERS),
    st.builds(list_from, NUMBERS),
    st.builds(start, NUMBERS, NAMES),
    st.builds(part, NUMBERS, st.integers(1, 3), DATA),
    st.builds(finish, NUMBERS),
    st.builds(cancel, NUMBERS),
    st.builds(create_key, NUMBERS),
    st.builds(delete_key, NUMBERS),
    st.builds(restart),
)


@contextmanager
def two_accounts() -> Iterator[tuple[Account, Account]]:
    with ExitStack() as stack:
        directory = stack.enter_context(TemporaryDirectory())
        http = stack.enter_context(requests.Session())
        kept = Account(Path(directory) / 'data', http)
        stack.callback(kept.stop)
        other = Account(None, http)
        stack.callback(other.stop)
        yield kept, other


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=25))
@example(
    [
        create_bucket('a'),
        upload(0, 'a', b'one'),
        restart(),
        upload(0, 'a', b'two'),
        start(0, 'a'),
        part(0, 1, b'first'),
        restart(),
        part(0, 2, b'second'),
        finish(0),
        delete(1),
        restart(),
        list_from(2),
        hide(0, 'a'),
        create_key(1),
        delete_key(0),
        restart(),
        create_key(0),
    ]
)
def test_a_restart_changes_no_answer(steps: list[Step]) -> None:
    with two_accounts() as (kept, other):
        for step in [create_bucket('a'), *steps, restart()]:
            assert step(kept) == step(other)
        assert kept.plain(everything(kept.client)) == other.plain(everything(other.client))
        assert kept.contents() == other.contents()
