"""b2fast beside b2sdk and rclone: the same server, the same files, in turns.

Every run of a client is a process of its own. The rounds are interleaved (A B C, B C A, ...) after
an uncounted one that warms the files' memory; each run's result is checked outside of the measured
time, so that all do the same work. Writes tables in Markdown.
"""

from __future__ import annotations

import argparse
import filecmp
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import measure
import report
from workloads import (
    MIB,
    SETTINGS,
    Setting,
    Variant,
    Workload,
    make_sources,
    make_workloads,
)

HERE = Path(__file__).parent


class Server:
    """The simulator in its own process, answering questions about what it stores."""

    def __init__(self, work_dir: Path, setting: Setting) -> None:
        command = [sys.executable, str(HERE / 'server.py')]
        command += ['--latency', str(setting.latency), *(['--tls'] if setting.tls else [])]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        greeting = self._read()
        self.environment = {
            'BENCH_URL': greeting['url'],
            'BENCH_KEY_ID': greeting['key_id'],
            'BENCH_KEY': greeting['key'],
            'RCLONE_CONFIG': str(work_dir / 'rclone.conf'),
            'RCLONE_CONFIG_BENCH_TYPE': 'b2',
            'RCLONE_CONFIG_BENCH_ENDPOINT': greeting['url'],
            'RCLONE_CONFIG_BENCH_ACCOUNT': greeting['key_id'],
            'RCLONE_CONFIG_BENCH_KEY': greeting['key'],
        }
        if greeting['authority'] is not None:
            trusted = work_dir / 'authority.pem'
            trusted.write_text(greeting['authority'])
            self.environment |= {
                'REQUESTS_CA_BUNDLE': str(trusted),
                'RCLONE_CA_CERT': str(trusted),
            }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def ask(self, question: str) -> Any:
        """The answer to a line that server.py understands."""
        assert self._process.stdin is not None
        self._process.stdin.write(question + '\n')
        self._process.stdin.flush()
        return self._read()

    def cpu_seconds(self) -> float:
        """What the server took so far."""
        return measure.cpu_seconds_of(self._process.pid)

    def calls(self) -> int:
        """How many calls it answered so far."""
        return sum(self.ask('calls').values())

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError('the server ended before its time')
        return json.loads(line)


class Runner:
    """Runs the clients on the workloads and checks what they did."""

    def __init__(self, server: Server, workloads: Sequence[Workload]) -> None:
        self._server = server
        self._workloads = workloads
        self._digests = {
            path.name: [path.stat().st_size, sha1_of(path)]
            for workload in workloads
            for path in files_of(workload.source)
        }

    def measure_all(self, rounds: int, *, warm_up: bool) -> None:
        """Fill in the usages of all workloads."""
        for workload in self._workloads:
            self._server.ask(f'empty {workload.bucket}')
            if not workload.is_upload:
                upload = next(w for w in self._workloads if w.source == workload.source)
                self._run(upload, upload.variants[0])
            if warm_up:
                for variant in workload.variants:
                    self._run(workload, variant)
            for turn in range(rounds):
                first = turn % len(workload.variants)
                for variant in [*workload.variants[first:], *workload.variants[:first]]:
                    usage = self._run(workload, variant)
                    workload.usages.setdefault(variant.label, []).append(usage)
                    print(
                        f'{workload.title}: {variant.label}: {usage.wall_seconds:.2f} s, '
                        f'CPU {usage.cpu_seconds:.2f} s',
                        file=sys.stderr,
                    )

    def measure_idle(self, rounds: int) -> dict[str, list[measure.Usage]]:
        """What each client takes that only signs in."""
        bucket, path = self._workloads[0].bucket, self._workloads[0].path
        self._server.ask(f'empty {bucket}')
        commands = {
            client: python_command(client, 'idle', bucket, path) for client in ('b2fast', 'b2sdk')
        }
        commands['rclone'] = ['rclone', 'lsd', 'bench:']
        return {
            client: [measure.run(command, self._server.environment) for _ in range(rounds)]
            for client, command in commands.items()
        }

    def _run(self, workload: Workload, variant: Variant) -> measure.Usage:
        if workload.is_upload:
            self._server.ask(f'empty {workload.bucket}')
        environment = dict(self._server.environment)
        if variant.client == 'mover':
            environment['BENCH_SHA1'] = self._digests[workload.path.name][1]
        touch_memory(workload.path.parent, workload.byte_count)
        calls, server_cpu = self._server.calls(), self._server.cpu_seconds()
        usage = measure.run(command_of(workload, variant), environment)
        usage = replace(
            usage,
            server_cpu_seconds=self._server.cpu_seconds() - server_cpu,
            calls=self._server.calls() - calls,
        )
        self._check(workload, variant)
        return usage

    def _check(self, workload: Workload, variant: Variant) -> None:
        """The same result for all: the same bytes, and in the bucket the same SHA-1s."""
        names = [path.name for path in files_of(workload.source)]
        if workload.is_upload:
            expected = {name: self._digests[name] for name in names}
            stored = self._server.ask(f'files {workload.bucket}')
            if not variant.stores_sha1:
                expected = {name: [size, None] for name, (size, _) in expected.items()}
            if stored != expected:
                raise RuntimeError(f'{variant.label} stored something else than the source files')
        elif variant.writes:
            target = workload.path if workload.path.is_dir() else workload.path.parent
            source = workload.source if workload.source.is_dir() else workload.source.parent
            equal, _, _ = filecmp.cmpfiles(source, target, names, shallow=False)
            filecmp.clear_cache()
            if len(equal) != len(names):
                raise RuntimeError(f'{variant.label} wrote something else than the source files')


