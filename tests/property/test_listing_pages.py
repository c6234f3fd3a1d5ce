"""A listing of a bucket is the same however many entries come at a time."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from b2fast import Filter

from ..conftest import new_raw_account

NAMES = st.text('ab/', min_size=1, max_size=6)
PATTERNS = st.sampled_from(['*', 'a*', '*b', 'a/*', '*/b', 'b'])
FILTERS = st.lists(
    st.one_of(PATTERNS.map(Filter.include), PATTERNS.map(Filter.exclude)), max_size=2
)


@given(
    st.lists(st.tuples(st.booleans(), NAMES), max_size=12),
    st.text('ab/', max_size=3),
    st.booleans(),
    st.booleans(),
    FILTERS,
    st.integers(1, 5),
)
def test_pages(
    files: list[tuple[bool, str]],
    path: str,
    latest_only: bool,
    recursive: bool,
    filters: list[Filter],
    count: int,
) -> None:
    api = new_raw_account().api
    bucket = api.create_bucket('a-bucket', 'allPrivate')
    for hidden, name in files:
        # Names like these have long been refused for uploads, but there are old ones.
        if hidden:
            api.session.hide_file(bucket.id_, name)
        else:
            api.session.copy_file(_source(bucket), name, destination_bucket_id=bucket.id_)

    def listed(fetch_count: int | None) -> list[Any]:
        found = bucket.ls(path, latest_only, recursive, fetch_count, filters=filters)
        return [(version.file_name, version.id_, folder) for version, folder in found]

    assert listed(count) == listed(None)


def _source(bucket: Any) -> str:
    """The ID of an empty file in the bucket, behind all other names."""
    found = next(iter(bucket.list_file_versions('z')), None)
    return str((found or bucket.upload_bytes(b'', 'z')).id_)
