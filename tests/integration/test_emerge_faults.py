"""Files of several sources when something goes wrong."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from b2fast import (
    Bucket,
    CopySource,
    FileVersion,
    OutboundTransferSource,
    ProgressListenerForTest,
    UploadSourceBytes,
    UploadSourceLocalFile,
)
from b2fast.exception import InvalidUserInput, MaxRetriesExceeded, ServiceError
from b2fast.simulator import Fault
from b2fast.transfer.emerge import executor, part_content, units

from ..conftest import PART_SIZE, Account
from .test_emerge import CONTENT, content_of
from .test_interrupt import LISTENER, press_ctrl_c

over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
EXPECTED = CONTENT + b'sent' + CONTENT[:50] + CONTENT[100:1000]


@pytest.fixture
def sources(bucket: Bucket, make_file: Callable[..., Path]) -> list[OutboundTransferSource]:
    """A file, a short piece and a downloaded stretch, and a copy: `EXPECTED`."""
    stored = bucket.upload_bytes(CONTENT, 'stored')
    return [
        UploadSourceLocalFile(make_file(CONTENT)),
        UploadSourceBytes(b'sent'),
        CopySource(stored.id_, 0, 50),
        CopySource(stored.id_, 100, 900),
    ]


@over_http
@pytest.mark.parametrize(
    'fault',
    [
        {'call': 'b2_upload_part', 'status': 503},
        {'call': 'b2_upload_part', 'reset_upload_after': 50},
        {'call': 'b2_upload_part', 'cut_after': 5},
        {'call': 'b2_upload_part', 'expire_token': True},
        {'call': 'b2_copy_part', 'status': 503},
        {'call': 'b2_download_file_by_id', 'status': 503},
        {'call': 'b2_download_file_by_id', 'cut_after': 20},
        {'call': 'b2_start_large_file', 'status': 500},
        {'call': 'b2_finish_large_file', 'reset_after': 0},
    ],
    ids=lambda fault: '-'.join(map(str, fault.values())),
)
def test_what_passes(
    account: Account, bucket: Bucket, sources: list[OutboundTransferSource], fault: dict[str, Any]
) -> None:
    assert account.server is not None
    account.server.inject(Fault(count=2, **fault))
    version = bucket.concatenate(sources, 'file', recommended_upload_part_size=2000)
    assert content_of(bucket, version) == EXPECTED
    assert list(bucket.list_unfinished_large_files()) == []


@over_http
@pytest.mark.parametrize('call', ['b2_upload_part', 'b2_copy_part', 'b2_download_file_by_id'])
def test_what_stays(
    account: Account, bucket: Bucket, sources: list[OutboundTransferSource], call: str
) -> None:
    assert account.server is not None
    account.server.inject(Fault(call=call, status=503, count=10_000))
    with pytest.raises((MaxRetriesExceeded, ServiceError)) as caught:
        bucket.concatenate(sources, 'file')
    (unfinished,) = bucket.list_unfinished_large_files()
    assert unfinished.file_id in caught.value.__notes__[-1]
    account.server.clear_faults()
    version = bucket.concatenate(sources, 'file', continue_large_file_id=unfinished.file_id)
    assert content_of(bucket, version) == EXPECTED
    assert 'b2fast-emerge' not in [thread.name for thread in threading.enumerate()]


def test_listener_that_raises(bucket: Bucket, sources: list[OutboundTransferSource]) -> None:
    class Listener(ProgressListenerForTest):
        def bytes_completed(self, byte_count: int) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bucket.concatenate(sources, 'file', progress_listener=Listener())
    assert [version.file_name for version, _ in bucket.ls()] == ['stored']


@pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)
def test_ctrl_c_while_the_connection_stands_still(
    account: Account, bucket: Bucket, make_file: Callable[..., Path]
) -> None:
    program = (
        LISTENER
        + """
from b2fast import UploadSourceBytes, UploadSourceLocalFile
sources = [UploadSourceLocalFile(args[0]), UploadSourceBytes(b'end')]
size = 1024 * 1024
bucket.concatenate(
    sources, 'name', progress_listener=Listener(), recommended_upload_part_size=size
)
"""
    )
    size = 6 * 1024 * 1024
    press_ctrl_c(account, program, [make_file(bytes(size))], 'up', size // 2)
    assert list(bucket.ls()) == []
    assert len(list(bucket.list_unfinished_large_files())) == 1


def test_ctrl_c(bucket: Bucket) -> None:
    def intents() -> Iterator[OutboundTransferSource]:
        for _ in range(3):
            yield UploadSourceBytes(CONTENT)
        signal.raise_signal(signal.SIGINT)
        yield UploadSourceBytes(CONTENT)

    with pytest.raises(KeyboardInterrupt):
        bucket.concatenate_stream(intents(), 'file')
    assert list(bucket.ls()) == []


def test_ten_thousand_parts_and_one_more(bucket: Bucket, monkeypatch: Any) -> None:
    monkeypatch.setattr(units, 'MAX_PARTS', 3)

    def make(count: int) -> FileVersion:
        stream = io.BytesIO(bytes(count * PART_SIZE))
        return bucket.upload_unbound_stream(stream, 'file')

    assert make(3).size == 3 * PART_SIZE
    with pytest.raises(InvalidUserInput, match='more than 3 parts'):
        make(4)


def test_downloaded_stretches_wait_for_memory(bucket: Bucket, monkeypatch: Any) -> None:
    """Parts of several short copies are downloaded one at a time if they fill the memory."""
    stored = bucket.upload_bytes(CONTENT, 'stored')
    download = part_content.download_stretch
    running: set[int] = set()
    most = 0

    def counted(services: Any, source: CopySource) -> bytes:
        nonlocal most
        running.add(threading.get_ident())
        most = max(most, len(running))
        return download(services, source)

    send = executor.PartsOfLargeFile._send

    def send_and_forget(self: Any, *args: Any) -> Any:
        try:
            return send(self, *args)
        finally:
            running.discard(threading.get_ident())

    monkeypatch.setattr(part_content, 'download_stretch', counted)
    monkeypatch.setattr(executor.PartsOfLargeFile, '_send', send_and_forget)
    sources = [CopySource(stored.id_, number, PART_SIZE // 2) for number in range(40)]
    expected = b''.join(CONTENT[number : number + PART_SIZE // 2] for number in range(40))
    for limit, fits in ((2 * PART_SIZE, 2), (1, 1)):
        monkeypatch.setattr(executor, 'DOWNLOADED_BYTES_AT_A_TIME', limit)
        most = 0
        assert content_of(bucket, bucket.concatenate(sources, 'file')) == expected
        assert 1 <= most <= fits
