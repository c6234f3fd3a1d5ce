"""What differs between the simulator's profiles. It is data: the rules are the same."""

from __future__ import annotations

from dataclasses import dataclass

from b2fast.encryption.setting import SSE_B2_AES, SSE_NONE, EncryptionSetting

from .clock import Clock, system_clock
from .options import DEFAULT_OPTIONS, Options


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The limits and the strictness of a simulated service.

    :param clock: the time, from which tokens expire and, in the faithful profile, files
        take their timestamps.
    :param minimum_part_size: bytes that every part but the last needs, checked at finish
        if `checks_parts`; announced as `absoluteMinimumPartSize`.
    :param recommended_part_size: bytes; only announced.
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
    :param checks_locks: retention and legal hold are changed as object lock allows, not at will.
    :param custom_timestamps: the account may set upload timestamps.
    :param bucket_options: what buckets show as `options` unless told otherwise.
    :param resolves_content_type: `b2/x-auto` becomes the type known for the file's name.
    :param acts_on_rules: notification rules and replication configurations are checked and
        acted upon instead of only kept.
    :param webhook_hosts: hosts beside the loopback ones that event notifications may go to, in
        lower case.
    :param replication_delay: milliseconds of the clock between an upload and its replica.
    :param options: what is done where it is not certain what B2 does.
    """

    clock: Clock = system_clock
    minimum_part_size: int = 5_000_000
    recommended_part_size: int = 100_000_000
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
    checks_locks: bool = True
    custom_timestamps: bool = False
    bucket_options: frozenset[str] = frozenset(('s3',))
    resolves_content_type: bool = True
    acts_on_rules: bool = True
    webhook_hosts: frozenset[str] = frozenset()
    replication_delay: int = 0
    options: Options = DEFAULT_OPTIONS

    @property
    def unset_encryption(self) -> EncryptionSetting:
        """The encryption of what asks for none."""
        return SSE_B2_AES if self.options.default_encryption == 'SSE-B2' else SSE_NONE


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
        checks_locks=False,
        custom_timestamps=True,
        bucket_options=frozenset(),
        resolves_content_type=False,
        acts_on_rules=False,
    )
