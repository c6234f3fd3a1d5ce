"""Streams: what they promise beyond what b2sdk's do."""

from __future__ import annotations

import gc
import io
from typing import Any

import pytest
from hypothesis import given, strategies as st

from b2fast import (
    AbstractStreamWithProgress,
    DoNothingProgressListener,
    ProgressListenerForTest,
    RangeOfInputStream,
    ReadingStreamWithProgress,
    StreamOpener,
    StreamWithHash,
    WritingStreamWithProgress,
)
from b2fast.stream.chained import ChainedStream
from b2fast.stream.range import wrap_with_range
from b2fast.stream.wrapper import StreamWrapper

from ..helpers import sha1_of

contents = st.binary(max_size=60)


class Trickle(io.BytesIO):
    """Gives three bytes at a time, as a pipe may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size if size is None or size < 0 else min(size, 3))


@given(contents, st.integers(1, 200))
def test_the_hash_follows_the_last_byte_of_a_slow_stream(content: bytes, size: int) -> None:
    stream = StreamWithHash(Trickle(content), len(content))
    received = b''
    while data := stream.read(size):
        assert len(data) == min(size, len(content) + 40 - len(received))
        received += data
    assert received == content + sha1_of(content).encode()
    assert len(received) == len(stream)


@pytest.mark.parametrize('size', [None, -1])
@given(content=contents, first=st.integers(0, 110))
def test_all_that_is_left_includes_the_hash(content: bytes, first: int, size: int | None) -> None:
    stream = StreamWithHash(io.BytesIO(content))
    whole = content + sha1_of(content).encode()
    assert stream.read(first) + stream.read(size) == whole
    assert stream.read(size) == b''
    assert stream.seek(0) == 0
    assert stream.read(0) == b''
    assert stream.read(size) == whole
    assert stream.read(0) == b''


def test_another_hash() -> None:
    import hashlib

    class StreamWithSha256(StreamWithHash):
        @classmethod
        def get_digest(cls) -> Any:
            return hashlib.sha256()

    stream = StreamWithSha256(io.BytesIO(b'abc'), 3)
    assert stream.read() == b'abc' + hashlib.sha256(b'abc').hexdigest().encode()
    assert len(stream) == 3 + 64


@pytest.mark.parametrize('size', [None, -1, -5])
def test_a_range_ends_where_it_should(size: int | None) -> None:
    stream = RangeOfInputStream(io.BytesIO(b'0123456789'), 2, 5)
    assert stream.read(2) == b'23'
    assert stream.read(size) == b'456'
    assert stream.read(size) == b''
    assert stream.seek(1) == stream.tell() == 1
    assert stream.read(size) == b'3456'


def test_a_range_has_nothing_before_its_start() -> None:
    stream = RangeOfInputStream(io.BytesIO(b'0123456789'), 2, 5)
    with pytest.raises(ValueError, match='negative'):
        stream.seek(-1)
    assert stream.read() == b'23456'
    assert not stream.writable()


def test_a_stretch_of_a_stream() -> None:
    stream = io.BytesIO(b'0123456789')
    assert wrap_with_range(stream, 10, 0, 10) is stream
    assert wrap_with_range(stream, 10, 3, 4).read() == b'3456'


@pytest.mark.parametrize(
    'wrap',
    [
        StreamWrapper,
        StreamWithHash,
        lambda stream: RangeOfInputStream(stream, 0, 1),
        lambda stream: ReadingStreamWithProgress(stream, DoNothingProgressListener()),
    ],
    ids=['wrapper', 'hash', 'range', 'progress'],
)
def test_a_wrapper_that_is_thrown_away_leaves_the_stream_alone(wrap: Any) -> None:
    class Watched(io.BytesIO):
        flushed = False

        def flush(self) -> None:
            self.flushed = True

    stream = Watched(b'abc')
    wrap(stream)
    gc.collect()
    assert not stream.closed
    assert not stream.flushed


def test_no_length() -> None:
    listener = DoNothingProgressListener()
    for stream in (
        StreamWithHash(io.BytesIO()),
        ReadingStreamWithProgress(io.BytesIO(), listener),
    ):
        with pytest.raises(TypeError, match='length of the stream is not known'):
            len(stream)


def test_a_listener_is_needed() -> None:
    with pytest.raises(ValueError, match='DoNothingProgressListener'):
        AbstractStreamWithProgress(io.BytesIO(), None)  # type: ignore[arg-type]


def test_only_what_was_written_counts() -> None:
    class Full(io.RawIOBase):
        room = 5

        def write(self, data: Any) -> int:
            if not self.room:
                raise OSError('full')
            taken = min(self.room, len(data))
            self.room -= taken
            return taken

    class Silent:
        def write(self, data: bytes) -> None:
            pass

    listener = ProgressListenerForTest()
    stream = WritingStreamWithProgress(Full(), listener, offset=100)
    assert stream.write(b'123') == 3
    assert stream.write(b'456') == 2
    with pytest.raises(OSError, match='full'):
        stream.write(b'6')
    assert listener.get_calls() == ['bytes_completed(103)', 'bytes_completed(105)']
    assert WritingStreamWithProgress(Silent(), listener).write(b'12') == 2
    assert listener.get_calls()[-1] == 'bytes_completed(2)'


@pytest.mark.parametrize('arguments', [(), (None,), (-1,)])
@given(pieces=st.lists(contents, min_size=1, max_size=4), first=st.integers(0, 100))
def test_a_chain_is_read_to_its_end(arguments: Any, pieces: list[bytes], first: int) -> None:
    stream = ChainedStream([lambda piece=piece: Trickle(piece) for piece in pieces])
    whole = b''.join(pieces)
    assert stream.read(first) == whole[:first]
    assert stream.read(*arguments) == whole[first:]
    assert stream.read(*arguments) == b''
    assert stream.tell() == len(whole)
    assert stream.seek(0) == 0
    assert stream.read(*arguments) == whole


def test_a_chain_has_one_stream_open_at_a_time() -> None:
    opened: list[io.BytesIO] = []

    def opener() -> io.BytesIO:
        assert all(stream.closed for stream in opened)
        opened.append(io.BytesIO(b'ab'))
        return opened[-1]

    with ChainedStream([opener] * 3) as stream:
        assert stream.read(0) == b''
        assert not opened
        assert stream.read(3) == b'aba'
        assert len(opened) == 2
        assert list(stream) == [b'bab']
    assert all(stream.closed for stream in opened)


def test_a_closed_chain() -> None:
    cleaned = []

    class Opener(StreamOpener):
        def __call__(self) -> io.BytesIO:
            return io.BytesIO(b'a')

        def cleanup(self) -> None:
            cleaned.append(self)

    openers = [Opener(), Opener()]
    stream = ChainedStream(openers)
    stream.close()
    stream.close()
    assert cleaned == openers
    for call in (stream.read, lambda: stream.seek(0)):
        with pytest.raises(ValueError, match='closed'):
            call()


def test_a_chain_of_nothing() -> None:
    with pytest.raises(ValueError, match='at least one'):
        ChainedStream([])
