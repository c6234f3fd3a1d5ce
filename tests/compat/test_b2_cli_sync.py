"""``b2 sync`` on b2fast beside the tool on b2sdk, each with a simulator over HTTP of its own."""

from __future__ import annotations

import base64
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from b2fast import B2Api, B2HttpApiConfig, Bucket, InMemoryAccountInfo, InMemoryCache
from b2fast.cli.simulator_process import SimulatorProcess
from b2fast.simulator import SimulatorServer

from ..clients.b2_tool import B2Tool
from ..helpers import Clock
from .shim import SHIM

NOW = 1_700_000_000
"""When the simulators are; seconds."""

MODIFIED = 1_600_000_000
PART_SIZE = 100_000


class Side:
    """The tool with one of the libraries, a directory, and the buckets of its simulator."""

    def __init__(
        self, name: str, server: SimulatorServer | SimulatorProcess, directory: Path
    ) -> None:
        tool = [str(Path(sysconfig.get_path('scripts')) / 'b2')]
        if name == 'b2fast':
            tool = [sys.executable, *SHIM, '-m', 'b2']
        directory.mkdir()
        self.server = server
        key = base64.b64encode(b'k' * 32).decode()
        variables = {f'B2_{role}_SSE_C_KEY_B64': key for role in ('SOURCE', 'DESTINATION')}
        self.b2 = B2Tool(*tool, server=server, directory=directory, variables=variables)
        self.directory = directory
        api = B2Api(InMemoryAccountInfo(), InMemoryCache(), api_config=B2HttpApiConfig())
        api.authorize_account(server.key_id, server.key, server.url)
        self.buckets: dict[str, Bucket] = {
            bucket: api.create_bucket(bucket, 'allPrivate')
            for bucket in ('one-bucket', 'two-bucket')
        }
        (directory / 'here').mkdir()

    def write(self, files: dict[str, bytes | None], modified: float = MODIFIED) -> None:
        """Write local files; None removes one."""
        for name, content in files.items():
            path = self.directory / 'here' / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (modified, modified))

    def store(self, files: dict[str, bytes | None], modified: float = MODIFIED) -> None:
        """Store files in the first bucket; None hides one."""
        bucket = self.buckets['one-bucket']
        for name, content in files.items():
            if content is None:
                bucket.hide_file(name)
            else:
                info = {'src_last_modified_millis': str(int(modified * 1000))}
                bucket.upload_bytes(content, name, file_info=info)

    def sync(self, *arguments: str) -> tuple[int, list[str], list[str]]:
        """Run it; the exit code and the sorted lines of both outputs."""
        here = str(self.directory / 'here')
        done = self.b2.run(
            'sync',
            *(['--no-progress'] if '--no-progress' not in arguments else []),
            *(argument.replace('HERE', here) for argument in arguments),
        )
        output, errors = (
            sorted(text.replace(here, 'HERE').splitlines()) for text in (done.stdout, done.stderr)
        )
        return done.returncode, output, errors

    def versions(self) -> Any:
        """All versions of the buckets, with what does not depend on the service."""
        return {
            name: [
                (
                    version.file_name,
                    version.action,
                    version.size,
                    version.content_type,
                    {key: value for key, value in version.file_info.items() if key != 'plan_id'},
                    version.server_side_encryption.mode,
                )
                for version, _ in bucket.ls(latest_only=False, recursive=True)
            ]
            for name, bucket in self.buckets.items()
        }

    def files(self) -> Any:
        """The local files with their contents and, in milliseconds, times of modification."""
        root = self.directory / 'here'
        return sorted(
            (
                path.relative_to(root).as_posix(),
                path.read_bytes(),
                path.stat().st_mtime_ns // 10**6,
            )
            for path in root.rglob('*')
            if path.is_file()
        )


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[list[Side]]:
    def new_server() -> SimulatorServer:
        return SimulatorServer(
            clock=Clock(NOW * 1000), minimum_part_size=PART_SIZE, recommended_part_size=PART_SIZE
        )

    with new_server() as one, new_server() as two:
        yield [Side('b2sdk', one, tmp_path / 'b2sdk'), Side('b2fast', two, tmp_path / 'b2fast')]


class Seen(NamedTuple):
    """What there is after a sync."""

    exit_code: int
    output: list[str]
    errors: list[str]
    versions: Any
    files: Any


def both(sides: list[Side], prepare: Callable[[Side], None], *syncs: tuple[str, ...]) -> list[Seen]:
    """What is seen after each sync, which has to be the same on both sides."""
    seen: list[list[Seen]] = []
    for side in sides:
        prepare(side)
        seen.append([Seen(*side.sync(*sync), side.versions(), side.files()) for sync in syncs])
    theirs, ours = seen
    assert ours == theirs
    return ours


