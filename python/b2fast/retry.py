"""How often and how long to try: one policy for the JSON calls and for the transfers."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace


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
    :param deadline: seconds after which no further attempt begins; None for no limit.
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


class Attempts:
    """The attempts at one thing under a policy.

    :param policy: how many there may be, and the pauses between them.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self.progress()

    def progress(self) -> None:
        """Something was achieved: what failed before does not count any more."""
        self._started = time.monotonic()
        self._delays = self._policy.delays()
        self.failures = 0

    def wait(self, asked: float | None) -> bool:
        """Wait after a failure; False, at once, if the policy allows no further attempt.

        :param asked: the seconds of ``Retry-After``, if the service named them.
        """
        self.failures += 1
        delay = next(self._delays) if asked is None else asked
        deadline = self._policy.deadline
        if self.failures >= self._policy.attempts or (
            deadline is not None and time.monotonic() - self._started + delay > deadline
        ):
            return False
        time.sleep(delay)
        return True


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for the network.

    There is no limit on a whole transfer: what counts is that it goes on.

    :param connect: seconds to make a connection.
    :param idle: seconds without a single byte sent or received.
    :raises ValueError: if a value is not positive.
    """

    connect: float = 46.0
    idle: float = 128.0

    def __post_init__(self) -> None:
        _check('connect', self.connect, 0 < self.connect < math.inf)
        _check('idle', self.idle, 0 < self.idle < math.inf)


def _check(name: str, value: float | None, fine: bool) -> None:
    if not fine:
        raise ValueError(f'{name} is out of range: {value!r}')
