"""b2sdk and b2fast read, upgrade and share the same file of account data."""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from b2sdk.v3 import SqliteAccountInfo as Theirs
from hypothesis import given, settings, strategies as st

from b2fast import SqliteAccountInfo as Ours

from . import account_info_worker
from .account_info_worker import Named, account
from .outcomes import outcome

LIBRARIES = {'b2sdk': Theirs, 'b2fast': Ours}
NEWEST = 6
GETTERS = (
    'get_account_id',
    'get_application_key_id',
    'get_account_auth_token',
    'get_api_url',
    'get_application_key',
    'get_download_url',
    'get_realm',
    'get_recommended_part_size',
    'get_absolute_minimum_part_size',
    'get_allowed',
    'get_s3_api_url',
    'list_bucket_names_ids',
    'is_master_key',
)

OLD_ALLOWED: list[dict[str, Any] | None] = [
    None,
    {'bucketId': None, 'bucketName': None, 'capabilities': ['a'], 'namePrefix': None},
    {'bucketId': 'id', 'bucketName': 'name', 'capabilities': [], 'namePrefix': 'pre'},
    {'bucketId': 'id', 'bucketName': None, 'capabilities': ['a', 'b'], 'namePrefix': ''},
    {'buckets': [{'id': 'i', 'name': 'n'}], 'capabilities': ['a'], 'namePrefix': None},
]


def seen(info: Any) -> dict[str, Any]:
    return {getter: getattr(info, getter)() for getter in GETTERS}


@contextlib.contextmanager
def opened(library: str, path: Path, **kwargs: Any) -> Iterator[Any]:
    info = LIBRARIES[library](str(path), **kwargs)
    try:
        yield info
    finally:
        info.close()


def store(path: Path, version: int, allowed: dict[str, Any] | None) -> None:
    """Put an account into a file of that version."""
    columns: dict[str, Any] = {
        'account_id': 'account',
        'application_key': 'key',
        'account_auth_token': 'token',
        'api_url': 'http://api',
        'download_url': 'http://download',
        'realm': 'dev',
    }
    if version >= 1 and allowed is not None:
        columns['allowed'] = json.dumps(allowed)
    if version >= 2:
        columns['account_id_or_app_key_id'] = 'key id'
    if version >= 3:
        columns['s3_api_url'] = 'http://s3'
    if version >= 4:
        columns.update(recommended_part_size=100, absolute_minimum_part_size=7)
    else:
        columns['minimum_part_size'] = 100
    names, values = ', '.join(columns), ', '.join('?' * len(columns))
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f'INSERT INTO account ({names}) VALUES ({values})',  # noqa: S608
            tuple(columns.values()),
        )
        connection.execute("INSERT INTO bucket VALUES ('one', '1')")


CASES = [
    (version, allowed)
    for version, allowed in itertools.product(range(NEWEST + 1), OLD_ALLOWED)
    # b2sdk does not read the old form from a file of the newest version.
    if version < NEWEST or allowed is None or 'buckets' in allowed
]


@pytest.mark.parametrize(('version', 'allowed'), CASES)
@pytest.mark.parametrize('writer', LIBRARIES)
def test_old_files_are_upgraded_alike(
    version: int, allowed: dict[str, Any] | None, writer: str, tmp_path: Path
) -> None:
    results = []
    for reader, other in (('b2sdk', 'b2fast'), ('b2fast', 'b2sdk')):
        path = tmp_path / reader
        with opened(writer, path, last_upgrade_to_run=version):
            pass
        store(path, version, allowed)
        with opened(reader, path) as info:
            results.append(seen(info))
        with opened(other, path) as info:
            results.append(seen(info))
        with contextlib.closing(sqlite3.connect(path)) as connection:
            numbers = connection.execute('SELECT update_number FROM update_done').fetchall()
        assert sorted(numbers) == [(number,) for number in range(1, NEWEST + 1)]
    assert all(result == results[0] for result in results), results


@pytest.mark.parametrize('writer', LIBRARIES)
def test_the_data_of_version_0(writer: str, tmp_path: Path) -> None:
    path = tmp_path / 'file'
    with opened(writer, path, last_upgrade_to_run=0) as info:
        info.set_auth_data_with_schema_0_for_test(
            'account', 'token', 'http://api', 'http://download', 100, 'key', 'dev'
        )
    with opened('b2fast', path) as ours, opened('b2sdk', path) as theirs:
        assert seen(ours) == seen(theirs)
        assert ours.get_application_key_id() == 'account'


def test_the_json_file_is_converted_alike(tmp_path: Path) -> None:
    names = ('account_id', 'application_key', 'account_auth_token', 'api_url', 'download_url')
    data = {**{name: f'{name} ä' for name in names}, 'minimum_part_size': 12, 'realm': 'x'}
    results = []
    for library in LIBRARIES:
        path = tmp_path / library
        path.write_text(json.dumps({**data, 'more': 1}))
        with opened(library, path) as info:
            results.append(seen(info))
    assert results[0] == results[1]


def test_missing_data_and_corrupt_files(tmp_path: Path) -> None:
    corrupt = tmp_path / 'corrupt'
    corrupt.write_bytes(b'not a database' * 100)
    kinds = []
    for library in LIBRARIES:
        with opened(library, tmp_path / library) as info:
            kinds.append([outcome(getattr(info, getter))[0] for getter in GETTERS[:11]])
        kinds[-1].append(outcome(lambda name=library: LIBRARIES[name](str(corrupt))))
    assert kinds[0] == kinds[1]
    assert set(kinds[0][:11]) == {'MissingAccountData'}


