"""rclone against the simulator: its B2 backend calls version 1 and authorizes by GET."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import requests

from b2fast import B2Api
from b2fast.simulator import Fault, SimulatorServer

from .programs import Program, rclone_environment
from .trees import LARGE, LARGE_SIZE, assert_equal_trees, make_tree, names_of, write

pytestmark = pytest.mark.rclone

in_memory_and_in_files = pytest.mark.parametrize('server', ['memory', 'data-dir'], indirect=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / 'tree')


@pytest.fixture
def small_tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / 'tree', large=False)


def listed(rclone: Program, remote: str, *options: str) -> list[str]:
    """The files at a remote, at any depth."""
    return sorted(rclone('lsf', '-R', '--files-only', *options, remote).splitlines())


@in_memory_and_in_files
def test_tree_up_and_down(
    server: SimulatorServer, rclone: Program, tree: Path, tmp_path: Path
) -> None:
    rclone('copy', tree, 'sim:bucket-1/tree')
    assert server.calls['b2_upload_part'] == 3
    assert server.calls['b2_finish_large_file'] == 1
    assert listed(rclone, 'sim:bucket-1/tree') == names_of(tree)
    rclone('copy', 'sim:bucket-1/tree', tmp_path / 'copy')
    assert_equal_trees(tree, tmp_path / 'copy')
    rclone('check', '--download', tree, 'sim:bucket-1/tree')


def test_check_finds_what_differs(rclone: Program, small_tree: Path) -> None:
    rclone('copy', small_tree, 'sim:bucket-1')
    rclone('check', small_tree, 'sim:bucket-1')
    write(small_tree / 'text.txt', b'other')
    failed = rclone.run('check', small_tree, 'sim:bucket-1', '--differ', '-')
    assert failed.returncode == 1
    assert failed.stdout.split() == ['text.txt']


def test_second_copy_sends_nothing(server: SimulatorServer, rclone: Program, tree: Path) -> None:
    rclone('copy', tree, 'sim:bucket-1')
    before = server.calls
    rclone('copy', tree, 'sim:bucket-1')
    after = server.calls
    for call in ('b2_upload_file', 'b2_upload_part', 'b2_copy_file'):
        assert after[call] == before[call]


@in_memory_and_in_files
def test_sync_follows_every_change(rclone: Program, small_tree: Path, tmp_path: Path) -> None:
    rclone('sync', small_tree, 'sim:bucket-1')
    write(small_tree / 'text.txt', b'other')
    write(small_tree / 'new/file', b'new')
    (small_tree / 'empty').unlink()
    rclone('sync', small_tree, 'sim:bucket-1')
    assert listed(rclone, 'sim:bucket-1') == names_of(small_tree)
    rclone('sync', 'sim:bucket-1', tmp_path / 'copy')
    assert_equal_trees(small_tree, tmp_path / 'copy')


def test_sync_between_buckets_stays_on_the_server(
    server: SimulatorServer, rclone: Program, tree: Path, tmp_path: Path
) -> None:
    rclone('copy', tree, 'sim:bucket-1')
    before = server.calls
    rclone('sync', '--b2-copy-cutoff=5M', 'sim:bucket-1', 'sim:bucket-2')
    after = server.calls
    assert after['b2_upload_file'] == before['b2_upload_file']
    assert after['b2_copy_file'] == len(names_of(tree)) - 1
    assert after['b2_copy_part'] == 3
    rclone('copy', 'sim:bucket-2', tmp_path / 'copy')
    assert_equal_trees(tree, tmp_path / 'copy')


def test_copy_and_move_of_one_file(
    server: SimulatorServer, rclone: Program, tree: Path, tmp_path: Path
) -> None:
    rclone('copy', tree, 'sim:bucket-1')
    rclone('copyto', f'sim:bucket-1/{LARGE}', 'sim:bucket-1/a copy+%/large')
    rclone('moveto', 'sim:bucket-1/text.txt', 'sim:bucket-1/moved.txt')
    assert server.calls['b2_copy_file'] == 2
    rclone('copyto', 'sim:bucket-1/a copy+%/large', tmp_path / 'large')
    assert (tmp_path / 'large').read_bytes() == (tree / LARGE).read_bytes()
    names = listed(rclone, 'sim:bucket-1')
    assert 'moved.txt' in names
    assert 'text.txt' not in names


def test_changed_time_is_a_copy_on_the_server(
    server: SimulatorServer, rclone: Program, tree: Path
) -> None:
    rclone('copy', tree, 'sim:bucket-1')
    uploads = server.calls['b2_upload_file']
    os.utime(tree / 'text.txt', (1_500_000_000, 1_500_000_000))
    rclone('copy', tree, 'sim:bucket-1')
    assert server.calls['b2_copy_file'] == 1
    assert server.calls['b2_upload_file'] == uploads
    assert '2017-07-14' in rclone('lsl', 'sim:bucket-1/text.txt')


def test_listings_tell_size_time_and_sha1(rclone: Program, tree: Path) -> None:
    rclone('copy', tree, 'sim:bucket-1')
    size = json.loads(rclone('size', '--json', 'sim:bucket-1'))
    total = sum(path.stat().st_size for path in tree.rglob('*') if path.is_file())
    assert (size['count'], size['bytes']) == (len(names_of(tree)), total)
    files = json.loads(rclone('lsjson', '-R', '--files-only', '--hash', 'sim:bucket-1'))
    found = {file['Path']: file for file in files}
    assert sorted(found) == names_of(tree)
    assert found[LARGE]['Size'] == LARGE_SIZE
    assert found['text.txt']['MimeType'].startswith('text/plain')
    assert {file['ModTime'] for file in files} == {'2020-09-13T12:26:40.000Z'}
    sums = sorted(rclone('sha1sum', tree).splitlines())
    assert sorted(f'{file["Hashes"]["sha1"]}  {name}' for name, file in found.items()) == sums


def test_old_versions_are_listed_and_fetched(rclone: Program, tmp_path: Path) -> None:
    tree = tmp_path / 'tree'
    for content in (b'one', b'two'):
        write(tree / 'file.txt', content, modified=content[0])
        rclone('copy', tree, 'sim:bucket-1')
    rclone('deletefile', 'sim:bucket-1/file.txt')
    assert listed(rclone, 'sim:bucket-1') == []
    newer, older = reversed(listed(rclone, 'sim:bucket-1', '--b2-versions'))
    assert newer.startswith('file-v20')
    assert older.endswith('.txt')
    assert rclone('cat', '--b2-versions', f'sim:bucket-1/{newer}') == 'two'
    assert rclone('cat', '--b2-versions', f'sim:bucket-1/{older}') == 'one'


def test_cleanup_leaves_the_current_versions(rclone: Program, small_tree: Path) -> None:
    rclone('copy', small_tree, 'sim:bucket-1')
    write(small_tree / 'text.txt', b'other')
    rclone('copy', small_tree, 'sim:bucket-1')
    rclone('deletefile', 'sim:bucket-1/empty')
    assert len(listed(rclone, 'sim:bucket-1', '--b2-versions')) == len(names_of(small_tree)) + 1
    rclone('cleanup', 'sim:bucket-1')
    (small_tree / 'empty').unlink()
    assert listed(rclone, 'sim:bucket-1', '--b2-versions') == names_of(small_tree)
    rclone('check', '--download', small_tree, 'sim:bucket-1')


def test_hard_delete_leaves_no_version(rclone: Program, small_tree: Path) -> None:
    rclone('copy', small_tree, 'sim:bucket-1')
    rclone('delete', '--b2-hard-delete', 'sim:bucket-1/a')
    assert not [name for name in listed(rclone, 'sim:bucket-1', '--b2-versions') if name[0] == 'a']
    failed = rclone.run('rmdir', 'sim:bucket-1')
    assert 'cannot_delete_non_empty_bucket' in failed.stderr


@in_memory_and_in_files
def test_purge_removes_the_bucket(rclone: Program, tree: Path) -> None:
    rclone('copy', tree, 'sim:bucket-1')
    assert rclone('lsf', 'sim:bucket-1').split() == ['a/', 'empty', LARGE, 'text.txt', 'z/']
    rclone('deletefile', 'sim:bucket-1/empty')
    rclone('purge', 'sim:bucket-1/z')
    assert rclone('lsf', 'sim:bucket-1').split() == ['a/', LARGE, 'text.txt']
    rclone('purge', '--b2-hard-delete', 'sim:bucket-1')
    assert rclone('lsd', 'sim:') == ''


def test_link_is_an_authorized_download(rclone: Program, small_tree: Path) -> None:
    rclone('copy', small_tree, 'sim:bucket-1')
    # It writes other names into the address as they are, where B2 takes `+` for a space.
    for name in ('text.txt', 'z/日本語/ファイル.txt'):
        link = rclone('link', f'sim:bucket-1/{name}', '--expire=1h').strip()
        assert requests.get(link, timeout=30).content == (small_tree / name).read_bytes()
    without_token = link.partition('?')[0]
    assert requests.get(without_token, timeout=30).status_code == 401


def test_key_of_one_bucket(server: SimulatorServer, small_tree: Path, tmp_path: Path) -> None:
    api = B2Api()
    api.authorize_account(server.key_id, server.key, server.url)
    bucket, other = (api.create_bucket(name, 'allPrivate') for name in ('bucket-1', 'bucket-2'))
    capabilities = ['listBuckets', 'listFiles', 'readFiles', 'writeFiles', 'deleteFiles']
    key = api.create_key(capabilities, 'rclone', bucket_ids=[bucket.id_], name_prefix='mine/')
    rclone = Program('rclone', '--retries=1', environment=rclone_environment(server, key))
    assert rclone('lsf', 'sim:') == 'bucket-1/\n'
    rclone('sync', small_tree, 'sim:bucket-1/mine')
    rclone('copy', 'sim:bucket-1/mine', tmp_path / 'copy')
    assert_equal_trees(small_tree, tmp_path / 'copy')
    for forbidden in ('sim:bucket-1/yours', f'sim:{other.name}'):
        assert rclone.run('copy', small_tree, forbidden).returncode != 0


def test_rides_out_a_busy_service(
    server: SimulatorServer, rclone: Program, small_tree: Path
) -> None:
    server.inject(Fault(call='b2_upload_file', status=503, count=2))
    rclone('copy', small_tree, 'sim:bucket-1')
    rclone('check', small_tree, 'sim:bucket-1')
