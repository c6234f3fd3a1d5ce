"""How a client speaks HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .rate_limits import RateLimits
from .raw_api import AbstractRawApi, B2RawHTTPApi
from .retry import RetryPolicies, RetryPolicy, Timeouts

if TYPE_CHECKING:
    import requests


def Session() -> requests.Session:  # noqa: N802
    """Make a ``requests.Session``; requests is imported here, when a client is first made."""
    import requests

    return requests.Session()


class B2HttpApiConfig:
    """Settings of the HTTP layer of a client.

    :param http_session_factory: makes the session for the JSON calls.  With a factory of one's
        own, content goes through its sessions as well and not through the transfer engine,
        since the engine cannot know what the session does (proxies, certificates, recording).
    :param install_clock_skew_hook: raise `ClockSkew` when the local clock is more than ten
        minutes off that of the service.
    :param user_agent_append: text to add to the ``User-Agent``; B2 asks integrations to name
        themselves.
    :param _raw_api_class: makes the `AbstractRawApi` of a session: a class or another callable.
        It is given a `B2Http` if it takes a positional argument, required or not; if it takes
        none it is called without.
    :param decode_content: undo a ``Content-Encoding`` of downloads.  B2 stores what it was
        given and its SHA-1 is that of the encoded content, so the default is not to.
    :param retry_policy: when to try again: one policy for everything, or `RetryPolicies` with
        one for each kind of call.  None: those of `RetryPolicies`, with the numbers of attempts
        of `B2Http` (``TRY_COUNT_...``), which are the same.  A raw API that does not speak HTTP,
        such as `RawSimulator`, gets five attempts with short pauses then.
    :param timeouts: how long to wait for the network.  None: the defaults of `Timeouts`, or
        what a subclass of `B2Http` has instead (``TIMEOUT``, ...).
    :param rate_limits: how fast content may move through the transfer engine.  None: no limits,
        until someone sets those of this object.  Clients without settings of their own share
        ``DEFAULT_HTTP_API_CONFIG.rate_limits``.
    """

    DEFAULT_RAW_API_CLASS = B2RawHTTPApi

    def __init__(
        self,
        http_session_factory: Callable[[], requests.Session] = Session,
        install_clock_skew_hook: bool = True,
        user_agent_append: str | None = None,
        _raw_api_class: Callable[..., AbstractRawApi] | None = None,
        decode_content: bool = False,
        *,
        retry_policy: RetryPolicy | RetryPolicies | None = None,
        timeouts: Timeouts | None = None,
        rate_limits: RateLimits | None = None,
    ) -> None:
        self.http_session_factory = http_session_factory
        self.install_clock_skew_hook = install_clock_skew_hook
        self.user_agent_append = user_agent_append
        self.raw_api_class = _raw_api_class or self.DEFAULT_RAW_API_CLASS
        self.decode_content = decode_content
        self.retry_policies = (
            RetryPolicies.same(retry_policy)
            if isinstance(retry_policy, RetryPolicy)
            else retry_policy
        )
        self.timeouts = timeouts
        self.rate_limits = RateLimits() if rate_limits is None else rate_limits

    @property
    def has_default_session(self) -> bool:
        """Are the sessions those of requests, as they come?"""
        return self.http_session_factory is Session


DEFAULT_HTTP_API_CONFIG = B2HttpApiConfig()
