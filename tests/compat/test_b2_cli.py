"""The b2 command line tool on b2fast, against the simulator over HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2fast import SimulatorServer

from ..clients.b2_tool import B2Tool, objects
from .shim import SHIM


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        yield server


@pytest.fixture
def b2(server: SimulatorServer, tmp_path: Path) -> B2Tool:
    return B2Tool(sys.executable, *SHIM, '-m', 'b2', server=server, directory=tmp_path)


def test_version_and_account(b2: B2Tool, server: SimulatorServer) -> None:
    assert 'b2sdk version 2.13.2' in b2('version')
    account = objects(b2('account', 'get'))
    assert account['applicationKeyId'] == server.key_id
    assert account['apiUrl'] == server.url
    assert account['allowed']['buckets'] is None
    b2('account', 'clear')


def test_buckets(b2: B2Tool) -> None:
    bucket_id = b2('bucket', 'create', 'my-bucket', 'allPrivate').strip()
    assert b2('bucket', 'list').split() == [bucket_id, 'allPrivate', 'my-bucket']
    info = '{"color": "blue"}'
    updated = objects(b2('bucket', 'update', 'my-bucket', 'allPublic', '--bucket-info', info))
    assert updated['bucketType'] == 'allPublic'
    assert objects(b2('bucket', 'get', 'my-bucket'))['bucketInfo'] == {'color': 'blue'}
    b2('bucket', 'delete', 'my-bucket')
    assert b2('bucket', 'list') == ''


def test_keys(b2: B2Tool) -> None:
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    key_id, key = b2(
        'key', 'create', '--bucket', 'my-bucket', 'my-key', 'listBuckets,listFiles,readFiles'
    ).split()
    assert key
    listed = b2('key', 'list', '--long').split()
    assert listed[:3] == [key_id, 'my-key', 'my-bucket']
    assert b2('key', 'delete', key_id).strip() == key_id
    assert b2('key', 'list') == ''


def test_file_up_and_down(b2: B2Tool, tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    source, target = tmp_path / 'source', tmp_path / 'target'
    source.write_bytes(content)
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    uploaded = objects(
        b2('file', 'upload', '--no-progress', 'my-bucket', source, 'a/file', '--info', 'x=y')
    )
    assert uploaded['fileInfo']['x'] == 'y'
    assert uploaded['size'] == len(content)
    assert objects(b2('file', 'info', 'b2://my-bucket/a/file'))['fileId'] == uploaded['fileId']
    told = b2('file', 'download', '--no-progress', 'b2://my-bucket/a/file', target)
    assert 'Checksum matches' in told
    assert target.read_bytes() == content
    target.unlink()
    b2('file', 'download', '--quiet', f'b2id://{uploaded["fileId"]}', target)
    assert target.read_bytes() == content


def test_listing_and_removal(b2: B2Tool, tmp_path: Path) -> None:
    source = tmp_path / 'source'
    source.write_text('some text\n')
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    for name in ('a/file', 'b', 'small'):
        b2('file', 'upload', '--quiet', 'my-bucket', source, name)
    assert b2('ls', 'b2://my-bucket').split() == ['a/', 'b', 'small']
    assert b2('ls', '-r', '--with-wildcard', 'b2://my-bucket/*l').split() == ['small']
    assert len(json.loads(b2('ls', '-r', '--json', 'b2://my-bucket'))) == 3
    assert b2('rm', '--dry-run', '-r', 'b2://my-bucket/a').split() == ['a/file']
    b2('rm', '--no-progress', '-r', 'b2://my-bucket/a')
    assert b2('ls', '-r', 'b2://my-bucket').split() == ['b', 'small']
    assert 'count: ' in b2('rm', '-r', '--versions', 'b2://my-bucket')
    assert b2('ls', '-r', '--versions', 'b2://my-bucket') == ''
    b2('bucket', 'delete', 'my-bucket')


def test_cat_and_hide(b2: B2Tool, tmp_path: Path) -> None:
    source = tmp_path / 'source'
    source.write_text('some text\n')
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    b2('file', 'upload', '--quiet', 'my-bucket', source, 'a')
    assert b2('file', 'cat', '--no-progress', 'b2://my-bucket/a') == 'some text\n'
    assert objects(b2('file', 'hide', 'b2://my-bucket/a'))['action'] == 'hide'
    assert b2('ls', 'b2://my-bucket') == ''
    assert objects(b2('file', 'unhide', 'b2://my-bucket/a'))['fileName'] == 'a'
    assert b2('ls', 'b2://my-bucket').split() == ['a']


def test_copy_by_id(b2: B2Tool, tmp_path: Path) -> None:
    source = tmp_path / 'source'
    source.write_text('some text\n')
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    file_id = objects(b2('file', 'upload', '--no-progress', 'my-bucket', source, 'a'))['fileId']
    assert objects(b2('file', 'copy-by-id', file_id, 'my-bucket', 'b'))['fileName'] == 'b'
    b2('file', 'server-side-copy', 'b2://my-bucket/a', 'b2://my-bucket/c')
    assert b2('ls', 'b2://my-bucket').split() == ['a', 'b', 'c']
    assert b2('file', 'cat', '--no-progress', 'b2://my-bucket/b') == 'some text\n'


def test_replication(b2: B2Tool, tmp_path: Path) -> None:
    source = tmp_path / 'source'
    source.write_text('some text\n')
    for name in ('the-source', 'the-destination'):
        b2('bucket', 'create', name, 'allPrivate')
    buckets = ('the-source', 'the-destination')
    b2('replication', 'setup', *buckets, '--name', 'my-rule', '--file-name-prefix', 'in/')
    for name in ('in/a', 'in/b', 'out'):
        b2('file', 'upload', '--quiet', 'the-source', source, name)
    assert b2('ls', '-r', 'b2://the-destination').split() == ['in/a', 'in/b']
    rule = ('the-source', '--rule', 'my-rule')
    (found,) = objects(
        b2('replication', 'status', *rule, '--no-progress', '--output-format', 'json')
    )['my-rule']
    assert found['count'] == 2
    assert found['destination_replication_status'] == 'REPLICA'
    assert found['hash_differs'] is False
    b2('replication', 'pause', 'the-source', 'my-rule')
    b2('file', 'upload', '--quiet', 'the-source', source, 'in/c')
    assert b2('ls', '-r', 'b2://the-destination').split() == ['in/a', 'in/b']
    refused = b2.run('replication', 'setup', *buckets, '--name', 'my-rule')
    assert refused.returncode == 1
    assert 'has already: my-rule' in refused.stderr


def test_sync(b2: B2Tool, tmp_path: Path) -> None:
    source, target = tmp_path / 'source', tmp_path / 'target'
    contents = {'a': b'', 'b/c d': b'some text', 'b/e': b'x' * 10_000}
    for name, content in contents.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    url = 'b2://my-bucket/in'
    assert 'upload a\n' in b2('sync', '--no-progress', '--dry-run', source, url)
    assert b2('ls', '-r', 'b2://my-bucket') == ''
    done = b2('sync', '--no-progress', source, url)
    assert sorted(done.splitlines()) == ["upload 'b/c d'", 'upload a', 'upload b/e']
    assert b2('sync', '--no-progress', source, url) == ''
    b2('sync', '--no-progress', url, 'b2://my-bucket/copy')
    target.mkdir()
    (target / 'old').write_bytes(b'old')
    b2('sync', '--no-progress', '--delete', 'b2://my-bucket/copy', target)
    found = {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob('*')
        if path.is_file()
    }
    assert found == contents
    (source / 'a').unlink()
    assert b2('sync', '--no-progress', '--delete', source, url).strip() == 'delete a'
    (source / 'b' / 'e').unlink()
    assert b2('sync', '--no-progress', '--keep-days', '2', source, url) == 'hide   b/e\n'
    assert b2('ls', '-r', 'b2://my-bucket/in').splitlines() == ['in/b/c d']


def test_sync_of_an_empty_directory(b2: B2Tool, tmp_path: Path) -> None:
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    (tmp_path / 'empty').mkdir()
    failed = b2.run('sync', tmp_path / 'empty', 'b2://my-bucket')
    assert failed.returncode == 1
    assert str(tmp_path / 'empty') in failed.stderr
