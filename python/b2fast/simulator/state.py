"""The simulated service: accounts, keys, tokens and the registry of buckets."""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hmac import compare_digest
from threading import RLock
from typing import Any, NoReturn, TypedDict

from . import errors, lifecycle, replication, rules
from .bucket import Bucket
from .bucket_settings import BucketSettings, ConfiguredBucket, check_settings
from .capabilities import check as check_capabilities
from .clock import DAY, AdjustableClock
from .file import File
from .ids import Ids
from .journal import Journal, undone_on_error
from .notifications import Event, Rule
from .profile import Profile

_MAX_BUCKETS = 100
_KEY_NAME = re.compile(r'[A-Za-z0-9-]{1,100}')
_MAX_KEY_SECONDS = 1000 * 24 * 3600
# How long ended tokens and keys are known as such.
_REMEMBERED = DAY


class NamedBucket(TypedDict):
    """A bucket that a key is restricted to; it has no name any more if it is gone."""

    id: str
    name: str | None


class Key:
    """An application key.

    :param account_id: the account it opens.
    :param name: given by its creator; need not be unique.
    :param application_key_id: its public half.
    :param key: its secret half.
    :param capabilities: what it may do.
    :param expiration_timestamp_or_none: seconds since 1970 UTC.
    :param buckets_or_none: the only buckets it may use.
    :param name_prefix_or_none: the only file names it may use begin so.
    """

    def __init__(
        self,
        account_id: str,
        name: str,
        application_key_id: str,
        key: str,
        capabilities: Sequence[str],
        expiration_timestamp_or_none: int | None,
        buckets_or_none: list[NamedBucket] | None,
        name_prefix_or_none: str | None,
    ) -> None:
        self.account_id = account_id
        self.name = name
        self.application_key_id = application_key_id
        self.key = key
        self.capabilities = list(capabilities)
        self.expiration_timestamp_or_none = expiration_timestamp_or_none
        self.buckets_or_none = buckets_or_none
        self.name_prefix_or_none = name_prefix_or_none

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {self.name!r} {self.application_key_id}>'

    def covers_bucket(self, bucket: Bucket) -> bool:
        """Tells whether the key may use the bucket."""
        if self.account_id != bucket.account_id:
            return False
        if self.buckets_or_none is None:
            return True
        return any(allowed['id'] == bucket.bucket_id for allowed in self.buckets_or_none)

    def covers_name(self, file_name: str) -> bool:
        """Tells whether the key may use the file name, or all names with it as their prefix."""
        return file_name.startswith(self.name_prefix_or_none or '')


@dataclass(frozen=True)
class AccountToken:
    """What stands behind an account authorization token."""

    key: Key
    expires: int | None


@dataclass
class UploadToken:
    """What stands behind the token of an upload URL: a bucket, or a large file in it.

    `ended` is when the last upload with it ended, by the monotonic clock.
    """

    bucket: Bucket
    file_id: str | None
    key: Key
    expires: int | None
    in_use: bool = False
    ended: float = -math.inf


@dataclass(frozen=True)
class DownloadToken:
    """What stands behind a download authorization."""

    bucket_id: str
    prefix: str
    expires: int
    overrides: dict[str, str]


BucketFactory = Callable[['Service', str, str, str, str, BucketSettings], Bucket]


