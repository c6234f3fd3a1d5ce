"""The kinds of faults, with the fields of `Fault` that make them."""

from __future__ import annotations

from typing import Any

WITHIN = -1
"""Stands for an offset in the middle of the body."""

STATUSES: dict[str, dict[str, Any]] = {
    '400': {'status': 400},
    '401': {'status': 401},
    '401 expired': {'status': 401, 'code': 'expired_auth_token'},
    '403': {'status': 403},
    '408': {'status': 408},
    '429': {'status': 429},
    '429 with Retry-After': {'status': 429, 'retry_after': 0},
    '500': {'status': 500},
    '503': {'status': 503},
    '503 with Retry-After': {'status': 503, 'retry_after': 0},
}

ANSWERS: dict[str, dict[str, Any]] = {
    **STATUSES,
    'expired token': {'expire_token': True},
    'delay': {'delay': 0.02},
    'slow answer': {'bytes_per_second': 10_000_000},
    'answer lost': {'cut_after': 0},
    'answer lost by reset': {'reset_after': 0},
    'answer stalls': {'stall_after': 0},
    'truncated': {'cut_after': WITHIN},
    'reset within': {'reset_after': WITHIN},
    'stalls within': {'stall_after': WITHIN},
    'flipped byte': {'flip_at': 0},
}

UPLOADS: dict[str, dict[str, Any]] = {
    'upload cut before': {'cut_upload_after': 0},
    'upload cut within': {'cut_upload_after': 20_000},
    'upload reset before': {'reset_upload_after': 0},
    'upload reset within': {'reset_upload_after': 20_000},
    'upload stalls': {'stall_upload_after': 20_000},
    'upload flipped': {'flip_upload_at': 10},
    'slow upload': {'upload_bytes_per_second': 5_000_000},
}


LOSE_ANSWER = [
    'answer lost',
    'answer lost by reset',
    'answer stalls',
    'truncated',
    'reset within',
    'stalls within',
    'flipped byte',
]
"""Those after which the work is done, and the client cannot know."""


def fields_of(kind: str, within: int) -> dict[str, Any]:
    """The fields of a kind, for a body with so many bytes before its middle."""
    fields = (ANSWERS | UPLOADS)[kind]
    return {name: within if value == WITHIN else value for name, value in fields.items()}


def stalls(fields: dict[str, Any]) -> bool:
    """Whether only a time-out ends it."""
    return any(name.startswith('stall') for name in fields)
