"""Fixtures for all tests: an account over each of the two ways that bytes move."""

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
    InMemoryAccountInfo,
    InMemoryCache,
    RawSimulator,
    RetryPolicy,
    SimulatorServer,
)

pytest_plugins = ['pytester']

# Programs that tests start elsewhere have to find the same b2fast.
if 'PYTHONPATH' in os.environ:
    os.environ['PYTHONPATH'] = os.pathsep.join(
        map(os.path.abspath, os.environ['PYTHONPATH'].split(os.pathsep))
    )

PART_SIZE = 200
"""Recommended and minimum part size of both simulators, in bytes; `RawSimulator` has no other."""

# No test may depend on how busy the machine is. The CI tries the same examples each time, so that
# what fails there is what the change broke; elsewhere they are new ones.
hypothesis.settings.register_profile(
    'b2fast', deadline=None, derandomize=bool(os.environ.get('CI'))
)
hypothesis.settings.load_profile('b2fast')

QUICK_RETRIES = RetryPolicy(attempts=5, first_delay=0.001, max_delay=0.01, deadline=20)

RCLONE_IS_MISSING = (
    'rclone is missing. Install it (Debian, Ubuntu: apt-get install rclone; '
    'else https://rclone.org/downloads/).'
)
_left_out = pytest.StashKey[int]()

NOBODY = 65534
"""A user ID without privileges."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs rclone on a machine without it; in the CI that is an error."""
    left_out = [item for item in items if item.get_closest_marker('rclone')]
    if not left_out or shutil.which('rclone'):
        return
    if os.environ.get('CI'):
        raise pytest.UsageError(f'CI is set, and {RCLONE_IS_MISSING}')
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    config.stash[_left_out] = len(left_out)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out."""
    number = config.stash.get(_left_out, 0)
    if number:
        terminalreporter.section('NOT ALL TESTS WERE RUN', sep='!', red=True, bold=True)
        terminalreporter.line(f'{number} tests were left out: {RCLONE_IS_MISSING}', red=True)


@dataclass
class Account:
    """An authorized API object, and how to make further ones for the same service."""

    api: B2Api
    new_api: Callable[..., B2Api]
    key_id: str
    key: str
    realm: str
    server: SimulatorServer | None
    has_engine: bool = False


@pytest.fixture(params=['raw', 'http', 'http-streams'])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """An empty account at a simulator, without and with HTTP between.

    A test that needs HTTP takes these by ``parametrize('account', [...], indirect=True)``.

    With ``http-streams`` content goes through Python as well, as it does for programs that
    have their own ``requests`` sessions.
    """
    if request.param == 'raw':
        yield new_raw_account()
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


def _http_account(server: SimulatorServer, with_engine: bool) -> Account:
    config = B2HttpApiConfig(retry_policy=QUICK_RETRIES)
    if not with_engine:
        config = B2HttpApiConfig(lambda: requests.Session(), retry_policy=QUICK_RETRIES)

    def new_api(**parameters: object) -> B2Api:
        return _new_api(config, parameters)

    api = new_api()
    api.authorize_account(server.key_id, server.key, server.url)
    assert (api.session.transfer_engine(1) is not None) is with_engine
    return Account(api, new_api, server.key_id, server.key, server.url, server, with_engine)


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
def make_file(tmp_path: Path) -> Callable[..., Path]:
    """Makes a local file of some bytes, named ``source`` if not otherwise."""

    def make(content: bytes, name: str = 'source') -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make
