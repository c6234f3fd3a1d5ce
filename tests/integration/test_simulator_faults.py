"""Faults to order, as clients meet them on the wire."""

from __future__ import annotations

import resource
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest
import requests

from b2fast.simulator import Fault, FaultScript, SimulatorServer

from .simulator_client import Client, refusal

DOWNLOAD = 'b2_download_file_by_name'
DATA = bytes(range(256)) * 400


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Wire:
    """A bare connection, on which one sees how it ends."""

    def __init__(self, server: SimulatorServer) -> None:
        host, _, port = server.url.partition('//')[2].rpartition(':')
        self.socket = socket.create_connection((host, int(port)), timeout=60)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, client: Client, path: str = '/file/bucket-1/a') -> Wire:
        head = f'GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {client.token}\r\n\r\n'
        self.socket.sendall(head.encode())
        return self

    def begin_upload(self, client: Client, bucket_id: str, length: int) -> Wire:
        target = client.call('b2_get_upload_url', bucketId=bucket_id)
        path = target['uploadUrl'].removeprefix(client.server.url)
        head = (
            f'POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n'
            f'Authorization: {target["authorizationToken"]}\r\nX-Bz-File-Name: a\r\n'
            'Content-Type: text/plain\r\nX-Bz-Content-Sha1: do_not_verify\r\n\r\n'
        )
        self.socket.sendall(head.encode())
        return self

    def until_the_end(self) -> tuple[bytes, bool]:
        """Returns what arrives, and whether the connection is reset at the end."""
        received = bytearray()
        while True:
            try:
                chunk = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return bytes(received), True
            if not chunk:
                return bytes(received), False
            received += chunk

    def is_silent(self) -> bool:
        self.socket.settimeout(0.2)
        try:
            return self.socket.recv(1) == b'\0never'
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(60)


def names_in(client: Client, bucket_id: str) -> list[str]:
    page = client.call('b2_list_file_names', bucketId=bucket_id)
    return [file['fileName'] for file in page['files']]


