"""How often and how long to try, for each kind of call."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Literal

from .cancel import sleep

Kind = Literal['calls', 'uploads', 'downloads', 'copies']
"""What a request is for, as the fields of `RetryPolicies` and `Timeouts` are called."""


def _check(name: str, value: float | None, fine: bool) -> None:
    if not fine:
        raise ValueError(f'{name} is out of range: {value!r}')


@dataclass(frozen=True)
class RetryPolicy:
    """When a failed request is tried again.

    The pauses grow exponentially and are jittered: each is taken at random between half of
    its value and the whole of it, so that clients that failed together do not come back
    together.  A ``Retry-After`` of the service takes the place of the pause.

    :param attempts: how often a request is sent at most, at least 1.
    :param first_delay: pause after the first failure, in seconds.
    :param factor: by how much a pause is longer than the one before, at least 1.
    :param max_delay: longest pause in seconds; B2's integration checklist says 64.
    :param deadline: seconds without progress after which no further attempt begins; None for
        no limit.  A transfer makes progress as long as bytes move, a call when it succeeds.
    :raises ValueError: if a value is out of range.
    """

    attempts: int = 20
    first_delay: float = 1.0
    factor: float = 1.5
    max_delay: float = 64.0
    deadline: float | None = 3600.0

    def __post_init__(self) -> None:
        _check('attempts', self.attempts, self.attempts >= 1)
        _check('first_delay', self.first_delay, 0 <= self.first_delay < math.inf)
        _check('factor', self.factor, 1 <= self.factor < math.inf)
        _check('max_delay', self.max_delay, self.first_delay <= self.max_delay < math.inf)
        _check('deadline', self.deadline, self.deadline is None or self.deadline > 0)

    def delays(self, random: Callable[[], float] = random.random) -> Iterator[float]:
        """The pauses in seconds, without end; the number of attempts is counted elsewhere.

        :param random: gives a number from 0 to 1, to take the jitter from.
        """
        delay = self.first_delay
        while True:
            yield delay * (1 + random()) / 2
            delay = min(delay * self.factor, self.max_delay)

    def limited_to(self, attempts: int | None) -> RetryPolicy:
        """The same policy with at most so many attempts; None is no limit."""
        if attempts is None or attempts >= self.attempts:
            return self
        return replace(self, attempts=attempts)

    @classmethod
    def fail_fast(cls) -> RetryPolicy:
        """For a program with somebody waiting: three attempts within 15 seconds."""
        return cls(attempts=3, first_delay=0.5, factor=2.0, max_delay=4.0, deadline=15.0)

    @classmethod
    def patient(cls) -> RetryPolicy:
        """For a backup at night: as many attempts as fit into six hours."""
        return cls(attempts=1000, deadline=6 * 3600.0)


@dataclass(frozen=True, kw_only=True)
class RetryPolicies:
    """A policy for each kind of call; by default b2sdk's numbers of attempts.

    :param calls: authorization, listings and all other calls without content.
    :param uploads: content on its way to the service, and the calls around it: to ask for an
        upload URL, and to start and finish a large file.
    :param downloads: content on its way from the service.
    :param copies: copies within the service.
    """

    calls: RetryPolicy = RetryPolicy(attempts=5)
    uploads: RetryPolicy = RetryPolicy(attempts=20)
    downloads: RetryPolicy = RetryPolicy(attempts=20)
    copies: RetryPolicy = RetryPolicy(attempts=5)

    @classmethod
    def same(cls, policy: RetryPolicy) -> RetryPolicies:
        """One policy for all kinds."""
        return cls(calls=policy, uploads=policy, downloads=policy, copies=policy)

    def of(self, kind: Kind) -> RetryPolicy:
        """The policy for a kind of call."""
        policy: RetryPolicy = getattr(self, kind)
        return policy


# What is no network is a simulator, and somebody's tests wait for it.
RETRIES_IN_THE_PROCESS = RetryPolicies.same(
    RetryPolicy(attempts=5, first_delay=0.05, factor=2.0, max_delay=5.0)
)


class Attempts:
    """The attempts at one thing under a policy.

    :param policy: how many there may be, and the pauses between them.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self.progress()

    def progress(self) -> None:
        """Something was achieved: what failed before does not count any more."""
        self._failing_since: float | None = None
        self._delays = self._policy.delays()
        self.failures = 0

    def wait(self, asked: float | None) -> bool:
        """Wait after a failure; False, at once, if the policy allows no further attempt.

        Raises as `check_scope` when the scope of the context is over.

        :param asked: the seconds of ``Retry-After``, if the service named them.
        """
        delay = self.pause(asked)
        if delay is None:
            return False
        sleep(delay)
        return True

    def pause(self, asked: float | None) -> float | None:
        """Note a failure, and tell how many seconds to wait; None if no further attempt may be.

        :param asked: the seconds of ``Retry-After``, if the service named them.
        """
        self.failures += 1
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        delay = next(self._delays) if asked is None else asked
        deadline = self._policy.deadline
        if self.failures >= self._policy.attempts or (
            deadline is not None and now - self._failing_since + delay > deadline
        ):
            return None
        return delay


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for the network.

    There is no limit on a whole transfer: what counts is that it goes on.  The kinds are those
    of `RetryPolicies`.

    :param connect: seconds to make a connection.
    :param idle: seconds without a single byte sent or received, for every kind of call that has
        no number of its own.
    :param calls: the same for calls without content; None for ``idle``.
    :param uploads: the same for uploads; None for ``idle``.
    :param downloads: the same for downloads; None for ``idle``.
    :param copies: seconds until a copy within the service is done, which answers only then.
    :raises ValueError: if a value is not positive.
    """

    connect: float = 46.0
    idle: float = 128.0
    calls: float | None = None
    uploads: float | None = None
    downloads: float | None = None
    copies: float = 1200.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            _check(field.name, value, value is None or 0 < value < math.inf)

    def of(self, kind: Kind) -> float:
        """Seconds without a byte that are too long for a kind of call."""
        seconds: float | None = getattr(self, kind)
        return self.idle if seconds is None else seconds

    @classmethod
    def fail_fast(cls) -> Timeouts:
        """For a program with somebody waiting: 5 s to connect, 15 s without a byte."""
        return cls(connect=5.0, idle=15.0)
