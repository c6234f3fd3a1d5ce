"""B2 over HTTP, in the faithful profile."""

from __future__ import annotations

import os

from b2fast._core.server import HttpServer

from .controls import Controls
from .faults import Fault
from .profile import Clock, Profile, system_clock


class SimulatorServer(Controls):
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
    ) -> None:
        profile = Profile(
            clock=clock,
            minimum_part_size=minimum_part_size,
            recommended_part_size=recommended_part_size,
            token_lifetime=round(token_lifetime * 1000),
            custom_timestamps=custom_timestamps,
        )
        super().__init__(profile, key_id, key)
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

    def _cut_uploads(self, fault: Fault, after: int) -> None:
        self._http.cut_uploads(after, fault.count)
