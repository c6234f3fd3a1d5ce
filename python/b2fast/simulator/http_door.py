"""The HTTP door: from a request to a call of the core, and from its answer to a response."""

from __future__ import annotations

import base64
import json
import logging
from collections import Counter, deque
from dataclasses import dataclass
from threading import Lock
from typing import Any

from b2fast._core.server import Content, Request, Response

from . import errors, http_shapes, ids
from .errors import SimulatedError
from .faults import Fault, FaultScript
from .http_calls import JsonCalls
from .http_cors import Cors
from .http_keys import FIRST_VERSION_WITH_SEVERAL_BUCKETS
from .http_paths import CALL_PATH, FILE_PATH
from .http_request import Call, Params, decode
from .http_transfers import Transfers
from .state import Service

_logger = logging.getLogger(__name__)

_JSON_HEADERS = (
    ('Content-Type', 'application/json;charset=UTF-8'),
    ('Cache-Control', 'max-age=0, no-cache, no-store'),
)
_ERROR_HEADERS = (
    ('Content-Type', 'application/json;charset=utf-8'),
    ('Cache-Control', 'max-age=0, no-cache, no-store'),
)
_encode_json = json.JSONEncoder(sort_keys=True, separators=(',', ':')).encode
# A refusal with one of these ends the upload URL, as B2's integration checklist says.
_ENDS_UPLOAD_URL = (401, 408)
_KEPT_REQUESTS = 100_000


@dataclass(frozen=True)
class ServedRequest:
    """A request that was answered.

    :param call: name of the call.
    :param method: HTTP method.
    :param path: of the URL, percent-encoded.
    :param range: the Range header, if there was one.
    :param status: of the answer.
    """

    call: str
    method: str
    path: str
    range: str | None
    status: int


