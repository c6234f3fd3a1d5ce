"""The threads and the memory that all clients of a process share."""

from __future__ import annotations

import os

from .._core.transfer import Resources

_of_process: dict[int, Resources] = {}
"""By process ID: those of a parent serve no child of fork."""


def process_resources() -> Resources:
    """The threads of parallel transfers and the memory for content of this process."""
    pid = os.getpid()
    return _of_process.get(pid) or _of_process.setdefault(pid, Resources())
