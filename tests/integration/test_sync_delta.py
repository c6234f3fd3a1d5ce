"""Syncs that send what was changed in large files, over each way that bytes move."""

from __future__ import annotations

import io
import os
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from b2fast import (
    B2Folder,
    BasicSyncEncryptionSettingsProvider,
    Bucket,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    KeepOrDeleteMode,
    LocalFolder,
    NewerFileSyncMode,
    Synchronizer,
)
from b2fast.exception import IncompleteSync, InvalidUploadSource, SourceChanged
from b2fast.simulator import Fault, http_transfers, raw_bucket
from b2fast.sync import delta_upload, uploaded_blocks
from b2fast.sync.file_digests import digests_of_file
from b2fast.transfer.emerge.emerger import Emerger

from ..conftest import PART_SIZE, Account
from ..helpers import sha1_of

BLOCK = PART_SIZE // 5
CONTENT = bytes(number * 7 % 251 for number in range(20 * PART_SIZE))
OVERHEAD = 2 * PART_SIZE
"""Bytes that are sent in addition to each run of changed blocks."""

over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)


class Received:
    """Bytes of content that simulators were sent."""

    def __init__(self) -> None:
        self.bytes = 0

    def since(self) -> int:
        found, self.bytes = self.bytes, 0
        return found


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Received:
    counted = Received()

    def counting(take: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            content, sha1 = take(*args)
            counted.bytes += len(content)
            return content, sha1

        return call

    monkeypatch.setattr(http_transfers, '_received', counting(http_transfers._received))
    monkeypatch.setattr(raw_bucket, 'receive', counting(raw_bucket.receive))
    return counted


class Tree:
    """A directory with one file, and its place in the bucket."""

    _numbers = count()

    def __init__(self, bucket: Bucket, root: Path) -> None:
        self.bucket = bucket
        self.name = f'{next(self._numbers)}'
        self.root = root / self.name
        self.root.mkdir()
        self.path = self.root / 'file'
        self.cache = root / 'digests.sqlite'
        self._time = 10**18

    def write(self, content: bytes) -> None:
        self.path.write_bytes(content)
        self._time += 10**9
        os.utime(self.path, ns=(self._time, self._time))

    def sync(self, provider: Any = None, **options: Any) -> None:
        options = {
            'newer_file_mode': NewerFileSyncMode.REPLACE,
            'delta_uploads': True,
            'digest_cache': self.cache,
            **options,
        }
        folder = B2Folder(self.bucket.name, self.name, self.bucket.api)
        providers = [] if provider is None else [provider]
        result = Synchronizer(2, **options).sync_folders(
            LocalFolder(self.root), folder, 1, None, *providers
        )
        assert result.uploaded == 1

    def stored(self, encryption: EncryptionSetting | None = None) -> bytes:
        file = io.BytesIO()
        name = f'{self.name}/file'
        opened = self.bucket.download_file_by_name(name, encryption=encryption)
        opened.save(file)
        return file.getvalue()

    def check(self, content: bytes, encryption: EncryptionSetting | None = None) -> None:
        """The bucket has the content, with its SHA-1, and nothing unfinished."""
        assert self.stored(encryption) == content
        ((version, _),) = self.bucket.ls(self.name)
        assert version.get_content_sha1() == sha1_of(content)
        assert list(self.bucket.list_unfinished_large_files()) == []


@pytest.fixture
def tree(bucket: Bucket, tmp_path: Path) -> Tree:
    return Tree(bucket, tmp_path)


@st.composite
def edits(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    kind = draw(st.sampled_from(['replace', 'replace', 'truncate', 'append', 'insert']))
    place = draw(st.integers(0, 25 * PART_SIZE))
    length = draw(st.sampled_from([0, 1, BLOCK, PART_SIZE, 5 * PART_SIZE]))
    new = bytes([draw(st.integers(252, 255))]) * length

    def edit(content: bytes) -> bytes:
        start = min(place, len(content))
        match kind:
            case 'replace':
                return content[:start] + new + content[start + length :]
            case 'truncate':
                return content[:start]
            case 'append':
                return content + new
        return content[:start] + new + content[start:]

    return edit


def most_to_send(old: bytes, new: bytes) -> int:
    """The changed blocks with what may be sent around each run of them."""
    if len(new) < 2 * PART_SIZE:
        return len(new)
    changed = [
        old[start : start + BLOCK] != new[start : start + BLOCK]
        for start in range(0, len(new), BLOCK)
    ]
    runs = sum(
        now and (number == 0 or not changed[number - 1]) for number, now in enumerate(changed)
    )
    return min(sum(changed) * BLOCK + runs * OVERHEAD, len(new))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.lists(edits(), min_size=1, max_size=3), min_size=1, max_size=3))
