from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st

from b2fast.stats import CallCounter, ClientStats

from ..helpers import run_in_threads, through_pickle

NUMBERS = st.integers(0, 10**12)
STATS = st.builds(
    ClientStats,
    calls=st.dictionaries(st.sampled_from(['b2_upload_file', 'b2_hide_file', 'b2_x']), NUMBERS),
    transactions=st.fixed_dictionaries(dict.fromkeys('ABC', NUMBERS)),
    retries=NUMBERS,
    bytes_sent=NUMBERS,
    bytes_received=NUMBERS,
)


def without_zeros(stats: ClientStats) -> Mapping[str, Any]:
    return vars(stats) | {'calls': {name: n for name, n in stats.calls.items() if n}}


@given(STATS, STATS)
def test_a_difference_is_what_was_added(before: ClientStats, done: ClientStats) -> None:
    assert without_zeros((before + done) - before) == without_zeros(done)
    assert before + done == done + before


@pytest.mark.parametrize(
    ('entries', 'transactions'), [(0, 1), (1, 1), (1000, 1), (1001, 2), (2000, 2), (10_000, 10)]
)
@pytest.mark.parametrize(
    ('call', 'field'),
    [
        ('b2_list_file_names', 'files'),
        ('b2_list_file_versions', 'files'),
        ('b2_list_unfinished_large_files', 'files'),
        ('b2_list_parts', 'parts'),
        ('b2_list_keys', 'keys'),
        ('b2_list_buckets', 'buckets'),
    ],
)
def test_a_listing_costs_one_transaction_per_thousand(
    call: str, field: str, entries: int, transactions: int
) -> None:
    counter = CallCounter()
    counter.requested(call)
    counter.answered(call, {field: [{}] * entries})
    stats = counter.stats()
    assert stats.calls == {call: 1}
    assert stats.transactions == {'A': 0, 'B': 0, 'C': transactions}


def test_what_is_no_known_call_has_no_class() -> None:
    counter = CallCounter()
    counter.requested('b2_from_the_future')
    counter.requested(None)
    assert counter.stats().calls == {'b2_from_the_future': 1}
    assert counter.stats().transactions == {'A': 0, 'B': 0, 'C': 0}


def test_many_threads() -> None:
    counter = CallCounter()

    def work() -> None:
        for _ in range(1000):
            counter.requested('b2_hide_file')
            counter.retried()
            counter.sent(3)
            counter.received(5)

    run_in_threads(8, work)
    stats = counter.stats()
    assert stats.calls == {'b2_hide_file': 8000}
    assert (stats.retries, stats.bytes_sent, stats.bytes_received) == (8000, 24_000, 40_000)


def test_pickle_begins_at_0_and_stats_travel() -> None:
    counter = CallCounter()
    counter.requested('b2_hide_file')
    assert through_pickle(counter).stats() == CallCounter().stats()
    assert through_pickle(counter.stats()) == counter.stats()
