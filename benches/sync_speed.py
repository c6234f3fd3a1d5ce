"""How fast a sync is: b2fast beside b2sdk and rclone, on the same trees and server, in turns.

Every run of a client is a process of its own, with its start. Writes tables in Markdown.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import measure
from report import circumstances, table
from side_by_side import HERE, Server, python_command
from workloads import MIB, SETTINGS

_BUCKET = 'sync-speed'
_FILES_IN_DIRECTORY = 100
_SIZE = 10_000
_CLIENTS = {
    'b2fast': ('b2fast',),
    'b2fast, bulk calls': ('b2fast', '--bulk'),
    'b2sdk': ('b2sdk.v3',),
}


@dataclass
class Job:
    """A sync and, round by round, what each client took for it."""

    title: str
    files: int
    source: str
    destination: str
    clients: Sequence[str]
    # Brings about what a run finds.
    prepare: Callable[[], object]
    usages: dict[str, list[measure.Usage]] = field(default_factory=dict)


class SyncBench:
    """Runs the clients on trees of files below a directory."""

    def __init__(self, server: Server, directory: Path, rounds: int) -> None:
        self._server = server
        self._directory = directory
        self._rounds = rounds

    def tree(self, name: str, files: int, size: int) -> Path:
        """A directory with that many files of random bytes."""
        root = self._directory / name
        for number in range(files):
            path = root / f'{number // _FILES_IN_DIRECTORY:05}' / f'file-{number:06}.bin'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(size))
        return root

    def run_all(self, jobs: Sequence[Job]) -> None:
        """Fill in the usages of the jobs; a first round is not counted."""
        for job in jobs:
            for turn in range(-1, self._rounds):
                first = turn % len(job.clients)
                for client in [*job.clients[first:], *job.clients[:first]]:
                    job.prepare()
                    usage = self.run(job, client)
                    if turn >= 0:
                        job.usages.setdefault(client, []).append(usage)
                        print(f'{job.title}: {client}: {usage.wall_seconds:.2f} s', file=sys.stderr)

    def run(self, job: Job, client: str) -> measure.Usage:
        """Have a client do a job."""
        return measure.run(command_of(job, client), self._server.environment)

    def idle(self) -> dict[str, float]:
        """The peak memory of clients that only sign in, in bytes."""
        commands = {
            client: python_command(client, 'idle', _BUCKET, self._directory)
            for client in ('b2fast', 'b2sdk')
        }
        commands['rclone'] = ['rclone', 'lsd', 'bench:']
        return {
            client: measure.run(command, self._server.environment).peak_bytes
            for client, command in commands.items()
        }

    def seconds_to_first(self, client: str, root: Path) -> float:
        """When the first file of a large tree is uploaded, from the beginning of the sync on."""
        times = []
        for _ in range(self._rounds):
            self.empty_bucket()
            command = sync_command(_CLIENTS[client], str(root), f'b2://{_BUCKET}', '--first')
            environment = os.environ | self._server.environment
            times.append(float(subprocess.check_output(command, env=environment)))
        return median(times)

    def empty_bucket(self) -> None:
        """Leave an empty bucket."""
        self._server.ask(f'empty {_BUCKET}')


def sync_command(client: Sequence[str], source: str, destination: str, *more: str) -> list[str]:
    """How to run clients/sync_client.py."""
    module, *options = client
    program = str(HERE / 'clients' / 'sync_client.py')
    return [sys.executable, program, module, source, destination, *options, *more]


def command_of(job: Job, client: str) -> list[str]:
    """How to run a client on a job."""
    if client == 'rclone':
        ends = [job.source, job.destination]
        return ['rclone', 'sync', '--fast-list', *(it.replace('b2://', 'bench:') for it in ends)]
    return sync_command(_CLIENTS[client], job.source, job.destination)


def make_jobs(bench: SyncBench, *, unchanged: int, small: int) -> list[Job]:
    """The syncs whose whole runs are measured."""
    remote = f'b2://{_BUCKET}'
    same, few = bench.tree('same', unchanged, 100), bench.tree('few', small, _SIZE)
    target = few.with_name('target')
    upload = Job('', 0, str(few), remote, ['b2fast'], bench.empty_bucket)
    is_filled: list[bool] = []

    def fill(job: Job) -> None:
        bench.empty_bucket()
        bench.run(job, 'b2fast')

    def fill_once() -> None:
        if not is_filled:
            is_filled.append(True)
            fill(Job('', 0, str(same), remote, ['b2fast'], bench.empty_bucket))

    def empty_target() -> None:
        if not target.exists():
            fill(upload)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()

    return [
        Job(
            f'{unchanged:,} files, unchanged',
            unchanged,
            str(same),
            remote,
            ['b2fast', 'b2sdk', 'rclone'],
            fill_once,
        ),
        Job(
            f'{small:,} files of {_SIZE // 1000} kB up',
            small,
            str(few),
            remote,
            ['b2fast', 'b2fast, bulk calls', 'b2sdk', 'rclone'],
            bench.empty_bucket,
        ),
        Job(
            f'{small:,} files of {_SIZE // 1000} kB down',
            small,
            remote,
            str(target),
            ['b2fast', 'b2fast, bulk calls', 'b2sdk', 'rclone'],
            empty_target,
        ),
    ]


def table_of(job: Job, idle: dict[str, float]) -> str:
    """What the clients took for a job."""
    ours = job.usages['b2fast']
    rows = []
    for client, usages in job.usages.items():
        cpu = median(usage.cpu_seconds for usage in usages)
        pairs = list(zip(ours, usages, strict=True))
        peak = median(usage.peak_bytes for usage in usages)
        rows.append(
            [
                client,
                f'{median(usage.wall_seconds for usage in usages):.2f}',
                f'{cpu:.2f}',
                f'{cpu / job.files * 1e6:.1f}',
                f'{(peak - idle[client.partition(",")[0]]) / MIB:.0f}',
                f'{median(it.wall_seconds / our.wall_seconds for our, it in pairs):.2f}',
                f'{median(it.cpu_seconds / our.cpu_seconds for our, it in pairs):.2f}',
            ]
        )
    header = ['client', 'wall s', 'CPU s', 'CPU µs/file', 'MiB above idle']
    return table([*header, 'it / b2fast: wall', 'CPU'], rows)


def main() -> None:
    """Measure, print and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').partition('\n')[0])
    shared_memory = Path('/dev/shm')
    parser.add_argument('--rounds', type=int, default=5, help='counted rounds (%(default)s)')
    parser.add_argument('--unchanged', type=int, default=20_000)
    parser.add_argument('--small', type=int, default=2_000)
    parser.add_argument('--many', type=int, default=100_000)
    parser.add_argument(
        '--dir',
        type=Path,
        default=shared_memory if shared_memory.is_dir() else Path(tempfile.gettempdir()),
    )
    parser.add_argument('--output', type=Path, default=HERE / 'results-sync.md')
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    directory = Path(tempfile.mkdtemp(prefix='b2fast-bench-', dir=arguments.dir))
    try:
        with Server(directory, SETTINGS['plain']) as server:
            bench = SyncBench(server, directory, arguments.rounds)
            bench.empty_bucket()
            idle = bench.idle()
            jobs = make_jobs(bench, unchanged=arguments.unchanged, small=arguments.small)
            bench.run_all(jobs)
            many = bench.tree('many', arguments.many, 1)
            first = {client: bench.seconds_to_first(client, many) for client in ('b2fast', 'b2sdk')}
            bench.empty_bucket()
            whole = Job('', arguments.many, str(many), f'b2://{_BUCKET}', ['b2fast'], len)
            usage = bench.run(whole, 'b2fast')
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    first_row = [f'{seconds:.2f}' for seconds in first.values()]
    peak = f'{(usage.peak_bytes - idle["b2fast"]) / MIB:.0f}'
    sections = [
        '# Syncs: b2fast beside b2sdk and rclone',
        circumstances(shlex.join(sys.argv), arguments.rounds, load),
        *(text for job in jobs for text in (f'## {job.title}', table_of(job, idle))),
        f'## {arguments.many:,} local files, empty bucket',
        table(
            ['first file is uploaded after', 'b2fast', 'b2sdk', 'b2fast, all: s', 'MiB above idle'],
            [['seconds', *first_row, f'{usage.wall_seconds:.1f}', peak]],
        ),
        'Wall and CPU times are of whole processes, with their start. "Above idle" is the peak '
        'less that of the same client when it only signs in.',
    ]
    text = '\n\n'.join(sections) + '\n'
    print(text)
    arguments.output.write_text(text)


if __name__ == '__main__':
    main()
