"""Syncs that send what was changed in large files, when something goes wrong."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    Bucket,
    FileVersion,
)
from b2fast.exception import FileNotPresent, IncompleteSync, InvalidUploadSource, SourceChanged
from b2fast.simulator import Fault
from b2fast.sync import delta_upload
from b2fast.transfer.emerge.emerger import Emerger

from ..conftest import PART_SIZE, Account
from .delta_trees import CONTENT, Received, Tree

over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)


def test_a_version_that_vanished(
    tree: Tree, bucket: Bucket, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write(CONTENT)
    tree.sync()
    received.since()
    ((version, _),) = bucket.ls(tree.name)
    emerge = Emerger.emerge

    def deleting(self: Any, *args: Any, **options: Any) -> Any:
        with suppress(FileNotPresent):
            bucket.api.delete_file_version(version.id_, version.file_name)
        return emerge(self, *args, **options)

    monkeypatch.setattr(Emerger, 'emerge', deleting)
    tree.write(CONTENT + b'a')
    tree.sync()
    tree.check(CONTENT + b'a')
    assert received.since() >= len(CONTENT) + 1


@over_http
def test_copies_that_fail_for_a_while(account: Account, tree: Tree, received: Received) -> None:
    assert account.server is not None
    tree.write(CONTENT)
    tree.sync()
    received.since()
    account.server.inject(Fault(call='b2_copy_part', status=503, count=3))
    tree.write(CONTENT + b'a')
    tree.sync()
    tree.check(CONTENT + b'a')
    assert received.since() <= PART_SIZE


@over_http
def test_copies_that_fail_for_good(account: Account, tree: Tree, received: Received) -> None:
    """The former version stays, and the next sync goes on with what was copied."""
    assert account.server is not None
    changed = CONTENT[: 10 * PART_SIZE] + b'x' * PART_SIZE + CONTENT[11 * PART_SIZE :]
    tree.write(CONTENT)
    tree.sync()
    received.since()
    account.server.inject(Fault(call='b2_copy_part', status=503, count=10_000, skip=1))
    tree.write(changed)
    with pytest.raises(IncompleteSync):
        tree.sync()
    assert tree.stored() == CONTENT
    account.server.clear_faults()
    copies = account.server.calls['b2_copy_part']
    tree.sync()
    tree.check(changed)
    assert account.server.calls['b2_copy_part'] - copies == 1
    assert received.since() <= 2 * PART_SIZE


@over_http
def test_a_key_that_may_not_read_sends_the_whole_file(
    account: Account, tree: Tree, bucket: Bucket, received: Received
) -> None:
    tree.write(CONTENT)
    tree.sync()
    received.since()
    api = account.new_api()
    key = account.api.create_key(['listBuckets', 'listFiles', 'writeFiles'], 'writer')
    api.authorize_account(key.id_, key.application_key, account.realm)
    tree.bucket = api.get_bucket_by_name(bucket.name)
    tree.write(CONTENT + b'a')
    tree.sync()
    tree.bucket = bucket
    tree.check(CONTENT + b'a')
    assert received.since() >= len(CONTENT) + 1


def modify(path: Path) -> None:
    with path.open('r+b') as file:
        file.write(b'other content')
    os.utime(path, ns=(1, 1))


def modify_unseen(path: Path) -> None:
    found = path.stat()
    with path.open('r+b') as file:
        file.seek(10 * PART_SIZE)
        file.write(b'other content')
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def grow(path: Path) -> None:
    with path.open('ab') as file:
        file.write(b'more')


def shrink(path: Path) -> None:
    os.truncate(path, 50)


@pytest.mark.parametrize('is_first', [False, True])
@pytest.mark.parametrize('step', ['emerge', '_hash_parts', '_large_file'])
@pytest.mark.parametrize('change', [modify, modify_unseen, grow, shrink, Path.unlink])
def test_a_file_that_changes_meanwhile(
    tree: Tree,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    change: Callable[[Path], None],
    is_first: bool,
) -> None:
    if not is_first:
        tree.write(CONTENT)
        tree.sync()
    changed = CONTENT[: 10 * PART_SIZE] + b'x' * PART_SIZE + CONTENT[11 * PART_SIZE :]
    tree.write(changed)
    method = getattr(Emerger, step)
    with monkeypatch.context() as patch:

        def changing(self: Any, *args: Any, **options: Any) -> Any:
            change(tree.path)
            return method(self, *args, **options)

        patch.setattr(Emerger, step, changing)
        with pytest.raises(IncompleteSync) as caught:
            tree.sync()
    (failure,) = caught.value.result.failures
    gone = (FileNotFoundError, InvalidUploadSource)
    assert isinstance(failure.error, gone if change is Path.unlink else SourceChanged)
    assert is_first or tree.stored() == CONTENT
    versions = [version for version, _ in bucket.ls(tree.name, latest_only=False)]
    assert sum(version.action == 'upload' for version in versions) == (0 if is_first else 1)

    tree.write(changed)
    tree.sync()
    assert tree.stored() == changed


def test_a_file_that_gets_shorter_while_it_is_planned(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write(CONTENT)
    tree.sync()
    tree.write(CONTENT + b'a')
    plan = delta_upload.plan_delta

    def shrinking(*args: Any) -> Any:
        shrink(tree.path)
        return plan(*args)

    with monkeypatch.context() as patch:
        patch.setattr(delta_upload, 'plan_delta', shrinking)
        with pytest.raises(IncompleteSync) as caught:
            tree.sync()
    assert isinstance(caught.value.result.failures[0].error, SourceChanged)
    tree.check(CONTENT)


@pytest.mark.parametrize('account', ['raw'], indirect=True)
@pytest.mark.parametrize(
    'damage',
    [
        'UPDATE uploaded_blocks SET block_size = 0',
        "UPDATE uploaded_blocks SET block_size = 'x'",
        'UPDATE uploaded_blocks SET digests = 5',
        "UPDATE uploaded_blocks SET digests = x'00'",
        'UPDATE uploaded_blocks SET size = 1',
    ],
)
def test_a_damaged_memory(tree: Tree, received: Received, damage: str) -> None:
    tree.write(CONTENT)
    tree.sync()
    connection = sqlite3.connect(tree.cache)
    assert connection.execute(damage).rowcount == 1
    connection.commit()
    connection.close()
    received.since()
    tree.write(CONTENT + b'a')
    tree.sync()
    tree.check(CONTENT + b'a')
    assert received.since() == len(CONTENT) + 1


def test_what_b2_says_otherwise_is_not_remembered(
    tree: Tree, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write(CONTENT)
    with monkeypatch.context() as patch:
        patch.setattr(FileVersion, 'get_content_sha1', lambda _: '0' * 40)
        tree.sync()
    received.since()
    tree.write(CONTENT)
    tree.sync()
    tree.check(CONTENT)
    assert received.since() == len(CONTENT)
