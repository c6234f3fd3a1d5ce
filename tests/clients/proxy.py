"""An HTTP proxy that leads to the simulator, whichever host a client asks for.

So a program gets there that knows no other address than B2's own. It has to use the proxy of its
environment and to accept the certificate.
"""

from __future__ import annotations

import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

CERTIFICATE = Path(__file__).parents[1] / 'integration' / 'self_signed.pem'
_CHUNK = 65_536


@contextmanager
def proxy_to(url: str) -> Iterator[str]:
    """Listen until the end of the context.

    :param url: of the simulator
    :return: the URL of the proxy
    """
    address = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = b''
            while b'\r\n\r\n' not in head:
                received = self.request.recv(_CHUNK)
                if not received:
                    return
                head += received
            if not head.startswith(b'CONNECT '):
                _relay(self.request, head)
                return
            self.request.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
            with context.wrap_socket(self.request, server_side=True) as client:
                _relay(client, b'')

    def _relay(client: socket.socket, head: bytes) -> None:
        with socket.create_connection((address.hostname, address.port)) as server:
            server.sendall(head)
            other = {client: server, server: client}
            while True:
                decrypted = isinstance(client, ssl.SSLSocket) and client.pending()
                ready = [client] if decrypted else select.select(list(other), [], [])[0]
                for source in ready:
                    received = source.recv(_CHUNK)
                    if not received:
                        return
                    other[source].sendall(received)

    with socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f'http://127.0.0.1:{proxy.server_address[1]}'
        finally:
            proxy.shutdown()
            thread.join()
