"""``b2sdk.v2`` beside b2sdk's own: what its classes offer, and a program written for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from b2fast import SimulatorServer
from b2fast.compat import absent

from .shim import HERE, SHIM, python

CLASSES = [
    'AbstractAccountInfo',
    'AbstractRawApi',
    'ApplicationKey',
    'B2Api',
    'B2Http',
    'B2HttpApiConfig',
    'B2RawHTTPApi',
    'B2Session',
    'BaseApplicationKey',
    'Bucket',
    'BucketFactory',
    'BucketSimulator',
    'FileVersion',
    'FileVersionFactory',
    'FullApplicationKey',
    'InMemoryAccountInfo',
    'KeySimulator',
    'LargeFileServices',
    'RawSimulator',
    'Services',
    'SqliteAccountInfo',
    'StubAccountInfo',
    'TempDir',
    'UnfinishedLargeFile',
    'UrlPoolAccountInfo',
]
DIFFERENT = {
    ('B2HttpApiConfig', '__init__'),  # takes retry_policy and timeouts as well
    ('BucketFactory', '__init__'),  # b2sdk's takes anything, and has no use for it
    *(('Bucket', name) for name in absent.BUCKET_METHODS),
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
