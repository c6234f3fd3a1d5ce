from __future__ import annotations

import contextlib
import email.utils
import gzip
import http.server
import io
import json
import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from b2fast.api_config import B2HttpApiConfig
from b2fast.b2http import B2Http, HttpCallback
from b2fast.exception import (
    B2ConnectionError,
    B2RequestTimeout,
    B2RequestTimeoutDuringUpload,
    BadDateFormat,
    BadRequest,
    BucketIdNotFound,
    ClockSkew,
    ConnectionReset,
    FileNotPresent,
    InvalidAuthToken,
    InvalidJsonResponse,
    PotentialS3EndpointPassedAsRealm,
    ServiceError,
    TooManyRequests,
    Unauthorized,
    UnknownError,
    UnknownHost,
)
from b2fast.retry import RetryPolicies, RetryPolicy, Timeouts


@dataclass
class Answer:
    status: int = 200
    body: bytes = b'{}'
    headers: dict[str, str] = field(default_factory=dict)


def error(status: int, code: str, **headers: str) -> Answer:
    body = json.dumps({'status': status, 'code': code, 'message': 'words'}).encode()
    return Answer(status, body, {k.replace('_', '-'): v for k, v in headers.items()})


RESET = object()
CLOSE = object()
STALL = object()


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class ScriptedServer:
    """Answers requests from a list, then with ``{}``; remembers what it was asked."""

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.seen: list[Seen] = []
        self.released = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            timeout = 10

            def log_message(self, *args: object) -> None:
                pass

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                outer.seen.append(Seen(self.command, self.path, dict(self.headers), body))
                answer = outer.script.pop(0) if outer.script else Answer()
                if answer is STALL:
                    outer.released.wait(10)
                if answer in (STALL, CLOSE, RESET):
                    if answer is RESET:
                        linger = struct.pack('ii', 1, 0)
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response_only(answer.status)
                headers = {
                    'Date': email.utils.formatdate(usegmt=True),
                    'Content-Length': str(len(answer.body)),
                    **answer.headers,
                }
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != 'HEAD':
                    self.wfile.write(answer.body)

            do_GET = do_POST = do_HEAD = _serve  # noqa: N815

            def finish(self) -> None:
                with contextlib.suppress(ValueError):  # closed on purpose
                    super().finish()

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *args: object) -> None:
                pass

        self._server = Server(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self._server.server_port}'
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.stop()


class Client:
    """A `B2Http` that notes its pauses instead of sleeping."""

    def __init__(self, **config: Any) -> None:
        self.http = B2Http(B2HttpApiConfig(**config))
        self.slept: list[float] = []
        self.now = 0.0
        self.http._sleep = self._sleep
        self.http._clock = lambda: self.now
        self.http._random = lambda: 1.0

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.http.session.close()


def call(client: Client, server: ScriptedServer, path: str = '/b2api/v4/b2_x') -> Any:
    return client.http.post_json_return_json(server.url + path, {'Authorization': 'T'}, {'a': 'ü'})


def upload(client: Client, server: ScriptedServer, data: Any = b'data', **more: Any) -> Any:
    return client.http.post_content_return_json(
        server.url + '/up', {'Authorization': 'T', 'Content-Length': '4'}, data, **more
    )


# JSON calls


def test_a_json_call(client: Client, server: ScriptedServer) -> None:
    server.script = [Answer(body=b'{"answer": [1, null]}')]
    assert call(client, server) == {'answer': [1, None]}
    (seen,) = server.seen
    assert (seen.method, seen.path) == ('POST', '/b2api/v4/b2_x')
    assert json.loads(seen.body) == {'a': 'ü'}
    assert seen.headers['Authorization'] == 'T'
    assert seen.headers['Content-Type'] == 'application/json'
    assert seen.headers['Accept'] == 'application/json'
    assert seen.headers['User-Agent'].startswith('b2fast/')
    assert ' python/' in seen.headers['User-Agent']


def test_the_user_agent_names_the_integration(server: ScriptedServer) -> None:
    client = Client(user_agent_append='backup/7')
    call(client, server)
    assert server.seen[0].headers['User-Agent'].endswith(' backup/7')
    client.http.session.close()


