from __future__ import annotations

import array
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from b2fast._core.hashing import (
    Blake3,
    Sha1,
    sha1_kernel,
    sha1_of_bytes,
    sha1_of_file,
    sha1_of_parts,
    sha1_of_stream,
    update_many,
)

from ..helpers import sha1_of

# Longer than what is copied, read or hashed at once, and not a multiple of anything.
LONG = bytes(range(251)) * 13_001
LONG_SHA1 = sha1_of(LONG)

BUFFERS = {
    'bytes': lambda data: data,
    'bytearray': bytearray,
    'memoryview': memoryview,
    'writable memoryview': lambda data: memoryview(bytearray(data)),
    'signed bytes': lambda data: array.array('b', data),
    'words': lambda data: array.array('H', data[: len(data) // 2 * 2]),
    'two dimensions': lambda data: memoryview(data[:4096]).cast('B', (64, 64)),
    'slice': lambda data: memoryview(data)[7:],
}


@pytest.mark.parametrize('make', BUFFERS.values(), ids=BUFFERS.keys())
def test_any_contiguous_buffer_is_hashed(make):
    buffer = make(LONG)
    expected = sha1_of(bytes(memoryview(buffer).cast('B')))
    assert sha1_of_bytes(buffer) == expected
    assert Sha1(buffer).hexdigest() == expected
    hasher = Sha1()
    update_many([hasher], [buffer])
    assert hasher.hexdigest() == expected


@pytest.mark.parametrize('empty', [b'', bytearray(), array.array('I'), memoryview(b'')])
def test_nothing_is_hashed_too(empty):
    assert sha1_of_bytes(empty) == sha1_of(b'')


@pytest.mark.parametrize('data', ['text', 5, None, [1, 2]])
def test_only_buffers_are_hashed(data):
    with pytest.raises(TypeError):
        sha1_of_bytes(data)
    with pytest.raises(TypeError):
        Sha1().update(data)


def test_buffers_with_gaps_are_refused():
    with pytest.raises(BufferError, match='not contiguous'):
        sha1_of_bytes(memoryview(LONG)[::2])


def test_a_hasher_goes_on_after_its_digest():
    hasher = Sha1(b'ab')
    assert hasher.hexdigest() == sha1_of(b'ab')
    copy = hasher.copy()
    hasher.update(b'c')
    assert hasher.hexdigest() == sha1_of(b'abc')
    assert copy.hexdigest() == sha1_of(b'ab')


def test_a_hasher_shows_its_digest():
    assert repr(Sha1()) == f'<Sha1 {sha1_of(b"")}>'
    assert repr(Blake3()) == f'<Blake3 {Blake3().hexdigest()}>'


def test_blake3_knows_its_test_vectors():
    # From the test vectors published with BLAKE3: inputs that count up to 250.
    content = bytes(i % 251 for i in range(1025))
    assert Blake3().hexdigest().startswith('af1349b9f5f9a1a6a0404dea36dcc949')
    assert Blake3(content[:1]).hexdigest().startswith('2d3adedff11b61f14c886e35afa03673')
    assert Blake3(content).hexdigest().startswith('d00278ae47eb27b34faecf67b4fe263f')


def test_blake3_pieces_add_up():
    hasher = Blake3(LONG[:1000])
    copy = hasher.copy()
    hasher.update(bytearray(LONG[1000:]))
    assert hasher.digest() == Blake3(LONG).digest()
    assert bytes.fromhex(copy.hexdigest()) == Blake3(LONG[:1000]).digest()
    assert len(hasher.digest()) == 32


def test_update_many_wants_a_chunk_for_each_hasher():
    with pytest.raises(ValueError, match='1 chunks for 2 hashers'):
        update_many([Sha1(), Sha1()], [b''])


def test_update_many_wants_each_hasher_once():
    hasher = Sha1()
    with pytest.raises(ValueError, match='twice'):
        update_many([hasher, Sha1(), hasher], [b'a', b'b', b'c'])
    assert hasher.digest() == Sha1().digest()


def test_update_many_mixes_buffers():
    chunks = [LONG, bytearray(LONG[:3_000_000]), b'', memoryview(LONG)[1:], LONG[:100]]
    hashers = [Sha1(b'head') for _ in chunks]
    update_many(hashers, chunks)
    assert [hasher.hexdigest() for hasher in hashers] == [
        sha1_of(b'head' + bytes(chunk)) for chunk in chunks
    ]


def test_threads_share_hashers():
    # Each takes both locks, in either order, while the others want the GIL.
    first, second = Sha1(), Sha1()
    chunk = bytearray(b'x' * 5000)

    def work(hashers):
        for _ in range(50):
            update_many(hashers, [chunk, chunk])
            hashers[0].update(chunk)
            first.hexdigest()

    threads = [
        threading.Thread(target=work, args=(hashers,))
        for hashers in ([first, second], [second, first]) * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = sha1_of(chunk * 300)
    assert first.hexdigest() == expected
    assert second.hexdigest() == expected


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    path = tmp_path / 'long'
    path.write_bytes(LONG)
    return path


def test_a_file_is_hashed(long_file):
    assert sha1_of_file(long_file) == LONG_SHA1
    assert sha1_of_file(str(long_file), length=None) == LONG_SHA1


@pytest.mark.parametrize(
    ('offset', 'length'), [(0, 0), (0, 10), (13, 2_000_000), (len(LONG), 0), (5, None)]
)
def test_a_range_of_a_file_is_hashed(long_file, offset, length):
    end = len(LONG) if length is None else offset + length
    assert sha1_of_file(long_file, offset, length) == sha1_of(LONG[offset:end])


@pytest.mark.parametrize(('offset', 'length'), [(0, len(LONG) + 1), (len(LONG) + 1, None)])
def test_a_range_beyond_the_file_is_refused(long_file, offset, length):
    with pytest.raises(ValueError, match=f'{len(LONG)} bytes'):
        sha1_of_file(long_file, offset, length)


def test_files_fail_like_those_of_python(tmp_path):
    missing = tmp_path / 'missing \udcff'
    for function in (sha1_of_file, lambda path: sha1_of_parts(path, [(0, 0)])):
        with pytest.raises(FileNotFoundError) as caught:
            function(missing)
        assert caught.value.filename == str(missing)
        with pytest.raises(IsADirectoryError) as caught:
            function(tmp_path)
        assert str(caught.value) == f"[Errno 21] Is a directory: '{tmp_path}'"


def test_only_regular_files_are_hashed(tmp_path):
    pipe = tmp_path / 'pipe'
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match='pipe is not a regular file'):
        sha1_of_file(pipe)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / 'socket'))
        with pytest.raises(ValueError, match='socket is not a regular file'):
            sha1_of_file(tmp_path / 'socket')


