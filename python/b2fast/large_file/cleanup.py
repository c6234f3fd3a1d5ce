"""Cancels large files that were started and never finished."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..exception import B2Error, InvalidArgument
from . import in_use

if TYPE_CHECKING:
    from datetime import timedelta

    from ..bucket import Bucket
    from ..services import Services
    from .unfinished_large_file import UnfinishedLargeFile


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """What `cleanup_unfinished` did about one file."""

    file: UnfinishedLargeFile
    error: B2Error | None = None
    """Why it could not be cancelled; None if it was, or would have been."""


def cleanup_unfinished(
    bucket: Bucket,
    older_than: timedelta,
    *,
    prefix: str | None = None,
    dry_run: bool = False,
) -> list[CleanupResult]:
    """Cancel the unfinished large files of a bucket that nobody has sent to for a while.

    B2 bills their parts until they are cancelled. Afterwards an upload cannot go on with them.

    :param older_than: cancel those that were started, and got their last part, longer ago, by
                the clock of this machine; uploads of this process are spared
    :param prefix: only files whose names begin with it, which a restricted key has to say
    :param dry_run: cancel nothing, and tell what would be cancelled

    Returns a result for each file that is old enough, oldest first; one that B2 does not cancel
    does not keep it from the next. Raises `InvalidArgument` for a negative time, and errors of
    the listing.
    """
    if older_than.total_seconds() < 0:
        raise InvalidArgument('older_than', 'must not be negative')
    latest = (time.time() - older_than.total_seconds()) * 1000
    services = bucket.api.services
    account_id = services.session.account_info.get_account_id()
    results = []
    for file in list(services.large_file.list_unfinished_large_files(bucket.id_, prefix=prefix)):
        if file.start_timestamp is None or file.start_timestamp > latest:
            continue
        if not in_use.claim(account_id, file.file_id):
            continue
        try:
            if _newest_part(services, file.file_id) > latest:
                continue
            if not dry_run:
                services.large_file.cancel_large_file(file.file_id)
            results.append(CleanupResult(file))
        except B2Error as error:
            results.append(CleanupResult(file, error))
        finally:
            in_use.release(account_id, file.file_id)
    return results


def _newest_part(services: Services, file_id: str) -> int:
    """When the last part came, in milliseconds since 1970; 0 if there is none."""
    return max(
        (part.get('uploadTimestamp', 0) for part in services.large_file.part_dicts(file_id)),
        default=0,
    )