@pytest.mark.parametrize('account', ['raw', 'faithful', 'http'], indirect=True)
def test_any_edit(
    bucket: Bucket,
    tmp_path: Path,
    received: Received,
    steps: list[list[Callable[[bytes], bytes]]],
) -> None:
    tree = Tree(bucket, tmp_path)
    tree.write(CONTENT)
    tree.sync()
    tree.check(CONTENT)
    old = CONTENT
    for step in steps:
        new = old
        for edit in step:
            new = edit(new)
        tree.write(new)
        received.since()
        tree.sync()
        tree.check(new)
        assert received.since() <= (
            most_to_send(old, new) if len(old) >= 2 * PART_SIZE else len(new)
        )
        old = new


def test_only_what_was_changed_is_sent(tree: Tree, received: Received) -> None:
    tree.write(CONTENT)
    tree.sync()
    assert received.since() == len(CONTENT)
    changed = bytearray(CONTENT)
    changed[5 * PART_SIZE] ^= 1
    changed += b'appended'
    tree.write(bytes(changed))
    tree.sync()
    tree.check(bytes(changed))
    assert 0 < received.since() <= 2 * PART_SIZE

    # Only the time is another one.
    tree.write(bytes(changed))
    tree.sync()
    tree.check(bytes(changed))
    assert received.since() == 0


def test_without_a_memory_the_whole_file_is_sent(tree: Tree, received: Received) -> None:
    tree.write(CONTENT)
    tree.sync(delta_uploads=False)
    received.since()
    for _ in range(2):
        tree.write(CONTENT + b'a')
        tree.sync()
        tree.check(CONTENT + b'a')
        tree.cache.unlink()
        assert received.since() == len(CONTENT) + 1


def test_a_version_of_another_upload_is_not_trusted(
    tree: Tree, bucket: Bucket, received: Received
) -> None:
    """The same size, the same name, and another content than that which is remembered."""
    tree.write(CONTENT)
    tree.sync()
    tree.write(bytes(len(CONTENT)))
    tree.sync(delta_uploads=False)
    received.since()
    tree.write(CONTENT)
    tree.sync()
    tree.check(CONTENT)
    assert received.since() == len(CONTENT)


