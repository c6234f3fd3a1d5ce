"""Syncs of hostile buckets and trees: all comes over, or is a failure; nothing else is touched."""

from __future__ import annotations

import os
import socket
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from b2fast import (
    B2Api,
    B2Folder,
    KeepOrDeleteMode,
    LocalFolder,
    Synchronizer,
    SyncResult,
)
from b2fast.exception import B2Error, IncompleteSync

from ..conftest import NOBODY
from .clients import SEAMS, new_api
from .service import BUCKET, Service, serving

NOW = 1_700_000_000_000
DELETE = KeepOrDeleteMode.DELETE

STORED = [
    *('../x', '../../x', 'a/../../x', '..', '.', './x', 'a/./b', '/abs', '//abs', 'a//b', 'a//'),
    *('C:x', 'c:\\x', 'C:/x', '\\x', '..\\x', 'a\\..\\..\\x', 'a\\b', 'a/', 'b/', 'a/b/', '~/x'),
    *('con', 'CON.txt', 'nul', 'a:b', 'a:b:$DATA', 'dot.', 'dots...', 'space ', ' space', 'a ./b'),
    *('a', 'A', 'a/b', 'A/b', 'a/b/c', 'b', 'b.', 'é', 'e\u0301', 'É', 'ß', 'SS', '\u202etxt.exe'),
    *('x' * 250, 'd/' + 'y' * 250, '%2e%2e/x', '$HOME', '`id`', '-rf', "it's", '"', '*', '?'),
    *('.b2fast', '.a.b2fast-part', '.a.b2fast-journal', 'line\u2028separator', '\ufeff', '\u0085'),
]
"""What B2 may have; some of them the simulator refuses as B2 does."""


@pytest.fixture(scope='module')
def service() -> Iterator[Service]:
    with serving() as service:
        yield service


@pytest.fixture(scope='module', params=SEAMS)
def api(request: pytest.FixtureRequest, service: Service) -> B2Api:
    return new_api(service, request.param)


class Store:
    """The bucket of the service, with files of any name."""

    def __init__(self, service: Service, api: B2Api) -> None:
        self._service = service
        self.folder = B2Folder(BUCKET, '', api)

    def has(self, files: dict[str, bytes]) -> dict[str, bytes]:
        """Have no other files than those of these whose names B2 takes, which it returns."""
        for version in self._service.versions(''):
            self._service.call(
                'b2_delete_file_version', fileName=version['fileName'], fileId=version['fileId']
            )
        return {name: content for name, content in files.items() if self._takes(name, content)}

    def _takes(self, name: str, content: bytes) -> bool:
        try:
            self._service.upload(name, content)
        except urllib.error.HTTPError as refusal:
            with refusal:
                if refusal.code != 400:
                    raise
            return False
        return True


@pytest.fixture
def store(service: Service, api: B2Api) -> Store:
    return Store(service, api)


def sync(source: Any, dest: Any, **options: Any) -> SyncResult:
    """Sync; what became of it, with the failures."""
    synchronizer = Synchronizer(4, allow_empty_source=True, **options)
    try:
        return synchronizer.sync_folders(source, dest, NOW, None)
    except IncompleteSync as incomplete:
        failed = incomplete
    assert failed.result is not None
    assert failed.failures
    assert all(isinstance(failure.error, B2Error) for failure in failed.failures)
    return failed.result


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def tree(root: Path) -> dict[str, bytes]:
    """The regular files below a directory; no link is followed."""
    found = {}
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory, name)
            if path.is_file() and not path.is_symlink():
                found[str(path.relative_to(root))] = path.read_bytes()
    return found


@given(st.lists(st.sampled_from(STORED), unique=True, min_size=1, max_size=12), st.booleans())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_down(store: Store, names: list[str], has_marker: bool) -> None:
    content = {name: f'content of {name}'.encode() for name in names}
    markers = {'a/': b'', 'marker/': b''} if has_marker else {}
    stored = store.has(content | markers)
    folder = store.folder
    with TemporaryDirectory() as place:
        target = Path(place, 'in', 'target')
        target.mkdir(parents=True)
        outside = {'in/x': b'outside', 'x': b'outside', 'in/target.': b'outside'}
        unwanted = {'unwanted': b'1', 'u/unwanted': b'2'}
        write(Path(place), outside)
        write(target, unwanted)
        result = sync(folder, LocalFolder(target), keep_days_or_delete=DELETE)

        failed = {failure.path for failure in result.failures}
        wanted = {name: it for name, it in stored.items() if it or not name.endswith('/')}
        here = tree(target)
        for name, text in wanted.items():
            assert (here.get(name) == text) is (name not in failed), name
        assert failed <= wanted.keys()
        if any(failure.action == 'scan' for failure in result.failures):
            assert unwanted.items() <= here.items()
        else:
            assert not unwanted.keys() & here.keys()
        assert set(here) <= wanted.keys() | unwanted.keys()
        everything = {f'in/target/{name}': text for name, text in here.items()}
        assert tree(Path(place)) == outside | everything

        again = sync(folder, LocalFolder(target), keep_days_or_delete=DELETE)
        assert (again.downloaded, again.deleted) == (0, 0)
        assert {failure.path for failure in again.failures} == failed


