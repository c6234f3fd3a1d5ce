"""Setting up the replication of one bucket to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, count
from typing import TYPE_CHECKING, ClassVar

from ..exception import B2Error, Conflict, InvalidArgument, Unauthorized
from ..log import logger_of
from .setting import ReplicationConfiguration, ReplicationRule

if TYPE_CHECKING:
    from ..application_key import ApplicationKey, BaseApplicationKey
    from ..bucket import Bucket

logger = logger_of(__name__)

_NEEDED = ('listBuckets', 'readBucketReplications', 'writeBuckets', 'writeBucketReplications')
_MAX_RULE_NAME = 64
_BUCKET_NAME_IN_KEY_NAME = 91
"""What is left of the 100 characters that B2 allows."""


class ReplicationSetupHelper:
    """Makes the keys and the configurations that replication needs on both sides.

    ::

        source, destination = ReplicationSetupHelper().setup_both(source, destination)

    The buckets may be of two accounts: each is changed by the API object that it comes from. The
    key of that object needs `listBuckets`, `writeBuckets`, `readBucketReplications` and
    `writeBucketReplications`; also `listKeys` if the bucket has keys for replication, and
    `writeKeys` if there is no usable one among them.

    All methods look at both the arguments and the present state of the buckets before they change
    anything, and raise

    - `ValueError` for a rule that cannot be: its name, its priority, the source as destination
    - `BucketIdNotFound` if a bucket is gone
    - `Conflict` if a bucket was changed since the caller asked for it
    - `Unauthorized` if a key lacks a capability

    What fails after the first change says in a note of the exception (`__notes__`), and in the
    log, what has been done, and how to go on.
    """

    PRIORITY_OFFSET: ClassVar[int] = 5
    """How far the priority of a new rule is above those of the others."""
    DEFAULT_PRIORITY: ClassVar[int] = ReplicationRule.DEFAULT_PRIORITY
    """The priority of a bucket's first rule."""
    MAX_PRIORITY: ClassVar[int] = ReplicationRule.MAX_PRIORITY
    DEFAULT_SOURCE_CAPABILITIES: ClassVar[tuple[str, ...]] = (
        'readFiles',
        'readFileLegalHolds',
        'readFileRetentions',
    )
    """What the key of the source has to be able to do."""
    DEFAULT_DESTINATION_CAPABILITIES: ClassVar[tuple[str, ...]] = (
        'writeFiles',
        'writeFileLegalHolds',
        'writeFileRetentions',
        'deleteFiles',
    )
    """What the key of the destination has to be able to do."""

    def setup_both(
        self,
        source_bucket: Bucket,
        destination_bucket: Bucket,
        name: str | None = None,
        priority: int | None = None,
        prefix: str | None = None,
        include_existing_files: bool = False,
    ) -> tuple[Bucket, Bucket]:
        """Replicate a bucket to another one; returns both as they are then.

        The key that reads the source is the one in use there if it has the capabilities and is
        for all file names, else a new one; so is the key that writes the destination.

        :param name: of the new rule; by default the destination's, with a number if that is taken
        :param priority: of the new rule; by default `PRIORITY_OFFSET` above the largest one
        :param prefix: replicate only files whose names begin with it
        :param include_existing_files: also replicate what is there already
        """
        _check_different(source_bucket, destination_bucket)
        source = _present(source_bucket)
        destination = _present(destination_bucket)
        rule = self._new_rule(source, destination, name, priority, prefix, include_existing_files)
        source_key = self._source_key(source)
        destination_key = self._destination_key(destination)
        with _telling_what_is_done() as done:
            if source_key is None:
                source_key = self._create_key(
                    source, '-replisrc', self.DEFAULT_SOURCE_CAPABILITIES, done
                )
            new_destination = self._accept(destination, source_key.id_, destination_key, done)
            done.append(f'bucket {destination.name} accepts what the key {source_key.id_} reads')
            new_source = self._replicate(source, source_key.id_, rule)
        return new_source, new_destination

    def setup_destination(self, source_key_id: str, destination_bucket: Bucket) -> Bucket:
        """Let a bucket accept what a key reads from the source; returns the bucket as it is then.

        :param source_key_id: the ID of the key that the source has, or will have
        """
        if not source_key_id:
            raise InvalidArgument('source_key_id', 'is required')
        destination = _present(destination_bucket)
        key = self._destination_key(destination)
        with _telling_what_is_done() as done:
            return self._accept(destination, source_key_id, key, done)

    def setup_source(
        self,
        source_bucket: Bucket,
        source_key: ApplicationKey,
        destination_bucket: Bucket,
        prefix: str | None = None,
        name: str | None = None,
        priority: int | None = None,
        include_existing_files: bool = False,
    ) -> Bucket:
        """Add a rule to a bucket; returns the bucket as it is then.

        B2 wants the destination to accept the key before; see `setup_destination`. The other
        parameters are those of `setup_both`.

        :param source_key: reads the bucket's files from now on, for all of its rules
        """
        _check_different(source_bucket, destination_bucket)
        source = _present(source_bucket)
        rule = self._new_rule(
            source, destination_bucket, name, priority, prefix, include_existing_files
        )
        return self._replicate(source, source_key.id_, rule)

    def _accept(
        self,
        destination: Bucket,
        source_key_id: str,
        key: BaseApplicationKey | None,
        done: list[str],
    ) -> Bucket:
        if key is None:
            key = self._create_key(
                destination, '-replidst', self.DEFAULT_DESTINATION_CAPABILITIES, done
            )
        old = destination.replication or ReplicationConfiguration()
        keys = {**old.source_to_destination_key_mapping, source_key_id: key.id_}
        return _configured(destination, replace(old, source_to_destination_key_mapping=keys))

    def _replicate(self, source: Bucket, source_key_id: str, rule: ReplicationRule) -> Bucket:
        old = source.replication or ReplicationConfiguration()
        rules = [*old.rules, rule]
        changed = _configured(source, replace(old, rules=rules, source_key_id=source_key_id))
        if old.rules and old.source_key_id != source_key_id:
            logger.warning(
                'all rules of bucket %s use the key %s now, which the destinations of these have '
                'to accept (setup_destination): %s',
                source.name,
                source_key_id,
                ', '.join(other.name for other in old.rules),
            )
        return changed

    def _new_rule(
        self,
        source: Bucket,
        destination: Bucket,
        name: str | None,
        priority: int | None,
        prefix: str | None,
        include_existing_files: bool,
    ) -> ReplicationRule:
        rules = source.replication.rules if source.replication else []
        taken = {rule.name for rule in rules}
        if name is None:
            name = _free_name(destination.name, taken)
        elif name in taken:
            raise InvalidArgument(
                'name', f'is that of a rule which bucket {source.name} has already: {name}'
            )
        if priority is None:
            priority = self._next_priority(rules)
        return ReplicationRule(
            destination_bucket_id=destination.id_,
            name=name,
            file_name_prefix=prefix or '',
            priority=priority,
            include_existing_files=include_existing_files,
        )

    def _next_priority(self, rules: Sequence[ReplicationRule]) -> int:
        if not rules:
            return self.DEFAULT_PRIORITY
        return min(max(rule.priority for rule in rules) + self.PRIORITY_OFFSET, self.MAX_PRIORITY)

    def _source_key(self, source: Bucket) -> BaseApplicationKey | None:
        """The key of the source, or None if a new one is needed and can be made."""
        key_id = source.replication.source_key_id if source.replication else None
        key = _usable_key(source, [key_id] if key_id else [], self.DEFAULT_SOURCE_CAPABILITIES)
        if key is None:
            _check_capabilities(source, 'writeKeys')
        return key

    def _destination_key(self, destination: Bucket) -> BaseApplicationKey | None:
        """The key of the destination, or None if a new one is needed and can be made."""
        keys = destination.replication and destination.replication.source_to_destination_key_mapping
        # Of several keys b2sdk takes that of the last pair.
        key_ids = list(dict.fromkeys(reversed((keys or {}).values())))
        key = _usable_key(destination, key_ids, self.DEFAULT_DESTINATION_CAPABILITIES)
        if key is None:
            _check_capabilities(destination, 'writeKeys')
        return key

    def _create_key(
        self, bucket: Bucket, ending: str, capabilities: Sequence[str], done: list[str]
    ) -> BaseApplicationKey:
        """Make a key for all names of a bucket, and note it.

        It is for all names although the rule may not be: all rules of a bucket share one key, and
        another one for a wider rule would have to be made known to all destinations.
        """
        name = bucket.name[:_BUCKET_NAME_IN_KEY_NAME] + ending
        try:
            key = self._key_for_bucket(bucket, name, list(capabilities))
        except B2Error as error:
            if error.should_retry_http():
                # It was asked for, and nobody knows whether it was made.
                done.append(f'a key {name} may have been made')
            raise
        done.append(f'the key {key.id_} ({name}) was made')
        return key

    def _key_for_bucket(
        self, bucket: Bucket, name: str, capabilities: list[str]
    ) -> BaseApplicationKey:
        return bucket.api.create_key(capabilities, name, bucket_ids=[bucket.id_])


