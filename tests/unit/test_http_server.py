"""The HTTP server of the simulator, driven from Python through http.client."""

from __future__ import annotations

import errno
import gc
import hashlib
import http.client
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, strategies as st

from b2fast._core.server import (
    BodyFaults,
    Content,
    ContentStore,
    HttpServer,
    Request,
    Response,
)

Handler = Callable[[Request], Response]


@contextmanager
def serving(handler: Handler, **options: Any) -> Iterator[HttpServer]:
    server = HttpServer(handler, **options)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def connected(server: HttpServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        yield connection
    finally:
        connection.close()


def ask(
    server: HttpServer,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    with connected(server) as connection:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, names, answer.read()


def ok(_: Request) -> Response:
    return Response(200)


class Shelf:
    """Keeps uploads by the last segment of their path, hands them out below /file/."""

    def __init__(self) -> None:
        self.contents: dict[str, Content] = {}
        self.trailing: list[str | None] = []
        self.faults: BodyFaults | None = None

    def __call__(self, request: Request) -> Response:
        name = request.path.rsplit('/', 1)[-1]
        if request.content is not None:
            self.contents[name] = request.content
            self.trailing.append(request.trailing_sha1)
            return Response(200, body=request.content.sha1().encode())
        return Response(200, [('X-Name', name)], self.contents[name], faults=self.faults)


class TestContent:
    @given(st.binary(), st.integers(0, 30), st.integers(0, 30))
    def test_is_its_bytes(self, data: bytes, start: int, end: int) -> None:
        content = Content(data)
        assert len(content) == len(data)
        assert content.read() == data
        assert content.read(start) == data[start:]
        assert content.read(start, end) == data[start:end]
        assert content.sha1() == hashlib.sha1(data).hexdigest()
        assert content.slice(start, end).read() == data[start:end]

    @given(st.lists(st.binary()))
    def test_concat_joins(self, pieces: list[bytes]) -> None:
        joined = b''.join(pieces)
        content = Content.concat([Content(piece) for piece in pieces])
        assert content.read() == joined
        assert content.sha1() == hashlib.sha1(joined).hexdigest()

    @pytest.mark.parametrize('data', [b'abc', bytearray(b'abc'), memoryview(b'xabc')[1:]])
    def test_takes_any_buffer(self, data: bytes | bytearray | memoryview) -> None:
        assert Content(data).read() == b'abc'
        assert Content().read() == b''

    def test_takes_nothing_else(self) -> None:
        with pytest.raises(TypeError):
            Content('abc')  # type: ignore[arg-type]

    def test_copies_what_may_change(self) -> None:
        data = bytearray(b'abc')
        content = Content(data)
        data[0] = 0
        assert content.read() == b'abc'


class TestRequest:
    def test_has_everything_as_sent(self) -> None:
        seen: list[Request] = []

        def handler(request: Request) -> Response:
            seen.append(request)
            return Response(200)

        with serving(handler) as server:
            headers = {'X-Thing': 'ä', 'Authorization': 'token'}
            ask(server, 'POST', '/a%2Fb/c%20d?e=%20&f', b'{"g": 1}', headers)
        (request,) = seen
        assert request.method == 'POST'
        assert request.path == '/a%2Fb/c%20d'
        assert request.query == 'e=%20&f'
        assert request.headers['x-thing'] == 'ä'
        assert request.headers['content-length'] == '8'
        assert request.body == b'{"g": 1}'
        assert request.content is None
        assert request.trailing_sha1 is None
        assert repr(request) == '<Request POST /a%2Fb/c%20d>'

    def test_joins_repeated_headers(self) -> None:
        def handler(request: Request) -> Response:
            return Response(200, body=request.headers['x-a'].encode())

        with serving(handler) as server, connected(server) as connection:
            connection.putrequest('GET', '/')
            connection.putheader('X-A', 'one')
            connection.putheader('x-a', 'two')
            connection.endheaders()
            assert connection.getresponse().read() == b'one, two'


class TestInTheProcess:
    def test_a_request_is_what_it_was_made_of(self) -> None:
        content = Content(b'data')
        request = Request('POST', '/a', 'b=c', {'d': 'e'}, b'', content, 'f' * 40)
        assert (request.method, request.path, request.query) == ('POST', '/a', 'b=c')
        assert request.headers == {'d': 'e'}
        assert request.body == b''
        assert request.content is content
        assert request.trailing_sha1 == 'f' * 40
        assert request.age == 0

    def test_a_request_has_no_content_unless_it_is_given(self) -> None:
        request = Request('GET', '/', '', {}, b'body')
        assert (request.body, request.content, request.trailing_sha1) == (b'body', None, None)

    def test_a_response_can_be_read(self) -> None:
        response = Response(206, [('X-Tea', 'ä'), ('X-Tea', 'b')], Content(b'short'))
        assert response.status == 206
        assert response.headers == [('x-tea', 'ä'), ('x-tea', 'b')]
        assert response.body.read() == b'short'


class TestResponse:
    def test_sends_status_headers_and_body(self) -> None:
        def handler(_: Request) -> Response:
            return Response(418, [('X-Tea', 'ä'), ('X-Tea', 'b')], bytearray(b'short'))

        with serving(handler) as server, connected(server) as connection:
            connection.request('GET', '/')
            answer = connection.getresponse()
            assert answer.status == 418
            tea = answer.headers.get_all('X-Tea') or []
            assert [value.encode('latin-1').decode() for value in tea] == ['ä', 'b']
            assert answer.headers['Content-Length'] == '5'
            assert answer.read() == b'short'

    def test_to_head_has_no_body(self) -> None:
        with serving(lambda _: Response(200, body=b'abc')) as server:
            status, headers, body = ask(server, 'HEAD', '/')
            assert (status, headers['content-length'], body) == (200, '3', b'')

    def test_keeps_the_connection_unless_told_otherwise(self) -> None:
        def handler(request: Request) -> Response:
            return Response(200, close=request.path == '/close')

        with serving(handler) as server, connected(server) as connection:
            sockets = []
            for path in ['/', '/', '/close']:
                connection.request('GET', path)
                sockets.append(connection.sock)
                connection.getresponse().read()
            assert sockets[0] is sockets[1] is sockets[2]
            assert connection.sock is None

    @pytest.mark.parametrize(
        ('status', 'headers'),
        [(99, []), (600, []), (200, [('a b', 'c')]), (200, [('a', 'secret\r\nb: c')])],
    )
    def test_that_is_no_http_is_refused(self, status: int, headers: list[tuple[str, str]]) -> None:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            Response(status, headers)
        assert 'secret' not in str(caught.value)

    def test_repr_has_no_secret(self) -> None:
        response = Response(200, [('Authorization', 'secret')], b'secret')
        assert repr(response) == '<Response 200 of 6 bytes>'


@pytest.mark.parametrize('on_disk', [False, True])
class TestContentOverHttp:
    @pytest.fixture
    def options(self, on_disk: bool, tmp_path: Path) -> dict[str, Any]:
        return {'store': ContentStore(tmp_path / 'data')} if on_disk else {}

    @pytest.mark.parametrize('size', [0, 1, 10_000_000])
    def test_round_trip(self, options: dict[str, Any], size: int) -> None:
        data = os.urandom(size)
        with serving(Shelf(), **options) as server:
            _, _, sha1 = ask(server, 'POST', '/b2api/v4/b2_upload_file/x/name', data)
            assert sha1.decode() == hashlib.sha1(data).hexdigest()
            assert ask(server, 'GET', '/file/name')[2] == data

    def test_digest_at_the_end(self, options: dict[str, Any]) -> None:
        shelf = Shelf()
        data = os.urandom(300_000)
        digits = hashlib.sha1(data).hexdigest()
        with serving(shelf, **options) as server:
            headers = {'X-Bz-Content-Sha1': 'hex_digits_at_end'}
            body = data + digits.encode()
            ask(server, 'POST', '/b2api/v4/b2_upload_part/name', body, headers)
            ask(server, 'POST', '/b2api/v4/b2_upload_part/other', data)
        assert shelf.contents['name'].read() == data
        assert shelf.contents['other'].read() == data
        assert shelf.trailing == [digits, None]

    def test_parts_make_a_file(self, options: dict[str, Any]) -> None:
        shelf = Shelf()
        parts = [os.urandom(size) for size in (1_500_000, 7, 900_000)]
        with serving(shelf, **options) as server:
            for number, part in enumerate(parts):
                ask(server, 'POST', f'/b2api/v4/b2_upload_part/{number}', part)
            whole = Content.concat([shelf.contents.pop(str(number)) for number in range(3)])
            shelf.contents['range'] = whole.slice(1_499_990, 1_500_020)
            assert whole.sha1() == hashlib.sha1(b''.join(parts)).hexdigest()
            assert ask(server, 'GET', '/file/range')[2] == b''.join(parts)[1_499_990:1_500_020]

    def test_faults_on_the_way_out(self, options: dict[str, Any]) -> None:
        shelf = Shelf()
        data = os.urandom(2_000_000)
        with serving(shelf, **options) as server:
            ask(server, 'POST', '/b2_upload_file/name', data)
            shelf.faults = BodyFaults(cut_after=1_234_567)
            with pytest.raises(http.client.IncompleteRead) as cut:
                ask(server, 'GET', '/file/name')
            assert cut.value.partial == data[:1_234_567]
            shelf.faults = BodyFaults(cut_after=0)
            with pytest.raises(http.client.RemoteDisconnected):
                ask(server, 'GET', '/file/name')
            shelf.faults = BodyFaults(flip_at=1_234_567)
            flipped = bytearray(data)
            flipped[1_234_567] ^= 0xFF
            assert ask(server, 'GET', '/file/name')[2] == flipped
            shelf.faults = None
            assert ask(server, 'GET', '/file/name')[2] == data

    def test_what_does_not_arrive_is_dropped(self, options: dict[str, Any]) -> None:
        shelf = Shelf()
        with (
            serving(shelf, **options) as server,
            socket.create_connection((server.host, server.port), timeout=30) as client,
        ):
            head = b'POST /b2_upload_file/name HTTP/1.1\r\nContent-Length: 100\r\n\r\n'
            client.sendall(head + bytes(99))
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b''
        assert shelf.contents == {}


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob('*') if path.is_file()]


class TestContentStore:
    def test_is_private_and_empties_itself(self, tmp_path: Path) -> None:
        directory = tmp_path / 'not' / 'there'
        shelf = Shelf()
        with serving(shelf, store=ContentStore(directory)) as server:
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
            ask(server, 'POST', '/b2_upload_file/one', b'one')
            ask(server, 'POST', '/b2_upload_file/two', b'two')
            assert len(files_below(directory)) == 2
        # Content outlives its server.
        part = shelf.contents['one'].slice(1, 3)
        shelf.contents.clear()
        assert len(files_below(directory)) == 1
        assert part.read() == b'ne'
        del part
        assert files_below(directory) == []

    def test_what_is_kept_is_found_by_the_next_store(self, tmp_path: Path) -> None:
        shelf = Shelf()
        with serving(shelf, store=ContentStore(tmp_path)) as server:
            for name in ('one', 'two', 'three'):
                ask(server, 'POST', f'/b2_upload_part/{name}', name.encode())
        both = Content.concat([shelf.contents['one'], shelf.contents['two']]).slice(1, 5)
        both.keep()
        recorded = both.stored()
        assert [(offset, length) for _, offset, length in recorded] == [(1, 2), (0, 2)]
        # Kept twice, released once.
        shelf.contents['three'].keep()
        shelf.contents['three'].keep()
        shelf.contents['three'].release()
        del both
        shelf.contents.clear()

        store = ContentStore(tmp_path)
        both = store.open(recorded)
        assert both.read() == b'netw'
        assert both.sha1() == hashlib.sha1(b'netw').hexdigest()
        assert store.open(recorded, 40 * '1').sha1() == 40 * '1'
        assert len(files_below(tmp_path)) == 3
        assert store.sweep() == 1
        for _ in range(2):
            both.release()
        assert len(files_below(tmp_path)) == 2
        del both
        assert files_below(tmp_path) == []

    def test_refuses_what_no_store_made(self, tmp_path: Path) -> None:
        store = ContentStore(tmp_path)
        for name in ('/etc/passwd', '../../etc/passwd', 'name'):
            with pytest.raises(OSError, match='is no name of a content file'):
                store.open([(name, 0, 1)])
        with pytest.raises(FileNotFoundError, match='00000000'):
            store.open([('0123456789abcdef-00000000', 0, 1)])
        with pytest.raises(OverflowError):
            store.open([('0123456789abcdef-00000000', -1, 1)])
        with pytest.raises(ValueError, match='SHA-1'):
            store.open([], 'abc')
        with pytest.raises(ValueError, match='in memory'):
            Content(b'abc').stored()
        assert Content().stored() == []
        assert store.open([]).read() == b''

    def test_a_directory_that_cannot_be_made_is_an_os_error(self, tmp_path: Path) -> None:
        file = tmp_path / 'file'
        file.touch()
        with pytest.raises(NotADirectoryError):
            ContentStore(str(file / 'below'))

    def test_a_lost_file_is_an_os_error(self, tmp_path: Path) -> None:
        shelf = Shelf()
        with serving(shelf, store=ContentStore(tmp_path)) as server:
            ask(server, 'POST', '/b2_upload_file/name', b'abc')
            for file in files_below(tmp_path):
                file.unlink()
            with pytest.raises(FileNotFoundError):
                shelf.contents['name'].read()


class TestLimits:
    def test_large_body(self) -> None:
        with serving(ok, max_body=1000) as server:
            assert ask(server, 'POST', '/', bytes(1000))[0] == 200
            status, _, body = ask(server, 'POST', '/', bytes(1_000_000))
            assert (status, body[:14]) == (413, b'{"status":413,')

    def test_large_head(self) -> None:
        with serving(ok) as server:
            assert ask(server, 'GET', '/', headers={'X-Large': 'a' * 70_000})[0] == 431

    def test_chunked_upload(self) -> None:
        with serving(Shelf()) as server:
            url = f'http://{server.host}:{server.port}/b2_upload_file/name'
            answer = requests.post(url, data=iter([b'abc', b'def']), timeout=30)
            assert answer.status_code == 400
            assert answer.json()['code'] == 'bad_request'


class TestHandlerErrors:
    @pytest.fixture
    def reported(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        reports: list[Any] = []
        monkeypatch.setattr(sys, 'unraisablehook', reports.append)
        return reports

    def test_exception_is_answered_and_reported(self, reported: list[Any]) -> None:
        def handler(_: Request) -> Response:
            raise LookupError('no "such" thing')

        with serving(handler) as server:
            url = f'http://{server.host}:{server.port}/'
            answer = requests.get(url, timeout=30)
            assert answer.status_code == 500
            assert answer.json() == {
                'status': 500,
                'code': 'internal_error',
                'message': 'LookupError: no "such" thing',
            }
        (report,) = reported
        assert report.exc_type is LookupError
        assert report.exc_traceback.tb_frame.f_code is handler.__code__
        assert report.object is handler

    def test_what_is_no_response_is_an_error(self, reported: list[Any]) -> None:
        with serving(lambda _: b'text') as server:  # type: ignore[arg-type, return-value]
            assert ask(server, 'GET', '/')[0] == 500
        assert [report.exc_type for report in reported] == [TypeError]


class TestLife:
    def test_says_where_it_listens(self) -> None:
        with serving(ok) as server:
            assert server.host == '127.0.0.1'
            assert server.port > 0
            assert repr(server) == f'<HttpServer on 127.0.0.1:{server.port}>'

    def test_port_in_use_is_an_os_error(self) -> None:
        with serving(ok) as server, pytest.raises(OSError, match='cannot listen') as caught:
            HttpServer(ok, port=server.port)
        assert caught.value.errno is not None

    def test_stop_frees_the_port_and_may_be_repeated(self) -> None:
        server = HttpServer(ok)
        server.stop()
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            ask(server, 'GET', '/')
        with serving(ok, port=server.port) as again:
            assert ask(again, 'GET', '/')[0] == 200

    def test_serves_while_a_handler_waits(self) -> None:
        arrived = threading.Semaphore(0)
        go_on = threading.Event()

        def handler(request: Request) -> Response:
            if request.path == '/wait':
                arrived.release()
                go_on.wait(30)
            return Response(200)

        with serving(handler) as server:
            waiting = [
                threading.Thread(target=ask, args=(server, 'GET', '/wait')) for _ in range(4)
            ]
            for thread in waiting:
                thread.start()
            for _ in waiting:
                assert arrived.acquire(timeout=30)
            assert ask(server, 'GET', '/')[0] == 200
            go_on.set()
            for thread in waiting:
                thread.join(30)

    def test_stops_from_its_handler(self) -> None:
        server: HttpServer

        def handler(_: Request) -> Response:
            server.stop()
            return Response(200)

        server = HttpServer(handler)
        # The answer may or may not make it.
        with suppress(ConnectionError, http.client.HTTPException):
            ask(server, 'GET', '/')
        # The port closes behind the handler's back; a server that keeps it runs into the timeout.
        result = 0
        while result != errno.ECONNREFUSED:
            with socket.socket() as client:
                result = client.connect_ex((server.host, server.port))

    def test_is_collected_with_the_cycle_it_is_in(self) -> None:
        class Simulator:
            def __init__(self) -> None:
                self.server = HttpServer(self.handle)

            def handle(self, _: Request) -> Response:
                return Response(200)

        address = (lambda server: (server.host, server.port))(Simulator().server)
        gc.collect()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=30)

    def test_start_and_stop_many(self) -> None:
        def counts() -> tuple[int, int]:
            return len(os.listdir('/proc/self/task')), len(os.listdir('/proc/self/fd'))

        with serving(ok) as server:
            ask(server, 'GET', '/')
        threads, descriptors = counts()
        for _ in range(50):
            with serving(ok) as server:
                assert ask(server, 'GET', '/')[0] == 200
        after = counts()
        assert after[0] < threads + 50
        assert after[1] < descriptors + 50

    @pytest.mark.parametrize('end', ['pass', 'del server', 'server.stop()', 'os._exit(0)'])
    def test_does_not_keep_the_interpreter(self, end: str) -> None:
        program = (
            'import os, threading, urllib.request\n'
            'from b2fast._core.server import HttpServer, Response\n'
            'server = HttpServer(lambda request: Response(200))\n'
            'url = f"http://{server.host}:{server.port}/"\n'
            'def load():\n'
            '    try:\n'
            '        while True: urllib.request.urlopen(url).read()\n'
            '    except OSError: pass\n'
            'threading.Thread(target=load, daemon=True).start()\n'
            'urllib.request.urlopen(url).read()\n'
            f'{end}\n'
        )
        done = subprocess.run(
            [sys.executable, '-c', program], capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, b'')

    @pytest.mark.filterwarnings('ignore:.*use of fork:DeprecationWarning')
    def test_forked_child_leaves_the_server_alone(self) -> None:
        with serving(ok) as server:
            child = os.fork()
            if child == 0:
                server.stop()
                os._exit(17)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 17
            assert ask(server, 'GET', '/')[0] == 200
