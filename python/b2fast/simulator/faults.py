"""Scripted faults: what goes wrong, in which calls, and how often."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from random import Random
from threading import Lock
from typing import Any

from b2fast._core.server import BodyFaults

UPLOAD_CALLS = ('b2_upload_file', 'b2_upload_part')

_ANSWER_ENDINGS = ('cut_after', 'reset_after', 'stall_after')
_UPLOAD_ENDINGS = ('cut_upload_after', 'reset_upload_after', 'stall_upload_after')
_ANSWER_FIELDS = (*_ANSWER_ENDINGS, 'status', 'delay', 'flip_at', 'bytes_per_second')
_UPLOAD_FIELDS = (*_UPLOAD_ENDINGS, 'flip_upload_at', 'upload_bytes_per_second')
_OFFSETS = (*_ANSWER_ENDINGS, *_UPLOAD_ENDINGS, 'flip_at', 'flip_upload_at', 'retry_after')
_RATES_OF_BYTES = ('bytes_per_second', 'upload_bytes_per_second')
_MOST_SPENT = 1000


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong in calls.

    All but the fields on uploads concerns the answer, or comes before it. They can be combined:
    with `status` the work is not done, and what is said of the answer's body is then said of
    that refusal. An offset counts the bytes of a body from 0; an ending after 0 bytes strikes
    before the head of the answer is sent, so that the whole answer is lost after the work was
    done. A body of no more bytes than its ending says is sent whole, and the connection closed.

    The fields on uploads concern the content on its way to the server. When it breaks off,
    nothing is stored and nothing answered.

    :param call: the name of the calls it strikes, or a pattern with `*`, `?` and `[...]`:
        `b2_upload_file`, `b2_upload_*`, `*`.
    :param status: answer with this HTTP status, 400 to 599, instead of doing the work.
    :param code: `code` of that answer; by default the usual one of the status.
    :param message: `message` of that answer.
    :param retry_after: seconds in the `Retry-After` header of that answer.
    :param expire_token: end the token that the request carries, then serve the request.
    :param delay: seconds to wait before the answer.
    :param cut_after: close the connection, in order, after so many bytes of the answer's body.
    :param reset_after: reset the connection (TCP RST) after so many bytes of the answer's body.
        What is still on its way is lost as well.
    :param stall_after: send nothing any more after so many bytes of the answer's body, and keep
        the connection.
    :param flip_at: invert the byte at this offset of the answer's body.
    :param bytes_per_second: send the answer's body at this speed.
    :param cut_upload_after: close the connection, in order, when so many bytes of an upload's
        body have arrived, or all if there are fewer.
    :param reset_upload_after: reset it then.
    :param stall_upload_after: read nothing any more then, and keep the connection.
    :param flip_upload_at: invert the byte at this offset of the upload's body.
    :param upload_bytes_per_second: receive the upload's body at this speed.
    :param count: how many calls it strikes; by default one, or with a `rate` any number.
    :param skip: how many of its calls pass before.
    :param rate: the probability with which it strikes each call that it could, 0 to 1, drawn
        from the seed of the script; by default it strikes all.
    :raises ValueError: the fields make no sense, alone or together.
    """

    call: str
    status: int | None = None
    code: str | None = None
    message: str = 'A scripted fault'
    retry_after: int | None = None
    expire_token: bool = False
    delay: float | None = None
    cut_after: int | None = None
    reset_after: int | None = None
    stall_after: int | None = None
    flip_at: int | None = None
    bytes_per_second: int | None = None
    cut_upload_after: int | None = None
    reset_upload_after: int | None = None
    stall_upload_after: int | None = None
    flip_upload_at: int | None = None
    upload_bytes_per_second: int | None = None
    count: int | None = None
    skip: int = 0
    rate: float | None = None

    def __post_init__(self) -> None:
        self._check_values()
        given = self._given
        if not self.expire_token and not given(_ANSWER_FIELDS) and not given(_UPLOAD_FIELDS):
            raise ValueError('the fault does nothing')
        if self.status is None and (self.code is not None or self.retry_after is not None):
            raise ValueError('code and retry_after belong to a status')
        for endings in (_ANSWER_ENDINGS, _UPLOAD_ENDINGS):
            if len(given(endings)) > 1:
                raise ValueError(f'{" and ".join(given(endings))} exclude each other')
        if not given(_UPLOAD_FIELDS):
            return
        if self.expire_token or given(_ANSWER_FIELDS):
            raise ValueError('what happens to an upload and to its answer takes two faults')
        if not any(self.matches(call) for call in UPLOAD_CALLS):
            raise ValueError(f'{given(_UPLOAD_FIELDS)[0]}: {self.call} has no content')

    def _check_values(self) -> None:
        if not self.call:
            raise ValueError('a fault needs the name of a call')
        if self.count is not None and self.count < 1:
            raise ValueError('count has to be at least 1')
        if self.skip < 0:
            raise ValueError('skip has to be at least 0')
        if self.rate is not None and not 0 <= self.rate <= 1:
            raise ValueError('rate has to be 0 to 1')
        if self.status is not None and not 400 <= self.status <= 599:
            raise ValueError('status has to be 400 to 599')
        if self.delay is not None and not 0 <= self.delay < math.inf:
            raise ValueError('delay has to be a number of seconds')
        for names, least in ((_OFFSETS, 0), (_RATES_OF_BYTES, 1)):
            for name in names:
                value: int | None = getattr(self, name)
                if value is not None and value < least:
                    raise ValueError(f'{name} has to be at least {least}')

    def _given(self, names: tuple[str, ...]) -> list[str]:
        return [name for name in names if getattr(self, name) is not None]

    def matches(self, call: str) -> bool:
        """Tells whether the call is one of those it strikes."""
        return fnmatchcase(call, self.call)

    @property
    def usual_code(self) -> str:
        """The `code` of the answer."""
        return self.code or _USUAL_CODES.get(self.status or 0, 'internal_error')

    @property
    def strikes_uploads(self) -> bool:
        """Whether it concerns the content of uploads on its way, and not the answer."""
        return bool(self._given(_UPLOAD_FIELDS))

    @property
    def ends_uploads(self) -> bool:
        """Whether the uploads that it strikes are never answered."""
        return bool(self._given(_UPLOAD_ENDINGS))

    @property
    def faults_of_answer(self) -> BodyFaults:
        """What goes wrong with the body of the answer."""
        return BodyFaults(
            cut_after=self.cut_after,
            reset_after=self.reset_after,
            stall_after=self.stall_after,
            flip_at=self.flip_at,
            bytes_per_second=self.bytes_per_second,
        )

    @property
    def faults_of_upload(self) -> BodyFaults:
        """What goes wrong with the body of the request."""
        return BodyFaults(
            cut_after=self.cut_upload_after,
            reset_after=self.reset_upload_after,
            stall_after=self.stall_upload_after,
            flip_at=self.flip_upload_at,
            bytes_per_second=self.upload_bytes_per_second,
        )


