"""Bulk calls over a bad network, and bulk calls that are stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from b2fast import B2Api, Bucket, EncryptionSetting, RetryPolicy, UploadItem
from b2fast.encryption.setting import EncryptionKey
from b2fast.encryption.types import EncryptionAlgorithm, EncryptionMode
from b2fast.exception import (
    B2Error,
    ChecksumMismatch,
    LocalFileError,
    MaxRetriesExceeded,
    SSECKeyError,
)
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, Account, new_raw_account
from ..helpers import bulk_threads
from ..interrupts import interrupt
from .wire import DEADLINE, Direction, connect, start, stoppable

over_http = pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)

PATIENT = RetryPolicy(attempts=8, first_delay=0.001, max_delay=0.01, deadline=20)
SMALL = PART_SIZE // 2
LARGE = 5 * PART_SIZE + 7


def inject(account: Account, **fault: Any) -> None:
    assert account.server is not None
    account.server.inject(Fault(**fault))


def contents(count: int, size: int = SMALL) -> dict[str, bytes]:
    return {f'directory/name {number}': os.urandom(size) for number in range(count)}


def upload(bucket: Bucket, files: dict[str, bytes]) -> None:
    for result in bucket.upload_many((data, name) for name, data in files.items()):
        result.get()


def tree(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob('*')
        if path.is_file()
    }


def stored(bucket: Bucket, directory: Path) -> dict[str, bytes]:
    for result in bucket.download_many(bucket.ls(recursive=True), directory):
        result.get()
    return tree(directory)


@over_http
@pytest.mark.parametrize(
    'fault',
    [
        {'status': 503},
        {'status': 429},
        {'status': 401, 'code': 'expired_auth_token'},
        {'reset_upload_after': 10},
        {'cut_upload_after': 0},
        {'reset_after': 0},
        {'cut_after': 20},
    ],
    ids=str,
)
def test_uploads_outlast_faults(
    account: Account, bucket: Bucket, tmp_path: Path, fault: dict[str, Any]
) -> None:
    files = contents(20)
    inject(account, call='b2_upload_file', count=5, **fault)
    upload(connect(account, PATIENT).get_bucket_by_name(bucket.name), files)
    account.server.clear_faults()  # type: ignore[union-attr]
    assert stored(bucket, tmp_path) == files


@pytest.mark.parametrize('account', ['http'], indirect=True)
def test_uploads_that_are_damaged_on_their_way_are_sent_again(
    account: Account, bucket: Bucket, tmp_path: Path
) -> None:
    files = contents(20)
    inject(account, call='b2_upload_file', flip_upload_at=5, count=3)
    upload(bucket, files)
    assert stored(bucket, tmp_path) == files


@over_http
@pytest.mark.parametrize('call', ['b2_download_file_by_id', 'b2_download_file_by_name'])
@pytest.mark.parametrize(
    'fault',
    [{'status': 503}, {'expire_token': True}, {'reset_after': 10}, {'cut_after': 10}],
    ids=str,
)
def test_downloads_outlast_faults(
    account: Account, bucket: Bucket, tmp_path: Path, call: str, fault: dict[str, Any]
) -> None:
    files = contents(20)
    upload(bucket, files)
    items: list[Any] = list(files)
    if call == 'b2_download_file_by_id':
        items = list(bucket.ls(recursive=True))
    # A token ends once; a call that met its end twice would not be repeated a second time.
    count = 1 if 'expire_token' in fault else 5
    inject(account, call=call, count=count, **fault)
    patient = connect(account, PATIENT).get_bucket_by_name(bucket.name)
    assert all(result.ok for result in patient.download_many(items, tmp_path))
    assert tree(tmp_path) == files


@over_http
def test_a_refused_upload_is_the_error_of_its_item(account: Account, bucket: Bucket) -> None:
    inject(account, call='b2_upload_file', status=403, code='storage_cap_exceeded', count=1)
    results = list(bucket.upload_many((b'content', f'name {number}') for number in range(10)))
    assert [type(result.error).__name__ for result in results if not result.ok] == [
        'StorageCapExceeded'
    ]
    assert len(list(bucket.ls())) == 9


@over_http
def test_a_service_that_stays_busy(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    bucket.upload_bytes(b'content', 'name')
    inject(account, call='b2_upload_file', status=503, count=10_000)
    inject(account, call='b2_download_file_by_name', status=503, count=10_000)
    uploads = list(bucket.upload_many([(b'', 'a'), (b'', 'b')]))
    assert [type(result.error) for result in uploads] == [MaxRetriesExceeded] * 2
    (download,) = bucket.download_many(['name'], tmp_path)
    assert isinstance(download.error, B2Error)
    assert '503' in str(download.error)
    assert list(tmp_path.iterdir()) == []


@over_http
@pytest.mark.parametrize('size', [SMALL, LARGE])
def test_damaged_content_does_not_replace_a_file(
    account: Account, bucket: Bucket, tmp_path: Path, size: int
) -> None:
    bucket.upload_bytes(os.urandom(size), 'name')
    (tmp_path / 'name').write_bytes(b'old')
    inject(account, call='b2_download_file_*', flip_at=50, count=10_000)
    (result,) = bucket.download_many(['name'], tmp_path)
    assert isinstance(result.error, ChecksumMismatch)
    assert tree(tmp_path) == {'name': b'old'}


def test_a_file_that_may_not_be_read(
    bucket: Bucket,
    shared_directory: Path,
    without_privileges: Callable[[], AbstractContextManager[None]],
) -> None:
    assert all(result.ok for result in bucket.upload_many([(b'content', 'modules are imported')]))
    path = shared_directory / 'secret'
    path.write_bytes(b'content')
    path.chmod(0)
    with without_privileges():
        (result,) = bucket.upload_many([(path, 'name')])
    assert isinstance(result.error, PermissionError)
    assert [version.file_name for version, _ in bucket.ls()] == ['modules are imported']


def test_a_name_that_no_file_can_have(bucket: Bucket, tmp_path: Path) -> None:
    name = 'ä' * 130
    with pytest.raises(ValueError, match='250 bytes'):
        bucket.upload_bytes(b'', name)
    (result,) = bucket.download_many([('name', tmp_path / name)])
    assert isinstance(result.error, LocalFileError | B2Error)


def sse_c(secret: bytes) -> EncryptionSetting:
    return EncryptionSetting(
        EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(secret, 'id')
    )


@pytest.mark.parametrize('size', [SMALL, LARGE])
def test_encryption_with_keys_of_the_customer(
    api: B2Api, bucket: Bucket, tmp_path: Path, size: int
) -> None:
    data = os.urandom(size)
    right, wrong = sse_c(b'1' * 32), sse_c(b'2' * 32)
    items = [(data, 'for all'), UploadItem(data, 'of its own', encryption=wrong)]
    assert all(result.ok for result in bucket.upload_many(items, encryption=right))
    results = bucket.download_many(['for all', 'of its own'], tmp_path, encryption=right)
    found = {result.item: result.error for result in results}
    assert found['for all'] is None
    assert isinstance(found['of its own'], SSECKeyError)
    assert tree(tmp_path) == {'for all': data}


class Enough(Exception):
    """The items end the call."""


@over_http
@pytest.mark.parametrize(('direction', 'size'), [('up', SMALL), ('up', LARGE), ('down', SMALL)])
def test_a_call_ends_although_the_network_stands_still(
    account: Account, bucket: Bucket, tmp_path: Path, direction: Direction, size: int
) -> None:
    data = os.urandom(size)
    if direction == 'down':
        upload(bucket, {f'name {number}': data for number in range(6)})
    with stoppable(account) as wire:
        through = connect(account, PATIENT, wire.url).get_bucket_by_name(bucket.name)

        def items() -> Iterator[Any]:
            for number in range(6):
                if number == 3:
                    wire.stop_after(direction, 1000)
                name = f'name {number}'
                yield name if direction == 'down' else (data, name)
            assert wire.stopped.wait(DEADLINE)
            raise Enough

        call: Any = through.upload_many if direction == 'up' else through.download_many
        options: dict[str, Any] = {'directory': tmp_path} if direction == 'down' else {}
        begin, others = time.monotonic(), set(bulk_threads())
        with pytest.raises(Enough):
            list(call(items(), max_workers=3, **options))
        # Less than the time-outs of the network.
        assert time.monotonic() - begin < DEADLINE
        if account.has_engine and size == SMALL:
            # Else a call without content may be waiting, which nothing can end.
            assert set(bulk_threads()) <= others
    if direction == 'down' and account.has_engine:
        assert set(tree(tmp_path).values()) <= {data}


PROGRAM = """
from pathlib import Path

