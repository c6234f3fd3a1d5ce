"""How far the replication of a file is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, unique


@unique
class ReplicationStatus(Enum):
    """The state of a file that a replication rule covers."""

    PENDING = 'PENDING'
    COMPLETED = 'COMPLETED'
    FAILED = 'FAILED'
    REPLICA = 'REPLICA'

    @classmethod
    def from_api_value(cls, value: str | None) -> ReplicationStatus | None:
        """Made from B2's value, whose case its calls do not agree on; None if there is none."""
        return None if value is None else cls[value.upper()]

    @classmethod
    def from_response_headers(cls, headers: Mapping[str, str]) -> ReplicationStatus | None:
        """Made from the headers of a download; None if no rule covers the file."""
        return cls.from_api_value(headers.get('X-Bz-Replication-Status'))
