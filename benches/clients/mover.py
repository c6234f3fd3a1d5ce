"""The measured client that only moves bytes: what the server, the kernel and a socket allow.

Usage: mover.py upload-large|download-large BUCKET PATH. One connection, no hashing: the SHA-1 of
the upload is in the environment. Downloaded bytes are received and dropped.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit


def connect(url: str) -> HTTPConnection:
    """A connection to the host of a URL."""
    parts = urlsplit(url)
    return HTTPConnection(parts.hostname or '', parts.port)


def call(url: str, headers: dict[str, str], body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One JSON call of the B2 API."""
    connection = connect(url)
    connection.request('POST', urlsplit(url).path, json.dumps(body or {}), headers)
    answer: dict[str, Any] = json.load(checked(connection))
    connection.close()
    return answer


def checked(connection: HTTPConnection) -> HTTPResponse:
    """The answer, which has to be a good one."""
    response = connection.getresponse()
    if response.status not in (200, 206):
        raise OSError(f'{response.status}: {response.read(1000)!r}')
    return response


def main() -> None:
    """Do the operation that the arguments name."""
    operation, bucket_name, path = sys.argv[1:]
    basic = base64.b64encode(
        f'{os.environ["BENCH_KEY_ID"]}:{os.environ["BENCH_KEY"]}'.encode()
    ).decode()
    account = call(
        f'{os.environ["BENCH_URL"]}/b2api/v4/b2_authorize_account',
        {'Authorization': f'Basic {basic}'},
    )
    storage = account['apiInfo']['storageApi']
    token = {'Authorization': account['authorizationToken']}
    if operation == 'upload-large':
        upload(account['accountId'], storage['apiUrl'], token, bucket_name, path)
    else:
        download(storage['downloadUrl'], token, bucket_name, path)


def upload(
    account_id: str, api_url: str, token: dict[str, str], bucket_name: str, path: str
) -> None:
    """Send the file by `sendfile` in one request."""
    buckets = call(
        f'{api_url}/b2api/v4/b2_list_buckets',
        token,
        {'accountId': account_id, 'bucketName': bucket_name},
    )
    bucket_id = buckets['buckets'][0]['bucketId']
    place = call(f'{api_url}/b2api/v4/b2_get_upload_url', token, {'bucketId': bucket_id})
    connection = connect(place['uploadUrl'])
    connection.putrequest('POST', urlsplit(place['uploadUrl']).path)
    for name, value in {
        'Authorization': place['authorizationToken'],
        'X-Bz-File-Name': os.path.basename(path),
        'X-Bz-Content-Sha1': os.environ['BENCH_SHA1'],
        'Content-Type': 'b2/x-auto',
        'Content-Length': str(os.path.getsize(path)),
    }.items():
        connection.putheader(name, value)
    connection.endheaders()
    with open(path, 'rb') as file:
        connection.sock.sendfile(file)
    checked(connection).read()


def download(download_url: str, token: dict[str, str], bucket_name: str, path: str) -> None:
    """Receive the file into one buffer."""
    url = f'{download_url}/file/{bucket_name}/{os.path.basename(path)}'
    connection = connect(url)
    connection.request('GET', urlsplit(url).path, headers=token)
    response = checked(connection)
    buffer = bytearray(1 << 20)
    received = 0
    while count := response.readinto(buffer):
        received += count
    if received != int(response.headers['Content-Length']):
        raise OSError(f'{received} bytes received of {response.headers["Content-Length"]}')


if __name__ == '__main__':
    main()
