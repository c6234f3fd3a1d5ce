"""Progress listeners."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from hypothesis import given, strategies as st

from b2fast import (
    AbstractProgressListener,
    DoNothingProgressListener,
    ProgressListenerForTest,
    SimpleProgressListener,
    TqdmProgressListener,
    make_progress_listener,
)
from b2fast.progress import TransferProgress


def test_base_is_abstract() -> None:
    with pytest.raises(TypeError):
        AbstractProgressListener()  # type: ignore[abstract]


def test_listener_for_tests_keeps_calls() -> None:
    with ProgressListenerForTest('first') as listener:
        assert listener.description == 'first'
        assert listener.change_description('second')
        listener.set_total_bytes(10)
        listener.bytes_completed(4)
    assert listener.description == 'second'
    assert listener.get_calls() == ['set_total_bytes(10)', 'bytes_completed(4)', 'close()']
    assert listener.calls is listener.get_calls()


def test_context_manager_closes_after_an_error() -> None:
    listener = ProgressListenerForTest()
    with pytest.raises(ValueError, match='reason'), listener:
        raise ValueError('reason')
    assert listener.calls == ['close()']


def test_simple_listener(capsys: pytest.CaptureFixture[str]) -> None:
    with SimpleProgressListener('file') as listener:
        listener.set_total_bytes(100)
        listener.bytes_completed(10)
        assert listener.change_description('a \x1b[2Jfile')
        listener.last_time -= 10
        listener.bytes_completed(50)
        listener.bytes_completed(60)
        assert not listener.change_description('another')
        listener.last_time -= 10
        listener.bytes_completed(100)
    listener.close()
    assert capsys.readouterr().out == "'a \\x1b[2Jfile'\n     50%\n     100%\n    DONE.\n"


def test_simple_listener_is_silent_about_short_and_empty_transfers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with SimpleProgressListener('a file') as listener:
        listener.set_total_bytes(100)
        listener.bytes_completed(100)
    with SimpleProgressListener('a file') as listener:
        listener.set_total_bytes(0)
        listener.last_time -= 10
        listener.bytes_completed(0)
    assert capsys.readouterr().out == ''


def test_tqdm_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, 'stderr', shown)
    with TqdmProgressListener('a\x1b[2J file') as listener:
        listener.bytes_completed(1)
        assert listener.tqdm is None
        listener.set_total_bytes(500)
        listener.set_total_bytes(1000)
        assert listener.tqdm is not None
        listener.bytes_completed(400)
        listener.bytes_completed(300)
        assert listener.prev_value == 400
        assert listener.change_description('an\x1bother')
        listener.bytes_completed(1000)
        assert listener.tqdm.n == 1000
    assert "'a\\x1b[2J file':" in shown.getvalue()
    assert "'an\\x1bother': 100%" in shown.getvalue()


def test_tqdm_listener_without_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'tqdm', None)
    with pytest.raises(ModuleNotFoundError, match=r'b2fast\[cli\]'):
        TqdmProgressListener('a file')


@pytest.mark.parametrize('cls', [DoNothingProgressListener, TqdmProgressListener])
def test_a_subclass_may_refuse_descriptions(cls: Any) -> None:
    class Fixed(cls):
        def _can_change_description(self) -> bool:
            return False

    with Fixed('first') as listener:
        assert not listener.change_description('second')
        assert listener.description == 'first'


@pytest.mark.parametrize(
    ('quiet', 'tqdm', 'expected'),
    [
        (True, True, DoNothingProgressListener),
        (False, True, TqdmProgressListener),
        (False, False, SimpleProgressListener),
        (True, False, DoNothingProgressListener),
    ],
)
def test_make_progress_listener(
    monkeypatch: pytest.MonkeyPatch, quiet: bool, tqdm: bool, expected: type
) -> None:
    if not tqdm:
        monkeypatch.setitem(sys.modules, 'tqdm', None)
    listener = make_progress_listener('a file', quiet)
    assert type(listener) is expected
    listener.close()


@given(st.integers(0, 100), st.lists(st.integers(0, 120)))
def test_a_transfer_reports_growing_numbers_and_the_total_last(
    total: int, numbers: list[int]
) -> None:
    told: list[int] = []

    class Listener(DoNothingProgressListener):
        def set_total_bytes(self, total_byte_count: int) -> None:
            assert not told
            assert total_byte_count == total

        def bytes_completed(self, byte_count: int) -> None:
            told.append(byte_count)

    progress = TransferProgress(Listener(), total)
    for number in numbers:
        progress.update(number)
    progress.finish()
    progress.finish()
    assert told == sorted(set(told))
    assert told[-1] == total


def test_importing_does_not_import_tqdm() -> None:
    import subprocess

    program = "import sys, b2fast; b2fast.TqdmProgressListener(); assert 'tqdm' not in sys.modules"
    result: Any = subprocess.run([sys.executable, '-c', program], check=False)
    assert result.returncode == 0
