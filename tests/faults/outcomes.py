"""What each kind of fault leads to: a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from b2fast.exception import (
    AccessDenied,
    B2ConnectionError,
    B2RequestTimeout,
    B2RequestTimeoutDuringUpload,
    BadRequest,
    ChecksumMismatch,
    ConnectionReset,
    InvalidAuthToken,
    InvalidJsonResponse,
    RequestTimeout,
    ServiceError,
    SSECKeyError,
    TooManyRequests,
    TruncatedOutput,
    Unauthorized,
    UnexpectedCloudBehaviour,
    UnknownError,
)

from .clients import SEAMS
from .kinds import LOSE_ANSWER
from .scenes import Group

Outcome = type[Exception] | tuple[type[Exception], ...] | None
"""The error that comes out, or one of several where it depends on timing; None is success."""


@dataclass(frozen=True)
class Row:
    """What comes of one kind of fault.

    :param once: if one request meets it
    :param call: if each does, and has no content; also what a download ends in unless
        `download` says otherwise
    :param content: the same for uploads; of an error that is tried again, it is the last one
        in `MaxRetriesExceeded`
    """

    once: dict[Group, Outcome]
    call: Outcome
    content: Outcome
    download: Outcome

    def always(self, group: Group) -> Outcome:
        """The outcome if each request meets it."""
        return {'call': self.call, 'content': self.content, 'download': self.download}[group]


def _row(
    once: Outcome = None,
    call: Outcome = None,
    content: Outcome = None,
    download: Outcome = None,
    *,
    once_content: Outcome = None,
    once_download: Outcome = None,
) -> Row:
    by_group: dict[Group, Outcome] = {
        'call': once,
        'content': once_content,
        'download': once_download,
    }
    return Row(by_group, call, content, download)


def _for_good(error: Outcome, download: Outcome = None) -> Row:
    """What is not tried again."""
    download = download or error
    return _row(error, error, error, download, once_content=error, once_download=download)


def _passing(call: Outcome, content: Outcome | None = None, download: Outcome = None) -> Row:
    """What is tried again."""
    return _row(None, call, content or call, download or call)


_LOST = (B2ConnectionError, ConnectionReset, TruncatedOutput)

TABLE: dict[str, Row] = {
    '400': _for_good(BadRequest),
    # Another upload URL may help.
    '401': _row(Unauthorized, Unauthorized, Unauthorized, Unauthorized, once_download=Unauthorized),
    '401 expired': _passing(InvalidAuthToken),
    # The seams take it for a wrong key of the customer's.
    '403': _for_good(AccessDenied, SSECKeyError),
    '408': _passing(RequestTimeout),
    '429': _passing(TooManyRequests),
    '429 with Retry-After': _passing(TooManyRequests),
    '500': _passing(ServiceError),
    '503': _passing(ServiceError),
    '503 with Retry-After': _passing(ServiceError),
    'expired token': _passing(InvalidAuthToken),
    'delay': _row(),
    'slow answer': _row(),
    'answer lost': _passing(B2ConnectionError, _LOST),
    'answer lost by reset': _passing(B2ConnectionError, _LOST),
    'answer stalls': _passing(B2RequestTimeout, B2RequestTimeoutDuringUpload),
    # What has arrived of a download is kept, so it gets to its end.
    'truncated': _row(None, B2ConnectionError, _LOST),
    'reset within': _row(None, B2ConnectionError, _LOST),
    'stalls within': _row(None, B2RequestTimeout, B2RequestTimeoutDuringUpload),
    # The answer cannot be read; it may have been a good one. What is sent again takes the place
    # of the part, or of the version, behind the answer.
    'flipped byte': _row(
        InvalidJsonResponse,
        InvalidJsonResponse,
        InvalidJsonResponse,
        ChecksumMismatch,
        once_download=ChecksumMismatch,
    ),
    'upload cut before': _passing(_LOST),
    'upload cut within': _passing(_LOST),
    'upload reset before': _passing(_LOST),
    'upload reset within': _passing(_LOST),
    'upload stalls': _passing(B2RequestTimeoutDuringUpload),
    'upload flipped': _row(content=BadRequest),
    'slow upload': _row(),
}

_WITHIN = ['truncated', 'reset within', 'stalls within']


def _special() -> Iterator[tuple[str, str, str, Outcome, Outcome]]:
    for seam in SEAMS:
        # The token is of the answer, and in time for the next call.
        yield 'Authorize', 'expired token', seam, None, None
        yield 'Authorize', '401 expired', seam, InvalidAuthToken, InvalidAuthToken
        # An answer to HEAD has no body that could say more, or break.
        yield 'HeadFile', '401', seam, None, Unauthorized
        yield 'HeadFile', '401 expired', seam, None, Unauthorized
        yield 'HeadFile', '403', seam, UnknownError, UnknownError
        yield 'HeadFile', 'expired token', seam, None, Unauthorized
        for kind in (*_WITHIN, 'flipped byte'):
            yield 'HeadFile', kind, seam, None, None
        # B2 has no digest of a range: only TLS protects it.
        yield 'RangeByName', 'flipped byte', seam, None, None
        yield 'RangeById', 'flipped byte', seam, None, None
        # The file itself tells that it is finished.
        for kind in LOSE_ANSWER:
            yield 'FinishLargeFile', kind, seam, None, None
        # It is asked once more, and the work is found done.
        for deed in ('HideFile', 'DeleteFileVersion', 'CancelLargeFile'):
            yield deed, 'flipped byte', seam, None, None
    # Through Python, a refused URL and the token that asked for it are one to the retries.
    yield 'UploadUrl', '401', 'streams', None, Unauthorized
    yield 'PartUploadUrl', '401', 'streams', None, Unauthorized
    # There, asking for the URL is a part of the attempt.
    for deed in ('UploadUrl', 'PartUploadUrl'):
        yield deed, 'flipped byte', 'streams', None, InvalidJsonResponse
    # The core does not say it in the words of Python.
    for deed in ('SmallUpload', 'PartUpload'):
        yield deed, 'flipped byte', 'engine', None, UnexpectedCloudBehaviour


SPECIAL = {(deed, kind, seam): (once, always) for deed, kind, seam, once, always in _special()}
