"""b2sdk sets up notifications and replication at the HTTP server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from b2sdk.v3 import (
    B2Api,
    Bucket,
    InMemoryAccountInfo,
    ReplicationConfiguration,
    ReplicationSetupHelper,
    ReplicationStatus,
    notification_rule_response_to_request,
)
from b2sdk.v3.exception import BadRequest

from b2fast.simulator import SimulatorServer


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(replication_delay=60) as server:
        yield server


@pytest.fixture
def api(server: SimulatorServer) -> B2Api:
    api = B2Api(InMemoryAccountInfo())
    api.authorize_account(
        application_key_id=server.key_id, application_key=server.key, realm=server.url
    )
    return api


def rule(*event_types: str, **fields: Any) -> Any:
    return {
        'name': 'the-rule',
        'eventTypes': list(event_types),
        'isEnabled': True,
        'objectNamePrefix': '',
        'targetConfiguration': {
            'targetType': 'webhook',
            'url': 'https://example.com/hook',
            'customHeaders': [],
            'hmacSha256SigningSecret': 's' * 32,
        },
        **fields,
    }


def test_notification_rules(api: B2Api) -> None:
    bucket = api.create_bucket('a-bucket', 'allPrivate')
    assert bucket.get_notification_rules() == []
    of_the_service = {'isSuspended': False, 'suspensionReason': ''}
    given = [rule('b2:ObjectCreated:*', name='rule-2'), rule('b2:ObjectDeleted:Delete')]
    stored = bucket.set_notification_rules(given)
    assert stored == [entry | of_the_service for entry in given]
    assert bucket.get_notification_rules() == stored
    again = [notification_rule_response_to_request(entry) for entry in stored]
    assert bucket.set_notification_rules(again) == stored
    assert bucket.set_notification_rules([]) == []


@pytest.mark.parametrize(
    ('event_types', 'code'),
    [
        ([], 'event_types_empty'),
        (['b2:Nothing'], 'event_type_invalid'),
        (['b2:ObjectCreated:*', 'b2:ObjectCreated:Copy'], 'event_type_overlap'),
        (['b2:ObjectCreated:*', 'b2:ObjectDeleted:*'], 'event_type_categories'),
    ],
)
def test_wrong_event_types(api: B2Api, event_types: list[str], code: str) -> None:
    bucket = api.create_bucket('a-bucket', 'allPrivate')
    with pytest.raises(BadRequest) as raised:
        bucket.set_notification_rules([rule(*event_types)])
    assert raised.value.code == code


def test_replication(api: B2Api, server: SimulatorServer) -> None:
    source, target = ReplicationSetupHelper().setup_both(
        source_bucket=api.create_bucket('source', 'allPrivate'),
        destination_bucket=api.create_bucket('target', 'allPrivate'),
        name='a-rule',
        prefix='in/',
    )
    found = {bucket.name: bucket.replication for bucket in api.list_buckets()}
    assert found == {'source': source.replication, 'target': target.replication}

    def statuses(bucket: Bucket) -> dict[str, ReplicationStatus | None]:
        return {
            version.file_name: version.replication_status
            for version, _ in bucket.ls(recursive=True)
        }

    source.upload_bytes(b'data', 'in/x')
    source.upload_bytes(b'data', 'x')
    assert statuses(source) == {'in/x': ReplicationStatus.PENDING, 'x': None}
    assert statuses(target) == {}
    server.advance_clock(60)
    assert statuses(source) == {'in/x': ReplicationStatus.COMPLETED, 'x': None}
    assert statuses(target) == {'in/x': ReplicationStatus.REPLICA}
    downloaded = source.download_file_by_name('in/x').download_version
    assert downloaded.replication_status is ReplicationStatus.COMPLETED
    updated = source.update(replication=ReplicationConfiguration())
    assert updated.replication == ReplicationConfiguration()
