"""Syncs that compare by SHA-1, over each way that bytes move."""

from __future__ import annotations

import io
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from b2fast import (
    B2Api,
    B2Folder,
    BasicSyncEncryptionSettingsProvider,
    Bucket,
    CancelToken,
    CompareVersionMode,
    DigestCache,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    InvalidArgument,
    KeepOrDeleteMode,
    LocalFolder,
    NewerFileSyncMode,
    SqliteAccountInfo,
    Synchronizer,
    cancel_scope,
)
from b2fast.exception import DestFileNewer, TransferCancelled
from b2fast.sync import file_digests

from ..conftest import PART_SIZE
from ..helpers import sha1_of

NOW = 1_700_000_000_000
OTHER_TIME = NOW - 86_400_000


def later() -> int:
    """A time at which files that were written just now have been so for a while."""
    return time.time_ns() + 60 * 10**9


@pytest.fixture
def cache(tmp_path: Path) -> DigestCache:
    return DigestCache(tmp_path / 'cache', now=later)


def write(path: Path, content: bytes, modified: int = NOW) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(modified * 10**6, modified * 10**6))


def upload(bucket: Bucket, name: str, content: bytes, modified: int = NOW, **options: Any) -> None:
    info = {'src_last_modified_millis': str(modified)}
    bucket.upload_bytes(content, name, file_info=info, **options)


def sync(source: Any, destination: Any, cache: Any, **options: Any) -> Any:
    """What is transferred."""
    options = {'newer_file_mode': NewerFileSyncMode.REPLACE, **options}
    synchronizer = Synchronizer(3, compare_sha1=True, digest_cache=cache, **options)
    result = synchronizer.sync_folders(source, destination, NOW, None)
    return result.uploaded + result.downloaded + result.copied