@pytest.mark.parametrize('status', [408, 500, 503])
def test_a_failing_service_is_asked_again(
    client: Client, server: ScriptedServer, status: int
) -> None:
    server.script = [error(status, 'x')] * 3
    assert call(client, server) == {}
    assert client.slept == [1.0, 1.5, 2.25]


@pytest.mark.parametrize('answer', [error(503, 'x'), error(408, 'x'), CLOSE, RESET])
def test_attempts_end(client: Client, server: ScriptedServer, answer: Any) -> None:
    server.script = [answer] * 9
    with pytest.raises((ServiceError, B2ConnectionError, TimeoutError)):
        call(client, server)
    assert len(server.seen) == B2Http.TRY_COUNT_OTHER
    assert len(client.slept) == B2Http.TRY_COUNT_OTHER - 1


@pytest.mark.parametrize('before', [0, 1, 3])
def test_a_refusal_says_whether_an_answer_may_have_been_lost(
    client: Client, server: ScriptedServer, before: int
) -> None:
    """It may be refused because an attempt before it has succeeded."""
    server.script = [error(503, 'x')] * before + [error(400, 'x')]
    with pytest.raises(BadRequest) as caught:
        call(client, server)
    assert caught.value.attempts == (before + 1 if before else None)


@pytest.mark.parametrize(
    'name',
    ['b2_get_upload_url', 'b2_start_large_file', 'b2_get_upload_part_url', 'b2_finish_large_file'],
)
def test_calls_around_content_are_tried_as_often_as_content(
    client: Client, server: ScriptedServer, name: str
) -> None:
    server.script = [error(503, 'x')] * (B2Http.TRY_COUNT_DATA - 1)
    assert call(client, server, f'/b2api/v4/{name}') == {}
    assert len(server.seen) == B2Http.TRY_COUNT_DATA


@pytest.mark.parametrize('status', [429, 503])
def test_retry_after_takes_the_place_of_the_pause(
    client: Client, server: ScriptedServer, status: int
) -> None:
    busy = error(status, 'x', Retry_After='7')
    server.script = [error(503, 'x'), error(503, 'x'), busy, error(503, 'x')]
    call(client, server)
    assert client.slept == [1.0, 1.5, 7, 1.0]


def test_a_retry_after_beyond_the_deadline_is_not_waited_for(server: ScriptedServer) -> None:
    client = Client(retry_policy=RetryPolicy(deadline=60))
    server.script = [error(429, 'x', Retry_After='61')]
    with pytest.raises(TooManyRequests) as caught:
        call(client, server)
    assert caught.value.retry_after_seconds == 61
    assert client.slept == []
    client.http.session.close()


@pytest.mark.parametrize(('told', 'pause'), [(None, 600), ('1200', 1200), ('9999', 3600)])
def test_one_refusal_holds_back_all(server: ScriptedServer, told: str | None, pause: float) -> None:
    policy = RetryPolicy(attempts=1, first_delay=600, max_delay=3600)
    client = Client(retry_policy=policy)
    server.script = [error(429, 'x', **({} if told is None else {'Retry_After': told}))]
    with pytest.raises(TooManyRequests):
        call(client, server)
    assert client.slept == []
    assert call(client, server) == {}
    (slept,) = client.slept
    # The machine's clock goes on while the test runs; a random quarter comes on top.
    assert 0.9 * pause * 1.25 < slept <= pause * 1.25
    client.http.session.close()


def test_what_is_no_refusal_holds_back_nobody(server: ScriptedServer) -> None:
    client = Client(retry_policy=RetryPolicy(attempts=1, first_delay=600, max_delay=3600))
    server.script = [error(503, 'x', Retry_After='5')]
    with pytest.raises(ServiceError):
        call(client, server)
    assert call(client, server) == {}
    assert client.slept == []
    client.http.session.close()


def test_the_deadline_ends_attempts(server: ScriptedServer) -> None:
    client = Client(
        retry_policy=RetryPolicy(attempts=100, first_delay=4, factor=1, max_delay=4, deadline=10)
    )
    server.script = [error(503, 'x')] * 9
    with pytest.raises(ServiceError):
        call(client, server)
    assert client.slept == [4, 4]
    client.http.session.close()


