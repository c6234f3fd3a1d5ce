"""B2 in the process, in the faithful profile."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING

from b2fast.api_config import DEFAULT_HTTP_API_CONFIG
from b2fast.b2http import B2Http
from b2fast.raw_api import B2RawHTTPApi
from b2fast.retry import RETRIES_IN_THE_PROCESS

from .clock import Clock, system_clock
from .controls import Controls
from .options import DEFAULT_OPTIONS, Options
from .profile import Profile

if TYPE_CHECKING:
    import requests

    from .in_process import Wire


class FaithfulSimulator(Controls, B2RawHTTPApi):
    """The calls of B2, answered in the process as `SimulatorServer` answers them over HTTP.

    Rules, limits, errors and the forms of answers are those of the server, since what answers is
    the same; there are no sockets and no threads. It is a raw API, as `RawSimulator` is, and
    makes sessions of `requests` that send everything to it, whatever the host:

    - `B2HttpApiConfig(_raw_api_class=lambda: simulator)`: content goes through Python streams,
      failures are repeated after short pauses;
    - `B2HttpApiConfig(simulator.session)`: the same, with the pauses and timeouts of the
      configuration. Other programs that use `requests` take `simulator.session()`.

    Any realm will do. There is one account; its master key is `key_id` and `key`.

    :param b2_http: retry policies, timeouts and the other settings are taken from it.
    :param key_id: ID of the master key; made up by default.
    :param key: the master key; a random one by default.
    :param minimum_part_size: bytes that each part but the last needs; B2: 5,000,000.
    :param recommended_part_size: bytes, announced to clients; B2: 100,000,000.
    :param token_lifetime: seconds that tokens live; B2: 24 hours.
    :param custom_timestamps: clients may set upload timestamps, which B2 allows to chosen
        accounts.
    :param clock: gives the time in milliseconds since 1970 UTC; `advance_clock` adds to it.
    :param options: what is done where it is not certain what B2 does; see `Options`.
    :param replication_delay: seconds of the clock from an upload to its replica, during which
        it is PENDING; with 0 the replica is there after the answer.
    """

    def __init__(
        self,
        b2_http: B2Http | None = None,
        *,
        key_id: str | None = None,
        key: str | None = None,
        minimum_part_size: int = 5_000_000,
        recommended_part_size: int = 100_000_000,
        token_lifetime: float = 24 * 3600,
        custom_timestamps: bool = False,
        clock: Clock = system_clock,
        options: Options = DEFAULT_OPTIONS,
        replication_delay: float = 0,
    ) -> None:
        profile = Profile(
            clock=clock,
            minimum_part_size=minimum_part_size,
            recommended_part_size=recommended_part_size,
            token_lifetime=round(token_lifetime * 1000),
            custom_timestamps=custom_timestamps,
            options=options,
            replication_delay=round(replication_delay * 1000),
        )
        Controls.__init__(self, profile, key_id, key)
        config = copy(DEFAULT_HTTP_API_CONFIG if b2_http is None else b2_http.api_config)
        config.http_session_factory = self.session
        if config.retry_policies is None:
            config.retry_policies = RETRIES_IN_THE_PROCESS
        B2RawHTTPApi.__init__(self, B2Http(config))

    def __repr__(self) -> str:
        return f'<FaithfulSimulator {self.account_id}>'

    def session(self) -> requests.Session:
        """Makes a session whose requests are answered by this simulator, whatever their host."""
        from .in_process import WireSession

        return WireSession(self._wire)

    @cached_property
    def _wire(self) -> Wire:
        from .in_process import Wire

        return Wire(self._door)
