"""Two folders side by side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from b2fast import DEFAULT_SCAN_MANAGER, LocalPath, ScanPoliciesManager, zip_folders
from b2fast.scan.folder import AbstractFolder
from b2fast.scan.report import ProgressReport

from ...helpers import Reporter


class Folder(AbstractFolder):
    """A folder of these names, which notes how many were read, and by which policies."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.read = 0
        self.policies: ScanPoliciesManager | None = None

    def all_files(
        self,
        reporter: ProgressReport | None,
        policies_manager: ScanPoliciesManager = DEFAULT_SCAN_MANAGER,
    ) -> Iterator[LocalPath]:
        self.policies = policies_manager
        for name in self.names:
            self.read += 1
            yield LocalPath(f'/{name}', name, 0, 0)

    def folder_type(self) -> str:
        return 'own'

    def make_full_path(self, file_name: str) -> str:
        return f'/{file_name}'


sorted_names = st.lists(st.text('ab/\uffff\U00010000', min_size=1, max_size=3), unique=True).map(
    sorted
)


@given(sorted_names, sorted_names)
def test_each_path_once_in_order(left: list[str], right: list[str]) -> None:
    one, other = Folder(left), Folder(right)
    seen = []
    for a, b in zip_folders(one, other, None):
        names = {path.relative_path for path in (a, b) if path is not None}
        assert len(names) == 1
        seen.append((*names, a is not None, b is not None))
        behind = len([name for name in left if name <= seen[-1][0]])
        assert one.read <= behind + 1, 'no further than one file ahead'
    expected = sorted({*left, *right}, key=str.encode)
    assert seen == [(name, name in left, name in right) for name in expected]


def test_policies_are_for_the_first() -> None:
    one, other, policies = Folder(['a']), Folder(['a']), ScanPoliciesManager()
    assert len(list(zip_folders(one, other, None, policies))) == 1
    assert one.policies is policies
    assert other.policies is DEFAULT_SCAN_MANAGER


@pytest.mark.parametrize('names', [[], ['a'], ['a', 'b']])
def test_the_reporter_is_closed_at_the_end(names: list[str]) -> None:
    reporter = Reporter()
    pairs = zip_folders(Folder(names), Folder(['a']), reporter)
    next(pairs)
    assert not reporter.closed
    list(pairs)
    assert reporter.closed
