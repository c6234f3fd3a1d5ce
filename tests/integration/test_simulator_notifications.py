"""Event notification rules over HTTP: what the server takes, refuses and answers."""

from __future__ import annotations

from typing import Any

import pytest

from b2fast import B2Api, Bucket, InMemoryAccountInfo, notification_rule_response_to_request
from b2fast.exception import EventTypeOverlapError, Unauthorized
from b2fast.simulator import SimulatorServer

from .simulator_client import Client

GET, SET = 'b2_get_bucket_notification_rules', 'b2_set_bucket_notification_rules'
SECRET = 'x' * 32


@pytest.fixture
def bucket(server: SimulatorServer, bucket_id: str) -> Bucket:
    return authorized(server, server.key_id, server.key).get_bucket_by_id(bucket_id)


def authorized(server: SimulatorServer, key_id: str, key: str) -> B2Api:
    api = B2Api(InMemoryAccountInfo())
    api.authorize_account(key_id, key, server.url)
    return api


def rule(target: dict[str, Any] | None = None, **fields: Any) -> Any:
    webhook = {'targetType': 'webhook', 'url': 'https://example.com/hook'}
    return {
        'name': 'the-rule',
        'eventTypes': ['b2:ObjectCreated:*'],
        'isEnabled': True,
        'objectNamePrefix': '',
        'targetConfiguration': webhook | (target or {}),
        **fields,
    }


def test_rules_come_back_by_name(client: Client, bucket_id: str) -> None:
    second = rule({'hmacSha256SigningSecret': SECRET}, name='rule-2')
    first = rule(
        {'customHeaders': [{'name': 'X-Of-Mine', 'value': 'ä b'}]},
        name='rule-1',
        eventTypes=['b2:HideMarkerCreated:Hide', 'b2:HideMarkerCreated:LifecycleRule'],
        objectNamePrefix='p/',
        isEnabled=False,
        # They are the service's, and ignored.
        isSuspended=True,
        suspensionReason='mine',
    )
    assert client.call(GET, bucketId=bucket_id) == {
        'bucketId': bucket_id,
        'eventNotificationRules': [],
    }
    answer = client.call(SET, bucketId=bucket_id, eventNotificationRules=[second, first])
    assert answer['bucketId'] == bucket_id
    made_up = answer['eventNotificationRules'][0]['targetConfiguration']['hmacSha256SigningSecret']
    assert len(made_up) == 32
    assert made_up.isascii()
    assert made_up.isalnum()
    of_the_service = {'isSuspended': False, 'suspensionReason': ''}
    first['targetConfiguration']['hmacSha256SigningSecret'] = made_up
    second['targetConfiguration']['customHeaders'] = None
    assert answer['eventNotificationRules'] == [first | of_the_service, second | of_the_service]
    assert client.call(GET, bucketId=bucket_id) == answer
    by_get = client.http.get(
        f'{client.server.url}/b2api/v4/{GET}',
        params={'bucketId': bucket_id},
        headers={'Authorization': client.token},
    )
    assert by_get.json() == answer
    answer = client.call(SET, bucketId=bucket_id, eventNotificationRules=[])
    assert answer['eventNotificationRules'] == []


@pytest.mark.parametrize('place', ['rule', 'target'])
def test_batch_size_is_taken_in_both_places(client: Client, bucket_id: str, place: str) -> None:
    number = {'maxEventsPerBatch': 50}
    given = rule(**number) if place == 'rule' else rule(number)
    [stored] = client.call(SET, bucketId=bucket_id, eventNotificationRules=[given])[
        'eventNotificationRules'
    ]
    assert stored.get('maxEventsPerBatch') == (50 if place == 'rule' else None)
    assert stored['targetConfiguration'].get('maxEventsPerBatch') == (
        None if place == 'rule' else 50
    )


