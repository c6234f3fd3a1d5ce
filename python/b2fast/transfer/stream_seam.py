"""Moving bytes as Python streams, through the raw API's own calls."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from ..cancel import check_scope
from ..exception import (
    B2Error,
    BadRequest,
    FileSha1Mismatch,
    InvalidJsonResponse,
    MaxRetriesExceeded,
    PartSha1Mismatch,
    SourceChanged,
    Unauthorized,
)
from ..retry import Attempts, RetryPolicy
from ..utils.headers import Headers
from ..utils.range_ import Range
from .inbound.content_check import ContentCheck
from .inbound.continued_body import ContinuedBody, open_response
from .inbound.replace import ReplacedFile
from .outbound.upload_source import (
    AbstractUploadSource,
    name_of,
    path_of_content,
    stretch_of_file,
)
from .seam import OpenDownload, Progress, TransferSeam, UploadContent

if TYPE_CHECKING:
    from .._core.transfer import Place
    from ..encryption.setting import EncryptionSetting
    from ..session import B2Session
    from .outbound.file_upload import FileUpload, PartUpload

_CHUNK_SIZE = 1024 * 1024
_MAX_REFUSED_URLS = 3
"""Refusals after which the reason is not the upload URL but the key; the core has the same."""
_MAX_UNREADABLE_ANSWERS = 3
"""Attempts at most whose answers cannot be read; the core has the same."""


class StreamSeam(TransferSeam):
    """The way of a raw API that does not speak HTTP, and of sources that only Python reads.

    One part is sent after the other: what such a raw API does is mostly done in memory.
    """

    def __init__(self, session: B2Session) -> None:
        self._session = session

    def open(self, source: AbstractUploadSource, attempts: int | None = None) -> UploadContent:
        """Look at the source; it is opened anew for every attempt."""
        policy = self._session.retry_policies.uploads.limited_to(attempts)
        return _StreamContent(self._session, source, policy)

    def open_download(
        self, url: str, range_: tuple[int, int] | None, encryption: EncryptionSetting | None
    ) -> OpenDownload:
        """Open the download through the raw API."""
        return _StreamDownload(self._session, url, range_, encryption)


class _Sent:
    """What the attempts at the stretches of an upload have sent, one stretch after the other."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._before = 0
        self._retried = 0
        self.furthest = 0

    def moved(self, start: int, end: int) -> None:
        """An attempt has sent these bytes of the stretch."""
        self._retried += max(0, min(self.furthest, end) - start)
        self.furthest = max(self.furthest, end)
        self._progress(self._before + self.furthest, self._retried)

    def next_stretch(self) -> None:
        """The stretch is done."""
        self._before += self.furthest
        self.furthest = 0


class _ReadPart:
    """A stretch of a stream as a stream.

    :param name: of the source, for errors
    :param moved: is called with the first of its bytes that were read just now, and with the end
    :param count: is called with how many bytes were read just now

    `read` raises `SourceChanged` if the stream ends before the stretch.
    """

    def __init__(
        self,
        name: str,
        stream: BinaryIO,
        offset: int,
        length: int,
        moved: Callable[[int, int], None],
        count: Callable[[int], None],
    ) -> None:
        self._name = name
        self._stream = stream
        self._offset = offset
        self._left = length
        self._length = length
        self._moved = moved
        self._count = count
        if offset:
            stream.seek(offset)

    def read(self, size: int | None = -1) -> bytes:
        """At most ``size`` bytes, or all that are left; none at the end."""
        check_scope()
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data = self._stream.read(wanted) if wanted else b''
        if wanted and not data:
            # Sent as it is, the service would wait for the rest.
            raise SourceChanged(self._name, f'it ended {self._left} bytes early')
        start = self.tell()
        self._left -= len(data)
        self._count(len(data))
        self._moved(start, self.tell())
        return data

    def tell(self) -> int:
        """How many bytes were read."""
        return self._length - self._left

    def seek(self, position: int) -> int:
        """Go on from there; a raw API that sends the stretch again goes to its start."""
        if position == self.tell():
            # A stream that cannot be sought is at its start once.
            return position
        self._stream.seek(self._offset + position)
        self._left = self._length - position
        return position


