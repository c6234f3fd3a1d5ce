"""HTTP with B2: the JSON calls, downloads as streams, and uploads of Python streams.

Files go around this module, through the engine of ``_core.transfer``.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from random import random
from typing import TYPE_CHECKING, Any

from .api_config import DEFAULT_HTTP_API_CONFIG, B2HttpApiConfig
from .cancel import check_scope, current_scope, sleep
from .exception import B2Error, TooManyRequests
from .http_body import StreamBody
from .http_callback import ClockSkewHook, HttpCallback
from .http_errors import error_of_exception, error_of_response, never_left, not_json
from .http_request import HttpRequest, Method, Redactor
from .imports_at_fork import keep_imports_whole
from .lazy_names import load_name
from .log import logger_of
from .retry import Kind, RetryPolicies, RetryPolicy
from .stats import CallCounter
from .types import JSON, ReadOnlyStream
from .utils.process_locale import setlocale
from .version import USER_AGENT

if TYPE_CHECKING:
    import requests

    from ._core.transfer import Engine, Gate
    from .requests import NotDecompressingHTTPAdapter

__all__ = [
    'B2Http',
    'ClockSkewHook',
    'HttpCallback',
    'NotDecompressingHTTPAdapter',
    'ResponseContextManager',
    'random',
    'setlocale',
]

logger = logger_of(__name__)

_TRY_COUNT_DATA = 20
_TRY_COUNT_DOWNLOAD = 20
_TRY_COUNT_HEAD = 5
_TRY_COUNT_OTHER = 5

# Idle connections kept for each host, and hosts remembered: no less than any number of
# workers in use, or connections are thrown away and made again (the default of requests is 10).
_POOL_SIZE = 100
# http.client reads a body in pieces of 16 kB by default, which costs more than sending them.
_BODY_BLOCK_SIZE = 256 * 1024

# 0 would not be taken for a time-out.
_SHORTEST_TIMEOUT = 0.001

_DOT_SEGMENT = re.compile(r'(?<=/)\.{1,2}(?=/|$)')

_COPY_CALLS = ('/b2_copy_file', '/b2_copy_part')
# To give up on one of these means to send the content around it all again.
_CALLS_AROUND_CONTENT = (
    '/b2_get_upload_url',
    '/b2_start_large_file',
    '/b2_get_upload_part_url',
    '/b2_finish_large_file',
)


class ResponseContextManager:
    """Gives a response whose body is still to be read, and closes it at the end."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response

    def __enter__(self) -> requests.Response:
        return self.response

    def __exit__(self, exc_type: object, exc_val: object, exc_tb: object) -> None:
        self.response.close()