def items():
    number = 0
    while True:
        number += 1
        yield bytes(int(args[0])), f'name {number}'

for number, result in enumerate(bucket.upload_many(items(), max_workers=3)):
    result.get()
    if number == 20:
        print('moving', flush=True)
"""


@over_http
@pytest.mark.parametrize('size', [SMALL, LARGE])
def test_ctrl_c(account: Account, bucket: Bucket, size: int) -> None:
    process = start(account, PROGRAM, [str(size)], realm=account.realm)
    interrupt(process, DEADLINE)


names_and_contents = st.dictionaries(
    st.text(st.sampled_from('ab/. é\\'), min_size=1, max_size=8),
    st.binary(max_size=3 * PART_SIZE),
    max_size=12,
)


def law_of_results(bucket: Bucket, files: dict[str, bytes], directory: Path) -> None:
    """Every item has one result, and what was uploaded comes back, or is refused as a path."""
    uploads = list(bucket.upload_many([(data, name) for name, data in files.items()]))
    assert sorted(result.item[1] for result in uploads) == sorted(files)
    kept = {result.get().file_name for result in uploads if result.ok}
    assert all(isinstance(result.error, ValueError) for result in uploads if not result.ok)
    assert {version.file_name for version, _ in bucket.ls(recursive=True)} == kept
    downloads = list(bucket.download_many(sorted(kept), directory))
    assert sorted(result.item for result in downloads) == sorted(kept)
    fetched = {result.item for result in downloads if result.ok}
    expected = {name: files[name] for name in fetched}
    assert tree(directory) == expected
    deleted = bucket.delete_many(bucket.ls(recursive=True))
    assert {result.get().file_name for result in deleted} == kept


@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(files=names_and_contents)
@over_http
def test_each_item_has_one_result(
    account: Account, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    api = account.api
    found = api.list_buckets('law-bucket')
    bucket = found[0] if found else api.create_bucket('law-bucket', 'allPrivate')
    law_of_results(bucket, files, tmp_path_factory.mktemp('law'))


@settings(max_examples=50, deadline=None)
@given(files=names_and_contents)
def test_each_item_has_one_result_in_the_process(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    bucket = new_raw_account().api.create_bucket('law-bucket', 'allPrivate')
    law_of_results(bucket, files, tmp_path_factory.mktemp('law'))


@over_http
def test_memory_does_not_grow_with_the_number_of_items(account: Account, bucket: Bucket) -> None:
    """What a result held goes with it: of all contents only those under way are alive."""
    alive: set[int] = set()
    most = 0

    class Content(bytearray):
        def __del__(self) -> None:
            alive.discard(id(self))

    def items() -> Iterator[tuple[bytearray, str]]:
        nonlocal most
        for number in range(300):
            content = Content(100)
            alive.add(id(content))
            most = max(most, len(alive))
            yield content, f'name {number}'

    for result in bucket.upload_many(items(), max_workers=2):
        assert result.ok
    assert most <= 8 * 2 + 8
