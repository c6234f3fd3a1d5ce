"""The small functions, compared on inputs that hypothesis makes up."""

from __future__ import annotations

import hashlib
import io
import os
import platform
from pathlib import Path
from typing import Any

import pytest
from b2sdk import v3 as b2sdk
from b2sdk._internal import utils as theirs
from b2sdk._internal.exception import UploadTokenUsedConcurrently as TheirConcurrentUse
from hypothesis import HealthCheck, example, given, settings, strategies as st

import b2fast
from b2fast import utils as ours
from b2fast.exception import UnusableFileName, UploadTokenUsedConcurrently

from .outcomes import value_or_error

texts = st.text(max_size=30)
control_texts = st.text(st.characters(max_codepoint=0x200), max_size=30)


@pytest.mark.parametrize('name', ['b2_url_encode', 'b2_url_decode'])
@given(st.one_of(texts, st.text('aZ09-._~/ %+&=ü\x00%41', max_size=20)))
def test_url_strings(name: str, text: str) -> None:
    expected = value_or_error(lambda: getattr(theirs, name)(text))
    assert value_or_error(lambda: getattr(ours, name)(text)) == expected


@pytest.mark.parametrize(
    'name', ['unprintable_to_hex', 'escape_control_chars', 'substitute_control_chars']
)
@given(st.one_of(texts, control_texts))
def test_escapes(name: str, text: str) -> None:
    assert getattr(b2fast, name)(text) == getattr(b2sdk, name)(text)


@given(st.one_of(st.from_regex(r'([A-Z]?[a-z0-9]*_?)*', fullmatch=True), texts))
@example('HTTPServerError')
@example('getHTTP2Url')
def test_camelcase_to_underscore(name: str) -> None:
    assert ours.camelcase_to_underscore(name) == theirs.camelcase_to_underscore(name)


# Beyond it b2sdk has no prefix left and raises IndexError.
amounts = st.one_of(
    st.integers(-(10**6), 10**18 - 1),
    st.integers(0, 2000),
    st.floats(-1e6, 9e17, allow_nan=False),
    st.integers(0, 17).map(lambda power: 10**power),
    st.integers(1, 17).map(lambda power: 10**power - 1),
)


@given(amounts, st.sampled_from(['B', 'bytes', 'files/s', '']))
def test_numbers(amount: float, unit: str) -> None:
    expected = b2sdk.format_and_scale_number(amount, unit)
    assert b2fast.format_and_scale_number(amount, unit) == expected


@given(amounts, amounts, st.sampled_from(['B', '']))
def test_fractions(numerator: float, denominator: float, unit: str) -> None:
    expected = b2sdk.format_and_scale_fraction(numerator, denominator, unit)
    assert b2fast.format_and_scale_fraction(numerator, denominator, unit) == expected


@pytest.mark.parametrize(
    'name', ['hex_sha1_of_bytes', 'hex_md5_of_bytes', 'md5_of_bytes', 'b64_of_bytes']
)
@given(data=st.binary(max_size=200))
def test_bytes(name: str, data: bytes) -> None:
    assert getattr(ours, name)(data) == getattr(theirs, name)(data)


@given(st.binary(max_size=300), st.integers(-3, 303))
def test_digest_of_a_stretch(data: bytes, length: int) -> None:
    def digest(module: Any) -> Any:
        stream = io.BytesIO(data)
        hasher = hashlib.sha256()
        result = value_or_error(
            lambda: module.update_digest_from_stream(hasher, stream, length) is hasher
        )
        # After an error b2sdk has read a block that it did not hash.
        return result if result != True else (hasher.hexdigest(), stream.tell())  # noqa: E712

    assert digest(ours) == digest(theirs)
    assert value_or_error(
        lambda: ours.hex_sha1_of_stream(io.BytesIO(data), length)
    ) == value_or_error(lambda: theirs.hex_sha1_of_stream(io.BytesIO(data), length))


@given(st.binary(max_size=300), st.none() | st.integers(0, 400))
def test_digest_of_an_unlimited_stream(data: bytes, limit: int | None) -> None:
    assert ours.hex_sha1_of_unlimited_stream(io.BytesIO(data), limit) == (
        theirs.hex_sha1_of_unlimited_stream(io.BytesIO(data), limit)
    )


