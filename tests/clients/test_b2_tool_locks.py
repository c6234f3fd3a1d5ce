"""The b2 command line tool against the simulator: file locks."""

from __future__ import annotations

import time
from pathlib import Path

from .b2_tool import B2Tool, objects


def test_locked_file(b2: B2Tool, tmp_path: Path) -> None:
    source = tmp_path / 'source'
    source.write_text('some text')
    tomorrow = str(int(time.time() + 24 * 3600) * 1000)
    governance = ('--file-retention-mode', 'governance', '--retain-until', tomorrow)
    b2('bucket', 'create', '--file-lock-enabled', 'my-bucket', 'allPrivate')
    b2('file', 'upload', '--quiet', *governance, 'my-bucket', source, 'file')
    b2('file', 'update', '--legal-hold', 'on', 'b2://my-bucket/file')
    found = objects(b2('file', 'info', 'b2://my-bucket/file'))
    assert found['fileRetention'] == {'mode': 'governance', 'retainUntilTimestamp': int(tomorrow)}
    assert found['legalHold'] == 'on'
    uri = f'b2id://{found["fileId"]}'
    refused = b2.run('rm', '--no-progress', '--bypass-governance', uri)
    assert refused.returncode == 1
    b2('file', 'update', '--legal-hold', 'off', 'b2://my-bucket/file')
    assert b2.run('rm', '--no-progress', uri).returncode == 1
    b2('rm', '--no-progress', '--bypass-governance', uri)
    assert b2('ls', '--versions', 'b2://my-bucket') == ''
