"""Which large files this process sends parts of, so that no two of its uploads take the same.

Of other processes nothing is known, and nothing need be: see the module `unfinished`.
"""

from __future__ import annotations

_owners: dict[tuple[str, str], object] = {}
"""By account and file ID. A child of fork keeps what its parent is sending."""


def claim(account_id: str, file_id: str) -> bool:
    """Take a large file for an upload; False if another upload has it."""
    # In one step, with threads or without the GIL, and with no lock that a fork could leave held.
    mine = object()
    return _owners.setdefault((account_id, file_id), mine) is mine


def release(account_id: str, file_id: str) -> None:
    """Give back what was claimed."""
    del _owners[account_id, file_id]
