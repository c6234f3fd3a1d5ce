"""Buckets of test runs on a shared account: their names, and how they are removed again."""

from __future__ import annotations

import os
import platform
import random
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from ..exception import (
    BadRequest,
    BucketIdNotFound,
    DuplicateBucketName,
    FileNotPresent,
    TooManyRequests,
)
from ..file_lock import NO_RETENTION_FILE_SETTING, LegalHold, RetentionMode
from ..http_constants import BUCKET_NAME_CHARS_UNIQ, BUCKET_NAME_LENGTH_RANGE
from ..log import logger_of
from ..retry import Attempts, RetryPolicy
from ..utils.clock import current_time_millis

if TYPE_CHECKING:
    from ..api import B2Api
    from ..bucket import Bucket
    from ..file_version import FileVersion

logger = logger_of(__name__)

GENERAL_BUCKET_NAME_PREFIX = 'sdktst'
"""How the names of all test buckets begin; b2sdk's tests use the same."""
BUCKET_NAME_LENGTH = BUCKET_NAME_LENGTH_RANGE[1]
"""Characters in the name of a test bucket: as many as B2 allows."""
BUCKET_CREATED_AT_MILLIS = 'created_at_millis'
"""The key of the bucket info under which a test bucket has its time of creation."""
NODE_DESCRIPTION = f'{platform.node()}: {platform.platform()} {platform.python_version()}'
"""This machine; it is in the bucket info, so that a forgotten bucket shows where it is from."""

ONE_HOUR_MILLIS = 60 * 60 * 1000
BUCKET_CLEANUP_PERIOD_MILLIS = 3 * ONE_HOUR_MILLIS
"""The age at which the test buckets of other runs are taken for forgotten."""

_WHEN_BUSY = RetryPolicy(attempts=8, first_delay=1, factor=2)
_NAME_ATTEMPTS = 5

_T = TypeVar('_T')


def _new_seed() -> str:
    run = os.environ.get('WORKFLOW_ID') or secrets.token_hex(8)
    worker = os.environ.get('PYTEST_XDIST_WORKER', 'master')
    text = f'{run} {worker} {NODE_DESCRIPTION} {time.time_ns()}'
    return sha256(text.encode()).hexdigest()[:16]


RNG_SEED = _new_seed()
"""The seed of `RNG`. It is another one for every process; ``WORKFLOW_ID`` goes into it."""
RNG = random.Random(RNG_SEED)  # noqa: S311 - names, not secrets
"""Where the names of buckets come from."""
RNG_COUNTER = 0
"""How many parts of names were drawn."""


def random_token(length: int, chars: str = BUCKET_NAME_CHARS_UNIQ) -> str:
    """Random characters out of `RNG`.

    :param length: how many
    :param chars: which there may be
    """
    return ''.join(RNG.choices(chars, k=length))


def get_bucket_name_prefix(rnd_len: int = 8, prefix: str = GENERAL_BUCKET_NAME_PREFIX) -> str:
    """A new beginning for the names of the buckets of one run.

    :param rnd_len: how many characters of it are random, at least one
    :param prefix: what is before those
    """
    return prefix + _part_of_name(rnd_len)


def _part_of_name(length: int) -> str:
    global RNG_COUNTER
    if length < 1:
        raise ValueError('the prefix leaves no room for the rest of the name')
    RNG_COUNTER += 1
    part = random_token(length)
    logger.info('part %d of bucket names, with the seed %s: %s', RNG_COUNTER, RNG_SEED, part)
    return part


