"""No key and no token shows in what a failure tells."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from b2fast import B2Api, Bucket
from b2fast.exception import B2Error, MaxRetriesExceeded
from b2fast.simulator import Fault

from ..conftest import PART_SIZE, QUICK_RETRIES, Account
from .wire import connect, stoppable

SMALL = PART_SIZE
LARGE = 5 * PART_SIZE

pytestmark = pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)


class Secrets:
    """Collects the secrets of an account, and looks for them in what failures tell.

    :param caplog: what was logged
    """

    def __init__(self, account: Account, caplog: pytest.LogCaptureFixture) -> None:
        self.account = account
        self.caplog = caplog
        pair = f'{account.key_id}:{account.key}'
        self.known = {account.key, base64.b64encode(pair.encode()).decode()}

    def watch(self, api: B2Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """Learn the tokens that the API object is given from now on."""
        for name in ('authorize_account', 'get_upload_url', 'get_upload_part_url'):
            monkeypatch.setattr(api.session.raw_api, name, self._learning(api, name))

    def _learning(self, api: B2Api, name: str) -> Callable[..., Any]:
        call = getattr(api.session.raw_api, name)

        def call_and_learn(*args: Any, **kwargs: Any) -> Any:
            answer = call(*args, **kwargs)
            self.known.add(answer['authorizationToken'])
            return answer

        return call_and_learn

    @contextmanager
    def fails(self) -> Iterator[None]:
        """The block fails and tells no secret."""
        self.known.add(self.account.api.account_info.get_account_auth_token())
        with pytest.raises(B2Error) as caught:
            yield
        told = list(self._told_by(caught.value))
        told += [record.getMessage() for record in self.caplog.records]
        told.append(self.caplog.text)
        for secret in self.known:
            assert len(secret) > 10
            assert not [text for text in told if secret in text]

    def _told_by(self, error: BaseException) -> Iterator[str]:
        yield str(error)
        yield repr(error)
        yield repr(vars(error))
        yield ''.join(traceback.format_exception(error))
        # Tools that report errors show the requests among the variables.
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if 'request' in frame.f_locals:
                yield repr(frame.f_locals['request'])
        if isinstance(error, MaxRetriesExceeded):
            for one in error.exception_info_list:
                yield from self._told_by(one)


@pytest.fixture
def secrets(
    account: Account, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Secrets:
    caplog.set_level(logging.DEBUG)
    found = Secrets(account, caplog)
    found.watch(account.api, monkeypatch)
    return found


def inject(account: Account, **fault: Any) -> None:
    assert account.server is not None
    account.server.inject(Fault(**fault))


@pytest.mark.parametrize(
    'fault',
    [
        {'status': 503},
        {'status': 400},
        {'status': 401, 'code': 'bad_auth_token'},
        {'status': 401, 'code': 'unauthorized'},
        {'status': 400, 'code': 'auth_token_limit'},
        {'cut_upload_after': 10},
        {'cut_after': 0},
        {'cut_after': 10},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ('size', 'call'), [(SMALL, 'b2_upload_file'), (LARGE, 'b2_upload_part')], ids=['small', 'large']
)
def test_upload(
    account: Account, bucket: Bucket, secrets: Secrets, size: int, call: str, fault: dict[str, Any]
) -> None:
    inject(account, call=call, count=10_000, **fault)
    with secrets.fails():
        bucket.upload_bytes(bytes(size), 'name')
    assert len(secrets.known) >= 3


@pytest.mark.parametrize('call', ['b2_get_upload_url', 'b2_get_upload_part_url'])
def test_upload_url(account: Account, bucket: Bucket, secrets: Secrets, call: str) -> None:
    inject(account, call=call, count=10_000, cut_after=50)
    with secrets.fails():
        bucket.upload_bytes(bytes(SMALL if call == 'b2_get_upload_url' else LARGE), 'name')


def test_message_of_the_service_with_a_token(
    account: Account, bucket: Bucket, secrets: Secrets
) -> None:
    """The service quotes the token when two uploads share an upload URL."""
    token = '4_005d79dcc6f12ab0000000001_01b2c3d4_acbd18_upld_secret='
    secrets.known.add(token)
    assert account.server is not None
    for code in ('auth_token_limit', 'bad_request'):
        account.server.clear_faults()
        inject(
            account,
            call='b2_upload_file',
            status=400,
            code=code,
            message=f'more than one upload using auth token {token}',
            count=50,
        )
        with secrets.fails():
            bucket.upload_bytes(b'x', 'name')


@pytest.mark.parametrize(
    'fault',
    [
        {'status': 503},
        {'status': 401, 'code': 'bad_auth_token'},
        {'status': 403, 'code': 'access_denied'},
        {'cut_after': 0},
    ],
    ids=str,
)
def test_download(
    account: Account, bucket: Bucket, secrets: Secrets, tmp_path: Path, fault: dict[str, Any]
) -> None:
    bucket.upload_bytes(bytes(SMALL), 'name')
    inject(account, call='b2_download_file_by_name', count=10_000, **fault)
    with secrets.fails():
        bucket.download_file_by_name('name').save_to(tmp_path / 'target')


def test_json_call(account: Account, bucket: Bucket, secrets: Secrets) -> None:
    for fault in ({'status': 503}, {'status': 401, 'code': 'unauthorized'}, {'cut_after': 0}):
        inject(account, call='b2_list_file_names', count=5, **fault)
        with secrets.fails():
            list(bucket.ls())


def test_service_that_is_gone(
    account: Account, bucket: Bucket, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stoppable(account) as wire:
        far = connect(account, QUICK_RETRIES, wire.url)
        secrets.watch(far, monkeypatch)
        secrets.known.add(far.account_info.get_account_auth_token())
        far_bucket = far.get_bucket_by_name('a-bucket')
        far_bucket.upload_bytes(b'x', 'name')
        opened = far_bucket.download_file_by_name('name')
        opened.save_to('/dev/null')
        wire.close()
        for attempt in (
            lambda: far_bucket.upload_bytes(b'x', 'name'),
            lambda: opened.save_to('/dev/null'),
            lambda: far_bucket.download_file_by_name('name'),
            lambda: list(far_bucket.ls()),
        ):
            with secrets.fails():
                attempt()


def test_wrong_key(account: Account, secrets: Secrets) -> None:
    api = account.new_api()
    # In a variable, since a traceback quotes the line.
    key = 'a-key-' + 'x' * 20
    secrets.known.add(key)
    with secrets.fails():
        api.authorize_account(account.key_id, key, account.realm)
    with secrets.fails():
        api.authorize_account('no-such-id', account.key, account.realm)


def test_token_that_cannot_be_renewed(account: Account, bucket: Bucket, secrets: Secrets) -> None:
    assert account.server is not None
    bucket.upload_bytes(b'x', 'name')
    account.server.expire_tokens()
    inject(account, call='b2_authorize_account', status=401, code='bad_auth_token', count=50)
    for attempt in (
        lambda: bucket.upload_bytes(bytes(LARGE), 'name'),
        lambda: bucket.download_file_by_name('name'),
        lambda: list(bucket.ls()),
    ):
        with secrets.fails():
            attempt()


def test_what_objects_say_of_themselves(account: Account, bucket: Bucket) -> None:
    bucket.upload_bytes(b'x', 'name')
    api = account.api
    token = api.account_info.get_account_auth_token()
    engine = api.session.transfer_engine(10)
    opened = bucket.download_file_by_name('name')
    for thing in (api, api.session, api.account_info, engine, bucket, opened, opened.response):
        assert account.key not in repr(thing) + str(thing)
        assert token not in repr(thing) + str(thing)
