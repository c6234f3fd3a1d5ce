"""Dates as HTTP headers write them."""

from __future__ import annotations

import datetime as dt
import email.utils


def format_http_date(moment: dt.datetime) -> str:
    """Write a moment as an HTTP date; one without a time zone is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return email.utils.format_datetime(moment.astimezone(dt.UTC), usegmt=True)


def parse_http_date(text: str) -> dt.datetime:
    """Read an HTTP date. Raises `ValueError` for anything else."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        raise ValueError(f'{text!r} is not an HTTP date') from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
