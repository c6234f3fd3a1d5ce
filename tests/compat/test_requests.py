"""What is around requests: content that is not decoded, and the locale."""

from __future__ import annotations

import gzip
import http.server
import locale
import threading
from collections.abc import Iterator
from random import random
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from b2sdk._internal import b2http as theirs

from b2fast import b2http as ours

PACKED = gzip.compress(b'content' * 1000)
MODULES = pytest.mark.parametrize('module', [ours, theirs], ids=['b2fast', 'b2sdk'])


class Packed(http.server.BaseHTTPRequestHandler):
    """Answers with content that says of itself that it is packed."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header('Content-Encoding', unquote(self.path).strip('/'))
        self.send_header('Content-Length', str(len(PACKED)))
        self.end_headers()
        self.wfile.write(PACKED)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope='module')
def url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Packed)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}/'
    server.shutdown()
    server.server_close()
    thread.join()


@MODULES
@pytest.mark.parametrize('encoding', ['gzip', 'deflate', 'gzip, gzip', 'br', 'of-my-own'])
def test_content_is_left_as_it_is(url: str, module: Any, encoding: str) -> None:
    with requests.Session() as session:
        session.mount('http://', module.NotDecompressingHTTPAdapter())
        for stream in (False, True):
            with session.get(url + encoding, stream=stream) as response:
                assert type(response).__name__ == 'NotDecompressingResponse'
                assert isinstance(response, requests.Response)
                assert response.ok
                assert response.headers['Content-Encoding'] == encoding
                assert response.url == url + encoding.replace(' ', '%20')
                assert b''.join(response.iter_content(100)) == PACKED
        with session.get(url + encoding, stream=True) as response:
            assert response.raw.read(5) == PACKED[:5]
            assert response.content == PACKED[5:]


@MODULES
def test_locale(module: Any) -> None:
    before = locale.setlocale(locale.LC_ALL)
    with module.setlocale('C') as name:
        assert name == locale.setlocale(locale.LC_ALL) == 'C'
        locale.setlocale(locale.LC_ALL, 'POSIX')
    assert locale.setlocale(locale.LC_ALL) == before
    with pytest.raises(locale.Error), module.setlocale('no-such-locale'):
        pytest.fail('there is such a locale')
    assert locale.setlocale(locale.LC_ALL) == before


@MODULES
def test_random(module: Any) -> None:
    assert module.random is random
