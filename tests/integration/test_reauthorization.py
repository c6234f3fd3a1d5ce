"""One authorization replaces an expired token, whatever the threads are doing."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

import pytest

from b2fast import Bucket, CancelToken, UploadSourceBytes, cancel_scope
from b2fast.exception import TransferCancelled
from b2fast.simulator import Fault

from ..conftest import Account
from ..helpers import run_in_threads
from .wire import DEADLINE

ROUNDS = 3
DATA = bytes(5_000_000)


@pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
def test_mixed_threads_authorize_once(account: Account, bucket: Bucket) -> None:
    """Uploads, large uploads, downloads, listings and heads at once, in two threads each."""
    assert account.server is not None
    bucket.upload(UploadSourceBytes(DATA), 'stored', min_part_size=1_000_000)

    def download() -> None:
        received = io.BytesIO()
        bucket.download_file_by_name('stored').save(received)
        assert received.getvalue() == DATA

    acts: list[Callable[[], object]] = [
        lambda: bucket.upload_bytes(b'content', 'small'),
        lambda: bucket.upload(UploadSourceBytes(DATA), 'large', min_part_size=1_000_000),
        download,
        lambda: list(bucket.ls()),
        lambda: bucket.get_file_info_by_name('stored'),
    ] * 2
    for round_ in range(ROUNDS):
        todo = list(acts)
        failures: list[BaseException] = []
        start = threading.Barrier(len(acts))

        def work(
            todo: list[Callable[[], object]] = todo,
            failures: list[BaseException] = failures,
            start: threading.Barrier = start,
        ) -> None:
            act = todo.pop()
            start.wait()
            try:
                act()
            except BaseException as error:
                failures.append(error)

        account.server.expire_tokens()
        run_in_threads(len(acts), work)
        assert failures == []
        assert account.server.calls['b2_authorize_account'] == 2 + round_


@pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
def test_who_waited_for_a_failed_authorization_fails_alike(
    account: Account, bucket: Bucket
) -> None:
    assert account.server is not None
    bucket.upload_bytes(b'content', 'stored')
    account.server.expire_tokens()
    account.server.inject(
        Fault(call='b2_authorize_account', status=401, code='unauthorized', count=1000)
    )
    failures: list[str] = []

    def work() -> None:
        try:
            bucket.download_file_by_name('stored')
        except PermissionError as error:
            failures.append(type(error).__name__)

    run_in_threads(8, work)
    assert failures == ['Unauthorized'] * 8


@pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)
def test_who_waited_for_a_cancelled_authorization_authorizes(
    account: Account, bucket: Bucket
) -> None:
    """Both threads need a token; what ends one of them is no concern of the other."""
    server = account.server
    assert server is not None
    server.expire_tokens()
    server.inject(Fault(call='b2_authorize_account', delay=10 * DEADLINE))
    before = server.calls['b2_authorize_account']
    token = CancelToken()
    outcomes: list[object] = []

    def cancelled() -> None:
        with cancel_scope(token):
            try:
                list(bucket.ls())
            except TransferCancelled as error:
                outcomes.append(type(error))

    first = threading.Thread(target=cancelled)
    first.start()
    while server.calls['b2_authorize_account'] == before:
        time.sleep(0.001)
    second = threading.Thread(target=lambda: outcomes.append(list(bucket.ls())))
    second.start()
    token.cancel()
    first.join()
    second.join()
    assert outcomes == [TransferCancelled, []]
