from __future__ import annotations

import itertools
from typing import get_args

import pytest
from hypothesis import given, strategies as st

from b2fast import cancel, retry
from b2fast.retry import Attempts, Kind, RetryPolicies, RetryPolicy, Timeouts

KINDS = get_args(Kind)


def test_defaults() -> None:
    assert RetryPolicy() == RetryPolicy(
        attempts=20, first_delay=1.0, factor=1.5, max_delay=64.0, deadline=3600.0
    )
    assert Timeouts() == Timeouts(connect=46.0, idle=128.0, copies=1200.0)
    # The numbers of b2sdk.
    attempts = {kind: RetryPolicies().of(kind).attempts for kind in KINDS}
    assert attempts == {'calls': 5, 'uploads': 20, 'downloads': 20, 'copies': 5}


def test_kinds() -> None:
    policies = RetryPolicies(copies=RetryPolicy(attempts=7))
    assert policies.of('copies').attempts == 7
    assert policies.of('calls') == RetryPolicies().calls
    timeouts = Timeouts(idle=3, uploads=4)
    assert [timeouts.of(kind) for kind in KINDS] == [3, 4, 3, 1200]
    assert [Timeouts.fail_fast().of(kind) for kind in KINDS] == [15, 15, 15, 1200]


def test_delays_without_jitter_grow_to_the_maximum() -> None:
    policy = RetryPolicy(first_delay=1, factor=2, max_delay=8)
    delays = list(itertools.islice(policy.delays(lambda: 1.0), 6))
    assert delays == [1, 2, 4, 8, 8, 8]


@given(
    first=st.floats(0, 100),
    more=st.floats(0, 100),
    factor=st.floats(1, 10),
    jitter=st.floats(0, 1),
)
def test_every_delay_lies_between_half_and_whole(
    first: float, more: float, factor: float, jitter: float
) -> None:
    policy = RetryPolicy(first_delay=first, factor=factor, max_delay=first + more)
    whole = first
    for delay in itertools.islice(policy.delays(lambda: jitter), 20):
        assert whole / 2 <= delay <= whole * (1 + 1e-9)
        assert delay <= policy.max_delay * (1 + 1e-9)
        whole = min(whole * factor, policy.max_delay)


@pytest.mark.parametrize(
    'values',
    [
        {'attempts': 0},
        {'first_delay': -1},
        {'first_delay': float('nan')},
        {'factor': 0.9},
        {'first_delay': 10, 'max_delay': 9},
        {'max_delay': float('inf')},
        {'deadline': 0},
    ],
)
def test_a_policy_refuses_values_out_of_range(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match='out of range'):
        RetryPolicy(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    'values',
    [{'connect': 0}, {'idle': -1}, {'idle': float('nan')}, {'uploads': 0}, {'copies': -1}],
)
def test_timeouts_refuse_values_out_of_range(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match='out of range'):
        Timeouts(**values)


def test_presets() -> None:
    assert (
        RetryPolicy.fail_fast().attempts < RetryPolicy().attempts < RetryPolicy.patient().attempts
    )
    assert RetryPolicy.fail_fast().deadline == 15


def test_attempts_end_with_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(retry.time, 'sleep', pauses.append)
    attempts = Attempts(RetryPolicy(attempts=3, first_delay=1, factor=2, max_delay=60))
    assert attempts.wait(None)
    assert attempts.wait(30)
    assert not attempts.wait(None)
    assert len(pauses) == 2
    assert 0.5 <= pauses[0] <= 1
    assert pauses[1] == 30
    attempts.progress()
    assert attempts.wait(None)


def test_attempts_end_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry.time, 'sleep', lambda seconds: pytest.fail('slept'))
    attempts = Attempts(RetryPolicy(deadline=10))
    assert not attempts.wait(11)


class Time:
    """Stands in for the module; nobody really waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(
    st.lists(st.tuples(st.floats(0, 100), st.none() | st.floats(0, 100), st.booleans())),
    st.floats(1, 200),
    st.integers(1, 10),
)
def test_no_attempt_begins_behind_the_deadline(
    events: list[tuple[float, float | None, bool]], deadline: float, allowed: int
) -> None:
    """Attempts last, are told to wait and make progress, or not."""
    with pytest.MonkeyPatch.context() as patch:
        time = Time()
        patch.setattr(retry, 'time', time)
        patch.setattr(cancel, 'time', time)
        attempts = Attempts(RetryPolicy(attempts=allowed, deadline=deadline))
        first_failure: float | None = None
        failures = 0
        for lasts, asked, moves in events:
            time.now += lasts
            if moves:
                attempts.progress()
                first_failure, failures = None, 0
            failures += 1
            if first_failure is None:
                first_failure = time.now
            if not attempts.wait(asked):
                break
            assert time.now - first_failure <= deadline * (1 + 1e-9)
            assert failures < allowed
