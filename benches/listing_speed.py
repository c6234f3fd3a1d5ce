"""How much of the processor a listing takes: b2fast and b2sdk in turns, on the same bucket.

The server is a process of its own, and so is each run of a client, which counts its CPU time around
the listing alone. Writes a table in Markdown.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from b2fast import B2Api, InMemoryAccountInfo
from b2fast.simulator import SimulatorServer
from measure import cpu_model
from report import table

_BUCKET = 'listing-speed'
_CLIENTS = ('b2fast', 'b2sdk.v3')


def _ls(sdk: Any, api: Any) -> int:
    return len(list(api.get_bucket_by_name(_BUCKET).ls(latest_only=False, recursive=True)))


def _scan(sdk: Any, api: Any) -> int:
    return sum(1 for _ in sdk.B2Folder(_BUCKET, '', api).all_files(None))


_JOBS: dict[str, Callable[[Any, Any], int]] = {
    'list(bucket.ls(latest_only=False, recursive=True))': _ls,
    'for path in B2Folder.all_files(None)': _scan,
}


def main() -> None:
    """Measure, or be one of the processes of a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--versions', type=int, default=100_000)
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--role', nargs='+', help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role is None:
        measure(arguments.versions, arguments.rounds)
    elif arguments.role[0] == 'server':
        serve(arguments.versions)
    else:
        list_once(*arguments.role[1:])


def measure(versions: int, rounds: int) -> None:
    """Run the clients in turns and print what they took."""
    command = [sys.executable, __file__, f'--versions={versions}', '--role']
    server = subprocess.Popen(
        [*command, 'server'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    address = json.loads(server.stdout.readline())
    rows = []
    for job in _JOBS:
        taken: dict[str, list[float]] = {client: [] for client in _CLIENTS}
        for _ in range(rounds):
            for client in _CLIENTS:
                run = [*command, 'client', client, job, *address]
                taken[client].append(json.loads(subprocess.check_output(run)))
        for client in _CLIENTS:
            each = [seconds / versions * 1e6 for seconds in taken[client]]
            ratio = median(taken['b2sdk.v3']) / median(taken[client])
            rows.append([job, client, f'{min(each):.2f}', f'{median(each):.2f}', f'{ratio:.1f}'])
    server.communicate()
    print(
        f'{versions:,} versions, {rounds} rounds, CPython {sys.version.split()[0]}, {cpu_model()}'
    )
    print()
    header = ['job', 'client', 'CPU µs/version: best', 'median', 'b2sdk / it']
    print(table(header, rows))


def serve(versions: int) -> None:
    """A simulator with a bucket of that many versions, until standard input ends."""
    with SimulatorServer() as server:
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(server.key_id, server.key, realm=server.url)
        version = api.create_bucket(_BUCKET, 'allPrivate').upload_bytes(
            b'x', 'first', file_info={'src_last_modified_millis': '1700000000000'}
        )
        # Uploads of as many would take longer than all the rest.
        bucket = server._service.bucket_named(_BUCKET)
        first = bucket.file(version.id_)
        for number in range(1, versions):
            file = copy.copy(first)
            file.name = f'photos/{number // 1000:04}/IMG_{number:07}.jpeg'
            file.file_id = f'{first.file_id[:-8]}{number:08}'
            file.position = (first.position[0] + number, first.position[1])
            bucket.add_file(file)
        print(json.dumps([server.url, server.key_id, server.key]), flush=True)
        sys.stdin.read()


def list_once(client: str, job: str, url: str, key_id: str, key: str) -> None:
    """Do a job once and print the seconds of CPU time that it took."""
    sdk = importlib.import_module(client)
    api = sdk.B2Api(sdk.InMemoryAccountInfo())
    api.authorize_account(key_id, key, realm=url)
    start = time.process_time()
    listed = _JOBS[job](sdk, api)
    print(time.process_time() - start)
    assert listed > 0


if __name__ == '__main__':
    main()