LOCAL = [
    *('C:x', 'con', 'nul.txt', 'a:b', 'dot.', 'space ', ' ', 'a\\b', '..a', '...', '-rf', '*', '~'),
    *('a', 'A', 'a.b/c', 'A.b/c', 'é', 'e\u0301', 'x' * 250, 'z' * 251, 'd/' + 'y' * 255, '%2e%2e'),
    *(
        'new\nline',
        'tab\t',
        '\x7f',
        '\x01',
        '\udcff',
        'd\udcff/file',
        '.hidden',
        '\ufeff',
        '\u2028',
    ),
    *('d/e/f', 'd/g', '.x.b2fast-part', '#', 'a+b %41', '?x=y'),
]
KINDS = ['file', 'broken link', 'link to itself', 'link out', 'pipe', 'socket', 'link to a pipe']
KINDS += ['link to a directory above', 'unreadable file', 'unreadable directory']


def plant(root: Path, outside: Path, name: str, kind: str) -> None:
    """Make something of a kind at a place, where there is room."""
    path = root / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == 'broken link':
            path.symlink_to('nowhere')
        elif kind == 'link to itself':
            path.symlink_to(path)
        elif kind == 'link out':
            path.symlink_to(outside)
        elif kind == 'link to a pipe':
            path.symlink_to(outside.parent / 'pipe')
        elif kind == 'pipe':
            os.mkfifo(path)
        elif kind == 'socket':
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(str(path))
        elif kind == 'link to a directory above':
            path.symlink_to(root)
        elif kind == 'unreadable directory':
            (path / 'below').mkdir(parents=True)
            (path / 'below' / 'file').write_bytes(b'unreachable')
            path.chmod(0)
        else:
            path.write_bytes(f'content of {path.name!a}'.encode())
            if kind == 'unreadable file':
                path.chmod(0)
    except OSError:
        # The path of a socket is too long, for example.
        return


def regular(root: Path) -> dict[str, bytes]:
    """All that can be read below a directory, with what links to files and directories lead to."""
    found = {}
    for directory, directories, names in os.walk(root, followlinks=False):
        directories[:] = [name for name in directories if not Path(directory, name).is_symlink()]
        for name in names:
            path = Path(directory, name)
            if path.is_file() and name != '.x.b2fast-part':
                found[str(path.relative_to(root))] = path
    return {name: path.read_bytes() for name, path in found.items()}


@given(
    st.lists(
        st.tuples(st.sampled_from(LOCAL), st.sampled_from(['file', 'file', 'file', *KINDS])),
        unique_by=lambda entry: entry[0],
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_up_and_down(
    store: Store,
    without_privileges: Callable[[], AbstractContextManager[None]],
    entries: list[tuple[str, str]],
) -> None:
    unwanted = store.has({'unwanted': b'1', '\ufffd': b'2'})
    folder = store.folder
    with TemporaryDirectory() as place:
        source, target, outside = (Path(place, name) for name in ('source', 'target', 'outside'))
        source.mkdir()
        outside.write_bytes(b'outside')
        os.mkfifo(Path(place, 'pipe'))
        for entry in entries:
            plant(source, outside, *entry)
        Path(place).chmod(0o777)
        for path in (source, *source.rglob('*')):
            if os.geteuid() == 0 and not path.is_symlink():
                os.chown(path, NOBODY, -1)
        sync(LocalFolder(source), folder, dry_run=True)
        with without_privileges():
            up = sync(LocalFolder(source), folder, keep_days_or_delete=DELETE)
        for path in source.rglob('*'):
            if not path.is_symlink() and (path.is_dir() or path.is_file()):
                path.chmod(0o700)
        down = sync(folder, LocalFolder(target))

        scanned = {failure.path for failure in up.failures if failure.action == 'scan'}
        sent = {failure.path for failure in up.failures} - scanned
        expected = {
            name: content
            for name, content in regular(source).items()
            if not any(str(path) in scanned for path in (source / name, *(source / name).parents))
        }
        assert not sent
        assert not down.failures
        here = tree(target)
        assert here == expected | (unwanted if up.failures else {})
        assert up.uploaded == len(expected)
        assert outside.read_bytes() == b'outside'