class TestStatus:
    def test_retry_after_skip_and_count(self, client: Client) -> None:
        fault = Fault(call='b2_list_buckets', status=503, retry_after=7, count=2, skip=1)
        client.server.inject(fault)
        account = client.server.account_id
        answers = [client.post('b2_list_buckets', accountId=account) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
        assert refusal(answers[1]) == (503, 'service_unavailable')
        assert answers[1].headers['Retry-After'] == '7'

    def test_code_and_message(self, client: Client) -> None:
        client.server.inject(
            Fault(call='b2_list_*', status=403, code='transaction_cap_exceeded', message='full')
        )
        answer = client.post('b2_list_buckets')
        assert answer.json() == {
            'status': 403,
            'code': 'transaction_cap_exceeded',
            'message': 'full',
        }

    def test_refused_upload_ends_its_url(self, client: Client, bucket_id: str) -> None:
        target = client.call('b2_get_upload_url', bucketId=bucket_id)
        client.server.inject(Fault(call='b2_upload_file', status=503))
        headers = {'X-Bz-File-Name': 'a', 'Content-Type': 'text/plain'}
        assert client.send(target, b'x', headers).status_code == 503
        assert refusal(client.send(target, b'x', headers)) == (401, 'bad_auth_token')
        assert client.upload(bucket_id, 'a').status_code == 200

    def test_patterns(self, client: Client, bucket_id: str) -> None:
        client.server.inject(Fault(call='b2_upload_*', status=503), Fault(call='*', status=429))
        assert client.refused('b2_list_buckets')[0] == 429
        assert client.upload(bucket_id, 'a').status_code == 503
        assert client.upload(bucket_id, 'a').status_code == 200

    def test_a_lost_refusal_does_no_work(self, client: Client, bucket_id: str) -> None:
        client.server.inject(Fault(call='b2_upload_file', status=500, cut_after=0))
        with pytest.raises(requests.exceptions.ConnectionError):
            client.upload(bucket_id, 'a')
        assert names_in(client, bucket_id) == []


class TestAnswer:
    def test_cut(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a', DATA)
        client.server.inject(Fault(call=DOWNLOAD, cut_after=40_000))
        with Wire(client.server) as wire:
            answer, is_reset = wire.ask(client).until_the_end()
        assert not is_reset
        head, _, body = answer.partition(b'\r\n\r\n')
        assert f'content-length: {len(DATA)}'.encode() in head.lower()
        assert body == DATA[:40_000]
        assert client.download('/file/bucket-1/a').content == DATA

    def test_reset(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a', DATA)
        client.server.inject(Fault(call=DOWNLOAD, reset_after=1000))
        with Wire(client.server) as wire:
            answer, is_reset = wire.ask(client).until_the_end()
        assert is_reset
        assert answer.partition(b'\r\n\r\n')[2] == DATA[:1000]

    @pytest.mark.parametrize(('fault', 'expected'), [('cut_after', False), ('reset_after', True)])
    def test_lost_after_the_work(
        self, client: Client, bucket_id: str, fault: str, expected: bool
    ) -> None:
        client.server.inject(Fault(call='b2_upload_file', **{fault: 0}))
        with Wire(client.server) as wire:
            wire.begin_upload(client, bucket_id, 4).socket.sendall(b'data')
            assert wire.until_the_end() == (b'', expected)
        assert names_in(client, bucket_id) == ['a']

    @pytest.mark.parametrize('after', [0, 1000])
    def test_stall(self, client: Client, bucket_id: str, after: int) -> None:
        client.store(bucket_id, 'a', DATA)
        client.server.inject(Fault(call=DOWNLOAD, stall_after=after))
        with Wire(client.server) as wire:
            wire.ask(client)
            received = b''
            while after and not received.endswith(DATA[:after]):
                received += wire.socket.recv(1 << 16)
            assert wire.is_silent()
            client.server.stop()
            assert wire.until_the_end()[0] == b''

    def test_flipped_byte(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a', b'0123456789')
        client.server.inject(Fault(call=DOWNLOAD, flip_at=4))
        assert client.download('/file/bucket-1/a').content == b'0123\xcb56789'
        assert client.download('/file/bucket-1/a').content == b'0123456789'

    def test_slow_and_late_answers_arrive_whole(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a', DATA)
        client.server.inject(
            Fault(call=DOWNLOAD, bytes_per_second=len(DATA) * 4),
            Fault(call=DOWNLOAD, delay=0.1),
            Fault(call=DOWNLOAD, delay=0.1, bytes_per_second=len(DATA) * 4, flip_at=0),
        )
        for expected in (DATA, DATA, b'\xff' + DATA[1:], DATA):
            assert client.download('/file/bucket-1/a').content == expected

    def test_expired_token(self, client: Client) -> None:
        client.server.inject(Fault(call='b2_list_buckets', expire_token=True))
        account = client.server.account_id
        for _ in range(2):
            assert client.refused('b2_list_buckets', accountId=account) == (
                401,
                'expired_auth_token',
            )

    def test_expired_download_authorization(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a', b'data')
        answer = client.call(
            'b2_get_download_authorization',
            bucketId=bucket_id,
            fileNamePrefix='a',
            validDurationInSeconds=60,
        )
        path = f'/file/bucket-1/a?Authorization={answer["authorizationToken"]}'
        assert client.download(path, token=None).status_code == 200
        client.server.inject(Fault(call=DOWNLOAD, expire_token=True))
        for _ in range(2):
            assert refusal(client.download(path, token=None)) == (401, 'expired_auth_token')

    def test_none_of_a_thousand_that_wait_keeps_another_waiting(
        self, client: Client, bucket_id: str, many_descriptors: None
    ) -> None:
        client.store(bucket_id, 'a', DATA)
        count = 1000
        client.server.inject(
            Fault(call=DOWNLOAD, stall_after=0, count=count // 2),
            Fault(call=DOWNLOAD, delay=1_000_000, count=count // 2),
        )
        with ExitStack() as stack:
            wires = [stack.enter_context(Wire(client.server)).ask(client) for _ in range(count)]
            while client.server.calls[DOWNLOAD] < count:
                assert client.call('b2_list_file_names', bucketId=bucket_id)['files']
            assert client.download('/file/bucket-1/a').content == DATA
            client.server.stop()
            for wire in wires:
                assert wire.until_the_end()[0] == b''


class TestUpload:
    def check(self, client: Client, bucket_id: str, expected: bool, **fields: Any) -> None:
        """One in three uploads of each kind is struck; the others are stored."""
        client.server.inject(Fault(call='b2_upload_*', skip=1, **fields))
        for number in range(3):
            with Wire(client.server) as wire:
                wire.begin_upload(client, bucket_id, 1_000_000)
                is_struck = number == 1
                wire.socket.sendall(bytes(1000))
                if not is_struck:
                    wire.socket.sendall(bytes(999_000))
                    assert wire.socket.recv(12) == b'HTTP/1.1 200'
                else:
                    assert wire.until_the_end() == (b'', expected)
        assert client.server.calls['b2_upload_file'] == 3
        statuses = [
            served.status for served in client.server.requests if served.call == 'b2_upload_file'
        ]
        assert statuses == [200, None, 200]
        versions = client.call('b2_list_file_versions', bucketId=bucket_id)['files']
        assert len(versions) == 2

    def test_cut(self, client: Client, bucket_id: str) -> None:
        self.check(client, bucket_id, False, cut_upload_after=1000)

    def test_reset(self, client: Client, bucket_id: str) -> None:
        self.check(client, bucket_id, True, reset_upload_after=1000)

    def test_stall(self, client: Client, bucket_id: str) -> None:
        client.server.inject(Fault(call='b2_upload_file', stall_upload_after=1000))
        with Wire(client.server) as wire:
            wire.begin_upload(client, bucket_id, 10_000).socket.sendall(bytes(10_000))
            assert wire.is_silent()
            assert names_in(client, bucket_id) == []
            client.server.stop()
            assert wire.until_the_end()[0] == b''

    def test_flipped_byte(self, client: Client, bucket_id: str) -> None:
        client.server.inject(Fault(call='b2_upload_file', flip_upload_at=2))
        assert refusal(client.upload(bucket_id, 'a')) == (400, 'bad_request')
        client.store(bucket_id, 'a')

    def test_slow(self, client: Client, bucket_id: str) -> None:
        client.server.inject(
            Fault(call='b2_upload_file', upload_bytes_per_second=len(DATA) * 4),
            Fault(call='b2_upload_file', status=503),
        )
        # One fault of the upload and one of its answer.
        assert client.upload(bucket_id, 'a', DATA).status_code == 503
        client.store(bucket_id, 'a', DATA)
        assert client.download('/file/bucket-1/a').content == DATA

    def test_rate(self, client: Client, bucket_id: str) -> None:
        def outcomes() -> list[bool]:
            client.server.play(
                FaultScript((Fault(call='b2_upload_*', cut_upload_after=0, rate=0.5),), seed=3)
            )
            results = []
            for _ in range(20):
                try:
                    results.append(client.upload(bucket_id, 'a').status_code == 200)
                except requests.exceptions.ConnectionError:
                    results.append(False)
            return results

        first = outcomes()
        assert {True, False} == set(first)
        assert outcomes() == first

    def test_only_uploads_with_such_a_fault_are_asked_about_twice(
        self, client: Client, bucket_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []
        door = client.server._door
        strike = door.faults.strike_upload
        monkeypatch.setattr(
            door.faults, 'strike_upload', lambda call: (asked.append(call), strike(call))[1]
        )
        client.server.inject(Fault(call='b2_upload_file', status=503))
        client.upload(bucket_id, 'a')
        client.upload(bucket_id, 'a')
        assert asked == []
        client.server.inject(Fault(call='b2_upload_part', cut_upload_after=0))
        client.upload(bucket_id, 'a')
        assert asked == ['b2_upload_file']
        client.server.clear_faults()
        client.upload(bucket_id, 'a')
        assert asked == ['b2_upload_file']


class TestScript:
    def test_of_a_call_that_does_not_exist(self, server: SimulatorServer) -> None:
        server.inject(Fault(call='b2_list_buckets', status=503))
        wrong = Fault(call='b2_list_bucket', status=503)
        message = 'there is no call "b2_list_bucket"; did you mean "b2_list_buckets"?'
        for act in (
            lambda: server.inject(Fault(call='*', status=503), wrong),
            lambda: server.play(FaultScript((wrong,))),
        ):
            with pytest.raises(ValueError) as caught:  # noqa: PT011
                act()
            assert str(caught.value) == message
        assert [state.fault.call for state in server.faults] == ['b2_list_buckets']

    def test_from_the_start(self) -> None:
        script = FaultScript((Fault(call='b2_authorize_account', status=503),), seed=5)
        with SimulatorServer(faults=script) as server, requests.Session() as http:
            assert server.fault_seed == 5
            client = Client(server, http=http)
            assert [client.authorize().status_code for _ in range(2)] == [503, 200]
            assert [(state.struck, state.is_over) for state in server.faults] == [(1, True)]

    def test_cleared(self, client: Client, bucket_id: str) -> None:
        client.server.inject(
            Fault(call='b2_list_buckets', status=503),
            Fault(call='b2_upload_file', cut_upload_after=0),
        )
        client.server.clear_faults()
        assert client.server.faults == []
        client.call('b2_list_buckets', accountId=client.server.account_id)
        client.store(bucket_id, 'a')


class TestRequestedFaults:
    """`X-Bz-Test-Mode`."""

    @staticmethod
    def sequence(seed: int, act: Callable[[Client], int], number: int) -> list[int]:
        with SimulatorServer() as server, requests.Session() as http:
            server.seed_faults(seed)
            client = Client(server, http=http)
            client.token = client.authorize().json()['authorizationToken']
            return [act(client) for _ in range(number)]

    def test_fail_some_uploads(self) -> None:
        def act(client: Client) -> int:
            buckets = client.call('b2_list_buckets', accountId=client.server.account_id)['buckets']
            bucket_id = buckets[0]['bucketId'] if buckets else client.create_bucket()
            headers = {'X_Bz_Test_Mode': 'fail_some_uploads'}
            return client.upload(bucket_id, 'a', b'data', **headers).status_code

        answers = self.sequence(1, act, 40)
        assert set(answers) == {200, 503}
        assert self.sequence(1, act, 40) == answers
        assert self.sequence(2, act, 40) != answers

    def test_expire_some_tokens(self) -> None:
        def act(client: Client) -> int:
            url = f'{client.server.url}/b2api/v4/b2_list_buckets'
            headers = {
                'Authorization': client.token,
                'X-Bz-Test-Mode': 'expire_some_account_authorization_tokens',
            }
            body = {'accountId': client.server.account_id}
            answer = client.http.post(url, json=body, headers=headers)
            if answer.status_code == 401:
                assert answer.json()['code'] == 'expired_auth_token'
                client.token = client.authorize().json()['authorizationToken']
            return answer.status_code

        answers = self.sequence(1, act, 60)
        assert set(answers) == {200, 401}
        # Who authorizes again gets on.
        assert (401, 401) not in set(pairwise(answers))
        assert self.sequence(1, act, 60) == answers

    def test_force_cap_exceeded(self, client: Client, bucket_id: str) -> None:
        client.store(bucket_id, 'a')
        target = client.call('b2_get_upload_url', bucketId=bucket_id)
        client.http.headers['X-Bz-Test-Mode'] = 'force_cap_exceeded'
        assert refusal(client.authorize()) == (403, 'transaction_cap_exceeded')
        for name, code in (
            ('b2_list_buckets', 'transaction_cap_exceeded'),
            ('b2_list_file_names', 'transaction_cap_exceeded'),
            ('b2_get_upload_url', 'storage_cap_exceeded'),
            ('b2_get_upload_part_url', 'storage_cap_exceeded'),
            ('b2_copy_file', 'cap_exceeded'),
            ('b2_download_file_by_id', 'download_cap_exceeded'),
        ):
            assert client.refused(name) == (403, code), name
        headers = {'X-Bz-File-Name': 'a', 'Content-Type': 'text/plain'}
        assert refusal(client.send(target, b'x', headers)) == (403, 'storage_cap_exceeded')
        assert refusal(client.download('/file/bucket-1/a')) == (403, 'download_cap_exceeded')
        client.call('b2_hide_file', bucketId=bucket_id, fileName='a')
        client.http.headers['X-Bz-Test-Mode'] = 'something_else'
        client.call('b2_list_buckets', accountId=client.server.account_id)


def test_faults_are_safe_for_many_threads(client: Client) -> None:
    client.server.inject(Fault(call='b2_list_buckets', status=503, count=37))
    account = client.server.account_id
    statuses: list[int] = []

    def work() -> None:
        with requests.Session() as http:
            own = Client(client.server, http=http, token=client.token)
            for _ in range(25):
                statuses.append(own.post('b2_list_buckets', accountId=account).status_code)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 63 + [503] * 37


@pytest.mark.parametrize('after', [0, 1000])
@pytest.mark.parametrize(('fault', 'expected'), [('cut_after', False), ('reset_after', True)])
def test_endings_go_through_tls(fault: str, expected: bool, after: int) -> None:
    with SimulatorServer(tls=True) as server:
        server.inject(
            Fault(call='b2_authorize_account', status=503, message='m' * 5000, **{fault: after})
        )
        context = ssl.create_default_context(cadata=server.certificate_authority)
        with Wire(server) as wire:
            # Python's TLS tells a reset from an end as little as most clients: the test reads
            # what goes over the wire itself.
            wire.socket.settimeout(60)
            copy = wire.socket.dup()
            with context.wrap_socket(copy, server_hostname='127.0.0.1') as secured:
                secured.sendall(b'GET /b2api/v4/b2_authorize_account HTTP/1.1\r\nHost: x\r\n\r\n')
                received, is_reset = wire.until_the_end()
        assert is_reset is expected
        assert (len(received) > 1000) is (after > 0)
        assert len(received) < 5000
