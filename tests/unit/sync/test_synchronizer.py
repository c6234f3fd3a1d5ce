"""What a `Synchronizer` reads and reports while it decides."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from b2fast import (
    AbstractFolder,
    B2Folder,
    BasicSyncEncryptionSettingsProvider,
    CompareVersionMode,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    FileVersionFactory,
    LocalPath,
    NewerFileSyncMode,
    ScanPoliciesManager,
    Synchronizer,
)
from b2fast.exception import DestFileNewer
from b2fast.sync.policy import UpPolicy


class Local(AbstractFolder):
    """Local files that were all modified at the same time; notes how many were read."""

    def __init__(self, names: list[str], modified: int = 10) -> None:
        self.names = names
        self.modified = modified
        self.read = 0

    def all_files(self, *_: Any, **__: Any) -> Iterator[LocalPath]:
        for name in self.names:
            self.read += 1
            yield LocalPath(f'/{name}', name, self.modified, 1)

    def folder_type(self) -> str:
        return 'local'

    def make_full_path(self, file_name: str) -> str:
        return f'/{file_name}'


class Stored(B2Folder):
    """Files of a bucket, uploaded at the same time; notes how many were read."""

    def __init__(self, names: list[str], uploaded: int = 10) -> None:
        self.names = names
        self.uploaded = uploaded
        self.prefix = ''
        self.read = 0
        self.bucket = SimpleNamespace(name='a-bucket')  # type: ignore[assignment]

    def get_file_versions(self) -> Iterator[Any]:
        factory = FileVersionFactory(None)  # type: ignore[arg-type]
        for name in self.names:
            self.read += 1
            yield factory.from_api_response(
                {
                    'accountId': '',
                    'action': 'upload',
                    'bucketId': '',
                    'contentLength': 1,
                    'fileId': f'id of {name}',
                    'fileName': name,
                    'fileRetention': {'isClientAuthorizedToRead': False, 'value': None},
                    'legalHold': {'isClientAuthorizedToRead': False, 'value': None},
                    'uploadTimestamp': self.uploaded,
                }
            )


def actions(
    source: AbstractFolder, dest: AbstractFolder, reporter: Any = None, **arguments: Any
) -> Iterator[Any]:
    return Synchronizer(1, **arguments)._make_folder_sync_actions(source, dest, 100, reporter)


NAMES = [f'{number:03}' for number in range(100)]


@pytest.mark.parametrize('stored', [[], ['zzz'], NAMES[1::2]], ids=['none', 'after', 'every other'])
def test_folders_are_read_as_far_as_needed(stored: list[str]) -> None:
    source, dest = Local(NAMES), Stored(stored)
    found = actions(source, dest)
    assert source.read == dest.read == 0
    for count in range(1, 6):
        name = next(found).relative_name
        behind = NAMES.index(name) + 1
        assert count <= source.read <= behind + 1
        # The listing groups versions by name, for which it looks at the next one.
        assert dest.read <= len([each for each in stored if each <= name]) + 2


@pytest.mark.parametrize('reporter', [None, 'one'])
@pytest.mark.parametrize('up', [True, False])
def test_a_reporter_is_not_needed(reporter: str | None, up: bool) -> None:
    class Counts:
        def __init__(self) -> None:
            self.calls: list[Any] = []

        def __getattr__(self, name: str) -> Any:
            return lambda *arguments: self.calls.append((name, *arguments))

    counts = Counts() if reporter else None
    source, dest = (Local(['a', 'b']), Stored(['b'])) if up else (Stored(['a', 'b']), Local(['b']))
    (action,) = actions(source, dest, counts)
    assert action.get_bytes() == 1
    if counts is not None:
        compared = [('update_compare', 1)] if up else [('update_total', 1), ('update_compare', 1)]
        end = [('close',), *([] if up else [('end_total',)]), ('end_compare', 1, 1)]
        assert counts.calls == [*compared, *compared, *end]


def test_actions_before_a_newer_file_are_there() -> None:
    """The one who asks decides what becomes of them."""
    found = actions(Local(['a', 'b', 'c']), Stored(['b'], uploaded=11))
    assert str(next(found)) == 'b2_upload(/a, a, 10)'
    with pytest.raises(DestFileNewer, match=r'local://b with a time of 10 .* b2://b .* 11'):
        next(found)


def test_policies_are_for_the_source_only() -> None:
    policies = ScanPoliciesManager(exclude_file_regexes=['b'])
    synchronizer = Synchronizer(1)
    found = synchronizer._make_folder_sync_actions(
        Stored(['a', 'b']), Local([]), 100, None, policies
    )
    assert [action.b2_file_name for action in found] == ['a']


def test_a_policy_of_ones_own() -> None:
    """It says what is different, and what is done about it."""

    class Never(UpPolicy):
        @classmethod
        def files_are_different(cls, *_: Any, **__: Any) -> bool:
            return False

        def _get_hide_delete_actions(self) -> Any:
            return ['an action']

    dest = Stored(['a'])
    source = LocalPath('/a', 'a', 500, 1)
    stored = next(dest.all_files(None))
    policy = Never(
        source,
        Local([]),
        stored,
        dest,
        100,
        None,
        NewerFileSyncMode.SKIP,
        0,
        CompareVersionMode.SIZE,
    )
    assert list(policy.get_all_actions()) == ['an action']


def test_no_key_shows() -> None:
    setting = EncryptionSetting(
        EncryptionMode.SSE_C,
        EncryptionAlgorithm.AES256,
        EncryptionKey(secret=b'a secret of 32 bytes.............'[:32], key_id='an id'),
    )
    provider = BasicSyncEncryptionSettingsProvider({'a': setting}, {'b': setting})
    assert 'an id' in repr(provider)
    assert 'a secret' not in repr(provider)
