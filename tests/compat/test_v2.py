"""``b2sdk.v2`` beside b2sdk's own: what its classes offer, and a program written for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from b2fast import SimulatorServer

from .shim import HERE, SHIM, python

CLASSES = [
    'AbstractAccountInfo',
    'AbstractAction',
    'AbstractFileSyncPolicy',
    'AbstractRawApi',
    'AbstractSyncEncryptionSettingsProvider',
    'ApplicationKey',
    'B2Api',
    'B2CopyAction',
    'B2DeleteAction',
    'B2DownloadAction',
    'B2HideAction',
    'B2Http',
    'B2HttpApiConfig',
    'B2RawHTTPApi',
    'B2Session',
    'B2UploadAction',
    'BaseApplicationKey',
    'BasicSyncEncryptionSettingsProvider',
    'Bucket',
    'BucketFactory',
    'BucketSimulator',
    'CompareVersionMode',
    'CopyAndDeletePolicy',
    'CopyAndKeepDaysPolicy',
    'CopyPolicy',
    'DownAndDeletePolicy',
    'DownAndKeepDaysPolicy',
    'DownPolicy',
    'FileVersion',
    'FileVersionFactory',
    'FullApplicationKey',
    'InMemoryAccountInfo',
    'KeepOrDeleteMode',
    'KeySimulator',
    'LargeFileServices',
    'LocalDeleteAction',
    'NewerFileSyncMode',
    'RawSimulator',
    'ReplicationMonitor',
    'ReplicationReport',
    'ReplicationScanResult',
    'ReplicationSetupHelper',
    'ServerDefaultSyncEncryptionSettingsProvider',
    'Services',
    'SqliteAccountInfo',
    'StubAccountInfo',
    'SyncFileReporter',
    'SyncPolicyManager',
    'SyncReport',
    'Synchronizer',
    'TempDir',
    'UnfinishedLargeFile',
    'UpAndDeletePolicy',
    'UpAndKeepDaysPolicy',
    'UpPolicy',
    'UrlPoolAccountInfo',
]
DIFFERENT = {
    ('B2HttpApiConfig', '__init__'),  # takes retry_policy and timeouts as well
    ('Synchronizer', '__init__'),  # takes compare_sha1 and others as well
    ('BucketFactory', '__init__'),  # b2sdk's takes anything, and has no use for it
}
"""Members that may differ."""

IDS = re.compile(r'\b[0-9a-f]{24}\b')


def test_classes_offer_the_same() -> None:
    theirs = json.loads(python(HERE / 'v2_surface.py', *CLASSES).stdout)
    ours = json.loads(python(*SHIM, HERE / 'v2_surface.py', *CLASSES).stdout)
    differences = {
        (name, member): (wanted, ours[name].get(member))
        for name, members in theirs.items()
        for member, wanted in members.items()
        if ours[name].get(member) != wanted and (name, member) not in DIFFERENT
    }
    assert differences == {}


ACCOUNT_FILE = """
import sys
from b2sdk.v2 import B2Api, B2HttpApiConfig, RawSimulator, SqliteAccountInfo
what, file = sys.argv[1:]
api = B2Api(SqliteAccountInfo(file), api_config=B2HttpApiConfig(_raw_api_class=RawSimulator))
if what == 'write':
    api.authorize_account('production', *api.raw_api.create_account())
    bucket = api.create_bucket('a-bucket', 'allPrivate')
    key = api.create_key(['listBuckets'], 'key', bucket_id=bucket.id_, name_prefix='in/')
    api.authorize_account('production', key.id_, key.application_key)
info = api.account_info
print(info.get_application_key_id(), info.get_realm(), sorted(info.get_allowed().items()))
"""


@pytest.mark.parametrize(('writer', 'reader'), [((), SHIM), (SHIM, ()), (SHIM, SHIM)])
def test_account_files_are_the_same(
    tmp_path: Path, writer: tuple[str, ...], reader: tuple[str, ...]
) -> None:
    program = tmp_path / 'program.py'
    program.write_text(ACCOUNT_FILE)
    written = python(*writer, program, 'write', tmp_path / 'account_info').stdout
    assert "('bucketId', 'bucket_0'), ('bucketName', 'a-bucket')" in written
    assert python(*reader, program, 'read', tmp_path / 'account_info').stdout == written


REPLICATION = """
import io
from b2sdk.v2 import (
    B2Api, B2HttpApiConfig, InMemoryAccountInfo, ProgressReport, RawSimulator, ReplicationMonitor,
    ReplicationSetupHelper,
)
from b2sdk.v2.replication.setup import ReplicationSetupHelper as same
from b2sdk._internal.replication.monitoring import ReplicationReport, ReplicationScanResult
from b2sdk._internal.replication.setup import ReplicationSetupHelper as base
print(same is ReplicationSetupHelper, issubclass(same, base))
api = B2Api(InMemoryAccountInfo(), api_config=B2HttpApiConfig(_raw_api_class=RawSimulator))
api.authorize_account('production', *api.raw_api.create_account())
buckets = [api.create_bucket(name, 'allPrivate') for name in ('the-source', 'the-destination')]
source, destination = ReplicationSetupHelper().setup_both(*buckets, prefix='in/')
print(source.replication, destination.replication)
print([(key.key_name, key.bucket_id, list(key.capabilities)) for key in api.list_keys()])
for name in ('in/a', 'in/b', 'c'):
    source.upload_bytes(b'data', name)
destination.upload_bytes(b'data', 'in/a')
report = ReplicationMonitor(
    source, source.replication.rules[0], report=ProgressReport(io.StringIO(), True)
).scan()
print(isinstance(report, ReplicationReport))
for result, number in report.counter_by_status.items():
    print(type(result) is ReplicationScanResult, number, sorted(vars(result).items()))
"""


def test_replication_is_set_up_and_monitored(tmp_path: Path) -> None:
    program = tmp_path / 'program.py'
    program.write_text(REPLICATION)
    theirs, ours = (python(*start, program).stdout for start in ((), SHIM))
    assert ours.count('True 1 ') == 2
    assert ours == theirs


@pytest.mark.parametrize('over_http', [False, True], ids=['in the process', 'over HTTP'])
def test_backup_script_runs_unchanged(tmp_path: Path, over_http: bool) -> None:
    seen = []
    for number, start in enumerate(((), SHIM)):
        directory = tmp_path / str(number)
        directory.mkdir()
        script = (*start, HERE / 'backup_script.py', directory)
        if over_http:
            with SimulatorServer() as server:
                account = (server.url, server.key_id, server.key)
                output = python(*script, '11000000', *account).stdout
        else:
            output = python(*script, '1000').stdout
        seen.append(IDS.sub('ID', output).splitlines())
    theirs, ours = seen
    assert len(ours) > 40
    assert ours == theirs
