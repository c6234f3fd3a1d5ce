"""Which upload URLs an upload may use."""

from __future__ import annotations

import os
from typing import Any, cast

import pytest

from b2fast import B2Session, StubAccountInfo
from b2fast.transfer.engine_seam import UploadLeases


class AccountInfo(StubAccountInfo):
    key_id = 'key'
    api_url = 'http://api'

    def get_application_key_id(self) -> str:
        return self.key_id

    def get_api_url(self) -> str:
        return self.api_url


@pytest.fixture
def info() -> AccountInfo:
    return AccountInfo()


@pytest.fixture
def leases(info: AccountInfo) -> UploadLeases:
    class Session:
        account_info = info

        def get_upload_url(self, bucket_id: str) -> dict[str, Any]:
            raise AssertionError('nobody uploads here')

    return UploadLeases(cast(B2Session, Session()))


def test_uploads_into_a_bucket_share_them(leases: UploadLeases) -> None:
    assert leases.of_bucket('one') is leases.of_bucket('one')
    assert leases.of_bucket('one') is not leases.of_bucket('two')


def test_another_key_gets_others(leases: UploadLeases, info: AccountInfo) -> None:
    before = leases.of_bucket('one')
    info.key_id = 'other'
    other = leases.of_bucket('one')
    assert other is not before
    info.api_url = 'http://other'
    assert leases.of_bucket('one') is not other


def test_another_process_gets_others(leases: UploadLeases, monkeypatch: pytest.MonkeyPatch) -> None:
    before = leases.of_bucket('one')
    pid = os.getpid()
    monkeypatch.setattr(os, 'getpid', lambda: pid + 1)
    assert leases.of_bucket('one') is not before
