"""Ranges, HTTP dates and headers."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, strategies as st

from b2fast import EMPTY_RANGE, Range
from b2fast.utils.headers import Headers
from b2fast.utils.http_date import format_http_date, parse_http_date

offsets = st.integers(0, 10**13)


@given(offsets, offsets, offsets)
def test_range_headers(first: int, second: int, size: int) -> None:
    start, end = sorted((first, second))
    expected = Range(start, end)
    assert Range.from_header_with_size(f'bytes {start}-{end}/{size}') == (expected, size)
    for header in ('bytes {}-{}/*', 'bytes {}-{}', 'bytes={}-{}', '{}-{}'):
        assert Range.from_header_with_size(header.format(start, end)) == (expected, None)
        assert Range.from_header(header.format(start, end)) == expected


@pytest.mark.parametrize('header', ['', 'bytes', 'bytes=3-', 'bytes=-3', 'bytes a-b', '1-2,3-4'])
def test_headers_that_are_no_range(header: str) -> None:
    with pytest.raises(ValueError, match='Invalid range header'):
        Range.from_header(header)


@pytest.mark.parametrize(('start', 'end'), [(5, 3), (5, 4), (-1, 3), (0, -1)])
def test_impossible_ranges(start: int, end: int) -> None:
    with pytest.raises(AssertionError, match='Invalid range'):
        Range(start, end)


def test_range_is_a_value() -> None:
    assert Range(3, 12).size() == 10
    assert Range(3, 12).as_tuple() == (3, 12)
    assert repr(Range(3, 12)) == 'Range(3, 12)'
    assert Range(3, 12) < Range(4, 5)
    assert len({Range(3, 12), Range(3, 12)}) == 1
    assert EMPTY_RANGE.size() == 0
    with pytest.raises(AttributeError):
        Range(3, 12).start = 4  # type: ignore[misc]


def test_subrange() -> None:
    assert Range(3, 12).subrange(0, 3) == Range(3, 6)
    assert Range(3, 12).subrange(9, 9) == Range(12, 12)
    for start, end in ((5, 10), (-1, 2), (2, 1)):
        with pytest.raises(AssertionError):
            Range(3, 12).subrange(start, end)


@given(st.datetimes(min_value=dt.datetime(1900, 1, 1), max_value=dt.datetime(9999, 1, 1)))
def test_dates(moment: dt.datetime) -> None:
    whole = moment.replace(microsecond=0)
    parsed = parse_http_date(format_http_date(whole))
    assert parsed == whole.replace(tzinfo=dt.UTC)
    aware = whole.replace(tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert parse_http_date(format_http_date(aware)) == aware


@pytest.mark.parametrize('text', ['', 'tomorrow', '2030-01-02'])
def test_texts_that_are_no_date(text: str) -> None:
    with pytest.raises(ValueError, match='not an HTTP date'):
        parse_http_date(text)


def test_headers() -> None:
    headers = Headers({'Content-Length': '3', 'x-bz-info-Color': 'blue'})
    assert headers['content-length'] == headers['CONTENT-LENGTH'] == '3'
    assert list(headers) == ['Content-Length', 'x-bz-info-Color']
    assert len(headers) == 2
    assert 'x-bz-info-color' in headers
    assert headers.get('expires') is None
