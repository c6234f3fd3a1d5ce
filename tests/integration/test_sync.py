"""Syncs of directories and buckets over each way that bytes move."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    AbstractAction,
    B2Api,
    B2Folder,
    Bucket,
    CancelToken,
    InvalidArgument,
    KeepOrDeleteMode,
    LocalFolder,
    LocalPath,
    Synchronizer,
    SyncPolicyManager,
    SyncReport,
    SyncResult,
    UploadMode,
    UpPolicy,
    cancel_scope,
)
from b2fast.exception import (
    B2Error,
    DestFileNewer,
    EmptyDirectory,
    IncompleteSync,
    TransferCancelled,
)

from ..conftest import PART_SIZE

NOW = 1_700_000_000_000
DELETE = KeepOrDeleteMode.DELETE
TREE = {
    'a': b'1',
    'a.txt': b'two',
    'a0': b'zero',
    'd/e/f': b'deep',
    'd/large': bytes(range(256)) * 5,
    'empty': b'',
    'é/ü': 'é'.encode(),
}


def write(root: Path, files: dict[str, bytes], time_of_all: float = NOW / 1000) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (time_of_all, time_of_all))


def read(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob('*') if path.is_file()
    }


def stored(bucket: Bucket, prefix: str = '') -> dict[str, bytes]:
    found = {}
    for version, _ in bucket.ls(prefix, recursive=True):
        file = io.BytesIO()
        bucket.download_file_by_id(version.id_).save(file)
        found[version.file_name] = file.getvalue()
    return found


def sync(source: Any, destination: Any, reporter: SyncReport | None = None, **options: Any) -> Any:
    return Synchronizer(3, **options).sync_folders(source, destination, NOW, reporter)


def test_up_and_down(local: Path, remote: B2Folder, bucket: Bucket, tmp_path: Path) -> None:
    write(local, TREE)
    up = sync(LocalFolder(local), remote)
    assert stored(bucket) == TREE
    assert up == SyncResult(uploaded=len(TREE), bytes_transferred=sum(map(len, TREE.values())))

    other = tmp_path / 'other'
    down = sync(remote, LocalFolder(other))
    assert read(other) == TREE
    assert {path.stat().st_mtime for path in other.rglob('*') if path.is_file()} == {NOW / 1000}
    assert down == SyncResult(downloaded=len(TREE), bytes_transferred=up.bytes_transferred)

    assert sync(LocalFolder(local), remote) == SyncResult()
    assert sync(remote, LocalFolder(other)) == SyncResult()


@pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
@pytest.mark.parametrize('size', [PART_SIZE, 3 * PART_SIZE])
def test_a_touched_file_is_copied(size: int, local: Path, remote: B2Folder, bucket: Bucket) -> None:
    """Its content need not be sent again; `RawSimulator` copies no more than 200 bytes."""
    content = bytes(range(256)) * 100
    write(local, {'a.txt': content[:size]})
    incremental = {'upload_mode': UploadMode.INCREMENTAL, 'absolute_minimum_part_size': PART_SIZE}
    for seconds in (0, 1):
        write(local, {'a.txt': content[:size]}, NOW / 1000 + seconds)
        assert sync(LocalFolder(local), remote, **incremental).uploaded == 1
        assert sync(LocalFolder(local), remote, **incremental) == SyncResult()
    new, old = (version for version, _ in bucket.ls(latest_only=False))
    assert new.mod_time_millis == old.mod_time_millis + 1000
    assert new.content_type == old.content_type
    assert new.get_content_sha1() == old.get_content_sha1() is not None
    assert stored(bucket) == {'a.txt': content[:size]}


def test_within_b2(api: B2Api, bucket: Bucket) -> None:
    other = api.create_bucket('other-bucket', 'allPrivate')
    files = {f'from/{name}': name.encode() for name in ('a', 'b/c', 'é')}
    for name, content in files.items():
        bucket.upload_bytes(content, name, file_info={'a': 'b'}, content_type='text/x')
    source = B2Folder('a-bucket', 'from', api)
    destination = B2Folder('other-bucket', 'to', api)

    assert sync(source, destination).copied == 3
    assert stored(other) == {name.replace('from', 'to'): it for name, it in files.items()}
    versions = [version for version, _ in other.ls(recursive=True)]
    assert {version.content_type for version in versions} == {'text/x'}
    assert all(version.file_info['a'] == 'b' for version in versions)


def test_names_that_no_local_file_has_are_copied(api: B2Api, bucket: Bucket) -> None:
    other = api.create_bucket('other-bucket', 'allPrivate')
    names = ['../up', 'C:x', 'a/./b', 'a\\b']
    info = {'src_last_modified_millis': '1'}
    version = bucket.upload_bytes(b'1', 'plain', file_info=info)
    for name in names:
        api.session.copy_file(version.id_, f'from/{name}', destination_bucket_id=bucket.id_)
    source, destination = B2Folder('a-bucket', 'from', api), B2Folder('other-bucket', '', api)

    assert sync(source, destination).copied == len(names)
    assert sorted(stored(other)) == sorted(names)
    assert sync(source, destination, keep_days_or_delete=DELETE) == SyncResult()


def test_names_that_cannot_be_made_are_failures(api: B2Api, bucket: Bucket) -> None:
    api.create_bucket('other-bucket', 'allPrivate')
    version = bucket.upload_bytes(b'1', 'plain')
    api.session.copy_file(version.id_, 'a//b', destination_bucket_id=bucket.id_)
    with pytest.raises(IncompleteSync) as caught:
        sync(B2Folder('a-bucket', '', api), B2Folder('other-bucket', '', api))
    assert [failure.path for failure in caught.value.failures] == ['a//b']
    assert caught.value.result is not None
    assert caught.value.result.copied == 1


@pytest.mark.parametrize('direction', ['up', 'down'])
def test_what_the_source_has_not_is_deleted(
    direction: str, local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    files = {'kept': b'1', 'sub/replaced': b'old'}
    write(local, files | {'gone': b'2', 'sub/gone': b'3'})
    sync(LocalFolder(local), remote)
    later = NOW / 1000 + 5
    if direction == 'up':
        (local / 'gone').unlink()
        (local / 'sub/gone').unlink()
        write(local, {'sub/replaced': b'new'}, later)
        result = sync(LocalFolder(local), remote, keep_days_or_delete=DELETE)
        assert (result.uploaded, result.deleted) == (1, 3)
    else:
        for name in ('gone', 'sub/gone'):
            bucket.delete_file_version(bucket.get_file_info_by_name(name).id_, name)
        info = {'src_last_modified_millis': str(NOW + 5000)}
        bucket.upload_bytes(b'new', 'sub/replaced', file_info=info)
        result = sync(remote, LocalFolder(local), keep_days_or_delete=DELETE)
        assert (result.downloaded, result.deleted) == (1, 2)
    files['sub/replaced'] = b'new'
    assert read(local) == files
    assert stored(bucket) == files
    if direction == 'up':
        assert len(list(bucket.ls(recursive=True, latest_only=False))) == 2


class Watched(LocalFolder):
    """Finds further files, after it has called a function."""

    def __init__(self, root: Path, call: Any, *further: LocalPath) -> None:
        super().__init__(root)
        self.call = call
        self.further = further

    def all_files(self, *args: Any) -> Iterator[LocalPath]:
        yield from super().all_files(*args)
        self.call()
        yield from self.further


def ghost(root: Path, name: str = 'zz-ghost') -> LocalPath:
    """A file that vanishes between the scan and the upload."""
    return LocalPath(str(root / name), name, NOW, 3)


def test_acts_while_it_scans(local: Path, remote: B2Folder, bucket: Bucket) -> None:
    write(local, {'first': b'1'})

    def wait_for_upload() -> None:
        deadline = time.monotonic() + 60
        while not list(bucket.ls()):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    assert sync(Watched(local, wait_for_upload), remote).uploaded == 1


def test_a_failed_file_does_not_stop_the_rest(
    local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    write(local, {'a': b'1', 'zzz': b'2'})
    source = Watched(local, lambda: None, ghost(local, 'zzzz'))
    report = SyncReport(io.StringIO(), True)
    with pytest.raises(IncompleteSync, match='zzzz') as caught:
        sync(source, remote, report)
    assert stored(bucket) == {'a': b'1', 'zzz': b'2'}
    (failure,) = caught.value.failures
    assert (failure.path, failure.action) == ('zzzz', 'upload')
    assert isinstance(failure.error, B2Error)
    assert 'zzzz' in str(failure)
    assert caught.value.result is not None
    assert caught.value.result.uploaded == 2
    assert report.errors_encountered
    assert 'upload a\n' in report.stdout.getvalue()  # type: ignore[attr-defined]


def test_old_versions_stay_until_there_is_a_new_one(
    local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    bucket.upload_bytes(b'old', 'zz-ghost', file_info={'src_last_modified_millis': '1'})
    bucket.upload_bytes(b'unwanted', 'b')
    write(local, {'a': b'1'})
    source = Watched(local, lambda: None, ghost(local))
    with pytest.raises(IncompleteSync) as caught:
        sync(source, remote, keep_days_or_delete=DELETE)
    assert stored(bucket) == {'a': b'1', 'zz-ghost': b'old'}
    assert caught.value.result is not None
    assert (caught.value.result.deleted, caught.value.result.withheld) == (1, 1)


@pytest.mark.parametrize('mode', [DELETE, KeepOrDeleteMode.KEEP_BEFORE_DELETE])
def test_nothing_is_deleted_after_an_incomplete_scan(
    mode: KeepOrDeleteMode, local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    bucket.upload_bytes(b'kept', 'A-before')
    bucket.upload_bytes(b'kept', 'z-after')
    write(local, {'a': b'1'})
    (local / 'broken').symlink_to('nowhere')
    with pytest.raises(IncompleteSync) as caught:
        sync(LocalFolder(local), remote, keep_days_or_delete=mode, keep_days=1)
    assert stored(bucket) == {'A-before': b'kept', 'a': b'1', 'z-after': b'kept'}
    (failure,) = caught.value.failures
    assert (failure.path, failure.action) == (str(local / 'broken'), 'scan')
    assert caught.value.result is not None
    assert caught.value.result.withheld == 2


def test_nothing_local_is_deleted_after_an_incomplete_scan_of_a_bucket(
    local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    write(local, {'kept': b'1'})
    source = bucket.upload_bytes(b'2', 'b')
    bucket.api.session.copy_file(source.id_, '../up', destination_bucket_id=bucket.id_)
    with pytest.raises(IncompleteSync) as caught:
        sync(remote, LocalFolder(local), keep_days_or_delete=DELETE)
    assert read(local) == {'kept': b'1', 'b': b'2'}
    assert [failure.path for failure in caught.value.failures] == ['../up']
    assert not (local.parent / 'up').exists()


def test_circles_of_links_are_no_failure(local: Path, remote: B2Folder, bucket: Bucket) -> None:
    bucket.upload_bytes(b'', 'unwanted')
    write(local, {'d/a': b'1'})
    (local / 'd/circle').symlink_to(local)
    report = SyncReport(io.StringIO(), True)
    result = sync(LocalFolder(local), remote, report, keep_days_or_delete=DELETE)
    assert result == SyncResult(uploaded=1, deleted=1, bytes_transferred=1)
    assert 'circular' in report.warnings[0]


def test_a_newer_file_ends_the_sync_after_what_was_begun(
    local: Path, remote: B2Folder, bucket: Bucket
) -> None:
    bucket.upload_bytes(b'', 'unwanted')
    newer = {'src_last_modified_millis': str(NOW + 1)}
    bucket.upload_bytes(b'newer', 'm', file_info=newer)
    write(local, {'a': b'1', 'm': b'2', 'z': b'3'})
    with pytest.raises(DestFileNewer):
        sync(LocalFolder(local), remote, keep_days_or_delete=DELETE)
    assert stored(bucket) == {'a': b'1', 'm': b'newer', 'unwanted': b''}


def test_many_deletions_wait_on_disk(local: Path, remote: B2Folder, bucket: Bucket) -> None:
    write(local, {'a': b'1'})
    names = [f'b{number:04}' for number in range(2100)]
    for _ in bucket.upload_many((b'', name) for name in names):
        pass
    result = sync(LocalFolder(local), remote, keep_days_or_delete=DELETE)
    assert (result.uploaded, result.deleted) == (1, 2100)
    assert stored(bucket) == {'a': b'1'}


class Noted(AbstractAction):
    """An action that is none of the package's own."""

    def __init__(self, name: str, ran: list[str]) -> None:
        self.relative_name = name
        self.ran = ran

    def get_bytes(self) -> int:
        return 7

    def do_action(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        self.ran.append(f'do {self.relative_name}')
        if self.relative_name == 'bad':
            raise RuntimeError('no')

    def do_report(self, bucket: Bucket, reporter: SyncReport | None) -> None:
        self.ran.append(f'report {self.relative_name}')


def test_actions_of_the_programs_own(local: Path, remote: B2Folder) -> None:
    ran: list[str] = []

    class Policy(UpPolicy):
        def _make_transfer_action(self) -> AbstractAction:
            return Noted(self._source().relative_path, ran)

    class Manager(SyncPolicyManager):
        def get_policy_class(self, *_: Any) -> type[UpPolicy]:
            return Policy

    write(local, {'a': b'', 'bad': b''})
    with pytest.raises(IncompleteSync) as caught:
        sync(LocalFolder(local), remote, sync_policy_manager=Manager())
    assert sorted(ran) == ['do a', 'do bad', 'report a']
    assert [(it.path, it.action) for it in caught.value.failures] == [('bad', 'Noted')]
    assert caught.value.result is not None
    assert caught.value.result.bytes_transferred == 7


def test_a_dry_run_says_what_it_would_do(
    local: Path, remote: B2Folder, bucket: Bucket, tmp_path: Path
) -> None:
    bucket.upload_bytes(b'', 'unwanted')
    write(local, {'a': b'1', 'b': b'2'})
    report = SyncReport(io.StringIO(), True)
    result = sync(LocalFolder(local), remote, report, dry_run=True, keep_days_or_delete=DELETE)
    assert (result.uploaded, result.deleted) == (2, 1)
    lines = report.stdout.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.strip() for line in lines] == ['upload a', 'upload b', 'delete unwanted']
    assert stored(bucket) == {'unwanted': b''}

    missing = tmp_path / 'missing'
    assert sync(remote, LocalFolder(missing), dry_run=True).downloaded == 1
    assert not missing.exists()


