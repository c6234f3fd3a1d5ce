"""Lost and garbled answers to calls that are refused when they are repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from b2fast import B2Api, Bucket
from b2fast.exception import BadRequest, FileAlreadyHidden, FileNotPresent
from b2fast.simulator import Fault

from ..conftest import Account

pytestmark = pytest.mark.parametrize('account', ['http'], indirect=True)
losses = pytest.mark.parametrize(
    'loss', [{'cut_after': 0}, {'flip_at': 0}], ids=['lost', 'garbled']
)

Loss = dict[str, Any]


def lose(account: Account, call: str, loss: Loss) -> None:
    assert account.server is not None
    account.server.inject(Fault(call=call, **loss))


def with_key(account: Account, *capabilities: str) -> B2Api:
    """A client whose key may do no more than that."""
    key = account.api.create_key(list(capabilities), 'a-key')
    api = account.new_api()
    assert key.application_key is not None
    api.authorize_account(key.id_, key.application_key, account.realm)
    return api


def start(bucket: Bucket) -> str:
    file_id: str = bucket.api.services.large_file.start_large_file(bucket.id_, 'large').file_id
    return file_id


@losses
def test_hide(account: Account, bucket: Bucket, loss: Loss) -> None:
    bucket.upload_bytes(b'content', 'name')
    bucket.upload_bytes(b'content', 'name-2')
    lose(account, 'b2_hide_file', loss)
    hidden = bucket.hide_file('name')
    marker, _ = bucket.list_file_versions('name')
    assert hidden.as_dict() == marker.as_dict()
    assert marker.action == 'hide'


@losses
def test_hide_beside_an_unfinished_file(account: Account, bucket: Bucket, loss: Loss) -> None:
    bucket.upload_bytes(b'content', 'large')
    start(bucket)
    lose(account, 'b2_hide_file', loss)
    assert bucket.hide_file('large').action == 'hide'


@losses
def test_delete(account: Account, bucket: Bucket, loss: Loss) -> None:
    version = bucket.upload_bytes(b'content', 'name')
    lose(account, 'b2_delete_file_version', loss)
    assert bucket.delete_file_version(version.id_, 'name').as_dict() == {
        'action': 'delete',
        'fileId': version.id_,
        'fileName': 'name',
    }
    assert list(bucket.list_file_versions('name')) == []


@losses
def test_cancel(account: Account, bucket: Bucket, loss: Loss) -> None:
    file_id = start(bucket)
    lose(account, 'b2_cancel_large_file', loss)
    cancelled = bucket.cancel_large_file(file_id)
    assert (cancelled.file_id, cancelled.file_name) == (file_id, '')
    assert list(bucket.list_unfinished_large_files()) == []


def test_what_was_not_done_stays_refused(account: Account, bucket: Bucket) -> None:
    """The service was busy; nothing of it was the work of the first call."""
    version = bucket.upload_bytes(b'content', 'name')
    busy = {'status': 503}
    lose(account, 'b2_delete_file_version', busy)
    with pytest.raises(FileNotPresent):
        bucket.delete_file_version(version.id_, 'other')
    lose(account, 'b2_cancel_large_file', busy)
    with pytest.raises(BadRequest):
        bucket.cancel_large_file(version.id_)
    lose(account, 'b2_hide_file', busy)
    with pytest.raises(FileNotPresent):
        bucket.hide_file('other')
    assert [found.id_ for found in bucket.list_file_versions('name')] == [version.id_]


def test_without_a_loss_nothing_is_looked_for(account: Account, bucket: Bucket) -> None:
    version = bucket.upload_bytes(b'content', 'name')
    bucket.hide_file('name')
    file_id = start(bucket)
    bucket.cancel_large_file(file_id)
    bucket.delete_file_version(version.id_, 'name')
    assert account.server is not None
    before = account.server.calls
    with pytest.raises(FileAlreadyHidden):
        bucket.hide_file('name')
    with pytest.raises(FileNotPresent):
        bucket.delete_file_version(version.id_, 'name')
    with pytest.raises(BadRequest):
        bucket.cancel_large_file(file_id)
    assert (account.server.calls - before).total() == 3


@pytest.mark.parametrize(
    ('call', 'capability', 'act', 'error'),
    [
        ('b2_hide_file', 'writeFiles', lambda b, _: b.hide_file('name'), FileAlreadyHidden),
        (
            'b2_delete_file_version',
            'deleteFiles',
            lambda b, id_: b.delete_file_version(id_, 'name'),
            FileNotPresent,
        ),
    ],
)
def test_key_that_may_not_look(
    account: Account,
    bucket: Bucket,
    call: str,
    capability: str,
    act: Callable[[Bucket, str], object],
    error: type[Exception],
) -> None:
    version = bucket.upload_bytes(b'content', 'name')
    api = with_key(account, capability)
    lose(account, call, {'cut_after': 0})
    with pytest.raises(error):
        act(Bucket(api, bucket.id_, name=bucket.name), version.id_)
