"""How fast the simulator is, so that it is not what a benchmark of clients measures.

The load comes from this process over plain sockets: it hashes nothing, stores nothing and sends
requests that were made before, so that most of the time of both cores is the server's. Writes a
table in Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import selectors
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Self
from urllib.parse import urlsplit

from b2fast import B2Api, InMemoryAccountInfo
from measure import cpu_model, cpu_seconds_of
from report import table

_MIB = 1 << 20
_RECEIVED_AT_ONCE = 256 << 10
_BUCKET = 'simulator-speed'


@dataclass(frozen=True)
class Size:
    """How much is measured: `files` large files of `file_bytes`, and so many small requests."""

    files: int
    file_bytes: int
    requests: int
    rounds: int
    connections: int = 4
    small_connections: int = 16
    small_bytes: int = 10_000


FULL = Size(files=16, file_bytes=64 * _MIB, requests=10_000, rounds=3)
QUICK = Size(files=4, file_bytes=_MIB, requests=100, rounds=1)


@dataclass(frozen=True)
class Figure:
    """What one round took."""

    wall_seconds: float
    server_cpu_seconds: float
    load_cpu_seconds: float


class Server:
    """`b2fast simulator` as a process of its own."""

    def __init__(self, data_dir: Path | None) -> None:
        command = [sys.executable, '-m', 'b2fast', 'simulator', '--port=0', '--json', '--until-eof']
        if data_dir is not None:
            command.append(f'--data-dir={data_dir}')
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        greeting = json.loads(self.process.stdout.readline())
        self.api = B2Api(InMemoryAccountInfo())
        self.api.authorize_account(greeting['key_id'], greeting['key'], greeting['url'])
        self.token = self.api.account_info.get_account_auth_token()
        address = urlsplit(greeting['url'])
        self.address = (address.hostname or '', address.port or 0)
        self.bucket = self.api.create_bucket(_BUCKET, 'allPrivate')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def memory(self, field: str) -> float:
        """A field of the process's memory (`VmRSS`, `VmHWM`), MiB."""
        for line in Path(f'/proc/{self.process.pid}/status').read_text().splitlines():
            if line.startswith(field + ':'):
                return int(line.split()[1]) / 1024
        raise KeyError(field)

    def forget_peak(self) -> None:
        """Let `VmHWM` begin anew."""
        Path(f'/proc/{self.process.pid}/clear_refs').write_text('5')

    @contextmanager
    def measured(self, figures: list[Figure]) -> Iterator[None]:
        """Adds what the block takes."""
        cpu, load, start = (
            cpu_seconds_of(self.process.pid),
            time.process_time(),
            time.perf_counter(),
        )
        yield
        wall = time.perf_counter() - start
        load = time.process_time() - load
        figures.append(Figure(wall, cpu_seconds_of(self.process.pid) - cpu, load))

    def connect(self) -> socket.socket:
        """A connection of a client that has plenty of time."""
        connection = socket.create_connection(self.address, timeout=120)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def upload_heads(self, content: bytes, count: int) -> list[bytes]:
        """The heads of `count` uploads at the same time: each has an upload URL of its own."""
        sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        heads = []
        for number in range(count):
            lease = self.api.session.get_upload_url(self.bucket.id_)
            headers = {
                'Authorization': lease['authorizationToken'],
                'X-Bz-File-Name': f'up/{number}',
                'Content-Type': 'application/octet-stream',
                'Content-Length': str(len(content)),
                'X-Bz-Content-Sha1': sha1,
            }
            heads.append(request_head('POST', urlsplit(lease['uploadUrl']).path, headers))
        return heads

    def download_head(self, name: str) -> bytes:
        """The head of a download."""
        return request_head('GET', f'/file/{_BUCKET}/{name}', {'Authorization': self.token})

    def json_call(self, call: str, fields: dict[str, object]) -> bytes:
        """A whole request for one of the JSON calls."""
        body = json.dumps(fields).encode()
        headers = {'Authorization': self.token, 'Content-Length': str(len(body))}
        return request_head('POST', f'/b2api/v4/{call}', headers) + body

    def delete_uploads(self) -> None:
        """Delete what was uploaded."""
        for version, _ in self.bucket.ls('up', latest_only=False, recursive=True):
            self.api.delete_file_version(version.id_, version.file_name)


def request_head(method: str, target: str, headers: dict[str, str]) -> bytes:
    """The head of a request."""
    lines = [f'{method} {target} HTTP/1.1', 'Host: simulator']
    lines += [f'{name}: {value}' for name, value in headers.items()]
    return '\r\n'.join([*lines, '', '']).encode()


class Exchange:
    """A connection that asks for one thing again and again.

    :param request: what it sends, content of uploads included.
    """

    def __init__(self, server: Server, request: bytes) -> None:
        self.request = request
        self.socket = server.connect()
        self._buffer = bytearray(_RECEIVED_AT_ONCE)
        self._head = b''
        self._left = 0

    def send(self) -> None:
        """Ask once more."""
        self._head, self._left = b'', 0
        self.socket.sendall(self.request)

    def receive(self) -> bool:
        """Take what has arrived, and tell whether the answer is complete."""
        if self._left:
            self._left -= self._received(self.socket.recv_into(self._buffer))
            return not self._left
        count = self._received(self.socket.recv_into(self._buffer))
        self._head += self._buffer[:count]
        head, end, body = self._head.partition(b'\r\n\r\n')
        if not end:
            return False
        if not head.startswith(b'HTTP/1.1 200'):
            raise RuntimeError(self._head.decode(errors='replace'))
        length = int(head.lower().partition(b'content-length: ')[2].partition(b'\r')[0])
        self._left = length - len(body)
        return not self._left

    @staticmethod
    def _received(count: int) -> int:
        if not count:
            raise RuntimeError('the simulator closed a connection')
        return count

    def run(self, times: int) -> None:
        """Ask so many times, one after the other."""
        for _ in range(times):
            self.send()
            while not self.receive():
                pass


