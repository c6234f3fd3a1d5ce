"""Delivers events by HTTP, in a thread of its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from threading import Condition, Thread
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from b2fast.retry import Attempts, RetryPolicy
from b2fast.version import VERSION

from .notifications import Event, Rule, batch_size, is_loopback, is_reachable

if TYPE_CHECKING:
    from .bucket import Bucket

#: How often and with which pauses the simulator tries; that of B2 is not published.
WEBHOOK_RETRIES = RetryPolicy(attempts=5, first_delay=0.5, factor=2.0, max_delay=8.0)

# Seconds to connect, and without a byte of the answer.
_TIMEOUT = 10.0
# Seconds that an event waits for others, if they may be sent together.
_GATHERING = 0.1
_MOST_WAITING = 10_000
_KEPT_DELIVERIES = 10_000


@dataclass(frozen=True)
class Delivery:
    """An attempt to deliver events, or that none was made.

    :param bucket_name: where it happened.
    :param rule_name: the rule that the events met.
    :param url: where they go.
    :param attempt: counts from 1; 0 if nothing was sent.
    :param events: as they are sent.
    :param status: HTTP status of the answer, if there was one.
    :param error: why the events were not delivered; None if they were.
    """

    bucket_name: str
    rule_name: str
    url: str
    attempt: int
    events: tuple[Event, ...]
    status: int | None
    error: str | None


class _Mailbox:
    """The events that wait for the delivery to one rule."""

    def __init__(self, bucket: Bucket, rule: Rule, due: float, retries: RetryPolicy) -> None:
        self.bucket = bucket
        self.rule = rule
        self.due = due
        self.waiting: deque[Event] = deque()
        # What was sent in vain: it is sent again as it was.
        self.batch: tuple[Event, ...] = ()
        self.attempts = Attempts(retries)

    def take(self) -> tuple[Event, ...]:
        if not self.batch:
            count = min(batch_size(self.rule), len(self.waiting))
            self.batch = tuple(self.waiting.popleft() for _ in range(count))
        return self.batch

    def delivery(
        self, attempt: int, events: Iterable[Event], status: int | None, error: str | None
    ) -> Delivery:
        url = self.rule['targetConfiguration']['url']
        return Delivery(
            self.bucket.bucket_name,
            self.rule['name'],
            url,
            attempt,
            tuple(events),
            status,
            error,
        )


class Webhooks:
    """Sends events to the targets of their rules, one request at a time.

    Events of a rule keep their order. Each is tried again until the target answers 2xx or the
    policy allows no further attempt; then the rule is suspended.

    :param retries: how often and with which pauses it is tried.
    :param hosts: hosts beside the loopback ones that events are sent to.
    :param suspend: suspends a rule of a bucket for a reason. It is called without a lock.
    """

    def __init__(
        self,
        retries: RetryPolicy,
        hosts: Collection[str],
        suspend: Callable[[Bucket, Rule, str], None],
    ) -> None:
        self._retries = retries
        self._hosts = hosts
        self._suspend = suspend
        self._changed = Condition()
        self._thread: Thread | None = None
        self._stopped = False
        self._socket: socket.socket | None = None
        # By the rule object: one that is replaced gets the events of its time.
        self._mailboxes: dict[int, _Mailbox] = {}
        self._waiting = 0
        self._log: deque[Delivery] = deque(maxlen=_KEPT_DELIVERIES)

    def post(self, bucket: Bucket, rule: Rule, event: Event) -> None:
        """Takes an event to be delivered; never waits for the target."""
        with self._changed:
            if self._stopped:
                return
            now = time.monotonic()
            box = self._mailboxes.get(id(rule)) or _Mailbox(bucket, rule, now, self._retries)
            reason = self._reason_not_to_send(rule)
            if reason is not None:
                self._log.append(box.delivery(0, (event,), None, reason))
                return
            size = batch_size(rule)
            if id(rule) not in self._mailboxes:
                self._mailboxes[id(rule)] = box
                box.due = now if size == 1 else now + _GATHERING
            box.waiting.append(event)
            self._waiting += 1
            if len(box.waiting) >= size and not box.batch:
                box.due = min(box.due, now)
            if self._thread is None:
                self._thread = Thread(target=self._run, name='b2fast-webhooks', daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _reason_not_to_send(self, rule: Rule) -> str | None:
        if not is_reachable(urlsplit(rule['targetConfiguration']['url']), self._hosts):
            return 'the host is neither loopback nor one of webhook_hosts'
        if self._waiting >= _MOST_WAITING:
            return f'{_MOST_WAITING} events are waiting already'
        return None

    @property
    def deliveries(self) -> list[Delivery]:
        """The last 10,000 attempts."""
        with self._changed:
            return list(self._log)

    def flush(self, timeout: float) -> None:
        """Waits until no event waits for its delivery.

        :param timeout: seconds.
        :raises TimeoutError: some still do.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._mailboxes, timeout):
                raise TimeoutError(f'{self._waiting} events were not delivered in {timeout} s')

    def stop(self) -> None:
        """Ends the thread, in the middle of a request as well; what waits is forgotten."""
        with self._changed:
            self._stopped = True
            self._mailboxes.clear()
            if self._socket is not None:
                _shut_down(self._socket)
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    # The thread

    def _run(self) -> None:
        while (box := self._next()) is not None:
            try:
                status = self._send(box.rule, box.batch)
            except Exception as error:
                # Whatever it is: a delivery that failed ends neither the thread nor the others.
                self._done(box, None, f'{type(error).__name__}: {error}')
            else:
                fine = 200 <= status < 300
                self._done(box, status, None if fine else f'the target answered {status}')

    def _next(self) -> _Mailbox | None:
        """Waits for a batch whose time has come, and takes it; None at the end."""
        with self._changed:
            while not self._stopped:
                box = min(self._mailboxes.values(), key=lambda box: box.due, default=None)
                delay = None if box is None else box.due - time.monotonic()
                if box is not None and delay is not None and delay <= 0:
                    box.take()
                    return box
                self._changed.wait(delay)
        return None

    def _send(self, rule: Rule, events: tuple[Event, ...]) -> int:
        target = rule['targetConfiguration']
        url = urlsplit(target['url'])
        body = json.dumps({'events': events}, separators=(',', ':')).encode()
        secret: str = target['hmacSha256SigningSecret']
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers: dict[str, str | bytes] = {
            'Content-Type': 'application/json',
            'User-Agent': f'b2fast-simulator/{VERSION}',
        }
        for header in target['customHeaders'] or ():
            for own in [name for name in headers if name.lower() == header['name'].lower()]:
                del headers[own]
            headers[header['name']] = header['value'].encode()
        headers['X-Bz-Event-Notification-Signature'] = f'v1={digest}'
        connection = _connection(url)
        try:
            connection.connect()
            with self._changed:
                if self._stopped:
                    raise OSError('the simulator was stopped')
                self._socket = connection.sock
            path = url._replace(scheme='', netloc='', fragment='').geturl() or '/'
            connection.request('POST', path if path[0] == '/' else '/' + path, body, headers)
            return connection.getresponse().status
        finally:
            with self._changed:
                self._socket = None
            connection.close()

    def _done(self, box: _Mailbox, status: int | None, error: str | None) -> None:
        with self._changed:
            if self._stopped:
                return
            attempt = box.attempts.failures + 1
            self._log.append(box.delivery(attempt, box.batch, status, error))
            pause = 0.0 if error is None else box.attempts.pause(None)
            if error is None:
                self._delivered(box)
            elif pause is not None:
                box.due = time.monotonic() + pause
            self._changed.notify_all()
        if error is not None and pause is None:
            # Before the events are given up, so that none is added that nobody sends.
            self._suspend(
                box.bucket, box.rule, f'{attempt} attempts at a delivery failed, the last: {error}'
            )
            self._give_up(box)

    def _delivered(self, box: _Mailbox) -> None:
        self._waiting -= len(box.batch)
        box.batch = ()
        box.attempts.progress()
        now = time.monotonic()
        if not box.waiting:
            del self._mailboxes[id(box.rule)]
        else:
            box.due = now if len(box.waiting) >= batch_size(box.rule) else now + _GATHERING

    def _give_up(self, box: _Mailbox) -> None:
        with self._changed:
            if self._stopped:
                return
            if box.waiting:
                self._log.append(box.delivery(0, box.waiting, None, 'the rule is suspended'))
            self._waiting -= len(box.batch) + len(box.waiting)
            del self._mailboxes[id(box.rule)]
            self._changed.notify_all()


def _connection(url: SplitResult) -> HTTPConnection:
    host = url.hostname or ''
    if url.scheme == 'http':
        return HTTPConnection(host, url.port, timeout=_TIMEOUT)
    context = ssl.create_default_context()
    if is_loopback(host):
        # No authority signs for this machine, and nobody stands in between.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(host, url.port, timeout=_TIMEOUT, context=context)


def _shut_down(open_socket: socket.socket) -> None:
    try:
        open_socket.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The other side was faster.
        return
