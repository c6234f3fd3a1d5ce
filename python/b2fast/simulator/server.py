"""B2 over HTTP, in the faithful profile."""

from __future__ import annotations

import os
import socket
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from b2fast._core.server import HttpServer, Request, Response, make_certificate
from b2fast.raw_api import ALL_CAPABILITIES

from . import ids
from .faults import Fault, FaultScript, FaultState
from .http_admin import ADMIN_PREFIX, AdminDoor
from .http_door import HttpDoor
from .profile import Clock, Profile, system_clock
from .request_log import ServedRequest
from .state import Key, Service

_EVERY_ADDRESS = ('0.0.0.0', '::')  # noqa: S104


@dataclass(frozen=True)
class Certificate:
    """A certificate for `SimulatorServer` to show.

    :param file: the server's certificate, followed by those that connect it to an authority,
        in PEM form.
    :param key_file: its private key, in PEM form and without a password.
    """

    file: str | os.PathLike[str]
    key_file: str | os.PathLike[str]

    def read(self) -> tuple[bytes, bytes]:
        """Returns the contents of both files.

        :raises OSError: one of them cannot be read.
        """
        return Path(self.file).read_bytes(), Path(self.key_file).read_bytes()


def _host_names(host: str) -> list[str]:
    """Returns the names by which clients reach a server that listens on `host`."""
    names = ['localhost', '127.0.0.1', '::1']
    if host in _EVERY_ADDRESS:
        names.append(socket.gethostname())
    elif host not in names:
        names.append(host)
    return names


class SimulatorServer:
    """A simulated B2 that any client of the native API can use, versions 1 to 4.

    It serves from its creation until `stop` or the end of the `with` block. Buckets, versions
    and tokens live in memory and end with it. The content of files lives in memory, too, or
    with `data_dir` in files below that directory, which end with it as well.

    :param host: address to listen on; it protects nothing, so loopback is the place for it.
    :param port: port to listen on; 0 takes a free one.
    :param data_dir: directory for the content of files; None keeps it in memory.
    :param key_id: ID of the master key; made up by default.
    :param key: the master key; a random one by default.
    :param minimum_part_size: bytes that each part but the last needs; B2: 5,000,000.
    :param recommended_part_size: bytes, announced to clients; B2: 100,000,000.
    :param token_lifetime: seconds that tokens live; B2: 24 hours.
    :param custom_timestamps: clients may set upload timestamps, which B2 allows to chosen
        accounts.
    :param clock: gives the time in milliseconds since 1970 UTC.
    :param tls: serve HTTPS: True with a certificate made on the spot, whose authority
        `certificate_authority` names; a `Certificate` with a given one.
    :param faults: what goes wrong from the first call on; see `play`.
    :raises OSError: the address cannot be listened on, or a file of the certificate cannot
        be used.
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
        faults: FaultScript | None = None,
    ) -> None:
        self._clock = _MovableClock(clock)
        profile = Profile(
            clock=self._clock,
            minimum_part_size=minimum_part_size,
            recommended_part_size=recommended_part_size,
            token_lifetime=round(token_lifetime * 1000),
            custom_timestamps=custom_timestamps,
        )
        self._service = Service(profile)
        self.account_id = ids.new_account_id()
        self.key_id = ids.new_key_id(self.account_id, 1) if key_id is None else key_id
        self.key = ids.new_key() if key is None else key
        master = Key(
            self.account_id, 'master', self.key_id, self.key, ALL_CAPABILITIES, None, None, None
        )
        self._service.add_account(self.account_id, master)
        #: What clients have to trust, in PEM form; None without TLS or with a given certificate.
        self.certificate_authority: str | None = None
        self._scheme = 'https' if tls else 'http'
        pair: tuple[bytes, bytes] | None = None
        if isinstance(tls, Certificate):
            pair = tls.read()
        elif tls:
            certificate, secret, self.certificate_authority = make_certificate(_host_names(host))
            pair = certificate, secret
        self._door = HttpDoor(self._service, self._scheme)
        if faults is not None:
            self.play(faults)
        # A proxy, so that the server ends with the last reference to this object.
        admin = AdminDoor(weakref.proxy(self), self._service, master, self._door.log)
        self._front = _front(self._door, admin)
        self._http = HttpServer(
            self._front,
            host=host,
            port=port,
            data_dir=data_dir,
            tls=pair,
            begin_upload=self._door.begin_upload,
        )
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
        if host in _EVERY_ADDRESS:
            host = 'localhost'
        if ':' in host:
            host = f'[{host}]'
        return f'{self._scheme}://{host}:{self._http.port}'

    def stop(self) -> None:
        """Ends the server and its connections; a second call does nothing."""
        self._http.stop()

    def inject(self, *faults: Fault) -> None:
        """Lets something go wrong in the calls to come; see `Fault`.

        A request meets the first of the faults, in the order in which they were added, that
        wants to strike it; and of those that strike uploads on their way, the first as well.
        Each fault counts for itself what it skips.

        :raises ValueError: a fault strikes no call that there is; none is added then.
        """
        self._check_calls(faults)
        self._door.faults.add(*faults)

    def play(self, script: FaultScript) -> None:
        """Takes the faults of a script, and its seed, in place of those there are.

        :raises ValueError: a fault strikes no call that there is; nothing changes then.
        """
        self._check_calls(script.faults)
        self._door.play(script)

    def _check_calls(self, faults: tuple[Fault, ...]) -> None:
        names = self._door.call_names
        for fault in faults:
            if not any(map(fault.matches, names)):
                close = get_close_matches(fault.call, names, 1)
                hint = f'; did you mean "{close[0]}"?' if close else ''
                raise ValueError(f'there is no call "{fault.call}"{hint}')

    def seed_faults(self, seed: int) -> None:
        """Begins anew what decides about faults with a `rate` and about `X-Bz-Test-Mode`.

        With the same seed, the same requests in the same order meet the same faults. Without
        a call it is 0.
        """
        self._door.seed(seed)

    def clear_faults(self) -> None:
        """Forgets the faults to come."""
        self._door.faults.clear()

    @property
    def faults(self) -> list[FaultState]:
        """The faults that were added and not cleared, and how often they struck; of those
        that are over, the last 1000 at most."""
        return self._door.faults.states

    @property
    def fault_seed(self) -> int:
        """The seed in use."""
        return self._door.faults.seed

    def expire_tokens(self) -> None:
        """Ends every account token that was given out, as after 24 hours."""
        with self._service.lock:
            self._service.expire_all_tokens()

    def advance_clock(self, seconds: float) -> None:
        """Moves the simulator's clock forward."""
        with self._service.lock:
            self._clock.ahead += round(seconds * 1000)

    @property
    def calls(self) -> Counter[str]:
        """How many requests there were of each call; a download counts as
        `b2_download_file_by_id` or `b2_download_file_by_name`."""
        return self._door.log.calls

    @property
    def requests(self) -> list[ServedRequest]:
        """The last 100,000 requests, in the order in which they were answered."""
        return self._door.log.requests


def _front(door: HttpDoor, admin: AdminDoor) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        if request.path.startswith(ADMIN_PREFIX):
            return admin(request)
        return door(request)

    return answer


class _MovableClock:
    def __init__(self, base: Clock) -> None:
        self._base = base
        self.ahead = 0

    def __call__(self) -> int:
        return self._base() + self.ahead
