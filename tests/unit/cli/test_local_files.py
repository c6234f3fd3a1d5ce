"""Which files the demo takes, the file it makes, and how it compares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from b2fast.cli.local_files import find_files, first_difference, write_random_file

MIB = 2**20


def test_regular_files_are_found_below_the_directory(tmp_path: Path) -> None:
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b' / 'two').write_bytes(b'22')
    (tmp_path / 'a').write_bytes(b'')
    files, problems = find_files(tmp_path, 'x/')
    assert [(file.name, file.size) for file in files] == [('x/a', 0), ('x/b/two', 2)]
    assert [file.path for file in files] == [tmp_path / 'a', tmp_path / 'b' / 'two']
    assert problems == []


def test_links_and_special_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / 'real').write_bytes(b'1')
    (tmp_path / 'link').symlink_to('real')
    (tmp_path / 'loop').symlink_to('.')
    os.mkfifo(tmp_path / 'fifo')
    files, problems = find_files(tmp_path, '')
    assert [file.name for file in files] == ['real']
    assert problems == []


def test_a_name_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    (tmp_path / 'good').write_bytes(b'')
    Path(os.fsdecode(bytes(tmp_path) + b'/bad\xff')).write_bytes(b'')
    files, problems = find_files(tmp_path, '')
    assert [file.name for file in files] == ['good']
    assert len(problems) == 1
    assert 'UTF-8' in problems[0]
    problems[0].encode()


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find_files(tmp_path / 'none', '')


@pytest.mark.parametrize('size', [0, 1, MIB, MIB + 1])
def test_the_made_file_has_its_size(tmp_path: Path, size: int) -> None:
    write_random_file(tmp_path / 'made', size)
    assert (tmp_path / 'made').stat().st_size == size


@pytest.fixture(scope='module')
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    directory = tmp_path_factory.mktemp('pair')
    return directory / 'one', directory / 'other'


@given(one=st.binary(max_size=8), other=st.binary(max_size=8))
def test_the_first_difference_is_found(pair: tuple[Path, Path], one: bytes, other: bytes) -> None:
    pair[0].write_bytes(one)
    pair[1].write_bytes(other)
    offset = first_difference(*pair)
    if one == other:
        assert offset is None
    else:
        assert offset is not None
        assert one[:offset] == other[:offset]
        assert one[offset : offset + 1] != other[offset : offset + 1]


@pytest.mark.parametrize('offset', [MIB - 1, MIB, 2 * MIB])
def test_a_flipped_byte_is_found_in_every_block(pair: tuple[Path, Path], offset: int) -> None:
    content = bytearray(2 * MIB + 1)
    pair[0].write_bytes(content)
    content[offset] ^= 1
    pair[1].write_bytes(content)
    assert first_difference(*pair) == offset