def test_a_policy_sets_the_number_of_attempts(server: ScriptedServer) -> None:
    client = Client(retry_policy=RetryPolicy(attempts=7))
    server.script = [error(503, 'x')] * 9
    with pytest.raises(ServiceError):
        call(client, server)
    assert len(server.seen) == 7
    client.http.session.close()


def test_a_number_given_to_the_call_counts_more_than_the_policy(server: ScriptedServer) -> None:
    client = Client(retry_policy=RetryPolicy(attempts=7))
    server.script = [error(503, 'x')] * 9
    with pytest.raises(ServiceError):
        upload(client, server, try_count=1)
    assert len(server.seen) == 1
    client.http.session.close()


@pytest.mark.parametrize(
    ('answer', 'expected'),
    [
        (error(400, 'bad_bucket_id'), BucketIdNotFound),
        (error(401, 'expired_auth_token'), InvalidAuthToken),
        (error(404, 'not_found'), FileNotPresent),
        (Answer(401, b''), Unauthorized),
        (Answer(204, b''), UnknownError),
        (Answer(403, b'<html>'), UnknownError),
        (Answer(200, b'<html>'), InvalidJsonResponse),
        (Answer(200, b''), InvalidJsonResponse),
        (Answer(400, b'[1]'), BadRequest),
    ],
)
def test_what_cannot_succeed_is_not_repeated(
    client: Client, server: ScriptedServer, answer: Answer, expected: type[Exception]
) -> None:
    server.script = [answer]
    with pytest.raises(expected):
        call(client, server)
    assert len(server.seen) == 1


def test_a_proxy_that_answers_in_html_is_asked_again(
    client: Client, server: ScriptedServer
) -> None:
    server.script = [Answer(502, b'<html>Bad gateway</html>')] * 9
    with pytest.raises(ServiceError, match='502 non_json_response <html>Bad gateway'):
        call(client, server)
    assert len(server.seen) == B2Http.TRY_COUNT_OTHER


@pytest.mark.parametrize('status', [200, 400, 403])
def test_an_s3_endpoint_as_realm_is_told(
    client: Client, server: ScriptedServer, status: int
) -> None:
    server.script = [Answer(status, b'<?xml version="1.0"?>')]
    with pytest.raises(PotentialS3EndpointPassedAsRealm, match='xml version'):
        call(client, server, '/http://s3.us-west-000.example.com')


def test_a_redirect_is_not_followed(client: Client, server: ScriptedServer) -> None:
    server.script = [Answer(302, b'', {'Location': server.url + '/elsewhere'})]
    with pytest.raises(UnknownError, match='302 redirect'):
        call(client, server)
    assert [seen.path for seen in server.seen] == ['/b2api/v4/b2_x']


