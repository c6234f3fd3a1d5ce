"""Uploads and downloads of the HTTP door. Content stays where the server put it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from b2fast._core.server import Content, Request
from b2fast.file_lock import LegalHold
from b2fast.http_constants import HEX_DIGITS_AT_END

from . import errors, http_shapes, ids, rules
from .bucket import Bucket, NewFile
from .file import File, encryption_headers
from .http_request import Params, header, header_encryption, integer, uploaded_file
from .ranges import parse_range
from .state import Key, Service

#: Status, headers and content of a download.
Download = tuple[int, dict[str, str], Content]


class Transfers:
    """Stores what was uploaded and finds what is to be downloaded."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._options = service.profile.options

    # Uploads

    def upload_file(self, request: Request, version: int, bucket_id: str) -> dict[str, Any]:
        """Answers `b2_upload_file`.

        :raises SimulatedError: nothing is stored then.
        """
        headers = request.headers
        with self._service.upload_with(headers.get('authorization'), request.age) as token:
            if token.file_id is not None or token.bucket.bucket_id != bucket_id:
                raise errors.bad_auth_token()
            new = uploaded_file(headers)
            content, sha1 = _received(request)
            with self._service.lock:
                bucket = self._service.bucket(bucket_id)
                self._check_key(token.key, new)
                file = bucket.upload(new, content, sha1)
                return http_shapes.file_version(file, version, token.key.capabilities.__contains__)

    def upload_part(self, request: Request, file_id: str) -> dict[str, Any]:
        """Answers `b2_upload_part`; see `upload_file`."""
        headers = request.headers
        with self._service.upload_with(headers.get('authorization'), request.age) as token:
            if token.file_id != file_id:
                raise errors.bad_auth_token()
            number = integer(header(headers, 'x-bz-part-number'), 'X-Bz-Part-Number')
            content, sha1 = _received(request)
            encryption = header_encryption(headers)
            with self._service.lock:
                bucket = self._service.bucket(token.bucket.bucket_id)
                part = bucket.add_part(file_id, number, content, sha1, encryption)
                return http_shapes.part(part, bucket.unfinished_file(file_id))

    @staticmethod
    def _check_key(key: Key, new: NewFile) -> None:
        needed = {'writeFiles'}
        if new.retention is not None:
            needed.add('writeFileRetentions')
        if new.legal_hold is not None:
            needed.add('writeFileLegalHolds')
        if not needed <= set(key.capabilities) or not key.covers_name(new.name):
            raise errors.unauthorized()

    # Downloads

    def download_by_id(self, params: Params, request: Request) -> Download:
        """Answers `b2_download_file_by_id`."""
        file_id = params.required('fileId')
        token = request.headers.get('authorization') or params.optional('Authorization')
        with self._service.lock:
            if token is not None:
                self._service.key_of(token)
            ids.check_file_id(file_id)
            file = self._service.file(file_id)
            if not file.bucket.is_public or token is not None:
                self._service.check(token, 'readFiles', file.bucket, file.name)
            if not file.is_visible():
                raise errors.not_found(file_id)
            return self._download(file, params, request.headers, token)

    def download_by_name(
        self, bucket_name: str, file_name: str, params: Params, request: Request
    ) -> Download:
        """Answers a download by bucket name and file name."""
        token = request.headers.get('authorization') or params.optional('Authorization')
        with self._service.lock:
            bucket = self._service.bucket_named(bucket_name)
            if not bucket.is_public or token is not None:
                self._check_reader(bucket, file_name, params, token)
            try:
                file = bucket.visible_file(file_name)
            except errors.SimulatedError as refusal:
                if self._options.folder_download_status != 404 and file_name.endswith('/'):
                    raise errors.bad_request(refusal.message) from None
                raise
            return self._download(file, params, request.headers, token)

    def _check_reader(
        self, bucket: Bucket, file_name: str, params: Params, token: str | None
    ) -> None:
        granted = self._service.download_tokens.get(token or '')
        if granted is None:
            self._service.check(token, 'readFiles', bucket, file_name)
            return
        if self._service.is_expired(token or '', granted.expires):
            raise errors.expired_auth_token()
        if granted.bucket_id != bucket.bucket_id or not file_name.startswith(granted.prefix):
            raise errors.unauthorized()
        if any(params.optional(name) != value for name, value in granted.overrides.items()):
            raise errors.unauthorized()

    def _download(
        self, file: File, params: Params, headers: Mapping[str, str], token: str | None
    ) -> Download:
        file.check_encryption(header_encryption(headers))
        range_ = parse_range(headers.get('range'), file.content_length, self._options)
        answer = {name.lower(): text for name, text in file.download_headers(range_).items()}
        # The server counts for itself, also in the answer to HEAD.
        del answer['content-length']
        answer['accept-ranges'] = 'bytes'
        default = file.bucket.bucket_info.get('Cache-Control')
        if default is not None:
            answer.setdefault('cache-control', default)
        answer |= self._overrides(params, token)
        if self._options.content_md5_header and file.content_md5 is not None:
            answer['content-md5'] = file.content_md5
        answer |= encryption_headers(file.server_side_encryption)
        answer |= self._lock_headers(file, token)
        status = http_shapes.replication_status(file)
        if status is not None:
            answer['x-bz-replication-status'] = status
        if range_ is None:
            return 200, answer, file.content
        return 206, answer, file.content.slice(*range_)

    def _overrides(self, params: Params, token: str | None) -> dict[str, str]:
        values = rules.download_overrides(params.optional, self._options.header_limit)
        if values and token is None:
            raise errors.unauthorized(f'{next(iter(values))} needs an authorization token')
        return {rules.DOWNLOAD_OVERRIDES[name].lower(): text for name, text in values.items()}

    def _lock_headers(self, file: File, token: str | None) -> dict[str, str]:
        answer: dict[str, str] = {}
        withheld = []
        if file.file_retention is not None:
            if self._service.may(token, 'readFileRetentions'):
                file.file_retention.add_to_to_upload_headers(answer)
            else:
                withheld += [
                    'X-Bz-File-Retention-Mode',
                    'X-Bz-File-Retention-Retain-Until-Timestamp',
                ]
        if file.legal_hold in (LegalHold.ON, LegalHold.OFF):
            if self._service.may(token, 'readFileLegalHolds'):
                answer['X-Bz-File-Legal-Hold'] = str(file.legal_hold.value)
            else:
                withheld.append('X-Bz-File-Legal-Hold')
        if withheld:
            answer['X-Bz-Client-Unauthorized-To-Read'] = ','.join(withheld)
        return answer


def _received(request: Request) -> tuple[Content, str]:
    """Returns the content and what the client says of its SHA-1."""
    sha1 = header(request.headers, 'x-bz-content-sha1')
    if sha1 == HEX_DIGITS_AT_END:
        sha1 = request.trailing_sha1 or ''
    return Content() if request.content is None else request.content, sha1
