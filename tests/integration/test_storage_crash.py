"""kill -9 at any moment: what was acknowledged is there, and nothing is there by halves."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from ..helpers import sha1_of
from .simulator_client import Client

ROUNDS = 50
WORKERS = 4
PART = os.urandom(5_000_000)


@dataclass
class Running:
    """``b2fast simulator`` on the directory, in a process of its own."""

    data_dir: Path

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                '-m',
                'b2fast',
                'simulator',
                '--port=0',
                '--json',
                f'--data-dir={self.data_dir}',
            ],
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        greeting = json.loads(self.process.stdout.readline())
        self.url, self.key_id, self.key = greeting['url'], greeting['key_id'], greeting['key']
        with requests.Session() as http:
            answer = Client(self, http=http).authorize().json()  # type: ignore[arg-type]
        self.account_id, self.token = answer['accountId'], answer['authorizationToken']

    def client(self, http: requests.Session) -> Client:
        return Client(self, http=http, token=self.token)  # type: ignore[arg-type]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@dataclass
class Worker:
    """Uses names of its own and knows what the server acknowledged.

    `doubt` is what the call was about that the kill left without an answer.
    """

    number: int
    bucket_id: str
    random: random.Random
    files: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """SHA-1 and name of each version by ID; the SHA-1 is None for hide markers."""
    large: dict[str, dict[int, bytes]] = field(default_factory=dict)
    """The parts of each unfinished file by ID and number."""
    large_names: dict[str, str] = field(default_factory=dict)
    beginnings: dict[str, bytes] = field(default_factory=dict)
    """The first bytes of each finished large file by ID."""
    doubt: tuple[Any, ...] = ()
    interrupted: set[str] = field(default_factory=set)
    checked: set[str] = field(default_factory=set)
    failure: BaseException | None = None

    @property
    def prefix(self) -> str:
        return f'{self.number}/'

    # What it does until the server is killed

    def run(self, server: Running) -> None:
        try:
            with requests.Session() as http:
                while True:
                    self._step(server.client(http))
                    self.doubt = ()
        except requests.exceptions.RequestException:
            pass
        except BaseException as error:
            self.failure = error

    def _step(self, client: Client) -> None:
        choices = [self._upload] * 4 + [self._start]
        if self.large:
            choices += [self._part] * 2 + [self._finish, self._copy_part]
        if self.files:
            choices += [self._copy, self._hide] + [self._delete] * 3
        if len(self.large) > 2:
            choices = [self._part, self._finish, self._finish, self._cancel]
        self.random.choice(choices)(client)

    def _new_name(self) -> str:
        return f'{self.prefix}{self.random.getrandbits(60):x}'

    def _upload(self, client: Client) -> None:
        name = self._new_name()
        data = self.random.randbytes(self.random.choice([0, 10, 20_000, 700_000]))
        self.doubt = ('file', name, sha1_of(data))
        self.files[client.store(self.bucket_id, name, data)['fileId']] = (name, sha1_of(data))

    def _uploads(self) -> list[str]:
        return [file_id for file_id, (_, sha1) in self.files.items() if sha1 is not None]

    def _copy(self, client: Client) -> None:
        uploads = self._uploads()
        if not uploads:
            return
        source = self.random.choice(uploads)
        name, sha1 = self._new_name(), self.files[source][1]
        self.doubt = ('file', name, sha1)
        answer = client.call('b2_copy_file', sourceFileId=source, fileName=name)
        self.files[answer['fileId']] = (name, sha1)

    def _hide(self, client: Client) -> None:
        # What is deleted later may be the version that was hidden.
        name = self._new_name()
        data = b'hidden'
        self.doubt = ('file', name, sha1_of(data))
        self.files[client.store(self.bucket_id, name, data)['fileId']] = (name, sha1_of(data))
        self.doubt = ('file', name, None)
        answer = client.call('b2_hide_file', bucketId=self.bucket_id, fileName=name)
        self.files[answer['fileId']] = (name, None)

    def _delete(self, client: Client) -> None:
        file_id = self.random.choice(list(self.files))
        name, _ = self.files[file_id]
        self.doubt = ('deleted', file_id)
        client.call('b2_delete_file_version', fileId=file_id, fileName=name)
        self._is_deleted(file_id)

    def _is_deleted(self, file_id: str) -> None:
        del self.files[file_id]
        self.beginnings.pop(file_id, None)

    def _start(self, client: Client) -> None:
        name = self._new_name()
        self.doubt = ('started', name)
        file_id = client.call(
            'b2_start_large_file', bucketId=self.bucket_id, fileName=name, contentType='x/y'
        )['fileId']
        self.large[file_id], self.large_names[file_id] = {}, name

    def _next_part(self, file_id: str) -> int:
        # Now and then one is sent again, and then replaced.
        return max(1, len(self.large[file_id]) + self.random.choice([0, 1, 1]))

    def _part(self, client: Client) -> None:
        file_id = self.random.choice(list(self.large))
        number = self._next_part(file_id)
        data = self.random.randbytes(16) + PART
        self.doubt = ('part', file_id, number, data)
        target = client.call('b2_get_upload_part_url', fileId=file_id)
        response = client.send(target, data, {'X-Bz-Part-Number': str(number)})
        assert response.status_code == 200, response.text
        self.large[file_id][number] = data

    def _copy_part(self, client: Client) -> None:
        if not self.beginnings:
            return
        file_id = self.random.choice(list(self.large))
        number = self._next_part(file_id)
        source = self.random.choice(list(self.beginnings))
        data = self.beginnings[source]
        self.doubt = ('part', file_id, number, data)
        client.call(
            'b2_copy_part',
            sourceFileId=source,
            largeFileId=file_id,
            partNumber=number,
            range=f'bytes=0-{len(data) - 1}',
        )
        self.large[file_id][number] = data

    def _finish(self, client: Client) -> None:
        ready = [file_id for file_id, parts in self.large.items() if len(parts) > 1]
        if not ready:
            return
        file_id = self.random.choice(ready)
        self.doubt = ('finished', file_id)
        parts = self.large[file_id]
        sha1s = [sha1_of(parts[number]) for number in sorted(parts)]
        client.call('b2_finish_large_file', fileId=file_id, partSha1Array=sha1s)
        self._is_finished(file_id)

    def _is_finished(self, file_id: str) -> None:
        parts = self.large.pop(file_id)
        whole = b''.join(parts[number] for number in sorted(parts))
        self.files[file_id] = (self.large_names[file_id], sha1_of(whole))
        self.beginnings[file_id] = whole[: len(PART)]

    def _cancel(self, client: Client) -> None:
        file_id = self.random.choice(list(self.large))
        self.doubt = ('cancelled', file_id)
        client.call('b2_cancel_large_file', fileId=file_id)
        del self.large[file_id]

    # What it looks at afterwards

    def check(self, client: Client) -> None:
        page = client.call(
            'b2_list_file_versions',
            bucketId=self.bucket_id,
            prefix=self.prefix,
            maxFileCount=10_000,
        )
        found = {
            file['fileId']: file for file in page['files'] if file['action'] in ('upload', 'hide')
        }
        unfinished = {
            file['fileId']: {
                part['partNumber']: part['contentSha1']
                for part in client.call('b2_list_parts', fileId=file['fileId'])['parts']
            }
            for file in page['files']
            if file['action'] == 'start'
        }
        names = {file['fileId']: file['fileName'] for file in page['files']}
        self._settle(names, found, unfinished)
        assert {file_id: names[file_id] for file_id in found} == {
            file_id: name for file_id, (name, _) in self.files.items()
        }
        assert unfinished == {
            file_id: {number: sha1_of(data) for number, data in parts.items()}
            for file_id, parts in self.large.items()
        }
        for file_id in set(self.files) - self.checked:
            self._check_content(client, found[file_id])
        self.checked &= set(self.files)

    def _settle(
        self,
        names: dict[str, str],
        found: dict[str, Any],
        unfinished: dict[str, dict[int, str]],
    ) -> None:
        """Find out whether the call without an answer was done: all of it or nothing."""
        self.interrupted.update(self.doubt[:1])
        match self.doubt:
            case ('file', name, sha1):
                new = [
                    file_id
                    for file_id in found
                    if names[file_id] == name and file_id not in self.files
                ]
                assert len(new) <= 1
                self.files.update(dict.fromkeys(new, (name, sha1)))
            case ('deleted', file_id):
                if file_id not in found:
                    self._is_deleted(file_id)
            case ('started', name):
                for file_id in unfinished:
                    if names[file_id] == name:
                        self.large[file_id], self.large_names[file_id] = {}, name
            case ('part', file_id, number, data):
                if unfinished[file_id].get(number) == sha1_of(data):
                    self.large[file_id][number] = data
            case ('finished', file_id):
                if file_id not in unfinished:
                    self._is_finished(file_id)
            case ('cancelled', file_id):
                if file_id not in unfinished:
                    del self.large[file_id]
        self.doubt = ()

    def _check_content(self, client: Client, file: dict[str, Any]) -> None:
        _, sha1 = self.files[file['fileId']]
        assert (file['action'] == 'hide') == (sha1 is None)
        if sha1 is not None:
            path = f'/b2api/v4/b2_download_file_by_id?fileId={file["fileId"]}'
            response = client.download(path)
            assert response.status_code == 200
            assert sha1_of(response.content) == sha1
        self.checked.add(file['fileId'])


def recorded_content(data_dir: Path) -> set[str]:
    """The content files that the metadata name."""
    uri = f'{(data_dir / "metadata.sqlite3").as_uri()}?mode=ro'
    with closing(sqlite3.connect(uri, uri=True)) as database:
        rows = database.execute(
            'SELECT body FROM files WHERE body IS NOT NULL UNION ALL SELECT body FROM parts'
        ).fetchall()
    return {name for (body,) in rows for name, _, _ in json.loads(body)['content']}


def check_all(server: Running, workers: list[Worker]) -> None:
    assert set(os.listdir(server.data_dir / 'content')) == recorded_content(server.data_dir)
    with requests.Session() as http:
        client = server.client(http)
        for worker in workers:
            worker.check(client)


@pytest.mark.timeout(600)
def test_kill_9(tmp_path: Path) -> None:
    data_dir = tmp_path / 'data'
    chance = random.Random(1)
    server = Running(data_dir)
    server.wait_until_ready()
    key = server.key
    with requests.Session() as http:
        bucket_id = server.client(http).create_bucket()
    workers = [Worker(number, bucket_id, random.Random(number)) for number in range(WORKERS)]
    for turn in range(ROUNDS):
        threads = [threading.Thread(target=worker.run, args=(server,)) for worker in workers]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.05, 0.5))
        server.kill()
        for thread in threads:
            thread.join()
        for worker in workers:
            if worker.failure is not None:
                raise worker.failure
        if turn % 5 == 0:
            # A start may be killed as well.
            started = Running(data_dir)
            time.sleep(chance.uniform(0, 0.4))
            started.kill()
        server = Running(data_dir)
        server.wait_until_ready()
        assert server.key == key
        check_all(server, workers)
    for worker in workers:
        worker.checked.clear()
    check_all(server, workers)
    server.kill()
    interrupted = set().union(*(worker.interrupted for worker in workers))
    assert {'file', 'deleted', 'part'} <= interrupted
