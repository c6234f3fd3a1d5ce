"""Laws of the planner: whatever intents it gets, the parts are the file, within all limits."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import example, given, strategies as st

from b2fast import CopySource, UploadSourceBytes, WriteIntent
from b2fast.exception import InvalidArgument, InvalidUserInput
from b2fast.transfer.emerge.planner import EmergePart, PartSizes, plan_file, plan_parts

LENGTH = 120
CONTENT = bytes(range(LENGTH))


@dataclass(frozen=True)
class Interval:
    """An intent to write, in bytes."""

    start: int
    end: int
    is_copy: bool


def covering(intervals: list[Interval]) -> list[Interval]:
    """The intervals, in order, with the gaps between them filled by uploads."""
    result = []
    end = 0
    for interval in sorted(intervals, key=lambda interval: interval.start):
        if interval.start > end:
            result.append(Interval(end, interval.start, False))
        result.append(interval)
        end = max(end, interval.end)
    return result


interval = st.builds(
    lambda start, length, is_copy: Interval(start, min(start + length, LENGTH), is_copy),
    st.integers(0, LENGTH),
    st.integers(0, LENGTH),
    st.booleans(),
)
files = st.lists(interval, min_size=1, max_size=12).map(covering)
part_sizes = st.tuples(st.integers(1, 30), st.integers(0, 30), st.integers(0, 30)).map(
    lambda sizes: PartSizes(sizes[0], sizes[0] + sizes[1], sum(sizes))
)


def intent_of(interval: Interval, number: int) -> WriteIntent:
    """The intent, whose source tells where its bytes are from."""
    length = interval.end - interval.start
    if interval.is_copy:
        # The stored file has the content at the same place.
        offset = interval.start if length else 0
        return WriteIntent(CopySource(f'file-{number}', offset, length), interval.start)
    content = CONTENT[interval.start : interval.end]
    return WriteIntent(UploadSourceBytes(content), interval.start)


def content_of(part: EmergePart) -> bytes:
    """The bytes of a part."""
    result = b''
    for stretch in part.stretches:
        source = stretch.source
        assert stretch.length > 0
        assert stretch.offset >= 0
        if isinstance(source, CopySource):
            first, last = source.get_copy_source_range(
                stretch.offset, stretch.length
            ).get_bytes_range() or (0, -1)
            result += CONTENT[first : last + 1]
        else:
            assert isinstance(source, UploadSourceBytes)
            result += bytes(source.data_bytes[stretch.offset :][: stretch.length])
    assert len(result) == part.length
    return result


@given(files, part_sizes, st.randoms(use_true_random=False))
@example([Interval(0, 10, True), Interval(10, 12, True)], PartSizes(5, 5, 7), None)
@example([Interval(0, 3, False), Interval(3, 12, True)], PartSizes(5, 5, 5), None)
def test_parts_are_the_file(intervals: list[Interval], sizes: PartSizes, random: object) -> None:
    intents = [intent_of(interval, number) for number, interval in enumerate(intervals)]
    length = max(interval.end for interval in intervals)
    streamed = list(plan_parts(iter(intents), sizes))
    if random is not None:
        random.shuffle(intents)  # type: ignore[attr-defined]
    planned = plan_file(intents, sizes)
    for parts in (streamed, planned):
        assert b''.join(map(content_of, parts)) == CONTENT[:length]
        assert all(part.length >= sizes.minimum for part in parts[:-1])
        assert all(part.length <= sizes.maximum for part in parts)
        assert all(part.length for part in parts) or len(parts) == 1


@given(files, part_sizes)
def test_only_what_is_too_short_is_downloaded(intervals: list[Interval], sizes: PartSizes) -> None:
    intents = [intent_of(interval, number) for number, interval in enumerate(intervals)]
    downloaded = sum(
        stretch.length
        for part in plan_parts(intents, sizes)
        for stretch in part.stretches
        if stretch.source.is_copy() and not part.is_copy
    )
    copies = sum(interval.is_copy for interval in intervals)
    # Of each copy at most the bytes that its neighbour misses, and a rest that is no part.
    assert downloaded <= copies * 2 * sizes.maximum
    if not any(interval.is_copy for interval in intervals[1:]):
        assert downloaded <= sizes.maximum


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), part_sizes)
def test_uploads_are_cut_as_recommended(lengths: list[int], sizes: PartSizes) -> None:
    sources = [UploadSourceBytes(bytes(length)) for length in lengths]
    parts = plan_file(WriteIntent.wrap_sources_iterator(sources), sizes)
    assert all(part.length == sizes.recommended for part in parts[:-2])


def test_large_copy_is_cut_into_the_fewest_equal_parts() -> None:
    sizes = PartSizes(10, 50, 100)
    parts = plan_file([WriteIntent(CopySource('id', 0, 301))], sizes)
    assert [part.length for part in parts] == [76, 75, 75, 75]
    assert all(part.is_copy for part in parts)


def test_copy_wins_over_upload_but_not_if_it_is_short() -> None:
    sizes = PartSizes(10, 50, 100)
    upload = UploadSourceBytes(CONTENT)
    for copied, expected in ((20, [30, 20, 50, 20]), (5, [50, 50, 20])):
        copy = CopySource('id', 30, copied)
        parts = plan_file([WriteIntent(upload), WriteIntent(copy, 30)], sizes)
        assert [part.length for part in parts] == expected
        assert [part.is_copy for part in parts].count(True) == (copied == 20)


def test_a_large_file_gets_larger_parts() -> None:
    sizes = PartSizes(5_000_000, 100_000_000, 5_000_000_000)
    source = UploadSourceBytes(b'')
    source.get_content_length = lambda: 9 * 10**12  # type: ignore[method-assign]
    parts = plan_file([WriteIntent(source)], sizes)
    assert len(parts) <= 10_000
    assert sum(part.length for part in parts) == 9 * 10**12
    with pytest.raises(InvalidArgument, match='max_part_size'):
        plan_file([WriteIntent(source)], PartSizes(5_000_000, 100_000_000, 100_000_000))


def test_many_small_pieces_of_stored_files_fit_into_ten_thousand_parts() -> None:
    sizes = PartSizes(2, 2, 4)
    pieces = [CopySource('id', 0, 3) for _ in range(12_000)]
    parts = plan_file(WriteIntent.wrap_sources_iterator(pieces), sizes)
    assert len(parts) <= 10_000
    assert sum(part.length for part in parts) == 36_000


@pytest.mark.parametrize('stream', [False, True])
def test_what_cannot_be_planned(stream: bool) -> None:
    def plan(*offsets: int) -> None:
        sizes = PartSizes(1, 2, 3)
        intents = [WriteIntent(UploadSourceBytes(b'abc'), offset) for offset in offsets]
        list(plan_parts(intents, sizes)) if stream else plan_file(intents, sizes)

    with pytest.raises(ValueError, match=r'holes.*\(3, 4\)'):
        plan(0, 4)
    with pytest.raises(ValueError, match=r'holes.*\(0, 1\)'):
        plan(1)
    with pytest.raises(ValueError, match='sorted'):
        plan(-1)
    if stream:
        with pytest.raises(ValueError, match='sorted'):
            plan(0, 3, 2)
    else:
        plan(0, 3, 2)
        with pytest.raises(ValueError, match='nothing'):
            plan()


def test_sizes_that_contradict_each_other() -> None:
    with pytest.raises(InvalidUserInput, match='min_part_size'):
        PartSizes(3, 2, 4)
    with pytest.raises(InvalidUserInput, match='max_part_size'):
        PartSizes(1, 5, 4)


def test_length_must_be_known() -> None:
    with pytest.raises(ValueError, match='unknown length'):
        WriteIntent(CopySource('id'))