@contextmanager
def _telling_what_is_done() -> Iterator[list[str]]:
    """Notes in an exception, and in the log, what the block has put into the list before it.

    Nothing is taken back: an update whose answer is lost may have been made, and then the key is
    in use.
    """
    done: list[str] = []
    try:
        yield done
    except BaseException as error:
        if done:
            note = (
                f'The replication is set up in part: {"; ".join(done)}. Go on with '
                'setup_destination and setup_source for the same keys, or delete the keys that '
                'were made (B2Api.delete_key_by_id) if no bucket uses them.'
            )
            error.add_note(note)
            logger.warning('%s (%s)', note, type(error).__name__)
        raise


def _check_different(source: Bucket, destination: Bucket) -> None:
    if source.id_ == destination.id_:
        raise InvalidArgument(
            'destination_bucket', f'is the source: bucket {source.name} cannot replicate to itself'
        )


def _present(bucket: Bucket) -> Bucket:
    """The bucket as it is now.

    One from the cache knows nothing of its configuration, and would lose what it has; one that is
    out of date would be refused half way.
    """
    _check_capabilities(bucket, *_NEEDED)
    found = bucket.get_fresh_state()
    if bucket.revision not in (None, found.revision):
        raise Conflict(
            f'bucket {bucket.name} has revision {found.revision} by now, and not '
            f'{bucket.revision}: take what its get_fresh_state() returns'
        )
    return found


