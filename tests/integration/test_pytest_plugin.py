"""The pytest plugin, as a project uses it that has b2fast installed."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import b2fast

from ..plugin_project import find_plugin

FIXTURES = ['b2_api', 'b2_bucket', 'b2_faults', 'b2_simulator', 'b2_simulator_options']

# Without the plugins of our own tests, which take longer to load than these tests to run.
INI = """
[pytest]
addopts = --strict-markers --strict-config -p no:cacheprovider -p no:hypothesispytest
    -p no:benchmark -p no:timeout
filterwarnings = error
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project in which every warning is an error."""
    find_plugin(monkeypatch, pytester.path / 'installed')
    pytester.makeini(INI)
    return pytester


def passes(project: pytest.Pytester, *arguments: str, tests: int) -> pytest.RunResult:
    result = project.runpytest_subprocess(*arguments)
    result.assert_outcomes(passed=tests)
    return result


def test_the_wheel_has_the_entry_point() -> None:
    distribution = importlib.metadata.distribution('b2fast')
    installed = Path(str(distribution.locate_file('b2fast/__init__.py')))
    has_it = bool(distribution.entry_points.select(group='pytest11', value='b2fast.testing'))
    # On the source tree the other tests find it in pyproject.toml.
    assert has_it or not installed.samefile(b2fast.__file__)


def test_an_account_without_a_network(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import gc

        from b2fast import B2Api, Bucket, SimulatorServer

        def test_server(b2_simulator):
            assert isinstance(b2_simulator, SimulatorServer)
            assert b2_simulator.url.startswith('http://127.0.0.1:')

        def test_api(b2_api, b2_simulator):
            assert type(b2_api) is B2Api
            assert b2_api.list_buckets() == []
            assert b2_api.account_info.get_application_key_id() == b2_simulator.key_id

        def test_bucket(b2_bucket, b2_api):
            assert type(b2_bucket) is Bucket
            assert b2_bucket.type_ == 'allPrivate'
            b2_bucket.upload_bytes(b'hello', 'greeting')
            assert [version.file_name for version, _ in b2_bucket.ls()] == ['greeting']

        def test_nothing_is_left(b2_api, b2_bucket):
            assert [bucket.name for bucket in b2_api.list_buckets()] == [b2_bucket.name]
            assert list(b2_bucket.ls()) == []

        def test_no_connection_is_left_open():
            gc.collect()
    """)
    passes(project, tests=5)


def test_options(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_by_marker="""
            import pytest

            pytestmark = pytest.mark.b2_simulator(minimum_part_size=100, recommended_part_size=300)

            def test_module(b2_api):
                assert b2_api.account_info.get_absolute_minimum_part_size() == 100

            @pytest.mark.b2_simulator(recommended_part_size=200)
            def test_nearest_comes_first(b2_api):
                assert b2_api.account_info.get_absolute_minimum_part_size() == 100
                assert b2_api.account_info.get_recommended_part_size() == 200
        """,
        test_by_fixture="""
            import pytest

            @pytest.fixture
            def b2_simulator_options(tmp_path):
                return {'data_dir': tmp_path, 'key_id': 'me', 'key': 'secret'}

            def test_fixture(b2_simulator, b2_bucket, tmp_path):
                assert b2_simulator.key == 'secret'
                b2_bucket.upload_bytes(b'hello', 'greeting')
                assert any(path.is_file() for path in tmp_path.rglob('*'))

            @pytest.mark.b2_simulator(key='other')
            def test_both(b2_simulator):
                assert (b2_simulator.key_id, b2_simulator.key) == ('me', 'other')
        """,
        test_by_parameter="""
            import pytest

            @pytest.mark.parametrize('b2_simulator_options', [{'key': 'one'}, {'key': 'two'}])
            def test_parameter(b2_simulator, b2_simulator_options):
                assert b2_simulator.key == b2_simulator_options['key']
        """,
    )
    passes(project, tests=6)


def test_unknown_option_is_an_error(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest

        @pytest.mark.b2_simulator(no_such_option=1)
        def test_it(b2_simulator):
            pass
    """)
    result = project.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['*TypeError:*no_such_option*'])


def test_one_server_for_the_session(project: pytest.Pytester) -> None:
    project.makeconftest("""
        import pytest

        from b2fast import SimulatorServer

        @pytest.fixture(scope='session')
        def b2_simulator():
            with SimulatorServer() as server:
                yield server
    """)
    project.makepyfile("""
        import pytest

        from b2fast.simulator import Fault

        def test_one(b2_bucket):
            b2_bucket.upload_bytes(b'hello', 'greeting')

        def test_other(b2_bucket, b2_simulator):
            assert list(b2_bucket.ls()) == []
            assert b2_simulator.calls['b2_create_bucket'] == 2

        def test_faults(b2_faults):
            b2_faults.add(Fault(call='b2_list_buckets', status=503, count=99), optional=True)

        def test_no_faults_are_left(b2_api, b2_simulator):
            b2_api.list_buckets()
            assert b2_simulator.calls['b2_list_buckets'] == 1
    """)
    passes(project, tests=4)


def test_faults(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest

        from b2fast.exception import B2Error, ServiceError
        from b2fast.simulator import Fault

        def test_is_ridden_out(b2_bucket, b2_faults, b2_simulator):
            b2_faults.add(Fault(call='b2_upload_file', status=503, count=2))
            b2_bucket.upload_bytes(b'hello', 'greeting')
            assert b2_simulator.calls['b2_upload_file'] == 3

        def test_is_too_much(b2_api, b2_faults):
            b2_faults.add(Fault(call='b2_list_buckets', status=503, count=99))
            with pytest.raises(ServiceError):
                b2_api.list_buckets()

        def test_several_in_turn(b2_api, b2_faults, b2_simulator):
            b2_api.list_buckets()
            b2_faults.add(
                Fault(call='b2_list_buckets', status=503),
                Fault(call='b2_list_buckets', status=429, count=2),
            )
            b2_api.list_buckets()
            told = [r.status for r in b2_simulator.requests if r.call == 'b2_list_buckets']
            assert told == [200, 503, 429, 429, 200]

        def test_later(b2_api, b2_faults, b2_simulator):
            b2_faults.add(Fault(call='b2_list_buckets', status=503, skip=1))
            b2_api.list_buckets()
            b2_api.list_buckets()
            assert b2_simulator.calls['b2_list_buckets'] == 3

        def test_upload_that_breaks_off(b2_bucket, b2_faults):
            b2_faults.add(Fault(call='b2_upload_file', cut_upload_after=1000))
            b2_bucket.upload_bytes(bytes(1_000_000), 'zeros')

        def test_optional(b2_faults):
            b2_faults.add(Fault(call='b2_upload_file', status=503), optional=True)
    """)
    passes(project, tests=6)