@contextmanager
def counted_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts by name the files that are opened to be hashed."""
    opened: Counter[str] = Counter()
    real = os.open

    def counting(path: Any, *args: Any, **kwargs: Any) -> int:
        directory, name = os.path.split(path)
        if os.path.basename(directory) == 'local':
            opened[name] += 1
        return real(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(file_digests.os, 'open', counting)
        yield opened


numbers = count()
contents = st.one_of(st.sampled_from([b'', b'a', b'b']), st.binary(max_size=4 * PART_SIZE))
times = st.sampled_from([NOW, NOW + 1, OTHER_TIME])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    here=contents,
    there=contents,
    same=st.booleans(),
    here_at=times,
    there_at=times,
    up=st.booleans(),
)
@pytest.mark.parametrize('account', ['faithful', 'http'], indirect=True)
def test_a_file_is_transferred_if_and_only_if_its_content_differs(
    api: B2Api,
    bucket: Bucket,
    local: Path,
    cache: DigestCache,
    here: bytes,
    there: bytes,
    same: bool,
    here_at: int,
    there_at: int,
    up: bool,
) -> None:
    there = here if same else there
    root = local / f'{next(numbers)}'
    name = f'{root.name}/file'
    write(root / 'file', here, here_at)
    upload(bucket, name, there, there_at)
    folders = LocalFolder(root), B2Folder('a-bucket', root.name, api)
    source, destination = folders if up else folders[::-1]

    assert sync(source, destination, cache) == (here != there)
    expected = here if up else there
    assert (root / 'file').read_bytes() == expected
    assert bucket.get_file_info_by_name(name).get_content_sha1() == sha1_of(expected)
    # Whatever it was, now there is nothing more to do.
    assert sync(source, destination, cache) == 0
    assert sync(destination, source, cache) == 0


@pytest.mark.parametrize('account', ['faithful', 'http'], indirect=True)
def test_within_b2(api: B2Api, bucket: Bucket, remote: B2Folder, cache: DigestCache) -> None:
    other = api.create_bucket('other-bucket', 'allPrivate')
    for name, old in {'same': b'1', 'changed': b'2', 'large': b'l' * 3 * PART_SIZE}.items():
        upload(bucket, name, b'1' if name != 'large' else old)
        upload(other, name, old, OTHER_TIME)
    assert sync(remote, B2Folder('other-bucket', '', api), cache) == 1
    assert other.get_file_info_by_name('changed').get_content_sha1() == sha1_of(b'1')
    assert not Path(cache.path).exists()


def test_what_is_known_is_not_read_again(
    bucket: Bucket,
    local: Path,
    remote: B2Folder,
    cache: DigestCache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ('a', 'b', 'c'):
        write(local / name, name.encode(), OTHER_TIME)
        upload(bucket, name, name.encode())
    with counted_reads(monkeypatch) as opened:
        assert sync(LocalFolder(local), remote, cache) == 0
        assert opened == {'a': 1, 'b': 1, 'c': 1}
        opened.clear()
        assert sync(LocalFolder(local), remote, cache) == 0
        assert sync(remote, LocalFolder(local), DigestCache(cache.path, now=later)) == 0
        assert not opened

        # Neither size nor modification time tell of it.
        write(local / 'b', b'B', OTHER_TIME)
        assert sync(LocalFolder(local), remote, cache) == 1
        assert opened == {'b': 1}
    assert bucket.get_file_info_by_name('b').get_content_sha1() == sha1_of(b'B')


@pytest.mark.parametrize('account', ['raw'], indirect=True)
def test_what_was_changed_just_now_is_read_again(
    bucket: Bucket, local: Path, remote: B2Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns()
    cache = DigestCache(tmp_path / 'cache', now=lambda: now)
    write(local / 'a', b'a', OTHER_TIME)
    upload(bucket, 'a', b'a')
    with counted_reads(monkeypatch) as opened:
        sync(LocalFolder(local), remote, cache)
        sync(LocalFolder(local), remote, cache)
        assert opened == {'a': 2}
        now += 10**10
        sync(LocalFolder(local), remote, cache)
        sync(LocalFolder(local), remote, cache)
        assert opened == {'a': 3}


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
@pytest.mark.parametrize('kind', ['no database', 'other database', 'directory', 'no directory'])
def test_without_a_usable_cache_the_sync_goes_on(
    bucket: Bucket,
    local: Path,
    remote: B2Folder,
    tmp_path: Path,
    kind: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / 'cache'
    match kind:
        case 'no database':
            path.write_bytes(b'something else ' * 100)
        case 'other database':
            SqliteAccountInfo(path).close()
        case 'directory':
            path.mkdir()
        case 'no directory':
            path = tmp_path / 'missing' / 'cache'
    before = path.read_bytes() if path.is_file() else None
    for name in ('a', 'b'):
        write(local / name, b'new', OTHER_TIME)
        upload(bucket, name, b'new' if name == 'a' else b'old')
    assert sync(LocalFolder(local), remote, path) == 1
    assert sync(LocalFolder(local), remote, path) == 0
    assert bucket.get_file_info_by_name('b').get_content_sha1() == sha1_of(b'new')
    warnings = [record.getMessage() for record in caplog.records if record.levelname == 'WARNING']
    assert len(warnings) == 2
    assert all(str(path) in warning for warning in warnings)
    assert (path.read_bytes() if path.is_file() else None) == before


def upload_unproven(api: B2Api, bucket: Bucket, name: str, content: bytes, modified: int) -> None:
    """Upload a file whose SHA-1 B2 takes without a check."""
    session = api.session
    target = session.get_upload_url(bucket.id_)
    api.raw_api.upload_file(
        target['uploadUrl'],
        target['authorizationToken'],
        name,
        len(content),
        'text/plain',
        'do_not_verify',
        {'src_last_modified_millis': str(modified)},
        io.BytesIO(content),
    )


@pytest.mark.parametrize('account', ['faithful', 'http'], indirect=True)
@pytest.mark.parametrize('kind', ['unverified', 'large without SHA-1'])
def test_without_a_proof_the_times_decide(
    api: B2Api, bucket: Bucket, local: Path, remote: B2Folder, cache: DigestCache, kind: str
) -> None:
    content = b'x' * 3 * PART_SIZE
    for name, modified in (('old', OTHER_TIME), ('same', NOW)):
        if kind == 'unverified':
            upload_unproven(api, bucket, name, content, modified)
        else:
            api.whole_file_sha1 = False
            path = local / 'source'
            write(path, content)
            info = {'src_last_modified_millis': str(modified)}
            bucket.upload_local_file(path, name, file_info=info)
            api.whole_file_sha1 = True
            path.unlink()
            assert bucket.get_file_info_by_name(name).get_content_sha1() is None
    write(local / 'old', content)
    write(local / 'same', b'y' * 3 * PART_SIZE)
    before = bucket.get_file_info_by_name('same').id_
    assert sync(LocalFolder(local), remote, cache) == 1
    assert bucket.get_file_info_by_name('same').id_ == before
    assert sync(LocalFolder(local), remote, cache) == 0


@pytest.mark.parametrize('account', ['faithful', 'http'], indirect=True)
@pytest.mark.parametrize('size', [5, 3 * PART_SIZE + 1])
def test_customer_keys(
    bucket: Bucket, local: Path, remote: B2Folder, cache: DigestCache, size: int
) -> None:
    key = EncryptionKey(secret=b'k' * 32, key_id='a key')
    encryption = EncryptionSetting(EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, key)
    keys: dict[str, EncryptionSetting | None] = {'a-bucket': encryption}
    provider = BasicSyncEncryptionSettingsProvider(keys, keys)

    def transferred() -> int:
        synchronizer = Synchronizer(
            1,
            compare_sha1=True,
            digest_cache=cache,
            newer_file_mode=NewerFileSyncMode.REPLACE,
        )
        result = synchronizer.sync_folders(LocalFolder(local), remote, NOW, None, provider)
        return result.uploaded

    write(local / 'file', b'x' * size)
    assert transferred() == 1
    write(local / 'file', b'x' * size, OTHER_TIME)
    assert transferred() == 0
    write(local / 'file', b'y' * size, OTHER_TIME)
    assert transferred() == 1


@pytest.mark.parametrize('account', ['raw'], indirect=True)
class TestNewerAtTheDestination:
    def test_it_does_not_matter_if_the_content_is_the_same(
        self, bucket: Bucket, local: Path, remote: B2Folder, cache: DigestCache
    ) -> None:
        write(local / 'a', b'a', OTHER_TIME)
        upload(bucket, 'a', b'a')
        mode = NewerFileSyncMode.RAISE_ERROR
        assert sync(LocalFolder(local), remote, cache, newer_file_mode=mode) == 0

    @pytest.mark.parametrize(
        ('options', 'expected'),
        [
            ({}, DestFileNewer),
            ({'newer_file_mode': NewerFileSyncMode.SKIP}, 0),
            ({'newer_file_mode': NewerFileSyncMode.REPLACE}, 1),
            ({'compare_threshold': NOW - OTHER_TIME}, 1),
            ({'compare_version_mode': CompareVersionMode.SIZE}, 1),
        ],
    )
    def test_the_mode_decides_about_other_content(
        self,
        bucket: Bucket,
        local: Path,
        remote: B2Folder,
        cache: DigestCache,
        options: dict[str, Any],
        expected: Any,
    ) -> None:
        write(local / 'a', b'a', OTHER_TIME)
        upload(bucket, 'a', b'b')
        options = {'newer_file_mode': NewerFileSyncMode.RAISE_ERROR, **options}
        if expected is DestFileNewer:
            with pytest.raises(DestFileNewer):
                sync(LocalFolder(local), remote, cache, **options)
        else:
            assert sync(LocalFolder(local), remote, cache, **options) == expected


@pytest.mark.parametrize('account', ['raw', 'http'], indirect=True)
def test_old_versions_of_unchanged_files_are_deleted(
    bucket: Bucket, local: Path, remote: B2Folder, cache: DigestCache
) -> None:
    write(local / 'a', b'a', OTHER_TIME)
    upload(bucket, 'a', b'old')
    upload(bucket, 'a', b'a')
    delete = KeepOrDeleteMode.DELETE
    assert sync(LocalFolder(local), remote, cache, keep_days_or_delete=delete) == 0
    assert [version.size for version, _ in bucket.ls(latest_only=False)] == [1]


@pytest.mark.parametrize('account', ['raw'], indirect=True)
def test_a_hidden_file_has_no_content(
    bucket: Bucket, local: Path, remote: B2Folder, cache: DigestCache
) -> None:
    write(local / 'a', b'', OTHER_TIME)
    upload(bucket, 'a', b'')
    bucket.hide_file('a')
    assert sync(LocalFolder(local), remote, cache) == 1


@pytest.mark.parametrize('account', ['raw'], indirect=True)
def test_a_file_that_changes_while_it_is_hashed(
    bucket: Bucket,
    local: Path,
    remote: B2Folder,
    cache: DigestCache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is hashed again; if it goes on changing, it counts as different."""
    real = file_digests.Sha1
    changes: list[Callable[[], None]] = []

    class Changing:
        def __init__(self) -> None:
            self._sha1 = real()

        def update(self, data: bytes) -> None:
            self._sha1.update(data)
            if changes:
                changes.pop()()

        def hexdigest(self) -> str:
            return self._sha1.hexdigest()

    monkeypatch.setattr(file_digests, 'Sha1', Changing)
    upload(bucket, 'a', b'new')
    write(local / 'a', b'old')
    changes = [lambda: write(local / 'a', b'new', OTHER_TIME)]
    assert sync(LocalFolder(local), remote, cache) == 0
    assert not changes

    def touch() -> None:
        write(local / 'a', b'new', OTHER_TIME + len(changes))

    touch()
    changes = [touch] * 3
    assert sync(LocalFolder(local), remote, cache) == 1
    assert not changes