def run_in_threads(exchanges: Sequence[Exchange], times: int) -> None:
    """Run every exchange `times` times, each in a thread of its own: for large content."""
    threads = [threading.Thread(target=exchange.run, args=(times,)) for exchange in exchanges]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_in_turns(exchanges: Sequence[Exchange], times: int) -> None:
    """Run `times` exchanges in all, on one thread: threads would wait for each other's turn."""
    with selectors.DefaultSelector() as selector:
        for exchange in exchanges:
            selector.register(exchange.socket, selectors.EVENT_READ, exchange)
            exchange.send()
        to_send, to_come = times - len(exchanges), times
        while to_come:
            for key, _ in selector.select():
                if key.data.receive():
                    to_come -= 1
                    if to_send > 0:
                        to_send -= 1
                        key.data.send()


def measure_large(server: Server, size: Size, content: bytes) -> Iterator[tuple[str, list[Figure]]]:
    """Moves large files, and yields the figures of each direction."""
    server.bucket.upload_bytes(content, 'large')
    uploads = [head + content for head in server.upload_heads(content, size.connections)]
    downloads = [server.download_head('large')] * size.connections
    for title, messages in (('up', uploads), ('down', downloads)):
        exchanges = [Exchange(server, message) for message in messages]
        figures: list[Figure] = []
        for round_ in range(1 + size.rounds):
            with server.measured(figures):
                run_in_threads(exchanges, size.files // size.connections)
            server.delete_uploads()
            if not round_:
                # It brought the memory into use that the others take again.
                figures.clear()
        yield title, figures


def measure_small(server: Server, size: Size, content: bytes) -> Iterator[tuple[str, list[Figure]]]:
    """Makes small requests, and yields the figures of each kind."""
    file_id = server.bucket.upload_bytes(content, 'small').id_
    listing = {'bucketId': server.bucket.id_, 'maxFileCount': 10}
    count = size.small_connections
    messages = {
        '`b2_get_file_info`': [server.json_call('b2_get_file_info', {'fileId': file_id})] * count,
        '`b2_list_file_names`': [server.json_call('b2_list_file_names', listing)] * count,
        'download': [server.download_head('small')] * count,
        'upload': [head + content for head in server.upload_heads(content, count)],
    }
    for title, requests in messages.items():
        exchanges = [Exchange(server, request) for request in requests]
        run_in_turns(exchanges, max(size.requests // 10, count))
        figures: list[Figure] = []
        for _ in range(size.rounds):
            with server.measured(figures):
                run_in_turns(exchanges, size.requests)
        yield title, figures


def measure(size: Size, directory: str) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of both tables, over both ways of keeping content."""
    large, small = [], []
    content = os.urandom(size.file_bytes)
    gib = size.files * size.file_bytes / (1 << 30)
    with tempfile.TemporaryDirectory(dir=directory) as data_dir:
        for where, path in (('memory', None), ('`--data-dir`', Path(data_dir, 'data'))):
            with Server(path) as server:
                server.forget_peak()
                idle = server.memory('VmHWM')
                for title, figures in measure_large(server, size, content):
                    large.append(
                        [
                            f'{title}, {where}',
                            f'{gib / median(figure.wall_seconds for figure in figures):.2f}',
                            f'{median(figure.server_cpu_seconds for figure in figures) / gib:.2f}',
                            f'{median(figure.load_cpu_seconds for figure in figures) / gib:.2f}',
                            f'{server.memory("VmHWM") - idle:.0f}',
                        ]
                    )
                for title, figures in measure_small(server, size, content[: size.small_bytes]):
                    small.append(
                        [
                            f'{title}, {where}',
                            f'{size.requests / median(f.wall_seconds for f in figures):,.0f}',
                            *(
                                f'{median(values) / size.requests * 1e6:.0f}'
                                for values in (
                                    [figure.server_cpu_seconds for figure in figures],
                                    [figure.load_cpu_seconds for figure in figures],
                                )
                            ),
                        ]
                    )
    return large, small


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='a few small files, one round')
    parser.add_argument('--dir', default='/dev/shm', help='where the content is kept (%(default)s)')
    parser.add_argument('--output', type=Path, help='a file for the tables')
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else FULL
    load = os.getloadavg()[0]
    large, small = measure(size, arguments.dir)
    text = '\n\n'.join(
        [
            '# The speed of the simulator',
            f'- Processor: {cpu_model()}, {os.cpu_count()} cores, which server and load share; '
            f'load before the run {load:.1f}\n'
            f'- Command: `python {shlex.join(sys.argv)}` ({size.rounds} counted rounds, medians)\n'
            '- The load is plain sockets: it neither hashes nor stores. The server checks the '
            'SHA-1 of every upload.',
            f'## {size.files} files of {size.file_bytes // _MIB} MiB over {size.connections} '
            'connections',
            table(
                [
                    'what',
                    'GiB/s',
                    'CPU s/GiB of the server',
                    'CPU s/GiB of the load',
                    'MiB above idle',
                ],
                large,
            ),
            f'## {size.requests:,} requests over {size.small_connections} connections, '
            f'{size.small_bytes // 1000} kB of content each',
            table(
                ['what', 'requests/s', 'CPU µs of the server', 'CPU µs of the load'],
                small,
            ),
        ]
    )
    if arguments.output is None:
        print(text)
    else:
        arguments.output.write_text(text + '\n')


if __name__ == '__main__':
    main()
