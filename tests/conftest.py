"""Fixtures for all tests: an account over each way that bytes move."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
import requests

from b2fast import (
    B2Api,
    B2HttpApiConfig,
    Bucket,
    FaithfulSimulator,
    InMemoryAccountInfo,
    InMemoryCache,
    RawSimulator,
    RetryPolicy,
    SimulatorServer,
)
from b2fast.transfer import process_resources

pytest_plugins = ['pytester']

# Programs that tests start elsewhere have to find the same b2fast.
if 'PYTHONPATH' in os.environ:
    os.environ['PYTHONPATH'] = os.pathsep.join(
        map(os.path.abspath, os.environ['PYTHONPATH'].split(os.pathsep))
    )

PART_SIZE = 200
"""Recommended and minimum part size of the simulators, in bytes; `RawSimulator` has no other."""

# No test may depend on how busy the machine is. The CI tries the same examples each time, so that
# what fails there is what the change broke; elsewhere they are new ones.
hypothesis.settings.register_profile(
    'b2fast', deadline=None, derandomize=bool(os.environ.get('CI'))
)
hypothesis.settings.load_profile('b2fast')

QUICK_RETRIES = RetryPolicy(attempts=5, first_delay=0.001, max_delay=0.01, deadline=20)

INSTALL = {
    'rclone': 'Debian, Ubuntu: apt-get install rclone; else https://rclone.org/downloads/',
    'restic': 'Debian, Ubuntu: apt-get install restic; else https://restic.net',
}
"""Programs that tests run, each the marker of those tests, and where they come from."""

_left_out = pytest.StashKey[list[str]]()

NOBODY = 65534
"""A user ID without privileges."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a program that the machine does not have; in the CI that is an error."""
    left_out: list[pytest.Item] = []
    reports = []
    for program, source in INSTALL.items():
        without = [item for item in items if item.get_closest_marker(program)]
        if without and not shutil.which(program):
            left_out += without
            reports.append(f'{len(without)} tests need {program}, which is missing ({source})')
    if reports and os.environ.get('CI'):
        raise pytest.UsageError('CI is set, and ' + '; '.join(reports))
    if reports:
        config.hook.pytest_deselected(items=list(dict.fromkeys(left_out)))
        items[:] = [item for item in items if item not in left_out]
        config.stash[_left_out] = reports


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out."""
    reports = config.stash.get(_left_out, [])
    if reports:
        terminalreporter.section('NOT ALL TESTS WERE RUN', sep='!', red=True, bold=True)
        for report in reports:
            terminalreporter.line(report, red=True)


@dataclass
class Account:
    """An authorized API object, and how to make further ones for the same service.

    :param session: makes the sessions that content goes through, over HTTP without the engine
    """

    api: B2Api
    new_api: Callable[..., B2Api]
    key_id: str
    key: str
    realm: str
    server: SimulatorServer | FaithfulSimulator | None
    session: Callable[[], requests.Session] | None = None
    has_engine: bool = False


@pytest.fixture(params=['raw', 'faithful', 'http', 'http-streams'])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """An empty account at a simulator: two in the process, two with a network between.

    A test that needs HTTP takes these by ``parametrize('account', [...], indirect=True)``.

    With ``http-streams`` content goes through Python as well, as it does for programs that
    have their own ``requests`` sessions.
    """
    if request.param == 'raw':
        yield new_raw_account()
        return
    if request.param == 'faithful':
        yield _faithful_account()
        return
    with SimulatorServer(
        minimum_part_size=PART_SIZE, recommended_part_size=PART_SIZE, custom_timestamps=True
    ) as server:
        yield _http_account(server, with_engine=request.param == 'http')


def new_raw_account() -> Account:
    """An empty account at a simulator in the process."""
    simulator = RawSimulator()
    key_id, key = simulator.create_account()

    def new_api(**parameters: object) -> B2Api:
        return _new_api(B2HttpApiConfig(_raw_api_class=lambda: simulator), parameters)

    api = new_api()
    api.authorize_account(key_id, key)
    return Account(api, new_api, key_id, key, 'production', None)


def _faithful_account() -> Account:
    simulator = FaithfulSimulator(
        minimum_part_size=PART_SIZE, recommended_part_size=PART_SIZE, custom_timestamps=True
    )
    config = B2HttpApiConfig(simulator.session, retry_policy=QUICK_RETRIES)

    def new_api(**parameters: object) -> B2Api:
        return _new_api(config, parameters)

    api = new_api()
    api.authorize_account(simulator.key_id, simulator.key)
    return Account(
        api, new_api, simulator.key_id, simulator.key, 'production', simulator, simulator.session
    )


def _http_account(server: SimulatorServer, with_engine: bool) -> Account:
    config = B2HttpApiConfig(retry_policy=QUICK_RETRIES)
    if not with_engine:
        config = B2HttpApiConfig(_new_session, retry_policy=QUICK_RETRIES)

    def new_api(**parameters: object) -> B2Api:
        return _new_api(config, parameters)

    api = new_api()
    api.authorize_account(server.key_id, server.key, server.url)
    assert (api.session.transfer_engine(1) is not None) is with_engine
    session = None if with_engine else _new_session
    return Account(
        api, new_api, server.key_id, server.key, server.url, server, session, with_engine
    )


def _new_session() -> requests.Session:
    return requests.Session()


def _new_api(config: B2HttpApiConfig, parameters: dict[str, object]) -> B2Api:
    return B2Api(
        InMemoryAccountInfo(),
        InMemoryCache(),
        api_config=config,
        **parameters,  # type: ignore[arg-type]
    )


@pytest.fixture
def api(account: Account) -> B2Api:
    """The authorized API object of `account`."""
    return account.api


@pytest.fixture
def bucket(api: B2Api) -> Bucket:
    """An empty private bucket in `account`."""
    return api.create_bucket('a-bucket', 'allPrivate')


@pytest.fixture
def shared_directory() -> Iterator[Path]:
    """An empty directory that every user can reach; `tmp_path` is for its owner alone."""
    with TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        yield path


@pytest.fixture
def without_privileges() -> Callable[[], AbstractContextManager[None]]:
    """Makes a context in which all threads have no more rights than an ordinary user.

    For root no file is unreadable, so root becomes another user for that time.  Do what imports
    modules before: they may be where only root can read them.
    """

    @contextmanager
    def drop() -> Iterator[None]:
        user = os.geteuid()
        if user == 0:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(user)

    return drop


@pytest.fixture
def fresh_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of its own: those that clients share may be more, or fewer after refusals."""
    monkeypatch.setattr(process_resources, '_of_process', {})


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., Path]:
    """Makes a local file of some bytes, named ``source`` if not otherwise."""

    def make(content: bytes, name: str = 'source') -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make