class _StreamContent(UploadContent):
    def __init__(
        self, session: B2Session, source: AbstractUploadSource, policy: RetryPolicy
    ) -> None:
        self._session = session
        self._source = source
        self._policy = policy
        stretch = stretch_of_file(source)
        self._path = None if stretch is None else stretch[0]
        self._state = self._state_of_file()
        self._length = source.get_content_length()
        if self._state is not None and path_of_content(source) is not None:
            self._length = self._state[0]

    @property
    def length(self) -> int:
        return self._length

    def hash_parts(self, parts: Sequence[tuple[int, int]]) -> tuple[str, list[str]]:
        whole = hashlib.sha1(usedforsecurity=False)
        digests = []
        with self._opened() as stream:
            for _, length in parts:
                part = hashlib.sha1(usedforsecurity=False)
                for chunk in _chunks(self._part_of(stream, 0, length)):
                    whole.update(chunk)
                    part.update(chunk)
                digests.append(part.hexdigest())
        return whole.hexdigest(), digests

    def send(self, upload: FileUpload, sha1: str | None, progress: Progress) -> dict[str, Any]:
        digest = sha1 or self._sha1_of(0, self._length)
        computed = None if sha1 else digest

        def attempt(stream: _ReadPart) -> dict[str, Any]:
            return self._session.upload_file(
                upload.bucket_id,
                upload.file_name,
                self._length,
                upload.content_type,
                digest,
                upload.file_info,
                stream,
                server_side_encryption=upload.encryption,
                file_retention=upload.file_retention,
                legal_hold=upload.legal_hold,
                custom_upload_timestamp=upload.custom_upload_timestamp,
            )

        return self._with_retries(attempt, 0, self._length, computed, _Sent(progress))

    def send_parts(
        self,
        file_id: str,
        parts: Sequence[PartUpload],
        encryption: EncryptionSetting | None,
        progress: Progress,
    ) -> list[str]:
        digests: list[str] = []
        sent = _Sent(progress)
        for part in parts:
            digest = part.sha1 or self._sha1_of(part.offset, part.length)
            self._send_part(file_id, part, digest, encryption, sent)
            digests.append(digest)
            sent.next_stretch()
        return digests

    def _send_part(
        self,
        file_id: str,
        part: PartUpload,
        digest: str,
        encryption: EncryptionSetting | None,
        sent: _Sent,
    ) -> None:
        def attempt(stream: _ReadPart) -> dict[str, Any]:
            return self._session.upload_part(
                file_id,
                part.number,
                part.length,
                digest,
                stream,
                server_side_encryption=encryption,
            )

        computed = None if part.sha1 else digest
        self._with_retries(attempt, part.offset, part.length, computed, sent)

    def _with_retries(
        self,
        attempt: Callable[[_ReadPart], dict[str, Any]],
        offset: int,
        length: int,
        computed: str | None,
        sent: _Sent,
    ) -> dict[str, Any]:
        """Send a stretch.

        :param computed: its SHA-1 in hex if it was computed here, and not given from outside
        """
        attempts = Attempts(self._policy)
        counter = self._session.counter
        errors: list[B2Error] = []
        refused = 0
        unreadable = 0
        furthest = 0
        while True:
            try:
                with self._opened() as stream:
                    content = self._part_of(stream, offset, length, sent.moved, counter.sent)
                    return attempt(content)
            except B2Error as error:
                if sent.furthest > furthest:
                    # One attempt at a large body on a slow line may outlast the deadline.
                    furthest = sent.furthest
                    attempts.progress()
                # The work may be done, as when the answer is lost.
                is_unreadable = isinstance(error, InvalidJsonResponse)
                unreadable += is_unreadable
                # Requests with content are tried once below, so what passes for any request
                # counts too.
                may_pass = error.should_retry_upload() or error.should_retry_http()
                is_damaged = _is_damaged(error)
                if is_damaged or isinstance(error, FileSha1Mismatch | PartSha1Mismatch):
                    self._check_sha1(computed, offset, length, error)
                refused += is_damaged or isinstance(error, Unauthorized)
                given_up = error.attempts is not None
                may_pass = may_pass or is_damaged or is_unreadable
                if not may_pass or given_up or refused > _MAX_REFUSED_URLS:
                    raise
                errors.append(error)
                too_often = unreadable >= _MAX_UNREADABLE_ANSWERS
                if too_often or not attempts.wait(error.retry_after_seconds):
                    raise MaxRetriesExceeded(len(errors), errors) from error
                counter.retried()

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """Open the source to read it. Raises `SourceChanged` whatever else came of a change."""
        with self._source.open() as stream:
            try:
                yield stream
            except B2Error:
                self._check_unchanged()
                raise
            self._check_unchanged()

    def _sha1_of(self, offset: int, length: int) -> str:
        if length == self._length:
            known = self._source.get_content_sha1()
            # It may have been read to its end for that.
            if self._path is None and self._source.get_content_length() != length:
                raise SourceChanged(name_of(self._source), f'it does not have {length} bytes')
            if known is not None:
                return known
        return self._hash(offset, length)

    def _check_sha1(self, computed: str | None, offset: int, length: int, error: B2Error) -> None:
        """Was it the source that changed since it was hashed? Raises `SourceChanged` then."""
        if computed is not None and self._hash(offset, length) != computed:
            raise SourceChanged(name_of(self._source)) from error

    def _hash(self, offset: int, length: int) -> str:
        digest = hashlib.sha1(usedforsecurity=False)
        with self._opened() as stream:
            for chunk in _chunks(self._part_of(stream, offset, length)):
                digest.update(chunk)
        return digest.hexdigest()

    def _part_of(
        self,
        stream: BinaryIO,
        offset: int,
        length: int,
        moved: Callable[[int, int], None] | None = None,
        count: Callable[[int], None] | None = None,
    ) -> _ReadPart:
        return _ReadPart(
            name_of(self._source), stream, offset, length, moved or _ignore, count or _ignore
        )

    def _state_of_file(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        found = self._path.stat()
        return found.st_size, found.st_mtime_ns

    def _check_unchanged(self) -> None:
        if self._state_of_file() != self._state:
            raise SourceChanged(str(self._path))

    def close(self) -> None:
        # Every attempt closes what it opened.
        pass


class _StreamDownload(OpenDownload):
    def __init__(
        self,
        session: B2Session,
        url: str,
        range_: tuple[int, int] | None,
        encryption: EncryptionSetting | None,
    ) -> None:
        response = open_response(session, url, range_, encryption)
        self._headers = Headers(response.headers)
        self._length = int(self._headers['Content-Length'])
        start = (
            Range.from_header(self._headers['Content-Range']).start
            if 'Content-Range' in self._headers
            else 0
        )
        self._body = ContinuedBody(
            session,
            url,
            encryption,
            response,
            start=start,
            length=self._length,
            chunk_size=_CHUNK_SIZE,
        )
        self._rest = b''

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    def continue_at(self, file_url: str) -> None:
        self._body.url = file_url

    def read(self, size: int) -> bytes:
        if not self._rest:
            self._rest = self._body.next_chunk()
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def save_to(
        self,
        path: str | Place,
        *,
        sha1: str | None,
        streams: int,
        mtime_ns: int | None,
        progress: Progress,
    ) -> None:
        check = ContentCheck(sha1, self._length)
        with ReplacedFile(path, mtime_ns) as file:
            while chunk := self.read(_CHUNK_SIZE):
                check.update(chunk)
                file.write(chunk)
                progress(check.received, 0)
            check.finish()

    def close(self) -> None:
        self._body.close()


def _is_damaged(error: B2Error) -> bool:
    """Did the service receive other content than was sent?"""
    return isinstance(error, BadRequest) and 'did not match data received' in str(error).lower()


def _chunks(stream: _ReadPart) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_SIZE):
        yield chunk


def _ignore(*counts: int) -> None:
    """The progress that nobody wants to see."""
