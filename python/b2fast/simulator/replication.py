"""Replication: what a bucket copies to another one by itself, and when.

A new file that a rule covers is PENDING when its upload is answered. The replica is made when
`Profile.replication_delay` has passed on the clock; `run` looks after that. Existing files, and
those that failed, have their turn in `run_daily`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from b2fast.encryption.types import EncryptionMode
from b2fast.replication.setting import ReplicationConfiguration, ReplicationRule
from b2fast.replication.types import ReplicationStatus

from . import errors, rules

if TYPE_CHECKING:
    from .bucket import Bucket
    from .file import File
    from .state import Service

_MAX_RULES = 2


# Configurations


def checked(
    service: Service, account_id: str, bucket_id: str | None, given: Any
) -> ReplicationConfiguration:
    """Returns a configuration as a bucket keeps it; the caller's objects stay its own.

    :param account_id: the account that owns the bucket.
    :param bucket_id: the bucket that gets it; None while it is created.
    :param given: as in calls, or an object of `ReplicationConfiguration`'s kind. One without
        source and destination ends the replication.
    :raises SimulatedError: 400.
    """
    found = _parsed(given if isinstance(given, Mapping) else given.as_dict())
    present = service.buckets_by_id[bucket_id].replication if bucket_id else None
    accepted = present.source_to_destination_key_mapping if present else {}
    if found.source_key_id is not None:
        _check_key(service, account_id, found.source_key_id, 'readFiles', bucket_id)
    # What is on the other side may be of another account.
    for rule in found.rules:
        if rule.destination_bucket_id not in service.buckets_by_id:
            raise _refused(f'the destination bucket {rule.destination_bucket_id} does not exist')
        if rule.destination_bucket_id == bucket_id:
            raise _refused('a bucket cannot be replicated to itself')
    for source_key, own_key in found.source_to_destination_key_mapping.items():
        if accepted.get(source_key) == own_key:
            # One of them may have been deleted since, which is to be no reason to refuse others.
            continue
        _check_key(service, None, source_key, 'readFiles', None)
        _check_key(service, account_id, own_key, 'writeFiles', bucket_id)
    return found


def _refused(reason: str) -> errors.SimulatedError:
    return errors.bad_request(f'replicationConfiguration: {reason}')


def _check_key(
    service: Service, account_id: str | None, key_id: str, capability: str, bucket_id: str | None
) -> None:
    key = service.keys.get(key_id)
    if key is None or account_id not in (None, key.account_id):
        raise _refused(f'the application key {key_id} does not exist')
    if capability not in key.capabilities:
        raise _refused(f'the application key {key_id} lacks the capability {capability}')
    if bucket_id is not None and not key.covers_bucket(service.bucket(bucket_id)):
        raise _refused(f'the application key {key_id} is for other buckets')


def _parsed(given: Mapping[str, Any]) -> ReplicationConfiguration:
    source = _object(given, 'asReplicationSource')
    destination = _object(given, 'asReplicationDestination')
    key_id = source.get('sourceApplicationKeyId')
    if source and (not isinstance(key_id, str) or not key_id):
        raise _refused('sourceApplicationKeyId is required')
    found = source.get('replicationRules') or []
    if not isinstance(found, list) or len(found) > _MAX_RULES:
        raise _refused(f'replicationRules has to be an array of at most {_MAX_RULES} rules')
    replication_rules = [_parsed_rule(rule) for rule in found]
    if len({rule.name for rule in replication_rules}) < len(replication_rules):
        raise _refused('two rules have the same name')
    mapping = _object(destination, 'sourceToDestinationKeyMapping')
    if not all(isinstance(key, str) and key for pair in mapping.items() for key in pair):
        raise _refused('sourceToDestinationKeyMapping maps IDs of keys to IDs of keys')
    return ReplicationConfiguration(replication_rules, key_id, dict(mapping))


def _object(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _refused(f'{name} has to be an object')
    return value


def _parsed_rule(given: object) -> ReplicationRule:
    if not isinstance(given, Mapping):
        raise _refused('a rule has to be an object')
    name = given.get('replicationRuleName')
    if not isinstance(name, str) or not ReplicationRule.REPLICATION_RULE_REGEX.fullmatch(name):
        raise _refused('replicationRuleName has to be 1 to 64 letters, digits, - and _')

    def field(key: str, kind: type, default: Any) -> Any:
        value = given.get(key)
        value = default if value is None else value
        if type(value) is not kind:
            raise _refused(f'rule {name}: {key} has a wrong type')
        return value

    priority = field('priority', int, ReplicationRule.DEFAULT_PRIORITY)
    if not ReplicationRule.MIN_PRIORITY <= priority <= ReplicationRule.MAX_PRIORITY:
        raise _refused(f'rule {name}: the priority has to be 1 to {ReplicationRule.MAX_PRIORITY}')
    destination = field('destinationBucketId', str, '')
    if not destination:
        raise _refused(f'rule {name}: destinationBucketId is required')
    return ReplicationRule(
        destination_bucket_id=destination,
        name=name,
        file_name_prefix=field('fileNamePrefix', str, ''),
        is_enabled=field('isEnabled', bool, True),
        priority=priority,
        include_existing_files=field('includeExistingFiles', bool, False),
    )


def is_source(configuration: Any | None) -> bool:
    """Tells whether a configuration makes its bucket a source."""
    return configuration is not None and bool(configuration.is_source)


def as_value(configuration: Any | None) -> dict[str, Any] | None:
    """Returns a configuration as bucket objects show it: None if nothing is configured."""
    if configuration is None or not (configuration.is_source or configuration.is_destination):
        return None
    value: dict[str, Any] = configuration.as_dict()
    return value


# Files


def begin(file: File) -> None:
    """Makes a file that has just come into being PENDING if a rule covers it."""
    bucket = file.bucket
    if _rule_for(file) is not None:
        bucket.set_replication_status(file, ReplicationStatus.PENDING)
        due = bucket.profile.clock() + bucket.profile.replication_delay
        bucket.service.waiting_replicas.append((due, file))


def run(service: Service) -> None:
    """Makes the replicas whose time has come."""
    now = service.profile.clock()
    while service.waiting_replicas and service.waiting_replicas[0][0] <= now:
        _, file = service.waiting_replicas.popleft()
        if file.replication_status is ReplicationStatus.PENDING:
            _replicate(file)


def run_daily(service: Service) -> None:
    """Makes the replicas of existing files, those that failed, and all that are waiting."""
    for bucket in list(service.buckets_by_id.values()):
        for file in list(bucket.file_id_to_file.values()):
            rule = _rule_for(file)
            if file.replication_status in (ReplicationStatus.FAILED, ReplicationStatus.PENDING) or (
                file.replication_status is None and rule and rule.include_existing_files
            ):
                _replicate(file)
    service.waiting_replicas.clear()


def _rule_for(file: File) -> ReplicationRule | None:
    """Returns the rule of the highest priority that covers a file."""
    configuration = file.bucket.replication
    if configuration is None or not _can_be_replicated(file):
        return None
    return max(
        (
            rule
            for rule in configuration.rules
            if rule.is_enabled and file.name.startswith(rule.file_name_prefix)
        ),
        key=lambda rule: rule.priority,
        default=None,
    )


def _can_be_replicated(file: File) -> bool:
    encryption = file.server_side_encryption
    return (
        file.is_visible()
        and file.replication_status is not ReplicationStatus.REPLICA
        and (encryption is None or encryption.mode is not EncryptionMode.SSE_C)
        and rules.metadata_size(file.name, file.file_info) <= rules.SHORT_METADATA
    )


def _replicate(file: File) -> None:
    bucket = file.bucket
    if bucket.file_id_to_file.get(file.file_id) is not file:
        # Deleted before its time came.
        return
    destination = _destination(file)
    if destination is not None:
        destination.store_replica(file)
    bucket.set_replication_status(
        file, ReplicationStatus.FAILED if destination is None else ReplicationStatus.COMPLETED
    )


def _destination(file: File) -> Bucket | None:
    """Returns the bucket that gets the replica, if the keys of both sides allow it."""
    bucket, service = file.bucket, file.bucket.service
    rule = _rule_for(file)
    if rule is None or bucket.replication is None:
        return None
    destination = service.buckets_by_id.get(rule.destination_bucket_id)
    if destination is None or destination.replication is None:
        return None
    source_key = bucket.replication.source_key_id
    own_key = destination.replication.source_to_destination_key_mapping.get(source_key)
    if service.key_allows(source_key, 'readFiles', bucket, file.name) and service.key_allows(
        own_key, 'writeFiles', destination, file.name
    ):
        return destination
    return None
