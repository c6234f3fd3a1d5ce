"""A target of event notifications on loopback, which checks what it gets."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECRET = 'a1B2c3D4' * 4
_SIGNATURE = 'X-Bz-Event-Notification-Signature'


@dataclass
class Receiver:
    """Takes events and answers 200, or the next of `answers`."""

    url: str = ''
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    forged: list[bytes] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    open: threading.Event = field(default_factory=threading.Event)

    @property
    def batches(self) -> list[list[dict[str, Any]]]:
        return [json.loads(body)['events'] for body in self.bodies]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.batches for event in batch]

    @property
    def seen(self) -> list[tuple[str, str | None]]:
        """Type and name of each event."""
        return [(event['eventType'], event['objectName']) for event in self.events]

    def rule(self, *event_types: str, **fields: Any) -> Any:
        """A rule that leads here."""
        target = {'targetType': 'webhook', 'url': self.url, 'hmacSha256SigningSecret': SECRET}
        return {
            'name': fields.pop('name', 'the-rule'),
            'eventTypes': list(event_types),
            'isEnabled': True,
            'objectNamePrefix': '',
            'targetConfiguration': target | fields.pop('target', {}),
            **fields,
        }


@contextmanager
def receiver(tls: bool = False) -> Iterator[Receiver]:
    """Listens until the end of the context; clearing `open` holds the answers back.

    :param tls: listens to HTTPS, with a certificate that nobody else has signed.
    """
    target = Receiver()
    target.open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers['Content-Length']))
            digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            if self.headers[_SIGNATURE] != f'v1={digest}':
                target.forged.append(body)
            target.bodies.append(body)
            target.headers.append(dict(self.headers.items()))
            target.reached.set()
            target.open.wait(60)
            self.send_response(target.answers.pop(0) if target.answers else 200)
            # Not to be followed: the place it names would note the visit.
            self.send_header('Location', target.url + '/elsewhere')
            self.send_header('Content-Length', '0')
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        target.url = f'http://127.0.0.1:{server.server_port}/hook'
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(Path(__file__).with_name('self_signed.pem'))
            server.socket = context.wrap_socket(server.socket, server_side=True)
            target.url = target.url.replace('http:', 'https:')
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield target
        finally:
            target.open.set()
            server.shutdown()
            thread.join()
