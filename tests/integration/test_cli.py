"""The command line as a user starts it."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from b2fast import B2Api, InMemoryAccountInfo
from b2fast._core import __version__
from b2fast.cli import main
from b2fast.exception import BadRequest

Start = Callable[..., 'subprocess.Popen[str]']
COMMAND = [sys.executable, '-W', 'error', '-m', 'b2fast']
DEADLINE = 60


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a command; whatever still runs at the end of the test is killed.

    Ctrl-C reaches it even where the tests run with that signal ignored, as a shell's background
    jobs do.
    """
    processes: list[subprocess.Popen[str]] = []
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    signal.signal(signal.SIGINT, previous)
    for process in processes:
        process.kill()
        process.communicate()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False
    )


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def read_until(process: subprocess.Popen[str], text: str) -> None:
    """Read standard error up to the line with the text."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if text in line:
            return
    pytest.fail(f'{text!r} did not come: {seen}')


def authorize(url: str, key_id: str, key: str) -> dict[str, object]:
    basic = base64.b64encode(f'{key_id}:{key}'.encode()).decode()
    request = Request(
        f'{url}/b2api/v4/b2_authorize_account', headers={'Authorization': f'Basic {basic}'}
    )
    with urlopen(request, timeout=DEADLINE) as response:
        answer: dict[str, object] = json.load(response)
    return answer


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def is_running(pid: int) -> bool:
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except FileNotFoundError:
        return False
    return state != 'Z'


def wait_until_gone(pid: int) -> None:
    end = time.monotonic() + DEADLINE
    while is_running(pid):
        assert time.monotonic() < end, f'process {pid} is still there'
        time.sleep(0.01)


class TestArguments:
    def test_version(self) -> None:
        assert run('--version').stdout == f'b2fast {__version__}\n'

    @pytest.mark.parametrize(
        'arguments',
        [
            [],
            ['fly'],
            ['demo', '--size', 'huge'],
            ['demo', '--workers', '0'],
            ['simulator', '--port', 'http'],
            ['simulator', '--option', 'no_such=1'],
            ['simulator', '--option', 'wrong_key_code=other'],
        ],
    )
    def test_wrong_usage(
        self, arguments: Sequence[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as raised:
            main(arguments)
        assert raised.value.code == 2
        assert 'usage: b2fast' in capsys.readouterr().err


class TestSimulator:
    def test_webhook_hosts(self, start: Start) -> None:
        process = start('simulator', '--port=0', '--json', '--webhook-host=receiver.test')
        values = json.loads(read_line(process))
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(values['key_id'], values['key'], values['url'])
        bucket = api.create_bucket('a-bucket', 'allPrivate')

        def watch(host: str) -> None:
            bucket.set_notification_rules(
                [
                    {
                        'name': 'the-rule',
                        'eventTypes': ['b2:ObjectCreated:*'],
                        'isEnabled': True,
                        'objectNamePrefix': '',
                        'targetConfiguration': {'targetType': 'webhook', 'url': f'http://{host}/'},
                    }
                ]
            )

        watch('receiver.test')
        with pytest.raises(BadRequest):
            watch('other.test')

    @pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
    def test_it_serves_until_a_signal_and_sums_up(
        self, start: Start, number: signal.Signals
    ) -> None:
        process = start('simulator', '--port=0', '--json')
        values = json.loads(read_line(process))
        for _ in range(2):
            authorize(values['url'], values['key_id'], values['key'])
        process.send_signal(number)
        out, err = process.communicate(timeout=DEADLINE)
        assert (process.returncode, err) == (0, '')
        assert json.loads(out) == {'calls': {'b2_authorize_account': 2}}

    def test_it_stops_at_the_end_of_standard_input(self, start: Start) -> None:
        process = start('simulator', '--port=0', '--json', '--until-eof')
        read_line(process)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == 0

    def test_a_generated_key_is_shown(self, start: Start) -> None:
        process = start('simulator', '--port=0', '--until-eof')
        out, _ = process.communicate(timeout=DEADLINE)
        assert re.search(r'key +\S{10,}', out)
        assert 'rclone' in out
        assert 'Stopped after 0 calls' in out

    def test_a_given_key_works_and_is_not_shown(self, start: Start, tmp_path: Path) -> None:
        process = start(
            'simulator',
            '--port=0',
            '--until-eof',
            f'--data-dir={tmp_path}',
            '--key-id=some-id',
            '--key=top-secret',
        )
        lines = [read_line(process), read_line(process)]
        url = lines[1].split()[1]
        assert 'authorizationToken' in authorize(url, 'some-id', 'top-secret')
        out, err = process.communicate(timeout=DEADLINE)
        assert 'top-secret' not in out + err
        assert re.search(r'b2_authorize_account +1', out)

    def test_options(self, start: Start) -> None:
        code = '--option=wrong_key_code=bad_auth_token'
        process = start('simulator', '--port=0', '--json', '--until-eof', code)
        url = json.loads(read_line(process))['url']
        with pytest.raises(HTTPError) as raised:
            authorize(url, 'no-id', 'no-key')
        with raised.value as refusal:
            assert json.load(refusal)['code'] == 'bad_auth_token'
        process.communicate(timeout=DEADLINE)

    @pytest.mark.parametrize(('more', 'seed'), [((), 3), (('--seed=8',), 8)])
    def test_faults_come_from_a_file(
        self, start: Start, tmp_path: Path, more: Sequence[str], seed: int
    ) -> None:
        script = tmp_path / 'faults.toml'
        script.write_text(
            'seed = 3\n[[faults]]\ncall = "b2_authorize_account"\nstatus = 503\ncount = 1\n'
        )
        process = start('simulator', '--port=0', '--json', f'--faults={script}', *more)
        values = json.loads(read_line(process))
        with pytest.raises(HTTPError) as refused:
            authorize(values['url'], values['key_id'], values['key'])
        with refused.value as answer:
            assert answer.code == 503
        authorize(values['url'], values['key_id'], values['key'])
        basic = base64.b64encode(f'{values["key_id"]}:{values["key"]}'.encode()).decode()
        request = Request(
            f'{values["url"]}/simulator/faults', headers={'Authorization': f'Basic {basic}'}
        )
        with urlopen(request, timeout=DEADLINE) as response:
            told = json.load(response)
        assert told['seed'] == seed
        assert [fault['struck'] for fault in told['faults']] == [1]

    @pytest.mark.parametrize(
        ('content', 'message'),
        [
            (None, 'No such file or directory'),
            ('{"faults": [{"call": "*", "stats": 503}]}', 'fault 1: unknown field "stats"; did'),
            ('{"faults": [{"call": "b2_no", "status": 503}]}', 'there is no call "b2_no"'),
            ('{', 'faults.json: '),
        ],
    )
    def test_wrong_faults_are_one_line(
        self, tmp_path: Path, content: str | None, message: str
    ) -> None:
        script = tmp_path / 'faults.json'
        if content is not None:
            script.write_text(content)
        result = run('simulator', '--port=0', f'--faults={script}')
        assert result.returncode == 1
        assert result.stderr.startswith('b2fast: ')
        assert message in result.stderr
        assert result.stderr.count('\n') == 1

    def test_a_port_in_use_is_one_line(self) -> None:
        with socket.create_server(('127.0.0.1', 0)) as taken:
            result = run('simulator', f'--port={taken.getsockname()[1]}')
        assert result.returncode == 1
        assert result.stderr.startswith('b2fast: ')
        assert result.stderr.count('\n') == 1


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with files that are easily lost: empty, hidden, nested, oddly named."""
    root = tmp_path / 'tree'
    names = ['empty', '.hidden', 'a/b/c/deep', 'a/with space', 'a/+%&?#', 'ünï/日本']
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(number * 1000))
    return root


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    path = tmp_path / 'work'
    path.mkdir()
    return path