TEXTS = st.text(st.characters(exclude_categories=['Cs'], exclude_characters='\0'), max_size=6)
BUCKETS = st.sampled_from([Named(f'name {n}', f'id {n}') for n in range(4)])
ALLOWED = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            'buckets': st.one_of(
                st.none(),
                st.lists(
                    st.fixed_dictionaries({'id': TEXTS, 'name': st.none() | TEXTS}), max_size=3
                ),
            ),
            'capabilities': st.lists(TEXTS, max_size=3),
            'namePrefix': st.none() | TEXTS,
        }
    ),
)
AUTHORIZATIONS = st.fixed_dictionaries(
    {
        name: st.integers(0, 2**62) if name.endswith('part_size') else TEXTS
        for name in account(0)
        if name != 'allowed'
    }
    | {'allowed': ALLOWED}
)
CALLS = st.one_of(
    st.tuples(st.just('save_bucket'), st.tuples(BUCKETS)),
    st.tuples(st.just('remove_bucket_name'), st.tuples(BUCKETS.map(lambda b: b.name))),
    st.tuples(
        st.just('refresh_entire_bucket_name_cache'),
        st.tuples(st.lists(BUCKETS.map(tuple), unique=True)),
    ),
    st.tuples(st.just('clear'), st.just(())),
    st.tuples(
        st.just('get_bucket_id_or_none_from_bucket_name'),
        st.tuples(BUCKETS.map(lambda b: b.name)),
    ),
    st.tuples(
        st.just('get_bucket_name_or_none_from_bucket_id'), st.tuples(BUCKETS.map(lambda b: b.id_))
    ),
    st.tuples(st.just('set_auth_data'), AUTHORIZATIONS),
)


def made(info: Any, name: str, arguments: Any) -> Any:
    call = getattr(info, name)
    if isinstance(arguments, dict):
        return outcome(lambda: call(**arguments))
    return outcome(lambda: call(*arguments))


@settings(max_examples=30)
@given(st.lists(CALLS, max_size=8), st.data())
def test_the_same_calls_in_turns(calls: Sequence[tuple[str, Any]], data: st.DataObject) -> None:
    """Theirs on one file, and on another one each call by one of the two libraries."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        expected = stack.enter_context(opened('b2sdk', directory / 'theirs'))
        shared = [stack.enter_context(opened(library, directory / 'x')) for library in LIBRARIES]
        for method, arguments in calls:
            actor = data.draw(st.sampled_from(shared))
            assert made(actor, method, arguments) == made(expected, method, arguments)
            for info in shared:
                for getter in GETTERS:
                    mine, other = (outcome(getattr(one, getter)) for one in (info, expected))
                    if other[0] == 'MissingAccountData':
                        # Ours says what is missing.
                        mine, other = mine[0], other[0]
                    assert mine == other, getter


def run_together(path: Path, libraries: Sequence[str], action: str, times: int) -> None:
    """Run a process for each and let them begin at once."""
    workers = [
        subprocess.Popen(
            [
                *(sys.executable, '-m', account_info_worker.__name__),
                *(library, str(path), action, str(number), str(times)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )
        for number, library in enumerate(libraries)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            worker.stdout.readline()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write('\n')
            worker.stdin.flush()
        said = [worker.communicate()[1] for worker in workers]
        assert [worker.returncode for worker in workers] == [0] * len(workers), said
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


PROCESSES = 8


@pytest.mark.parametrize('kind', ['new', '0', '4', 'json'])
def test_eight_processes_lose_no_update(kind: str, tmp_path: Path) -> None:
    """They make, or upgrade, the file at once and change it."""
    path = tmp_path / 'file'
    if kind == 'json':
        names = ('account_id', 'application_key', 'account_auth_token', 'api_url', 'download_url')
        data = {**dict.fromkeys(names, 'account'), 'minimum_part_size': 12, 'realm': 'dev'}
        path.write_text(json.dumps(data))
    elif kind != 'new':
        with opened('b2sdk', path, last_upgrade_to_run=int(kind)):
            pass
        store(path, int(kind), None)
    times = 10
    run_together(path, ['b2fast'] * PROCESSES, 'save', times)
    with opened('b2sdk', path) as info:
        found = sorted(info.list_bucket_names_ids())
        if kind != 'new':
            assert info.get_account_id() == 'account'
    expected = [(f'bucket {n} {s}', f'id {n} {s}') for n in range(PROCESSES) for s in range(times)]
    extra = [('one', '1')] if kind not in ('new', 'json') else []
    assert found == sorted(expected + extra)
    assert [entry.name for entry in tmp_path.iterdir()] == ['file']
    assert path.stat().st_mode & 0o777 == 0o600


def test_accounts_are_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    run_together(path, ['b2fast'] * PROCESSES, 'authorize', 10)
    with opened('b2sdk', path) as info:
        number = int(info.get_account_id().removeprefix('account '))
        assert number % 1000 == 9
        found = seen(info)
    assert found['list_bucket_names_ids'] == []
    with opened('b2sdk', tmp_path / 'expected') as info:
        info.set_auth_data(**account(number))
        assert found == seen(info)


def test_both_libraries_at_once(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    with opened('b2fast', path):
        pass
    times = 5
    libraries = ['b2fast'] * 6 + ['b2sdk.v3'] * 2
    run_together(path, libraries, 'save', times)
    with opened('b2fast', path) as info:
        found = sorted(info.list_bucket_names_ids())
    assert found == sorted(
        (f'bucket {n} {s}', f'id {n} {s}') for n in range(len(libraries)) for s in range(times)
    )