HEADER = {'name': 'n', 'value': 'v'}
NO_RULES: list[tuple[Any, str]] = [
    (rule(name='short'), 'bad_request'),
    (rule(name='x' * 64), 'bad_request'),
    (rule(name='under_score'), 'bad_request'),
    (rule(name='b2-reserved'), 'bad_request'),
    (rule(name='new-line\n'), 'bad_request'),
    (rule(name=None), 'bad_request'),
    (rule(eventTypes=[]), 'event_types_empty'),
    (rule(eventTypes=None), 'event_types_empty'),
    (rule(eventTypes=['b2:ObjectCreated:Hide']), 'event_type_invalid'),
    (rule(eventTypes=['b2:TestEvent']), 'event_type_invalid'),
    (rule(eventTypes=['*']), 'event_type_invalid'),
    (rule(eventTypes=[7]), 'event_type_invalid'),
    (rule(eventTypes=['b2:ObjectCreated:*', 'b2:ObjectDeleted:*']), 'event_type_categories'),
    (rule(eventTypes=['b2:ObjectCreated:*', 'b2:ObjectCreated:Copy']), 'event_type_overlap'),
    (rule(eventTypes=['b2:ObjectCreated:Copy', 'b2:ObjectCreated:*']), 'event_type_overlap'),
    (rule(eventTypes=['b2:ObjectDeleted:Delete'] * 2), 'event_type_overlap'),
    (rule(isEnabled='yes'), 'bad_request'),
    (rule(isEnabled=None), 'bad_request'),
    (rule(objectNamePrefix=None), 'bad_request'),
    (rule(maxEventsPerBatch=0), 'bad_request'),
    (rule(maxEventsPerBatch=51), 'bad_request'),
    (rule(maxEventsPerBatch=True), 'bad_request'),
    (rule({'maxEventsPerBatch': 51}), 'bad_request'),
    (rule(targetConfiguration=None), 'bad_request'),
    (rule({'targetType': 'mail'}), 'bad_request'),
    (rule({'targetType': None}), 'bad_request'),
    (rule({'url': None}), 'bad_request'),
    (rule({'url': 'https://'}), 'bad_request'),
    (rule({'url': 'https://example.com/a b'}), 'bad_request'),
    (rule({'url': 'https://example.com:port/'}), 'bad_request'),
    (rule({'url': 'https://user@example.com/'}), 'bad_request'),
    (rule({'url': 'https://[::1/'}), 'bad_request'),
    (rule({'url': 'ftp://127.0.0.1/'}), 'bad_request'),
    # http:// is for loopback, by its very name.
    (rule({'url': 'http://example.com/'}), 'bad_request'),
    (rule({'url': 'http://127.0.0.1.example.com/'}), 'bad_request'),
    (rule({'url': 'http://localhost.example.com/'}), 'bad_request'),
    (rule({'url': 'http://2130706433/'}), 'bad_request'),
    (rule({'url': 'http://0.0.0.0/'}), 'bad_request'),
    (rule({'hmacSha256SigningSecret': 'x' * 31}), 'bad_request'),
    (rule({'hmacSha256SigningSecret': 'x' * 31 + '-'}), 'bad_request'),
    (rule({'hmacSha256SigningSecret': 'ä' * 32}), 'bad_request'),
    (rule({'customHeaders': {'name': 'value'}}), 'bad_request'),
    (rule({'customHeaders': ['n: v']}), 'bad_request'),
    (rule({'customHeaders': [{'name': 'n'}]}), 'bad_request'),
    (rule({'customHeaders': [{'name': 'X-Bz-Mine', 'value': 'v'}]}), 'bad_request'),
    (rule({'customHeaders': [{'name': 'Content-Length', 'value': '7'}]}), 'bad_request'),
    (rule({'customHeaders': [{'name': 'n n', 'value': 'v'}]}), 'bad_request'),
    (rule({'customHeaders': [{'name': 'n', 'value': 'v\r\nx: y'}]}), 'bad_request'),
    # Half of a surrogate pair is no text, wherever it stands.
    (rule({'customHeaders': [{'name': 'n', 'value': '\ud800'}]}), 'bad_json'),
    (rule({'customHeaders': [{'name': 'n', 'value': ' v'}]}), 'bad_request'),
    (rule({'customHeaders': [HEADER, HEADER | {'name': 'N'}]}), 'bad_request'),
    (rule({'customHeaders': [HEADER | {'name': f'n{i}'} for i in range(11)]}), 'bad_request'),
    (rule({'customHeaders': [{'name': 'n', 'value': 'v' * 2048}]}), 'bad_request'),
    # It counts as it is encoded.
    (rule({'customHeaders': [{'name': 'n', 'value': 'ä' * 400}]}), 'bad_request'),
    ('no rule', 'bad_json'),
]