def _configured(bucket: Bucket, configuration: ReplicationConfiguration) -> Bucket:
    """The bucket with the configuration, if nobody has changed it since `_present`."""
    try:
        return bucket.update(if_revision_is=bucket.revision, replication=configuration)
    except Conflict:
        # An update whose answer was lost is repeated, and refused since it was made.
        present = bucket.get_fresh_state()
        if present.replication != configuration:
            raise
        return present


def _check_capabilities(bucket: Bucket, *needed: str) -> None:
    # Without readBucketReplications a configuration looks empty, and would be replaced as such.
    has = bucket.api.account_info.get_allowed()['capabilities']
    missing = [capability for capability in needed if capability not in has]
    if missing:
        raise Unauthorized(
            f'the application key lacks {", ".join(missing)}, which the replication of bucket '
            f'{bucket.name} needs',
            'unauthorized',
        )


def _usable_key(
    bucket: Bucket, key_ids: Sequence[str], capabilities: Sequence[str]
) -> BaseApplicationKey | None:
    """The first of the keys that exists, has the capabilities and is for all names."""
    if key_ids:
        _check_capabilities(bucket, 'listKeys')
    for key_id in key_ids:
        key = bucket.api.get_key(key_id)
        if key is None:
            problem = 'does not exist any more'
        elif key.name_prefix:
            problem = f'is restricted to names that begin with {key.name_prefix!r}'
        elif not key.has_capabilities(capabilities):
            problem = f'lacks one of {", ".join(capabilities)}'
        else:
            return key
        logger.info('the replication key %s of bucket %s %s', key_id, bucket.name, problem)
    return None


def _free_name(bucket_name: str, taken: set[str]) -> str:
    endings = chain([''], map(str, count(2)))
    names = (bucket_name[: _MAX_RULE_NAME - len(ending)] + ending for ending in endings)
    return next(name for name in names if name not in taken)
