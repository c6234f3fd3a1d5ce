"""The measured client that does the least there is to do: what server, kernel and a socket allow.

Usage: mover.py upload-large|download-large BUCKET PATH [--hash]. One connection, one thread, one
buffer. It moves bytes only: the SHA-1 of the upload is in the environment, downloaded bytes are
dropped. With --hash it does what a client that stores and verifies SHA-1s cannot leave out: hash
the file and its parts, read it again and send it; receive, hash and write it. No client that does
the same work can take less.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from contextlib import nullcontext
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from b2fast._core.hashing import Sha1, sha1_of_parts
from b2fast._core.planning import plan_parts

BUFFER_SIZE = 512 * 1024
PART_SIZE = 100_000_000


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
    operation, bucket_name, path, *options = sys.argv[1:]
    is_hashing = '--hash' in options
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
        upload(account['accountId'], storage['apiUrl'], token, bucket_name, path, is_hashing)
    else:
        download(storage['downloadUrl'], token, bucket_name, path, is_hashing)


def upload(
    account_id: str,
    api_url: str,
    token: dict[str, str],
    bucket_name: str,
    path: str,
    is_hashing: bool,
) -> None:
    """Send the file in one request: by `sendfile`, or as it was hashed."""
    size = os.path.getsize(path)
    if is_hashing:
        sha1, _ = sha1_of_parts(path, plan_parts(size, PART_SIZE, 1))
    else:
        sha1 = os.environ['BENCH_SHA1']
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
        'X-Bz-Content-Sha1': sha1,
        'Content-Type': 'b2/x-auto',
        'Content-Length': str(size),
    }.items():
        connection.putheader(name, value)
    connection.endheaders()
    with open(path, 'rb', buffering=0) as file:
        if is_hashing:
            buffer = memoryview(bytearray(BUFFER_SIZE))
            while count := file.readinto(buffer):
                connection.sock.sendall(buffer[:count])
        else:
            connection.sock.sendfile(file)
    checked(connection).read()


def download(
    download_url: str, token: dict[str, str], bucket_name: str, path: str, is_hashing: bool
) -> None:
    """Receive the file into one buffer, and drop it or hash and write it."""
    url = f'{download_url}/file/{bucket_name}/{os.path.basename(path)}'
    connection = connect(url)
    connection.request('GET', urlsplit(url).path, headers=token)
    response = checked(connection)
    buffer = memoryview(bytearray(BUFFER_SIZE))
    received = 0
    hasher = Sha1()
    new = Path(f'{path}.new')
    with new.open('wb', buffering=0) if is_hashing else nullcontext() as file:
        while count := response.readinto(buffer):
            received += count
            if file is not None:
                hasher.update(buffer[:count])
                file.write(buffer[:count])
    if is_hashing:
        sha1 = response.headers['X-Bz-Content-Sha1']
        if sha1 == 'none':
            sha1 = response.headers['X-Bz-Info-large_file_sha1']
        if hasher.hexdigest() != sha1:
            raise OSError('the SHA-1 is another one')
        new.rename(path)
    if received != int(response.headers['Content-Length']):
        raise OSError(f'{received} bytes received of {response.headers["Content-Length"]}')


if __name__ == '__main__':
    main()