def test_netrc_does_not_replace_the_token(
    client: Client, server: ScriptedServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / 'netrc'
    netrc.write_text('machine 127.0.0.1 login somebody password else\n')
    netrc.chmod(0o600)
    monkeypatch.setenv('NETRC', str(netrc))
    call(client, server)
    assert server.seen[0].headers['Authorization'] == 'T'


# The network


def fail_to_resolve(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Let every look-up of a name end with the code of `socket.gaierror`."""

    def fail(*args: object, **kwargs: object) -> Any:
        raise socket.gaierror(code, 'what the resolver says')

    monkeypatch.setattr(socket, 'getaddrinfo', fail)


def test_an_unknown_host_is_not_asked_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_resolve(monkeypatch, socket.EAI_NONAME)
    with pytest.raises(UnknownHost):
        client.http.post_json_return_json('http://nowhere.invalid/x', {}, {})
    assert client.slept == []


def test_a_silent_name_server_is_asked_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_resolve(monkeypatch, socket.EAI_AGAIN)
    with pytest.raises(B2ConnectionError):
        client.http.post_json_return_json('http://nowhere.invalid/x', {}, {})
    assert len(client.slept) == B2Http.TRY_COUNT_OTHER - 1


def test_a_silent_server_ends_in_a_timeout(server: ScriptedServer) -> None:
    client = Client(timeouts=Timeouts(connect=5, idle=0.05))
    server.script = [STALL] * 9
    with pytest.raises(B2RequestTimeout):
        call(client, server)
    assert len(server.seen) == B2Http.TRY_COUNT_OTHER
    client.http.session.close()


@pytest.mark.parametrize(
    ('path', 'timeouts', 'expected'),
    [
        ('b2_list_buckets', None, (46, 128)),
        ('b2_copy_file', None, (46, 1200)),
        ('b2_copy_part', Timeouts(connect=3, idle=4), (3, 1200)),
        ('b2_copy_part', Timeouts(copies=5), (46, 5)),
        ('b2_finish_large_file', Timeouts(uploads=5), (46, 5)),
        ('b2_list_buckets', Timeouts(calls=5, uploads=6), (46, 5)),
        ('b2_list_buckets', Timeouts(connect=3, idle=4), (3, 4)),
    ],
)
def test_timeouts(
    monkeypatch: pytest.MonkeyPatch, path: str, timeouts: Timeouts | None, expected: object
) -> None:
    client = Client(timeouts=timeouts)
    given: list[object] = []

    def request(*args: object, timeout: object, **kwargs: object) -> Any:
        given.append(timeout)
        raise requests.exceptions.InvalidURL('stop here')

    monkeypatch.setattr(client.http.session, 'request', request)
    with pytest.raises(UnknownError):
        client.http.post_json_return_json(f'http://host/b2api/v4/{path}', {}, {})
    with pytest.raises(UnknownError):
        client.http.request('GET', 'http://host/', {}, _timeout=9)
    assert given == [expected, (expected[0], 9)]  # type: ignore[index]


def test_a_silent_server_during_an_upload(server: ScriptedServer) -> None:
    client = Client(timeouts=Timeouts(connect=5, idle=0.05))
    server.script = [STALL]
    with pytest.raises(B2RequestTimeoutDuringUpload):
        upload(client, server)
    assert len(server.seen) == 1, 'the server may still hold the token'
    client.http.session.close()


def test_a_reset_upload_needs_a_fresh_url(client: Client, server: ScriptedServer) -> None:
    server.script = [RESET]
    with pytest.raises(ConnectionReset) as caught:
        upload(client, server)
    assert caught.value.should_retry_upload()
    assert len(server.seen) == 1


def test_nonsense_for_a_url(client: Client) -> None:
    with pytest.raises(UnknownError, match='nonsense'):
        client.http.post_json_return_json('nonsense', {}, {})
    assert client.slept == []


# Secrets


def test_no_token_in_errors_and_logs(
    client: Client, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger='b2fast')
    server.script = [CLOSE, error(401, 'unauthorized')]
    url = server.url + '/file/bucket/name?Authorization=3_secret'
    with pytest.raises(Unauthorized) as caught:
        client.http.head_content(url, {'Authorization': '4_secret'})
    with pytest.raises(B2ConnectionError) as refused:
        client.http.head_content('http://127.0.0.1:1/f?Authorization=3_secret', {}, try_count=1)
    with pytest.raises(UnknownError) as invalid:
        client.http.head_content(server.url, {'Authorization': '4_secret\n'})
    assert caplog.text
    said = [caplog.text, *map(repr, (caught.value, refused.value, invalid.value))]
    said += [repr(vars(e.value)) for e in (caught, refused, invalid)]
    assert 'secret' not in ''.join(said)


def test_the_package_is_silent_by_default() -> None:
    assert any(isinstance(h, logging.NullHandler) for h in logging.getLogger('b2fast').handlers)


# Uploads


def test_an_upload_of_bytes(client: Client, server: ScriptedServer) -> None:
    assert upload(client, server) == {}
    assert server.seen[0].body == b'data'
    assert server.seen[0].headers['Content-Length'] == '4'
    assert 'Transfer-Encoding' not in server.seen[0].headers


@pytest.mark.parametrize('content', [b'data', b''])
def test_an_upload_of_a_stream_has_a_length(
    client: Client, server: ScriptedServer, content: bytes
) -> None:
    client.http.post_content_return_json(
        server.url, {'Content-Length': str(len(content))}, io.BytesIO(content)
    )
    assert server.seen[0].body == content
    assert server.seen[0].headers['Content-Length'] == str(len(content))
    assert 'Transfer-Encoding' not in server.seen[0].headers


def test_the_length_of_a_stream_is_found(client: Client, server: ScriptedServer) -> None:
    stream = io.BytesIO(b'skip' + b'data')
    stream.seek(4)
    client.http.post_content_return_json(server.url, {}, stream)
    assert server.seen[0].body == b'data'


def test_a_stream_is_rewound_to_where_it_was(client: Client, server: ScriptedServer) -> None:
    stream = io.BytesIO(b'skip' + b'data')
    stream.seek(4)
    server.script = [error(503, 'x')] * 2
    upload(client, server, stream)
    assert [seen.body for seen in server.seen] == [b'data'] * 3


class Pipe:
    """A stream that can be read once."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self.read = read


def test_a_stream_that_cannot_be_rewound_is_sent_once(
    client: Client, server: ScriptedServer
) -> None:
    server.script = [error(503, 'x')] * 2
    with pytest.raises(ServiceError):
        upload(client, server, Pipe(io.BytesIO(b'data').read))
    assert len(server.seen) == 1


def test_an_error_of_the_stream_is_no_error_of_the_network(
    client: Client, server: ScriptedServer
) -> None:
    def fail(size: int) -> bytes:
        raise OSError(5, 'Input/output error')

    with pytest.raises(OSError, match='Input/output error') as caught:
        upload(client, server, Pipe(fail))
    assert type(caught.value) is OSError
    assert client.slept == []


# Downloads


def test_a_download_is_read_in_the_block(client: Client, server: ScriptedServer) -> None:
    server.script = [error(503, 'x'), Answer(206, b'content')]
    with client.http.get_content(server.url + '/f', {'Range': 'bytes=0-6'}) as response:
        assert response.status_code == 206
        assert response.raw.read(3) == b'con'
        assert b''.join(response.iter_content(2)) == b'tent'
    assert client.slept == [1.0]


@pytest.mark.parametrize('decode', [False, True])
def test_content_encoding(server: ScriptedServer, decode: bool) -> None:
    client = Client(decode_content=decode)
    packed = gzip.compress(b'content')
    server.script = [Answer(200, packed, {'Content-Encoding': 'gzip'})]
    with client.http.get_content(server.url, {}) as response:
        assert response.content == (b'content' if decode else packed)
    client.http.session.close()


def test_head(client: Client, server: ScriptedServer) -> None:
    server.script = [Answer(200, b'12345', {'X-Bz-File-Id': '4_z'})]
    response = client.http.head_content(server.url, {})
    assert response.headers['x-bz-file-id'] == '4_z'
    assert server.seen[0].method == 'HEAD'


def test_request_with_a_query(client: Client, server: ScriptedServer) -> None:
    server.script = [Answer(body=b'{"a": 1}')]
    answer = client.http.request_content_return_json(
        'GET', server.url + '/x', {}, params={'bucketId': 'b c'}
    )
    assert answer == {'a': 1}
    assert server.seen[0].path == '/x?bucketId=b+c'


# Callbacks


class Recorder(HttpCallback):
    def __init__(self) -> None:
        self.calls: list[object] = []

    def pre_request(self, method: str, url: str, headers: Any) -> None:
        self.calls.append(method)

    def post_request(self, method: str, url: str, headers: Any, response: Any) -> None:
        self.calls.append(response.status_code)


def test_callbacks_see_every_attempt(client: Client, server: ScriptedServer) -> None:
    recorder = Recorder()
    client.http.add_callback(recorder)
    server.script = [error(503, 'x'), CLOSE]
    call(client, server)
    assert recorder.calls == ['POST', 503, 'POST', 'POST', 200]


def test_an_exception_of_a_callback_ends_the_request(
    client: Client, server: ScriptedServer
) -> None:
    class Refusing(HttpCallback):
        def pre_request(self, method: str, url: str, headers: Any) -> None:
            raise LookupError('not this one')

    client.http.add_callback(Refusing())
    with pytest.raises(LookupError):
        call(client, server)
    assert server.seen == []


@pytest.mark.parametrize(
    ('offset', 'says'), [(-700, 'ahead of server'), (700, 'behind server'), (500, None)]
)
def test_clock_skew(client: Client, server: ScriptedServer, offset: int, says: str | None) -> None:
    date = email.utils.formatdate(time.time() + offset, usegmt=True)
    server.script = [Answer(headers={'Date': date})]
    if says is None:
        call(client, server)
        return
    with pytest.raises(ClockSkew, match=says) as caught:
        call(client, server)
    assert 650 < abs(caught.value.clock_skew_seconds) < 750


@pytest.mark.parametrize('date', ['junk', 'Mon, 23 Nov 2026 14:34:11 +0100', 'x GMT'])
def test_an_unreadable_date(client: Client, server: ScriptedServer, date: str) -> None:
    server.script = [Answer(headers={'Date': date})]
    with pytest.raises(BadDateFormat, match='Date from server'):
        call(client, server)


def test_the_clock_hook_can_be_left_out(server: ScriptedServer) -> None:
    client = Client(install_clock_skew_hook=False)
    server.script = [Answer(headers={'Date': 'junk'})]
    assert call(client, server) == {}
    client.http.session.close()


# Sessions and the engine


def test_an_adapter_of_the_caller_stays(server: ScriptedServer) -> None:
    class Counting(requests.adapters.HTTPAdapter):
        count = 0

        def send(self, *args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return super().send(*args, **kwargs)

    adapter = Counting()

    def factory() -> requests.Session:
        session = requests.Session()
        session.mount('http://', adapter)
        return session

    client = Client(http_session_factory=factory)
    call(client, server)
    assert adapter.count == 1
    assert client.http.transfer_engine(10) is None
    client.http.session.close()


def test_a_child_process_has_its_own_session(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    parents = client.http.session
    assert client.http.session is parents
    monkeypatch.setattr(os, 'getpid', lambda: -1)
    childs = client.http.session
    assert childs is not parents
    assert client.http.session is childs
    parents.close()


def test_an_engine_that_is_wide_enough_is_kept(client: Client) -> None:
    narrow = client.http.transfer_engine(10)
    assert client.http.transfer_engine(3) is narrow
    wide = client.http.transfer_engine(20)
    assert wide is not narrow
    assert client.http.transfer_engine(10) is wide


def test_a_child_process_has_its_own_engine(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    parents = client.http.transfer_engine(10)
    assert parents is not None
    assert client.http.transfer_engine(10) is parents
    monkeypatch.setattr(os, 'getpid', lambda: -1)
    childs = client.http.transfer_engine(10)
    assert childs is not None
    assert childs is not parents
    assert client.http.transfer_engine(10) is childs


class PatientHttp(B2Http):
    TIMEOUT = 7
    TIMEOUT_FOR_UPLOAD = 9
    CONNECTION_TIMEOUT = 3
    TRY_COUNT_DATA = 11
    TRY_COUNT_DOWNLOAD = 12


@pytest.mark.parametrize(
    ('timeouts', 'expected'),
    [
        (None, (3, 7, 9)),
        (Timeouts(connect=1, idle=2), (1, 2, 2)),
        (Timeouts(connect=1, idle=2, uploads=3, downloads=4), (1, 4, 3)),
    ],
)
def test_the_engine_waits_as_long(
    monkeypatch: pytest.MonkeyPatch, timeouts: Timeouts | None, expected: tuple[float, ...]
) -> None:
    made: list[dict[str, Any]] = []
    monkeypatch.setattr('b2fast._core.transfer.Engine', lambda **given: made.append(given))
    PatientHttp(B2HttpApiConfig(timeouts=timeouts)).transfer_engine(1)
    (given,) = made
    names = ('connect_timeout', 'idle_timeout', 'upload_idle_timeout')
    assert tuple(given[name] for name in names) == expected


def test_a_class_with_other_numbers_of_attempts_sets_those_of_transfers() -> None:
    policies = PatientHttp().retry_policies
    assert (policies.uploads.attempts, policies.downloads.attempts) == (11, 12)
    chosen = RetryPolicies(uploads=RetryPolicy(attempts=1))
    assert PatientHttp(B2HttpApiConfig(retry_policy=chosen)).retry_policies == chosen