def test_parts_are_hashed_with_the_file(long_file):
    cut = 1_500_001
    parts = [(0, cut), (cut, len(LONG) - cut)]
    assert sha1_of_parts(long_file, parts) == (
        LONG_SHA1,
        [sha1_of(LONG[:cut]), sha1_of(LONG[cut:])],
    )


@pytest.mark.parametrize('parts', [[], [(0, 10)], [(0, 10), (11, len(LONG) - 11)]])
def test_parts_have_to_make_up_the_file(long_file, parts):
    with pytest.raises(ValueError, match='parts do not make up'):
        sha1_of_parts(long_file, parts)


class Endless:
    """A stream that never ends and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def read(self, size: int) -> bytes:
        self.asked.append(size)
        return b'x' * size


def test_a_stream_is_read_no_further_than_asked():
    stream = Endless()
    length = 2 * 1024 * 1024 + 5
    assert sha1_of_stream(stream, length) == sha1_of(b'x' * length)
    assert sum(stream.asked) == length
    assert max(stream.asked) <= 1024 * 1024


def test_a_stream_may_return_less_than_asked_for():
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 1000))

    assert sha1_of_stream(Slow(LONG[:50_000]), 50_000) == sha1_of(LONG[:50_000])


def test_a_stream_that_ends_early_is_refused():
    with pytest.raises(ValueError, match='ended after 10 of 11 bytes'):
        sha1_of_stream(io.BytesIO(bytes(10)), 11)


def test_a_stream_that_returns_too_much_is_refused():
    class Generous:
        def read(self, size):
            return bytes(size + 1)

    with pytest.raises(ValueError, match='returned 11 bytes when asked for 10'):
        sha1_of_stream(Generous(), 10)


def test_a_stream_has_no_negative_length():
    with pytest.raises(ValueError, match='-1 bytes'):
        sha1_of_stream(Endless(), -1)


def test_an_error_of_a_stream_comes_through():
    class Broken:
        def read(self, size):
            raise ConnectionResetError('gone')

    with pytest.raises(ConnectionResetError, match='gone'):
        sha1_of_stream(Broken(), 10)


def test_hashing_a_file_stops_at_signals(tmp_path):
    class Stopped(Exception):
        pass

    def stop(_number, _frame):
        raise Stopped

    # Sparse, and large enough to take minutes.
    path = tmp_path / 'large'
    with path.open('wb') as file:
        file.truncate(1 << 38)
    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Stopped):
            sha1_of_file(path)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


KERNELS = {
    'avx2',
    'avx512',
    'portable',
    'sha-ni',
    'sha-ni+avx512',
    'sha-ni-avx512',
    'sha-ni-avx512+avx512',
}


@pytest.mark.parametrize('wanted', [*sorted(KERNELS), 'unknown', ''])
def test_the_environment_chooses_the_kernel(wanted):
    # A process of its own: the choice is made once.
    code = (
        'from b2fast._core.hashing import *;'
        'hashers = [Sha1() for _ in range(17)];'
        f'update_many(hashers, [bytes({len(LONG)})] * 17);'
        'print(sha1_kernel(), *{hasher.hexdigest() for hasher in hashers})'
    )
    output = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'B2FAST_SHA1': wanted},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    kernel, *digests = output.split()
    assert kernel in ({'portable'} if wanted == 'portable' else KERNELS)
    assert digests == [sha1_of(bytes(len(LONG)))]


def test_the_kernel_has_a_name():
    forced = os.environ.get('B2FAST_SHA1') == 'portable'
    assert sha1_kernel() in ({'portable'} if forced else KERNELS)
