"""Uploads, over both ways of moving bytes."""

from __future__ import annotations

import datetime as dt
import io
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    SSE_B2_AES,
    SSE_NONE,
    AbstractUploadSource,
    B2Api,
    Bucket,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    LegalHold,
    ProgressListenerForTest,
    UploadSourceBytes,
    UploadSourceLocalFile,
)
from b2fast.exception import (
    B2Error,
    BadRequest,
    FileSha1Mismatch,
    InvalidArgument,
    InvalidUploadSource,
    ResourceNotFound,
    UnusableFileName,
    WrongEncryptionSettingForFileWrite,
)

from ..conftest import PART_SIZE, Account
from ..helpers import sha1_of
from .wire import DEADLINE

SSE_C = EncryptionSetting(
    EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(b'k' * 32, 'key-1')
)

MakeFile = Callable[..., Path]


def content_of(bucket: Bucket, file_name: str, **parameters: object) -> bytes:
    file = io.BytesIO()
    bucket.download_file_by_name(file_name, **parameters).save(file)  # type: ignore[arg-type]
    return file.getvalue()


@pytest.mark.parametrize('size', [0, 1, PART_SIZE, 2 * PART_SIZE - 1])
def test_small_bytes_become_one_file(bucket: Bucket, size: int) -> None:
    data = os.urandom(size)
    version = bucket.upload_bytes(data, 'dir/name ü+&.bin')
    assert version.action == 'upload'
    assert version.file_name == 'dir/name ü+&.bin'
    assert version.size == size
    assert version.content_sha1 == sha1_of(data)
    assert version.content_sha1_verified
    assert version.bucket_id == bucket.id_
    assert content_of(bucket, 'dir/name ü+&.bin') == data


@pytest.mark.parametrize('size', [2 * PART_SIZE, 2 * PART_SIZE + 1, 10 * PART_SIZE + 7])
def test_large_bytes_become_a_large_file(bucket: Bucket, size: int) -> None:
    data = os.urandom(size)
    version = bucket.upload_bytes(data, 'large')
    assert version.action == 'upload'
    assert version.size == size
    assert version.content_sha1 == 'none'
    assert version.file_info == {'large_file_sha1': sha1_of(data)}
    assert version.get_content_sha1() == sha1_of(data)
    assert content_of(bucket, 'large') == data
    assert list(bucket.list_unfinished_large_files()) == []


@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview])
def test_bytes_of_every_kind(bucket: Bucket, kind: type) -> None:
    assert bucket.upload_bytes(kind(b'abc'), 'name').content_sha1 == sha1_of(b'abc')


def test_text_is_no_content(bucket: Bucket) -> None:
    with pytest.raises(TypeError):
        bucket.upload_bytes('text', 'name')  # type: ignore[arg-type]


@pytest.mark.parametrize('size', [0, 20, 5 * PART_SIZE + 3])
def test_local_file(bucket: Bucket, make_file: MakeFile, size: int) -> None:
    data = os.urandom(size)
    for path in (make_file(data), str(make_file(data))):
        version = bucket.upload_local_file(path, 'name')
        assert version.size == size
        assert version.get_content_sha1() == sha1_of(data)
        assert content_of(bucket, 'name') == data


def test_local_file_does_not_tell_its_time_by_itself(bucket: Bucket, make_file: MakeFile) -> None:
    path = make_file(b'x')
    os.utime(path, ns=(0, 1_600_000_000_123_456_789))
    version = bucket.upload_local_file(path, 'name')
    assert version.file_info == {}
    assert version.mod_time_millis == version.upload_timestamp


def test_given_time_of_the_source(bucket: Bucket, make_file: MakeFile) -> None:
    info = {'src_last_modified_millis': '1600000000123'}
    version = bucket.upload_local_file(make_file(b'x'), 'name', file_info=info)
    assert version.mod_time_millis == 1_600_000_000_123


def test_symbolic_link_is_followed(bucket: Bucket, make_file: MakeFile, tmp_path: Path) -> None:
    (tmp_path / 'link').symlink_to(make_file(b'behind the link'))
    assert bucket.upload_local_file(tmp_path / 'link', 'name').size == 15


def test_right_sha1_of_a_small_file(bucket: Bucket, make_file: MakeFile) -> None:
    version = bucket.upload_local_file(make_file(b'abc'), 'name', sha1_sum=sha1_of(b'abc'))
    assert version.content_sha1 == sha1_of(b'abc')


def test_wrong_sha1_of_a_small_file(bucket: Bucket, make_file: MakeFile) -> None:
    # The service says it by a bad request, the raw simulator by a class of its own.
    with pytest.raises((BadRequest, FileSha1Mismatch)):
        bucket.upload_local_file(make_file(b'abc'), 'name', sha1_sum='0' * 40)
    assert list(bucket.ls()) == []


