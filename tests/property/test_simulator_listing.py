"""Listings against a model that sorts and filters everything anew each time."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, strategies as st

from b2fast.simulator.listing import FileIndex, Folder, Position


@dataclass(frozen=True)
class Version:
    name: str
    file_id: str
    action: str
    position: Position


# Few letters, so that names share prefixes; some beyond U+FFFF and next to the surrogates.
NAMES = st.text(alphabet='ab/\U0001f600\uffff\ue000', min_size=1, max_size=5)
ACTIONS = st.sampled_from(['upload', 'upload', 'hide', 'start'])
DELIMITERS = st.sampled_from([None, '/', 'b', '//'])
PREFIXES = st.text(alphabet='ab/', max_size=2)


@st.composite
def versions(draw: st.DrawFn) -> list[Version]:
    found = draw(st.lists(st.tuples(NAMES, ACTIONS, st.integers(0, 2)), max_size=25))
    return [
        Version(name, str(number), action, (-age, -number))
        for number, (name, action, age) in enumerate(found)
    ]


def ordered(found: list[Version]) -> list[Version]:
    return sorted(found, key=lambda version: (version.name.encode(), version.position))


def visible(found: list[Version]) -> list[Version]:
    newest: dict[str, Version] = {}
    for version in ordered(found):
        if version.action != 'start':
            newest.setdefault(version.name, version)
    return [version for version in newest.values() if version.action == 'upload']


def shown(found: list[Version], prefix: str, delimiter: str | None) -> list[Version | Folder]:
    entries: list[Version | Folder] = []
    for version in found:
        if not version.name.startswith(prefix):
            continue
        inside, found_one, _ = version.name[len(prefix) :].partition(delimiter or '\0')
        entry = Folder(prefix + inside + found_one) if delimiter and found_one else version
        if entry not in entries:
            entries.append(entry)
    return entries


def indexed(found: list[Version]) -> FileIndex[Version]:
    index: FileIndex[Version] = FileIndex()
    for version in found:
        index.add(version)
    return index


@given(versions(), st.integers(1, 4), PREFIXES, DELIMITERS)
def test_pages_of_names_are_the_whole(
    found: list[Version], count: int, prefix: str, delimiter: str | None
) -> None:
    index = indexed(found)
    entries: list[Version | Folder] = []
    start: str | None = ''
    while start is not None:
        page = index.page_of_names(start, count, prefix, delimiter)
        assert len(page.entries) <= count
        entries += page.entries
        start = None if page.following is None else page.following.name
    assert entries == shown(visible(found), prefix, delimiter)


@given(versions(), st.integers(1, 4), PREFIXES, DELIMITERS)
def test_pages_of_versions_are_the_whole(
    found: list[Version], count: int, prefix: str, delimiter: str | None
) -> None:
    index = indexed(found)
    entries: list[Version | Folder] = []
    start: tuple[str, Position | None] | None = ('', None)
    while start is not None:
        page = index.page_of_versions(start[0], start[1], count, prefix, delimiter)
        entries += page.entries
        following = page.following
        if following is None:
            start = None
        elif isinstance(following, Folder):
            start = (following.name, None)
        else:
            start = (following.name, following.position)
    assert entries == shown(ordered(found), prefix, delimiter)


@given(versions(), NAMES, PREFIXES)
def test_start_is_inclusive(found: list[Version], start: str, prefix: str) -> None:
    page = indexed(found).page_of_names(start, 1000, prefix)
    expected = [
        version
        for version in visible(found)
        if version.name.encode() >= start.encode() and version.name.startswith(prefix)
    ]
    assert page.entries == expected


@given(versions())
def test_removal_leaves_the_rest(found: list[Version]) -> None:
    index = indexed(found)
    kept = list(found)
    for version in found[::2]:
        index.remove(version)
        kept.remove(version)
    assert list(index) == ordered(kept)
    assert len(index) == len(kept)
    for name in {version.name for version in found}:
        expected = [version for version in visible(kept) if version.name == name]
        assert index.visible(name) == (expected[0] if expected else None)
