"""Scripted faults: what goes wrong, in which call, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong in a call.

    :param call: name of the call: `b2_upload_file`, `b2_download_file_by_name`, ...
    :param status: answer with this HTTP status instead of doing the work.
    :param code: `code` of that answer; by default the usual one of the status.
    :param message: `message` of that answer.
    :param retry_after: seconds in the `Retry-After` header of that answer.
    :param cut_after: do the work, but close the connection after this many bytes of the
        answer's body; with 0 the whole answer is lost.
    :param flip_at: invert the byte at this offset of the answer's body.
    :param cut_upload_after: close the connection when this many bytes of an upload's content
        have arrived. It strikes the next uploads of whichever kind, `skip` does not apply.
    :param expire_token: end the token that the request carries, then serve the request.
    :param count: how many of the calls it strikes.
    :param skip: how many of the calls pass before.
    """

    call: str
    status: int | None = None
    code: str | None = None
    message: str = 'A scripted fault'
    retry_after: int | None = None
    cut_after: int | None = None
    flip_at: int | None = None
    cut_upload_after: int | None = None
    expire_token: bool = False
    count: int = 1
    skip: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.skip < 0:
            raise ValueError('a fault needs a count of at least 1 and a skip of at least 0')
        kinds = (self.status, self.cut_after, self.flip_at, self.cut_upload_after)
        if all(kind is None for kind in kinds) and not self.expire_token:
            raise ValueError('the fault does nothing')
        if self.cut_upload_after is not None and self.skip:
            raise ValueError('cut_upload_after strikes the next uploads; it has no skip')

    @property
    def usual_code(self) -> str:
        """The `code` of the answer."""
        return self.code or _USUAL_CODES.get(self.status or 0, 'internal_error')


_USUAL_CODES = {
    400: 'bad_request',
    401: 'unauthorized',
    403: 'access_denied',
    404: 'not_found',
    408: 'request_timeout',
    409: 'conflict',
    416: 'range_not_satisfiable',
    429: 'too_many_requests',
    503: 'service_unavailable',
}


class _Armed:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.skip = fault.skip
        self.count = fault.count


class FaultScript:
    """The faults to come, in the order in which they were added. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        """Adds a fault behind those there are."""
        with self._lock:
            self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Forgets all faults."""
        with self._lock:
            self._armed.clear()

    def strike(self, call: str) -> Fault | None:
        """Returns what goes wrong with this request, if anything.

        A request meets one fault at most: the first of its call that is not used up.
        """
        with self._lock:
            for armed in self._armed:
                if armed.fault.call != call:
                    continue
                if armed.skip:
                    armed.skip -= 1
                    return None
                armed.count -= 1
                if not armed.count:
                    self._armed.remove(armed)
                return armed.fault
            return None