TREE: dict[str, bytes | None] = {
    'a': b'1',
    'a.txt': b'two',
    'd/e/f': b'deep',
    'd/large': bytes(range(256)) * 1000,
    'empty': b'',
    'x.log': b'log',
    'é/ü b': 'é'.encode(),
}
UP, DOWN, COPY = (
    ('HERE', 'b2://one-bucket/in'),
    ('b2://one-bucket', 'HERE'),
    ('b2://one-bucket', 'b2://two-bucket/to'),
)
WAYS = [pytest.param(way, id=name) for name, way in (('up', UP), ('down', DOWN), ('copy', COPY))]


def with_both(side: Side) -> None:
    """Local and stored files, of which some are on one side only, and some have old versions."""
    side.write(TREE)
    side.write({'a': b'1 changed', 'only here': b'here', 'd/only here': b'here'})
    old: dict[str, bytes | None] = {'a': b'old', 'in/a': b'old', 'gone': b'x', 'in/gone': b'x'}
    side.store(old, MODIFIED - 30 * 86400)
    side.store({**TREE, 'gone': None}, MODIFIED)
    side.store({'in/a': b'older', 'in/only there': b'there'}, MODIFIED - 10)


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize(
    'options',
    [
        ('--delete', '--replace-newer'),
        ('--dry-run', '--delete', '--skip-newer'),
        ('--exclude-regex', r'.*\.log$', '--exclude-dir-regex', 'd/e', '--delete', '--skip-newer'),
        ('--exclude-regex', '.*', '--include-regex', '.*a', '--include-regex', 'd/large'),
        ('--compare-versions', 'size', '--delete', '--threads', '1'),
        ('--compare-versions', 'none'),
        ('--compare-threshold', '20000', '--sync-threads', '2'),
    ],
    ids=' '.join,
)
def test_ways(sides: list[Side], way: tuple[str, str], options: tuple[str, ...]) -> None:
    (seen,) = both(sides, with_both, (*options, *way))
    assert seen.exit_code == 0
    assert len(seen.output) >= 1


@pytest.mark.parametrize('way', WAYS)
def test_a_second_sync_does_nothing(sides: list[Side], way: tuple[str, str]) -> None:
    sync = ('--replace-newer', *way)
    assert both(sides, with_both, sync, sync)[1].output == []


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('days', ['20', '0.5'])
def test_days(sides: list[Side], way: tuple[str, str], days: str) -> None:
    """Local files are not kept for days, and it is an error to ask for it."""
    (seen,) = both(sides, with_both, ('--keep-days', days, '--replace-newer', *way))
    assert seen.exit_code == (1 if way == DOWN else 0)


@pytest.mark.parametrize('way', WAYS)
def test_a_newer_file_is_an_error(sides: list[Side], way: tuple[str, str]) -> None:
    """What is done before is not always the same: b2sdk does not wait for it."""
    for side in sides:
        side.write({'a': b'here'}, MODIFIED + (100 if way == DOWN else 0))
        side.store({'a': b'there', 'in/a': b'in'}, MODIFIED + 50)
        side.buckets['two-bucket'].upload_bytes(b'to', 'to/a')
    seen = both(sides, lambda side: None, way)
    assert seen[0].exit_code == 1
    assert 'older than destination' in seen[0].errors[0]


def test_old_versions_of_the_source(sides: list[Side]) -> None:
    options = ('--exclude-if-modified-after', str(MODIFIED - 5), '--replace-newer')
    (seen,) = both(sides, with_both, (*options, '--delete', *DOWN))
    assert {name: content for name, content, _ in seen.files} == {
        'a': b'old',
        'gone': b'x',
        'in/a': b'older',
        'in/gone': b'x',
        'in/only there': b'there',
    }


def test_encryption(sides: list[Side]) -> None:
    sse = ('--destination-server-side-encryption', 'SSE-B2')
    for way in (UP, ('b2://one-bucket/in', 'b2://two-bucket')):
        (seen,) = both(sides, lambda side: side.write({'a': b'1'}), (*sse, *way))
        assert seen.exit_code == 0
    for found in seen.versions.values():
        assert [version[-1].value for version in found] == ['SSE-B2']


def test_customers_keys(sides: list[Side]) -> None:
    """The tool takes the keys from the environment."""
    (up,) = both(
        sides,
        lambda side: side.write({'a': b'1', 'large': b'2' * 3 * PART_SIZE}),
        ('--destination-server-side-encryption', 'SSE-C', *UP),
    )
    assert [version[-1].value for version in up.versions['one-bucket']] == ['SSE-C'] * 2
    (down,) = both(
        sides,
        lambda side: side.write({'a': None, 'large': None}),
        ('--source-server-side-encryption', 'SSE-C', 'b2://one-bucket/in', 'HERE'),
    )
    assert [name for name, *_ in down.files] == ['a', 'large']
    for side in sides:
        side.write({'a': None})
        code, output, _ = side.sync('b2://one-bucket/in', 'HERE')
        assert code == 1
        assert [line.split(',')[0] for line in output] == ['b2_download(in/a']
        assert [name for name, *_ in side.files()] == ['large']