@pytest.mark.parametrize('account', ['raw'], indirect=True)
def test_the_order_of_actions_stays(
    bucket: Bucket, local: Path, remote: B2Folder, cache: DigestCache
) -> None:
    names = [f'{number:04}' for number in range(600)]
    for name in names:
        # The first ones take longest.
        write(local / name, b'x' * (1_000_000 if name < '0003' else 1), OTHER_TIME)
        if name not in ('0005', '0500'):
            upload(bucket, name, b'y' * (1_000_000 if name < '0003' else 1))
    synchronizer = Synchronizer(
        1,
        compare_sha1=True,
        digest_cache=cache,
        newer_file_mode=NewerFileSyncMode.REPLACE,
    )
    actions = synchronizer._make_folder_sync_actions(LocalFolder(local), remote, NOW, None)
    assert [action.relative_name for action in actions] == names  # type: ignore[attr-defined]


@pytest.mark.parametrize('account', ['raw'], indirect=True)
def test_a_cancelled_sync_stops_hashing(
    bucket: Bucket,
    local: Path,
    remote: B2Folder,
    cache: DigestCache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = CancelToken()
    read = DigestCache.read

    def cancelled(self: DigestCache, *args: Any, **kwargs: Any) -> Any:
        token.cancel()
        return read(self, *args, **kwargs)

    monkeypatch.setattr(DigestCache, 'read', cancelled)
    write(local / 'a', b'a', OTHER_TIME)
    upload(bucket, 'a', b'b')
    with cancel_scope(token), pytest.raises(TransferCancelled):
        sync(LocalFolder(local), remote, cache)
    assert bucket.get_file_info_by_name('a').get_content_sha1() == sha1_of(b'b')
    assert not [thread for thread in threading.enumerate() if 'sync-hash' in thread.name]


def test_nothing_cannot_be_compared_by_sha1() -> None:
    with pytest.raises(InvalidArgument, match='compare_sha1'):
        Synchronizer(1, compare_sha1=True, compare_version_mode=CompareVersionMode.NONE)