def test_fault_that_never_struck(project: pytest.Pytester) -> None:
    project.makepyfile("""
        from b2fast.simulator import Fault

        def test_no_call(b2_api, b2_faults):
            b2_faults.add(Fault(call='b2_upload_file', status=503))

        def test_too_few_calls(b2_api, b2_faults):
            b2_faults.add(
                Fault(call='b2_list_buckets', status=503),
                Fault(call='b2_list_buckets', status=429, skip=5),
            )
            b2_api.list_buckets()
    """)
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(
        [
            "Scripted, but never struck: Fault(call='b2_upload_file', status=503)",
            "Scripted, but never struck: Fault(call='b2_list_buckets', status=429, skip=5)",
        ]
    )
    result.stdout.no_fnmatch_line("*Scripted*b2_list_buckets', status=503*")


def test_bucket_at_a_real_account_is_refused(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest

        from b2fast import B2Api, InMemoryAccountInfo, SimulatorServer

        @pytest.fixture(scope='module')
        def b2_api():
            with SimulatorServer() as server:
                api = B2Api(InMemoryAccountInfo())
                api.authorize_account(server.key_id, server.key, server.url)
                yield api
                assert server.calls == {'b2_authorize_account': 1}

        def test_it(b2_bucket):
            pass
    """)
    result = project.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['*b2_bucket makes buckets at b2_simulator only*'])


def test_every_worker_of_xdist_has_its_servers(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import os

        import pytest

        @pytest.mark.parametrize('number', range(6))
        def test_it(number, b2_bucket, b2_simulator):
            assert os.environ['PYTEST_XDIST_WORKER']
            b2_bucket.upload_bytes(b'hello', 'greeting')
            assert b2_simulator.calls['b2_create_bucket'] == 1
    """)
    passes(project, '-n', '2', tests=6)


def test_fixtures_and_marker_are_explained(project: pytest.Pytester) -> None:
    fixtures = project.runpytest_subprocess('--fixtures').stdout
    markers = project.runpytest_subprocess('--markers').stdout
    for name in FIXTURES:
        fixtures.re_match_lines(
            [rf'{name}( \[.*\])? -- .*testing/__init__\.py:\d+', r'    [A-Z]\w+']
        )
    markers.fnmatch_lines(['@pytest.mark.b2_simulator(*'])


def test_it_can_be_kept_out(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import sys

        def test_it():
            assert 'b2fast' not in sys.modules
    """)
    passes(project, '-p', 'no:b2fast', tests=1)


def test_fixtures_of_the_project_come_first(project: pytest.Pytester) -> None:
    project.makeconftest("""
        import pytest

        pytest_plugins = ['own_plugin']

        @pytest.fixture
        def b2_bucket():
            return 'of conftest'
    """)
    project.makepyfile(
        own_plugin="""
            import pytest

            @pytest.fixture(scope='session')
            def b2_api():
                return 'of a plugin'
        """,
        test_it="""
            def test_it(b2_bucket, b2_api):
                assert b2_bucket == 'of conftest'
                assert b2_api == 'of a plugin'
        """,
    )
    passes(project, tests=1)


def test_little_is_loaded_before_a_fixture_is_used(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import sys

        def test_it():
            loaded = {name for name in sys.modules if name.partition('.')[0] == 'b2fast'}
            ours = {name for name in loaded if not name.startswith('b2fast._core')}
            assert ours == {'b2fast', 'b2fast.lazy_names', 'b2fast.testing'}
    """)
    passes(project, tests=1)


def test_b2fast_that_was_imported_before_is_no_warning(project: pytest.Pytester) -> None:
    project.makepyfile('def test_it(b2_bucket): pass')
    program = 'import sys, b2fast.exception, pytest; sys.exit(pytest.main(["-W", "error"]))'
    result = project.run(sys.executable, '-c', program)
    assert result.ret == 0, result.stdout.str()
    result.assert_outcomes(passed=1)


def test_b2fast_itself_knows_no_pytest() -> None:
    program = (
        'import sys, b2fast\n'
        'for name in b2fast.__all__:\n'
        '    getattr(b2fast, name)\n'
        "print([name for name in sys.modules if 'pytest' in name or 'testing' in name])"
    )
    shown = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert shown.stdout == '[]\n', shown.stderr
