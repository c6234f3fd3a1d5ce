"""Folders to sync, made of data, and what each library would do with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

from hypothesis import strategies as st

DAY = 24 * 60 * 60 * 1000
LONG_AGO = 100 * DAY
"""When the files of these tests were modified, more or less; milliseconds."""

NAMES = ['a', 'a!', 'a.txt', 'a/b', 'a/b/c', 'a0.txt', 'b', 'b c', 'é', 'z\uffff', 'z\U00010000']
names = st.sampled_from(NAMES)
times = st.sampled_from(
    [LONG_AGO + difference for difference in (0, 0, 0, 1, 5, -1, -5, DAY, -DAY)]
    + [LONG_AGO - days * DAY for days in (4, 5, 9, 10, 11, 30)]
)
sizes = st.sampled_from([0, 5, 5, 6, 10, 1000])
regexes = st.sampled_from(['a', 'a$', '.*b$', 'b', 'a/b', '.*0', '.*\\.txt$', '[^a]*$'])


class LocalFile(NamedTuple):
    """A local file; ``modified`` is in milliseconds."""

    name: str
    modified: int
    size: int


class Change(NamedTuple):
    """A version of a file of a bucket; without ``modified`` its time is that of the upload."""

    action: str
    name: str
    modified: int | None
    uploaded: int
    size: int


local_files = st.lists(
    st.builds(LocalFile, names, times, sizes), max_size=8, unique_by=lambda file: file.name
)
changes = st.lists(
    st.builds(
        Change,
        st.sampled_from(['upload', 'upload', 'upload', 'hide', 'start']),
        names,
        st.one_of(times, st.none()),
        times,
        sizes,
    ),
    max_size=14,
)
policies = st.fixed_dictionaries(
    {},
    optional={
        'exclude_file_regexes': st.lists(regexes, min_size=1, max_size=2),
        'include_file_regexes': st.lists(regexes, max_size=1),
        'exclude_modified_before': times,
        'exclude_modified_after': times,
        'exclude_uploaded_before': times,
    },
)


class Mode(NamedTuple):
    """A member of an enumeration that both libraries have."""

    enumeration: str
    member: str


def modes(enumeration: str, *members: str) -> st.SearchStrategy[Mode]:
    return st.sampled_from([Mode(enumeration, member) for member in members])


settings_of_sync = st.fixed_dictionaries(
    {
        'newer_file_mode': modes('NewerFileSyncMode', 'SKIP', 'REPLACE', 'RAISE_ERROR'),
        'keep_days_or_delete': modes(
            'KeepOrDeleteMode', 'DELETE', 'KEEP_BEFORE_DELETE', 'KEEP_BEFORE_DELETE', 'NO_DELETE'
        ),
    },
    optional={
        'compare_version_mode': modes('CompareVersionMode', 'MODTIME', 'SIZE', 'NONE'),
        'compare_threshold': st.sampled_from([None, 0, 1, 4, 5, 1000, DAY]),
        'keep_days': st.sampled_from([0, 0.5, 1, 5, 9.99, 10, 40]),
        'upload_mode': modes('UploadMode', 'FULL', 'INCREMENTAL'),
        'absolute_minimum_part_size': st.sampled_from([None, 1, 100]),
    },
)
"""Arguments of a `Synchronizer`; some leave out days that the mode needs."""
moments = st.sampled_from([0, LONG_AGO, LONG_AGO + 5, LONG_AGO + DAY, LONG_AGO + 10 * DAY])


class Reporter:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, *arguments))


def local_folder(sdk: Any, files: Iterable[LocalFile]) -> Any:
    """A local folder of these files, which need not be on the disk."""

    class Folder(sdk.AbstractFolder):  # type: ignore[misc]
        def folder_type(self) -> str:
            return 'local'

        def all_files(
            self, reporter: Any, policies_manager: Any = sdk.DEFAULT_SCAN_MANAGER
        ) -> Iterator[Any]:
            for file in sorted(files):
                path = sdk.LocalPath(f'/local/{file.name}', file.name, file.modified, file.size)
                if not policies_manager.should_exclude_local_path(path):
                    yield path

        def make_full_path(self, file_name: str) -> str:
            return f'/local/{file_name}'

    return Folder()


def b2_folder(sdk: Any, history: list[Change], bucket: str = 'a-bucket', folder: str = '') -> Any:
    """A folder of a bucket that has this history, oldest change first; no service is asked."""
    factory = sdk.FileVersionFactory(None)
    prefix = f'{folder}/' if folder else ''
    by_name = sorted(enumerate(history), key=lambda entry: (entry[1].name, -entry[0]))
    versions = [
        factory.from_api_response(
            {
                'accountId': 'account',
                'action': change.action,
                'bucketId': bucket,
                'contentLength': change.size if change.action == 'upload' else 0,
                'contentSha1': None,
                'contentType': 'text/plain',
                'fileId': f'{bucket}-{number}',
                'fileInfo': {}
                if change.modified is None or change.action == 'hide'
                else {'src_last_modified_millis': str(change.modified)},
                'fileName': prefix + change.name,
                'fileRetention': {'isClientAuthorizedToRead': False, 'value': None},
                'legalHold': {'isClientAuthorizedToRead': False, 'value': None},
                'serverSideEncryption': {'mode': None},
                'uploadTimestamp': change.uploaded,
            }
        )
        for number, change in by_name
    ]

    class Folder(sdk.B2Folder):  # type: ignore[misc]
        def __init__(self) -> None:
            self.bucket_name = bucket
            self.bucket = SimpleNamespace(name=bucket)
            self.folder_name = folder
            self.prefix = prefix

        def get_file_versions(self) -> Iterator[Any]:
            return iter(versions)

    return Folder()


def arguments_of(sdk: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with the members of this library's enumerations."""
    return {
        name: getattr(getattr(sdk, value.enumeration), value.member)
        if isinstance(value, Mode)
        else value
        for name, value in settings.items()
    }


def described(action: Any, provider: Any) -> Any:
    """All that an action says of itself, as both libraries have it."""
    fields = {name: _plain(value) for name, value in vars(action).items()}
    assert fields.pop('encryption_settings_provider', provider) is provider
    return type(action).__name__, str(action), action.get_bytes(), fields


def _plain(value: Any) -> Any:
    if hasattr(value, 'all_versions'):
        return repr(value)
    if hasattr(value, 'id_'):
        return value.id_
    return getattr(value, 'name', value)


def decisions(
    sdk: Any,
    source: Any,
    dest: Any,
    settings: dict[str, Any],
    now_millis: int,
    policy: dict[str, Any] | None = None,
) -> Any:
    """The actions of a sync in their order, the error that ended it, and what is reported."""
    provider = sdk.ServerDefaultSyncEncryptionSettingsProvider()
    reporter = Reporter()
    actions: list[Any] = []
    error = None
    try:
        synchronizer = sdk.Synchronizer(1, **arguments_of(sdk, settings))
        for action in synchronizer._make_folder_sync_actions(
            source,
            dest,
            now_millis,
            reporter,
            sdk.ScanPoliciesManager(**(policy or {})),
            provider,
        ):
            actions.append(described(action, provider))
    except Exception as raised:
        error = type(raised).__name__, str(raised)
    return actions, error, reporter.calls