def test_the_report_of_a_sync(local: Path, remote: B2Folder) -> None:
    write(local, TREE)
    report = SyncReport(io.StringIO(), False)
    sync(LocalFolder(local), remote, report)
    assert report.closed
    assert report.total_done
    assert report.compare_done
    assert report.total_count == report.compare_count == len(TREE)
    assert report.transfer_files == report.total_transfer_files == len(TREE)
    size = sum(map(len, TREE.values()))
    assert report.transfer_bytes == report.total_transfer_bytes == size
    assert size > 2 * PART_SIZE


def test_events_are_lines_of_json(local: Path, remote: B2Folder, bucket: Bucket) -> None:
    bucket.upload_bytes(b'', 'unwanted')
    write(local, {'abé': b'12'})
    events = io.StringIO()
    sync(LocalFolder(local), remote, events=events, keep_days_or_delete=DELETE)
    assert [json.loads(line) for line in events.getvalue().splitlines()] == [
        {'event': 'upload', 'path': 'abé', 'bytes': 2},
        {'event': 'delete', 'path': 'unwanted', 'bytes': 0},
        {
            'event': 'end',
            'uploaded': 1,
            'downloaded': 0,
            'copied': 0,
            'hidden': 0,
            'deleted': 1,
            'bytes_transferred': 2,
            'failures': 0,
            'withheld': 0,
        },
    ]
    assert events.getvalue().isascii()