@pytest.mark.parametrize(('given', 'code'), NO_RULES)
def test_what_is_no_rule_is_refused(client: Client, bucket_id: str, given: Any, code: str) -> None:
    former = client.call(SET, bucketId=bucket_id, eventNotificationRules=[rule()])
    rules = [rule(name='other-rule'), given]
    assert client.refused(SET, bucketId=bucket_id, eventNotificationRules=rules) == (400, code)
    assert client.call(GET, bucketId=bucket_id) == former


@pytest.mark.parametrize(
    'given',
    [
        rule({'url': 'http://localhost/'}),
        rule({'url': 'http://127.1.2.3:80'}),
        rule({'url': 'http://[::1]:8080/x?y=z'}),
        rule({'url': 'https://example.com'}),
        rule({'customHeaders': []}),
        rule({'customHeaders': [{'name': 'n', 'value': 'v' * 2047}]}),
        rule({'customHeaders': [HEADER | {'name': f'n{i}'} for i in range(10)]}),
        rule(name='x' * 63, maxEventsPerBatch=1),
        rule(eventTypes=['b2:MultipartUploadCreated:*']),
        rule(eventTypes=['b2:MultipartUploadCreated:LiveRead']),
        rule(eventTypes=['b2:ObjectCreated:Replica', 'b2:ObjectCreated:MultipartReplica']),
    ],
)
def test_unusual_rules(client: Client, bucket_id: str, given: Any) -> None:
    answer = client.call(SET, bucketId=bucket_id, eventNotificationRules=[given])
    [stored] = answer['eventNotificationRules']
    assert {key: stored[key] for key in given if key != 'targetConfiguration'} == {
        key: value for key, value in given.items() if key != 'targetConfiguration'
    }
    assert given['targetConfiguration'].items() <= stored['targetConfiguration'].items()


def test_a_bucket_has_25_rules_of_different_names(client: Client, bucket_id: str) -> None:
    rules = [rule(name=f'rule-{number:02}') for number in range(26)]
    answer = client.call(SET, bucketId=bucket_id, eventNotificationRules=rules[:25])
    assert [found['name'] for found in answer['eventNotificationRules']] == [
        given['name'] for given in rules[:25]
    ]
    assert client.refused(SET, bucketId=bucket_id, eventNotificationRules=rules) == (
        400,
        'bad_request',
    )
    twice = [rule(), rule()]
    assert client.refused(SET, bucketId=bucket_id, eventNotificationRules=twice) == (
        400,
        'bad_request',
    )
    assert client.refused(SET, bucketId=bucket_id) == (400, 'bad_request')


def test_the_bucket_has_to_exist(client: Client) -> None:
    nowhere = 'f' * 24
    assert client.refused(GET, bucketId=nowhere) == (400, 'bad_bucket_id')
    assert client.refused(SET, bucketId=nowhere, eventNotificationRules=[]) == (
        400,
        'bad_bucket_id',
    )


@pytest.mark.parametrize(
    ('capability', 'may_read', 'may_write'),
    [
        ('readBucketNotifications', True, False),
        ('writeBucketNotifications', False, True),
        ('listBuckets', False, False),
    ],
)
def test_capabilities(
    server: SimulatorServer, bucket: Bucket, capability: str, may_read: bool, may_write: bool
) -> None:
    other = bucket.api.create_bucket('other-bucket', 'allPrivate')
    made = bucket.api.create_key([capability, 'listBuckets'], 'a-key', bucket_ids=[bucket.id_])
    session = authorized(server, made.id_, made.application_key).session
    calls: list[tuple[Any, bool]] = [
        (lambda of: session.get_bucket_notification_rules(of.id_), may_read),
        (lambda of: session.set_bucket_notification_rules(of.id_, []), may_write),
    ]
    for call, may in calls:
        if may:
            assert call(bucket) == []
        else:
            with pytest.raises(Unauthorized):
                call(bucket)
        with pytest.raises(Unauthorized):
            call(other)


def test_b2fast_gets_and_sets_rules(bucket: Bucket) -> None:
    assert bucket.get_notification_rules() == []
    stored = bucket.set_notification_rules([rule({'customHeaders': None})])
    assert bucket.get_notification_rules() == stored
    again = [notification_rule_response_to_request(found) for found in stored]
    assert bucket.set_notification_rules(again) == stored
    with pytest.raises(EventTypeOverlapError):
        bucket.set_notification_rules([rule(eventTypes=['b2:ObjectCreated:*'] * 2)])
    assert bucket.set_notification_rules([]) == []