def test_a_wrong_memory_is_noticed(
    tree: Tree,
    received: Received,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """B2 says the SHA-1 of each part that it copied."""
    put = uploaded_blocks.UploadedBlocks.put

    def wrong(self: Any, bucket_id: str, file_id: str, blocks: Any, former: Any) -> None:
        # Those of the content that comes next.
        tree.write(bytes(len(CONTENT)))
        digests = digests_of_file(tree.path, BLOCK).blocks
        other = uploaded_blocks.BlockDigests(len(CONTENT), BLOCK, digests)
        put(self, bucket_id, file_id, other, former)

    tree.write(CONTENT)
    with monkeypatch.context() as patch:
        patch.setattr(uploaded_blocks.UploadedBlocks, 'put', wrong)
        tree.sync()
    received.since()
    tree.sync()
    tree.check(bytes(len(CONTENT)))
    assert received.since() == len(CONTENT)
    assert 'is sent as a whole' in caplog.text


def test_a_version_that_vanished(
    tree: Tree, bucket: Bucket, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write(CONTENT)
    tree.sync()
    received.since()
    ((version, _),) = bucket.ls(tree.name)
    emerge = Emerger.emerge

    def deleting(self: Any, *args: Any, **options: Any) -> Any:
        if options.get('content') is not None:
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


@pytest.mark.parametrize('step', ['emerge', '_hash_parts', '_large_file'])
@pytest.mark.parametrize('change', [modify, modify_unseen, grow, shrink, Path.unlink])
def test_a_file_that_changes_meanwhile(
    tree: Tree,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    change: Callable[[Path], None],
) -> None:
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
    assert tree.stored() == CONTENT
    versions = [version for version, _ in bucket.ls(tree.name, latest_only=False)]
    assert [version.action for version in versions if version.action != 'start'] == ['upload']

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


def key(number: int) -> EncryptionSetting:
    secret = EncryptionKey(secret=bytes([number]) * 32, key_id=f'key {number}')
    return EncryptionSetting(EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, secret)


SSE_B2 = EncryptionSetting(EncryptionMode.SSE_B2, EncryptionAlgorithm.AES256)


@pytest.mark.parametrize('account', ['faithful', 'http'], indirect=True)
@pytest.mark.parametrize('before', [None, SSE_B2, key(1)], ids=['none', 'SSE-B2', 'SSE-C'])
@pytest.mark.parametrize('after', [None, SSE_B2, key(2)], ids=['none', 'SSE-B2', 'SSE-C'])
@pytest.mark.parametrize('read', ['right', 'none', 'wrong'])
def test_encryption(
    tree: Tree,
    bucket: Bucket,
    received: Received,
    before: EncryptionSetting | None,
    after: EncryptionSetting | None,
    read: str,
) -> None:
    reads = {'right': before, 'none': None, 'wrong': key(3)}
    tree.write(CONTENT)
    tree.sync(BasicSyncEncryptionSettingsProvider({}, {bucket.name: before}))
    received.since()
    tree.write(CONTENT + b'a')
    tree.sync(BasicSyncEncryptionSettingsProvider({bucket.name: reads[read]}, {bucket.name: after}))
    is_key = after is not None and after.mode is EncryptionMode.SSE_C
    tree.check(CONTENT + b'a', after if is_key else None)
    ((version, _),) = bucket.ls(tree.name)
    # The bucket's default, where nothing else is said.
    mode = EncryptionMode.SSE_B2 if after is None else after.mode
    assert version.server_side_encryption.mode is mode
    if read == 'right' or before in (None, SSE_B2):
        assert received.since() <= PART_SIZE
    else:
        assert received.since() >= len(CONTENT) + 1


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
def test_with_old_versions_deleted_and_sha1_compared(
    tree: Tree, bucket: Bucket, received: Received
) -> None:
    options = {'compare_sha1': True, 'keep_days_or_delete': KeepOrDeleteMode.DELETE}
    content = CONTENT
    for number in range(4):
        tree.write(content)
        tree.sync(**options)
        tree.check(content)
        assert len(list(bucket.ls(tree.name, latest_only=False))) == 1
        assert received.since() <= (2 * PART_SIZE if number else len(CONTENT))
        content += b'more'


@pytest.mark.parametrize('account', ['raw'], indirect=True)
def test_what_is_kept_is_bounded(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, received: Received
) -> None:
    monkeypatch.setattr(uploaded_blocks, '_MAX_BYTES', 2 * 100 * 32)
    trees = [Tree(bucket, tmp_path) for _ in range(3)]
    for tree in trees:
        tree.write(CONTENT)
        tree.sync()
    sent = []
    for tree in reversed(trees):
        received.since()
        tree.write(CONTENT)
        tree.sync()
        sent.append(received.since())
    assert sent == [0, 0, len(CONTENT)]


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
def test_an_unusable_cache(
    tree: Tree, received: Received, caplog: pytest.LogCaptureFixture
) -> None:
    tree.cache.write_bytes(b'something else' * 100)
    for content in (CONTENT, CONTENT + b'a'):
        tree.write(content)
        tree.sync()
        tree.check(content)
        assert received.since() == len(content)
    assert caplog.text.count('digests are not remembered') == 2


@pytest.mark.parametrize('account', ['raw'], indirect=True)
def test_small_files_are_uploaded_as_ever(tree: Tree, received: Received) -> None:
    for _ in range(2):
        tree.write(bytes(2 * PART_SIZE - 1))
        tree.sync()
        assert received.since() == 2 * PART_SIZE - 1
    assert not tree.cache.exists()
