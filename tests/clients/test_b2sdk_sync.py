"""b2sdk's `Synchronizer` against the simulator: up, down and from bucket to bucket."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from b2sdk import v3 as b2sdk
from b2sdk.v3.exception import DestFileNewer

from .sdk import World, names
from .test_b2sdk_encryption import MINE, OTHER
from .trees import assert_equal_trees, make_tree, names_of, write

NOW = 1_800_000_000_000
LARGE = bytes(range(251)) * 40


def tree_of(world: World) -> Path:
    tree = make_tree(world.directory / 'tree', large=False)
    write(tree / 'large.bin', LARGE)
    return tree


def sync(
    world: World,
    source: str | Path,
    target: str | Path,
    now: int = NOW,
    provider: b2sdk.AbstractSyncEncryptionSettingsProvider | None = None,
    **options: Any,
) -> list[str]:
    """Synchronize two folders, and return what it says that it does, sorted."""
    folders = [b2sdk.parse_folder(str(folder), world.api) for folder in (source, target)]
    if not isinstance(target, str):
        target.mkdir(exist_ok=True)
    out = io.StringIO()
    synchronizer = b2sdk.Synchronizer(3, **options)
    more = {} if provider is None else {'encryption_settings_provider': provider}
    with b2sdk.SyncReport(out, no_progress=True) as report:
        synchronizer.sync_folders(*folders, now, report, **more)
    return sorted(' '.join(line.split()) for line in out.getvalue().splitlines())


def test_up_across_and_down(world: World) -> None:
    tree, one, two = tree_of(world), world.new_bucket(), world.new_bucket()
    sync(world, tree, f'b2://{one.name}/tree')
    assert names(one) == [f'tree/{name}' for name in names_of(tree)]
    uploads = world.server.calls['b2_upload_file'] + world.server.calls['b2_upload_part']
    sync(world, f'b2://{one.name}/tree', f'b2://{two.name}')
    assert names(two) == names_of(tree)
    sync(world, f'b2://{two.name}', world.directory / 'copy')
    assert uploads == world.server.calls['b2_upload_file'] + world.server.calls['b2_upload_part']
    assert_equal_trees(tree, world.directory / 'copy')
    assert sync(world, tree, f'b2://{two.name}') == []


def test_what_is_gone(world: World) -> None:
    tree, bucket = tree_of(world), world.new_bucket()
    remote, copy = f'b2://{bucket.name}', world.directory / 'copy'
    modes = b2sdk.KeepOrDeleteMode
    sync(world, tree, remote)
    sync(world, remote, copy)
    (tree / 'text.txt').unlink()
    assert sync(world, tree, remote) == []
    keep = {'keep_days_or_delete': modes.KEEP_BEFORE_DELETE, 'keep_days': 3}
    assert sync(world, tree, remote, **keep) == ['hide text.txt']
    assert names(bucket) == names_of(tree)
    assert 'text.txt' in names(bucket, latest_only=False)
    delete = {'keep_days_or_delete': modes.DELETE}
    assert sync(world, tree, remote, **delete) == [
        'delete text.txt (hide marker)',
        'delete text.txt (old version)',
    ]
    assert names(bucket, latest_only=False) == names_of(tree)
    assert sync(world, remote, copy, **delete) == ['delete text.txt']
    assert_equal_trees(tree, copy)


def test_what_is_newer_at_the_target(world: World) -> None:
    tree, bucket = tree_of(world), world.new_bucket()
    remote = f'b2://{bucket.name}'
    sync(world, tree, remote)
    os.utime(tree / 'text.txt', (1_500_000_000, 1_500_000_000))
    with pytest.raises(DestFileNewer):
        sync(world, tree, remote)
    mode = b2sdk.NewerFileSyncMode
    assert sync(world, tree, remote, newer_file_mode=mode.SKIP) == []
    assert sync(world, tree, remote, newer_file_mode=mode.REPLACE) == ['upload text.txt']
    by_size = {'compare_version_mode': b2sdk.CompareVersionMode.SIZE}
    write(tree / 'text.txt', b'longer' * 1000)
    assert sync(world, tree, remote, dry_run=True, **by_size) == ['upload text.txt']
    assert sync(world, tree, remote, **by_size) == ['upload text.txt']
    assert sync(world, tree, remote, **by_size) == []


def test_what_policies_leave_out(world: World) -> None:
    tree, bucket = tree_of(world), world.new_bucket()
    policies = b2sdk.ScanPoliciesManager(
        exclude_dir_regexes=['z$'],
        exclude_file_regexes=[r'.*\.bin$'],
        include_file_regexes=['large'],
    )
    sync(world, tree, f'b2://{bucket.name}', policies_manager=policies)
    assert names(bucket) == [
        name
        for name in names_of(tree)
        if not name.startswith('z/') and (not name.endswith('.bin') or name == 'large.bin')
    ]
    folder = b2sdk.B2Folder(bucket.name, '', world.api)
    late = b2sdk.ScanPoliciesManager(exclude_uploaded_before=NOW * 2)
    assert [path.relative_path for path in folder.all_files(None)] == names(bucket)
    assert list(folder.all_files(None, late)) == []


def test_keys_of_the_customer(world: World) -> None:
    tree, one, two = tree_of(world), world.new_bucket(), world.new_bucket()
    provider = b2sdk.BasicSyncEncryptionSettingsProvider(
        read_bucket_settings={one.name: MINE, two.name: OTHER},
        write_bucket_settings={one.name: MINE, two.name: OTHER},
    )
    sync(world, tree, f'b2://{one.name}', provider=provider)
    sync(world, f'b2://{one.name}', f'b2://{two.name}', provider=provider)
    sync(world, f'b2://{two.name}', world.directory / 'copy', provider=provider)
    assert_equal_trees(tree, world.directory / 'copy')
    assert {version.server_side_encryption.mode for version, _ in two.ls(recursive=True)} == {
        OTHER.mode
    }
