"""Syncs that send what was changed in large files, over each way that bytes move."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from b2fast import (
    BasicSyncEncryptionSettingsProvider,
    Bucket,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    KeepOrDeleteMode,
)
from b2fast.sync import uploaded_blocks
from b2fast.sync.file_digests import digests_of_file

from ..conftest import PART_SIZE
from .delta_trees import BLOCK, CONTENT, OVERHEAD, Received, Tree


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