_USUAL_CODES = {
    400: 'bad_request',
    401: 'unauthorized',
    403: 'access_denied',
    404: 'not_found',
    405: 'method_not_allowed',
    408: 'request_timeout',
    409: 'conflict',
    416: 'range_not_satisfiable',
    429: 'too_many_requests',
    503: 'service_unavailable',
}


@dataclass(frozen=True)
class FaultScript:
    """Faults and the seed from which their rates are drawn.

    :param faults: in the order of their precedence.
    :param seed: the same seed and the same requests in the same order meet the same faults.
    """

    faults: tuple[Fault, ...]
    seed: int = 0


@dataclass(frozen=True)
class FaultState:
    """What has become of a fault.

    :param fault: the fault.
    :param struck: how many calls it has struck.
    :param is_over: whether it has struck as many as it was to strike.
    """

    fault: Fault
    struck: int
    is_over: bool


class _Armed:
    def __init__(self, fault: Fault, seed: int, number: int) -> None:
        self.fault = fault
        self.number = number
        self.struck = 0
        self._skip = fault.skip
        self._count = 1 if fault.count is None and fault.rate is None else fault.count
        self._matches = re.compile(translate(fault.call)).match
        self._random = Random()  # noqa: S311
        self.seed(seed)

    def seed(self, seed: int) -> None:
        # A sequence of its own: what other calls meet does not change it.
        self._random.seed(f'{seed}/{self.number}')

    def is_due(self, call: str) -> bool:
        """Tells whether it wants to strike a call, and counts that."""
        if not self._matches(call):
            return False
        if self._skip:
            self._skip -= 1
            return False
        return self.fault.rate is None or self._random.random() < self.fault.rate

    @property
    def is_over(self) -> bool:
        return self.struck == self._count

    @property
    def state(self) -> FaultState:
        return FaultState(self.fault, self.struck, self.is_over)


