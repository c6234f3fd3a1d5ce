"""B2 over HTTP, in the faithful profile."""

from __future__ import annotations

import os
from collections import Counter

from b2fast._core.server import HttpServer
from b2fast.raw_api import ALL_CAPABILITIES

from . import ids
from .clock import Clock, system_clock
from .faults import Fault
from .http_door import HttpDoor, ServedRequest
from .options import DEFAULT_OPTIONS, Options
from .profile import Profile
from .state import Key, Service


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
    :param clock: gives the time in milliseconds since 1970 UTC; `advance_clock` adds to it.
    :param options: what is done where it is not certain what B2 does; see `Options`.
    :raises OSError: the address cannot be listened on.
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
        options: Options = DEFAULT_OPTIONS,
    ) -> None:
        profile = Profile(
            clock=clock,
            minimum_part_size=minimum_part_size,
            recommended_part_size=recommended_part_size,
            token_lifetime=round(token_lifetime * 1000),
            custom_timestamps=custom_timestamps,
            options=options,
        )
        self._service = Service(profile)
        self.account_id = ids.new_account_id()
        self.key_id = ids.new_key_id(self.account_id, 1) if key_id is None else key_id
        self.key = ids.new_key() if key is None else key
        master = Key(
            self.account_id, 'master', self.key_id, self.key, ALL_CAPABILITIES, None, None, None
        )
        self._service.add_account(self.account_id, master)
        self._door = HttpDoor(self._service)
        self._http = HttpServer(self._door, host=host, port=port, data_dir=data_dir)

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
        if host in ('0.0.0.0', '::'):  # noqa: S104
            host = 'localhost'
        if ':' in host:
            host = f'[{host}]'
        return f'http://{host}:{self._http.port}'

    def stop(self) -> None:
        """Ends the server and its connections; a second call does nothing."""
        self._http.stop()

    def inject(self, fault: Fault) -> None:
        """Lets something go wrong in the calls to come; see `Fault`."""
        if fault.cut_upload_after is not None:
            self._http.cut_uploads(fault.cut_upload_after, fault.count)
        else:
            self._door.faults.add(fault)

    def clear_faults(self) -> None:
        """Forgets the faults to come, but not those that cut uploads."""
        self._door.faults.clear()

    def expire_tokens(self) -> None:
        """Ends every account token that was given out, as after 24 hours."""
        with self._service.lock:
            self._service.expire_all_tokens()

    def advance_clock(self, seconds: float) -> None:
        """Moves the simulator's clock forward and does what B2 does daily.

        Every 24 hours on the way, and at the end, lifecycle rules are applied. Without this call
        that happens with the first request of each day by UTC.

        :raises ValueError: `seconds` is negative.
        """
        self._service.advance_clock(seconds)

    @property
    def calls(self) -> Counter[str]:
        """How many requests there were of each call; a download counts as
        `b2_download_file_by_id` or `b2_download_file_by_name`."""
        return self._door.calls

    @property
    def requests(self) -> list[ServedRequest]:
        """The last 100,000 requests, in the order in which they were answered."""
        return self._door.requests
