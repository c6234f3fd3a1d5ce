"""The b2 command line tool, on the b2sdk from PyPI, against the simulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from b2fast.simulator import SimulatorServer

from .b2_tool import B2Tool, objects
from .trees import LARGE, LARGE_SIZE, assert_equal_trees, make_tree, names_of, write


def listed(b2: B2Tool, uri: str, *options: str) -> list[dict[str, Any]]:
    """The file versions at a URI, at any depth."""
    found: list[dict[str, Any]] = json.loads(b2('ls', '-r', '--json', *options, uri))
    return found


def test_runs_on_b2sdk(b2: B2Tool, server: SimulatorServer) -> None:
    assert 'b2sdk version 2.' in b2('version')
    b2('account', 'clear')
    failed = b2.run('bucket', 'list')
    assert failed.returncode == 1
    b2('account', 'authorize', '--environment', server.url, server.key_id, server.key)
    account = objects(b2('account', 'get'))
    assert account['applicationKeyId'] == server.key_id
    assert account['apiUrl'] == server.url


def test_bucket_settings(b2: B2Tool) -> None:
    rule = {
        'fileNamePrefix': 'logs/',
        'daysFromHidingToDeleting': 7,
        'daysFromUploadingToHiding': None,
        'daysFromStartingToCancelingUnfinishedLargeFiles': None,
    }
    cors = {
        'corsRuleName': 'downloads',
        'allowedOrigins': ['https://example.com'],
        'allowedOperations': ['b2_download_file_by_name'],
        'allowedHeaders': ['range'],
        'exposeHeaders': None,
        'maxAgeSeconds': 3600,
    }
    b2(
        *('bucket', 'create', 'my-bucket', 'allPrivate', '--file-lock-enabled'),
        *('--bucket-info', '{"color": "blue"}', '--cors-rules', json.dumps([cors])),
        *('--default-server-side-encryption', 'SSE-B2', '--lifecycle-rule', json.dumps(rule)),
    )
    found = objects(b2('bucket', 'get', 'my-bucket'))
    assert found['bucketInfo'] == {'color': 'blue'}
    assert found['corsRules'] == [cors]
    assert found['lifecycleRules'] == [rule]
    assert found['isFileLockEnabled'] is True
    assert found['defaultServerSideEncryption']['mode'] == 'SSE-B2'
    updated = objects(
        b2(
            *('bucket', 'update', 'my-bucket', 'allPublic'),
            *('--default-retention-mode', 'governance', '--default-retention-period', '2 days'),
        )
    )
    assert updated['bucketType'] == 'allPublic'
    assert updated['defaultRetention']['period'] == {'duration': 2, 'unit': 'days'}
    assert b2('bucket', 'list').split()[1:] == ['allPublic', 'my-bucket']
    b2('bucket', 'delete', 'my-bucket')
    assert b2('bucket', 'list') == ''


def test_large_file(b2: B2Tool, server: SimulatorServer, tmp_path: Path) -> None:
    source, target = make_tree(tmp_path / 'tree') / LARGE, tmp_path / 'target'
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    uploaded = objects(
        b2(
            *('file', 'upload', '--no-progress', '--min-part-size=5000000', '--threads=2'),
            *('my-bucket', source, 'a/large+file%'),
        )
    )
    assert uploaded['size'] == LARGE_SIZE
    assert server.calls['b2_upload_part'] > 1
    b2('file', 'server-side-copy', 'b2://my-bucket/a/large+file%', 'b2://my-bucket/copy')
    for name in ('a/large+file%', 'copy'):
        b2('file', 'download', '--no-progress', f'b2://my-bucket/{name}', target)
        assert target.read_bytes() == source.read_bytes()
        target.unlink()


@pytest.mark.parametrize('server', ['data-dir'], indirect=True)
def test_sync_up_across_and_down(b2: B2Tool, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / 'tree')
    b2('bucket', 'create', 'bucket-1', 'allPrivate')
    b2('bucket', 'create', 'bucket-2', 'allPrivate')
    b2('sync', '--no-progress', tree, 'b2://bucket-1/tree')
    b2('sync', '--no-progress', 'b2://bucket-1/tree', 'b2://bucket-2')
    assert sorted(file['fileName'] for file in listed(b2, 'b2://bucket-2')) == names_of(tree)
    b2('sync', '--no-progress', 'b2://bucket-2', tmp_path / 'copy')
    assert_equal_trees(tree, tmp_path / 'copy')


def test_sync_follows_changes(b2: B2Tool, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / 'tree', large=False)
    b2('bucket', 'create', 'bucket-1', 'allPrivate')
    b2('sync', '--no-progress', tree, 'b2://bucket-1')
    assert b2('sync', '--no-progress', tree, 'b2://bucket-1') == ''
    write(tree / 'text.txt', b'other', modified=1_700_000_000)
    (tree / 'empty').unlink()
    done = b2('sync', '--no-progress', '--keep-days=10', tree, 'b2://bucket-1')
    assert done.splitlines() == ['hide   empty', 'upload text.txt']
    assert [file['fileName'] for file in listed(b2, 'b2://bucket-1')] == names_of(tree)
    versions = listed(b2, 'b2://bucket-1', '--versions')
    assert [(file['fileName'], file['action']) for file in versions[-5:-3]] == [
        ('text.txt', 'upload'),
        ('text.txt', 'upload'),
    ]
    (tree / 'text.txt').unlink()
    b2('sync', '--no-progress', '--delete', tree, 'b2://bucket-1')
    versions = listed(b2, 'b2://bucket-1', '--versions')
    assert [file['fileName'] for file in versions] == names_of(tree)


def test_versions_hiding_and_removal(b2: B2Tool, tmp_path: Path) -> None:
    source = tmp_path / 'source'
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    for text in ('one', 'two'):
        source.write_text(text)
        b2('file', 'upload', '--quiet', 'my-bucket', source, 'a/file')
    b2('file', 'hide', 'b2://my-bucket/a/file')
    assert listed(b2, 'b2://my-bucket') == []
    versions = listed(b2, 'b2://my-bucket', '--versions')
    assert [version['action'] for version in versions] == ['hide', 'upload', 'upload']
    assert b2('file', 'cat', '--no-progress', f'b2id://{versions[2]["fileId"]}') == 'one'
    b2('file', 'unhide', 'b2://my-bucket/a/file')
    assert [file['size'] for file in listed(b2, 'b2://my-bucket')] == [3]
    b2('rm', '-r', '--versions', '--no-progress', 'b2://my-bucket')
    assert listed(b2, 'b2://my-bucket', '--versions') == []


def test_restricted_key(b2: B2Tool, server: SimulatorServer, tmp_path: Path) -> None:
    source = tmp_path / 'source'
    source.write_text('some text')
    b2('bucket', 'create', 'bucket-1', 'allPrivate')
    b2('bucket', 'create', 'bucket-2', 'allPrivate')
    b2('file', 'upload', '--quiet', 'bucket-1', source, 'public/file')
    capabilities = 'listBuckets,listFiles,readFiles'
    key_id, key = b2(
        *('key', 'create', '--bucket', 'bucket-1', '--name-prefix', 'public/'),
        *('my-key', capabilities),
    ).split()
    assert [line.split()[0] for line in b2('key', 'list').splitlines()] == [key_id]
    b2('account', 'authorize', '--environment', server.url, key_id, key)
    assert b2('file', 'cat', '--no-progress', 'b2://bucket-1/public/file') == 'some text'
    for command in (
        ('ls', 'b2://bucket-2'),
        ('file', 'upload', 'bucket-1', source, 'public/other'),
    ):
        assert b2.run(*command).returncode == 1, command
    b2('account', 'authorize', '--environment', server.url, server.key_id, server.key)
    assert b2('key', 'delete', key_id).strip() == key_id
    assert b2('key', 'list') == ''


def test_links(b2: B2Tool, tmp_path: Path) -> None:
    source = tmp_path / 'source'
    source.write_text('some text')
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    b2('file', 'upload', '--quiet', 'my-bucket', source, 'a+b %/é')
    url = b2('file', 'url', 'b2://my-bucket/a+b %/é').strip()
    assert requests.get(url, timeout=30).status_code == 401
    url = b2('file', 'url', '--with-auth', '--duration=60', 'b2://my-bucket/a+b %/é').strip()
    assert requests.get(url, timeout=30).text == 'some text'
    token = b2('bucket', 'get-download-auth', '--prefix', 'a+', 'my-bucket').strip()
    answer = requests.get(url.partition('?')[0], headers={'Authorization': token}, timeout=30)
    assert answer.text == 'some text'
