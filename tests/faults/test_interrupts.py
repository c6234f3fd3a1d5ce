"""Ctrl-C while content moves slowly: an end at once, and what is there stays as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2fast.simulator import Fault

from ..interrupts import LISTENER, interrupt
from .clients import SEAMS
from .scenes import OLD
from .service import BUCKET, PART_SIZE, Service, serving

SIZE = 6 * PART_SIZE
SECONDS = 20
"""The transfer would take longer."""

IMPORTS = """
import signal, sys
import requests
from b2fast import *

def new_session():
    return requests.Session()
"""
TRANSFER = """
signal.signal(signal.SIGINT, signal.default_int_handler)
seam, direction, url, key_id, key, bucket_name, path = sys.argv[1:]
config = B2HttpApiConfig() if seam == 'engine' else B2HttpApiConfig(new_session)
api = B2Api(InMemoryAccountInfo(), InMemoryCache(), api_config=config)
api.authorize_account(key_id, key, url)
bucket = api.get_bucket_by_name(bucket_name)
if direction == 'up':
    bucket.upload_local_file(path, 'up', progress_listener=Listener())
else:
    bucket.download_file_by_name('down', Listener()).save_to(path)
"""


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as service:
        yield service


def interrupt_transfer(service: Service, seam: str, direction: str, path: Path) -> None:
    account = [service.url, service.key_id, service.key, BUCKET]
    process = subprocess.Popen(
        [sys.executable, '-c', IMPORTS + LISTENER + TRANSFER, seam, direction, *account, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    interrupt(process, SECONDS)


@pytest.mark.parametrize('seam', SEAMS)
def test_interrupted_upload_leaves_its_parts(service: Service, tmp_path: Path, seam: str) -> None:
    old = service.upload('up', OLD)
    path = tmp_path / 'source'
    path.write_bytes(os.urandom(SIZE))
    service.inject(Fault(call='b2_upload_part', delay=300, skip=1, count=1000))
    interrupt_transfer(service, seam, 'up', path)
    assert [version['fileId'] for version in service.versions('up')] == [old]
    assert len(service.unfinished('up')) == 1


@pytest.mark.parametrize('seam', SEAMS)
def test_interrupted_download_leaves_the_target(
    service: Service, tmp_path: Path, seam: str
) -> None:
    service.upload('down', os.urandom(SIZE * 100))
    path = tmp_path / 'target'
    path.write_bytes(OLD)
    service.inject(Fault(call='b2_download_*', bytes_per_second=1_500_000, count=1000))
    interrupt_transfer(service, seam, 'down', path)
    assert path.read_bytes() == OLD
