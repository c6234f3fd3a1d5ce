"""The simulator that the side-by-side runner measures against, as a process of its own.

Prints a line of JSON with its URL, key ID, key and certificate authority, then answers each line
on standard input with one line of JSON, until there are no more:

- ``calls``: the number of calls so far, by name;
- ``files BUCKET``: the size and SHA-1 of each file, by name;
- ``empty BUCKET``: make the bucket if it is not there, delete all its files.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from b2fast import B2Api, Bucket, InMemoryAccountInfo
from b2fast.exception import NonExistentBucket
from b2fast.simulator import Fault, SimulatorServer


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--tls', action='store_true')
    parser.add_argument('--latency', type=float, default=0.0)
    arguments = parser.parse_args()
    # In memory: a directory would cost the server half as much again, which both cores pay.
    with SimulatorServer(tls=arguments.tls) as server:
        if arguments.tls:
            trust(server)
        answer(
            {
                'url': server.url,
                'key_id': server.key_id,
                'key': server.key,
                'authority': server.certificate_authority,
            }
        )
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(server.key_id, server.key, realm=server.url)
        commands: dict[str, Callable[..., object]] = {
            'calls': lambda: dict(server.calls),
            'files': lambda name: files(api.get_bucket_by_name(name)),
            'empty': lambda name: empty(api, name),
        }
        for line in sys.stdin:
            command, *words = line.split()
            # What is asked here is not measured.
            server.clear_faults()
            said = commands[command](*words)
            if arguments.latency:
                server.inject(Fault(call='*', delay=arguments.latency, rate=1))
            answer(said)


def trust(server: SimulatorServer) -> None:
    """Let this process's own client trust the server."""
    with tempfile.NamedTemporaryFile('w', suffix='.pem', delete=False) as file:
        file.write(server.certificate_authority or '')
    atexit.register(os.unlink, file.name)
    os.environ['REQUESTS_CA_BUNDLE'] = file.name


def answer(value: object) -> None:
    """One line of JSON."""
    print(json.dumps(value), flush=True)


def files(bucket: Bucket) -> dict[str, Any]:
    """What the bucket stores; a large file's SHA-1 is the one that its client gave."""
    return {
        version.file_name: [
            version.size,
            version.get_content_sha1(),
        ]
        for version, _ in bucket.ls(recursive=True)
    }


def empty(api: B2Api, name: str) -> bool:
    """Leave an empty bucket of that name."""
    try:
        bucket = api.get_bucket_by_name(name)
    except NonExistentBucket:
        api.create_bucket(name, 'allPrivate')
        return True
    versions = list(bucket.ls(latest_only=False, recursive=True))
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda item: bucket.delete_file_version(item[0].id_, item[0].file_name), versions
            )
        )
    return True


if __name__ == '__main__':
    main()