class BucketManager:
    """Makes buckets for a test run, and removes them and forgotten ones of earlier runs.

    :param dont_cleanup_old_buckets: leave the buckets of other runs alone
    :param b2_api: the signed-in account
    :param current_run_prefix: how the names of this run's buckets begin; buckets with such a
        name are removed whatever their age
    :param general_prefix: how the names of the buckets of all runs begin; others are never
        touched
    """

    def __init__(
        self,
        dont_cleanup_old_buckets: bool,
        b2_api: B2Api,
        current_run_prefix: str = '',
        general_prefix: str = GENERAL_BUCKET_NAME_PREFIX,
    ) -> None:
        self.dont_cleanup_old_buckets = dont_cleanup_old_buckets
        self.b2_api = b2_api
        self.current_run_prefix = current_run_prefix
        self.general_prefix = general_prefix
        self.bucket_name_mapping: dict[str, str] = {}
        """The names of the buckets made, and the test that each was made for."""

    def new_bucket_name(self) -> str:
        """A name that no bucket of this manager has.

        :raises RuntimeError: if five names in a row are taken.
        """
        for _ in range(_NAME_ATTEMPTS):
            rest = _part_of_name(BUCKET_NAME_LENGTH - len(self.current_run_prefix))
            name = self.current_run_prefix + rest
            if name not in self.bucket_name_mapping:
                return name
        raise RuntimeError(
            f'{_NAME_ATTEMPTS} new bucket names in a row were taken, the last one is {name}; '
            f'the buckets there are: {self.bucket_name_mapping}'
        )

    def new_bucket_info(self) -> dict[str, str]:
        """The bucket info of a test bucket: when and where it was made."""
        return {
            BUCKET_CREATED_AT_MILLIS: str(current_time_millis()),
            'created_by': NODE_DESCRIPTION,
        }

    def create_bucket(self, bucket_type: str = 'allPublic', **kwargs: Any) -> Bucket:
        """Make a bucket; if B2 has no time, up to eight times with growing pauses.

        :param bucket_type: ``allPublic``, ``allPrivate``, ...
        :param kwargs: further parameters of `B2Api.create_bucket`; ``name`` takes the place of
            a new one
        """
        return _patiently(lambda: self._create_bucket(bucket_type, **kwargs))

    def _create_bucket(self, bucket_type: str, name: str | None = None, **kwargs: Any) -> Bucket:
        name = self.new_bucket_name() if name is None else name
        info = self.new_bucket_info()
        try:
            bucket = self.b2_api.create_bucket(name, bucket_type, bucket_info=info, **kwargs)
        except DuplicateBucketName:
            logger.error('%s exists; made here were: %s', name, self.bucket_name_mapping)
            raise
        self.bucket_name_mapping[name] = os.environ.get('PYTEST_CURRENT_TEST', 'unknown test')
        return bucket

    def clean_buckets(self, quick: bool = False) -> None:
        """Remove the buckets of this run and forgotten ones, and print what becomes of each.

        :param quick: take the list of buckets from the cache
        """
        kept = []
        for bucket in self.b2_api.list_buckets(use_cache=quick):
            try:
                if quick and self._is_of_any_run(bucket) and not self._is_of_this_run(bucket):
                    # The cache does not know its age.
                    bucket = bucket.get_fresh_state()
                is_removed, reason = self._should_remove_bucket(bucket)
                print(f'{"Removing" if is_removed else "Keeping"} bucket {bucket.name}: {reason}')
                if is_removed:
                    self.clean_bucket(bucket)
                else:
                    kept.append(bucket)
            except BucketIdNotFound:
                print(f'Bucket {bucket.name} was gone before')
        print(f'{len(kept)} buckets are left')
        for bucket in kept:
            print(bucket)

    def _is_of_this_run(self, bucket: Bucket) -> bool:
        prefix = self.current_run_prefix
        return bool(prefix) and (bucket.name or '').startswith(prefix)

    def _is_of_any_run(self, bucket: Bucket) -> bool:
        return (bucket.name or '').startswith(self.general_prefix)

    def _should_remove_bucket(self, bucket: Bucket) -> tuple[bool, str]:
        """Is the bucket to be removed, and why or why not?"""
        if self._is_of_this_run(bucket):
            return True, 'it belongs to this run'
        if self.dont_cleanup_old_buckets:
            return False, 'buckets of other runs are left alone'
        if not self._is_of_any_run(bucket):
            return False, f'its name does not begin with {self.general_prefix}'
        made = (bucket.bucket_info or {}).get(BUCKET_CREATED_AT_MILLIS)
        if made is None:
            return True, f'it has no {BUCKET_CREATED_AT_MILLIS}'
        age = current_time_millis() - int(made)
        hours = f'it was made {age / ONE_HOUR_MILLIS:.1f} hours ago'
        return age > BUCKET_CLEANUP_PERIOD_MILLIS, hours

    def clean_bucket(
        self,
        bucket: Bucket | str,
        only_files: bool = False,
        only_folders: list[str] | None = None,
        ignore_retentions: bool = False,
    ) -> None:
        """Delete what is in a bucket, and the bucket.

        Governance retention and legal holds are taken off. Versions in compliance retention
        stay until it ends, and so does their bucket. If B2 has no time it is tried again, up to
        eight times with growing pauses.

        :param bucket: the bucket or its name
        :param only_files: leave the bucket there
        :param only_folders: delete only files in these folders
        :param ignore_retentions: try to delete each version without looking at its retention
        """
        _patiently(lambda: self._clean_bucket(bucket, only_files, only_folders, ignore_retentions))

    def _clean_bucket(
        self,
        bucket: Bucket | str,
        only_files: bool,
        only_folders: list[str] | None,
        ignore_retentions: bool,
    ) -> None:
        if isinstance(bucket, str):
            bucket = self.b2_api.get_bucket_by_name(bucket)
        # An attempt costs nothing, and a listing does.
        if not only_files and self._delete_bucket_if_empty(bucket):
            return
        some_stay = False
        for version in _versions(bucket, only_folders):
            if not ignore_retentions and not self._end_retention(version):
                some_stay = True
                continue
            self._delete_version(version)
        if some_stay:
            print(f'Bucket {bucket.name} stays: some of its files are retained')
        elif not only_files:
            print(f'Deleting bucket {bucket.name}')
            try:
                self.b2_api.delete_bucket(bucket)
            except BucketIdNotFound:
                print(f'Bucket {bucket.name} was gone before')

    def _delete_bucket_if_empty(self, bucket: Bucket) -> bool:
        """Delete the bucket; False if there is something in it."""
        try:
            self.b2_api.delete_bucket(bucket)
        except BucketIdNotFound:
            pass  # which is what was wanted
        except BadRequest as error:
            if error.code != 'cannot_delete_non_empty_bucket':
                raise
            return False
        return True

    def _end_retention(self, version: FileVersion) -> bool:
        """Take the retention off a version; False if nobody can."""
        retention = version.file_retention
        if retention.mode is RetentionMode.NONE:
            return True
        if retention.mode is RetentionMode.GOVERNANCE:
            print(f'Ending the retention of {version.id_}')
            self.b2_api.update_file_retention(
                version.id_, version.file_name, NO_RETENTION_FILE_SETTING, bypass_governance=True
            )
            return True
        if retention.mode is RetentionMode.COMPLIANCE:
            if (retention.retain_until or 0) <= current_time_millis():
                return True
            print(f'{version.id_} cannot be deleted: it is in compliance retention')
            return False
        raise ValueError(f'the key may not read the retention of {version.id_}: {retention.mode}')

    def _delete_version(self, version: FileVersion) -> None:
        if version.legal_hold.is_on():
            print(f'Ending the legal hold of {version.id_}')
            self.b2_api.update_file_legal_hold(version.id_, version.file_name, LegalHold.OFF)
        print(f'Deleting {version.id_}')
        try:
            self.b2_api.delete_file_version(version.id_, version.file_name)
        except FileNotPresent:
            print(f'{version.id_} was gone before')

    def count_and_print_buckets(self) -> int:
        """Print the names and IDs of all buckets of the account, and return their number."""
        buckets = self.b2_api.list_buckets()
        print(f'{len(buckets)} buckets at {datetime.now()}')
        for number, bucket in enumerate(buckets, start=1):
            print(f'- {number}\t{bucket.name} [{bucket.id_}]')
        return len(buckets)


def _versions(bucket: Bucket, folders: list[str] | None) -> Iterator[FileVersion]:
    for folder in folders or ['']:
        for version, _ in bucket.ls(folder, latest_only=False, recursive=True):
            yield version


def _patiently(call: Callable[[], _T]) -> _T:
    attempts = Attempts(_WHEN_BUSY)
    while True:
        try:
            return call()
        except TooManyRequests as error:
            if not attempts.wait(error.retry_after_seconds):
                raise
