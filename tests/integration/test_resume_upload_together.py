"""Several uploads of the same file at a time, in one process and in several."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from b2fast import (
    Bucket,
    UploadSourceBytes,
)
from b2fast.exception import CannotResumeUpload, ServiceError
from b2fast.large_file import in_use
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, Account
from .unfinished_uploads import (
    DATA,
    PARTS,
    assert_resumed,
    begin,
    cancel_behind_listing,
    content_of,
    send_part,
    unfinished,
)
from .wire import DEADLINE

over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)


class Paused:
    """Makes a session wait at a call, until it may go on."""

    def __init__(self, session: Any, call: str) -> None:
        self._call = getattr(session, call)
        self.reached = threading.Event()
        self.go_on = threading.Event()
        setattr(session, call, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.reached.set()
        assert self.go_on.wait(DEADLINE)
        return self._call(*args, **kwargs)


def in_background(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    results: list[object] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def another_client(account: Account) -> Bucket:
    api = account.new_api()
    api.authorize_account(account.key_id, account.key, account.realm)
    return api.get_bucket_by_name('a-bucket')


def test_file_that_another_upload_of_the_process_sends_is_not_taken(
    account: Account, bucket: Bucket
) -> None:
    first = another_client(account)
    pause = Paused(first.api.session, 'finish_large_file')
    thread, results = in_background(lambda: first.upload_bytes(DATA, 'name'))
    assert pause.reached.wait(DEADLINE)
    (file_id,) = unfinished(bucket)
    second = bucket.upload_bytes(DATA, 'name')
    with pytest.raises(CannotResumeUpload, match='another upload of this process'):
        bucket.resume_upload(file_id, UploadSourceBytes(DATA), 'name')
    pause.go_on.set()
    thread.join()
    assert [version.id_ for version in results] == [file_id]  # type: ignore[attr-defined]
    assert second.id_ != file_id
    # What was in use is free again.
    file_id = begin(bucket, [1], 'other')
    assert_resumed(bucket, file_id, 4, 'other')


def test_file_that_another_upload_claims_first(account: Account, bucket: Bucket) -> None:
    """It was found between its start and the claim."""
    session = account.api.session
    start = session.start_large_file
    account_id = account.api.account_info.get_account_id()
    started = []

    def start_and_lose(*args: Any, **kwargs: Any) -> Any:
        answer = start(*args, **kwargs)
        if not started:
            assert in_use.claim(account_id, answer['fileId'])
        started.append(answer['fileId'])
        return answer

    session.start_large_file = start_and_lose  # type: ignore[method-assign]
    version = bucket.upload_bytes(DATA, 'name')
    assert [version.id_] == started[1:]
    in_use.release(account_id, started[0])
    assert unfinished(bucket) == started[:1]


@over_http
def test_search_that_fails_claims_nothing(account: Account, bucket: Bucket) -> None:
    assert account.server is not None
    best = begin(bucket, [1, 2])
    begin(bucket, [1])
    account.server.inject(Fault(call='b2_list_parts', status=503, skip=1, count=1000))
    with pytest.raises(ServiceError):
        bucket.upload_bytes(DATA, 'name', file_info={'a': 'b'})
    account.server.clear_faults()
    assert_resumed(bucket, best, 3)


@pytest.fixture
def unclaimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads know nothing of each other, as if each were in a process of its own."""
    monkeypatch.setattr('b2fast.large_file.in_use.claim', lambda *_: True)
    monkeypatch.setattr('b2fast.large_file.in_use.release', lambda *_: None)


@pytest.mark.usefixtures('unclaimed')
@pytest.mark.parametrize('call', ['get_upload_part_url', 'finish_large_file'])
def test_other_process_finishes_the_file_first(account: Account, bucket: Bucket, call: str) -> None:
    slow = another_client(account)
    pause = Paused(slow.api.session, call)
    thread, results = in_background(lambda: slow.upload_bytes(DATA, 'name'))
    assert pause.reached.wait(DEADLINE)
    version = bucket.upload_bytes(DATA, 'name')
    pause.go_on.set()
    thread.join()
    assert [version.id_ for version in results] == [version.id_]  # type: ignore[attr-defined]
    assert content_of(bucket, 'name') == DATA
    assert len(list(bucket.list_file_versions('name'))) == 1


@pytest.mark.parametrize('there', [[1, 2], range(1, PARTS + 1)], ids=['some', 'all'])
def test_other_process_cancels_the_file(bucket: Bucket, there: Sequence[int]) -> None:
    file_id = begin(bucket, there)
    cancel_behind_listing(bucket, file_id)
    version = bucket.upload_bytes(DATA, 'name', file_info={'a': 'b'})
    assert version.id_ != file_id
    assert content_of(bucket, 'name') == DATA
    assert unfinished(bucket) == []


@pytest.mark.usefixtures('unclaimed')
def test_other_process_replaces_a_part(account: Account, bucket: Bucket) -> None:
    """The finish is refused, since the SHA-1 of that part is another one."""
    file_id = begin(bucket, [1, 2], info={'a': 'b'})
    session = account.api.session
    finish = session.finish_large_file

    def replace_and_finish(finished_id: str, sha1s: list[str]) -> Any:
        if finished_id == file_id:
            send_part(bucket, file_id, 1, bytes(PART_SIZE))
        return finish(finished_id, sha1s)

    session.finish_large_file = replace_and_finish  # type: ignore[method-assign]
    version = bucket.upload_bytes(DATA, 'name', file_info={'a': 'b'})
    assert version.id_ != file_id
    assert content_of(bucket, 'name') == DATA
