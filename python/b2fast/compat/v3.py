"""`b2sdk.v3`: the names of b2fast, with b2sdk's default for account data."""

from __future__ import annotations

from typing import Any

import b2fast

from .. import api, exception as exception, session
from ..account_info.sqlite import SqliteAccountInfo


class B2Session(session.B2Session):
    """As `b2fast.B2Session`, but account data are in a SQLite file by default."""

    SQLITE_ACCOUNT_INFO_CLASS = SqliteAccountInfo


class B2Api(api.B2Api):
    """As `b2fast.B2Api`, but account data are in a SQLite file by default."""

    SESSION_CLASS = B2Session


__all__ = sorted(b2fast.__all__)


def __getattr__(name: str) -> Any:
    if name in b2fast.__all__:
        return getattr(b2fast, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
