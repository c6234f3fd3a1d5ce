"""The b2 command line tool against the simulator: notification rules and replication."""

from __future__ import annotations

import json
from pathlib import Path

from .b2_tool import B2Tool
from .trees import write


def test_notification_rules(b2: B2Tool) -> None:
    b2('bucket', 'create', 'my-bucket', 'allPrivate')
    rule = ('bucket', 'notification-rule')
    b2(
        *(*rule, 'create', '--event-type', 'b2:ObjectCreated:*', '--sign-secret', 's' * 32),
        *('--webhook-url', 'https://example.com/hook', 'b2://my-bucket/in', 'my-rule'),
    )
    b2(*rule, 'disable', 'b2://my-bucket', 'my-rule')
    (found,) = json.loads(b2(*rule, 'list', '--json', 'b2://my-bucket'))
    assert (found['name'], found['objectNamePrefix']) == ('my-rule', 'in')
    assert found['eventTypes'] == ['b2:ObjectCreated:*']
    assert found['isEnabled'] is False
    b2(*rule, 'delete', 'b2://my-bucket', 'my-rule')
    assert json.loads(b2(*rule, 'list', '--json', 'b2://my-bucket')) == []


def test_replication(b2: B2Tool, tmp_path: Path) -> None:
    write(tmp_path / 'tree/file', b'data')
    b2('bucket', 'create', 'bucket-1', 'allPrivate')
    b2('bucket', 'create', 'bucket-2', 'allPrivate')
    b2('replication', 'setup', '--name', 'my-rule', 'bucket-1', 'bucket-2')
    b2('sync', '--no-progress', tmp_path / 'tree', 'b2://bucket-1')
    assert b2('file', 'cat', '--no-progress', 'b2://bucket-2/file') == 'data'
    status = b2('replication', 'status', '--no-progress', '--output-format=json', 'bucket-1')
    ((pair,),) = json.loads(status).values()
    assert (pair['count'], pair['hash_differs']) == (1, False)
    assert pair['source_replication_status'] == 'COMPLETED'
    assert pair['destination_replication_status'] == 'REPLICA'