class TestDemo:
    def test_files_go_up_and_come_back_equal(self, tree: Path, work_dir: Path) -> None:
        result = run('demo', f'--dir={tree}', '--size=6MB', f'--work-dir={work_dir}')
        assert result.returncode == 0, result.stderr
        assert 'All 7 files came back equal' in result.stdout
        rows = {
            line.split('  ')[0]: re.split(r' {2,}', line)[1:3]
            for line in result.stdout.splitlines()[2:-1]
        }
        assert rows == {
            f'up directory {tree}': ['6', '15,000'],
            'up large file': ['1', '6,000,000'],
            'listing': ['7', '0'],
            f'down directory {tree}': ['6', '15,000'],
            'down large file': ['1', '6,000,000'],
            'comparison': ['7', '6,015,000'],
        }
        assert 'up large file: 100 %' in result.stderr
        assert list(work_dir.iterdir()) == []

    def test_without_a_large_file(self, tree: Path, work_dir: Path) -> None:
        result = run('demo', f'--dir={tree}', '--size=0', f'--work-dir={work_dir}')
        assert result.returncode == 0, result.stderr
        assert 'large file' not in result.stdout

    def test_kept_files_are_where_it_says(self, tree: Path, work_dir: Path) -> None:
        result = run('demo', f'--dir={tree}', '--size=0', '--keep', f'--work-dir={work_dir}')
        assert result.returncode == 0, result.stderr
        (kept,) = work_dir.iterdir()
        assert str(kept) in result.stderr
        deep = kept / 'download' / 'directory' / 'a' / 'b' / 'c' / 'deep'
        assert deep.read_bytes() == (tree / 'a' / 'b' / 'c' / 'deep').read_bytes()

    def test_a_file_that_cannot_be_sent_fails_alone(self, tree: Path, work_dir: Path) -> None:
        (tree / 'line\nbreak').write_bytes(b'')
        result = run('demo', f'--dir={tree}', '--size=0', f'--work-dir={work_dir}')
        assert result.returncode == 1
        assert '1 files failed' in result.stderr
        assert re.search(r'comparison +6 ', result.stdout)
        assert 'Traceback' not in result.stderr

    def test_a_missing_directory_is_one_line(self, work_dir: Path) -> None:
        result = run('demo', f'--dir={work_dir}/none', f'--work-dir={work_dir}')
        assert result.returncode == 1
        assert result.stderr.count('\n') == 1
        assert f'{work_dir}/none' in result.stderr

    def test_too_little_space_is_said_before_anything_is_written(
        self, tree: Path, work_dir: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ['demo', f'--dir={tree}', '--size=1000TiB', f'--work-dir={work_dir}']
        assert main(arguments) == 1
        assert 'free, the demo needs 3000.0 TiB' in capsys.readouterr().err
        assert list(work_dir.iterdir()) == []

    def test_ctrl_c_ends_it_and_leaves_nothing(self, start: Start, work_dir: Path) -> None:
        process = start('demo', '--size=200MB', f'--work-dir={work_dir}')
        read_until(process, 'Simulator at')
        (simulator,) = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == 130
        assert err.endswith('b2fast: interrupted\n')
        assert 'Traceback' not in err
        assert list(work_dir.iterdir()) == []
        wait_until_gone(simulator)

    def test_a_simulator_that_dies_ends_it(self, start: Start, work_dir: Path) -> None:
        process = start('demo', '--size=200MB', f'--work-dir={work_dir}')
        read_until(process, 'Simulator at')
        (simulator,) = children(process.pid)
        os.kill(simulator, signal.SIGKILL)
        _, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == 1
        assert err.endswith('b2fast: the simulator ended before its time\n')
        assert list(work_dir.iterdir()) == []

    def test_the_simulator_ends_with_a_killed_demo(self, start: Start, work_dir: Path) -> None:
        process = start('demo', '--size=200MB', f'--work-dir={work_dir}')
        read_until(process, 'Simulator at')
        (simulator,) = children(process.pid)
        process.kill()
        wait_until_gone(simulator)
