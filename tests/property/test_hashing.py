from __future__ import annotations

import io

from hypothesis import given, strategies as st

from b2fast._core.hashing import (
    Sha1,
    sha1_of_bytes,
    sha1_of_file,
    sha1_of_parts,
    sha1_of_stream,
    update_many,
)

from ..helpers import sha1_of

# Lengths around the blocks of 64 bytes, and around the size where the GIL is let go.
data = st.one_of(st.binary(max_size=300), st.binary(min_size=2000, max_size=2100))
any_buffer = st.sampled_from([bytes, bytearray, memoryview])


@given(data, any_buffer)
def test_a_digest_is_that_of_hashlib(content, kind):
    assert sha1_of_bytes(kind(content)) == sha1_of(content)


@given(st.lists(data, max_size=6))
def test_pieces_add_up(pieces):
    hasher = Sha1()
    done = b''
    for piece in pieces:
        hasher.update(piece)
        done += piece
        assert hasher.hexdigest() == sha1_of(done)


@given(st.lists(st.tuples(data, data, any_buffer), max_size=10))
def test_update_many_is_update_on_each(streams):
    hashers = [Sha1(head) for head, _, _ in streams]
    update_many(hashers, [kind(tail) for _, tail, kind in streams])
    assert [hasher.hexdigest() for hasher in hashers] == [
        sha1_of(head + tail) for head, tail, _ in streams
    ]


@given(data, st.integers(0, 300))
def test_a_stream_is_hashed_as_far_as_asked(content, rest):
    stream = io.BytesIO(content + bytes(rest))
    assert sha1_of_stream(stream, len(content)) == sha1_of(content)
    assert stream.tell() == len(content)


@given(st.lists(data, min_size=1, max_size=6))
def test_a_file_and_its_parts(tmp_path_factory, pieces):
    content = b''.join(pieces)
    path = tmp_path_factory.getbasetemp() / 'content'
    path.write_bytes(content)
    parts = []
    for piece in pieces:
        offset = sum(parts[-1]) if parts else 0
        parts.append((offset, len(piece)))
    expected = [sha1_of(piece) for piece in pieces]
    assert sha1_of_parts(path, parts) == (sha1_of(content), expected)
    assert [sha1_of_file(path, offset, length) for offset, length in parts] == expected
