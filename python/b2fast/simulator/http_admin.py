"""The admin calls of the simulator, on its own port below a path that is not B2's."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from b2fast._core.server import Request, Response

from . import errors
from .errors import SimulatedError
from .fault_files import check_fields, script_of
from .faults import FaultState, fault_values
from .http_door import basic_credentials, error_response, json_response
from .http_request import json_object
from .request_log import RequestLog
from .state import Key, Service

if TYPE_CHECKING:
    from .server import SimulatorServer

#: What the paths of the admin calls begin with.
ADMIN_PREFIX = '/simulator/'

_PAGE = 1000
_MAX_PAGE = 10_000


class AdminDoor:
    """Answers the admin calls: to this machine, and to who has the master key.

    A web page in a browser on this machine can send requests here, too. It does not have the
    key, and nothing here lets the browser ask its user for it.

    :param server: what the calls act on.
    :param service: knows the keys.
    :param master: the key that opens this door.
    :param log: the requests to B2's calls.
    """

    def __init__(
        self, server: SimulatorServer, service: Service, master: Key, log: RequestLog
    ) -> None:
        self._server = server
        self._service = service
        self._master = master
        self._log = log
        self._calls: dict[str, dict[str, Callable[[Request], Any]]] = {
            'faults': {
                'GET': self._list_faults,
                'POST': self._add_faults,
                'PUT': self._play_faults,
                'DELETE': self._clear_faults,
            },
            'seed': {'PUT': self._set_seed},
            'calls': {'GET': self._list_calls},
            'requests': {'GET': self._list_requests},
            'expire_tokens': {'POST': self._expire_tokens},
            'advance_clock': {'POST': self._advance_clock},
        }

    def __call__(self, request: Request) -> Response:
        """Answers a request."""
        try:
            self._check_sender(request)
            return json_response(self._answer(request))
        except SimulatedError as refusal:
            return error_response(refusal)

    def _check_sender(self, request: Request) -> None:
        if request.peer is None or not ip_address(request.peer).is_loopback:
            raise SimulatedError(
                403, 'access_denied', 'Admin calls are answered to this machine only'
            )
        try:
            key_id, secret = basic_credentials(request.headers.get('authorization', ''))
            with self._service.lock:
                is_master = self._service.authenticate(key_id, secret) is self._master
        except SimulatedError:
            is_master = False
        if not is_master:
            raise errors.unauthorized('Admin calls need the master key, as HTTP Basic auth')

    def _answer(self, request: Request) -> Any:
        name = request.path.removeprefix(ADMIN_PREFIX)
        methods = self._calls.get(name)
        if methods is None:
            known = ', '.join(f'{ADMIN_PREFIX}{call}' for call in self._calls)
            raise SimulatedError(404, 'not_found', f'No such admin call; there are {known}')
        call = methods.get(request.method)
        if call is None:
            allowed = ', '.join(methods)
            raise SimulatedError(405, 'method_not_allowed', f'only {allowed} is supported')
        try:
            return call(request)
        except ValueError as error:
            raise errors.bad_request(str(error)) from None

    # Faults

    def _list_faults(self, _: Request) -> dict[str, Any]:
        return {
            'seed': self._server.fault_seed,
            'faults': [_state_values(state) for state in self._server.faults],
        }

    def _add_faults(self, request: Request) -> dict[str, Any]:
        values = _body(request)
        check_fields(values, ('faults',))
        self._server.inject(*script_of(values).faults)
        return self._list_faults(request)

    def _play_faults(self, request: Request) -> dict[str, Any]:
        self._server.play(script_of(_body(request)))
        return self._list_faults(request)

    def _clear_faults(self, request: Request) -> dict[str, Any]:
        self._server.clear_faults()
        return self._list_faults(request)

    def _set_seed(self, request: Request) -> dict[str, Any]:
        seed = _body(request, 'seed')
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise ValueError('seed has to be an integer')
        self._server.seed_faults(seed)
        return self._list_faults(request)

    # What was asked

    def _list_calls(self, _: Request) -> dict[str, Any]:
        return {'calls': self._server.calls}

    def _list_requests(self, request: Request) -> dict[str, Any]:
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        check_fields(query, ('after', 'limit'))
        after = _number(query, 'after', 0, math.inf)
        limit = _number(query, 'limit', _PAGE, _MAX_PAGE)
        page = self._log.page(after, limit)
        return {
            'requests': [{'number': number, **asdict(served)} for number, served in page],
            'next': page[-1][0] if page else after,
        }

    # Time

    def _expire_tokens(self, _: Request) -> dict[str, Any]:
        self._server.expire_tokens()
        return {}

    def _advance_clock(self, request: Request) -> dict[str, Any]:
        seconds = _body(request, 'seconds')
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise ValueError('seconds has to be a number')
        if not 0 <= seconds < math.inf:
            raise ValueError('the clock moves forward only')
        self._server.advance_clock(seconds)
        return {'now': self._service.profile.clock()}


def _state_values(state: FaultState) -> dict[str, Any]:
    return {**fault_values(state.fault), 'struck': state.struck, 'isOver': state.is_over}


def _body(request: Request, only: str | None = None) -> Any:
    """Returns the object that the body is, or its `only` field."""
    values = json_object(request.body)
    if only is None:
        return values
    check_fields(values, (only,))
    if only not in values:
        raise ValueError(f'the field "{only}" is missing')
    return values[only]


def _number(query: Mapping[str, str], name: str, default: int, most: float) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r'[0-9]{1,18}', text) or int(text) > most:
        raise ValueError(f'{name} has to be an integer of 0 to {most:,}')
    return int(text)