class ArmedFaults:
    """The faults that strike the requests to come. Safe for several threads.

    A request meets one fault of its upload, drawn when its head has arrived, and one of its
    answer, drawn when all of it has arrived: the first that is due. A fault that is due when an
    earlier one strikes, stays so.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._seed = 0
        self._added = 0
        self._armed: list[_Armed] = []
        self._spent: deque[_Armed] = deque(maxlen=_MOST_SPENT)
        self._watch: Callable[[bool], object] = bool

    def tell(self, watch: Callable[[bool], object]) -> None:
        """Lets `watch` be told whether there are faults that strike uploads on their way."""
        with self._lock:
            self._watch = watch
            self._tell()

    def _tell(self) -> None:
        self._watch(any(armed.fault.strikes_uploads for armed in self._armed))

    def add(self, *faults: Fault) -> None:
        """Adds faults behind those there are."""
        with self._lock:
            self._add(faults)

    def _add(self, faults: tuple[Fault, ...]) -> None:
        for fault in faults:
            self._armed.append(_Armed(fault, self._seed, self._added))
            self._added += 1
        self._tell()

    def play(self, script: FaultScript) -> None:
        """Takes the faults and the seed of a script in place of those there are."""
        with self._lock:
            self._clear()
            self._seed = script.seed
            self._add(script.faults)

    def clear(self) -> None:
        """Forgets all faults, and begins to number them anew."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        self._armed.clear()
        self._spent.clear()
        self._added = 0
        self._tell()

    @property
    def seed(self) -> int:
        """What the rates are drawn from; setting it begins the draws anew."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        with self._lock:
            self._seed = seed
            for armed in self._armed:
                armed.seed(seed)

    @property
    def states(self) -> list[FaultState]:
        """The faults in the order in which they were added; of those that are over, the last
        1000 at most."""
        with self._lock:
            both = [*self._spent, *self._armed]
            return [armed.state for armed in sorted(both, key=lambda armed: armed.number)]

    def strike(self, call: str) -> Fault | None:
        """Returns what goes wrong with the answer to a request, if anything."""
        return self._strike(call, in_upload=False)

    def strike_upload(self, call: str) -> Fault | None:
        """Returns what goes wrong with an upload on its way, if anything."""
        return self._strike(call, in_upload=True)

    def _strike(self, call: str, *, in_upload: bool) -> Fault | None:
        if not self._armed:
            return None
        with self._lock:
            due = [
                armed
                for armed in self._armed
                if armed.fault.strikes_uploads is in_upload and armed.is_due(call)
            ]
            if not due:
                return None
            first = due[0]
            first.struck += 1
            if first.is_over:
                self._armed.remove(first)
                self._spent.append(first)
                self._tell()
            return first.fault


def fault_values(fault: Fault) -> dict[str, Any]:
    """Returns the fields of a fault that differ from their defaults, as a fault file has them."""
    return {
        name: value
        for name, value in vars(fault).items()
        if value != type(fault).__dataclass_fields__[name].default
    }
