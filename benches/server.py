"""The simulator that the side-by-side runner measures against, as a process of its own.

Prints a line of JSON with its URL, key ID and key, then answers each line on standard input with
one line of JSON, until there are no more:

- ``calls``: the number of calls so far, by name;
- ``files BUCKET``: the size and SHA-1 of each file, by name;
- ``empty BUCKET``: make the bucket if it is not there, delete all its files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from b2fast import B2Api, Bucket, InMemoryAccountInfo
from b2fast.exception import NonExistentBucket
from b2fast.simulator import SimulatorServer


def main(data_dir: str) -> None:
    """Serve until standard input ends."""
    with SimulatorServer(data_dir=data_dir) as server:
        answer({'url': server.url, 'key_id': server.key_id, 'key': server.key})
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(server.key_id, server.key, realm=server.url)
        commands: dict[str, Callable[..., object]] = {
            'calls': lambda: dict(server.calls),
            'files': lambda name: files(api.get_bucket_by_name(name)),
            'empty': lambda name: empty(api, name),
        }
        for line in sys.stdin:
            command, *arguments = line.split()
            answer(commands[command](*arguments))


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
    main(sys.argv[1])
