"""A file with account data."""

from __future__ import annotations

from pathlib import Path

import pytest

from b2fast import SqliteAccountInfo

from .data import DATA


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'account info?%41#.db'


@pytest.fixture
def info(path: Path) -> SqliteAccountInfo:
    info = SqliteAccountInfo(path)
    info.set_auth_data(**DATA)
    return info