def test_given_sha1_of_a_large_file(bucket: Bucket, make_file: MakeFile) -> None:
    data = os.urandom(3 * PART_SIZE)
    version = bucket.upload_local_file(make_file(data), 'name', sha1_sum=sha1_of(data))
    assert version.file_info == {'large_file_sha1': sha1_of(data)}
    assert content_of(bucket, 'name') == data


def test_given_sha1_wins_over_the_file_info(bucket: Bucket) -> None:
    data = os.urandom(3 * PART_SIZE)
    info = {'large_file_sha1': '0' * 40, 'color': 'blue'}
    version = bucket.upload_bytes(data, 'name', file_info=info, large_file_sha1=sha1_of(data))
    assert version.file_info == {'large_file_sha1': sha1_of(data), 'color': 'blue'}
    assert info['large_file_sha1'] == '0' * 40


@pytest.mark.parametrize('size', [5, 5 * PART_SIZE])
def test_metadata(bucket: Bucket, make_file: MakeFile, size: int) -> None:
    path = make_file(os.urandom(size))
    version = bucket.upload_local_file(
        path,
        'name',
        content_type='text/plain',
        file_info={'color': 'blue ü', 'b2-cache-control': 'no-store'},
        custom_upload_timestamp=1_600_000_000_000,
        cache_control='max-age=3',
        expires=dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
        content_disposition='attachment',
        content_encoding='gzip',
        content_language='de',
    )
    assert version.content_type == 'text/plain'
    assert version.cache_control == 'max-age=3'
    assert version.expires == 'Wed, 02 Jan 2030 03:04:05 GMT'
    assert version.expires_parsed() == dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert version.content_disposition == 'attachment'
    assert version.content_encoding == 'gzip'
    assert version.content_language == 'de'
    assert version.file_info['color'] == 'blue ü'
    downloaded = bucket.get_file_info_by_name('name')
    assert downloaded.content_type == 'text/plain'
    assert downloaded.file_info['color'] == 'blue ü'
    assert downloaded.cache_control == 'max-age=3'
    assert downloaded.content_encoding == 'gzip'


