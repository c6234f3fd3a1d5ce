"""SHA-1 and BLAKE3 kernels beside hashlib's, single-threaded."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from b2fast._core.hashing import Blake3, Sha1, sha1_of_bytes, sha1_of_parts, update_many

MIB = 1 << 20
DATA = random.Random(1).randbytes(8 * MIB)


@pytest.mark.benchmark(group='SHA-1 of 8 MiB')
@pytest.mark.parametrize(
    'digest',
    [lambda data: hashlib.sha1(data).hexdigest(), sha1_of_bytes],
    ids=['hashlib', 'b2fast'],
)
def test_sha1_of_bytes(benchmark: BenchmarkFixture, digest: Callable[[bytes], str]) -> None:
    assert benchmark(digest, DATA) == hashlib.sha1(DATA).hexdigest()


@pytest.mark.benchmark(group='SHA-1 of 8 MiB as independent streams in step')
@pytest.mark.parametrize('streams', [1, 2, 4, 8])
def test_update_many(benchmark: BenchmarkFixture, streams: int) -> None:
    length = len(DATA) // streams
    chunks = [memoryview(DATA)[i * length : (i + 1) * length] for i in range(streams)]

    def digests() -> list[str]:
        hashers = [Sha1() for _ in chunks]
        update_many(hashers, chunks)
        return [hasher.hexdigest() for hasher in hashers]

    assert benchmark(digests) == [hashlib.sha1(chunk).hexdigest() for chunk in chunks]


@pytest.mark.benchmark(group='SHA-1 of a file of 64 MiB and of its eight parts')
@pytest.mark.parametrize('way', ['hashlib', 'b2fast'])
def test_sha1_of_parts(benchmark: BenchmarkFixture, tmp_path: Path, way: str) -> None:
    path = tmp_path / 'file'
    path.write_bytes(DATA * 8)
    parts = [(i * len(DATA), len(DATA)) for i in range(8)]

    def by_hashlib() -> tuple[str, list[str]]:
        whole, digests = hashlib.sha1(), []
        with path.open('rb') as file:
            for _, length in parts:
                part = hashlib.sha1()
                for _ in range(length // MIB):
                    block = file.read(MIB)
                    whole.update(block)
                    part.update(block)
                digests.append(part.hexdigest())
        return whole.hexdigest(), digests

    expected = by_hashlib()
    digests = by_hashlib if way == 'hashlib' else lambda: sha1_of_parts(path, parts)
    assert benchmark(digests) == expected


@pytest.mark.benchmark(group='BLAKE3 of 8 MiB')
def test_blake3(benchmark: BenchmarkFixture) -> None:
    assert len(benchmark(lambda: Blake3(DATA).digest())) == 32