def touch_memory(directory: Path, byte_count: int) -> None:
    """Write so much into the directory's file system and remove it again.

    A virtual machine may have given free memory back to its host, and whoever uses it next pays for
    that. Without this, a client that writes beside the old file would pay for all of it, and one
    that overwrites the file for nothing.
    """
    path = directory / '.touched'
    block = bytes(MIB)
    with path.open('wb') as file:
        for _ in range(0, byte_count, MIB):
            file.write(block)
    path.unlink()


def files_of(path: Path) -> list[Path]:
    """The file itself, or the files of the directory."""
    return sorted(path.iterdir()) if path.is_dir() else [path]


def sha1_of(path: Path) -> str:
    """The file's SHA-1, without the file in memory: a child's peak starts at its parent's."""
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha1').hexdigest()


def python_command(client: str, operation: str, bucket: str, path: Path) -> list[str]:
    """How to run one of the clients in clients/."""
    program = f'{client}.py' if client == 'mover' else f'{client}_client.py'
    return [sys.executable, str(HERE / 'clients' / program), operation, bucket, str(path)]


def command_of(workload: Workload, variant: Variant) -> list[str]:
    """How to run the client on the workload."""
    if variant.client != 'rclone':
        command = python_command(variant.client, workload.operation, workload.bucket, workload.path)
        return [*command, *variant.options]
    remote = f'bench:{workload.bucket}'
    if workload.is_large:
        remote += f'/{workload.path.name}'
    ends = [str(workload.path), remote]
    # Without --ignore-times it would leave out what the round before has left.
    return [
        'rclone',
        'copyto' if workload.is_large else 'copy',
        '--ignore-times',
        *variant.options,
        *(ends if workload.is_upload else reversed(ends)),
    ]


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').partition('\n')[0])
    shared_memory = Path('/dev/shm')
    parser.add_argument('--rounds', type=int, default=3, help='counted rounds (%(default)s)')
    parser.add_argument(
        '--dir',
        type=Path,
        default=shared_memory if shared_memory.is_dir() else Path(tempfile.gettempdir()),
        help='where the files are (%(default)s)',
    )
    parser.add_argument('--large-mib', type=int, default=1024, help='large file (%(default)s)')
    parser.add_argument('--small-files', type=int, default=2000, help='how many (%(default)s)')
    parser.add_argument(
        '--settings',
        nargs='+',
        choices=SETTINGS,
        default=list(SETTINGS),
        help='what the connections are like (all)',
    )
    parser.add_argument('--output', type=Path, default=HERE / 'results.md')
    parser.add_argument(
        '--quick',
        action='store_true',
        help='a few seconds with tiny files and one round: shows that it runs, nothing more',
    )
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.large_mib, arguments.small_files = 1, 12, 20
    return arguments


def main() -> None:
    """Measure, print and write the tables."""
    arguments = parse_arguments()
    load = os.getloadavg()[0]
    work_dir = Path(tempfile.mkdtemp(prefix='b2fast-bench-', dir=arguments.dir))
    try:
        sources = make_sources(
            work_dir, large_mib=arguments.large_mib, small_files=arguments.small_files
        )
        workloads: list[Workload] = []
        idle: dict[str, list[measure.Usage]] = {}
        for name in arguments.settings:
            setting = SETTINGS[name]
            of_setting = make_workloads(sources, setting, quick=arguments.quick)
            with Server(work_dir, setting) as server:
                runner = Runner(server, of_setting)
                idle = idle or runner.measure_idle(1 if arguments.quick else 3)
                runner.measure_all(arguments.rounds, warm_up=not arguments.quick)
            workloads += of_setting
    finally:
        shutil.rmtree(work_dir, ignore_errors=True)
    imports = {
        module: measure.import_seconds(module, 2 if arguments.quick else 20)
        for module in ('b2fast', 'b2sdk.v3')
    }
    text = report.render(workloads, idle, imports, shlex.join(sys.argv), load)
    print(text)
    arguments.output.write_text(text)


if __name__ == '__main__':
    main()
