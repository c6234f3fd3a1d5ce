from __future__ import annotations

import io

import pytest
from b2sdk import v3 as b2sdk
from hypothesis import given, strategies as st

from b2fast._core.hashing import sha1_of_stream


@given(st.binary(max_size=3000), st.integers(-2, 3002))
def test_streams_are_hashed_as_by_b2sdk(content, length):
    try:
        expected = b2sdk.hex_sha1_of_stream(io.BytesIO(content), length)
    except ValueError:
        with pytest.raises(ValueError, match='bytes'):
            sha1_of_stream(io.BytesIO(content), length)
    else:
        assert sha1_of_stream(io.BytesIO(content), length) == expected
