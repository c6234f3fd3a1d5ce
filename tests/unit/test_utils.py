from __future__ import annotations

import hashlib
import io
import itertools
import logging
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from b2fast import format_and_scale_fraction, format_and_scale_number
from b2fast.session import TokenType
from b2fast.utils import (
    IncrementalHexDigester,
    UrllibWarningFilter,
    b2_url_decode,
    b2_url_encode,
    current_time_millis,
    escape_control_chars,
    fix_windows_path_limit,
    hex_sha1_of_unlimited_stream,
    set_file_mtime,
    substitute_control_chars,
    unprintable_to_hex,
    update_digest_from_stream,
)
from b2fast.utils.hashing import (
    hex_md5_of_bytes,
    hex_sha1_of_bytes,
    hex_sha1_of_file,
    hex_sha1_of_stream,
)
from b2fast.utils.parts import choose_part_ranges

names = st.text(st.characters(exclude_categories=['Cs']))


@given(names)
def test_encoded_names_decode_to_themselves(name: str) -> None:
    encoded = b2_url_encode(name)
    assert b2_url_decode(encoded) == name
    assert encoded.isascii()
    assert not set(encoded) & set(' +&?#"<>\\^`{|}\x7f')


def test_space_and_plus() -> None:
    assert b2_url_encode('a b+c/d') == 'a%20b%2Bc/d'
    assert b2_url_decode('a+b%20c%2Bd') == 'a b c+d'


@given(st.text())
def test_nothing_unprintable_is_left(text: str) -> None:
    kept = set('\t\n\v\f\r')
    for shown in (unprintable_to_hex(text), substitute_control_chars(text)[0]):
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in set(shown) - kept)
    assert substitute_control_chars(text)[1] == (substitute_control_chars(text)[0] != text)


def test_control_characters() -> None:
    assert unprintable_to_hex('a\x00b\x9f') == r'a\x00b\x9f'
    assert escape_control_chars('it\x1b[0m') == r"'it\x1b[0m'"
    assert substitute_control_chars('a\x07b') == ('a\ufffdb', True)
    assert unprintable_to_hex('') == escape_control_chars('') == ''


def test_the_time_is_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('time.time_ns', lambda: 1_700_000_000_123_999_999)
    assert current_time_millis() == 1_700_000_000_123


@given(st.binary(max_size=1000))
def test_digests(data: bytes) -> None:
    sha1 = hashlib.sha1(data).hexdigest()
    assert hex_sha1_of_bytes(data) == sha1
    assert hex_sha1_of_stream(io.BytesIO(data), len(data)) == sha1
    assert hex_md5_of_bytes(data) == hashlib.md5(data).hexdigest()


def test_the_digest_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    path.write_bytes(b'abc')
    assert hex_sha1_of_file(path) == 'a9993e364706816aba3e25717850c26c9cd0d89d'
    with pytest.raises(FileNotFoundError):
        hex_sha1_of_file(tmp_path / 'missing')


def test_a_stream_that_ends_early() -> None:
    with pytest.raises(ValueError, match='5'):
        hex_sha1_of_stream(io.BytesIO(b'abc'), 5)


class Trickle(io.BytesIO):
    """Gives three bytes at a time, as a pipe may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size, 3) if size is not None and size >= 0 else 3)


@given(st.binary(max_size=60), st.integers(0, 60))
def test_slow_streams_are_read_on(data: bytes, limit: int) -> None:
    assert hex_sha1_of_unlimited_stream(Trickle(data)) == (
        hashlib.sha1(data).hexdigest(),
        len(data),
    )
    first = data[:limit]
    digester = IncrementalHexDigester(Trickle(data), block_size=7)
    assert digester.update_from_stream(limit) == hashlib.sha1(first).hexdigest()
    assert digester.read_bytes == len(first)
    digest = update_digest_from_stream(hashlib.sha1(), Trickle(data), len(data))
    assert digest.hexdigest() == hashlib.sha1(data).hexdigest()


def test_no_digest_of_less_than_nothing() -> None:
    with pytest.raises(ValueError, match='negative'):
        IncrementalHexDigester(io.BytesIO(b'abc')).update_from_stream(-1)


def test_the_digest_of_a_stream_that_ends_early() -> None:
    with pytest.raises(ValueError, match='3 of 5 bytes'):
        update_digest_from_stream(hashlib.sha1(), io.BytesIO(b'abc'), 5)


@pytest.mark.parametrize(
    ('number', 'text'),
    [
        (0, '0 B'),
        (999.9, '999 B'),
        (1000, '1.00 kB'),
        (12_345, '12.3 kB'),
        (987_654_321, '988 MB'),
        (5 * 10**18, '5.00 EB'),
        (10**30, '1000000 YB'),
    ],
)
def test_numbers_for_people(number: float, text: str) -> None:
    assert format_and_scale_number(number, 'B') == text


def test_fractions_for_people() -> None:
    assert format_and_scale_fraction(5, 10, 'files') == '5 / 10 files'
    assert format_and_scale_fraction(400_000, 1_230_000, 'B') == '0.40 / 1.23 MB'
    assert format_and_scale_fraction(10**18, 4 * 10**18, 'B') == '1.00 / 4.00 EB'


def test_a_long_windows_path_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('platform.system', lambda: 'Windows')
    once = fix_windows_path_limit('\\\\server\\share')
    assert once == '\\\\?\\UNC\\server\\share'
    assert fix_windows_path_limit(once) == once


def test_a_time_that_no_file_has(tmp_path: Path) -> None:
    with pytest.raises(OverflowError):
        set_file_mtime(tmp_path, 10**30)


def test_token_types() -> None:
    assert {kind.name: kind.value for kind in TokenType} == {
        'API': 'api',
        'API_TOKEN_ONLY': 'api_token_only',
        'UPLOAD_PART': 'upload_part',
        'UPLOAD_SMALL': 'upload_small',
    }


@given(st.integers(1, 10**7), st.integers(2, 10**6))
def test_parts_cover_the_content(minimum: int, times: int) -> None:
    length = minimum * times + times % minimum
    if length > 10**13:
        return
    parts = choose_part_ranges(length, minimum)
    assert 2 <= len(parts) <= 10_000
    assert parts[0][0] == 0
    assert all(a[0] + a[1] == b[0] for a, b in itertools.pairwise(parts))
    assert sum(parts[-1]) == length
    assert min(size for _, size in parts) >= minimum


def test_content_too_small_for_parts() -> None:
    with pytest.raises(AssertionError, match='2 parts'):
        choose_part_ranges(9, 5)


def test_the_filter_drops_one_warning() -> None:
    def record(message: str) -> logging.LogRecord:
        return logging.LogRecord('urllib3', logging.WARNING, '', 0, message, ('host',), None)

    keeps = UrllibWarningFilter().filter
    assert not keeps(record('Connection pool is full, discarding connection: %s'))
    assert keeps(record('something else: %s'))
