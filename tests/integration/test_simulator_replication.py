"""Replication over HTTP: configurations, what is replicated and when, and what tells of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from b2fast import (
    B2Api,
    Bucket,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    FileRetentionSetting,
    FileVersion,
    InMemoryAccountInfo,
    LegalHold,
    ReplicationConfiguration,
    ReplicationRule,
    ReplicationStatus,
    RetentionMode,
)
from b2fast.exception import BadRequest, SourceReplicationConflict, Unauthorized
from b2fast.simulator import SimulatorServer

from ..helpers import Clock
from .receiver import receiver
from .simulator_client import Client

NOW = 1_700_000_000_000
DAY = 24 * 3600
PENDING, COMPLETED = ReplicationStatus.PENDING, ReplicationStatus.COMPLETED
FAILED, REPLICA = ReplicationStatus.FAILED, ReplicationStatus.REPLICA
SSE_C = EncryptionSetting(
    EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(b'k' * 32, 'key-id')
)


@pytest.fixture
def server(clock: Clock) -> Iterator[SimulatorServer]:
    with SimulatorServer(clock=clock, minimum_part_size=5, recommended_part_size=5) as server:
        yield server


def authorized(server: SimulatorServer, key_id: str, key: str) -> B2Api:
    api = B2Api(InMemoryAccountInfo())
    api.authorize_account(key_id, key, server.url)
    return api


@pytest.fixture
def api(server: SimulatorServer) -> B2Api:
    return authorized(server, server.key_id, server.key)


@pytest.fixture
def source(api: B2Api) -> Bucket:
    return api.create_bucket('source', 'allPrivate')


@pytest.fixture
def target(api: B2Api) -> Bucket:
    return api.create_bucket('target', 'allPrivate')


@pytest.fixture
def keys(source: Bucket, target: Bucket) -> tuple[str, str]:
    """IDs of a key that reads the source and of one that writes the target."""
    make = source.api.create_key
    return (
        make(['readFiles'], 'reader', bucket_ids=[source.id_]).id_,
        make(['writeFiles'], 'writer', bucket_ids=[target.id_]).id_,
    )


def rule(target: Bucket, name: str = 'a-rule', **fields: Any) -> ReplicationRule:
    return ReplicationRule(target.id_, name, **fields)


Replicate = Callable[..., None]


@pytest.fixture
def replicate(source: Bucket, target: Bucket, keys: tuple[str, str]) -> Replicate:
    def replicate(*rules: ReplicationRule) -> None:
        reader, writer = keys
        target.update(
            replication=ReplicationConfiguration(source_to_destination_key_mapping={reader: writer})
        )
        source.update(
            replication=ReplicationConfiguration(
                list(rules or [rule(target)]), source_key_id=reader
            )
        )

    return replicate


def statuses(bucket: Bucket) -> dict[str, ReplicationStatus | None]:
    return {
        version.file_name: version.replication_status
        for version, _ in bucket.ls(recursive=True, latest_only=False)
    }


def versions(bucket: Bucket) -> list[FileVersion]:
    return [version for version, _ in bucket.ls(recursive=True, latest_only=False)]


def content(bucket: Bucket, name: str) -> bytes:
    stream = io.BytesIO()
    bucket.download_file_by_name(name).save(stream)
    return stream.getvalue()


# What is replicated


def test_a_new_file_is_replicated(
    api: B2Api, source: Bucket, target: Bucket, replicate: Replicate, clock: Clock
) -> None:
    replicate()
    file = source.upload_bytes(b'data', 'dir/näme', 'text/x-y', file_info={'key': 'valüe'})
    assert file.replication_status is PENDING
    assert statuses(source) == {'dir/näme': COMPLETED}
    assert api.get_file_info(file.id_).replication_status is COMPLETED
    [replica] = versions(target)
    assert replica.id_ != file.id_
    assert replica.replication_status is REPLICA
    assert replica.file_name == 'dir/näme'
    assert replica.content_type == 'text/x-y'
    assert replica.file_info == {'key': 'valüe'}
    assert replica.content_sha1 == file.content_sha1
    assert replica.upload_timestamp == file.upload_timestamp == NOW
    assert content(target, 'dir/näme') == b'data'
    for bucket, status in ((source, COMPLETED), (target, REPLICA)):
        head = bucket.get_file_info_by_name('dir/näme')
        assert head.replication_status is status
        version = bucket.download_file_by_name('dir/näme').download_version
        assert version.replication_status is status


def test_the_calls_show_statuses_of_covered_files_only(
    client: Client, source: Bucket, target: Bucket, replicate: Replicate
) -> None:
    replicate(rule(target, file_name_prefix='in/'))
    covered = client.store(source.id_, 'in/x')
    other = client.store(source.id_, 'x')
    assert covered['replicationStatus'] == 'PENDING'
    assert 'replicationStatus' not in other
    assert client.call('b2_get_file_info', fileId=covered['fileId'])['replicationStatus'] == (
        'COMPLETED'
    )
    for name in ('b2_list_file_names', 'b2_list_file_versions'):
        files = client.call(name, bucketId=source.id_)['files']
        assert [file.get('replicationStatus') for file in files] == ['COMPLETED', None]
        [file] = client.call(name, bucketId=target.id_)['files']
        assert (file['fileName'], file['replicationStatus']) == ('in/x', 'REPLICA')
    for method in ('HEAD', 'GET'):
        headers = client.download('/file/source/in/x', method).headers
        assert headers['X-Bz-Replication-Status'] == 'COMPLETED'
        headers = client.download('/file/source/x', method).headers
        assert 'X-Bz-Replication-Status' not in headers


def test_large_files_and_copies_are_replicated(
    source: Bucket, target: Bucket, replicate: Replicate
) -> None:
    outside = source.upload_bytes(b'before', 'outside')
    replicate()
    large = source.upload_bytes(b'0123456789', 'large')
    assert large.content_sha1 == 'none'
    copy = source.copy(outside.id_, 'copy')
    assert (large.replication_status, copy.replication_status) == (PENDING, PENDING)
    assert statuses(source) == {'copy': COMPLETED, 'large': COMPLETED, 'outside': None}
    assert statuses(target) == {'copy': REPLICA, 'large': REPLICA}
    replica = target.get_file_info_by_name('large')
    assert replica.size == 10
    assert replica.content_sha1 == 'none'
    assert content(target, 'large') == b'0123456789'


def test_what_is_not_replicated(
    api: B2Api, source: Bucket, target: Bucket, replicate: Replicate, keys: tuple[str, str]
) -> None:
    third = api.create_bucket('third-bucket', 'allPrivate')
    replicate()
    # No chain: the target is itself a source.
    writer = api.create_key(['readFiles', 'writeFiles'], 'both').id_
    third.update(
        replication=ReplicationConfiguration(source_to_destination_key_mapping={writer: writer})
    )
    target.update(
        replication=ReplicationConfiguration(
            [rule(third)],
            source_key_id=writer,
            source_to_destination_key_mapping={keys[0]: keys[1]},
        )
    )
    secret = source.upload_bytes(b'data', 'secret', encryption=SSE_C)
    source.upload_bytes(b'data', 'long', file_info={'key': 'x' * 2042})
    source.upload_bytes(b'data', 'short', file_info={'key': 'x' * 2040})
    api.session.start_large_file(source.id_, 'unfinished', 'text/plain', {})
    source.upload_bytes(b'data', 'hidden')
    marker = source.hide_file('hidden')
    assert secret.replication_status is None
    assert marker.replication_status is None
    assert statuses(source)['long'] is None
    assert statuses(target) == {'short': REPLICA, 'hidden': REPLICA}
    assert versions(third) == []
    for version in versions(source):
        if version.file_name == 'short':
            source.delete_file_version(version.id_, version.file_name)
    assert statuses(target) == {'short': REPLICA, 'hidden': REPLICA}


def test_the_rule_of_the_highest_priority_counts(
    api: B2Api, source: Bucket, target: Bucket, replicate: Replicate, keys: tuple[str, str]
) -> None:
    third = api.create_bucket('third-bucket', 'allPrivate')
    writer = api.create_key(['writeFiles'], 'writer-3').id_
    third.update(
        replication=ReplicationConfiguration(source_to_destination_key_mapping={keys[0]: writer})
    )
    one = rule(target, priority=2)
    replicate(one, rule(third, 'other', priority=3, file_name_prefix='a'))
    source.upload_bytes(b'data', 'ab')
    source.upload_bytes(b'data', 'b')
    assert (statuses(target), statuses(third)) == ({'b': REPLICA}, {'ab': REPLICA})
    replicate(one, rule(third, 'other', priority=3, is_enabled=False))
    source.upload_bytes(b'data', 'ac')
    assert (statuses(target), statuses(third)) == ({'b': REPLICA, 'ac': REPLICA}, {'ab': REPLICA})
    replicate(rule(target, is_enabled=False))
    assert source.upload_bytes(b'data', 'ad').replication_status is None


@pytest.mark.parametrize('target_is_locked', [False, True])
def test_locks_come_along_if_the_target_knows_them(
    api: B2Api, source: Bucket, target: Bucket, replicate: Replicate, target_is_locked: bool
) -> None:
    source.update(is_file_lock_enabled=True)
    if target_is_locked:
        target.update(is_file_lock_enabled=True)
    replicate()
    retention = FileRetentionSetting(RetentionMode.COMPLIANCE, NOW + 1000)
    source.upload_bytes(b'data', 'name', file_retention=retention, legal_hold=LegalHold.ON)
    [replica] = versions(target)
    if target_is_locked:
        assert replica.file_retention == retention
        assert replica.legal_hold is LegalHold.ON
    else:
        assert replica.file_retention is not None
        assert replica.file_retention.mode is RetentionMode.NONE
        assert replica.legal_hold is LegalHold.UNSET


# When


def test_a_delay_makes_pending_files_last(clock: Clock) -> None:
    with SimulatorServer(clock=clock, replication_delay=60) as server:
        api = authorized(server, server.key_id, server.key)
        source = api.create_bucket('source', 'allPrivate')
        target = api.create_bucket('target', 'allPrivate')
        key = server.key_id
        target.update(
            replication=ReplicationConfiguration(source_to_destination_key_mapping={key: key})
        )
        source.update(replication=ReplicationConfiguration([rule(target)], source_key_id=key))
        source.upload_bytes(b'data', 'first')
        gone = source.upload_bytes(b'data', 'gone')
        clock.now += 30_000
        source.upload_bytes(b'data', 'second')
        source.delete_file_version(gone.id_, gone.file_name)
        assert statuses(source) == {'first': PENDING, 'second': PENDING}
        assert versions(target) == []
        clock.now += 30_000
        assert statuses(source) == {'first': COMPLETED, 'second': PENDING}
        assert statuses(target) == {'first': REPLICA}
        clock.now += 30_000
        assert statuses(target) == {'first': REPLICA, 'second': REPLICA}
        assert [version.upload_timestamp for version in versions(target)] == [NOW, NOW + 30_000]
        source.upload_bytes(b'data', 'third')
        # A day brings what the clock alone would.
        server.advance_clock(DAY)
        assert len(versions(target)) == 3
        clock.now += DAY * 1000
        assert len(versions(target)) == 3


@pytest.mark.parametrize('include', [False, True])
def test_existing_files_have_their_turn_once_a_day(
    server: SimulatorServer, source: Bucket, target: Bucket, replicate: Replicate, include: bool
) -> None:
    source.upload_bytes(b'old', 'name')
    source.upload_bytes(b'new', 'name')
    source.upload_bytes(b'data', 'other')
    source.hide_file('other')
    replicate(rule(target, file_name_prefix='n', include_existing_files=include))
    assert versions(target) == []
    for _ in range(2):
        server.advance_clock(DAY)
        found = [(version.file_name, version.replication_status) for version in versions(target)]
        assert found == ([('name', REPLICA)] * 2 if include else [])
    assert {version.replication_status for version in versions(source)} == (
        {COMPLETED, None} if include else {None}
    )
    if include:
        assert content(target, 'name') == b'new'


def test_failures_are_tried_again_the_next_day(
    api: B2Api,
    server: SimulatorServer,
    source: Bucket,
    target: Bucket,
    replicate: Replicate,
    keys: tuple[str, str],
) -> None:
    replicate()
    target.update(replication=ReplicationConfiguration())
    source.upload_bytes(b'data', 'not-accepted')
    assert statuses(source) == {'not-accepted': FAILED}
    replicate()
    assert statuses(source) == {'not-accepted': FAILED}
    server.advance_clock(DAY)
    assert statuses(source) == {'not-accepted': COMPLETED}
    assert statuses(target) == {'not-accepted': REPLICA}

    api.delete_key_by_id(keys[1])
    source.upload_bytes(b'data', 'no-key')
    assert statuses(source)['no-key'] is FAILED
    server.advance_clock(DAY)
    assert statuses(source)['no-key'] is FAILED
    for version in versions(target):
        target.delete_file_version(version.id_, version.file_name)
    api.delete_bucket(target)
    source.upload_bytes(b'data', 'no-bucket')
    assert statuses(source)['no-bucket'] is FAILED


@pytest.mark.parametrize('expired', ['reader', 'writer'])
def test_keys_have_to_be_in_force_and_cover_the_name(
    api: B2Api, server: SimulatorServer, source: Bucket, target: Bucket, expired: str
) -> None:
    made = {
        name: api.create_key(
            [capability],
            name,
            valid_duration_seconds=60 if name == expired else None,
            name_prefix='in/',
            bucket_ids=[bucket.id_],
        ).id_
        for name, capability, bucket in (
            ('reader', 'readFiles', source),
            ('writer', 'writeFiles', target),
        )
    }
    mapping = {made['reader']: made['writer']}
    target.update(replication=ReplicationConfiguration(source_to_destination_key_mapping=mapping))
    source.update(
        replication=ReplicationConfiguration([rule(target)], source_key_id=made['reader'])
    )
    source.upload_bytes(b'data', 'in/x')
    source.upload_bytes(b'data', 'out')
    assert statuses(source) == {'in/x': COMPLETED, 'out': FAILED}
    server.advance_clock(60)
    source.upload_bytes(b'data', 'in/y')
    assert statuses(source)['in/y'] is FAILED


def test_replicas_are_events(
    server: SimulatorServer, source: Bucket, target: Bucket, replicate: Replicate
) -> None:
    replicate()
    with receiver() as webhook:
        target.set_notification_rules([webhook.rule('b2:ObjectCreated:*')])
        source.upload_bytes(b'data', 'small')
        source.upload_bytes(b'0123456789', 'large')
        server.flush_webhooks()
        assert webhook.seen == [
            ('b2:ObjectCreated:Replica', 'small'),
            ('b2:ObjectCreated:MultipartReplica', 'large'),
        ]
        assert [event['objectSize'] for event in webhook.events] == [4, 10]
        assert webhook.events[0]['objectVersionId'] == target.get_file_info_by_name('small').id_


# Configurations


def test_a_configuration_is_shown_and_removed(
    client: Client, source: Bucket, target: Bucket, replicate: Replicate, keys: tuple[str, str]
) -> None:
    def shown(bucket: Bucket) -> Any:
        answer = client.call(
            'b2_list_buckets', accountId=client.server.account_id, bucketId=bucket.id_
        )
        return answer['buckets'][0]['replicationConfiguration']

    assert shown(source) == {'isClientAuthorizedToRead': True, 'value': None}
    replicate()
    assert shown(source) == {
        'isClientAuthorizedToRead': True,
        'value': {
            'asReplicationSource': {
                'replicationRules': [
                    {
                        'destinationBucketId': target.id_,
                        'fileNamePrefix': '',
                        'includeExistingFiles': False,
                        'isEnabled': True,
                        'priority': 128,
                        'replicationRuleName': 'a-rule',
                    }
                ],
                'sourceApplicationKeyId': keys[0],
            },
            'asReplicationDestination': None,
        },
    }
    assert shown(target)['value'] == {
        'asReplicationSource': None,
        'asReplicationDestination': {'sourceToDestinationKeyMapping': {keys[0]: keys[1]}},
    }
    revision = source.get_fresh_state().revision
    source.update(bucket_info={'a': 'b'})
    assert shown(source)['value'] is not None
    source.update(replication=ReplicationConfiguration())
    assert shown(source) == {'isClientAuthorizedToRead': True, 'value': None}
    assert source.get_fresh_state().revision == revision + 2
    source.upload_bytes(b'data', 'name')
    assert versions(target) == []


def test_a_bucket_is_created_as_source(api: B2Api, target: Bucket, server: SimulatorServer) -> None:
    configuration = ReplicationConfiguration([rule(target)], source_key_id=server.key_id)
    bucket = api.create_bucket('created', 'allPrivate', replication=configuration)
    assert bucket.replication == configuration
    assert bucket.upload_bytes(b'data', 'name').replication_status is PENDING


@pytest.mark.parametrize(
    ('capabilities', 'reads', 'writes'),
    [
        (['readBucketReplications'], True, False),
        (['writeBucketReplications'], False, True),
        ([], False, False),
    ],
)
def test_capabilities(
    api: B2Api,
    server: SimulatorServer,
    source: Bucket,
    replicate: Replicate,
    capabilities: list[str],
    reads: bool,
    writes: bool,
) -> None:
    replicate()
    made = api.create_key(['listBuckets', 'writeBuckets', *capabilities], 'a-key')
    session = authorized(server, made.id_, made.application_key).session
    [shown] = session.list_buckets(server.account_id, bucket_id=source.id_)['buckets']
    configuration = shown['replicationConfiguration']
    assert configuration['isClientAuthorizedToRead'] is reads
    assert (configuration['value'] is not None) is reads

    def remove() -> Any:
        return session.update_bucket(
            server.account_id, source.id_, replication=ReplicationConfiguration()
        )

    if writes:
        remove()
    else:
        with pytest.raises(Unauthorized):
            remove()
    assert (source.get_fresh_state().replication == ReplicationConfiguration()) is writes


def test_the_source_of_a_replication_cannot_be_locked(
    source: Bucket, target: Bucket, replicate: Replicate, keys: tuple[str, str]
) -> None:
    configuration = ReplicationConfiguration([rule(target)], source_key_id=keys[0])
    with pytest.raises(SourceReplicationConflict):
        source.update(is_file_lock_enabled=True, replication=configuration)
    replicate()
    with pytest.raises(SourceReplicationConflict):
        source.update(is_file_lock_enabled=True)
    target.update(is_file_lock_enabled=True)
    source.update(replication=ReplicationConfiguration())
    source.update(is_file_lock_enabled=True)


def source_of(**fields: Any) -> dict[str, Any]:
    return {'asReplicationSource': {'sourceApplicationKeyId': 'READER', **fields}}


def one_rule(**fields: Any) -> dict[str, Any]:
    given = {'destinationBucketId': 'TARGET', 'replicationRuleName': 'a-rule', **fields}
    return source_of(replicationRules=[given])


def mapping(*pair: Any) -> dict[str, Any]:
    return {'asReplicationDestination': {'sourceToDestinationKeyMapping': dict([pair])}}


OTHER = {'destinationBucketId': 'TARGET', 'replicationRuleName': 'other'}


@pytest.mark.parametrize(
    'given',
    [
        {'asReplicationSource': []},
        {'asReplicationDestination': 'x'},
        {'asReplicationSource': {'replicationRules': [OTHER]}},
        source_of(replicationRules={}, sourceApplicationKeyId=''),
        source_of(replicationRules='rule'),
        source_of(replicationRules=['rule']),
        source_of(sourceApplicationKeyId=7),
        source_of(sourceApplicationKeyId='no-such-key'),
        # A key that may not read, and one for another bucket.
        source_of(sourceApplicationKeyId='WRITER'),
        source_of(sourceApplicationKeyId='ELSEWHERE'),
        source_of(replicationRules=[OTHER, OTHER]),
        source_of(replicationRules=[OTHER | {'replicationRuleName': name} for name in 'abc']),
        one_rule(replicationRuleName=''),
        one_rule(replicationRuleName='x' * 65),
        one_rule(replicationRuleName='no space'),
        one_rule(replicationRuleName='line\n'),
        one_rule(replicationRuleName=None),
        one_rule(priority=0),
        one_rule(priority=2**31),
        one_rule(priority='128'),
        one_rule(priority=True),
        one_rule(isEnabled='true'),
        one_rule(includeExistingFiles=1),
        one_rule(fileNamePrefix=7),
        one_rule(destinationBucketId=None),
        one_rule(destinationBucketId=''),
        one_rule(destinationBucketId='f' * 24),
        one_rule(destinationBucketId='SOURCE'),
        mapping('READER', 'no-such-key'),
        mapping('no-such-key', 'WRITER'),
        mapping('WRITER', 'WRITER'),
        mapping('READER', 'READER'),
        mapping('READER', ''),
        mapping('READER', None),
    ],
)
def test_what_is_no_configuration_is_refused(
    client: Client, source: Bucket, target: Bucket, keys: tuple[str, str], given: Any
) -> None:
    elsewhere = source.api.create_key(['readFiles'], 'elsewhere', bucket_ids=[target.id_]).id_
    known = {
        'READER': keys[0],
        'WRITER': keys[1],
        'ELSEWHERE': elsewhere,
        'SOURCE': source.id_,
        'TARGET': target.id_,
    }

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {known.get(key, key): filled(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [filled(entry) for entry in value]
        return known.get(value, value) if isinstance(value, str) else value

    bucket_id = target.id_ if 'asReplicationDestination' in given else source.id_
    before = client.server._service.bucket(bucket_id).revision
    refused = client.refused(
        'b2_update_bucket',
        accountId=client.server.account_id,
        bucketId=bucket_id,
        replicationConfiguration=filled(given),
    )
    assert refused == (400, 'bad_request')
    bucket = client.server._service.bucket(bucket_id)
    assert (bucket.replication, bucket.revision) == (None, before)


def test_longest_names_and_highest_priorities_are_taken(
    source: Bucket, target: Bucket, replicate: Replicate
) -> None:
    rules = [
        rule(target, 'x' * 64, priority=1),
        rule(target, '_-A0', priority=2**31 - 1, file_name_prefix='a', include_existing_files=True),
    ]
    replicate(*rules)
    found = source.get_fresh_state().replication
    assert found is not None
    assert found.rules == rules


def test_the_error_says_what_is_wrong(source: Bucket, target: Bucket, keys: Any) -> None:
    configuration = ReplicationConfiguration(
        [ReplicationRule('0' * 24, 'a-rule')], source_key_id=keys[0]
    )
    with pytest.raises(BadRequest, match=r'destination bucket 0{24} does not exist'):
        source.update(replication=configuration)
