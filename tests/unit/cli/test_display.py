"""Sizes, tables and progress lines."""

from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, strategies as st

from b2fast.cli.display import (
    BarProgress,
    LineProgress,
    format_size,
    format_table,
    open_progress,
    parse_size,
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('0', 0),
        ('10000', 10_000),
        ('512MiB', 512 * 2**20),
        ('512 mib', 512 * 2**20),
        ('1.5GB', 1_500_000_000),
        ('2Gi', 2**31),
        ('64k', 64_000),
        ('7B', 7),
    ],
)
def test_parse_size(text: str, expected: int) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize('text', ['', 'MiB', '-1', '1e6', '5 apples', '1 iB', '0x10'])
def test_parse_size_refuses_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match='not a size'):
        parse_size(text)


@given(st.integers(min_value=0, max_value=2**60))
def test_parse_size_is_exact_for_plain_numbers(number: int) -> None:
    assert parse_size(str(number)) == number


@pytest.mark.parametrize(
    ('byte_count', 'expected'),
    [
        (0, '0 B'),
        (1023, '1023 B'),
        (1024, '1.0 KiB'),
        (1536 * 2**20, '1.5 GiB'),
        (2**50, '1024.0 TiB'),
    ],
)
def test_format_size(byte_count: int, expected: str) -> None:
    assert format_size(byte_count) == expected


def test_format_table_aligns_its_columns() -> None:
    assert format_table(['what', 'files'], [['up', '1000'], ['download', '7']]) == (
        'what      files\n--------  -----\nup         1000\ndownload      7'
    )


def test_lines_come_at_the_interval_and_at_the_end() -> None:
    clock, out = Clock(), io.StringIO()
    with LineProgress('up', 4096, 2, out, interval=3, clock=clock) as progress:
        progress.advance(1024)
        clock.now = 2.9
        progress.advance(1024, files=1)
        assert out.getvalue() == ''
        clock.now = 3.0
        progress.advance(-1024)
        clock.now = 4.0
        progress.advance(2048)
        assert out.getvalue() == 'up:  25 %  1.0 KiB of 4.0 KiB  1/2 files  3.0 s\n'
        progress.advance(1024, files=1)
    assert out.getvalue().splitlines()[1:] == ['up: 100 %  4.0 KiB of 4.0 KiB  2/2 files  4.0 s']


def test_no_advance_is_lost_between_threads() -> None:
    out = io.StringIO()
    with (
        LineProgress('up', 8000, 8000, out, clock=Clock()) as progress,
        ThreadPoolExecutor(8) as pool,
    ):
        for _ in range(8):
            pool.submit(lambda: [progress.advance(1, files=1) for _ in range(1000)])
    assert '100 %' in out.getvalue()
    assert '8000/8000 files' in out.getvalue()


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'stderr', Terminal())
    with open_progress('up', 2048, 1) as progress:
        assert isinstance(progress, BarProgress)
        progress.advance(2048, files=1)
    assert '1/1 files' in sys.stderr.getvalue()
    assert '100%' in sys.stderr.getvalue()


def test_without_tqdm_a_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'stderr', Terminal())
    monkeypatch.setitem(sys.modules, 'tqdm', None)
    with open_progress('up', 0, 0):
        pass
    assert sys.stderr.getvalue() == 'up: 100 %  0 B of 0 B  0/0 files  0.0 s\n'
