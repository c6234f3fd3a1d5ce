"""What Python pays per part, per name and per small file."""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from b2fast import B2Api, Bucket, InMemoryAccountInfo
from b2fast._core.planning import plan_parts
from b2fast.simulator import SimulatorServer
from b2fast.utils import b2_url_encode

CONTENT = random.Random(1).randbytes(10_000)
NAME = 'photos/2026/Zürich Hbf/IMG 0001 (copy).jpeg'


@pytest.fixture(scope='module')
def bucket() -> Iterator[Bucket]:
    with SimulatorServer() as server:
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(server.key_id, server.key, realm=server.url)
        yield api.create_bucket('bench-calls', 'allPrivate')


def test_plan_parts_of_the_largest_file(benchmark: BenchmarkFixture) -> None:
    assert len(benchmark(plan_parts, 10**13, 100_000_000, 5_000_000)) <= 10_000


@pytest.mark.benchmark(group='URL-encode a name')
def test_b2_url_encode(benchmark: BenchmarkFixture) -> None:
    assert benchmark(b2_url_encode, NAME) == quote(NAME)


@pytest.mark.benchmark(group='one file of 10 kB')
def test_upload_bytes(benchmark: BenchmarkFixture, bucket: Bucket) -> None:
    numbers = itertools.count()
    version = benchmark(lambda: bucket.upload_bytes(CONTENT, f'file-{next(numbers)}'))
    assert version.size == len(CONTENT)


@pytest.mark.benchmark(group='one file of 10 kB')
def test_download_file_by_name(benchmark: BenchmarkFixture, bucket: Bucket) -> None:
    bucket.upload_bytes(CONTENT, 'downloaded')

    def fetch() -> bytes:
        file = io.BytesIO()
        bucket.download_file_by_name('downloaded').save(file)
        return file.getvalue()

    assert benchmark(fetch) == CONTENT
