"""``b2fast demo``: the reader's own files to a local simulator and back, proven equal."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .display import MIB, format_size, format_table, parse_size
from .local_files import LocalFile, find_files, write_random_file
from .simulator_process import SimulatorEnded, SimulatorProcess

if TYPE_CHECKING:
    from .roundtrip import Phase

_SHOWN_FAILURES = 20
# What a file system takes for a file beside its content.
_BLOCK_SIZE = 4096


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        'demo',
        help='send real files to a local simulator and back, and compare every byte',
        description='Starts the simulator, uploads a directory and one large file over HTTP, '
        'lists them, downloads them and compares every byte. Leaves nothing behind.',
    )
    parser.add_argument(
        '--dir',
        type=Path,
        default=Path(sysconfig.get_path('stdlib')),
        help="the directory to send (Python's standard library: %(default)s)",
    )
    parser.add_argument(
        '--size',
        type=_size,
        default=512 * MIB,
        help='size of the large file, 0 for none (512MiB)',
    )
    parser.add_argument(
        '--workers', type=_positive, default=10, help='short files under way at once (%(default)s)'
    )
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=Path(tempfile.gettempdir()),
        help='where temporary files go (%(default)s)',
    )
    parser.add_argument('--keep', action='store_true', help='leave the temporary files in place')
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Send, list, fetch and compare; 0 if everything came back equal."""
    files, problems = find_files(arguments.dir, 'directory/')
    _require_space(arguments.work_dir, files, arguments.size)
    work_dir = Path(tempfile.mkdtemp(prefix='b2fast-demo-', dir=arguments.work_dir))
    try:
        phases = _send_and_fetch(arguments, files, work_dir)
    except (KeyboardInterrupt, SimulatorEnded) as interruption:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _clean_up(work_dir, arguments.keep)
        by_user = isinstance(interruption, KeyboardInterrupt)
        message = 'interrupted' if by_user else 'the simulator ended before its time'
        print(f'b2fast: {message}', file=sys.stderr, flush=True)
        # Not by returning: transfers in other threads would try for minutes to reach the
        # simulator that is gone, and the interpreter would wait for them.
        os._exit(130 if by_user else 1)
    except BaseException:
        _clean_up(work_dir, arguments.keep)
        raise
    _clean_up(work_dir, arguments.keep)
    return _report(phases, problems)


def _send_and_fetch(
    arguments: argparse.Namespace,
    files: Sequence[LocalFile],
    work_dir: Path,
) -> list[Phase]:
    from b2fast import B2Api, InMemoryAccountInfo

    from .roundtrip import RoundTrip

    for name in ('simulator', 'download'):
        (work_dir / name).mkdir()
    groups = {f'directory {arguments.dir}': list(files)}
    if arguments.size:
        print(f'Making a file of {format_size(arguments.size)} ...', file=sys.stderr)
        large = LocalFile('large-file', work_dir / 'large-file', arguments.size)
        write_random_file(large.path, large.size)
        groups['large file'] = [large]
    with SimulatorProcess(work_dir / 'simulator') as simulator:
        print(f'Simulator at {simulator.url}', file=sys.stderr)
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(simulator.key_id, simulator.key, realm=simulator.url)
        bucket = api.create_bucket(f'b2fast-demo-{secrets.token_hex(4)}', 'allPrivate')
        trip = RoundTrip(bucket, work_dir / 'download', arguments.workers)
        phases: list[Phase] = []

        def all_groups(step: Callable[[str, Sequence[LocalFile]], Phase], direction: str) -> None:
            for label, group in groups.items():
                phase = step(f'{direction} {label}', group)
                groups[label] = [file for file in group if file.name not in phase.failures]
                phases.append(phase)

        all_groups(trip.upload, 'up')
        phases.append(trip.list([file for group in groups.values() for file in group]))
        all_groups(trip.download, 'down')
        phases.append(trip.compare([file for group in groups.values() for file in group]))
    return phases


def _report(phases: Sequence[Phase], problems: Sequence[str]) -> int:
    print(
        format_table(
            ['phase', 'files', 'bytes', 'seconds', 'MiB/s', 'files/s', 'CPU seconds'],
            [
                [
                    phase.label,
                    f'{phase.files:,}',
                    f'{phase.byte_count:,}',
                    f'{phase.seconds:.2f}',
                    f'{phase.byte_count / MIB / phase.seconds:,.0f}',
                    f'{phase.files / phase.seconds:,.0f}',
                    f'{phase.cpu_seconds:.2f}',
                ]
                for phase in phases
            ],
        )
    )
    failures = [
        *problems,
        *(
            f'{phase.label}: {name}: {reason}'
            for phase in phases
            for name, reason in phase.failures.items()
        ),
    ]
    for failure in failures[:_SHOWN_FAILURES]:
        print(f'b2fast: {failure}', file=sys.stderr)
    if failures:
        print(f'b2fast: {len(failures):,} files failed', file=sys.stderr)
        return 1
    print(f'All {phases[-1].files:,} files came back equal to their sources, byte by byte.')
    return 0


def _require_space(work_dir: Path, files: Sequence[LocalFile], large_size: int) -> None:
    """The tree is stored twice (by the simulator and when it came back), the large file thrice."""
    tree = sum(file.size + _BLOCK_SIZE for file in files)
    needed = 2 * tree + 3 * large_size
    free = shutil.disk_usage(work_dir).free
    if free < needed:
        raise OSError(
            f'{work_dir} has {format_size(free)} free, the demo needs {format_size(needed)}: '
            'choose a smaller --size or --dir, or another --work-dir'
        )


def _clean_up(work_dir: Path, keep: bool) -> None:
    if keep:
        print(f'The files are left in {work_dir}', file=sys.stderr)
    else:
        shutil.rmtree(work_dir, ignore_errors=True)


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'not a positive number: {text}')
    return number
