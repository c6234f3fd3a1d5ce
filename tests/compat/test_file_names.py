"""File names that both libraries refuse before they send anything."""

from __future__ import annotations

from typing import Any

import pytest
from b2sdk import v3 as theirs
from b2sdk._internal.raw_simulator import RawSimulator as TheirSimulator

import b2fast
from b2fast.exception import UnusableFileName


def bucket_of(sdk: Any, simulator: Any) -> Any:
    config = sdk.B2HttpApiConfig(_raw_api_class=lambda _: simulator)
    api = sdk.B2Api(sdk.InMemoryAccountInfo(), sdk.InMemoryCache(), api_config=config)
    api.authorize_account(*simulator.create_account())
    return api.create_bucket('a-bucket', 'allPrivate')


@pytest.mark.parametrize(
    'name',
    ['', '/a', 'a/', 'a//b', 'a\x7fb', 'a' * 251, 'ü' * 126, 'a/' * 512 + 'a'],
    ids=lambda name: ascii(name[:10]),
)
def test_a_refusal_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match='file name'):
        bucket_of(theirs, TheirSimulator()).upload_bytes(b'x', name)
    bucket = bucket_of(b2fast, b2fast.RawSimulator())
    with pytest.raises(UnusableFileName) as refused:
        bucket.upload_bytes(b'x', name)
    assert isinstance(refused.value, ValueError)
    assert list(bucket.ls(latest_only=False)) == []
