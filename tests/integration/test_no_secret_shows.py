"""Whatever the service answers, no secret of the request or of the answer is told."""

from __future__ import annotations

import base64
import io
import json
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given, settings, strategies as st

from b2fast import (
    B2Api,
    B2HttpApiConfig,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    InMemoryAccountInfo,
    RetryPolicy,
)
from b2fast._core.server import HttpServer, Request, Response
from b2fast.exception import B2Error, MaxRetriesExceeded

SECRET = st.text(
    'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=-+/', min_size=20, max_size=60
)
# Where an answer that fails may quote a secret.
FORMS = [
    '{"status": %(status)d, "code": "bad_request", "message": "no: %(secret)s!"}',
    '{"status": %(status)d, "code": "unauthorized", "message": "%(secret)s"}',
    '{"status": %(status)d, "code": "%(secret)s", "message": "words"}',
    '<html>%(secret)s</html>',
    '%(secret)s',
]
TELLING_FORMS = ['{"authorizationToken": "%(secret)s', '{"applicationKey": "%(secret)s", ']


class Service:
    """Authorizes and gives upload URLs until it is told to answer all calls with nonsense."""

    def __init__(self) -> None:
        self.nonsense: tuple[int, str] | None = None
        self.answers: dict[str, Any] = {}
        self.failing = ''

    def __call__(self, request: Request) -> Response:
        name = request.path.rpartition('/')[2]
        if self.nonsense is not None and self.failing in request.path:
            status, body = self.nonsense
            return Response(status, [('Content-Type', 'text/plain')], body.encode())
        body = json.dumps(self.answers.get(name, {}))
        return Response(200, [('Content-Type', 'application/json')], body.encode())


def told_by(error: BaseException) -> Iterator[str]:
    yield str(error)
    yield repr(error)
    yield repr(vars(error))
    yield ''.join(traceback.format_exception(error))
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if 'request' in frame.f_locals:
            yield repr(frame.f_locals['request'])
    if isinstance(error, MaxRetriesExceeded):
        for one in error.exception_info_list:
            yield from told_by(one)


@pytest.fixture(scope='module')
def service() -> Iterator[tuple[Service, str]]:
    service = Service()
    server = HttpServer(service, host='127.0.0.1', port=0)
    try:
        yield service, f'http://{server.host}:{server.port}'
    finally:
        server.stop()


@pytest.mark.parametrize('streams', [False, True], ids=['engine', 'streams'])
@given(data=st.data())
@settings(max_examples=60)
def test_no_secret_shows(service: tuple[Service, str], streams: bool, data: st.DataObject) -> None:
    server, url = service
    key, token, upload_token = data.draw(st.tuples(SECRET, SECRET, SECRET))
    customer_key = data.draw(st.binary(min_size=32, max_size=32))
    pair = base64.b64encode(f'key-id:{key}'.encode()).decode()
    secrets = [key, pair, token, upload_token, base64.b64encode(customer_key).decode()]
    storage = {
        'apiUrl': url,
        'downloadUrl': url,
        's3ApiUrl': url,
        'absoluteMinimumPartSize': 100,
        'recommendedPartSize': 100,
        'allowed': {'buckets': None, 'capabilities': [], 'namePrefix': None},
    }
    server.answers = {
        'b2_authorize_account': {
            'accountId': 'account',
            'authorizationToken': token,
            'apiInfo': {'storageApi': storage},
        },
        'b2_get_upload_url': {'uploadUrl': f'{url}/upload', 'authorizationToken': upload_token},
        'b2_get_upload_part_url': {'uploadUrl': f'{url}/part', 'authorizationToken': upload_token},
        'b2_start_large_file': {'fileId': 'large'},
    }
    policy = RetryPolicy(attempts=2, first_delay=0, max_delay=0)
    config = B2HttpApiConfig(retry_policy=policy)
    if streams:
        config = B2HttpApiConfig(requests.Session, retry_policy=policy)
    api = B2Api(InMemoryAccountInfo(), api_config=config)
    server.nonsense = None
    api.authorize_account('key-id', key, url)
    encryption = EncryptionSetting(
        EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(customer_key, None)
    )
    bucket = api.BUCKET_CLASS(api, 'bucket', name='a-bucket')
    acts = {
        'b2_authorize_account': lambda: api.authorize_account('key-id', key, url),
        'b2_list_file_names': lambda: list(bucket.ls()),
        'b2_create_key': lambda: api.create_key(['listFiles'], 'name'),
        'b2_get_upload_url': lambda: bucket.upload_bytes(b'x', 'name'),
        '/upload': lambda: bucket.upload_bytes(b'x', 'name', encryption=encryption),
        '/part': lambda: bucket.upload_bytes(bytes(200), 'name', encryption=encryption),
        '/file/': lambda: bucket.download_file_by_name('name', encryption=encryption).save(
            io.BytesIO()
        ),
        'b2_copy_file': lambda: api.session.copy_file(
            'id', 'name', source_server_side_encryption=encryption
        ),
    }
    server.failing = data.draw(st.sampled_from(sorted(acts)))
    form = data.draw(st.sampled_from(FORMS + TELLING_FORMS))
    status = data.draw(st.sampled_from([400, 401, 403, 404, 429, 500, 503]))
    if form in TELLING_FORMS:
        # It would be a good answer, were it whole.
        secret = data.draw(st.sampled_from(secrets))
        if server.failing.startswith('b2_'):
            status = data.draw(st.sampled_from([200, status]))
    else:
        # What the service quotes is in the request.
        secret = data.draw(
            st.sampled_from(
                {
                    'b2_authorize_account': [key, pair],
                    '/upload': [upload_token, secrets[4]],
                    '/part': [upload_token, secrets[4]],
                }.get(server.failing, [token])
            )
        )
    server.nonsense = status, form % {'status': status, 'secret': secret}

    records: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(self.format(record))

    handler, logger = Handler(), logging.getLogger()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        with pytest.raises(B2Error) as caught:
            acts[server.failing]()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        if streams:
            api.session.raw_api.b2_http.session.close()  # type: ignore[attr-defined]
    for text in [*told_by(caught.value), *records]:
        assert not [secret for secret in secrets if secret in text]
