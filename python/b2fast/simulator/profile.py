"""What differs between the simulator's profiles. It is data: the rules are the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

#: Returns the time in milliseconds since 1970 UTC.
Clock = Callable[[], int]


def system_clock() -> int:
    """Returns the machine's time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The limits and the strictness of a simulated service.

    :param clock: the time, from which tokens expire and, in the faithful profile, files
        take their timestamps.
    :param minimum_part_size: bytes that every part but the last needs, checked at finish
        if `checks_parts`; announced as `absoluteMinimumPartSize`.
    :param recommended_part_size: bytes; only announced.
    :param maximum_upload_size: most bytes in one upload.
    :param maximum_copy_size: most bytes in one simple copy.
    :param first_revision: the revision of a bucket just created.
    :param token_lifetime: milliseconds that account and upload tokens live; None: for ever.
    :param counted_ids: names of files are counted per bucket, as are timestamps, instead of
        opaque and taken from the clock; a version's age is then the order of arrival.
    :param checks_names: names of buckets and files and file information have to be legal.
    :param checks_parts: a large file needs two parts and the minimum part size.
    :param checks_downloads: private buckets are read with a token only.
    :param checks_hiding: only a visible file can be hidden.
    :param checks_deletion: only an empty bucket can be deleted.
    :param checks_settings: bucket settings have to be legal.
    :param custom_timestamps: the account may set upload timestamps.
    :param bucket_options: what buckets show as `options` unless told otherwise.
    :param resolves_content_type: `b2/x-auto` becomes the type known for the file's name.
    """

    clock: Clock = system_clock
    minimum_part_size: int = 5_000_000
    recommended_part_size: int = 100_000_000
    maximum_upload_size: int = 5_000_000_000
    maximum_copy_size: int = 5_000_000_000
    first_revision: int = 2
    token_lifetime: int | None = 24 * 3600 * 1000
    counted_ids: bool = False
    checks_names: bool = True
    checks_parts: bool = True
    checks_downloads: bool = True
    checks_hiding: bool = True
    checks_deletion: bool = True
    checks_settings: bool = True
    custom_timestamps: bool = False
    bucket_options: frozenset[str] = frozenset(('s3',))
    resolves_content_type: bool = True


def b2sdk_profile(part_size: int) -> Profile:
    """Returns the profile of `RawSimulator`: tiny parts, counted IDs, few checks.

    :param part_size: minimum and recommended part size, bytes.
    """
    return Profile(
        minimum_part_size=part_size,
        recommended_part_size=part_size,
        first_revision=1,
        token_lifetime=None,
        counted_ids=True,
        checks_names=False,
        checks_parts=False,
        checks_downloads=False,
        checks_hiding=False,
        checks_deletion=False,
        checks_settings=False,
        custom_timestamps=True,
        bucket_options=frozenset(),
        resolves_content_type=False,
    )
