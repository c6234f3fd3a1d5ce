"""Streams under random reads, writes and seeks: every result and every state is b2sdk's."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from b2sdk import v3 as b2sdk
from b2sdk._internal.stream import chained as their_chained, range as their_range
from b2sdk._internal.stream.wrapper import (
    StreamWithLengthWrapper as TheirLengthWrapper,
    StreamWrapper as TheirWrapper,
)
from hypothesis import given, strategies as st

import b2fast
from b2fast.stream import chained as our_chained, range as our_range
from b2fast.stream.wrapper import StreamWithLengthWrapper, StreamWrapper

from .outcomes import value_or_error

Step = tuple[Any, ...]

contents = st.binary(max_size=60)
sizes = st.none() | st.integers(1, 70)
reads = st.tuples(st.just('read'), sizes)
zero_reads = st.tuples(st.just('read'), st.just(0))
negative_reads = st.tuples(st.just('read'), st.integers(-3, -1))
seeks = st.tuples(st.just('seek'), st.integers(0, 70))
seeks_from = st.tuples(st.just('seek'), st.integers(-5, 70), st.integers(0, 2))
writes = st.tuples(st.just('write'), st.binary(max_size=20))
truncations = st.tuples(st.just('truncate'), st.none() | st.integers(0, 70))
questions = st.sampled_from(
    [(name,) for name in ('tell', 'flush', 'readable', 'seekable', 'len', 'readline')]
)


def steps(*kinds: Any) -> Any:
    return st.lists(st.one_of(*kinds, questions), max_size=12)


def run(stream: Any, script: list[Step], *state: str) -> list[Any]:
    """The results of calls, with attributes of the stream after each."""
    results = []
    for name, *arguments in script:
        call = partial(len, stream) if name == 'len' else partial(getattr(stream, name), *arguments)
        result = value_or_error(call)
        results.append((name, result, [getattr(stream, attribute) for attribute in state]))
    return results


@given(contents, steps(reads, zero_reads, negative_reads, seeks_from, writes, truncations))
def test_wrapper(content: bytes, script: list[Step]) -> None:
    script = [step for step in script if step != ('len',)]
    script.append(('writable',))
    ours, theirs = io.BytesIO(content), io.BytesIO(content)
    assert run(StreamWrapper(ours), script, 'closed') == run(TheirWrapper(theirs), script, 'closed')
    assert ours.getvalue() == theirs.getvalue()


@given(contents, st.none() | st.integers(0, 100), steps(reads, zero_reads, seeks_from, writes))
def test_wrapper_with_a_length(content: bytes, length: int | None, script: list[Step]) -> None:
    ours = StreamWithLengthWrapper(io.BytesIO(content), length)
    theirs = TheirLengthWrapper(io.BytesIO(content), length)
    assert run(ours, script, 'length') == run(theirs, script, 'length')


# Offsets within the content: what lies behind is read by none.
@given(
    contents, st.integers(0, 80), st.integers(0, 80), steps(reads, zero_reads, seeks, seeks_from)
)
def test_range(content: bytes, offset: int, length: int, script: list[Step]) -> None:
    # b2sdk seeks to positions before the range, and reads there.
    script = [step for step in script if step[0] != 'seek' or step[1] >= 0]
    state = ('relative_pos', 'offset', 'length', 'closed')
    ours = b2fast.RangeOfInputStream(io.BytesIO(content), offset, length)
    theirs = b2sdk.RangeOfInputStream(io.BytesIO(content), offset, length)
    assert run(ours, script, *state) == run(theirs, script, *state)
    assert ours.read() == theirs.read()


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_range_of_a_whole_stream_is_the_stream(size: int, offset: int, length: int) -> None:
    def wraps(module: Any) -> bool:
        stream = io.BytesIO(bytes(size))
        return module.wrap_with_range(stream, size, offset, length) is not stream

    assert wraps(our_range) == wraps(their_range)


@given(contents, st.booleans(), steps(reads, st.just(('seek', 0)), seeks_from))
def test_hash(content: bytes, with_length: bool, script: list[Step]) -> None:
    length = len(content) if with_length else None
    state = ('hash', 'length', 'closed')
    ours = b2fast.StreamWithHash(io.BytesIO(content), length)
    theirs = b2sdk.StreamWithHash(io.BytesIO(content), length)
    assert run(ours, script, *state) == run(theirs, script, *state)


@given(contents, st.lists(st.integers(1, 9), min_size=120, max_size=120))
def test_hash_read_in_pieces(content: bytes, pieces: list[int]) -> None:
    def read(sdk: Any) -> list[bytes]:
        stream = sdk.StreamWithHash(io.BytesIO(content), len(content))
        return [stream.read(size) for size in pieces]

    assert read(b2fast) == read(b2sdk)
    assert b''.join(read(b2fast)) == content + b2fast.hex_sha1_of_bytes(content).encode()


@pytest.mark.parametrize('offset', [0, 1000])
@pytest.mark.parametrize('length', [None, 7])
@given(content=contents, script=steps(reads, zero_reads, negative_reads, seeks_from))
def test_reading_with_progress(
    content: bytes, script: list[Step], offset: int, length: int | None
) -> None:
    def read(sdk: Any) -> Any:
        listener = sdk.ProgressListenerForTest()
        stream = sdk.ReadingStreamWithProgress(io.BytesIO(content), listener, offset, length=length)
        return run(stream, script, 'bytes_completed', 'offset', 'length'), listener.get_calls()

    assert read(b2fast) == read(b2sdk)


@given(contents, st.integers(0, 9), steps(reads, seeks_from, writes, truncations))
def test_writing_with_progress(content: bytes, offset: int, script: list[Step]) -> None:
    script = [step for step in script if step != ('len',)]

    def write(sdk: Any) -> Any:
        listener = sdk.ProgressListenerForTest()
        target = io.BytesIO(content)
        stream = sdk.WritingStreamWithProgress(target, listener, offset=offset)
        results = run(stream, script, 'bytes_completed', 'offset')
        return results, listener.get_calls(), target.getvalue()

    assert write(b2fast) == write(b2sdk)


class Opened(io.BytesIO):
    """A stream that says when it is closed."""

    def __init__(self, content: bytes, name: int, log: list[Any]) -> None:
        super().__init__(content)
        self.name = name
        self.log = log

    def close(self) -> None:
        if not self.closed:
            self.log.append(('close', self.name))
        super().close()


def openers_of(base: type, contents: list[bytes], log: list[Any]) -> list[Callable[[], Any]]:
    """Openers that keep what is asked of them; every other one has nothing to clean up."""

    class Opener(base):  # type: ignore[misc]
        def __init__(self, number: int, content: bytes) -> None:
            self.number = number
            self.content = content

        def __call__(self) -> Opened:
            log.append(('open', self.number))
            return Opened(self.content, self.number, log)

        def cleanup(self) -> None:
            log.append(('cleanup', self.number))

    def plain(number: int, content: bytes) -> Callable[[], Opened]:
        def open_it() -> Opened:
            log.append(('open', number))
            return Opened(content, number, log)

        return open_it

    return [
        plain(number, content) if number % 2 else Opener(number, content)
        for number, content in enumerate(contents)
    ]


# b2sdk cannot read without a size: read() and read(None) raise TypeError.
@given(
    st.lists(contents, min_size=1, max_size=5),
    st.lists(
        st.one_of(
            st.tuples(st.just('read'), st.integers(-2, 80).filter(bool)),
            st.just(('seek', 0)),
            seeks_from,
            st.sampled_from([('tell',), ('readable',), ('seekable',), ('writable',)]),
        ),
        max_size=10,
    ),
)
def test_chain(contents: list[bytes], script: list[Step]) -> None:
    def chain(module: Any, base: type) -> Any:
        log: list[Any] = []
        stream = module.ChainedStream(openers_of(base, contents, log))
        results = run(stream, script, 'closed')
        stream.close()
        return results, log, stream.closed

    ours = chain(our_chained, b2fast.StreamOpener)
    assert ours == chain(their_chained, b2sdk.StreamOpener)


def test_chain_of_nothing() -> None:
    for module in (our_chained, their_chained):
        # b2sdk's object has no streams to close when it is thrown away, and complains.
        with pytest.raises(ValueError):  # noqa: PT011
            module.ChainedStream.__new__(module.ChainedStream).__init__([])


@pytest.mark.parametrize(
    'make',
    [
        lambda sdk: sdk.RangeOfInputStream(io.BytesIO(b'abc'), 1, 2),
        lambda sdk: sdk.StreamWithHash(io.BytesIO(b'abc')),
        lambda sdk: (our_chained if sdk is b2fast else their_chained).ChainedStream(
            [lambda: io.BytesIO(b'abc')]
        ),
    ],
    ids=['range', 'hash', 'chain'],
)
def test_nothing_is_written_to_what_is_read(make: Callable[[Any], Any]) -> None:
    for sdk in (b2fast, b2sdk):
        stream = make(sdk)
        assert stream.writeable() is False
        with pytest.raises(io.UnsupportedOperation):
            stream.write(b'x')


@pytest.mark.parametrize(
    ('make', 'closes'),
    [
        (lambda sdk, stream: sdk.RangeOfInputStream(stream, 0, 1), True),
        (lambda sdk, stream: sdk.StreamWithHash(stream), False),
        (
            lambda sdk, stream: sdk.ReadingStreamWithProgress(
                stream, sdk.DoNothingProgressListener()
            ),
            False,
        ),
    ],
    ids=['range', 'hash', 'progress'],
)
def test_who_closes_the_wrapped_stream(make: Any, closes: bool) -> None:
    for sdk in (b2fast, b2sdk):
        stream = io.BytesIO(b'abc')
        wrapper = make(sdk, stream)
        with wrapper:
            wrapper.read()
        assert stream.closed is closes
        assert wrapper.closed is closes


def test_text_of_a_stream_with_progress() -> None:
    class Named(io.BytesIO):
        def __str__(self) -> str:
            return 'the name'

    for sdk in (b2fast, b2sdk):
        listener = sdk.DoNothingProgressListener()
        assert str(sdk.ReadingStreamWithProgress(Named(), listener)) == 'the name'
        assert str(sdk.AbstractStreamWithProgress(Named(), listener)) == 'the name'