def test_events_of_failures(local: Path, remote: B2Folder) -> None:
    write(local, {'a': b'1'})
    (local / 'broken').symlink_to('nowhere')
    events = io.StringIO()
    with pytest.raises(IncompleteSync):
        sync(Watched(local, lambda: None, ghost(local)), remote, events=events)
    lines = [json.loads(line) for line in events.getvalue().splitlines()]
    failures = [(line['action'], line['path']) for line in lines if line['event'] == 'failure']
    assert sorted(failures) == [('scan', str(local / 'broken')), ('upload', 'zz-ghost')]
    assert {line['error'] for line in lines if line['event'] == 'failure'} == {
        'InvalidUploadSource',
        'LocalFileError',
    }
    assert lines[-1]['failures'] == 2


def test_bad_input_comes_before_any_byte(
    local: Path, remote: B2Folder, bucket: Bucket, tmp_path: Path
) -> None:
    with pytest.raises(EmptyDirectory):
        sync(LocalFolder(local), remote)
    with pytest.raises(ValueError, match='two local folders'):
        sync(LocalFolder(local), LocalFolder(tmp_path))
    write(local, {'a': b'1'})
    with pytest.raises(InvalidArgument, match='max_workers'):
        Synchronizer(0).sync_folders(LocalFolder(local), remote, NOW, None)
    keeping = KeepOrDeleteMode.KEEP_BEFORE_DELETE
    with pytest.raises(InvalidArgument, match='keep_days_or_delete'):
        sync(remote, LocalFolder(local), keep_days_or_delete=keeping, keep_days=1)
    assert stored(bucket) == {}


def test_an_empty_source_that_is_allowed(local: Path, remote: B2Folder, bucket: Bucket) -> None:
    bucket.upload_bytes(b'', 'unwanted')
    sync(LocalFolder(local), remote, allow_empty_source=True, keep_days_or_delete=DELETE)
    assert stored(bucket) == {}


def test_cancelled_syncs_delete_nothing(local: Path, remote: B2Folder, bucket: Bucket) -> None:
    bucket.upload_bytes(b'', 'unwanted')
    write(local, {'a': b'1'})
    token = CancelToken()
    source = Watched(local, token.cancel, ghost(local))
    with cancel_scope(token), pytest.raises(TransferCancelled):
        sync(source, remote, keep_days_or_delete=DELETE)
    assert 'unwanted' in stored(bucket)
