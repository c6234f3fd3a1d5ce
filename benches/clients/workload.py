"""What a Python client does in a measured run; the SDK is the only thing that differs.

Usage: CLIENT.py OPERATION BUCKET PATH [--workers N] [--streams N] [--bulk] [--no-whole-sha1], with
the server's URL, key ID and key in the environment.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def main(sdk: Any) -> None:
    """Do the operation that the arguments name, with b2fast or with b2sdk."""
    parser = argparse.ArgumentParser()
    parser.add_argument('operation', choices=OPERATIONS)
    parser.add_argument('bucket')
    parser.add_argument('path', type=Path)
    parser.add_argument('--workers', type=int, default=10)
    parser.add_argument('--streams', type=int)
    parser.add_argument('--bulk', action='store_true', help="b2fast's calls for many files")
    parser.add_argument('--no-whole-sha1', action='store_true', help="b2fast's opt-out")
    arguments = parser.parse_args()
    api = sdk.B2Api(sdk.InMemoryAccountInfo(), max_download_streams_per_file=arguments.streams)
    api.authorize_account(
        os.environ['BENCH_KEY_ID'], os.environ['BENCH_KEY'], realm=os.environ['BENCH_URL']
    )
    if arguments.no_whole_sha1:
        api.whole_file_sha1 = False
    bucket = api.get_bucket_by_name(arguments.bucket)
    operations = BULK_OPERATIONS if arguments.bulk else OPERATIONS
    operations[arguments.operation](bucket, arguments.path, arguments.workers)


def idle(bucket: Any, path: Path, workers: int) -> None:
    """Nothing: what remains is the price of a client that is ready to work."""


def upload_large(bucket: Any, path: Path, workers: int) -> None:
    """One file, by the SDK's own parallelism."""
    bucket.upload_local_file(str(path), path.name)


def download_large(bucket: Any, path: Path, workers: int) -> None:
    """One file, by the SDK's own parallelism."""
    bucket.download_file_by_name(path.name).save_to(str(path))


def upload_small(bucket: Any, path: Path, workers: int) -> None:
    """Every file of a directory, in a thread pool."""

    def send(name: str) -> None:
        bucket.upload_local_file(f'{path}/{name}', name)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(send, os.listdir(path)))


def download_small(bucket: Any, path: Path, workers: int) -> None:
    """Every file of a bucket, in a thread pool."""

    def fetch(name: str) -> None:
        bucket.download_file_by_name(name).save_to(f'{path}/{name}')

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(fetch, [version.file_name for version, _ in bucket.ls(recursive=True)]))


def upload_bulk(bucket: Any, path: Path, workers: int) -> None:
    """Every file of a directory, in one call."""
    names = os.listdir(path)
    items = ((f'{path}/{name}', name) for name in names)
    for result in bucket.upload_many(items, max_workers=workers):
        result.get()


def download_bulk(bucket: Any, path: Path, workers: int) -> None:
    """Every file of a bucket, in one call."""
    for result in bucket.download_many(bucket.ls(recursive=True), path, max_workers=workers):
        result.get()


BULK_OPERATIONS = {'upload-small': upload_bulk, 'download-small': download_bulk}
OPERATIONS = {
    'idle': idle,
    'upload-large': upload_large,
    'download-large': download_large,
    'upload-small': upload_small,
    'download-small': download_small,
}
