"""Moving bytes with the Rust core."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from .._core.transfer import (
    BulkDownloads,
    BulkUploads,
    Download,
    Engine,
    Leases,
    Retry,
    Source,
    TransferError,
)
from ..cancel import in_this_context
from ..encryption.types import EncryptionMode
from ..exception import AccessDenied, InvalidJsonResponse, LocalFileError, SSECKeyError
from .errors import Direction, exception_of
from .outbound.upload_source import (
    AbstractUploadSource,
    UploadSourceBytes,
    path_of_content,
)
from .seam import OpenDownload, Progress, TransferSeam, UploadContent

if TYPE_CHECKING:
    from .._core.transfer import Place
    from ..encryption.setting import EncryptionSetting
    from ..retry import RetryPolicy
    from ..session import B2Session
    from .outbound.file_upload import FileUpload, PartUpload

_SET_BY_THE_ENGINE = frozenset({'Authorization', 'Content-Length', 'X-Bz-Content-Sha1'})


@contextmanager
def _translated(direction: Direction) -> Iterator[None]:
    try:
        yield
    except TransferError as error:
        raise exception_of(error, direction) from None


class UploadLeases:
    """Upload URLs of buckets, with their warm connections, for the life of a session.

    They belong to the key that asked for them, since another key may not use them, and to the
    process, since a URL takes one upload at a time.
    """

    def __init__(self, session: B2Session) -> None:
        self._session = session
        self._reset()

    def __reduce__(self) -> tuple[type[UploadLeases], tuple[B2Session]]:
        # Another process asks for URLs of its own.
        return type(self), (self._session,)

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._owner: tuple[str, str] | None = None
        self._of_bucket: dict[str, Leases] = {}
        self._of_large_file: dict[str, Leases] = {}

    def of_bucket(self, bucket_id: str) -> Leases:
        """The upload URLs of a bucket."""
        if self._pid != os.getpid():
            # A child of fork: the lock may be held by a thread that the child does not have.
            self._reset()
        account_info = self._session.account_info
        owner = account_info.get_api_url(), account_info.get_application_key_id()
        with self._lock:
            if owner != self._owner:
                self._owner = owner
                self._of_bucket = {}
            leases = self._of_bucket.get(bucket_id)
            if leases is None:
                leases = self._of_bucket[bucket_id] = Leases(
                    _source_of_urls(self._session.get_upload_url, bucket_id)
                )
            return leases

    def of_large_file(self, file_id: str) -> Leases:
        """Upload URLs of one large file; they go when the caller forgets them."""
        kept = self._of_large_file.get(file_id)
        if kept is not None:
            return kept
        # Asked for by threads of the core, which know no scope.
        ask = in_this_context(self._session.get_upload_part_url)
        return Leases(_source_of_urls(ask, file_id))

    @contextmanager
    def kept_of_large_file(self, file_id: str) -> Iterator[None]:
        """Have `of_large_file` return the same ones in the meantime."""
        self._of_large_file[file_id] = self.of_large_file(file_id)
        try:
            yield
        finally:
            self._of_large_file.pop(file_id, None)


def _source_of_urls(
    ask: Callable[[str], dict[str, Any]], id_: str
) -> Callable[[], tuple[str, str]]:
    def get_one() -> tuple[str, str]:
        answer = ask(id_)
        return answer['uploadUrl'], answer['authorizationToken']

    return get_one


def _retry_of(policy: RetryPolicy) -> Retry:
    return Retry(
        attempts=policy.attempts,
        first_delay=policy.first_delay,
        factor=policy.factor,
        max_delay=policy.max_delay,
        deadline=policy.deadline,
    )


class EngineSeam(TransferSeam):
    """The way of the Rust core, for a raw API that speaks HTTP.

    :param workers: how many parts of a file are sent at a time
    :param streams: the way for sources that only Python can read
    """

    def __init__(
        self,
        session: B2Session,
        engine: Engine,
        leases: UploadLeases,
        workers: int,
        streams: TransferSeam,
    ) -> None:
        self._session = session
        self._engine = engine
        self._leases = leases
        self._workers = workers
        self._streams = streams

    def open(self, source: AbstractUploadSource, attempts: int | None = None) -> UploadContent:
        """Open the source in the core, unless it is one that only Python can read."""
        if isinstance(source, UploadSourceBytes) and type(source).open is UploadSourceBytes.open:
            return self._content(Source.of_bytes(source.data_bytes), attempts)
        path = path_of_content(source)
        if path is not None:
            try:
                with _translated(Direction.UPLOAD):
                    return self._content(Source.open(path), attempts)
            except LocalFileError as error:
                # Opening a file fails with PermissionError and the like in Python.
                raise OSError(error.errno, error.strerror, str(path)) from None
        return self._streams.open(source, attempts)

    def large_file(self, file_id: str) -> AbstractContextManager[None]:
        """Keep the upload URLs of the large file, with their connections."""
        return self._leases.kept_of_large_file(file_id)

    def _content(self, source: Source, attempts: int | None) -> UploadContent:
        retry = _retry_of(self._session.retry_policies.uploads.limited_to(attempts))
        return _EngineContent(
            self.headers_of, self._engine, self._leases, self._workers, source, retry
        )

    def open_download(
        self, url: str, range_: tuple[int, int] | None, encryption: EncryptionSetting | None
    ) -> OpenDownload:
        """Open the download in the core."""
        headers: dict[str, str] = {}
        if encryption is not None:
            encryption.add_to_download_headers(headers)
        try:
            with _translated(Direction.DOWNLOAD):
                download = self._engine.open_download(
                    url,
                    list(headers.items()),
                    self._session.authorize_again,
                    retry=_retry_of(self._session.retry_policies.downloads),
                    range=range_,
                )
        except AccessDenied:
            # As the raw API's own call says it.
            raise SSECKeyError from None
        return EngineDownload(download)

    def bulk_uploads(self, bucket_id: str, workers: int, large_from: int) -> BulkUploads:
        """A queue of small uploads to a bucket.

        :param large_from: files of so many bytes are not sent by it
        """
        return BulkUploads(
            self._engine,
            self._leases.of_bucket(bucket_id),
            retry=_retry_of(self._session.retry_policies.uploads),
            workers=workers,
            large_from=large_from,
        )

    def bulk_downloads(self, workers: int, verify: bool) -> BulkDownloads:
        """A queue of small downloads.

        :param verify: check the SHA-1
        """
        return BulkDownloads(
            self._engine,
            in_this_context(self._session.authorize_again),
            retry=_retry_of(self._session.retry_policies.downloads),
            workers=workers,
            verify=verify,
            url_of_ids=self._session.get_download_url_by_id(''),
        )

    def headers_of(self, upload: FileUpload, length: int) -> list[tuple[str, str]]:
        """The headers of a file, but those that the engine sets.

        :param length: bytes of the content
        """
        headers = self._session.raw_api.get_upload_file_headers(
            upload_auth_token='',
            file_name=upload.file_name,
            content_length=length,
            content_type=upload.content_type,
            content_sha1='',
            file_info=upload.file_info,
            server_side_encryption=upload.encryption,
            file_retention=upload.file_retention,
            legal_hold=upload.legal_hold,
            custom_upload_timestamp=upload.custom_upload_timestamp,
        )
        return [item for item in headers.items() if item[0] not in _SET_BY_THE_ENGINE]


def answer_of_upload(body: bytes) -> dict[str, Any]:
    """What B2 says of a new file. Raises `InvalidJsonResponse` if it is not JSON."""
    try:
        answer: dict[str, Any] = json.loads(body)
    except ValueError:
        raise InvalidJsonResponse(body) from None
    return answer


class _EngineContent(UploadContent):
    def __init__(
        self,
        headers_of: Callable[[FileUpload, int], list[tuple[str, str]]],
        engine: Engine,
        leases: UploadLeases,
        workers: int,
        source: Source,
        retry: Retry,
    ) -> None:
        self._headers_of = headers_of
        self._engine = engine
        self._leases = leases
        self._workers = workers
        self._source = source
        self._retry = retry

    @property
    def length(self) -> int:
        return self._source.length

    def hash_parts(self, parts: Sequence[tuple[int, int]]) -> tuple[str, list[str]]:
        with _translated(Direction.UPLOAD):
            return self._source.hash_parts(parts)

    def send(self, upload: FileUpload, sha1: str | None, progress: Progress) -> dict[str, Any]:
        with _translated(Direction.UPLOAD):
            body = self._engine.upload(
                self._source,
                self._leases.of_bucket(upload.bucket_id),
                self._headers_of(upload, self.length),
                retry=self._retry,
                sha1=sha1,
                progress=progress,
            )
        return answer_of_upload(body)

    def send_parts(
        self,
        file_id: str,
        parts: Sequence[PartUpload],
        encryption: EncryptionSetting | None,
        progress: Progress,
    ) -> list[str]:
        headers: dict[str, str] = {}
        if encryption is not None and encryption.mode is EncryptionMode.SSE_C:
            # A part repeats the key and nothing else, which is what a download sends.
            encryption.add_to_download_headers(headers)
        with _translated(Direction.UPLOAD):
            return self._engine.upload_parts(
                self._source,
                self._leases.of_large_file(file_id),
                list(headers.items()),
                [(part.number, part.offset, part.length, part.sha1) for part in parts],
                retry=self._retry,
                workers=self._workers,
                progress=progress,
            )

    def close(self) -> None:
        # The core closes the file when the object goes; the transfers above are over then.
        pass


class EngineDownload(OpenDownload):
    """A download that the core has opened."""

    HOW_TO_GO_ON = (
        'download it to the same path again: of a file of 8 MiB or more, '
        'what has arrived is not fetched twice'
    )

    def __init__(self, download: Download) -> None:
        self._download = download

    @property
    def headers(self) -> Mapping[str, str]:
        return self._download.headers

    def continue_at(self, file_url: str) -> None:
        self._download.continue_at(file_url)

    def read(self, size: int) -> bytes:
        with _translated(Direction.DOWNLOAD):
            return self._download.read(size)

    def save_to(
        self,
        path: str | Place,
        *,
        sha1: str | None,
        streams: int,
        mtime_ns: int | None,
        progress: Progress,
    ) -> None:
        with _translated(Direction.DOWNLOAD):
            self._download.save_to(
                path,
                sha1=sha1,
                streams=streams,
                mtime_ns=mtime_ns,
                progress=progress,
            )

    def close(self) -> None:
        self._download.close()
