from __future__ import annotations

import itertools

import pytest
from hypothesis import given, strategies as st

from b2fast import retry
from b2fast.retry import Attempts, RetryPolicy, Timeouts


def test_defaults() -> None:
    assert RetryPolicy() == RetryPolicy(
        attempts=20, first_delay=1.0, factor=1.5, max_delay=64.0, deadline=3600.0
    )
    assert Timeouts() == Timeouts(connect=46.0, idle=128.0)


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


@pytest.mark.parametrize('values', [{'connect': 0}, {'idle': -1}, {'idle': float('nan')}])
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
