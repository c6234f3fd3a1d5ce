"""CORS at the HTTP door: which bucket a request is about, and what its rules answer."""

from __future__ import annotations

from b2fast._core.server import Request

from . import cors, errors
from .bucket import Bucket
from .http_paths import CALL_PATH, FILE_PATH
from .http_request import Params, decode
from .state import Service


class Cors:
    """Answers browsers that ask for a page of another origin.

    :param service: what is behind the door.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def preflight(self, call: str, request: Request) -> list[tuple[str, str]]:
        """Returns the headers of the answer to `OPTIONS`.

        :raises SimulatedError: no rule allows what is asked for.
        """
        if call not in cors.CALLS:
            raise errors.method_not_allowed('POST')
        with self._service.lock:
            bucket = self._bucket(call, request)
            return list(cors.preflight(bucket, call, request.headers).items())

    def headers(self, call: str, request: Request) -> list[tuple[str, str]]:
        """Returns what the answer of a call carries for the page that made it."""
        origin = request.headers.get('origin')
        if origin is None or call not in cors.CALLS:
            return []
        with self._service.lock:
            bucket = self._bucket(call, request)
            return list(cors.headers_for(bucket, call, origin).items())

    def _bucket(self, call: str, request: Request) -> Bucket | None:
        service = self._service
        if call == 'b2_download_file_by_name':
            match = FILE_PATH.fullmatch(request.path)
            return None if match is None else service.find_bucket_named(decode(match[1]))
        if call == 'b2_download_file_by_id':
            file_id = Params.of_query(request.query).optional('fileId')
            return None if file_id is None else service.bucket_of(file_id)
        match = CALL_PATH.fullmatch(request.path)
        target = '' if match is None else decode(match[3] or '')
        if call == 'b2_upload_file':
            return service.buckets_by_id.get(target)
        return service.bucket_of(target)
