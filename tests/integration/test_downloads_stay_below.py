"""Downloads below a directory while somebody else swaps a directory of it for a link."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import b2fast.bulk.downloads
import b2fast.sync.action
import b2fast.transfer.inbound.replace
from b2fast import (
    B2Api,
    B2Folder,
    Bucket,
    LocalDeleteAction,
    LocalFolder,
    SimulatorServer,
    Synchronizer,
)
from b2fast._core.transfer import Anchor
from b2fast.exception import DestinationOutsideDirectory, IncompleteSync, LocalFileError
from b2fast.simulator import Fault

from ..conftest import Account

NEW = b'new content ' * 10
MOMENTS = ['directories', 'file', 'rename']
"""What comes next when the swap happens."""


class Thief:
    """Has `directory/a` lead outside, once."""

    def __init__(self, root: Path) -> None:
        self.directory, self.moved, self.outside = (
            root / name for name in ('directory', 'moved', 'outside')
        )
        for name in ('d/file', 'd/.file.b2fast-part', 'd/.file.b2fast-journal', 'd/other'):
            path = self.outside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b'precious')
        self._before = self._look()
        self.has_struck = False

    def strike(self) -> None:
        if not self.has_struck:
            self.has_struck = True
            if (self.directory / 'a').exists():
                (self.directory / 'a').rename(self.moved)
            (self.directory / 'a').symlink_to(self.outside)

    def after(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any) -> Any:
            result = function(*arguments)
            self.strike()
            return result

        return wrapper

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any) -> Any:
            self.strike()
            return function(*arguments)

        return wrapper

    def check(self) -> None:
        """Nothing outside was created, changed or deleted, though there was every chance."""
        assert self.has_struck
        assert self._look() == self._before

    def _look(self) -> dict[str, tuple[bytes | None, int]]:
        return {
            str(path): (path.read_bytes() if path.is_file() else None, path.stat().st_mtime_ns)
            for path in self.outside.rglob('*')
        }


@pytest.fixture
def thief(tmp_path: Path) -> Thief:
    # Old kernels and some sandboxes do not have the call; then paths are used by their names.
    if not Anchor(tmp_path).place(tmp_path / 'name').path.startswith('/proc/self/fd/'):
        pytest.skip('the system cannot keep paths below a directory')
    (tmp_path / 'directory').mkdir()
    return Thief(tmp_path)


def set_up(
    thief: Thief, moment: str, account: Account, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Have the first file meet the thief at a moment.

    :param call: by which files are asked for
    """
    if moment == 'directories':
        for module in (b2fast.bulk.downloads, b2fast.sync.action):
            monkeypatch.setattr(module, 'link_out_of', thief.after(module.link_out_of))
    elif not account.has_engine:
        replace = b2fast.transfer.inbound.replace
        if moment == 'file':
            monkeypatch.setattr(replace, 'create_beside', thief.before(replace.create_beside))
        else:
            monkeypatch.setattr(os, 'replace', thief.before(os.replace))
    elif moment == 'file':
        pytest.skip('happens within the core, whose own tests have it')
    else:
        # The rest is asked for when the file is there, and with a new token.
        assert isinstance(account.server, SimulatorServer)
        skip = int(call == 'b2_download_file_by_id')
        account.server.inject(
            Fault(call=call, cut_after=10),
            Fault(call='b2_download_file_by_id', expire_token=True, skip=skip),
        )
        session = account.api.session
        again = session.authorize_again

        def authorize_again(refused: str | None) -> str:
            if refused is not None:
                thief.strike()
            return again(refused)

        monkeypatch.setattr(session, 'authorize_again', authorize_again)


