"""The measured client that syncs, with b2fast or with b2sdk.

Usage: sync_client.py b2fast|b2sdk.v3 SOURCE DESTINATION [--bulk] [--first], with the server's URL,
key ID and key in the environment. With --bulk b2fast's calls for many files do the same without a
sync; with --first the client ends when the first file is transferred, and prints the seconds that
passed since the sync began.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import time
from pathlib import Path
from typing import Any

WORKERS = 10


def main() -> None:
    """Do the sync that the arguments name."""
    module, source, destination, *options = sys.argv[1:]
    sdk = importlib.import_module(module)
    api = sdk.B2Api(sdk.InMemoryAccountInfo())
    api.authorize_account(
        os.environ['BENCH_KEY_ID'], os.environ['BENCH_KEY'], realm=os.environ['BENCH_URL']
    )
    if '--bulk' in options:
        bulk(api, source, destination)
        return
    start = time.perf_counter()
    report = sdk.SyncReport(io.StringIO(), True)
    if '--first' in options:
        # Each file that is done has a line.
        report.print_completion = lambda _line: end(time.perf_counter() - start)
    sdk.Synchronizer(WORKERS).sync_folders(
        sdk.parse_folder(source, api),
        sdk.parse_folder(destination, api),
        int(time.time() * 1000),
        report,
    )


def end(seconds: float) -> None:
    """Leave at once, whatever is running."""
    print(seconds, flush=True)
    os._exit(0)


def bulk(api: Any, source: str, destination: str) -> None:
    """Transfer all files by one call."""
    if source.startswith('b2://'):
        bucket = api.get_bucket_by_name(source.removeprefix('b2://'))
        files = bucket.ls(recursive=True)
        results = bucket.download_many(files, destination, max_workers=WORKERS)
    else:
        bucket = api.get_bucket_by_name(destination.removeprefix('b2://'))
        root = Path(source)
        paths = (path for path in root.rglob('*') if path.is_file())
        items = ((str(path), path.relative_to(root).as_posix()) for path in paths)
        results = bucket.upload_many(items, max_workers=WORKERS)
    for result in results:
        result.get()


if __name__ == '__main__':
    main()
