"""kill -9 of an uploading process at any moment: the next upload sends the rest."""

from __future__ import annotations

import contextlib
import io
import os
import random
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from b2fast import Bucket, UploadSourceBytes, UploadSourceLocalFile
from b2fast.exception import BadRequest
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, Account
from ..helpers import sha1_of
from .wire import DEADLINE, start

ROUNDS = 25
PARTS = 20
AROUND = 14
"""Calls of such an upload that carry no part."""

UPLOADER = """
from b2fast import UploadSourceBytes, UploadSourceLocalFile
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        if args[1:]:
            sources = [UploadSourceLocalFile(args[0]), UploadSourceBytes(args[1].encode())]
            bucket.concatenate(sources, line.strip())
        else:
            bucket.upload_local_file(args[0], line.strip())
        os._exit(0)
    print(child, flush=True)
    sys.stdin.readline()
    print(os.waitpid(child, 0)[1], flush=True)
"""
"""Uploads under each name that it reads in a child, whose ID it prints, and its end after that.
With a second argument it makes a file of the local one and that text."""

MakeFile = Callable[..., Path]


class Uploader:
    """Has a local file uploaded by processes that can be killed.

    :param more: what the file ends with, for a file of two sources
    """

    def __init__(self, account: Account, path: Path, more: str) -> None:
        assert account.server is not None
        self._server = account.server
        args = [path, more] if more else [path]
        self._process = start(account, UPLOADER, args, stdin=subprocess.PIPE)

    def _say(self, line: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + '\n')
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def upload_and_kill(self, name: str, calls: int) -> bool:
        """Kill an upload when it has made so many calls; True if it was done before."""
        before = self._server.calls.total()
        process = os.pidfd_open(self._say(name))
        try:
            give_up = time.monotonic() + DEADLINE
            while self._server.calls.total() < before + calls:
                assert time.monotonic() < give_up
                if select.select([process], [], [], 0.001)[0]:
                    break
            signal.pidfd_send_signal(process, signal.SIGKILL)
        finally:
            os.close(process)
        status = self._say('and?')
        assert status in (0, signal.SIGKILL)
        return status == 0

    def close(self) -> None:
        """End the process that starts the others."""
        _, err = self._process.communicate(timeout=DEADLINE)
        assert err == ''


def parts_there(bucket: Bucket) -> dict[int, str]:
    """The parts of the unfinished file that has most, when those on their way have arrived."""
    seen = None
    while True:
        parts: dict[int, str] = {}
        for file in bucket.list_unfinished_large_files():
            # The finish may have been on its way.
            with contextlib.suppress(BadRequest):
                listed = list(bucket.list_parts(file.file_id))
                if len(listed) > len(parts):
                    parts = {part.part_number: part.content_sha1 for part in listed}
        if parts == seen:
            return parts
        seen = parts
        time.sleep(0.05)


def upload_again(bucket: Bucket, path: Path, more: str, name: str) -> None:
    """As the killed process does."""
    if more:
        sources = [UploadSourceLocalFile(path), UploadSourceBytes(more.encode())]
        bucket.concatenate(sources, name)
    else:
        bucket.upload_local_file(path, name)


@pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)
@pytest.mark.parametrize('more', ['', 'more'], ids=['upload', 'concatenate'])
def test_killed_at_random_moments(
    account: Account, bucket: Bucket, make_file: MakeFile, more: str
) -> None:
    assert account.server is not None
    # Both cut it into as many parts.
    data = os.urandom(PARTS * PART_SIZE - (len(more) or 1))
    path = make_file(data)
    data += more.encode()
    sha1 = None if more else sha1_of(data)
    # So that the watcher sees the calls one after the other.
    account.server.inject(Fault(call='b2_upload_part', delay=0.005, rate=1.0))
    moments = random.Random(5)
    uploader = Uploader(account, path, more)
    kills = 0
    for number in range(ROUNDS):
        name = f'name-{number}'
        calls_left = PARTS + AROUND
        for _ in range(moments.randint(1, 3)):
            moment = moments.randint(1, calls_left)
            if uploader.upload_and_kill(name, moment):
                break
            # What it has sent is not sent again.
            calls_left = max(AROUND, calls_left - moment)
            kills += 1
        there = parts_there(bucket)
        for part, part_sha1 in there.items():
            assert part_sha1 == sha1_of(data[(part - 1) * PART_SIZE : part * PART_SIZE])
        if there or not any(bucket.ls(name)):
            before = account.server.calls
            upload_again(bucket, path, more, name)
            calls = account.server.calls - before
            assert calls['b2_upload_part'] == PARTS - len(there)
        assert content_of(bucket, name) == data
        # One that was finished when it was killed is followed by another version.
        for version in bucket.list_file_versions(name):
            if version.action == 'start':
                continue
            assert (version.size, version.get_content_sha1()) == (len(data), sha1)
        # Killed while it was started, one may have come too late for the next to find it; so may
        # the first parts of one that is known by nothing else.
        for file in bucket.list_unfinished_large_files():
            assert more or not list(bucket.list_parts(file.file_id))
            bucket.cancel_large_file(file.file_id)
    uploader.close()
    assert kills >= ROUNDS // 2


def content_of(bucket: Bucket, name: str) -> bytes:
    file = io.BytesIO()
    bucket.download_file_by_name(name).save(file)
    return file.getvalue()