@pytest.mark.parametrize('is_there', [True, False])
@pytest.mark.parametrize('moment', MOMENTS)
def test_no_link_leads_many_downloads_out(
    account: Account,
    bucket: Bucket,
    thief: Thief,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    is_there: bool,
) -> None:
    for name in ('a/d/file', 'b/file'):
        bucket.upload_bytes(NEW, name)
    if is_there:
        (thief.directory / 'a/d').mkdir(parents=True)
        (thief.directory / 'a/d/file').write_bytes(b'old')
    set_up(thief, moment, account, monkeypatch, 'b2_download_file_by_name')
    items = ['a/d/file', 'b/file']
    results = bucket.download_many(items, thief.directory, max_workers=1)
    errors = {result.item: result.error for result in results}
    thief.check()
    assert (thief.directory / 'b/file').read_bytes() == NEW
    assert errors['b/file'] is None
    if moment == 'directories':
        error = errors['a/d/file']
        assert isinstance(error, DestinationOutsideDirectory)
        assert error.path == str(thief.directory / 'a/d/file')
        assert error.link == str(thief.directory / 'a')
        if is_there:
            assert (thief.moved / 'd/file').read_bytes() == b'old'
    else:
        # The directory that was meant is another place by now.
        assert errors['a/d/file'] is None
        assert [path.name for path in (thief.moved / 'd').iterdir()] == ['file']
        assert (thief.moved / 'd/file').read_bytes() == NEW


@pytest.mark.parametrize('moment', MOMENTS)
def test_no_link_leads_a_sync_out(
    account: Account,
    api: B2Api,
    bucket: Bucket,
    thief: Thief,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    for name in ('a/d/file', 'b/file'):
        bucket.upload_bytes(NEW, name)
    (thief.directory / 'a/d').mkdir(parents=True)
    set_up(thief, moment, account, monkeypatch, 'b2_download_file_by_id')
    folders = B2Folder(bucket.name, '', api), LocalFolder(thief.directory)
    failures = {}
    try:
        Synchronizer(1).sync_folders(*folders, 10**13, None)
    except IncompleteSync as error:
        failures = {failure.path: type(failure.error) for failure in error.failures}
    thief.check()
    assert (thief.directory / 'b/file').read_bytes() == NEW
    if moment == 'directories':
        assert failures == {'a/d/file': DestinationOutsideDirectory}
        assert list((thief.moved / 'd').iterdir()) == []
    else:
        assert failures == {}
        assert (thief.moved / 'd/file').read_bytes() == NEW


def test_no_link_leads_a_deletion_out(
    bucket: Bucket, thief: Thief, monkeypatch: pytest.MonkeyPatch
) -> None:
    (thief.directory / 'a/d').mkdir(parents=True)
    (thief.directory / 'a/d/file').write_bytes(b'old')
    module = b2fast.sync.action
    monkeypatch.setattr(module, '_first_link', thief.after(module._first_link))
    action = LocalDeleteAction('a/d/file', str(thief.directory / 'a/d/file'))
    with pytest.raises(LocalFileError, match='a/d/file'):
        action.run(bucket, None)
    thief.check()
    assert (thief.moved / 'd/file').read_bytes() == b'old'


def test_a_link_in_the_place_of_a_file_is_followed_within_the_directory(
    bucket: Bucket, tmp_path: Path
) -> None:
    directory = tmp_path / 'directory'
    (directory / 'real').mkdir(parents=True)
    (directory / 'real/old').write_bytes(b'old')
    links = {
        'relative': 'real/old',
        'absolute': str(directory / 'real/old'),
        'lost': 'real/new',
        'twice': 'relative',
    }
    for name, target in links.items():
        (directory / name).symlink_to(target)
    for number, name in enumerate(links):
        bucket.upload_bytes(bytes([number]), name)
        assert [result.error for result in bucket.download_many([name], directory)] == [None]
        assert (directory / name).is_symlink()
        assert (directory / name).read_bytes() == bytes([number])
    assert sorted(path.name for path in (directory / 'real').iterdir()) == ['new', 'old']


def test_an_absolute_link_to_a_directory_is_followed_within_the_directory(
    bucket: Bucket, tmp_path: Path
) -> None:
    directory = tmp_path / 'directory'
    (directory / 'real').mkdir(parents=True)
    (directory / 'link').symlink_to(directory / 'real')
    for name in ('link/file', 'link/new/deep/file'):
        bucket.upload_bytes(NEW, name)
        assert [result.error for result in bucket.download_many([name], directory)] == [None]
        assert (directory / 'real' / name.removeprefix('link/')).read_bytes() == NEW


def test_a_directory_may_have_any_name_and_be_relative(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bucket.upload_bytes(NEW, 'a/file')
    for directory in ('.', '', 'new/../new', 'x//y/', os.fsdecode(b'\xff'), tmp_path / 'z'):
        assert [result.error for result in bucket.download_many(['a/file'], directory)] == [None]
        assert (tmp_path / directory / 'a/file').read_bytes() == NEW
