"""b2sdk against the simulator: rules of event notifications, and replication."""

from __future__ import annotations

import io

from b2sdk import v3 as b2sdk

from ..integration.receiver import receiver
from .sdk import World, content, names

LARGE = bytes(range(251)) * 40


def test_notifications_arrive_signed(world: World) -> None:
    bucket = world.new_bucket()
    with receiver() as target:
        rule = target.rule('b2:ObjectCreated:*', objectNamePrefix='seen/')
        rules = bucket.set_notification_rules([rule])
        assert bucket.get_notification_rules() == rules
        bucket.upload_bytes(b'data', 'seen/small')
        bucket.upload_bytes(b'data', 'not seen')
        bucket.upload_bytes(LARGE, 'seen/large')
        world.server.flush_webhooks()
        assert target.seen == [
            ('b2:ObjectCreated:Upload', 'seen/small'),
            ('b2:ObjectCreated:MultipartUpload', 'seen/large'),
        ]
        assert target.forged == []
        again = [b2sdk.notification_rule_response_to_request(rule) for rule in rules]
        assert bucket.set_notification_rules(again) == rules
    assert bucket.set_notification_rules([]) == []


def test_replication(world: World) -> None:
    helper = b2sdk.ReplicationSetupHelper()
    source, target = helper.setup_both(
        world.new_bucket(), world.new_bucket(), 'my-rule', prefix='in/'
    )
    for name, data in (('in/small', b'data'), ('in/large', LARGE), ('out', b'')):
        source.upload_bytes(data, name)
    assert names(target) == ['in/large', 'in/small']
    assert content(target.download_file_by_name('in/large')) == LARGE
    statuses = {
        version.file_name: version.replication_status for version, _ in source.ls(recursive=True)
    }
    assert statuses == {
        'in/large': b2sdk.ReplicationStatus.COMPLETED,
        'in/small': b2sdk.ReplicationStatus.COMPLETED,
        'out': None,
    }
    assert target.get_file_info_by_name('in/small').replication_status == (
        b2sdk.ReplicationStatus.REPLICA
    )
    (rule,) = source.replication.rules
    progress = b2sdk.ProgressReport(io.StringIO(), no_progress=True)
    report = b2sdk.ReplicationMonitor(source, rule, report=progress).scan()
    ((pair, count),) = report.counter_by_status.items()
    assert count == 2
    assert pair.destination_replication_status == b2sdk.ReplicationStatus.REPLICA
    assert not pair.hash_differs
    assert not pair.metadata_differs
    ended = source.update(replication=b2sdk.ReplicationConfiguration())
    assert ended.replication == b2sdk.ReplicationConfiguration()


def test_replication_to_another_account(world: World) -> None:
    theirs = b2sdk.B2Api(b2sdk.InMemoryAccountInfo())
    theirs.authorize_account(*world.server.create_account(), realm=world.server.url)
    source, target = b2sdk.ReplicationSetupHelper().setup_both(
        world.new_bucket(), theirs.create_bucket('theirs', 'allPrivate')
    )
    source.upload_bytes(LARGE, 'large')
    assert content(target.download_file_by_name('large')) == LARGE
    progress = b2sdk.ProgressReport(io.StringIO(), no_progress=True)
    (rule,) = source.replication.rules
    report = b2sdk.ReplicationMonitor(source, rule, theirs, progress).scan()
    ((pair, count),) = report.counter_by_status.items()
    assert count == 1
    assert pair.destination_replication_status == b2sdk.ReplicationStatus.REPLICA