class HttpDoor:
    """Answers the requests to a service. Safe for several threads.

    :param service: what is behind the door.
    :param scheme: of the URLs that it names: http or https.
    """

    def __init__(self, service: Service, scheme: str = 'http') -> None:
        self._scheme = scheme
        self._service = service
        self._json_calls = JsonCalls(service)
        self._transfers = Transfers(service)
        self._cors = Cors(service)
        self.faults = FaultScript()
        self._log_lock = Lock()
        self._calls: Counter[str] = Counter()
        self._requests: deque[ServedRequest] = deque(maxlen=_KEPT_REQUESTS)

    def __call__(self, request: Request) -> Response:
        """Answers a request."""
        return self.serve(request)[0]

    def serve(self, request: Request) -> tuple[Response, Fault | None]:
        """Answers a request, and tells what is to go wrong while the answer is on its way."""
        fault: Fault | None = None
        try:
            self._service.tick_when_due()
            name, answer, fault = self._answer(request)
        except Exception:
            _logger.exception('The simulator failed to serve %s %s', request.method, request.path)
            name = 'failed'
            answer = refusal_response(SimulatedError(500, 'internal_error', 'The simulator failed'))
        served = ServedRequest(
            name, request.method, request.path, request.headers.get('range'), answer.status
        )
        with self._log_lock:
            self._calls[name] += 1
            self._requests.append(served)
        return answer, fault

    @property
    def calls(self) -> Counter[str]:
        """How many requests there were of each call."""
        with self._log_lock:
            return self._calls.copy()

    @property
    def requests(self) -> list[ServedRequest]:
        """The last 100,000 requests."""
        with self._log_lock:
            return list(self._requests)

    def _answer(self, request: Request) -> tuple[str, Response, Fault | None]:
        name = 'unknown'
        fault: Fault | None = None
        try:
            name = _call_name(request)
            if request.method == 'OPTIONS':
                return 'preflight', Response(200, self._cors.preflight(name, request)), None
            fault = self.faults.strike(name)
            if fault is not None:
                self._begin_fault(fault, request)
            # Before the request, what was waiting for the clock; after it, what it brought: its
            # answer still says PENDING.
            self._service.replicate()
            status, headers, body = self._serve(name, request)
            self._service.replicate()
            headers += self._cors.headers(name, request)
        except SimulatedError as refusal:
            if name in ('b2_upload_file', 'b2_upload_part'):
                self._end_upload_url(refusal, request)
            retry_after = None if fault is None else fault.retry_after
            return name, refusal_response(refusal, retry_after), None
        response = Response(
            status,
            headers,
            body,
            cut_after=None if fault is None else fault.cut_after,
            flip_at=None if fault is None else fault.flip_at,
        )
        return name, response, fault

    def _begin_fault(self, fault: Fault, request: Request) -> None:
        token = request.headers.get('authorization')
        if fault.expire_token and token is not None:
            with self._service.lock:
                self._service.expire_token(token)
        if fault.status is not None:
            raise SimulatedError(fault.status, fault.usual_code, fault.message)

    def _end_upload_url(self, refusal: SimulatedError, request: Request) -> None:
        token = request.headers.get('authorization')
        if token is not None and (refusal.status >= 500 or refusal.status in _ENDS_UPLOAD_URL):
            with self._service.lock:
                self._service.drop_upload_token(token)

    def _serve(
        self, name: str, request: Request
    ) -> tuple[int, list[tuple[str, str]], bytes | Content]:
        if name == 'b2_download_file_by_name':
            if request.method not in ('GET', 'HEAD'):
                raise errors.method_not_allowed('GET')
            match = FILE_PATH.fullmatch(request.path)
            if match is None:
                raise errors.bad_request('A download needs bucket name and file name')
            status, headers, content = self._transfers.download_by_name(
                decode(match[1]), decode(match[2]), Params.of_query(request.query), request
            )
            return status, list(headers.items()), content
        if name == 'b2_download_file_by_id':
            params = self._params(request, ('GET', 'HEAD', 'POST'))
            status, headers, content = self._transfers.download_by_id(params, request)
            return status, list(headers.items()), content
        answer = self._serve_json(name, request)
        return 200, list(_JSON_HEADERS), _encode_json(answer).encode()

    def _serve_json(self, name: str, request: Request) -> Any:
        match = CALL_PATH.fullmatch(request.path)
        if match is None:
            raise errors.bad_request(f'Invalid path for {name}')
        version = int(match[1])
        if name in ('b2_upload_file', 'b2_upload_part'):
            if request.method != 'POST':
                raise errors.method_not_allowed('POST')
            if match[3] is None:
                raise errors.bad_request(f'{name} needs the URL that was given for it')
            if name == 'b2_upload_file':
                return self._transfers.upload_file(request, version, decode(match[3]))
            return self._transfers.upload_part(request, decode(match[3]))
        base_url = f'{self._scheme}://{request.headers.get("host", "localhost")}'
        if name == 'b2_authorize_account':
            if request.method not in ('GET', 'POST'):
                raise errors.method_not_allowed('POST')
            return self._authorize(request, version, base_url)
        if not self._json_calls.knows(name):
            raise errors.bad_request(f'Invalid API name: {name}')
        params = self._params(request, ('GET', 'POST'))
        call = Call(version, base_url, request.headers.get('authorization'), params)
        with self._service.lock:
            return self._json_calls.answer(name, call)

    def _authorize(self, request: Request, version: int, base_url: str) -> Any:
        key_id, secret = _basic_credentials(request.headers.get('authorization', ''))
        with self._service.lock:
            key = self._service.authenticate(key_id, secret)
            if len(key.buckets_or_none or []) > 1 and version < FIRST_VERSION_WITH_SEVERAL_BUCKETS:
                raise SimulatedError(
                    401, 'unsupported', f'The key cannot be used with version {version}'
                )
            token = ids.new_token(key.application_key_id)
            self._service.add_token(token, key)
            return http_shapes.account(version, key, token, base_url, self._service.profile)

    @staticmethod
    def _params(request: Request, methods: tuple[str, ...]) -> Params:
        if request.method not in methods:
            raise errors.method_not_allowed('POST')
        if request.method == 'POST':
            return Params.of_json(request.body)
        return Params.of_query(request.query)


def _call_name(request: Request) -> str:
    if request.path.startswith('/file/'):
        return 'b2_download_file_by_name'
    match = CALL_PATH.fullmatch(request.path)
    if match is None:
        raise errors.bad_request(f'Invalid path: {request.path}')
    return match[2]


def _basic_credentials(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(' ')
    try:
        key_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(':')
    except ValueError:
        raise errors.bad_auth_token('') from None
    if scheme.lower() != 'basic' or not colon:
        raise errors.bad_auth_token('')
    return key_id, secret


def refusal_response(refusal: SimulatedError, retry_after: int | None = None) -> Response:
    """Returns the answer that tells a client of a refusal."""
    body = {'status': refusal.status, 'code': refusal.code, 'message': refusal.message}
    headers = list(_ERROR_HEADERS)
    if retry_after is not None:
        headers.append(('Retry-After', str(retry_after)))
    if refusal.code == 'bad_auth_token' and not refusal.message:
        headers.append(('WWW-Authenticate', 'BASIC realm="authorize_account"'))
    # The service closes the connection after a bad request, and only then.
    return Response(refusal.status, headers, json.dumps(body).encode(), close=refusal.status == 400)
