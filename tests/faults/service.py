"""A simulator in a process of its own, and a plain client that sees what it has.

In a process of its own its threads, connections and files do not count as the client's.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from b2fast.simulator import Fault, FaultScript
from b2fast.simulator.faults import fault_values

from ..helpers import sha1_of

PART_SIZE = 50_000
"""Minimum and recommended part size of the simulator, in bytes."""

BUCKET = 'a-bucket'

_SERVER = """
import json, sys
from b2fast import SimulatorServer
size = int(sys.argv[1])
with SimulatorServer(minimum_part_size=size, recommended_part_size=size) as server:
    print(json.dumps([server.url, server.key_id, server.key]), flush=True)
    sys.stdin.read()
"""


@dataclass
class Service:
    """The simulator as its owner sees it: no fault is met here, and nothing tried again."""

    url: str
    key_id: str
    key: str
    bucket_id: str = ''
    _account: dict[str, Any] = field(default_factory=dict)

    def inject(self, *faults: Fault, seed: int = 0) -> None:
        """Take these faults in place of those there are."""
        script = FaultScript(faults, seed)
        self._admin(
            'PUT',
            'faults',
            {'seed': script.seed, 'faults': [fault_values(fault) for fault in script.faults]},
        )

    def clear_faults(self) -> None:
        """Forget all faults."""
        self._admin('DELETE', 'faults')

    def struck(self) -> int:
        """How often any fault has struck."""
        return sum(state['struck'] for state in self._admin('GET', 'faults')['faults'])

    def renew(self) -> None:
        """Forget all faults, and authorize anew: one of them may have ended every token."""
        self.clear_faults()
        self._authorize()

    def versions(self, name: str) -> list[dict[str, Any]]:
        """All versions of the files whose names begin so."""
        files: list[dict[str, Any]] = self.call(
            'b2_list_file_versions', bucketId=self.bucket_id, prefix=name, maxFileCount=1000
        )['files']
        return [file for file in files if file['action'] != 'start']

    def unfinished(self, name: str) -> list[str]:
        """The IDs of the unfinished large files whose names begin so."""
        files = self.call(
            'b2_list_unfinished_large_files', bucketId=self.bucket_id, namePrefix=name
        )['files']
        return [file['fileId'] for file in files]

    def content(self, file_id: str) -> bytes:
        """The content of a version."""
        request = urllib.request.Request(
            f'{self.url}/b2api/v3/b2_download_file_by_id?fileId={file_id}',
            headers={'Authorization': self._account['authorizationToken']},
        )
        return _ask(request)

    def upload(self, name: str, content: bytes) -> str:
        """Store a version; returns its ID."""
        target = self.call('b2_get_upload_url', bucketId=self.bucket_id)
        request = urllib.request.Request(
            target['uploadUrl'],
            content,
            {
                'Authorization': target['authorizationToken'],
                'X-Bz-File-Name': urllib.parse.quote(name),
                'Content-Type': 'application/octet-stream',
                'X-Bz-Content-Sha1': sha1_of(content),
            },
        )
        file_id: str = json.loads(_ask(request))['fileId']
        return file_id

    def call(self, name: str, **parameters: Any) -> Any:
        """Make a call of B2's, as the master key."""
        request = urllib.request.Request(
            f'{self.url}/b2api/v3/{name}',
            json.dumps(parameters).encode(),
            {'Authorization': self._account['authorizationToken']},
        )
        return json.loads(_ask(request))

    def _authorize(self) -> None:
        request = urllib.request.Request(
            f'{self.url}/b2api/v3/b2_authorize_account', headers=self._basic()
        )
        self._account = json.loads(_ask(request))

    def _admin(self, method: str, name: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f'{self.url}/simulator/{name}', data, self._basic(), method=method
        )
        return json.loads(_ask(request))

    def _basic(self) -> dict[str, str]:
        pair = base64.b64encode(f'{self.key_id}:{self.key}'.encode()).decode()
        return {'Authorization': f'Basic {pair}'}


def _ask(request: urllib.request.Request) -> bytes:
    with urllib.request.urlopen(request, timeout=60) as response:
        body: bytes = response.read()
    return body


@contextmanager
def serving(part_size: int = PART_SIZE) -> Iterator[Service]:
    """A simulator with an empty bucket, for the life of the context."""
    process = subprocess.Popen(
        [sys.executable, '-c', _SERVER, str(part_size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        service = Service(*json.loads(process.stdout.readline()))
        service._authorize()
        made = service.call(
            'b2_create_bucket',
            accountId=service._account['accountId'],
            bucketName=BUCKET,
            bucketType='allPrivate',
        )
        service.bucket_id = made['bucketId']
        yield service
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()
