"""The actions of a sync, done beside b2sdk: what is in the bucket and on the disk afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from .sync_sides import (
    DAY,
    LONG_AGO,
    Change,
    LocalFile,
    Reporter,
    arguments_of,
    modes,
    names,
    sizes,
    times,
)
from .test_sync_decisions import bucket_with, plant
from .worlds import World, both_worlds

# None of them is a directory of another one.
file_names = names.filter(lambda name: name not in ('a', 'a/b'))
files_of_tree = st.lists(
    st.builds(LocalFile, file_names, times, sizes.filter(lambda size: size < 200)),
    max_size=5,
    unique_by=lambda file: file.name,
)
uploads_and_hides = st.lists(
    st.builds(
        Change,
        st.sampled_from(['upload', 'upload', 'hide']),
        file_names,
        times,
        st.just(0),
        sizes.filter(lambda size: size < 200),
    ),
    max_size=6,
)
sync_settings = st.fixed_dictionaries(
    {
        'newer_file_mode': modes('NewerFileSyncMode', 'SKIP', 'REPLACE'),
        'keep_days_or_delete': modes('KeepOrDeleteMode', 'DELETE', 'NO_DELETE'),
    },
    optional={'keep_days': st.sampled_from([1, 5])},
)


class Notebook:
    """Notes which encryption is asked for; it is always the default."""

    def __init__(self, sdk: Any) -> None:
        asked: list[Any] = []

        class Provider(sdk.ServerDefaultSyncEncryptionSettingsProvider):  # type: ignore[misc]
            def __getattribute__(self, name: str) -> Any:
                return lambda *arguments, **named: asked.append((name, arguments, plain(named)))

        def plain(named: dict[str, Any]) -> dict[str, Any]:
            return {
                name: getattr(value, 'name', None) or getattr(value, 'file_name', value)
                for name, value in named.items()
            }

        self.asked = asked
        self.provider = Provider()


def contents(bucket: Any) -> Any:
    """All versions of a bucket, with what a sync decides about them."""
    return [
        (
            version.file_name,
            version.action,
            version.size,
            version.content_type,
            version.file_info,
            version.content_sha1,
        )
        for version, _ in bucket.ls(latest_only=False, recursive=True)
    ]


def tree(root: str) -> Any:
    """The files of a directory: their bytes, and when they were modified, in milliseconds."""
    return sorted(
        (path.relative_to(root).as_posix(), path.read_bytes(), path.stat().st_mtime_ns // 10**6)
        for path in Path(root).rglob('*')
        if path.is_file()
    )


def sync(
    world: World, source: Any, dest: Any, arguments: dict[str, Any], provider: Any, bucket: Any
) -> list[str]:
    """Do all actions, one after the other; what they are."""
    synchronizer = world.sdk.Synchronizer(1, **arguments_of(world.sdk, arguments))
    actions = list(
        synchronizer._make_folder_sync_actions(
            source,
            dest,
            LONG_AGO + 20 * DAY,
            Reporter(),
            encryption_settings_provider=provider,
        )
    )
    for action in actions:
        action.do_action(bucket, None)
    return [type(action).__name__ for action in actions]


@given(files_of_tree, uploads_and_hides, sync_settings)
@settings(max_examples=60)
def test_up_copy_and_down(
    files: list[LocalFile], history: list[Change], arguments: dict[str, Any]
) -> None:
    """A directory is synced to a bucket, this to another folder of it and to a directory.

    It is one bucket, since each one counts its file IDs anew in the simulators; of copies,
    b2sdk's simulator does not know the IDs when they are downloaded.
    """

    def seen(world: World) -> Any:
        sdk, notebook = world.sdk, Notebook(world.sdk)
        with TemporaryDirectory() as source, TemporaryDirectory() as target:
            plant(source, files)
            plant(target, [LocalFile('b', LONG_AGO + DAY, 3), LocalFile('y', LONG_AGO, 3)])
            stored = bucket_with(world, 'to', history)
            stored.bucket.upload_bytes(b'only here', 'copy/x')
            copied = sdk.B2Folder('a-bucket', 'copy', world.api)
            done = [
                sync(world, *folders, arguments, notebook.provider, stored.bucket)
                for folders in (
                    (sdk.LocalFolder(source), stored),
                    (stored, copied),
                    (stored, sdk.LocalFolder(target)),
                )
            ]
            return done, notebook.asked, contents(stored.bucket), tree(target)

    theirs, ours = (seen(world) for world in both_worlds())
    assert ours == theirs


@pytest.mark.parametrize('grown', [b'0' * 300 + b'1' * 50, b'1' + b'0' * 399], ids=['end', 'start'])
def test_incremental_upload(tmp_path: Path, grown: bytes) -> None:
    """Of a file that has grown, its end is sent; of one that has changed, all."""
    path = tmp_path / 'a'

    def seen(world: World) -> Any:
        bucket = world.api.create_bucket('a-bucket', 'allPrivate')
        arguments = {'upload_mode': world.sdk.UploadMode.INCREMENTAL}
        results = []
        for content, modified in ((b'0' * 300, LONG_AGO), (grown, LONG_AGO + 1)):
            path.write_bytes(content)
            os.utime(path, ns=(modified * 10**6,) * 2)
            results.append(
                sync(
                    world,
                    world.sdk.LocalFolder(str(tmp_path)),
                    world.sdk.B2Folder('a-bucket', '', world.api),
                    {**arguments, 'absolute_minimum_part_size': 200},
                    world.sdk.SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER,
                    bucket,
                )
            )
        bucket.download_file_by_name('a').save_to(str(tmp_path / '..' / 'back'))
        info = [
            {
                name: value
                for name, value in version.file_info.items()
                if name in ('src_last_modified_millis', 'large_file_sha1')
            }
            for version, _ in bucket.ls(latest_only=False, recursive=True)
        ]
        return results, (tmp_path / '..' / 'back').read_bytes() == grown, info

    theirs, ours = (seen(world) for world in both_worlds())
    assert ours == theirs
    assert ours[:2] == ([['B2UploadAction'], ['B2IncrementalUploadAction']], True)


def reports(world: World, tmp_path: Path, dry_run: bool) -> Any:
    """What each action without a transfer reports, and what it raises."""
    sdk = world.sdk
    bucket = world.api.create_bucket('a-bucket', 'allPrivate')
    version = bucket.upload_bytes(b'x', 'a b')
    (tmp_path / 'a b').touch()
    actions = [
        sdk.B2HideAction('a b', 'in/a b'),
        sdk.B2HideAction('a b', 'a b'),
        sdk.B2DeleteAction('a b', 'a b', version.id_, '(old version)'),
        sdk.B2DeleteAction("it's\x07", 'a b', version.id_, ''),
        sdk.LocalDeleteAction('a b', str(tmp_path / 'a b')),
    ]
    seen = []
    for action in actions:
        reporter = Reporter()
        try:
            action.run(bucket, reporter, dry_run)
        except Exception as error:
            seen.append(type(error).__name__)
        seen.append((reporter.calls, action.get_bytes()))
    return seen, contents(bucket), (tmp_path / 'a b').exists()


@pytest.mark.parametrize('dry_run', [False, True])
def test_reports(tmp_path: Path, dry_run: bool) -> None:
    theirs, ours = (reports(world, tmp_path, dry_run) for world in both_worlds())
    assert ours == theirs
    assert any(call[0] == 'error' for calls in ours[0] for call in calls[0]) is not dry_run
