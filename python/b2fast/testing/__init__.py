"""The pytest plugin: a B2 of its own for each test.

pytest loads it by itself where b2fast is installed; ``-p no:b2fast`` keeps it out. Its fixtures
run on a `SimulatorServer`, so that no account, no network and no cleaning up is needed:
`b2_simulator`, `b2_simulator_options`, `b2_api`, `b2_bucket`, `b2_faults`.

For tests on an account of the environment there is ``b2fast.testing.integration``.
"""

# Loaded in every run of pytest, whether its tests use B2 or not: what the fixtures need is
# imported when they are used.

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from b2fast import B2Api, Bucket, SimulatorServer

    from .faults import ScriptedFaults

__all__ = ['b2_api', 'b2_bucket', 'b2_faults', 'b2_simulator', 'b2_simulator_options']

_MARKER = (
    'b2_simulator(**options): parameters of b2fast.SimulatorServer for the server of this test, '
    'in addition to those of the fixture b2_simulator_options'
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line('markers', _MARKER)


@pytest.fixture
def b2_simulator_options() -> dict[str, Any]:
    """Parameters of `b2fast.SimulatorServer` for `b2_simulator`; none unless overridden."""
    return {}


@pytest.fixture
def b2_simulator(
    request: pytest.FixtureRequest, b2_simulator_options: dict[str, Any]
) -> Iterator[SimulatorServer]:
    """A fresh B2 over HTTP on this machine, a `b2fast.SimulatorServer`.

    Clients need its `url`, `key_id` and `key`. It starts in a millisecond. The fixture
    `b2_simulator_options` and, for one test, class or module, the marker
    ``@pytest.mark.b2_simulator(minimum_part_size=1000)`` set its parameters.
    """
    from b2fast import SimulatorServer

    options = dict(b2_simulator_options)
    # The nearest marker has the last word.
    for marker in reversed(list(request.node.iter_markers('b2_simulator'))):
        options.update(marker.kwargs)
    with SimulatorServer(**options) as server:
        yield server


@pytest.fixture
def b2_api(b2_simulator: SimulatorServer) -> Iterator[B2Api]:
    """A `b2fast.B2Api` that is signed in at `b2_simulator` with its master key.

    Account data are kept in memory. Whatever fails is tried five times within a second or two,
    unless the server asks for longer pauses.
    """
    from b2fast import B2Api, B2HttpApiConfig, B2RawHTTPApi, InMemoryAccountInfo, RetryPolicy

    retries = RetryPolicy(attempts=5, first_delay=0.001, max_delay=0.01, deadline=20)
    api = B2Api(InMemoryAccountInfo(), api_config=B2HttpApiConfig(retry_policy=retries))
    api.authorize_account(b2_simulator.key_id, b2_simulator.key, realm=b2_simulator.url)
    yield api
    raw_api = api.session.raw_api
    assert isinstance(raw_api, B2RawHTTPApi)
    raw_api.b2_http.session.close()


@pytest.fixture
def b2_bucket(b2_api: B2Api, b2_simulator: SimulatorServer) -> Bucket:
    """An empty private bucket of `b2_api`, with a name of its own."""
    if b2_api.account_info.get_api_url() != b2_simulator.url:
        pytest.fail(
            'b2_bucket makes buckets at b2_simulator only, and nobody would delete this one: '
            'b2_api, which is overridden, is signed in at another service'
        )
    return b2_api.create_bucket(f'test-{secrets.token_hex(8)}', 'allPrivate')


@pytest.fixture
def b2_faults(b2_simulator: SimulatorServer) -> Iterator[ScriptedFaults]:
    """Lets calls to `b2_simulator` go wrong: ``b2_faults.add(Fault(call='b2_list_buckets', ...))``.

    After the test they are forgotten. A fault that never struck is an error, because the test
    has then not tested what it meant to, unless it was added with ``optional=True``.
    """
    from .faults import ScriptedFaults, brief

    faults = ScriptedFaults(b2_simulator)
    yield faults
    missed = faults.missed
    b2_simulator.clear_faults()
    if missed:
        pytest.fail(f'Scripted, but never struck: {", ".join(map(brief, missed))}', pytrace=False)