class Service:
    """One simulated service. Its lock guards it and everything in it.

    :param profile: its limits and its strictness.
    :param make_bucket: makes the bucket objects; `Bucket` by default.
    :param journal: is told of every change that has to outlive the service.
    """

    def __init__(
        self,
        profile: Profile,
        make_bucket: BucketFactory = Bucket,
        journal: Journal | None = None,
    ) -> None:
        self._clock = AdjustableClock(profile.clock)
        self.profile = replace(profile, clock=self._clock)
        self.journal = Journal() if journal is None else journal
        self.lock = RLock()
        self.ids = Ids()
        self.keys: dict[str, Key] = {}
        self.created_keys: list[Key] = []
        #: How many keys were ever created.
        self.key_count = 0
        self.buckets_by_id: dict[str, Bucket] = {}
        self.buckets_by_name: dict[str, Bucket] = {}
        self.file_id_to_bucket_id: dict[str, str] = {}
        self.account_tokens: dict[str, AccountToken] = {}
        self.upload_tokens: dict[str, UploadToken] = {}
        self.download_tokens: dict[str, DownloadToken] = {}
        self.expired_tokens: set[str] = set()
        #: Takes the events that match a notification rule of a bucket; it must not wait.
        self.post_event: Callable[[Bucket, Rule, Event], None] | None = None
        #: Files to be replicated, and when, by the clock.
        self.waiting_replicas: deque[tuple[int, File]] = deque()
        self._make_bucket = make_bucket
        # The day since 1970 UTC of the last tick.
        self._ticked_on = -1

    def __getstate__(self) -> NoReturn:
        raise TypeError('a simulated service lives in one process; SimulatorServer serves several')

    @contextmanager
    def change(self, thing: ConfiguredBucket | File) -> Iterator[None]:
        """Lets the block change settings of a bucket or version: they are saved or undone.

        The block has to replace values, not to change them in place.
        """
        with undone_on_error(thing):
            yield
            if isinstance(thing, ConfiguredBucket):
                self.journal.save_bucket(thing)
            else:
                self.journal.save_file(thing)

    # Keys and tokens

    def add_account(self, account_id: str, key: Key) -> None:
        """Adds an account with its master key, which the account's ID names, too."""
        self.journal.save_master_key(key)
        self.keys[key.application_key_id] = key
        self.keys[account_id] = key

    def authenticate(self, key_id: str, secret: str) -> Key:
        """Returns the key if the secret is right.

        :raises SimulatedError: 401 `unauthorized`.
        """
        code = self.profile.options.wrong_key_code
        key = self.keys.get(key_id)
        if key is None or self._key_expired(key):
            raise errors.wrong_key('application key ID not valid', code)
        if not compare_digest(key.key.encode(), secret.encode()):
            raise errors.wrong_key('secret key is wrong', code)
        for named in key.buckets_or_none or ():
            # It may have been deleted since.
            bucket = self.buckets_by_id.get(named['id'])
            named['name'] = None if bucket is None else bucket.bucket_name
        return key

    def _key_expired(self, key: Key) -> bool:
        end = key.expiration_timestamp_or_none
        return end is not None and end * 1000 <= self.profile.clock()

    def add_token(self, token: str, key: Key) -> None:
        """Makes a token good for the calls that the key may do."""
        self.account_tokens[token] = AccountToken(key, self._expiry(key))

    def expire_token(self, token: str) -> None:
        """Ends a token of whichever kind before its time."""
        self.expired_tokens.add(token)

    def expire_all_tokens(self) -> None:
        """Ends every account token before its time."""
        self.expired_tokens.update(self.account_tokens)

    def _expiry(self, key: Key) -> int | None:
        end = key.expiration_timestamp_or_none
        ends = [] if end is None else [end * 1000]
        if self.profile.token_lifetime is not None:
            ends.append(self.profile.clock() + self.profile.token_lifetime)
        return min(ends, default=None)

    def is_expired(self, token: str, expires: int | None) -> bool:
        """Tells whether a token is at its end, `expires`, or was ended before."""
        return token in self.expired_tokens or (
            expires is not None and expires <= self.profile.clock()
        )

    def key_of(self, token: str | None) -> Key:
        """Returns the key behind an account token.

        :raises SimulatedError: 401 `bad_auth_token`, `expired_auth_token`.
        """
        found = self.account_tokens.get(token or '')
        if found is None or token is None:
            raise errors.bad_auth_token()
        if self.is_expired(token, found.expires):
            raise errors.expired_auth_token()
        return found.key

    def check(
        self,
        token: str | None,
        capability: str,
        bucket: Bucket | None = None,
        file_name: str | None = None,
        account_id: str | None = None,
    ) -> Key:
        """Returns the key behind an account token if it may do what is asked for.

        :param capability: what the call needs.
        :param bucket: the bucket that the call is about.
        :param file_name: the name, or the prefix of names, that the call is about.
        :param account_id: the account that the call is about.
        :raises SimulatedError: 401.
        """
        key = self.key_of(token)
        if capability not in key.capabilities:
            raise errors.unauthorized()
        if account_id is not None and account_id != key.account_id:
            raise errors.unauthorized()
        if bucket is not None and not key.covers_bucket(bucket):
            raise errors.unauthorized()
        if file_name is not None and not key.covers_name(file_name):
            raise errors.unauthorized()
        return key

    def may(self, token: str | None, capability: str) -> bool:
        """Tells whether the key behind a token has a capability; for fields of answers."""
        found = self.account_tokens.get(token or '')
        return found is not None and capability in found.key.capabilities

    def key_allows(
        self, key_id: str | None, capability: str, bucket: Bucket, file_name: str
    ) -> bool:
        """Tells whether there is a key in force that may do something with a file."""
        key = self.keys.get(key_id or '')
        return (
            key is not None
            and not self._key_expired(key)
            and capability in key.capabilities
            and key.covers_bucket(bucket)
            and key.covers_name(file_name)
        )

    def create_key(
        self,
        creator: Key,
        make: Callable[[str, int | None, list[NamedBucket] | None], Key],
        capabilities: Sequence[str],
        name: str,
        seconds: int | None,
        bucket_ids: Sequence[str] | None,
    ) -> Key:
        """Adds an application key to the creator's account.

        :param make: makes it of the account's ID, the end (seconds since 1970) and the buckets.
        :param seconds: how long it is valid, less than 1000 days; None: for ever.
        :raises SimulatedError: 400.
        """
        if not _KEY_NAME.fullmatch(name):
            raise errors.bad_key(f'illegal key name: {name}')
        if seconds is not None and not 0 < seconds < _MAX_KEY_SECONDS:
            raise errors.bad_key(
                'valid duration must be greater than 0, and less than 1000 days in seconds'
            )
        if self.profile.checks_settings:
            check_capabilities(set(capabilities), restricted=bucket_ids is not None)
            if bucket_ids is not None and not bucket_ids:
                raise errors.bad_request('bucketIds must not be empty')
        within = set(capabilities) <= set(creator.capabilities)
        if self.profile.options.keys_within_creator and not within:
            raise errors.unauthorized('a key cannot give what it may not do itself')
        end = None if seconds is None else self.profile.clock() // 1000 + seconds
        buckets: list[NamedBucket] | None = None
        if bucket_ids is not None:
            found = [self.bucket(bucket_id) for bucket_id in bucket_ids]
            buckets = [{'id': bucket.bucket_id, 'name': bucket.bucket_name} for bucket in found]
        key = make(creator.account_id, end, buckets)
        self.journal.add_key(key)
        self.key_count += 1
        self.keys[key.application_key_id] = key
        self.created_keys.append(key)
        return key

    def keys_in_force(self, account_id: str) -> list[Key]:
        """Returns the account's created keys that have not expired, in order of creation."""
        return [
            key
            for key in self.created_keys
            if key.account_id == account_id and not self._key_expired(key)
        ]

    def delete_key(self, key_id: str) -> Key:
        """Removes a key that was created; its tokens end with it.

        :raises SimulatedError: 400.
        """
        for key in self.created_keys:
            if key.application_key_id == key_id:
                self._remove_key(key)
                if not self.profile.options.tokens_outlive_keys:
                    self._expire_tokens_of(key)
                return key
        raise errors.bad_request(f'application key does not exist: {key_id}')

    def _remove_key(self, key: Key) -> None:
        self.journal.remove_key(key)
        self.created_keys.remove(key)
        del self.keys[key.application_key_id]

    def _expire_tokens_of(self, key: Key) -> None:
        tokens: list[dict[str, Any]] = [self.account_tokens]
        # Those of b2sdk's simulator live for ever.
        if not self.profile.counted_ids:
            tokens.append(self.upload_tokens)
        for table in tokens:
            self.expired_tokens.update(token for token, found in table.items() if found.key is key)

    # Time

    def tick(self) -> None:
        """Does what B2 does about once a day: applies lifecycle rules, replicates what is left.

        Tokens and keys that ended more than a day ago are forgotten, too.
        """
        now = self.profile.clock()
        self._ticked_on = now // DAY
        for bucket in list(self.buckets_by_id.values()):
            lifecycle.apply_rules(bucket, now)
        replication.run_daily(self)
        self._forget_ended(now - _REMEMBERED)

    def advance_clock(self, seconds: float) -> None:
        """Moves the clock forward; every 24 hours on the way, and at the end, comes a tick.

        :raises ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f'the clock goes forward only, not by {seconds} seconds')
        left = round(seconds * 1000)
        with self.lock:
            while left > DAY:
                self._clock.advance(DAY)
                self.tick()
                left -= DAY
            self._clock.advance(left)
            self.tick()

    def tick_when_due(self) -> None:
        """Does it if the day, by UTC, is a later one than at the last time."""
        if self.profile.clock() // DAY > self._ticked_on:
            with self.lock:
                if self.profile.clock() // DAY > self._ticked_on:
                    self.tick()

    def _forget_ended(self, before: int) -> None:
        tables: list[dict[str, Any]] = [
            self.account_tokens,
            self.upload_tokens,
            self.download_tokens,
        ]
        for tokens in tables:
            for token, found in list(tokens.items()):
                if found.expires is not None and found.expires <= before:
                    del tokens[token]
        self.expired_tokens.intersection_update({token for table in tables for token in table})
        for key in list(self.created_keys):
            end = key.expiration_timestamp_or_none
            if end is not None and end * 1000 <= before:
                self._remove_key(key)

    # Buckets

    def bucket(self, bucket_id: str) -> Bucket:
        """Returns a bucket by its ID.

        :raises SimulatedError: 400 `bad_bucket_id`.
        """
        found = self.buckets_by_id.get(bucket_id)
        if found is None:
            raise errors.no_such_bucket(bucket_id)
        return found

    def bucket_named(self, bucket_name: str) -> Bucket:
        """Returns a bucket by its name.

        :raises SimulatedError: 404.
        """
        found = self.find_bucket_named(bucket_name)
        if found is None:
            raise errors.no_such_bucket_name(bucket_name)
        return found

    def find_bucket_named(self, bucket_name: str) -> Bucket | None:
        """Returns a bucket by its name, or None."""
        return self.buckets_by_name.get(self._folded(bucket_name))

    def _folded(self, bucket_name: str) -> str:
        # Names are unique whatever their case; b2sdk's simulator tells upper from lower case.
        return bucket_name if self.profile.counted_ids else bucket_name.lower()

    def create_bucket(
        self,
        account_id: str,
        new_id: Callable[[], str],
        bucket_name: str,
        settings: BucketSettings,
    ) -> Bucket:
        """Adds a bucket.

        :param new_id: makes its ID, if it is not refused.
        :raises SimulatedError: 400.
        """
        characters = self.profile.options.bucket_name_characters
        rules.check_bucket_name(bucket_name, characters if self.profile.checks_names else None)
        if self.profile.checks_settings:
            check_settings(settings, self.profile)
        if self._folded(bucket_name) in self.buckets_by_name:
            raise errors.bucket_name_taken(bucket_name)
        if self.profile.checks_settings and len(self.buckets_by_id) >= _MAX_BUCKETS:
            raise errors.bad_request(
                f'Account has {_MAX_BUCKETS} buckets already', 'too_many_buckets'
            )
        if self.profile.acts_on_rules and settings.replication is not None:
            checked = replication.checked(self, account_id, None, settings.replication)
            settings = replace(settings, replication=checked)
        bucket_id = new_id()
        bucket = self._make_bucket(
            self, account_id, bucket_id, bucket_name, settings.bucket_type or '', settings
        )
        self.journal.save_bucket(bucket)
        self.add_bucket(bucket)
        return bucket

    def add_bucket(self, bucket: Bucket) -> None:
        """Makes a bucket known by its ID and name."""
        self.buckets_by_id[bucket.bucket_id] = bucket
        self.buckets_by_name[self._folded(bucket.bucket_name)] = bucket

    def delete_bucket(self, bucket: Bucket) -> None:
        """Removes a bucket.

        :raises SimulatedError: 400 `cannot_delete_non_empty_bucket`.
        """
        if self.profile.checks_deletion and not bucket.is_empty():
            raise errors.bad_request(
                'Cannot delete non-empty bucket', 'cannot_delete_non_empty_bucket'
            )
        self.journal.remove_bucket(bucket)
        # The answer of B2 shows a revision more.
        bucket.revision += 0 if self.profile.counted_ids else 1
        del self.buckets_by_id[bucket.bucket_id]
        del self.buckets_by_name[self._folded(bucket.bucket_name)]

    def buckets(
        self, key: Key, bucket_id: str | None = None, bucket_name: str | None = None
    ) -> list[Bucket]:
        """Returns the account's buckets of that ID and name, by name.

        :raises SimulatedError: 401 if the key is restricted to buckets and asks for others.
        """
        found = [
            bucket
            for bucket in self.buckets_by_id.values()
            if bucket.account_id == key.account_id
            and bucket_id in (None, bucket.bucket_id)
            and (
                bucket_name is None or self._folded(bucket_name) == self._folded(bucket.bucket_name)
            )
        ]
        if key.buckets_or_none is not None:
            if bucket_id is None and bucket_name is None:
                if not self.profile.options.lists_allowed_buckets:
                    raise errors.unauthorized()
                found = [bucket for bucket in found if key.covers_bucket(bucket)]
            if not all(map(key.covers_bucket, found)):
                raise errors.unauthorized()
        return sorted(found, key=lambda bucket: bucket.bucket_name)

    # Files

    def remember_file(self, file_id: str, bucket_id: str) -> None:
        self.file_id_to_bucket_id[file_id] = bucket_id

    def forget_file(self, file_id: str) -> None:
        # Counted IDs occur in several buckets; the last one stays known, as b2sdk's users know it.
        if not self.profile.counted_ids:
            del self.file_id_to_bucket_id[file_id]

    def bucket_of(self, file_id: str) -> Bucket | None:
        """Returns the bucket that a file ID belongs to, or None."""
        bucket_id = self.file_id_to_bucket_id.get(file_id)
        return None if bucket_id is None else self.buckets_by_id.get(bucket_id)

    def file(self, file_id: str) -> File:
        """Returns a version, hide marker or unfinished file by its ID.

        :raises SimulatedError: 404.
        """
        bucket = self.bucket_of(file_id)
        if bucket is None:
            raise errors.not_found(file_id)
        return bucket.file(file_id)

    # What happens by itself

    def replicate(self) -> None:
        """Makes the replicas whose time has come."""
        if self.waiting_replicas:
            with self.lock:
                replication.run(self)

    # Uploads and downloads

    def add_download_token(self, token: str, granted: DownloadToken) -> None:
        """Makes a token good for downloads by name."""
        self.journal.add_download_token(token, granted)
        self.download_tokens[token] = granted

    def add_upload_token(
        self, token: str, bucket: Bucket, key: Key, file_id: str | None = None
    ) -> None:
        """Makes a token good for uploads into a bucket, or of parts of a large file."""
        self.upload_tokens[token] = UploadToken(bucket, file_id, key, self._expiry(key))

    def drop_upload_token(self, token: str) -> None:
        """Ends an upload token because an upload with it was refused."""
        self.upload_tokens.pop(token, None)

    @contextmanager
    def upload_with(self, token: str | None, age: float = 0.0) -> Iterator[UploadToken]:
        """Claims an upload token for one upload.

        :param age: seconds since the upload began, which its body took to arrive.
        :raises SimulatedError: 401 if it is none or has expired; 400 `auth_token_limit` while
            another upload uses it.
        """
        with self.lock:
            found = self.upload_tokens.get(token or '')
            if found is None or token is None:
                raise errors.bad_auth_token()
            if self.is_expired(token, found.expires):
                raise errors.expired_auth_token()
            if found.in_use or time.monotonic() - age < found.ended:
                raise errors.token_in_use(self.profile.options.concurrent_upload_code)
            found.in_use = True
        try:
            yield found
        finally:
            found.ended = time.monotonic()
            found.in_use = False
