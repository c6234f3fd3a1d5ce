"""Filters for log records of others."""

from __future__ import annotations

import logging


class UrllibWarningFilter:
    """Drops urllib3's warning that its connection pool is full.

    Install it on the logger ``urllib3.connectionpool`` when a session of one's own has a pool
    smaller than the number of workers; the sessions of this package are wide enough.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Is the record to be kept?"""
        return record.msg != 'Connection pool is full, discarding connection: %s'
