"""Looks for inputs that break the simulator, for a while: `make fuzz`.

What covers something new is kept under `.fuzz/`, and the input that broke something is written
there: `python -m tests.fuzz.run door .fuzz/door/crash-...` tries it again.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
KEPT = Path('.fuzz')


def main() -> None:
    """Reads the command line and hands over to libFuzzer, which ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('target', choices=['door', 'connection'])
    parser.add_argument('inputs', nargs='*', help='only these files')
    parser.add_argument('--seconds', type=int, default=60)
    options = parser.parse_args()
    # The door logs what it fails to serve; the check fails for it anyway.
    logging.disable(logging.CRITICAL)
    with atheris.instrument_imports(include=['b2fast.simulator']):
        from . import connection, door
    check = door.check if options.target == 'door' else connection.Sender().check
    atheris.Setup(
        [sys.argv[0], *_arguments(options.target, options.inputs, options.seconds)],
        lambda data: check(data) and None,
    )
    atheris.Fuzz()


def _arguments(target: str, inputs: list[str], seconds: int) -> list[str]:
    if inputs:
        return inputs
    kept, seeds = KEPT / target, HERE / 'seeds' / target
    kept.mkdir(parents=True, exist_ok=True)
    words = KEPT / f'{target}.dict'
    words.write_text(_dictionary(seeds))
    return [
        f'-max_total_time={seconds}',
        '-timeout=10',
        '-max_len=4096',
        '-print_final_stats=1',
        f'-artifact_prefix={kept}/',
        f'-dict={words}',
        str(kept),
        str(seeds),
    ]


def _dictionary(seeds: Path) -> str:
    """The words of the seeds, of which libFuzzer makes new inputs."""
    words: set[bytes] = set()
    for seed in seeds.iterdir():
        words.update(re.findall(rb'[$\w-]{3,64}', seed.read_bytes()))
    return ''.join(f'"{word.decode()}"\n' for word in sorted(words) if word.isascii())


if __name__ == '__main__':
    main()
