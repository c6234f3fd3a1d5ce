"""B2 over HTTP, in the faithful profile."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress

from b2fast._core.server import HttpServer, Request, Response, make_certificate
from b2fast.retry import RetryPolicy

from . import notifications
from .bucket import Bucket
from .clock import Clock, system_clock
from .controls import Controls
from .errors import SimulatedError
from .faults import FaultScript
from .http_admin import ADMIN_PREFIX, AdminDoor
from .http_door import HttpDoor
from .options import DEFAULT_OPTIONS, Options
from .profile import Profile
from .storage import Storage
from .tls import EVERY_ADDRESS, Certificate, host_names
from .webhooks import WEBHOOK_RETRIES, Delivery, Webhooks


class SimulatorServer(Controls):
    """A simulated B2 that any client of the native API can use, versions 1 to 4.

    It serves from its creation until `stop` or the end of the `with` block. Everything lives in
    memory and ends with it, unless there is a `data_dir`: a later server on that directory has
    the same account, keys, buckets and versions, however this one ended. The tokens of
    authorizations and upload URLs end with the server in any case.

    :param host: address to listen on; it protects nothing, so loopback is the place for it.
    :param port: port to listen on; 0 takes a free one.
    :param data_dir: directory that keeps everything; it has to be new, empty or a simulator's.
        None keeps everything in memory.
    :param key_id: ID of the master key; by default that in `data_dir`, or made up.
    :param key: the master key; by default that in `data_dir`, or a random one.
    :param minimum_part_size: bytes that each part but the last needs; B2: 5,000,000.
    :param recommended_part_size: bytes, announced to clients; B2: 100,000,000.
    :param token_lifetime: seconds that tokens live; B2: 24 hours.
    :param custom_timestamps: clients may set upload timestamps, which B2 allows to chosen
        accounts.
    :param tls: serve HTTPS: True with a certificate made on the spot, whose authority
        `certificate_authority` names; a `Certificate` with a given one.
    :param webhook_hosts: hosts that event notifications are sent to, beside loopback ones:
        a test server does not call the world unless it is told to.
    :param webhook_retries: how often, and with which pauses, a delivery is tried before its
        rule is suspended; that of B2 is not published.
    :param replication_delay: seconds of the clock from an upload to its replica, during which
        it is PENDING; with 0 the replica is there after the answer.
    :param clock: gives the time in milliseconds since 1970 UTC; `advance_clock` adds to it.
    :param options: what is done where it is not certain what B2 does; see `Options`.
    :param faults: what goes wrong from the first call on; see `play`.
    :raises OSError: the address cannot be listened on, or a file of the certificate cannot
        be used.
    :raises LocalFileError: `data_dir` cannot be used, is used by another server, has other
        files in it, is damaged or was written by a newer version.
    :raises ValueError: a fault strikes no call that there is.
    """

    def __init__(
        self,
        *,
        host: str = '127.0.0.1',
        port: int = 0,
        data_dir: str | os.PathLike[str] | None = None,
        key_id: str | None = None,
        key: str | None = None,
        minimum_part_size: int = 5_000_000,
        recommended_part_size: int = 100_000_000,
        token_lifetime: float = 24 * 3600,
        custom_timestamps: bool = False,
        clock: Clock = system_clock,
        tls: bool | Certificate = False,
        webhook_hosts: Iterable[str] = (),
        webhook_retries: RetryPolicy = WEBHOOK_RETRIES,
        replication_delay: float = 0,
        options: Options = DEFAULT_OPTIONS,
        faults: FaultScript | None = None,
    ) -> None:
        profile = Profile(
            clock=clock,
            minimum_part_size=minimum_part_size,
            recommended_part_size=recommended_part_size,
            token_lifetime=round(token_lifetime * 1000),
            custom_timestamps=custom_timestamps,
            webhook_hosts=frozenset(host.lower() for host in webhook_hosts),
            replication_delay=round(replication_delay * 1000),
            options=options,
        )
        #: What clients have to trust, in PEM form; None without TLS or with a given certificate.
        self.certificate_authority: str | None = None
        self._scheme = 'https' if tls else 'http'
        pair: tuple[bytes, bytes] | None = None
        if isinstance(tls, Certificate):
            pair = tls.read()
        elif tls:
            certificate, secret, self.certificate_authority = make_certificate(host_names(host))
            pair = certificate, secret
        self._storage = None if data_dir is None else Storage(data_dir)
        self._webhooks = Webhooks(webhook_retries, profile.webhook_hosts, self._suspend)
        try:
            super().__init__(profile, key_id, key, self._scheme, self._storage)
            self._service.post_event = self._webhooks.post
            contents = None if self._storage is None else self._storage.contents
            if faults is not None:
                self.play(faults)
            # A proxy, so that the server ends with the last reference to this object.
            admin = AdminDoor(weakref.proxy(self), self._service, self._master, self._door.log)
            self._front = _front(self._door, admin)
            self._http = HttpServer(
                self._front,
                host=host,
                port=port,
                store=contents,
                tls=pair,
                begin_upload=self._door.begin_upload,
            )
        except BaseException:
            if self._storage is not None:
                self._storage.close()
            raise
        self._door.faults.tell(self._http.watch_uploads)

    def __repr__(self) -> str:
        return f'<SimulatorServer {self.url}>'

    def __enter__(self) -> SimulatorServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What clients take as realm or endpoint."""
        host = self._http.host
        if host in EVERY_ADDRESS:
            host = 'localhost'
        if ':' in host:
            host = f'[{host}]'
        return f'{self._scheme}://{host}:{self._http.port}'

    def stop(self) -> None:
        """Ends the server and its connections; a second call does nothing."""
        self._http.stop()
        self._webhooks.stop()
        if self._storage is not None:
            # A handler may still be at work.
            with self._service.lock:
                self._storage.close()

    def _suspend(self, bucket: Bucket, rule: notifications.Rule, reason: str) -> None:
        # Where that cannot be stored, the rule goes on as before.
        with self._service.lock, suppress(SimulatedError):
            bucket.suspend_notification_rule(rule, reason)

    def send_test_event(self, bucket_name: str, rule_name: str) -> None:
        """Sends a `b2:TestEvent` to the target of a notification rule, even a disabled one.

        :raises SimulatedError: there is no such bucket or rule.
        """
        with self._service.lock:
            bucket = self._service.bucket_named(bucket_name)
            rule = notifications.named(bucket.notification_rules, rule_name)
            event = notifications.new_event(bucket, rule, notifications.TEST, None)
            self._webhooks.post(bucket, rule, event)

    def flush_webhooks(self, timeout: float = 30.0) -> None:
        """Waits until every event is delivered, or given up.

        :param timeout: seconds.
        :raises TimeoutError: some still wait.
        """
        self._webhooks.flush(timeout)

    @property
    def deliveries(self) -> list[Delivery]:
        """The last 10,000 attempts to deliver event notifications, the oldest first."""
        return self._webhooks.deliveries


def _front(door: HttpDoor, admin: AdminDoor) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        if request.path.startswith(ADMIN_PREFIX):
            return admin(request)
        return door(request)

    return answer
