"""The figures as Markdown."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from statistics import median

from measure import Usage, cpu_model
from workloads import MIB, Workload

_GIB = 1024 * MIB

_CAVEATS = """\
- Server and clients share the processors of one machine; the server's CPU time has a column of its
  own. It keeps content in memory. "bytes only" is a client that hashes nothing: none can be much
  faster with this server.
- "the pieces alone" is the least that a client has to do for the same result, by one thread over
  one connection, with b2fast's SHA-1: hash a file and its parts, read it again, send it; receive,
  hash, write. No client can take less CPU time for the same work.
- Loopback has no latency, and no TLS where the title does not say so. "50 ms before every answer"
  is a service that takes its time, as B2 does: there, parallelism pays.
- The content is random and lies in memory (`/dev/shm`) unless the command says otherwise. As much
  as a run moves is written and removed before it: the first use of memory costs a virtual machine
  up to 2 s per GiB, and a client that writes beside the old file would pay for all of it.
- Debian's rclone paces its calls 10 ms apart: with small files its wall time says nothing, its CPU
  time does.
- Peak memory is the largest resident set of the process, shared pages included; "above idle" is
  that less the peak of the same client when it only signs in.
- Ratios are medians of the ratios within each round: a slow moment of the machine hits both sides.
- Each run's result is checked: the same bytes and, for uploads, the same SHA-1s stored with the
  files. "no whole-file SHA-1" computes and stores none for the large file: less work.
"""


def render(
    workloads: Sequence[Workload],
    idle: Mapping[str, Sequence[Usage]],
    imports: Mapping[str, float],
    command: str,
    load: float,
) -> str:
    """All tables, with what they were measured on."""
    rounds = len(next(iter(workloads[0].usages.values())))
    sections = [
        '# b2fast beside b2sdk and rclone',
        circumstances(command, rounds, load),
        '## Against b2sdk at its defaults',
        _summary(workloads, idle),
        *(
            text
            for workload in workloads
            for text in (f'## {workload.title}', _details(workload, idle))
        ),
        '## Idle',
        _idle(idle, imports),
        '## How to read this',
        _CAVEATS.rstrip(),
    ]
    return '\n\n'.join(sections) + '\n'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, numbers to the right."""
    lines = [header, ['---', *['---:'] * (len(header) - 1)], *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def circumstances(command: str, rounds: int, load: float) -> str:
    """What the figures were measured on."""
    rclone = subprocess.run(['rclone', '--version'], capture_output=True, text=True, check=True)
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / _GIB
    return '\n'.join(
        [
            f'- Processor: {cpu_model()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, '
            f'load before the run {load:.1f}',
            f'- System: {platform.system()} {platform.release()}, '
            f'{platform.python_implementation()} {platform.python_version()}',
            f'- Versions: b2fast {version("b2fast")}, b2sdk {version("b2sdk")}, '
            f'{rclone.stdout.splitlines()[0]}',
            f'- Command: `{command}` ({rounds} counted rounds, medians)',
        ]
    )


def _summary(workloads: Sequence[Workload], idle: Mapping[str, Sequence[Usage]]) -> str:
    return table(
        ['b2fast / b2sdk', 'wall time', 'client CPU time', 'b2fast: MiB above idle'],
        [
            [
                workload.title,
                _ratio(workload, 'b2fast', 'b2sdk', _wall),
                _ratio(workload, 'b2fast', 'b2sdk', _cpu),
                _above_idle(workload.usages['b2fast'], idle['b2fast']),
            ]
            for workload in workloads
        ],
    )


def _details(workload: Workload, idle: Mapping[str, Sequence[Usage]]) -> str:
    if workload.is_large:
        speed, cost = 'MiB/s', 'CPU s/GiB'
        amount, units = workload.byte_count / MIB, workload.byte_count / _GIB
    else:
        speed, cost = 'files/s', 'CPU ms/file'
        amount, units = workload.files, workload.files / 1000
    rows = []
    for variant in workload.variants:
        usages = workload.usages[variant.label]
        wall, cpu = _median(usages, _wall), _median(usages, _cpu)
        rows.append(
            [
                variant.label,
                f'{wall:.2f}',
                f'{amount / wall:,.0f}',
                f'{cpu:.2f}',
                f'{cpu / units:.2f}',
                f'{_median(usages, _peak) / MIB:.0f}',
                _above_idle(usages, idle[variant.client]) if variant.client in idle else '',
                f'{_median(usages, lambda usage: usage.server_cpu_seconds):.2f}',
                f'{_median(usages, lambda usage: usage.calls):,.0f}',
                _ratio(workload, 'b2fast', variant.label, _wall),
                _ratio(workload, 'b2fast', variant.label, _cpu),
            ]
        )
    header = [
        'client',
        'wall s',
        speed,
        'CPU s',
        cost,
        'peak MiB',
        'above idle',
        'server CPU s',
        'calls',
        'b2fast / it: wall',
        'CPU',
    ]
    return table(header, rows)


def _idle(idle: Mapping[str, Sequence[Usage]], imports: Mapping[str, float]) -> str:
    signed_in = table(
        ['client, signed in', 'wall s', 'CPU s', 'peak MiB'],
        [
            [
                client,
                f'{_median(usages, _wall):.2f}',
                f'{_median(usages, _cpu):.2f}',
                f'{_median(usages, _peak) / MIB:.0f}',
            ]
            for client, usages in idle.items()
        ],
    )
    imported = table(
        ['import', 'ms'],
        [[f'`{module}`', f'{seconds * 1000:.0f}'] for module, seconds in imports.items()],
    )
    return f'{signed_in}\n\n{imported}'


def _above_idle(usages: Sequence[Usage], idle: Sequence[Usage]) -> str:
    return f'{(_median(usages, _peak) - _median(idle, _peak)) / MIB:.0f}'


def _wall(usage: Usage) -> float:
    return usage.wall_seconds


def _cpu(usage: Usage) -> float:
    return usage.cpu_seconds


def _peak(usage: Usage) -> float:
    return usage.peak_bytes


def _median(usages: Sequence[Usage], figure: Callable[[Usage], float]) -> float:
    return median(map(figure, usages))


def _ratio(workload: Workload, ours: str, theirs: str, figure: Callable[[Usage], float]) -> str:
    pairs = zip(workload.usages[ours], workload.usages[theirs], strict=True)
    return f'{median(figure(our) / figure(their) for our, their in pairs):.2f}'
