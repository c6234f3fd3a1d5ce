"""Deliveries of event notifications, as the target of a rule sees them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from b2fast import B2Api, Bucket, InMemoryAccountInfo, RetryPolicy
from b2fast.simulator import SimulatorServer

from ..helpers import Clock
from .receiver import Receiver, receiver

NOW = 1_700_000_000_000
ALL = [
    'b2:ObjectCreated:*',
    'b2:ObjectDeleted:*',
    'b2:HideMarkerCreated:*',
    'b2:MultipartUploadCreated:*',
]


@pytest.fixture
def target() -> Iterator[Receiver]:
    with receiver() as target:
        yield target
        assert target.forged == []


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(
        clock=Clock(NOW),
        minimum_part_size=5,
        recommended_part_size=5,
        webhook_retries=RetryPolicy(attempts=3, first_delay=0.001, max_delay=0.01),
    ) as server:
        yield server


@pytest.fixture
def bucket(server: SimulatorServer) -> Bucket:
    api = B2Api(InMemoryAccountInfo())
    api.authorize_account(server.key_id, server.key, server.url)
    return api.create_bucket('a-bucket', 'allPrivate')


def watch(bucket: Bucket, target: Receiver, *event_types: str) -> None:
    """Sets a rule for each event type."""
    bucket.set_notification_rules(
        [
            target.rule(event_type, name=f'rule-{number}')
            for number, event_type in enumerate(event_types)
        ]
    )


def test_every_call_that_changes_files_is_told(
    server: SimulatorServer, bucket: Bucket, target: Receiver
) -> None:
    watch(bucket, target, *ALL)
    small = bucket.upload_bytes(b'data', 'small')
    large = bucket.upload_bytes(b'0123456789', 'large')
    copy = bucket.copy(small.id_, 'copy')
    marker = bucket.hide_file('small')
    bucket.delete_file_version(copy.id_, 'copy')
    bucket.delete_file_version(marker.id_, 'small')
    session = bucket.api.session
    unfinished = session.start_large_file(bucket.id_, 'never', 'text/plain', {})
    session.cancel_large_file(unfinished['fileId'])
    server.flush_webhooks()

    told = {event['eventId']: event for event in target.events}
    assert len(told) == 8
    common = {
        'accountId': server.account_id,
        'bucketId': bucket.id_,
        'bucketName': 'a-bucket',
        'eventTimestamp': NOW,
        'eventVersion': 1,
    }
    created, deleted, hidden, started = (f'rule-{number}' for number in range(4))
    wanted: list[tuple[str, str, str, int | None, str]] = [
        ('b2:ObjectCreated:Upload', created, 'small', 4, small.id_),
        ('b2:ObjectCreated:MultipartUpload', created, 'large', 10, large.id_),
        ('b2:ObjectCreated:Copy', created, 'copy', 4, copy.id_),
        ('b2:ObjectDeleted:Delete', deleted, 'copy', None, copy.id_),
        ('b2:ObjectDeleted:Delete', deleted, 'small', None, marker.id_),
        ('b2:HideMarkerCreated:Hide', hidden, 'small', None, marker.id_),
        ('b2:MultipartUploadCreated:LiveRead', started, 'large', None, large.id_),
        ('b2:MultipartUploadCreated:LiveRead', started, 'never', None, unfinished['fileId']),
    ]
    for kind, rule, name, size, file_id in wanted:
        event = {
            **common,
            'eventType': kind,
            'matchedRuleName': rule,
            'objectName': name,
            'objectSize': size,
            'objectVersionId': file_id,
        }
        assert [
            {key: value for key, value in found.items() if key != 'eventId'}
            for found in told.values()
        ].count(event) == 1
    # The events of one rule keep their order.
    assert [
        event['objectName'] for event in target.events if event['matchedRuleName'] == created
    ] == [
        'small',
        'large',
        'copy',
    ]
    assert all(len(batch) == 1 for batch in target.batches)


@pytest.mark.parametrize('lifecycle', [False, True])
def test_what_a_lifecycle_rule_does_has_a_type_of_its_own(
    server: SimulatorServer, bucket: Bucket, target: Receiver, lifecycle: bool
) -> None:
    watch(bucket, target, 'b2:HideMarkerCreated:LifecycleRule', 'b2:ObjectDeleted:LifecycleRule')
    file = bucket.upload_bytes(b'data', 'name')
    if lifecycle:
        with server._service.lock:
            inside = server._service.bucket(bucket.id_)
            inside.hide_by_rule('name')
            inside.delete_by_rule(inside.file(file.id_))
    else:
        bucket.hide_file('name')
        bucket.delete_file_version(file.id_, 'name')
    server.flush_webhooks()
    assert target.seen == (
        [
            ('b2:HideMarkerCreated:LifecycleRule', 'name'),
            ('b2:ObjectDeleted:LifecycleRule', 'name'),
        ]
        if lifecycle
        else []
    )


def test_a_request_says_what_it_is(
    server: SimulatorServer, bucket: Bucket, target: Receiver
) -> None:
    headers = [{'name': 'X-Of-Mine', 'value': 'ä b'}, {'name': 'user-agent', 'value': 'me'}]
    url = target.url + '/a%20b?c=d#e'
    rule = target.rule('b2:ObjectCreated:Upload', target={'customHeaders': headers, 'url': url})
    bucket.set_notification_rules([rule])
    bucket.upload_bytes(b'data', 'ä\\"')
    server.flush_webhooks()
    [sent] = target.headers
    assert sent['Content-Type'] == 'application/json'
    assert sent['X-Of-Mine'].encode('latin-1').decode() == 'ä b'
    assert sent['user-agent'] == 'me'
    assert 'User-Agent' not in sent
    assert [event['objectName'] for event in target.events] == ['ä\\"']
    [delivery] = server.deliveries
    assert delivery.url == url
    assert delivery.bucket_name == 'a-bucket'
    assert delivery.rule_name == 'the-rule'
    assert (delivery.attempt, delivery.status, delivery.error) == (1, 200, None)
    assert list(delivery.events) == target.events


@pytest.mark.parametrize(
    ('fields', 'seen'),
    [
        ({'objectNamePrefix': 'in/'}, ['in/x']),
        ({'objectNamePrefix': 'in/x'}, ['in/x']),
        ({'objectNamePrefix': 'out/'}, []),
        ({'isEnabled': False}, []),
        ({'eventTypes': ['b2:ObjectCreated:Copy']}, []),
        ({'eventTypes': ['b2:ObjectCreated:Copy', 'b2:ObjectCreated:Upload']}, ['in/x', 'x']),
    ],
)
def test_only_matching_rules_in_force_get_events(
    server: SimulatorServer,
    bucket: Bucket,
    target: Receiver,
    fields: dict[str, Any],
    seen: list[str],
) -> None:
    bucket.set_notification_rules([target.rule('b2:ObjectCreated:*', **fields)])
    other = bucket.api.create_bucket('other-bucket', 'allPrivate')
    for name in ('in/x', 'x'):
        bucket.upload_bytes(b'data', name)
        other.upload_bytes(b'data', name)
    server.flush_webhooks()
    assert [name for _, name in target.seen] == seen


def test_each_matching_rule_gets_an_event_of_its_own(
    server: SimulatorServer, bucket: Bucket, target: Receiver
) -> None:
    watch(bucket, target, 'b2:ObjectCreated:*', 'b2:ObjectCreated:Upload')
    bucket.upload_bytes(b'data', 'name')
    server.flush_webhooks()
    assert sorted(event['matchedRuleName'] for event in target.events) == ['rule-0', 'rule-1']
    assert len({event['eventId'] for event in target.events}) == 2


def test_refused_calls_are_no_events(
    server: SimulatorServer, bucket: Bucket, target: Receiver
) -> None:
    watch(bucket, target, *ALL)
    for call in (
        lambda: bucket.hide_file('none'),
        lambda: bucket.upload_bytes(b'data', 'name', sha1_sum='0' * 40),
    ):
        with pytest.raises(Exception, match=r'.'):
            call()
    server.flush_webhooks()
    assert target.events == []


def test_what_failed_is_sent_again_as_it_was(
    server: SimulatorServer, bucket: Bucket, target: Receiver
) -> None:
    watch(bucket, target, 'b2:ObjectCreated:*')
    target.answers = [500, 302]
    bucket.upload_bytes(b'data', 'name')
    server.flush_webhooks()
    assert len(target.bodies) == 3
    assert len(set(target.bodies)) == 1
    attempts = [(found.attempt, found.status, found.error) for found in server.deliveries]
    assert attempts == [
        (1, 500, 'the target answered 500'),
        (2, 302, 'the target answered 302'),
        (3, 200, None),
    ]
    assert not bucket.get_notification_rules()[0]['isSuspended']
    # A success in between: the attempts are counted from the start.
    target.answers = [500, 500]
    bucket.upload_bytes(b'data', 'name')
    server.flush_webhooks()
    assert not bucket.get_notification_rules()[0]['isSuspended']


def test_a_rule_that_nobody_answers_is_suspended(
    server: SimulatorServer, bucket: Bucket, target: Receiver
) -> None:
    watch(bucket, target, 'b2:ObjectCreated:*')
    target.answers = [500] * 3
    target.open.clear()
    bucket.upload_bytes(b'data', 'first')
    bucket.upload_bytes(b'data', 'second')
    target.open.set()
    server.flush_webhooks()
    [rule] = bucket.get_notification_rules()
    assert rule['isSuspended']
    assert rule['isEnabled']
    assert rule['suspensionReason'] == (
        '3 attempts at a delivery failed, the last: the target answered 500'
    )
    assert [name for _, name in target.seen] == ['first'] * 3
    given_up = server.deliveries[-1]
    assert given_up.attempt == 0
    assert given_up.error == 'the rule is suspended'
    assert [event['objectName'] for event in given_up.events] == ['second']
    # It gets no more events,
    bucket.upload_bytes(b'data', 'third')
    server.flush_webhooks()
    assert len(target.bodies) == 3
    # until it is set again.
    watch(bucket, target, 'b2:ObjectCreated:*')
    assert not bucket.get_notification_rules()[0]['isSuspended']
    bucket.upload_bytes(b'data', 'fourth')
    server.flush_webhooks()
    assert target.seen[3:] == [('b2:ObjectCreated:Upload', 'fourth')]


def test_a_target_that_is_not_there(server: SimulatorServer, bucket: Bucket) -> None:
    with socket.create_server(('127.0.0.1', 0)) as unused:
        port = unused.getsockname()[1]
    target = Receiver(f'http://127.0.0.1:{port}')
    watch(bucket, target, 'b2:ObjectCreated:*')
    bucket.upload_bytes(b'data', 'name')
    server.flush_webhooks()
    assert [(found.attempt, found.status) for found in server.deliveries] == [
        (1, None),
        (2, None),
        (3, None),
    ]
    assert all('ConnectionRefusedError' in (found.error or '') for found in server.deliveries)
    assert bucket.get_notification_rules()[0]['isSuspended']


def test_a_suspended_rule_does_not_stop_others(
    server: SimulatorServer, bucket: Bucket, target: Receiver
) -> None:
    with receiver() as broken:
        broken.answers = [503] * 3
        bucket.set_notification_rules(
            [
                broken.rule('b2:ObjectCreated:*', name='broken'),
                target.rule('b2:ObjectCreated:*', name='working'),
            ]
        )
        bucket.upload_bytes(b'data', 'name')
        server.flush_webhooks()
    assert {rule['name']: rule['isSuspended'] for rule in bucket.get_notification_rules()} == {
        'broken': True,
        'working': False,
    }
    assert len(target.events) == 1


@pytest.mark.parametrize('place', ['rule', 'target'])
def test_events_that_wait_come_in_batches(
    server: SimulatorServer, bucket: Bucket, target: Receiver, place: str
) -> None:
    number = {'maxEventsPerBatch': 3}
    rule = target.rule(
        'b2:ObjectCreated:*', **({'target': number} if place == 'target' else number)
    )
    bucket.set_notification_rules([rule])
    target.open.clear()
    for name in ('1', '2', '3'):
        bucket.upload_bytes(b'data', name)
    assert target.reached.wait(60)
    for name in ('4', '5', '6', '7', '8'):
        bucket.upload_bytes(b'data', name)
    target.open.set()
    server.flush_webhooks()
    names = [[event['objectName'] for event in batch] for batch in target.batches]
    assert [name for batch in names for name in batch] == list('12345678')
    assert max(map(len, names)) == 3
    assert names[-2:] == [['4', '5', '6'], ['7', '8']] or len(names) > 3


def test_a_full_batch_does_not_wait_for_more(
    server: SimulatorServer, bucket: Bucket, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('b2fast.simulator.webhooks._GATHERING', 1e6)
    bucket.set_notification_rules([target.rule('b2:ObjectCreated:*', maxEventsPerBatch=2)])
    for name in ('1', '2'):
        bucket.upload_bytes(b'data', name)
    server.flush_webhooks()
    assert [[event['objectName'] for event in batch] for batch in target.batches] == [['1', '2']]


@pytest.mark.parametrize('url', ['https://example.com/hook', 'https://192.0.2.1', 'https://[::2]'])
def test_no_call_leaves_the_machine(
    server: SimulatorServer, bucket: Bucket, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[object] = []
    monkeypatch.setattr(
        'http.client.HTTPConnection.connect', lambda connection: called.append(connection.host)
    )
    watch(bucket, Receiver(url), 'b2:ObjectCreated:*')
    bucket.upload_bytes(b'data', 'name')
    server.flush_webhooks()
    assert called == []
    [found] = server.deliveries
    assert (found.url, found.attempt, found.status) == (url, 0, None)
    assert found.error == 'the host is neither loopback nor one of webhook_hosts'
    assert [event['objectName'] for event in found.events] == ['name']
    assert not bucket.get_notification_rules()[0]['isSuspended']


def test_https_on_loopback_needs_no_authority(server: SimulatorServer, bucket: Bucket) -> None:
    with receiver(tls=True) as target:
        watch(bucket, target, 'b2:ObjectCreated:*')
        bucket.upload_bytes(b'data', 'name')
        server.flush_webhooks()
        assert target.url.startswith('https://')
        assert target.seen == [('b2:ObjectCreated:Upload', 'name')]
    assert target.forged == []


def test_hosts_may_be_allowed(target: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.create_connection
    asked: list[str] = []

    def local(address: tuple[str, int], *args: Any, **kwargs: Any) -> Any:
        asked.append(address[0])
        return real(('127.0.0.1', address[1]), *args, **kwargs)

    port = urlsplit(target.url).port
    with SimulatorServer(webhook_hosts=['Receiver.Test']) as server:
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(server.key_id, server.key, server.url)
        bucket = api.create_bucket('a-bucket', 'allPrivate')
        target.url = f'http://receiver.test:{port}/'
        watch(bucket, target, 'b2:ObjectCreated:*')
        monkeypatch.setattr('socket.create_connection', local)
        server.send_test_event('a-bucket', 'rule-0')
        server.flush_webhooks()
    assert asked == ['receiver.test']
    [event] = target.events
    assert event['eventType'] == 'b2:TestEvent'
    assert event['matchedRuleName'] == 'rule-0'
    assert (event['objectName'], event['objectSize'], event['objectVersionId']) == (None,) * 3


def test_proxies_of_the_environment_are_not_asked(
    server: SimulatorServer, bucket: Bucket, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(bucket, target, 'b2:ObjectCreated:*')
    monkeypatch.setenv('http_proxy', 'http://127.0.0.1:1')
    server.send_test_event('a-bucket', 'rule-0')
    server.flush_webhooks()
    assert len(target.events) == 1


def test_a_slow_target_delays_no_call_and_not_the_end(target: Receiver) -> None:
    with SimulatorServer() as server:
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(server.key_id, server.key, server.url)
        bucket = api.create_bucket('a-bucket', 'allPrivate')
        watch(bucket, target, 'b2:ObjectCreated:*')
        target.open.clear()
        for number in range(20):
            bucket.upload_bytes(b'data', f'{number}')
        assert target.reached.wait(60)
        # Nothing was answered yet: the uploads did not wait for it.
        assert server.deliveries == []
        with pytest.raises(TimeoutError, match='20 events'):
            server.flush_webhooks(0.01)
        started = time.monotonic()
    # Far below the time-out of the delivery that hangs.
    assert time.monotonic() - started < 5
    assert [thread.name for thread in threading.enumerate()].count('b2fast-webhooks') == 0
    assert len(target.bodies) == 1


def test_the_queue_is_bounded(
    server: SimulatorServer, bucket: Bucket, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('b2fast.simulator.webhooks._MOST_WAITING', 2)
    watch(bucket, target, 'b2:ObjectCreated:*')
    target.open.clear()
    for name in ('1', '2', '3'):
        bucket.upload_bytes(b'data', name)
    [lost] = server.deliveries
    assert (lost.attempt, lost.error) == (0, '2 events are waiting already')
    assert [event['objectName'] for event in lost.events] == ['3']
    target.open.set()
    server.flush_webhooks()
    bucket.upload_bytes(b'data', '4')
    server.flush_webhooks()
    assert [name for _, name in target.seen] == ['1', '2', '4']


def test_a_replaced_rule_still_gets_what_happened_before(
    server: SimulatorServer, bucket: Bucket, target: Receiver
) -> None:
    watch(bucket, target, 'b2:ObjectCreated:*')
    target.open.clear()
    for name in ('1', '2'):
        bucket.upload_bytes(b'data', name)
    bucket.set_notification_rules([])
    bucket.upload_bytes(b'data', '3')
    target.open.set()
    server.flush_webhooks()
    assert [name for _, name in target.seen] == ['1', '2']


def test_no_secret_shows(server: SimulatorServer, bucket: Bucket, target: Receiver) -> None:
    header = {'name': 'X-Token', 'value': 'of-the-header'}
    bucket.set_notification_rules(
        [target.rule('b2:ObjectCreated:*', target={'customHeaders': [header]})]
    )
    bucket.upload_bytes(b'data', 'name')
    server.flush_webhooks()
    [rule] = bucket.get_notification_rules()
    shown = repr(server.deliveries)
    assert str(rule['targetConfiguration']['hmacSha256SigningSecret']) not in shown
    assert 'of-the-header' not in shown
