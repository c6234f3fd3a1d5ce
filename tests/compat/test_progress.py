"""Progress listeners, and what adds up the progress of parts."""

from __future__ import annotations

import io
import sys
import time
from typing import Any

import pytest
from b2sdk import v3 as b2sdk
from hypothesis import given, strategies as st

import b2fast

from .outcomes import value_or_error

CLASSES = ['DoNothingProgressListener', 'SimpleProgressListener', 'ProgressListenerForTest']

descriptions = st.text('a \n\x1b\x00ü\'"', max_size=8)
calls = st.lists(
    st.one_of(
        st.tuples(st.just('bytes_completed'), st.integers(0, 300)),
        st.tuples(st.just('wait'), st.sampled_from([0, 1, 3, 10])),
        st.tuples(st.just('change_description'), descriptions),
        st.tuples(st.just('set_total_bytes'), st.sampled_from([0, 7, 200])),
    ),
    max_size=12,
)


@pytest.mark.parametrize('name', CLASSES)
@given(description=descriptions, script=calls)
def test_listener(name: str, description: str, script: list[Any]) -> None:
    """The results of the calls, the description after each, and what is printed."""

    def run(sdk: Any) -> Any:
        now = 1000.0
        with pytest.MonkeyPatch.context() as patch:
            printed = io.StringIO()
            patch.setattr(sys, 'stdout', printed)
            patch.setattr(time, 'time', lambda: now)
            results = []
            with getattr(sdk, name)(description) as listener:
                listener.set_total_bytes(200)
                for call, argument in script:
                    if call == 'wait':
                        now += argument
                        continue
                    result = getattr(listener, call)(argument)
                    results.append((result, listener.description))
        told = listener.get_calls() if hasattr(listener, 'get_calls') else None
        return results, printed.getvalue(), told

    assert run(b2fast) == run(b2sdk)


@given(descriptions, st.lists(st.integers(0, 300), max_size=8))
def test_bar(description: str, counts: list[int]) -> None:
    def run(sdk: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, 'stderr', io.StringIO())
            listener = sdk.TqdmProgressListener('before')
            assert listener.tqdm is None
            assert listener.change_description(description)
            states = []
            with listener:
                listener.set_total_bytes(200)
                for count in counts:
                    listener.bytes_completed(count)
                    states.append((listener.tqdm.n, listener.prev_value))
            bar = listener.tqdm
            return states, bar.desc, bar.total, bar.unit, bar.unit_scale, bar.leave, bar.disable

    assert run(b2fast) == run(b2sdk)


@pytest.mark.parametrize('quiet', [True, False])
def test_the_listener_for_a_person(quiet: bool) -> None:
    ours = b2fast.make_progress_listener('what', quiet)
    theirs = b2sdk.make_progress_listener('what', quiet)
    assert type(ours).__name__ == type(theirs).__name__
    assert ours.description == theirs.description


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100)), max_size=20))
def test_parts_of_a_large_file(counts: list[tuple[int, int]]) -> None:
    def run(sdk: Any) -> Any:
        listener = sdk.ProgressListenerForTest()
        state = sdk.LargeFileUploadState(listener)
        reporters = [sdk.PartProgressReporter(state, 'a part') for _ in range(4)]
        steps = []
        for part, count in counts:
            reporters[part].set_total_bytes(100)
            reporters[part].bytes_completed(count)
            steps.append((state.bytes_completed, reporters[part].prev_byte_count))
        for reporter in reporters:
            with reporter:
                pass
            reporter.close()
        return steps, listener.get_calls(), reporters[0].description

    assert run(b2fast) == run(b2sdk)


def test_error_of_a_large_file() -> None:
    for sdk in (b2fast, b2sdk):
        state = sdk.LargeFileUploadState(sdk.DoNothingProgressListener())
        assert not state.has_error()
        assert value_or_error(state.get_error_message) == 'AssertionError'
        state.set_error('broken')
        assert state.has_error()
        assert state.get_error_message() == 'broken'
        assert state.part_number_to_part_state == {}
