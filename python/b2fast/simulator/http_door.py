"""The HTTP door: from a request to a call of the core, and from its answer to a response."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

from b2fast._core.server import BodyFaults, Content, Request, Response

from . import errors, http_shapes, ids
from .errors import SimulatedError
from .faults import UPLOAD_CALLS, ArmedFaults, Fault, FaultScript
from .http_calls import JsonCalls
from .http_cors import Cors
from .http_keys import FIRST_VERSION_WITH_SEVERAL_BUCKETS
from .http_paths import CALL_PATH, FILE_PATH
from .http_request import Call, Params, decode
from .http_test_mode import RequestedFaults
from .http_transfers import Transfers
from .request_log import RequestLog
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
_encode = json.JSONEncoder(check_circular=False, sort_keys=True, separators=(',', ':')).encode
# A refusal with one of these ends the upload URL, as B2's integration checklist says.
_ENDS_UPLOAD_URL = (401, 408)
_OTHER_CALLS = frozenset(
    {'b2_authorize_account', 'b2_download_file_by_id', 'b2_download_file_by_name', *UPLOAD_CALLS}
)


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
        self._requested_faults = RequestedFaults(service)
        self.faults = ArmedFaults()
        self.log = RequestLog()

    def __call__(self, request: Request) -> Response:
        """Answers a request."""
        try:
            self._service.tick_when_due()
            name, answer, status = self._answer(request)
        except Exception:
            _logger.exception('The simulator failed to serve %s %s', request.method, request.path)
            name, status = 'failed', 500
            answer = error_response(SimulatedError(500, 'internal_error', 'The simulator failed'))
        self.log.add(name, request, status)
        return answer

    def begin_upload(self, head: Request) -> BodyFaults | None:
        """Tells what goes wrong with an upload whose content is still to come."""
        try:
            name = _call_name(head)
        except SimulatedError:
            return None
        fault = self.faults.strike_upload(name)
        if fault is None:
            return None
        if fault.ends_uploads:
            self.log.add(name, head, None)
        return fault.faults_of_upload

    def play(self, script: FaultScript) -> None:
        """Takes the faults and the seed of a script in place of those there are."""
        self.faults.play(script)
        self._requested_faults.seed(script.seed)

    def seed(self, seed: int) -> None:
        """Begins anew all draws that decide about faults."""
        self.faults.seed = seed
        self._requested_faults.seed(seed)

    @property
    def call_names(self) -> frozenset[str]:
        """The calls that it answers."""
        return self._json_calls.names | _OTHER_CALLS

    def _answer(self, request: Request) -> tuple[str, Response, int]:
        name = 'unknown'
        fault: Fault | None = None
        try:
            name = _call_name(request)
            if request.method == 'OPTIONS':
                return 'preflight', Response(200, self._cors.preflight(name, request)), 200
            fault = self.faults.strike(name)
            self._commit(fault, name, request)
            # Before the request, what was waiting for the clock; after it, what it brought: its
            # answer still says PENDING.
            self._service.replicate()
            status, headers, body = self._serve(name, request)
            self._service.replicate()
            headers += self._cors.headers(name, request)
        except SimulatedError as refusal:
            if name in UPLOAD_CALLS:
                self._end_upload_url(refusal, request)
            return name, error_response(refusal, fault), refusal.status
        return name, _response(status, headers, body, fault), status

    def _commit(self, fault: Fault | None, name: str, request: Request) -> None:
        mode = request.headers.get('x-bz-test-mode')
        if fault is None and mode is None:
            return
        token = request.headers.get('authorization')
        if token is None:
            token = Params.of_query(request.query).optional('Authorization')
        if fault is not None and fault.expire_token and token is not None:
            with self._service.lock:
                self._service.expire_token(token)
        if fault is not None and fault.status is not None:
            raise SimulatedError(fault.status, fault.usual_code, fault.message)
        if mode is not None:
            self._requested_faults.strike(mode, name, token)

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
        return 200, list(_JSON_HEADERS), encode_json(answer)

    def _serve_json(self, name: str, request: Request) -> Any:
        match = CALL_PATH.fullmatch(request.path)
        if match is None:
            raise errors.bad_request(f'Invalid path for {name}')
        version = int(match[1])
        if name in UPLOAD_CALLS:
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
        key_id, secret = basic_credentials(request.headers.get('authorization', ''))
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


def basic_credentials(authorization: str) -> tuple[str, str]:
    """Returns what an Authorization header of the kind Basic says.

    :raises SimulatedError: it is no such header.
    """
    scheme, _, encoded = authorization.partition(' ')
    try:
        key_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(':')
    except ValueError:
        raise errors.bad_auth_token('') from None
    if scheme.lower() != 'basic' or not colon:
        raise errors.bad_auth_token('')
    return key_id, secret


def encode_json(values: Any) -> bytes:
    """Returns the body of an answer."""
    return _encode(values).encode()


def json_response(values: Any) -> Response:
    """Returns the answer to a call that was served."""
    return Response(200, _JSON_HEADERS, encode_json(values))


def error_response(refusal: SimulatedError, fault: Fault | None = None) -> Response:
    """Returns the answer to a call that was refused.

    :param fault: what goes wrong with the answer.
    """
    body = {'status': refusal.status, 'code': refusal.code, 'message': refusal.message}
    headers = list(_ERROR_HEADERS)
    if fault is not None and fault.retry_after is not None:
        headers.append(('Retry-After', str(fault.retry_after)))
    if refusal.code == 'bad_auth_token' and not refusal.message:
        headers.append(('WWW-Authenticate', 'BASIC realm="authorize_account"'))
    # The service closes the connection after a bad request, and only then.
    return _response(
        refusal.status, headers, json.dumps(body).encode(), fault, close=refusal.status == 400
    )


def _response(
    status: int,
    headers: list[tuple[str, str]],
    body: bytes | Content,
    fault: Fault | None,
    *,
    close: bool = False,
) -> Response:
    if fault is None:
        return Response(status, headers, body, close=close)
    return Response(
        status,
        headers,
        body,
        close=close,
        delay=fault.delay or 0.0,
        faults=fault.faults_of_answer,
    )