@given(
    st.binary(max_size=300),
    st.integers(1, 40),
    st.lists(st.none() | st.integers(0, 100), max_size=6),
    st.sampled_from([None, hashlib.md5]),
)
def test_incremental_digester(
    data: bytes, block_size: int, limits: list[int | None], algorithm: Any
) -> None:
    def run(sdk: Any) -> Any:
        stream = io.BytesIO(data)
        digester = sdk.IncrementalHexDigester(stream, block_size=block_size)
        if algorithm is not None:
            digester = sdk.IncrementalHexDigester(stream, algorithm(), block_size=block_size)
        steps = [
            (digester.update_from_stream(limit), digester.hex_digest, digester.read_bytes)
            for limit in limits
        ]
        return steps, stream.tell(), digester.stream is stream, digester.block_size

    assert run(b2fast) == run(b2sdk)


@pytest.mark.parametrize('size', [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
def test_digest_of_a_file(tmp_path: Path, size: int) -> None:
    path = tmp_path / 'file'
    path.write_bytes(os.urandom(size))
    assert b2fast.hex_sha1_of_file(path) == b2sdk.hex_sha1_of_file(path)
    assert b2fast.hex_sha1_of_file(str(path)) == b2sdk.hex_sha1_of_file(path)


@pytest.mark.parametrize('sdk', [b2fast, b2sdk], ids=['b2fast', 'b2sdk'])
def test_digest_of_a_pipe(sdk: Any) -> None:
    content = os.urandom(50_000)
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, 'wb') as pipe:
        pipe.write(content)
    assert sdk.hex_sha1_of_file(f'/dev/fd/{read_end}') == hashlib.sha1(content).hexdigest()
    os.close(read_end)
    with pytest.raises(IsADirectoryError):
        sdk.hex_sha1_of_file('/')
    with pytest.raises(FileNotFoundError):
        sdk.hex_sha1_of_file('/no-such-file')


@given(st.integers(0, 4_102_444_800_000))
@example(1_093_258_377_393)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_modification_times(tmp_path: Path, millis: int) -> None:
    path = tmp_path / 'file'
    path.touch()
    theirs.set_file_mtime(path, millis)
    assert ours.get_file_mtime(path) == theirs.get_file_mtime(path) == millis
    ours.set_file_mtime(path, millis)
    assert ours.get_file_mtime(str(path)) == millis
    assert path.stat().st_mtime_ns == path.stat().st_atime_ns == millis * 10**6
    # b2sdk reads a float, which is too coarse for the exact millisecond of some files.
    is_exact = 14 * 10**11 < millis < 2**31 * 1000
    assert millis - theirs.get_file_mtime(path) in ((0,) if is_exact else (0, 1))


def test_modification_time_of_what_is_not_there(tmp_path: Path) -> None:
    for module in (ours, theirs):
        module.set_file_mtime('/dev/no-such-device', 0)
        with pytest.raises(FileNotFoundError):
            module.set_file_mtime(tmp_path / 'missing', 0)
        with pytest.raises(FileNotFoundError):
            module.get_file_mtime(tmp_path / 'missing')


@pytest.mark.parametrize('system', ['Linux', 'Darwin', 'Windows'])
@pytest.mark.parametrize(
    'path',
    [
        '/dev/null', '/dev/stdout', '/dev/x/y', '/device', 'dev/null', 'CON', 'con', 'NUL', 'nul',
        'CON1', '/tmp/CON', '', os.devnull,
    ],
)  # fmt: skip
def test_special_files(monkeypatch: pytest.MonkeyPatch, system: str, path: str) -> None:
    monkeypatch.setattr(platform, 'system', lambda: system)
    assert ours.is_special_file(path) == theirs.is_special_file(path)
    assert ours.is_special_file(Path(path)) == theirs.is_special_file(Path(path))


@pytest.mark.parametrize('system', ['Linux', 'Windows'])
@given(path=st.text('ab/\\.C:', max_size=12))
def test_long_windows_paths(system: str, path: str) -> None:
    if path.startswith('\\\\?\\'):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, 'system', lambda: system)
        assert b2fast.fix_windows_path_limit(path) == b2sdk.fix_windows_path_limit(path)


