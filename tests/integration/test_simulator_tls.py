"""The simulator over HTTPS, to clients that trust nothing but its authority."""

from __future__ import annotations

import io
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from b2sdk.v3 import B2Api as ReferenceApi, InMemoryAccountInfo as ReferenceInfo
from tests.conftest import PART_SIZE, QUICK_RETRIES

from b2fast import (
    B2Api,
    B2HttpApiConfig,
    CancelToken,
    InMemoryAccountInfo,
    UploadSourceBytes,
    cancel_scope,
)
from b2fast._core.server import make_certificate
from b2fast.exception import B2ConnectionError, TransferCancelled
from b2fast.simulator import Certificate, Fault, SimulatorServer

DATA = bytes(range(256)) * 4


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    """Speaks HTTPS with a certificate made on the spot."""
    with SimulatorServer(
        tls=True, minimum_part_size=PART_SIZE, recommended_part_size=PART_SIZE
    ) as server:
        yield server


@pytest.fixture
def authority(server: SimulatorServer, tmp_path: Path) -> Path:
    """The file that names whom clients have to trust."""
    assert server.certificate_authority is not None
    path = tmp_path / 'authority.pem'
    path.write_text(server.certificate_authority)
    return path


@pytest.fixture
def trusted(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the clients in this process trust the server."""
    monkeypatch.setenv('REQUESTS_CA_BUNDLE', str(authority))


def assert_moves_files(api: B2Api | ReferenceApi, server: SimulatorServer, tmp_path: Path) -> None:
    """Sends a large file there and back."""
    source, target = tmp_path / 'source', tmp_path / 'target'
    source.write_bytes(DATA)
    api.authorize_account(server.key_id, server.key, server.url)
    bucket = api.create_bucket('over-https', 'allPrivate')
    bucket.upload_local_file(str(source), 'a/b')
    bucket.download_file_by_name('a/b').save_to(str(target))
    assert target.read_bytes() == DATA
    assert server.calls['b2_upload_part'] >= 2


@pytest.mark.usefixtures('trusted')
@pytest.mark.parametrize('with_engine', [True, False])
def test_b2fast_moves_files(server: SimulatorServer, tmp_path: Path, with_engine: bool) -> None:
    config = B2HttpApiConfig() if with_engine else B2HttpApiConfig(lambda: requests.Session())
    api = B2Api(api_config=config)
    assert_moves_files(api, server, tmp_path)
    assert (api.session.transfer_engine(1) is not None) is with_engine


@pytest.mark.usefixtures('trusted')
def test_b2sdk_moves_files(server: SimulatorServer, tmp_path: Path) -> None:
    api = ReferenceApi(ReferenceInfo())
    assert_moves_files(api, server, tmp_path)
    # Its connections stay open until they are collected, which would warn in another test.
    api.session.raw_api.b2_http.session.close()


def test_who_does_not_trust_it_sends_nothing(server: SimulatorServer) -> None:
    api = B2Api(api_config=B2HttpApiConfig(retry_policy=QUICK_RETRIES))
    with pytest.raises(B2ConnectionError, match='certificate'):
        api.authorize_account(server.key_id, server.key, server.url)
    assert not server.requests


def test_urls_in_answers_are_https(server: SimulatorServer, authority: Path) -> None:
    answer = requests.get(
        f'{server.url}/b2api/v4/b2_authorize_account',
        auth=(server.key_id, server.key),
        verify=str(authority),
        timeout=10,
    ).json()
    storage = answer['apiInfo']['storageApi']
    assert server.url.startswith('https://')
    assert {storage['apiUrl'], storage['downloadUrl']} == {server.url}


@pytest.mark.parametrize('name', ['localhost', '127.0.0.1'])
def test_the_certificate_is_for_every_loopback_name(
    server: SimulatorServer, authority: Path, name: str
) -> None:
    context = ssl.create_default_context(cafile=str(authority))
    port = int(server.url.rpartition(':')[2])
    with (
        socket.create_connection(('127.0.0.1', port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        assert secure.version() == 'TLSv1.3'


def test_plain_http_disturbs_nobody(server: SimulatorServer, authority: Path) -> None:
    plain = server.url.replace('https:', 'http:')
    with pytest.raises(requests.ConnectionError):
        requests.get(plain, timeout=10)
    assert requests.get(server.url, verify=str(authority), timeout=10).status_code == 400


def test_a_given_certificate_is_shown(tmp_path: Path) -> None:
    certificate, key, authority = make_certificate(['127.0.0.1'])
    files = [tmp_path / 'certificate.pem', tmp_path / 'key.pem', tmp_path / 'authority.pem']
    for file, content in zip(files, [certificate, key, authority.encode()], strict=True):
        file.write_bytes(content)
    with SimulatorServer(tls=Certificate(files[0], files[1])) as server:
        assert server.certificate_authority is None
        assert requests.get(server.url, verify=str(files[2]), timeout=10).status_code == 400


def test_what_is_no_certificate_is_refused_without_a_word_of_the_key(tmp_path: Path) -> None:
    certificate, _, _ = make_certificate(['127.0.0.1'])
    good, bad = tmp_path / 'certificate.pem', tmp_path / 'key.pem'
    good.write_bytes(certificate)
    bad.write_text('SECRET')
    with pytest.raises(OSError, match='no private key') as error:
        SimulatorServer(tls=Certificate(good, bad))
    assert 'SECRET' not in str(error.value)
    with pytest.raises(OSError, match='no certificate'):
        SimulatorServer(tls=Certificate(bad, bad))
    with pytest.raises(FileNotFoundError):
        SimulatorServer(tls=Certificate(tmp_path / 'missing', bad))


def test_a_name_that_no_certificate_can_have_is_refused() -> None:
    with pytest.raises(OSError, match=r'\w'):
        make_certificate(['näme'])


def test_the_command_writes_the_authority(tmp_path: Path) -> None:
    file = tmp_path / 'authority.pem'
    command = [sys.executable, '-m', 'b2fast', 'simulator', '--port=0', '--until-eof']
    with subprocess.Popen(
        [*command, f'--tls={file}'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(7)]
        url = lines[1].split()[1]
        assert f'--ca-cert={file}' in lines[6]
        assert requests.get(url, verify=str(file), timeout=10).status_code == 400
        process.communicate()
    assert process.returncode == 0


def test_the_command_takes_one_certificate_or_makes_one() -> None:
    command = [sys.executable, '-m', 'b2fast', 'simulator', '--tls=a', '--certificate', 'b', 'c']
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 2
    assert 'not allowed with' in result.stderr


@pytest.mark.usefixtures('trusted')
@pytest.mark.parametrize('config', [B2HttpApiConfig(), B2HttpApiConfig(requests.Session)])
@pytest.mark.parametrize(
    ('fault', 'size'),
    [({'delay': 600}, 10), ({'stall_after': 1_000_000}, 3_000_000)],
    ids=['no answer', 'half an answer'],
)
def test_a_wait_over_https_can_be_ended(
    server: SimulatorServer, config: B2HttpApiConfig, fault: dict[str, int], size: int
) -> None:
    api = B2Api(InMemoryAccountInfo(), api_config=config)
    api.authorize_account(server.key_id, server.key, server.url)
    bucket = api.create_bucket('over-https', 'allPrivate')
    bucket.upload(UploadSourceBytes(bytes(size)), 'name', min_part_size=5_000_000)
    server.inject(Fault(call='b2_download_*', count=1000, **fault))
    token = CancelToken()
    before = server.calls['b2_download_file_by_name']

    def cancel_when_asked() -> None:
        while server.calls['b2_download_file_by_name'] == before:
            time.sleep(0.001)
        token.cancel()

    thread = threading.Thread(target=cancel_when_asked)
    thread.start()
    received = io.BytesIO()
    with cancel_scope(token), pytest.raises(TransferCancelled):
        bucket.download_file_by_name('name').save(received)
    thread.join()
    # Nothing of what was still to be decrypted has got there.
    assert received.getvalue() == bytes(received.tell())
