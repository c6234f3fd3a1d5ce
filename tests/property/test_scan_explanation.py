"""`ScanPoliciesManager.explain` says of a file what the scan does with it, on either side."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, strategies as st

from b2fast import (
    B2Api,
    B2Folder,
    B2HttpApiConfig,
    InMemoryAccountInfo,
    LocalFolder,
    RawSimulator,
    ScanPoliciesManager,
)

NAMES = st.sampled_from(['a', 'b', 'a.txt', 'b.txt', 'c', '-'])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map('/'.join)
REGEXES = st.sampled_from(['a', 'a$', '.*b', 'b/a$', '.*\\.txt$', '^-', 'c/'])
GLOBS = st.sampled_from(
    ['*', '*.txt', '/a', 'a/', '/b/', 'a/*', 'b/**/a', '**/c', '[!a]*', '/a/**', '**/', 'c/*/']
)
TIMES = st.one_of(st.none(), st.integers(1, 4))
TREES = st.dictionaries(PATHS, st.integers(1, 4), max_size=8)
NAME_POLICIES = {
    'exclude_dir_regexes': st.lists(REGEXES, max_size=1),
    'exclude_file_regexes': st.lists(REGEXES, min_size=1, max_size=2),
    'include_file_regexes': st.lists(REGEXES, max_size=1),
    'exclude_globs': st.lists(GLOBS, max_size=3),
    'include_globs': st.lists(GLOBS, max_size=2),
}
TIME_POLICIES = {
    'exclude_modified_before': TIMES,
    'exclude_modified_after': TIMES,
    'exclude_uploaded_before': TIMES,
    'exclude_uploaded_after': TIMES,
}


def policies_of(
    choices: dict[str, st.SearchStrategy[Any]],
) -> st.SearchStrategy[ScanPoliciesManager]:
    def is_usable(chosen: dict[str, Any]) -> bool:
        excludes = chosen.get('exclude_file_regexes') or chosen.get('exclude_globs')
        includes = chosen.get('include_file_regexes') or chosen.get('include_globs')
        return bool(excludes) or not includes

    return (
        st.fixed_dictionaries({}, optional=choices)
        .filter(is_usable)
        .map(lambda chosen: ScanPoliciesManager(**chosen))
    )


def plant(root: str, tree: dict[str, int]) -> None:
    """Make the files, with these milliseconds as times, as far as there is a place for them."""
    for name, milliseconds in tree.items():
        path = Path(root, name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b'')
        except OSError:
            continue
        os.utime(path, ns=(0, milliseconds * 1_000_000))


def b2_folder(tree: dict[str, int]) -> B2Folder:
    """The same in a folder of a bucket."""
    api = B2Api(InMemoryAccountInfo(), api_config=B2HttpApiConfig(_raw_api_class=RawSimulator))
    raw: Any = api.session.raw_api
    key_id, key = raw.create_account()
    api.authorize_account(key_id, key, realm='production')
    bucket = api.create_bucket('a-bucket', 'allPrivate')
    for name, milliseconds in tree.items():
        bucket.upload_bytes(
            b'', f'top/{name}', file_info={'src_last_modified_millis': str(milliseconds)}
        )
    return B2Folder('a-bucket', 'top', api)


def found_in(folder: Any, policies: ScanPoliciesManager) -> set[str]:
    return {path.relative_path for path in folder.all_files(None, policies)}


@given(TREES, st.lists(PATHS, max_size=3), policies_of({**NAME_POLICIES, **TIME_POLICIES}))
def test_local_files(tree: dict[str, int], more: list[str], policies: ScanPoliciesManager) -> None:
    with TemporaryDirectory() as root:
        plant(root, tree)
        folder = LocalFolder(root)
        found = found_in(folder, policies)
        for path in {*tree, *more}:
            explanation = policies.explain(path, folder)
            assert explanation.included == (path in found), str(explanation)
            assert explanation.included or explanation.rule is not None


@given(TREES, st.lists(PATHS, max_size=3), policies_of({**NAME_POLICIES, **TIME_POLICIES}))
def test_files_in_a_bucket(
    tree: dict[str, int], more: list[str], policies: ScanPoliciesManager
) -> None:
    folder = b2_folder(tree)
    found = found_in(folder, policies)
    for path in {*tree, *more}:
        explanation = policies.explain(path, folder)
        assert explanation.included == (path in found), str(explanation)
        assert explanation.included or explanation.rule is not None


@given(TREES, policies_of(NAME_POLICIES))
def test_names_are_treated_alike_on_both_sides(
    tree: dict[str, int], policies: ScanPoliciesManager
) -> None:
    with TemporaryDirectory() as root:
        plant(root, tree)
        there = {path.relative_path: path.mod_time for path in LocalFolder(root).all_files(None)}
        local = found_in(LocalFolder(root), policies)
        assert local == found_in(b2_folder(there), policies)
        for path in there:
            assert policies.explain(path).included == (path in local)


@pytest.mark.parametrize(
    ('policies', 'path', 'text'),
    [
        ({}, 'a', "'a' takes part: no rule leaves it out"),
        (
            {'exclude_globs': ['b/']},
            'a/b/c/d',
            "'a/b/c/d' is left out: exclude_globs 'b/' applies to 'a/b'",
        ),
        (
            {'exclude_dir_regexes': ['a/b$']},
            'a/b/c',
            "'a/b/c' is left out: exclude_dir_regexes 'a/b$' applies to 'a/b'",
        ),
        (
            {'exclude_globs': ['*'], 'include_globs': ['*.jpg']},
            'a/b.jpg',
            "'a/b.jpg' takes part: include_globs '*.jpg' applies to 'a/b.jpg', "
            "although exclude_globs '*' applies to 'a/b.jpg'",
        ),
        (
            {'exclude_file_regexes': ['b', '.*b']},
            'a/b',
            "'a/b' is left out: exclude_file_regexes '.*b' applies to 'a/b'",
        ),
    ],
)
def test_texts_of_names(policies: dict[str, Any], path: str, text: str) -> None:
    assert str(ScanPoliciesManager(**policies).explain(path)) == text


def test_texts_of_local_files(tmp_path: Path) -> None:
    plant(str(tmp_path), {'real/a': 3})
    (tmp_path / 'link').symlink_to('real')
    folder = LocalFolder(tmp_path)

    def text(path: str, **policies: Any) -> str:
        return str(ScanPoliciesManager(**policies).explain(path, folder))

    assert text('real/a', exclude_modified_before=4) == (
        "'real/a' is left out: exclude_modified_before 4 (modified at 3) applies to 'real/a'"
    )
    assert text('link/a', exclude_all_symlinks=True) == (
        "'link/a' is left out: exclude_all_symlinks True applies to 'link'"
    )
    assert text('link/a') == "'link/a' takes part: no rule leaves it out"
    assert text('real/b') == "'real/b' is left out: there is no such file"
    assert text('real/b', exclude_globs=['a', 'link']) == text('real/b')
    (tmp_path / 'C:x').write_bytes(b'')
    assert 'C:x' in text('C:x')
    assert 'is left out' in text('C:x')


def test_versions_tell_when_they_were_uploaded() -> None:
    folder = b2_folder({'a': 3})
    (version,) = folder.get_file_versions()
    limit = version.upload_timestamp - 1
    policies = ScanPoliciesManager(exclude_uploaded_after=limit)
    assert str(policies.explain('a', folder)) == (
        f"'a' is left out: exclude_uploaded_after {limit} "
        f"(uploaded at {version.upload_timestamp}) applies to 'a'"
    )


def test_policies_of_ones_own_are_asked(tmp_path: Path) -> None:
    class Own(ScanPoliciesManager):
        def should_exclude_local_directory(self, dir_path: str) -> bool:
            return dir_path == 'a'

    plant(str(tmp_path), {'a/b': 1, 'b': 1})
    folder = LocalFolder(tmp_path)
    assert 'Own.should_exclude_local_directory' in str(Own().explain('a/b', folder))
    assert not Own().explain('a/b').included
    assert Own().explain('b', folder).included


def listed_directories(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the directories that are listed from now on."""
    listed: list[str] = []
    scandir = os.scandir

    def list_(path: str) -> Any:
        listed.append(os.path.basename(path))
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', list_)
    return listed


def test_excluded_directories_are_not_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(str(tmp_path), {'keep/a': 1, 'x/node_modules/y/z': 1})
    listed = listed_directories(monkeypatch)
    policies = ScanPoliciesManager(exclude_globs=['node_modules/'])
    assert found_in(LocalFolder(tmp_path), policies) == {'keep/a'}
    assert listed == [tmp_path.name, 'keep', 'x']


def test_only_the_way_to_the_file_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(str(tmp_path), {'a/b/c': 1, 'a/d/e': 1, 'f/g': 1})
    listed = listed_directories(monkeypatch)
    assert ScanPoliciesManager().explain('a/d/e', LocalFolder(tmp_path)).included
    assert listed == [tmp_path.name, 'a', 'd']
