"""B2 over HTTP, in the faithful profile."""

from __future__ import annotations

import os
from collections import Counter

from b2fast._core.server import HttpServer
from b2fast.raw_api import ALL_CAPABILITIES

from . import ids
from .faults import Fault
from .http_door import HttpDoor, ServedRequest
from .profile import Clock, Profile, system_clock
from .state import Key, Service
from .storage import Storage


class SimulatorServer:
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
    :param clock: gives the time in milliseconds since 1970 UTC.
    :raises OSError: the address cannot be listened on.
    :raises LocalFileError: `data_dir` cannot be used, is used by another server, has other
        files in it, is damaged or was written by a newer version.
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
        self._storage = None if data_dir is None else Storage(data_dir)
        self._service = Service(profile, journal=self._storage)
        try:
            self._add_account(key_id, key)
            self._door = HttpDoor(self._service)
            contents = None if self._storage is None else self._storage.contents
            self._http = HttpServer(self._door, host=host, port=port, store=contents)
        except BaseException:
            self._close_storage()
            raise

    def _add_account(self, key_id: str | None, key: str | None) -> None:
        known = None
        if self._storage is not None:
            known = self._storage.master_key()
            self._storage.load(self._service)
        self.account_id = ids.new_account_id() if known is None else known.account_id
        if known is not None:
            key_id, key = key_id or known.application_key_id, key or known.key
        self.key_id = ids.new_key_id(self.account_id, 1) if key_id is None else key_id
        self.key = ids.new_key() if key is None else key
        master = Key(
            self.account_id, 'master', self.key_id, self.key, ALL_CAPABILITIES, None, None, None
        )
        self._service.add_account(self.account_id, master)

    def _close_storage(self) -> None:
        if self._storage is not None:
            # A handler may still be at work.
            with self._service.lock:
                self._storage.close()

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
        self._close_storage()

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

    @property
    def calls(self) -> Counter[str]:
        """How many requests there were of each call; a download counts as
        `b2_download_file_by_id` or `b2_download_file_by_name`."""
        return self._door.calls

    @property
    def requests(self) -> list[ServedRequest]:
        """The last 100,000 requests, in the order in which they were answered."""
        return self._door.requests