@given(st.lists(st.integers(), max_size=8), st.integers(-1, 10))
def test_peeking(items: list[int], count: int) -> None:
    def peek(module: Any) -> Any:
        source = iter(items)
        peeked, rest = module.iterator_peek(source, count)
        return peeked, list(source)[:1], list(rest)

    assert peek(ours) == peek(theirs)
    peeked, all_items = ours.iterator_peek(iter(items), count)
    assert peeked == items[: max(count, 0)]
    assert list(all_items) == items


file_names = st.one_of(texts, st.text('ab/\x7fü', max_size=12), st.text('aü', min_size=120))


@given(file_names)
@example('\udc80')
@example('a' * 250)
@example('a' * 251)
def test_file_names(name: str) -> None:
    # Only b2sdk refuses backslashes, and only b2fast control characters other than DEL.
    if '\\' in name or (name and min(name) < ' '):
        return
    if value_or_error(lambda: theirs.validate_b2_file_name(name)) == 'ValueError':
        with pytest.raises(UnusableFileName):
            ours.validate_b2_file_name(name)
    else:
        ours.validate_b2_file_name(name)


def test_file_names_that_b2_takes_and_b2sdk_does_not() -> None:
    for name in ('a\\b', 'a/' * 511 + 'ab'):
        with pytest.raises(ValueError, match='file name'):
            theirs.validate_b2_file_name(name)
        ours.validate_b2_file_name(name)


def test_file_names_that_b2_does_not_take() -> None:
    theirs.validate_b2_file_name('a\nb')
    with pytest.raises(UnusableFileName, match='hex 0a'):
        ours.validate_b2_file_name('a\nb')


@pytest.mark.parametrize('name', [b'bytes', None, 5])
def test_names_that_are_no_text(name: Any) -> None:
    for module in (ours, theirs):
        with pytest.raises(ValueError, match=r'(?i)file ?name must be a str'):
            module.validate_b2_file_name(name)


class FakeLock:
    """Keeps its calls."""

    def __init__(self, free: bool) -> None:
        self.free = free
        self.calls: list[Any] = []

    def acquire(self, blocking: bool) -> bool:
        self.calls.append(('acquire', blocking))
        return self.free

    def release(self) -> None:
        self.calls.append('release')
        raise RuntimeError('release of a lock that nobody has')


def test_token_guard() -> None:
    for module, error in ((ours, UploadTokenUsedConcurrently), (theirs, TheirConcurrentUse)):
        lock = FakeLock(free=True)
        with module.ConcurrentUsedAuthTokenGuard(lock, 'token'):
            assert lock.calls == [('acquire', False)]
        assert lock.calls[1:] == ['release']
        taken = FakeLock(free=False)
        with pytest.raises(error), module.ConcurrentUsedAuthTokenGuard(taken, 'a-token'):
            pytest.fail('entered with a lock that is taken')
        assert taken.calls == [('acquire', False)]


def test_links_of_classes() -> None:
    class Linked:
        """Text.

        .. _First: https://example.com/a: b
          .. _Second link: http://example.com

        No .. _link: here
        .. note:: nor here
        """

    class Bare:
        pass

    for cls in (Linked, Bare, int):
        assert b2fast.get_b2sdk_doc_urls(cls) == b2sdk.get_b2sdk_doc_urls(cls)
    assert len(b2fast.get_b2sdk_doc_urls(Linked)) == 2


def test_links_of_the_public_classes() -> None:
    found = {}
    for sdk in (b2fast, b2sdk):
        classes = {name: getattr(sdk, name) for name in set(dir(b2sdk)) & set(dir(b2fast))}
        found[sdk] = {
            name: sdk.get_b2sdk_doc_urls(cls)
            for name, cls in classes.items()
            if isinstance(cls, type) and sdk.get_b2sdk_doc_urls(cls)
        }
    assert found[b2fast] == found[b2sdk]


def test_included_sources() -> None:
    assert b2fast.get_included_sources() == []
    assert b2fast.get_included_sources() is b2fast.get_included_sources()
