"""Replacing a file in one step."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from b2fast import MtimeUpdatedFile
from b2fast.exception import (
    DestinationDirectoryDoesntExist,
    DestinationIsADirectory,
    FileNotPresent,
    LocalFileError,
)
from b2fast.transfer.inbound.destination import destination_errors
from b2fast.transfer.inbound.replace import ReplacedFile


def test_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / 'target'
    with ReplacedFile(str(target), 5_000) as file:
        file.write(b'con')
        file.write(b'tent')
        assert not target.exists()
    assert target.read_bytes() == b'content'
    assert target.stat().st_mtime_ns == 5_000
    assert os.listdir(tmp_path) == ['target']


def raise_after_writing(file: ReplacedFile) -> None:
    file.write(b'new')
    raise ValueError('reason')


def test_nothing_appears_after_an_error(tmp_path: Path) -> None:
    target = tmp_path / 'target'
    target.write_bytes(b'old')
    file = ReplacedFile(str(target), None)
    with pytest.raises(ValueError, match='reason'), file:
        raise_after_writing(file)
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['target']


def test_failing_replacement_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / 'target'
    target.write_bytes(b'old')

    def refuse(*args: object) -> None:
        raise OSError('no replacement today')

    monkeypatch.setattr(os, 'replace', refuse)
    with pytest.raises(OSError, match='today'), ReplacedFile(str(target), None) as file:
        file.write(b'new')
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['target']


def test_permissions_are_kept(tmp_path: Path) -> None:
    target = tmp_path / 'target'
    target.write_bytes(b'old')
    target.chmod(0o604)
    with ReplacedFile(str(target), None) as file:
        file.write(b'new')
    assert stat.S_IMODE(target.stat().st_mode) == 0o604


def test_longest_names(tmp_path: Path) -> None:
    target = tmp_path / ('ü' * 127)
    with ReplacedFile(str(target), None) as file:
        file.write(b'content')
    assert target.read_bytes() == b'content'


def test_errors_of_the_system_are_translated() -> None:
    with pytest.raises(DestinationIsADirectory, match='/p'), destination_errors('/p'):
        raise LocalFileError('/p', 21, 'Is a directory')
    with pytest.raises(LocalFileError, match='/p') as caught, destination_errors('/p'):
        raise OSError(28, 'No space left on device')
    assert caught.value.errno == 28
    for error in (ConnectionResetError(104, 'Connection reset'), FileNotPresent()):
        with pytest.raises(type(error)), destination_errors('/p'):
            raise error


def test_mtime_updated_file(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    with MtimeUpdatedFile(path, 1_600_000_000_123) as file:
        assert file.path_ == str(file) == str(path)
        assert file.seekable()
        assert file.write(b'content') == 7
        assert file.seek(3) == 3
        assert file.tell() == 3
        assert file.read(2) == b'te'
    assert path.stat().st_mtime_ns == 1_600_000_000_123_000_000
    with pytest.raises(OSError, match='with statement'):
        MtimeUpdatedFile(path, 5).write(b'x')


def test_mtime_updated_file_in_a_bad_place(tmp_path: Path) -> None:
    with pytest.raises(DestinationDirectoryDoesntExist), MtimeUpdatedFile(tmp_path / 'a/b', 5):
        pass
    with pytest.raises(DestinationIsADirectory), MtimeUpdatedFile(tmp_path, 5):
        pass
