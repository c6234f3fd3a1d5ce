"""What was asked of the simulator. It holds no query and no header that may carry a secret."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from itertools import islice
from threading import Lock

from b2fast._core.server import Request

_KEPT_REQUESTS = 100_000


@dataclass(frozen=True)
class ServedRequest:
    """A request that was answered, or whose upload a fault has ended.

    :param call: name of the call.
    :param method: HTTP method.
    :param path: of the URL, percent-encoded.
    :param range: the Range header, if there was one.
    :param status: of the answer; None if a fault ended the upload on its way.
    """

    call: str
    method: str
    path: str
    range: str | None
    status: int | None


class RequestLog:
    """Counts requests and keeps the last ones. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: Counter[str] = Counter()
        self._requests: deque[ServedRequest] = deque(maxlen=_KEPT_REQUESTS)
        self._added = 0

    def add(self, call: str, request: Request, status: int | None) -> None:
        """Adds a request."""
        served = ServedRequest(
            call, request.method, request.path, request.headers.get('range'), status
        )
        with self._lock:
            self._calls[call] += 1
            self._requests.append(served)
            self._added += 1

    @property
    def calls(self) -> Counter[str]:
        """How many requests there were of each call."""
        with self._lock:
            return self._calls.copy()

    @property
    def requests(self) -> list[ServedRequest]:
        """The last 100,000 requests."""
        with self._lock:
            return list(self._requests)

    def page(self, after: int, limit: int) -> list[tuple[int, ServedRequest]]:
        """Returns requests with their numbers, which count from 1 and stay.

        :param after: the number of the last one that is known already; 0 to begin.
        :param limit: how many at most.
        """
        with self._lock:
            first = self._added - len(self._requests) + 1
            start = max(after + 1 - first, 0)
            page = list(islice(self._requests, start, start + limit))
        return list(enumerate(page, first + start))
