"""A client of `SimulatorServer` that knows nothing of its inside."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from b2fast.simulator import SimulatorServer

from ..helpers import sha1_of

NOW = 1_700_000_000_000


@dataclass
class Client:
    server: SimulatorServer
    version: int = 4
    http: requests.Session = field(default_factory=requests.Session)
    token: str = ''

    def authorize(self, method: str = 'POST', **kwargs: Any) -> requests.Response:
        kwargs.setdefault('auth', (self.server.key_id, self.server.key))
        url = f'{self.server.url}/b2api/v{self.version}/b2_authorize_account'
        return self.http.request(method, url, **kwargs)

    def with_key(self, *capabilities: str, **fields: Any) -> Client:
        """Returns a client with a new key."""
        key = self.call(
            'b2_create_key',
            accountId=self.server.account_id,
            keyName='key',
            capabilities=capabilities,
            **fields,
        )
        client = Client(self.server, self.version, self.http)
        answer = client.authorize(auth=(key['applicationKeyId'], key['applicationKey'])).json()
        client.token = answer['authorizationToken']
        return client

    def post(self, name: str, **fields: Any) -> requests.Response:
        return self.http.post(
            f'{self.server.url}/b2api/v{self.version}/{name}',
            json=fields,
            headers={'Authorization': self.token},
        )

    def call(self, name: str, **fields: Any) -> dict[str, Any]:
        response = self.post(name, **fields)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def refused(self, name: str, **fields: Any) -> tuple[int, str]:
        return refusal(self.post(name, **fields))

    def create_bucket(self, name: str = 'bucket-1', **fields: Any) -> str:
        fields = {'bucketType': 'allPrivate', **fields}
        account_id = self.server.account_id
        answer = self.call('b2_create_bucket', accountId=account_id, bucketName=name, **fields)
        bucket_id: str = answer['bucketId']
        return bucket_id

    def send(self, target: dict[str, str], data: bytes, headers: dict[str, Any]) -> Any:
        headers = {
            'Authorization': target['authorizationToken'],
            'X-Bz-Content-Sha1': sha1_of(data),
            **headers,
        }
        headers = {name: value for name, value in headers.items() if value is not None}
        return self.http.post(target['uploadUrl'], data=data, headers=headers)

    def send_two_at_once(self, target: dict[str, str]) -> tuple[int, str]:
        """Uploads a file while another upload with the same token goes on.

        :return: how the one is refused that began first.
        """
        headers = {
            'Authorization': target['authorizationToken'],
            'X-Bz-File-Name': 'slow',
            'Content-Type': 'text/plain',
            'X-Bz-Content-Sha1': 'do_not_verify',
        }
        url = urlsplit(target['uploadUrl'])
        with socket.create_connection((str(url.hostname), url.port), timeout=30) as slow:
            head = {'Host': url.netloc, 'Content-Length': '2', 'Expect': '100-continue', **headers}
            lines = [f'POST {url.path} HTTP/1.1', *(f'{k}: {v}' for k, v in head.items()), '', '']
            slow.sendall('\r\n'.join(lines).encode())
            # The server asks for the body: it has the head.
            assert slow.recv(1000).startswith(b'HTTP/1.1 100 ')
            fast = self.send(target, b'data', {**headers, 'X-Bz-File-Name': 'fast'})
            assert fast.status_code == 200
            slow.sendall(b'xy')
            answer = http.client.HTTPResponse(slow)
            answer.begin()
            return answer.status, json.loads(answer.read())['code']

    def upload(
        self, bucket_id: str, name: str, data: bytes = b'data', **headers: str | None
    ) -> requests.Response:
        target = self.call('b2_get_upload_url', bucketId=bucket_id)
        fixed = {'X-Bz-File-Name': quote(name), 'Content-Type': 'text/plain'}
        more = {key.replace('_', '-'): value for key, value in headers.items()}
        return self.send(target, data, fixed | more)

    def store(self, bucket_id: str, name: str, data: bytes = b'data', **headers: str) -> Any:
        response = self.upload(bucket_id, name, data, **headers)
        assert response.status_code == 200, response.text
        return response.json()

    def download(
        self, path: str, method: str = 'GET', token: str | None = '', **headers: str
    ) -> requests.Response:
        if token is not None:
            headers['Authorization'] = token or self.token
        return self.http.request(method, self.server.url + path, headers=headers)


def refusal(response: requests.Response) -> tuple[int, str]:
    body = response.json()
    assert set(body) == {'status', 'code', 'message'}
    assert body['status'] == response.status_code
    assert response.headers['Content-Type'] == 'application/json;charset=utf-8'
    return response.status_code, body['code']


@dataclass(frozen=True)
class CustomerKey:
    """What SSE-C sends: as JSON, as headers and as arguments of `Client.upload`."""

    key: str
    md5: str

    @property
    def setting(self) -> dict[str, str]:
        return {
            'mode': 'SSE-C',
            'algorithm': 'AES256',
            'customerKey': self.key,
            'customerKeyMd5': self.md5,
        }

    @property
    def headers(self) -> dict[str, str]:
        prefix = 'X-Bz-Server-Side-Encryption-Customer-'
        return {
            prefix + 'Algorithm': 'AES256',
            prefix + 'Key': self.key,
            prefix + 'Key-Md5': self.md5,
        }

    @property
    def arguments(self) -> dict[str, Any]:
        return {name.replace('-', '_'): value for name, value in self.headers.items()}


def customer_key(secret: bytes) -> CustomerKey:
    digest = hashlib.md5(secret, usedforsecurity=False).digest()
    return CustomerKey(base64.b64encode(secret).decode(), base64.b64encode(digest).decode())
