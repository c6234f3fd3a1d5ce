"""Moving bytes as Python streams, when things go wrong."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from b2fast import (
    B2Session,
    RetryPolicies,
    RetryPolicy,
    UploadSourceBytes,
    UploadSourceLocalFile,
    retry,
)
from b2fast.exception import (
    B2ConnectionError,
    BadRequest,
    MaxRetriesExceeded,
    ServiceError,
    SourceChanged,
    TruncatedOutput,
)
from b2fast.stats import CallCounter
from b2fast.transfer import stream_seam
from b2fast.transfer.outbound.file_upload import FileUpload, PartUpload
from b2fast.transfer.seam import OpenDownload
from b2fast.transfer.stream_seam import StreamSeam

DATA = bytes(range(200))
UPLOAD = FileUpload('bucket', 'name', 'b2/x-auto', {})


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, in seconds; they take no time."""
    made: list[float] = []
    monkeypatch.setattr(retry.time, 'sleep', made.append)
    return made


class Session:
    """Answers uploads and downloads as it is told."""

    retry_policies = RetryPolicies.same(
        RetryPolicy(attempts=5, first_delay=0.05, factor=2.0, max_delay=5.0)
    )

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.uploaded: list[bytes] = []
        self.asked: list[Any] = []
        self.counter = CallCounter()

    def upload_file(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return self._upload(args[6])

    def upload_part(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return self._upload(args[4])

    def _upload(self, stream: Any) -> dict[str, Any]:
        outcome = self.outcomes.pop(0)
        content = stream.read(7) + stream.read()
        if isinstance(outcome, Exception):
            raise outcome
        self.uploaded.append(content)
        return {'answer': len(content)}

    def download_file_from_url(self, url: str, range_: Any, encryption: Any) -> Any:
        self.asked.append((url, range_))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return Response(outcome, range_)


class Response:
    """A body that ends after some bytes, with an error or just so."""

    def __init__(self, outcome: Any, range_: tuple[int, int] | None) -> None:
        first, last = range_ or (0, len(DATA) - 1)
        self.headers = {'Content-Length': str(last - first + 1)}
        if range_ is not None:
            self.headers['Content-Range'] = f'bytes {first}-{last}/{len(DATA)}'
        self.body = DATA[first : last + 1]
        self.outcome = outcome
        self.closed = False

    def iter_content(self, chunk_size: int) -> Iterator[bytes]:
        size, error = self.outcome
        yield from (self.body[start : start + 9] for start in range(0, size, 9))
        if error is not None:
            raise error

    def close(self) -> None:
        self.closed = True


def send(session: Session, source: Any) -> tuple[dict[str, Any], list[tuple[int, int]]]:
    told: list[tuple[int, int]] = []
    with StreamSeam(cast(B2Session, session)).open(source) as content:
        return content.send(UPLOAD, None, lambda *counts: told.append(counts)), told


def test_upload_is_repeated(pauses: list[float]) -> None:
    errors = [B2ConnectionError('x'), ServiceError('y', retry_after_seconds=30)]
    session = Session(*errors, 'fine')
    answer, told = send(session, UploadSourceBytes(DATA))
    assert answer == {'answer': len(DATA)}
    assert session.uploaded == [DATA]
    assert told[-1] == (len(DATA), 2 * len(DATA))
    assert told == sorted(told)
    assert len(pauses) == 2
    assert pauses[1] == 30


def test_upload_is_given_up(pauses: list[float]) -> None:
    errors = [B2ConnectionError(str(number)) for number in range(9)]
    with pytest.raises(MaxRetriesExceeded) as caught:
        send(Session(*errors), UploadSourceBytes(DATA))
    assert caught.value.limit == 5
    assert caught.value.exception_info_list == errors[:5]
    assert pauses == sorted(pauses)
    assert len(pauses) == 4


def test_refusal_is_not_repeated(pauses: list[float]) -> None:
    with pytest.raises(BadRequest):
        send(Session(BadRequest('no', 'bad_request')), UploadSourceBytes(DATA))
    assert pauses == []


def test_parts_are_stretches_of_the_source() -> None:
    session = Session('fine', B2ConnectionError('x'), 'fine')
    told: list[tuple[int, int]] = []
    parts = [PartUpload(1, 0, 150, None), PartUpload(2, 150, 50, None)]
    with StreamSeam(cast(B2Session, session)).open(UploadSourceBytes(DATA)) as content:
        whole, digests = content.hash_parts([(0, 150), (150, 50)])
        assert (
            content.send_parts('file', parts, None, lambda *counts: told.append(counts)) == digests
        )
        assert whole == UploadSourceBytes(DATA).get_content_sha1()
    assert session.uploaded == [DATA[:150], DATA[150:]]
    assert told[-1] == (len(DATA), 50)
    assert told == sorted(told)


def test_file_that_changes_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / 'source'
    path.write_bytes(DATA)

    class ChangingSession(Session):
        def _upload(self, stream: Any) -> dict[str, Any]:
            answer = super()._upload(stream)
            path.write_bytes(DATA + b'more')
            return answer

    with pytest.raises(SourceChanged, match='source'):
        send(ChangingSession('fine'), UploadSourceLocalFile(path))


def test_stream_can_be_read_again() -> None:
    counter, told = CallCounter(), []
    sent = stream_seam._Sent(lambda *counts: told.append(counts))
    stream = stream_seam._ReadPart('source', io.BytesIO(DATA), 10, 20, sent.moved, counter.sent)
    assert stream.read(5) == DATA[10:15]
    assert stream.tell() == 5
    assert stream.read() == DATA[15:30]
    assert stream.read() == b''
    assert stream.seek(0) == 0
    assert stream.read(None) == DATA[10:30]
    assert told == [(5, 0), (20, 0), (20, 0), (20, 20)]
    # What is sent twice counts twice.
    assert counter.stats().bytes_sent == 40


def opened(session: Session, range_: tuple[int, int] | None = None) -> OpenDownload:
    return StreamSeam(cast(B2Session, session)).open_download('url', range_, None)


def read_all(download: OpenDownload) -> bytes:
    return b''.join(iter(lambda: download.read(10), b''))


def test_download_is_taken_up_where_it_broke() -> None:
    session = Session((50, None), (30, ConnectionResetError()), (120, B2ConnectionError('x')))
    assert read_all(opened(session)) == DATA
    # Chunks of nine bytes: the body of 50 ends after 54, the next one after 36 more.
    assert session.asked == [('url', None), ('url', (54, 199)), ('url', (90, 199))]


def test_range_is_taken_up_where_it_broke() -> None:
    session = Session((20, None), (200, None))
    assert read_all(opened(session, (100, 149))) == DATA[100:150]
    assert session.asked[1] == ('url', (127, 149))


def test_download_is_given_up(pauses: list[float]) -> None:
    session = Session((50, None), *[(0, None)] * 30)
    with pytest.raises(TruncatedOutput) as caught:
        read_all(opened(session))
    assert (caught.value.bytes_read, caught.value.file_size) == (54, 200)
    assert len(session.asked) == Session.retry_policies.downloads.attempts


def test_refusal_of_a_download_is_not_repeated() -> None:
    with pytest.raises(BadRequest):
        opened(Session(BadRequest('no', 'bad_request')))


def test_failed_download_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / 'target'
    target.write_bytes(b'old')
    download = opened(Session((50, None), *[(0, None)] * 30))
    with pytest.raises(TruncatedOutput):
        download.save_to(
            str(target),
            sha1=None,
            streams=1,
            mtime_ns=None,
            progress=lambda byte_count, retried: None,
        )
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['target']
