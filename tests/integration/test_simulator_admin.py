"""The admin calls of the simulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from b2fast._core.server import Request, Response
from b2fast.simulator import Fault, SimulatorServer

from .simulator_client import NOW, Client, refusal


@pytest.fixture
def admin(server: SimulatorServer) -> Iterator[Admin]:
    with requests.Session() as http:
        http.auth = (server.key_id, server.key)
        yield Admin(server, http)


class Admin:
    def __init__(self, server: SimulatorServer, http: requests.Session) -> None:
        self.server = server
        self.http = http

    def ask(self, method: str, name: str, body: object = None, **kwargs: Any) -> requests.Response:
        if body is not None:
            kwargs['data'] = body if isinstance(body, bytes) else json.dumps(body)
        return self.http.request(method, f'{self.server.url}/simulator/{name}', **kwargs)

    def call(self, method: str, name: str, body: object = None, **kwargs: Any) -> Any:
        answer = self.ask(method, name, body, **kwargs)
        assert answer.status_code == 200, answer.text
        return answer.json()


class TestFaults:
    def test_add_list_and_clear(self, admin: Admin, client: Client) -> None:
        first = {'call': 'b2_list_buckets', 'status': 503, 'retry_after': 3}
        second = {'call': 'b2_upload_*', 'cut_upload_after': 7, 'rate': 0.5}
        added = admin.call('POST', 'faults', {'faults': [first]})
        untouched = {'struck': 0, 'isOver': False}
        assert added == {'seed': 0, 'faults': [first | untouched]}
        admin.call('POST', 'faults', {'faults': [second]})
        assert client.refused('b2_list_buckets') == (503, 'service_unavailable')
        assert admin.call('GET', 'faults')['faults'] == [
            first | {'struck': 1, 'isOver': True},
            second | untouched,
        ]
        assert admin.call('DELETE', 'faults')['faults'] == []
        client.call('b2_list_buckets', accountId=client.server.account_id)

    def test_scripts_replace_what_was_there(self, admin: Admin) -> None:
        admin.server.inject(Fault(call='*', status=503))
        script = {'seed': 9, 'faults': [{'call': 'b2_list_keys', 'delay': 0.5}]}
        answer = admin.call('PUT', 'faults', script)
        assert answer['seed'] == 9
        assert [fault['call'] for fault in answer['faults']] == ['b2_list_keys']

    def test_the_seed_decides(self, admin: Admin, client: Client) -> None:
        fault = {'call': 'b2_list_buckets', 'status': 503, 'rate': 0.5}
        admin.call('POST', 'faults', {'faults': [fault]})
        account = client.server.account_id
        sequences = []
        for seed in (4, 5, 4):
            assert admin.call('PUT', 'seed', {'seed': seed})['seed'] == seed
            answers = [client.post('b2_list_buckets', accountId=account) for _ in range(30)]
            sequences.append([answer.status_code for answer in answers])
        assert sequences[0] == sequences[2] != sequences[1]

    @pytest.mark.parametrize(
        ('body', 'code', 'message'),
        [
            (b'{', 'bad_json', 'The request body is not valid JSON'),
            ([], 'bad_json', 'The request body is not a JSON object'),
            ({'fauls': []}, 'bad_request', 'unknown field "fauls"; did you mean "faults"?'),
            (
                {'faults': [{'call': '*', 'statu': 1}]},
                'bad_request',
                'fault 1: unknown field "statu"; did you mean "status"?',
            ),
            (
                {'faults': [{'call': 'b2_x', 'status': 503}]},
                'bad_request',
                'there is no call "b2_x"',
            ),
        ],
        ids=str,
    )
    def test_says_what_is_wrong(self, admin: Admin, body: object, code: str, message: str) -> None:
        answer = admin.ask('POST', 'faults', body)
        assert refusal(answer) == (400, code)
        assert answer.json()['message'] == message
        assert admin.call('GET', 'faults')['faults'] == []

    @pytest.mark.parametrize('body', [{'seed': '1'}, {'seed': True}, {}, {'seed': 1, 'x': 1}])
    def test_that_is_no_seed(self, admin: Admin, body: object) -> None:
        assert refusal(admin.ask('PUT', 'seed', body)) == (400, 'bad_request')


class TestRequests:
    def test_counters(self, admin: Admin, client: Client) -> None:
        client.create_bucket()
        assert admin.call('GET', 'calls') == {
            'calls': {'b2_authorize_account': 1, 'b2_create_bucket': 1}
        }

    def test_log_in_pages(self, admin: Admin, client: Client) -> None:
        bucket_id = client.create_bucket()
        client.store(bucket_id, 'a')
        client.download('/file/bucket-1/a', Range='bytes=0-1')
        whole = admin.call('GET', 'requests')
        assert [entry['number'] for entry in whole['requests']] == [1, 2, 3, 4, 5]
        assert whole['next'] == 5
        assert whole['requests'][-1] == {
            'number': 5,
            'call': 'b2_download_file_by_name',
            'method': 'GET',
            'path': '/file/bucket-1/a',
            'range': 'bytes=0-1',
            'status': 206,
        }
        paged: list[Any] = []
        after = 0
        while True:
            page = admin.call('GET', 'requests', params={'after': after, 'limit': 2})
            if not page['requests']:
                break
            assert len(page['requests']) <= 2
            paged += page['requests']
            after = page['next']
        assert paged == whole['requests']
        client.post('b2_list_buckets')
        (new,) = admin.call('GET', 'requests', params={'after': after})['requests']
        assert (new['number'], new['call'], new['status']) == (6, 'b2_list_buckets', 400)

    @pytest.mark.parametrize(
        'query', ['limit=10001', 'limit=-1', 'limit=x', 'after=', 'after=1.5', 'since=1']
    )
    def test_that_cannot_be_paged(self, admin: Admin, query: str) -> None:
        assert refusal(admin.ask('GET', f'requests?{query}')) == (400, 'bad_request')

    def test_log_has_no_secret(self, admin: Admin, client: Client) -> None:
        bucket_id = client.create_bucket()
        target = client.call('b2_get_upload_url', bucketId=bucket_id)
        headers = {'X-Bz-File-Name': 'a', 'Content-Type': 'text/plain'}
        client.send(target, b'data', headers)
        answer = client.call(
            'b2_get_download_authorization',
            bucketId=bucket_id,
            fileNamePrefix='',
            validDurationInSeconds=60,
        )
        download = answer['authorizationToken']
        for path in ('/file/bucket-1/a', '/b2api/v4/b2_download_file_by_id', '/nowhere'):
            client.download(f'{path}?Authorization={download}', token=None)
        client.server.inject(Fault(call='b2_upload_file', cut_upload_after=0))
        with pytest.raises(requests.exceptions.ConnectionError):
            client.send(target, b'data', headers)
        log = admin.ask('GET', 'requests').text + repr(client.server.requests)
        assert 'b2_upload_file' in log
        secrets = (client.token, target['authorizationToken'], download, client.server.key)
        assert not [secret for secret in secrets if secret in log]


class TestTime:
    def test_tokens_expire(self, admin: Admin, client: Client) -> None:
        assert admin.call('POST', 'expire_tokens') == {}
        account = client.server.account_id
        assert client.refused('b2_list_buckets', accountId=account) == (401, 'expired_auth_token')

    def test_the_clock_moves(self, admin: Admin, client: Client) -> None:
        answer = admin.call('POST', 'advance_clock', {'seconds': 3600})
        assert answer == {'now': NOW + 3_600_000}
        client.call('b2_list_buckets', accountId=client.server.account_id)
        admin.call('POST', 'advance_clock', {'seconds': 82_800.5})
        account = client.server.account_id
        assert client.refused('b2_list_buckets', accountId=account) == (401, 'expired_auth_token')

    @pytest.mark.parametrize('seconds', [-1, '1', None, True, float('inf'), float('nan')])
    def test_the_clock_does_not_move_otherwise(self, admin: Admin, seconds: object) -> None:
        answer = admin.ask('POST', 'advance_clock', {'seconds': seconds})
        assert refusal(answer) == (400, 'bad_request')


class TestAccess:
    NAMES = ('faults', 'calls', 'requests', 'nothing')

    def test_needs_the_master_key(self, client: Client) -> None:
        server = client.server
        key = client.call(
            'b2_create_key',
            accountId=server.account_id,
            capabilities=['listBuckets', 'writeKeys'],
            keyName='other',
        )
        other = (key['applicationKeyId'], key['applicationKey'])
        for auth in (None, ('', ''), (server.key_id, 'wrong'), ('wrong', server.key), other):
            for name in self.NAMES:
                answer = requests.get(f'{server.url}/simulator/{name}', auth=auth, timeout=30)
                assert refusal(answer) == (401, 'unauthorized')
                # A browser would ask its user, and then send the key for any page.
                assert 'WWW-Authenticate' not in answer.headers
        url = f'{server.url}/simulator/calls'
        headers = {'Authorization': client.token}
        assert requests.get(url, headers=headers, timeout=30).status_code == 401

    @pytest.mark.parametrize('peer', ['203.0.113.7', '2001:db8::1', '10.0.0.1', None])
    def test_needs_this_machine(self, admin: Admin, peer: str | None) -> None:
        request = requests.Request('GET', admin.server.url, auth=admin.http.auth).prepare()
        headers = {'authorization': str(request.headers['Authorization'])}

        def ask(peer: str | None) -> Response:
            asked = Request('GET', '/simulator/calls', '', headers, b'', peer=peer)
            return admin.server._front(asked)

        assert ask('127.0.0.1').status == ask('::1').status == 200
        assert ask(peer).status == 403
        assert json.loads(ask(peer).body.read())['code'] == 'access_denied'

    def test_unknown_calls_and_methods(self, admin: Admin) -> None:
        for name in ('', 'fault', 'faults/1', 'faults/'):
            answer = admin.ask('GET', name)
            assert refusal(answer) == (404, 'not_found')
            assert '/simulator/faults' in answer.json()['message']
        assert refusal(admin.ask('GET', 'expire_tokens')) == (405, 'method_not_allowed')

    def test_is_neither_counted_nor_struck(self, admin: Admin) -> None:
        admin.server.inject(Fault(call='*', status=503, rate=1))
        for _ in range(3):
            admin.call('GET', 'faults')
        assert admin.server.calls == {}

    def test_is_not_in_the_way_of_b2(self, client: Client) -> None:
        client.create_bucket('simulator')
        assert refusal(client.download('/file/simulator/faults')) == (404, 'not_found')