class B2Http:
    """Sends requests to B2 and turns whatever goes wrong into exceptions of this package.

    A failed attempt is repeated when its error says so (`B2Error.should_retry_http`): network
    errors, 408, 429 and 5xx, as `RetryPolicies` says; ``Retry-After`` is obeyed.

    The end of a `cancel_scope` ends a request within it.

    An instance may be used by many threads, and by a child process after ``fork``.

    :param api_config: the settings.
    """

    CONNECTION_TIMEOUT = 46
    """Seconds to make a connection."""
    TIMEOUT = 128
    """Seconds without a byte received."""
    TIMEOUT_FOR_COPY = 1200
    """As `TIMEOUT`, for copies within the service, which answers when it is done."""
    TIMEOUT_FOR_UPLOAD = 128
    """As `TIMEOUT`, for uploads."""
    TRY_COUNT_DATA = _TRY_COUNT_DATA
    TRY_COUNT_DOWNLOAD = _TRY_COUNT_DOWNLOAD
    TRY_COUNT_HEAD = _TRY_COUNT_HEAD
    TRY_COUNT_OTHER = _TRY_COUNT_OTHER

    def __init__(self, api_config: B2HttpApiConfig = DEFAULT_HTTP_API_CONFIG) -> None:
        self.api_config = api_config
        self.counter = CallCounter()
        self.user_agent = USER_AGENT
        if api_config.user_agent_append:
            self.user_agent += ' ' + api_config.user_agent_append
        self.callbacks: list[HttpCallback] = []
        if api_config.install_clock_skew_hook:
            self.add_callback(ClockSkewHook())
        self._start()

    def _start(self) -> None:
        """Make what stays in the process, and is left behind by pickle."""
        keep_imports_whole()
        self._sleep: Callable[[float], object] = sleep
        self._clock: Callable[[], float] = time.monotonic
        self._random: Callable[[], float] = random
        # By process ID.  A child of fork leaves its parent's objects untouched and alive: their
        # sockets are shared and their threads are not there.
        self._sessions = {os.getpid(): self._new_session()}
        self._engines: dict[int, tuple[int, Engine]] = {}
        self._gate = self._new_gate()

    def __getstate__(self) -> dict[str, Any]:
        left_behind = {'_sleep', '_clock', '_random', '_sessions', '_engines', '_gate'}
        return {name: value for name, value in vars(self).items() if name not in left_behind}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start()

    @property
    def retry_policies(self) -> RetryPolicies:
        """When to try again: what the settings say, or the ``TRY_COUNT_...`` of this class."""
        if self.api_config.retry_policies is not None:
            return self.api_config.retry_policies
        return RetryPolicies(
            calls=RetryPolicy(attempts=self.TRY_COUNT_OTHER),
            uploads=RetryPolicy(attempts=self.TRY_COUNT_DATA),
            downloads=RetryPolicy(attempts=self.TRY_COUNT_DOWNLOAD),
            copies=RetryPolicy(attempts=self.TRY_COUNT_OTHER),
        )

    @property
    def session(self) -> requests.Session:
        """The session in use; a child process has one of its own, with its own connections."""
        pid = os.getpid()
        session = self._sessions.get(pid)
        return session or self._sessions.setdefault(pid, self._new_session())

    def add_callback(self, callback: HttpCallback) -> None:
        """Let a callback see every further request."""
        self.callbacks.append(callback)

    def transfer_engine(self, connections: int) -> Engine | None:
        """The engine for content, made at first use; None with a session factory of one's own.

        A child process makes its own engine: threads do not survive ``fork``.

        :param connections: how many connections one transfer may use at a time; an engine that
            has fewer threads is replaced by a wider one, and ends what it is doing.
        """
        if not self.api_config.has_default_session:
            return None
        pid = os.getpid()
        width, engine = self._engines.get(pid, (0, None))
        if engine is None or width < connections:
            engine = self._new_engine(connections)
            self._engines[pid] = connections, engine
        return engine

    def request(
        self,
        method: Method,
        url: str,
        headers: dict[str, str],
        data: ReadOnlyStream | bytes | None = None,
        try_count: int = _TRY_COUNT_DATA,
        params: dict[str, str] | None = None,
        *,
        stream: bool = False,
        _timeout: int | None = None,
    ) -> requests.Response:
        """Send a request, again and again if need be, and return the good answer.

        :param data: the body; a stream is rewound before it is sent again, and one that cannot
            be rewound is sent once.
        :param try_count: how often to send it at most.
        :param params: parameters of the URL's query.
        :param stream: leave the body of the answer to be read by the caller.
        :param _timeout: seconds without a byte received.
        """
        return self._repeat(
            HttpRequest(
                method=method,
                url=url,
                headers=headers,
                body=_body_of(data, headers),
                params=params,
                policy=self._policy('calls', try_count, _TRY_COUNT_DATA, self.TRY_COUNT_DATA),
                idle_timeout=_timeout or self._idle_timeout('calls'),
                stream=stream,
            )
        )

    def request_content_return_json(
        self,
        method: Method,
        url: str,
        headers: dict[str, str],
        data: ReadOnlyStream | bytes | None = None,
        try_count: int = _TRY_COUNT_DATA,
        params: dict[str, str] | None = None,
        *,
        _timeout: int | None = None,
    ) -> JSON:
        """Send a request and return the JSON of its answer; parameters as for `request`."""
        headers = {**headers, 'Accept': 'application/json'}
        response = self.request(method, url, headers, data, try_count, params, _timeout=_timeout)
        return _json_of(response, url, headers)

    def post_content_return_json(
        self,
        url: str,
        headers: dict[str, str],
        data: ReadOnlyStream | bytes,
        try_count: int = _TRY_COUNT_DATA,
        post_params: dict[str, str] | None = None,
        _timeout: int | None = None,
    ) -> JSON:
        """Post content and return the JSON of the answer; parameters as for `request`.

        :param post_params: what the content is, for the messages of errors.
        """
        request = HttpRequest(
            method='POST',
            url=url,
            headers={**headers, 'Accept': 'application/json'},
            body=_body_of(data, headers),
            policy=self._policy('uploads', try_count, _TRY_COUNT_DATA, self.TRY_COUNT_DATA),
            idle_timeout=_timeout or self._idle_timeout('uploads'),
            sends_content=True,
            post_params=post_params,
        )
        return _json_of(self._repeat(request), url, headers)

    def post_json_return_json(
        self,
        url: str,
        headers: dict[str, str],
        params: dict[str, Any],
        try_count: int = _TRY_COUNT_OTHER,
    ) -> JSON:
        """Post parameters as JSON and return the JSON of the answer."""
        return self.post_json(url, headers, params, json.loads, try_count)

    def post_json(
        self,
        url: str,
        headers: dict[str, str],
        params: dict[str, Any],
        read: Callable[[bytes], JSON],
        try_count: int = _TRY_COUNT_OTHER,
    ) -> JSON:
        """Post parameters as JSON and return what is made of the answer.

        :param read: makes something of the answer's text; raises `ValueError` if it is no JSON.
        """
        kind = _kind_of(url)
        usual = self.TRY_COUNT_DATA if kind == 'uploads' else self.TRY_COUNT_OTHER
        request = HttpRequest(
            method='POST',
            url=url,
            headers={
                **headers,
                'Content-Type': 'application/json',
                'Accept': 'application/json',
            },
            body=json.dumps(params).encode('ascii'),
            policy=self._policy(kind, try_count, _TRY_COUNT_OTHER, usual),
            idle_timeout=self._idle_timeout(kind),
            post_params=params,
        )
        answer = _json_of(self._repeat(request), url, headers, read)
        self.counter.answered(request.call, answer)
        return answer

    def get_content(
        self, url: str, headers: dict[str, str], try_count: int = _TRY_COUNT_DOWNLOAD
    ) -> ResponseContextManager:
        """Open a download; its body is read within the context manager's block."""
        usual = self.TRY_COUNT_DOWNLOAD
        request = HttpRequest(
            method='GET',
            url=url,
            headers=headers,
            policy=self._policy('downloads', try_count, _TRY_COUNT_DOWNLOAD, usual),
            idle_timeout=self._idle_timeout('downloads'),
            stream=True,
        )
        return ResponseContextManager(self._repeat(request))

    def head_content(
        self, url: str, headers: dict[str, Any], try_count: int = _TRY_COUNT_HEAD
    ) -> requests.Response:
        """Ask for the headers of a download."""
        return self._repeat(
            HttpRequest(
                method='HEAD',
                url=url,
                headers=headers,
                policy=self._policy('calls', try_count, _TRY_COUNT_HEAD, self.TRY_COUNT_HEAD),
                idle_timeout=self._idle_timeout('calls'),
            )
        )

    def _new_session(self) -> requests.Session:
        from requests.adapters import HTTPAdapter

        from .http_connections import make_breakable

        session = self.api_config.http_session_factory()
        for adapter in session.adapters.values():
            # An adapter that the caller has chosen stays as it is.
            if type(adapter) is HTTPAdapter:
                adapter.init_poolmanager(_POOL_SIZE, _POOL_SIZE, blocksize=_BODY_BLOCK_SIZE)
                make_breakable(adapter)
        return session

    def _new_engine(self, connections: int) -> Engine:
        from ._core.transfer import Engine
        from .transfer.process_resources import process_resources

        return Engine(
            user_agent=self.user_agent,
            connect_timeout=self._connect_timeout(),
            idle_timeout=self._idle_timeout('downloads'),
            upload_idle_timeout=self._idle_timeout('uploads'),
            connections=connections,
            counters=self.counter.engine,
            rate_limits=self.api_config.rate_limits.core,
            gate=self._gate,
            resources=process_resources(),
        )

    def _new_gate(self) -> Gate:
        from ._core.transfer import Gate

        policy = self._policy('calls', 0, 0, self.TRY_COUNT_OTHER)
        return Gate(first_pause=policy.first_delay, longest_pause=policy.max_delay)

    def _connect_timeout(self) -> float:
        chosen = self.api_config.timeouts
        return chosen.connect if chosen is not None else self.CONNECTION_TIMEOUT

    def _idle_timeout(self, kind: Kind) -> float:
        if self.api_config.timeouts is not None:
            return self.api_config.timeouts.of(kind)
        if kind == 'copies':
            return self.TIMEOUT_FOR_COPY
        return self.TIMEOUT_FOR_UPLOAD if kind == 'uploads' else self.TIMEOUT

    def _policy(self, kind: Kind, given: int, default: int, usual: int) -> RetryPolicy:
        """A number of attempts that the caller chose counts, then the settings', then ``usual``."""
        chosen = self.api_config.retry_policies
        policy = chosen.of(kind) if chosen is not None else RetryPolicy(attempts=usual)
        return policy if given == default else replace(policy, attempts=given)

    def _repeat(self, request: HttpRequest) -> requests.Response:
        policy = request.policy
        can_repeat = not isinstance(request.body, StreamBody) or request.body.can_rewind
        started = self._clock()
        delays = policy.delays(self._random)
        attempts = 0
        pause = self._gate.pause()
        if pause:
            # Longer by a random share, since not all are to come back at once.
            self._sleep(pause * (1 + self._random() / 4))
        while True:
            check_scope()
            attempts += 1
            try:
                response = self._attempt(request)
                self._gate.accepted()
                return response
            except B2Error as error:
                if isinstance(error, TooManyRequests):
                    self._gate.refused(error.retry_after_seconds)
                if not (can_repeat and error.should_retry_http()):
                    if attempts > 1 and not request.sends_content:
                        error.attempts = attempts
                    raise
                if error.retry_after_seconds is None:
                    delay = next(delays)
                else:
                    delay = error.retry_after_seconds
                    delays = policy.delays(self._random)
                waited = self._clock() - started
                too_late = policy.deadline is not None and waited + delay > policy.deadline
                if too_late or attempts >= policy.attempts:
                    if not request.sends_content:
                        error.attempts = attempts
                    raise
                logger.debug('%s failed, again in %.1f s: %s', request, delay, error)
            self._sleep(delay)
            self.counter.retried()

    def _attempt(self, request: HttpRequest) -> requests.Response:
        headers = {**request.headers, 'User-Agent': self.user_agent}
        if not self.api_config.decode_content:
            headers.setdefault('Accept-Encoding', 'identity')
        if isinstance(request.body, StreamBody):
            request.body.rewind()
        for callback in self.callbacks:
            callback.pre_request(request.method, request.url, headers)
        response = self._send(request, headers)
        logger.debug('%s: %d', request, response.status_code)
        try:
            for callback in self.callbacks:
                callback.post_request(request.method, request.url, headers, response)
            if not _is_good(response):
                raise error_of_response(response, request)
        except BaseException:
            response.close()
            raise
        return response

    def _send(self, request: HttpRequest, headers: dict[str, str]) -> requests.Response:
        """Send the request once; read the answer, unless it is good and to be streamed."""
        import requests

        from .requests import read_content, turn_off_decoding

        try:
            response = self.session.request(
                request.method,
                _with_dots(request.url),
                headers=headers,
                data=request.body,
                params=request.params,
                timeout=(
                    _within_scope(self._connect_timeout()),
                    _within_scope(request.idle_timeout),
                ),
                # Always: decoding has to be turned off before anything is read.
                stream=True,
                # A redirect would take the token to a host that B2 did not name; B2 uses none.
                allow_redirects=False,
                # Without it, a ~/.netrc would replace the token.
                auth=_leave_as_it_is,
            )
            if not self.api_config.decode_content:
                turn_off_decoding(response)
            if not (request.stream and _is_good(response)):
                read_content(response)
        except requests.RequestException as error:
            if not never_left(error):
                self.counter.requested(request.call)
            # The end of a scope breaks connections off.
            check_scope()
            if isinstance(request.body, StreamBody) and request.body.error is not None:
                raise request.body.error from None
            raise error_of_exception(error, request) from None
        self.counter.requested(request.call)
        return response


