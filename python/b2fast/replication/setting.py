"""What a bucket replicates where, and what it takes from other buckets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self


@dataclass
class ReplicationRule:
    """Copies new files of a bucket to another one.

    :param destination_bucket_id: the bucket that gets the copies
    :param name: 1 to 64 letters, digits, ``-`` and ``_``
    :param file_name_prefix: only files whose names begin with it
    :param priority: 1 to 2147483647; the largest one wins where two rules cover a file
    :param include_existing_files: also copy what was there before the rule
    """

    DEFAULT_PRIORITY: ClassVar[int] = 128
    MIN_PRIORITY: ClassVar[int] = 1
    MAX_PRIORITY: ClassVar[int] = 2**31 - 1
    REPLICATION_RULE_REGEX: ClassVar[re.Pattern[str]] = re.compile(r'^[a-zA-Z0-9_\-]{1,64}$')

    destination_bucket_id: str
    name: str
    file_name_prefix: str = ''
    is_enabled: bool = True
    priority: int = DEFAULT_PRIORITY
    include_existing_files: bool = False

    def __post_init__(self) -> None:
        if not self.destination_bucket_id:
            raise ValueError('destination_bucket_id is required')
        if not self.REPLICATION_RULE_REGEX.match(self.name):
            raise ValueError('replication rule name is invalid')
        if not self.MIN_PRIORITY <= self.priority <= self.MAX_PRIORITY:
            raise ValueError(
                f'priority should be within [{self.MIN_PRIORITY}, {self.MAX_PRIORITY}] interval'
            )

    def as_dict(self) -> dict[str, Any]:
        """The rule as B2 writes it."""
        return {
            'destinationBucketId': self.destination_bucket_id,
            'fileNamePrefix': self.file_name_prefix,
            'includeExistingFiles': self.include_existing_files,
            'isEnabled': self.is_enabled,
            'priority': self.priority,
            'replicationRuleName': self.name,
        }

    @classmethod
    def from_dict(cls, value_dict: Mapping[str, Any]) -> Self:
        """Made from a rule as B2 writes it."""
        return cls(
            destination_bucket_id=value_dict['destinationBucketId'],
            name=value_dict['replicationRuleName'],
            file_name_prefix=value_dict['fileNamePrefix'],
            is_enabled=value_dict['isEnabled'],
            priority=value_dict['priority'],
            include_existing_files=value_dict['includeExistingFiles'],
        )


@dataclass
class ReplicationConfiguration:
    """Both directions of a bucket's replication.

    :param rules: where the bucket's files are copied to
    :param source_key_id: the key that reads them; needed with rules
    :param source_to_destination_key_mapping: for files that come from other buckets: IDs of
                the keys that read them, to IDs of the keys that write them here
    """

    rules: list[ReplicationRule] = field(default_factory=list)
    source_key_id: str | None = None
    source_to_destination_key_mapping: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rules and not self.source_key_id:
            raise ValueError('source_key_id must not be empty')
        for source, destination in self.source_to_destination_key_mapping.items():
            if not source or not destination:
                raise ValueError(
                    'source_to_destination_key_mapping must not contain empty keys or values: '
                    f'({source}, {destination})'
                )

    @property
    def is_source(self) -> bool:
        """Are files copied from here?"""
        return bool(self.source_key_id)

    @property
    def is_destination(self) -> bool:
        """Are files copied to here?"""
        return bool(self.source_to_destination_key_mapping)

    def get_source_configuration_as_dict(self) -> dict[str, Any]:
        """The parameters of this class that make a bucket a source."""
        return {'rules': self.rules, 'source_key_id': self.source_key_id}

    def get_destination_configuration_as_dict(self) -> dict[str, Any]:
        """The parameters of this class that make a bucket a destination."""
        return {'source_to_destination_key_mapping': self.source_to_destination_key_mapping}

    def as_dict(self) -> dict[str, Any]:
        """The configuration as B2 writes it."""
        source = {
            'replicationRules': [rule.as_dict() for rule in self.rules],
            'sourceApplicationKeyId': self.source_key_id,
        }
        destination = {'sourceToDestinationKeyMapping': self.source_to_destination_key_mapping}
        return {
            'asReplicationSource': source if self.source_key_id else None,
            'asReplicationDestination': (
                destination if self.source_to_destination_key_mapping else None
            ),
        }

    def serialize_to_json_for_request(self) -> dict[str, Any]:
        """The configuration as calls send it."""
        return self.as_dict()

    @classmethod
    def from_dict(cls, value_dict: Mapping[str, Any]) -> Self:
        """Made from a configuration as B2 writes it."""
        source = value_dict.get('asReplicationSource') or {}
        destination = value_dict.get('asReplicationDestination') or {}
        return cls(
            rules=[ReplicationRule.from_dict(rule) for rule in source.get('replicationRules', ())],
            source_key_id=source.get('sourceApplicationKeyId'),
            source_to_destination_key_mapping=dict(
                destination.get('sourceToDestinationKeyMapping') or {}
            ),
        )


@dataclass
class ReplicationConfigurationFactory:
    """The configuration in a bucket's data, and whether the key may see it."""

    is_client_authorized_to_read: bool
    value: ReplicationConfiguration | None

    @classmethod
    def from_bucket_dict(cls, bucket_dict: Mapping[str, Any]) -> Self:
        """Made from a bucket object of B2; without any configuration it is an empty one."""
        wrapped = bucket_dict.get('replicationConfiguration') or {
            'isClientAuthorizedToRead': True,
            'value': None,
        }
        return cls(
            wrapped['isClientAuthorizedToRead'],
            ReplicationConfiguration.from_dict(wrapped['value'] or {}),
        )
