"""What a client counts is what the service has served."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from b2fast import Bucket
from b2fast.exception import B2Error, FileNotPresent
from b2fast.simulator import Fault, SimulatorServer

from ..conftest import PART_SIZE, QUICK_RETRIES, Account, new_raw_account
from .wire import connect

over_http = pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)

SMALL, LARGE = b'x' * PART_SIZE, bytes(range(250)) * 8


def use(bucket: Bucket, path: Path) -> None:
    """Make every kind of call that both simulators know."""
    api = bucket.api
    path.write_bytes(LARGE)
    small = bucket.upload_bytes(SMALL, 'dir/small')
    large = bucket.upload_local_file(str(path), 'large')
    bucket.download_file_by_name('large').save_to(path)
    assert path.read_bytes() == LARGE
    bucket.download_file_by_id(large.id_, range_=(5, 104)).save(io.BytesIO())
    bucket.get_file_info_by_name('dir/small')
    api.get_file_info(small.id_)
    assert len(list(bucket.ls(recursive=True, latest_only=False))) == 2
    assert len(list(bucket.ls(recursive=True))) == 2
    api.session.copy_file(small.id_, 'copy')
    unfinished = api.session.start_large_file(bucket.id_, 'unfinished', 'b2/x-auto', {})
    assert list(bucket.list_unfinished_large_files())
    assert not list(api.list_parts(unfinished['fileId']))
    api.cancel_large_file(unfinished['fileId'])
    bucket.hide_file('dir/small')
    api.list_buckets()
    bucket.update(bucket_info={'a': 'b'})
    bucket.get_download_authorization('dir/', 60)
    with pytest.raises(FileNotPresent):
        bucket.download_file_by_name('missing')
    bucket.delete_file_version(large.id_, 'large')


@over_http
def test_every_request_counts(account: Account, bucket: Bucket, tmp_path: Path) -> None:
    use(bucket, tmp_path / 'file')
    assert account.server is not None
    stats = account.api.stats()
    assert stats.calls == dict(account.server.calls)
    assert sum(stats.transactions.values()) == account.server.calls.total()
    assert stats.bytes_sent == len(SMALL) + len(LARGE)
    assert stats.bytes_received == len(LARGE) + 100
    assert stats.retries == 0


def test_both_kinds_of_raw_api_count_alike(account: Account, tmp_path: Path) -> None:
    raw = new_raw_account()
    for one in (raw, account):
        use(one.api.create_bucket('a-bucket', 'allPrivate'), tmp_path / 'file')
    calls, expected = dict(account.api.stats().calls), dict(raw.api.stats().calls)
    if account.has_engine:
        # Each worker of an upload has a URL of its own.
        assert calls.pop('b2_get_upload_part_url') >= expected.pop('b2_get_upload_part_url')
    assert calls == expected
    assert account.api.stats().bytes_sent == raw.api.stats().bytes_sent
    assert account.api.stats().bytes_received == raw.api.stats().bytes_received


FAULTS: list[dict[str, Any]] = [
    {'status': 503},
    {'status': 408},
    {'status': 429, 'retry_after': 0},
    {'status': 400},
    {'status': 403, 'code': 'storage_cap_exceeded'},
    {'cut_after': 0},
    {'cut_after': 7},
    {'expire_token': True},
]
CALLS = [
    'b2_get_upload_url',
    'b2_upload_file',
    'b2_start_large_file',
    'b2_get_upload_part_url',
    'b2_upload_part',
    'b2_finish_large_file',
    'b2_list_file_names',
    'b2_get_file_info',
    'b2_download_file_by_name',
    'b2_download_file_by_id',
    'b2_authorize_account',
]


def do_anything(bucket: Bucket) -> None:
    ids = ['4_z']
    for act in (
        lambda: ids.append(bucket.upload_bytes(SMALL, 'small').id_),
        lambda: ids.append(bucket.upload_bytes(LARGE, 'large').id_),
        lambda: list(bucket.ls()),
        lambda: bucket.download_file_by_name('large').save(io.BytesIO()),
        lambda: bucket.download_file_by_id(ids[-1]).save(io.BytesIO()),
        lambda: bucket.api.get_file_info(ids[-1]),
    ):
        with suppress(B2Error):
            act()


@over_http
def test_failed_requests_count(account: Account, bucket: Bucket) -> None:
    assert account.server is not None
    server = account.server

    @settings(max_examples=25)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(CALLS),
                st.sampled_from(FAULTS),
                st.integers(1, 6),
                st.integers(0, 2),
            ),
            max_size=6,
        )
    )
    def same(faults: list[tuple[str, dict[str, Any], int, int]]) -> None:
        # With more workers, one that fails cancels the requests of the others, of which nobody
        # knows whether they arrive.
        client = connect(account, QUICK_RETRIES, max_upload_workers=1, max_download_workers=1)
        bucket = client.get_bucket_by_name('a-bucket')
        before = server.calls - Counter(client.stats().calls)
        for call, fault, count, skip in faults:
            server.inject(Fault(call=call, count=count, skip=skip, **fault))
        do_anything(bucket)
        server.clear_faults()
        assert server.calls - before == Counter(client.stats().calls)

    same()


@over_http
def test_retries(account: Account, bucket: Bucket) -> None:
    assert account.server is not None
    before = account.api.stats()
    for call in ('b2_upload_file', 'b2_list_file_names', 'b2_download_file_by_name'):
        account.server.inject(Fault(call=call, status=503, count=2))
    bucket.upload_bytes(SMALL, 'small')
    list(bucket.ls())
    bucket.download_file_by_name('small').save(io.BytesIO())
    done = account.api.stats() - before
    assert done.retries == 6
    assert done.calls == {
        # A URL that failed is not used again.
        'b2_get_upload_url': 3,
        'b2_upload_file': 3,
        'b2_list_file_names': 3,
        'b2_download_file_by_name': 3,
    }
    assert done.transactions == {'A': 6, 'B': 3, 'C': 3}
    assert done.bytes_sent >= len(SMALL)
    assert done.bytes_received == len(SMALL)


@pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)
def test_no_connection_is_no_call(account: Account, bucket: Bucket) -> None:
    bucket.upload_bytes(SMALL, 'small')
    assert isinstance(account.server, SimulatorServer)
    account.server.stop()
    before = account.api.stats()
    for act in (
        lambda: list(bucket.ls()),
        lambda: bucket.download_file_by_name('small'),
    ):
        with pytest.raises(B2Error):
            act()
    done = account.api.stats() - before
    assert done.retries > 0
    # What was sent to a connection that the server had closed meanwhile may have arrived.
    assert sum(done.calls.values()) <= 2


@over_http
def test_engines_that_are_replaced_go_on_counting(account: Account, bucket: Bucket) -> None:
    bucket.upload_bytes(SMALL, 'small')
    account.api.services.upload_manager.set_thread_pool_size(40)
    bucket.upload_bytes(SMALL, 'small')
    assert account.server is not None
    assert account.api.stats().calls == dict(account.server.calls)
