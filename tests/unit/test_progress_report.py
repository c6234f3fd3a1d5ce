"""The report of work on many files."""

from __future__ import annotations

import io

import pytest

from b2fast import ProgressReport

from ..helpers import run_in_threads


@pytest.fixture
def every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows each change at once."""
    monkeypatch.setattr(ProgressReport, 'UPDATE_INTERVAL', -1)


@pytest.mark.usefixtures('every_update')
def test_shows_counts_in_one_line() -> None:
    out = io.StringIO()
    with ProgressReport(out, no_progress=False) as report:
        report.update_total(12)
        report.update_count(3)
        report.end_total()
        assert (report.count, report.total_count, report.total_done) == (3, 12, True)
        assert ' count: 3/12   ' in out.getvalue()
        assert '\n' not in out.getvalue()
    # The line is blank at the end.
    assert out.getvalue().split('\r')[-2].strip() == ''
    assert report.closed
    before = out.getvalue()
    report.update_count(1)
    assert out.getvalue() == before


def test_few_updates_are_shown() -> None:
    out = io.StringIO()
    report = ProgressReport(out, no_progress=False)
    report.start_time += 1e9
    report._last_update += 1e9
    shown = out.getvalue()
    for _ in range(1000):
        report.update_count(1)
    assert out.getvalue() == shown
    assert report.count == 1000


def test_without_progress_only_messages_are_written() -> None:
    out = io.StringIO()
    with ProgressReport(out, no_progress=True) as report:
        report.update_total(1)
        report.update_count(1)
        assert not report.has_errors_or_warnings()
        report.print_completion('done with it')
        report.error('no more')
        report.local_access_error('a\x1bb')
        report.local_permission_error('c')
        report.circular_symlink_skipped('d')
        report.symlink_skipped('e')
        report.invalid_name('f', 'too long')
        assert report.has_errors_or_warnings()
    lines = out.getvalue().splitlines()
    assert lines[:2] == ['done with it', 'no more']
    assert [line[:9] for line in lines[2:]] == ['WARNING: '] * 4
    assert lines[2].startswith(r"WARNING: 'a\x1bb' could not be accessed")
    assert lines[5].endswith('f path contains invalid name (too long). Skipping.')


def test_each_warning_is_written_once() -> None:
    out = io.StringIO()
    with ProgressReport(out, no_progress=True) as report:
        report.local_access_error('first')
        report.close()
        report.local_access_error('second')
    assert [line.split()[1] for line in out.getvalue().splitlines()] == ['first', 'second']
    assert report.has_errors_or_warnings()


@pytest.mark.usefixtures('every_update')
def test_messages_do_not_mix_with_the_progress() -> None:
    out = io.StringIO()
    with ProgressReport(out, no_progress=False) as report:
        report.update_total(1000)
        report.print_completion('short')
    line = next(text for text in out.getvalue().split('\r') if text.startswith('short'))
    # What was there is overwritten.
    assert len(line.partition('\n')[0]) >= len(' count: 0/1000   0 /s')


def test_names_that_the_terminal_cannot_show() -> None:
    buffer = io.BytesIO()
    out = io.TextIOWrapper(buffer, encoding='ascii')
    report = ProgressReport(out, no_progress=True)
    report.print_completion('ä')
    report.print_completion('ö')
    lines = buffer.getvalue().decode().splitlines()
    assert lines[1:] == [r'\xe4', r'\xf6']
    assert 'ascii' in lines[0]


def test_threads_lose_no_count() -> None:
    report = ProgressReport(io.StringIO(), no_progress=True)
    run_in_threads(4, lambda: [report.update_count(1) for _ in range(2000)])
    assert report.count == 8000