def _body_of(
    data: ReadOnlyStream | bytes | None, headers: dict[str, str]
) -> StreamBody | bytes | None:
    if data is None or isinstance(data, bytes):
        return data
    return StreamBody(data, headers)


def _within_scope(timeout: float) -> float:
    """A time-out in seconds, but no longer than the scope of the context lasts."""
    scope = current_scope()
    remaining = None if scope is None else scope.remaining
    return timeout if remaining is None else max(min(timeout, remaining), _SHORTEST_TIMEOUT)


def _with_dots(url: str) -> str:
    """Keep segments of dots, which a file's name may have, from being resolved by urllib3.

    It would ask for another file, even one in another bucket.  requests puts the dots back
    when urllib3 has parsed the URL.
    """
    path, mark, query = url.partition('?')
    return _DOT_SEGMENT.sub(lambda dots: '%2E' * len(dots[0]), path) + mark + query


def _kind_of(url: str) -> Kind:
    if url.endswith(_COPY_CALLS):
        return 'copies'
    return 'uploads' if url.endswith(_CALLS_AROUND_CONTENT) else 'calls'


def _is_good(response: requests.Response) -> bool:
    return response.status_code in (200, 206)


def _leave_as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _json_of(
    response: requests.Response,
    url: str,
    headers: dict[str, str],
    read: Callable[[bytes], JSON] = json.loads,
) -> JSON:
    try:
        return read(response.content)
    except ValueError:
        content = Redactor(url, headers).content(response.content)
        raise not_json(content, url) from None


def __getattr__(name: str) -> Any:
    # Importing requests takes longer than all the rest, so it waits for the first request.
    return load_name(globals(), {'NotDecompressingHTTPAdapter': 'requests'}, name)
