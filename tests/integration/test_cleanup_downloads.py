"""Removing what interrupted downloads have left, with downloads under way."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from b2fast import (
    AbstractProgressListener,
    B2Api,
    B2HttpApiConfig,
    Bucket,
    InMemoryAccountInfo,
    LeftDownload,
    RateLimits,
    UploadSourceBytes,
    cleanup_downloads,
)
from b2fast._core.transfer import TEMPORARY_SUFFIXES

from ..conftest import Account

MIB = 1024 * 1024
SIZE = 9 * MIB
"""Long enough for a journal."""


class Interrupted(Exception):
    """What a program raises to end a download."""


class Cleaner(AbstractProgressListener):
    """Cleans up whenever bytes have arrived.

    :param limits: hold the download up until its files have been seen
    :param interrupt_at: so many bytes end it; if None, it goes on
    """

    def __init__(self, directory: Path, limits: RateLimits, interrupt_at: int | None) -> None:
        super().__init__()
        self.directory = directory
        self.limits = limits
        self.interrupt_at = interrupt_at
        self.seen: set[str] = set()
        self.removed: list[LeftDownload] = []

    def set_total_bytes(self, total_byte_count: int) -> None:
        pass

    def bytes_completed(self, byte_count: int) -> None:
        self.seen.update(os.listdir(self.directory))
        self.removed += cleanup_downloads(self.directory, timedelta())
        if self.interrupt_at is None:
            self.limits.download = None
        elif byte_count >= self.interrupt_at:
            raise Interrupted


@pytest.fixture
def limits() -> RateLimits:
    """Slow enough for a listener to be called many times."""
    return RateLimits(download=2 * MIB)


@pytest.fixture
def slow_bucket(account: Account, bucket: Bucket, limits: RateLimits) -> Bucket:
    """A bucket with a file that is downloaded within the limits."""
    bucket.upload(UploadSourceBytes(bytes(SIZE)), 'name', min_part_size=2 * SIZE)
    if not account.has_engine:
        return bucket
    api = B2Api(InMemoryAccountInfo(), api_config=B2HttpApiConfig(rate_limits=limits))
    api.authorize_account(account.key_id, account.key, account.realm)
    return api.get_bucket_by_name(bucket.name)


@pytest.mark.parametrize('account', ['raw', 'http', 'http-streams'], indirect=True)
def test_running_downloads_are_spared(
    slow_bucket: Bucket, limits: RateLimits, tmp_path: Path
) -> None:
    cleaner = Cleaner(tmp_path, limits, interrupt_at=None)
    slow_bucket.download_file_by_name('name', cleaner).save_to(tmp_path / 'target')
    assert f'.target{TEMPORARY_SUFFIXES[0]}' in cleaner.seen
    assert cleaner.removed == []
    assert (tmp_path / 'target').read_bytes() == bytes(SIZE)
    assert os.listdir(tmp_path) == ['target']


@pytest.mark.parametrize('account', ['http'], indirect=True)
def test_interrupted_downloads_are_removed(
    slow_bucket: Bucket, limits: RateLimits, tmp_path: Path
) -> None:
    cleaner = Cleaner(tmp_path, limits, interrupt_at=2 * MIB)
    with pytest.raises(Interrupted):
        slow_bucket.download_file_by_name('name', cleaner).save_to(tmp_path / 'target')
    assert len(os.listdir(tmp_path)) == 2
    assert cleanup_downloads(tmp_path, timedelta(hours=1)) == []
    (left,) = cleanup_downloads(tmp_path, timedelta())
    assert left.path == str(tmp_path / f'.target{TEMPORARY_SUFFIXES[0]}')
    assert left.size >= MIB
    assert os.listdir(tmp_path) == []
