"""The jobs that are measured, and the clients that do them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import measure

MIB = 1 << 20
SMALL_SIZE = 10_000


@dataclass(frozen=True)
class Variant:
    """A client with its settings; the quick run has the clients' defaults only."""

    client: str
    label: str
    options: tuple[str, ...] = ()
    quick: bool = False
    # A client that computes less than the others cannot store the same SHA-1.
    stores_sha1: bool = True
    # One that drops what it receives has nothing to compare.
    writes: bool = True
    plain_only: bool = False


@dataclass
class Workload:
    """One job and, round by round, what each client took for it."""

    operation: str
    title: str
    bucket: str
    # The file or directory that uploads read and downloads are compared with.
    source: Path
    # The file or directory that the client gets: the source or the target.
    path: Path
    files: int
    byte_count: int
    variants: Sequence[Variant]
    usages: dict[str, list[measure.Usage]] = field(default_factory=dict)

    @property
    def is_upload(self) -> bool:
        """Whether the client sends."""
        return self.path == self.source

    @property
    def is_large(self) -> bool:
        """Whether the job is one large file."""
        return self.files == 1


_DEFAULTS = (
    Variant('b2fast', 'b2fast', quick=True),
    Variant('b2sdk', 'b2sdk', quick=True),
    Variant('rclone', 'rclone', quick=True),
)
_LARGE_UPLOADS = (
    *_DEFAULTS,
    Variant(
        'b2fast',
        'b2fast, no whole-file SHA-1',
        ('--no-whole-sha1',),
        stores_sha1=False,
    ),
    Variant(
        'rclone',
        'rclone, no whole-file SHA-1',
        ('--b2-disable-checksum', '--transfers=4'),
        stores_sha1=False,
    ),
    Variant('mover', 'the pieces alone', ('--hash',), quick=True, plain_only=True),
    Variant('mover', 'bytes only', quick=True, plain_only=True),
)
_LARGE_DOWNLOADS = (
    *_DEFAULTS,
    Variant('b2sdk', 'b2sdk, one stream', ('--streams=1',)),
    Variant('rclone', 'rclone, one stream', ('--multi-thread-streams=0',)),
    Variant('mover', 'the pieces alone', ('--hash',), quick=True, plain_only=True),
    Variant('mover', 'bytes only, not written', quick=True, writes=False, plain_only=True),
)
_SMALL_FILES = (
    *_DEFAULTS,
    Variant('b2fast', 'b2fast, bulk calls', ('--bulk',), quick=True),
    Variant('b2fast', 'b2fast, bulk calls, 4 workers', ('--bulk', '--workers=4')),
    Variant('b2fast', 'b2fast, 1 worker', ('--workers=1',)),
    Variant('b2fast', 'b2fast, 20 workers', ('--workers=20',)),
    Variant('b2sdk', 'b2sdk, 1 worker', ('--workers=1',)),
    Variant('b2sdk', 'b2sdk, 20 workers', ('--workers=20',)),
    Variant('rclone', 'rclone, 16 transfers', ('--transfers=16', '--fast-list')),
)


@dataclass(frozen=True)
class Setting:
    """What the connections to the server are like."""

    suffix: str
    tls: bool = False
    # Seconds before every answer.
    latency: float = 0.0


SETTINGS = {
    'plain': Setting(''),
    'tls': Setting(', TLS', tls=True),
    'latency': Setting(', 50 ms before every answer', latency=0.05),
}


@dataclass(frozen=True)
class Sources:
    """The files of the jobs, and where what comes back is written."""

    large: Path
    large_target: Path
    large_mib: int
    small: Path
    small_target: Path
    small_files: int


def make_sources(work_dir: Path, *, large_mib: int, small_files: int) -> Sources:
    """Write files of seeded random bytes below the directory."""
    randomness = random.Random(2026)
    small_source, small_target = work_dir / 'small', work_dir / 'small-target'
    large_source, large_target = work_dir / 'large.bin', work_dir / 'large-target' / 'large.bin'
    for directory in (small_source, small_target, large_target.parent):
        directory.mkdir()
    for number in range(small_files):
        (small_source / f'file-{number:05}').write_bytes(randomness.randbytes(SMALL_SIZE))
    with large_source.open('wb') as file:
        for _ in range(large_mib):
            file.write(randomness.randbytes(MIB))
    return Sources(large_source, large_target, large_mib, small_source, small_target, small_files)


def make_workloads(sources: Sources, setting: Setting, *, quick: bool) -> list[Workload]:
    """The four jobs over connections of that kind."""

    def jobs(
        kind: str,
        title: str,
        paths: tuple[Path, Path],
        numbers: tuple[int, int],
        variants: tuple[Sequence[Variant], Sequence[Variant]],
    ) -> list[Workload]:
        source = paths[0]
        return [
            Workload(
                f'{verb}-{kind}',
                f'{title} {direction}{setting.suffix}',
                f'bench-{kind}',
                source,
                path,
                *numbers,
                [
                    variant
                    for variant in chosen
                    if (variant.quick or not quick) and not (setting.tls and variant.plain_only)
                ],
            )
            for verb, direction, path, chosen in zip(
                ('upload', 'download'), ('up', 'down'), paths, variants, strict=True
            )
        ]

    return [
        *jobs(
            'large',
            f'One file of {sources.large_mib} MiB',
            (sources.large, sources.large_target),
            (1, sources.large_mib * MIB),
            (_LARGE_UPLOADS, _LARGE_DOWNLOADS),
        ),
        *jobs(
            'small',
            f'{sources.small_files:,} files of {SMALL_SIZE // 1000} kB',
            (sources.small, sources.small_target),
            (sources.small_files, sources.small_files * SMALL_SIZE),
            (_SMALL_FILES, _SMALL_FILES),
        ),
    ]