def test_parameter_that_wins_over_the_file_info_is_logged(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    info = {'b2-cache-control': 'no-store'}
    bucket.upload_bytes(b'x', 'name', file_info=info, cache_control='no-store')
    assert caplog.records == []
    bucket.upload_bytes(b'x', 'name', file_info=info, cache_control='max-age=3')
    (record,) = caplog.records
    assert 'b2-cache-control' in record.getMessage()
    assert info == {'b2-cache-control': 'no-store'}


def test_custom_upload_timestamp(bucket: Bucket) -> None:
    version = bucket.upload_bytes(b'x', 'name', custom_upload_timestamp=1_600_000_000_000)
    assert version.upload_timestamp == 1_600_000_000_000


@pytest.mark.parametrize('size', [5, 5 * PART_SIZE])
def test_encryption_by_b2(bucket: Bucket, size: int) -> None:
    version = bucket.upload_bytes(os.urandom(size), 'name', encryption=SSE_B2_AES)
    assert version.server_side_encryption == SSE_B2_AES


@pytest.mark.parametrize('size', [5, 5 * PART_SIZE])
def test_encryption_with_a_key_of_ones_own(bucket: Bucket, size: int) -> None:
    data = os.urandom(size)
    version = bucket.upload_bytes(data, 'name', encryption=SSE_C)
    assert version.server_side_encryption.mode is EncryptionMode.SSE_C
    assert version.file_info['sse_c_key_id'] == 'key-1'
    assert content_of(bucket, 'name', encryption=SSE_C) == data


@pytest.mark.parametrize('size', [5, 5 * PART_SIZE])
def test_no_encryption_is_refused_before_anything_is_sent(
    account: Account, bucket: Bucket, size: int
) -> None:
    with pytest.raises(WrongEncryptionSettingForFileWrite):
        bucket.upload_bytes(bytes(size), 'name', encryption=SSE_NONE)
    assert_nothing_was_sent(account, bucket)


@pytest.mark.parametrize('size', [5, 5 * PART_SIZE])
def test_legal_hold(api: B2Api, size: int) -> None:
    bucket = api.create_bucket('locked-bucket', 'allPrivate', is_file_lock_enabled=True)
    version = bucket.upload_bytes(bytes(size), 'name', legal_hold=LegalHold.ON)
    assert version.legal_hold is LegalHold.ON
    assert version.get_fresh_state().legal_hold is LegalHold.ON


def assert_nothing_was_sent(account: Account, bucket: Bucket) -> None:
    assert list(bucket.ls(latest_only=False)) == []
    assert list(bucket.list_unfinished_large_files()) == []
    if account.server is not None:
        assert account.server.calls['b2_get_upload_url'] == 0
        assert account.server.calls['b2_start_large_file'] == 0


@pytest.mark.parametrize('name', ['', 'a\x00b', 'a\x1f', 'a\x7f', 'x' * 1025, 'ü' * 513])
@pytest.mark.parametrize('size', [5, 5 * PART_SIZE])
def test_names_that_b2_refuses(
    account: Account, bucket: Bucket, make_file: MakeFile, name: str, size: int
) -> None:
    with pytest.raises(UnusableFileName):
        bucket.upload_bytes(bytes(size), name)
    with pytest.raises(UnusableFileName):
        bucket.upload_local_file(make_file(bytes(size)), name)
    assert_nothing_was_sent(account, bucket)


def test_missing_file(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(InvalidUploadSource, match='missing'):
        bucket.upload_local_file(tmp_path / 'missing', 'name')
    assert_nothing_was_sent(account, bucket)


def test_file_that_vanishes(account: Account, bucket: Bucket, make_file: MakeFile) -> None:
    source = UploadSourceLocalFile(make_file(b'x'))
    source.local_path.unlink()
    with pytest.raises(FileNotFoundError, match='source'):
        bucket.upload(source, 'name')
    assert_nothing_was_sent(account, bucket)


def test_directory_instead_of_a_file(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(InvalidUploadSource):
        bucket.upload_local_file(tmp_path, 'name')
    assert_nothing_was_sent(account, bucket)


def test_pipe_instead_of_a_file(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'pipe')
    with pytest.raises(InvalidUploadSource):
        bucket.upload_local_file(tmp_path / 'pipe', 'name')
    assert_nothing_was_sent(account, bucket)


@pytest.mark.parametrize('size', [5, 5 * PART_SIZE])
def test_unreadable_file(
    bucket: Bucket,
    shared_directory: Path,
    without_privileges: Callable[[], AbstractContextManager[None]],
    size: int,
) -> None:
    path = shared_directory / 'source'
    path.write_bytes(bytes(size))
    bucket.upload_local_file(path, 'readable')
    path.chmod(0)
    with without_privileges(), pytest.raises(PermissionError, match='source'):
        bucket.upload_local_file(path, 'name')
    assert [version.file_name for version, _ in bucket.ls()] == ['readable']
    assert list(bucket.list_unfinished_large_files()) == []


@pytest.mark.parametrize('size', [PART_SIZE - 1, 0, -1, 5_000_000_001])
def test_part_size_out_of_the_limits(
    account: Account, bucket: Bucket, make_file: MakeFile, size: int
) -> None:
    with pytest.raises(InvalidArgument, match='min_part_size'):
        bucket.upload_local_file(make_file(b'x'), 'name', min_part_size=size)
    assert_nothing_was_sent(account, bucket)


def test_larger_parts(bucket: Bucket, make_file: MakeFile) -> None:
    data = os.urandom(4 * PART_SIZE)
    small = bucket.upload_local_file(make_file(data), 'name', min_part_size=5 * PART_SIZE)
    assert small.content_sha1 == sha1_of(data)
    large = bucket.upload_local_file(make_file(data), 'name', min_part_size=2 * PART_SIZE)
    assert large.content_sha1 == 'none'
    assert content_of(bucket, 'name') == data


def test_bucket_that_is_gone(api: B2Api, bucket: Bucket) -> None:
    api.delete_bucket(bucket)
    with pytest.raises((ResourceNotFound, BadRequest)):
        bucket.upload_bytes(b'x', 'name')


@pytest.mark.parametrize('size', [0, 5, 3 * PART_SIZE])
def test_progress(bucket: Bucket, make_file: MakeFile, size: int) -> None:
    with ProgressListenerForTest() as listener:
        bucket.upload_local_file(make_file(bytes(size)), 'name', progress_listener=listener)
        assert 'close()' not in listener.get_calls()
    assert_good_progress(listener.get_calls(), size)


def assert_good_progress(calls: list[str], total: int) -> None:
    assert calls[0] == f'set_total_bytes({total})'
    assert calls[-2:] == [f'bytes_completed({total})', 'close()']
    numbers = [int(call[len('bytes_completed(') : -1]) for call in calls[1:-1]]
    assert numbers == sorted(set(numbers))


def test_progress_of_an_upload_that_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    listener = ProgressListenerForTest()
    with pytest.raises(InvalidUploadSource):
        bucket.upload_local_file(tmp_path, 'name', progress_listener=listener)
    assert listener.get_calls() == []


class StreamOfOnesOwn(AbstractUploadSource):
    """A source that only Python can read."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def get_content_length(self) -> int:
        return len(self.data)

    def get_content_sha1(self) -> str | None:
        return None

    def open(self) -> io.BytesIO:
        return io.BytesIO(self.data)


@pytest.mark.parametrize('size', [0, 5, 5 * PART_SIZE + 3])
def test_source_of_ones_own(bucket: Bucket, size: int) -> None:
    data = os.urandom(size)
    version = bucket.upload(StreamOfOnesOwn(data), 'name')
    assert version.get_content_sha1() == sha1_of(data)
    assert content_of(bucket, 'name') == data


class ReversedFile(UploadSourceLocalFile):
    """A local file whose content is not that of the file."""

    def open(self) -> io.BytesIO:
        return io.BytesIO(self.local_path.read_bytes()[::-1])

    def get_content_sha1(self) -> str:
        return sha1_of(self.open().read())


def test_subclass_that_opens_something_else(bucket: Bucket, make_file: MakeFile) -> None:
    bucket.upload(ReversedFile(make_file(b'abc')), 'name')
    assert content_of(bucket, 'name') == b'cba'


def test_sources_tell_about_themselves(make_file: MakeFile) -> None:
    source = UploadSourceBytes(b'x' * 30)
    assert not source.is_sha1_known()
    assert source.get_content_sha1() == sha1_of(b'x' * 30)
    assert source.is_sha1_known()
    assert source.is_upload()
    assert not source.is_copy()
    assert f'data={b"x" * 20!r}... ' in repr(source)
    local = UploadSourceLocalFile(make_file(b'abc'))
    assert (local.get_content_length(), local.get_content_sha1()) == (3, sha1_of(b'abc'))
    with local.open() as file:
        assert file.read() == b'abc'


def test_failed_large_file_is_left_and_named(
    account: Account, bucket: Bucket, make_file: MakeFile
) -> None:
    """The service refuses the finish, since the digests told for the parts are wrong."""
    session = account.api.session
    finish = session.finish_large_file
    session.finish_large_file = (  # type: ignore[method-assign]
        lambda file_id, sha1s: finish(file_id, [sha1s[0]] * (len(sha1s) + 1))
    )
    with pytest.raises(B2Error) as caught:
        bucket.upload_local_file(make_file(os.urandom(3 * PART_SIZE)), 'the name')
    (unfinished,) = bucket.list_unfinished_large_files()
    (note,) = caught.value.__notes__
    assert "'the name'" in note
    assert unfinished.file_id in note
    parts = list(bucket.list_parts(unfinished.file_id))
    assert [part.part_number for part in parts] == [1, 2, 3]
    bucket.cancel_large_file(unfinished.file_id)
    assert list(bucket.list_unfinished_large_files()) == []


def test_lost_answer_to_the_finish_is_found_out(account: Account, bucket: Bucket) -> None:
    session = account.api.session
    finish = session.finish_large_file

    def finish_and_lose_the_answer(file_id: str, sha1s: list[str]) -> dict[str, object]:
        finish(file_id, sha1s)
        raise BadRequest('no active upload', 'bad_request')

    session.finish_large_file = finish_and_lose_the_answer  # type: ignore[method-assign]
    data = os.urandom(3 * PART_SIZE)
    version = bucket.upload_bytes(data, 'name')
    assert version.action == 'upload'
    assert content_of(bucket, 'name') == data


def test_source_that_shrinks_is_noticed(bucket: Bucket, make_file: MakeFile) -> None:
    path = make_file(bytes(100))
    source = UploadSourceLocalFile(path)
    path.write_bytes(bytes(10))
    # It is what it is when the upload begins; the source's own look is only a first one.
    version = bucket.upload(source, 'name')
    assert version.size == 10


@pytest.mark.usefixtures('fresh_resources')
@pytest.mark.parametrize('account', ['http'], indirect=True)
def test_as_many_parts_at_a_time_as_the_user_allows(
    account: Account, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert account.server is not None
    workers = 14
    together = threading.Barrier(workers, timeout=DEADLINE)
    transfers = account.server._door._transfers
    upload_part = transfers.upload_part

    def wait_for_the_others(*args: Any) -> Any:
        together.wait()
        return upload_part(*args)

    monkeypatch.setattr(transfers, 'upload_part', wait_for_the_others)
    api = account.new_api(max_upload_workers=workers)
    api.authorize_account(account.key_id, account.key, account.realm)
    size = workers * PART_SIZE
    version = api.get_bucket_by_name('a-bucket').upload_bytes(bytes(size), 'name')
    assert version.size == size