def test_incremental_mode(sides: list[Side]) -> None:
    content = bytes(range(256)) * 25_000
    sync = ('--incremental-mode', '--threads', '2', *UP)
    both(sides, lambda side: side.write({'log': content}), sync)
    (seen,) = both(sides, lambda side: side.write({'log': content + b'more'}, MODIFIED + 1), sync)
    assert seen.exit_code == 0
    for side in sides:
        assert isinstance(side.server, SimulatorServer)
        assert side.server.calls['b2_copy_part'] > 0
        assert side.buckets['one-bucket'].get_file_info_by_name('in/log').size == len(content) + 4


def test_symbolic_links(sides: list[Side]) -> None:
    def link(side: Side) -> None:
        side.write({'a': b'1', 'd/b': b'2'})
        (side.directory / 'other').mkdir()
        (side.directory / 'other/outside').write_bytes(b'3')
        os.utime(side.directory / 'other/outside', (MODIFIED, MODIFIED))
        (side.directory / 'here/link').symlink_to('a')
        (side.directory / 'here/links').symlink_to(side.directory / 'other')

    without, followed = both(sides, link, ('--exclude-all-symlinks', *UP), UP)
    assert without.output == ['upload a', 'upload d/b']
    assert followed.output == ['upload link', 'upload links/outside']


@pytest.mark.parametrize('options', [(), ('--allow-empty-source',)], ids=str)
def test_an_empty_source(sides: list[Side], options: tuple[str, ...]) -> None:
    (seen,) = both(sides, lambda side: side.store({'in/a': b'1'}), (*options, '--delete', *UP))
    assert seen.exit_code == (0 if options else 1)
    assert len(seen.versions['one-bucket']) == (0 if options else 1)


@pytest.mark.parametrize(
    'arguments',
    [
        ('HERE', 'b2://no-bucket'),
        ('b2://one-bucket', 'HERE/missing/too'),
        ('--include-regex', 'x', *UP),
        ('--exclude-regex', '(', *UP),
        ('--delete', '--keep-days', '3', *UP),
        ('--compare-threshold', '-1', *UP),
    ],
    ids=' '.join,
)
def test_wrong_arguments(sides: list[Side], arguments: tuple[str, ...]) -> None:
    (seen,) = both(sides, lambda side: side.write({'a': b'1'}), arguments)
    assert seen.exit_code != 0


def test_a_broken_link_is_told_by_the_exit_code(sides: list[Side]) -> None:
    """Here it also keeps what is unwanted from being deleted."""
    for side in sides:
        side.write({'a': b'1'})
        side.store({'in/unwanted': b'2'})
        (side.directory / 'here/broken').symlink_to('nowhere')
        code, output, errors = side.sync('--delete', *UP)
        assert code == 1
        assert 'upload a' in output
        assert any('broken' in line for line in output + errors)
    assert {name for name, *_ in sides[1].versions()['one-bucket']} == {'in/a', 'in/unwanted'}


def test_two_directories(sides: list[Side]) -> None:
    for side in sides:
        side.write({'a': b'1'})
        done = side.b2.run('sync', *[str(side.directory / 'here')] * 2)
        assert done.returncode == 1
        assert done.stderr.endswith(
            'ValueError: Sync between two local folders is not supported!\n'
        )


def test_with_progress(sides: list[Side]) -> None:
    theirs: list[str] = []
    ours: list[str] = []
    for side, lines in zip(sides, (theirs, ours), strict=True):
        with_both(side)
        output = side.b2('sync', str(side.directory / 'here'), UP[1])
        lines += sorted(line for line in output.splitlines() if line.startswith('upload'))
        assert 'compare: ' in output
    assert [line.strip() for line in ours] == [line.strip() for line in theirs]
    assert len(ours) == 9


def test_against_a_simulator_of_its_own_process(tmp_path: Path) -> None:
    """``python -m b2fast simulator``, which keeps all on the disk."""
    seen = []
    for name in ('b2sdk', 'b2fast'):
        with SimulatorProcess(tmp_path / f'data of {name}') as process:
            side = Side(name, process, tmp_path / name)
            side.write(TREE)
            source = side.files()
            done = [side.sync(*way) for way in (UP, COPY)]
            side.write(dict.fromkeys(TREE))
            done.append(side.sync('b2://two-bucket/to/in', 'HERE'))
            assert side.files() == source
            seen.append((done, side.versions()))
    assert seen[1] == seen[0]
    assert [code for code, *_ in seen[1][0]] == [0, 0, 0]
