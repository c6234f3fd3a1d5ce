"""``b2fast simulator``: B2 on this machine, for any client that speaks its native API."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2fast.simulator import SimulatorServer

# The port of Backblaze's own development realm.
DEFAULT_PORT = 8180


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        'simulator',
        help='serve the B2 Native API on this machine, without the cloud',
        description='Serves the B2 Native API over HTTP until it is interrupted. '
        'A test double: it protects nothing.',
    )
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on (%(default)s)')
    parser.add_argument(
        '--port', type=int, default=DEFAULT_PORT, help='port to listen on, 0 for any (%(default)s)'
    )
    parser.add_argument(
        '--data-dir',
        metavar='DIR',
        help='keep everything in this directory, where later starts find it; in memory by default',
    )
    parser.add_argument(
        '--webhook-host',
        metavar='HOST',
        action='append',
        default=[],
        help='send event notifications to this host, too, not to loopback alone; may be repeated',
    )
    parser.add_argument(
        '--key-id', metavar='ID', help='ID of the master key (that in the directory, or made up)'
    )
    parser.add_argument('--key', help='the master key (that in the directory, or made up)')
    https = parser.add_mutually_exclusive_group()
    https.add_argument(
        '--tls',
        metavar='CA_FILE',
        help='serve HTTPS with a certificate made on the spot, and write the authority that '
        'clients have to trust to this file',
    )
    https.add_argument(
        '--certificate',
        nargs=2,
        metavar=('FILE', 'KEY_FILE'),
        help='serve HTTPS with this certificate and its private key (PEM)',
    )
    parser.add_argument(
        '--option',
        type=_setting,
        action='append',
        default=[],
        dest='options',
        metavar='NAME=VALUE',
        help='what to do where it is not certain what B2 does, as in hide_marker_sha1=empty; '
        'docs/simulator.md lists the options',
    )
    parser.add_argument(
        '--faults',
        metavar='FILE',
        help='what goes wrong in which calls: a script in TOML (*.toml) or JSON',
    )
    parser.add_argument(
        '--seed',
        type=int,
        metavar='N',
        help='seed of the faults that have a rate, in place of that of the script (0)',
    )
    parser.add_argument(
        '--json',
        action='store_true',
        help='print one line of JSON (url, key_id, key) at the start and one (calls) at the end',
    )
    parser.add_argument(
        '--until-eof',
        action='store_true',
        help='also stop when standard input ends, so as not to outlive the program that started it',
    )
    parser.set_defaults(run=run)


def _setting(text: str) -> str:
    from b2fast.simulator import Options

    try:
        Options.parse([text])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT, SIGTERM or, if asked for, the end of standard input."""
    # Blocked before the server starts its threads, which inherit the mask: the signals then wait
    # for `sigwait` and interrupt nothing half-done.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        server = _start(arguments)
    except ValueError as error:
        print(f'b2fast: {error}', file=sys.stderr)
        return 1
    with server:
        if server.certificate_authority is not None:
            Path(arguments.tls).write_text(server.certificate_authority)
        if arguments.json:
            _print_json({'url': server.url, 'key_id': server.key_id, 'key': server.key})
        else:
            _print_greeting(server, key_is_generated=arguments.key is None, ca_file=arguments.tls)
        if arguments.until_eof:
            threading.Thread(target=_terminate_at_eof, daemon=True).start()
        signal.sigwait(signals)
        # From here a second Ctrl-C ends the process at once.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        calls = dict(sorted(server.calls.items()))
    if arguments.json:
        _print_json({'calls': calls})
    else:
        _print_summary(calls)
    return 0


def _start(arguments: argparse.Namespace) -> SimulatorServer:
    from b2fast.simulator import Certificate, FaultScript, Options, SimulatorServer, load_faults

    script = FaultScript(()) if arguments.faults is None else load_faults(arguments.faults)
    if arguments.seed is not None:
        script = replace(script, seed=arguments.seed)
    made = arguments.tls is not None
    given = Certificate(*arguments.certificate) if arguments.certificate else None
    return SimulatorServer(
        host=arguments.host,
        port=arguments.port,
        data_dir=arguments.data_dir,
        key_id=arguments.key_id,
        key=arguments.key,
        tls=given or made,
        webhook_hosts=arguments.webhook_host,
        options=Options.parse(arguments.options),
        faults=script,
    )


def _terminate_at_eof() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _print_json(values: dict[str, object]) -> None:
    print(json.dumps(values), flush=True)


def _print_greeting(
    server: SimulatorServer, *, key_is_generated: bool, ca_file: str | None
) -> None:
    shown_key = server.key if key_is_generated else '(as given)'
    example_key = server.key if key_is_generated else 'YOUR_KEY'
    trust = '' if ca_file is None else f' --ca-cert={shlex.quote(ca_file)}'
    print(
        f'B2 simulator\n'
        f'  URL     {server.url}\n'
        f'  key ID  {server.key_id}\n'
        f'  key     {shown_key}\n'
        f'\n'
        f'With rclone:\n'
        f"  rclone copy DIR ':b2,account={server.key_id},key={example_key},"
        f'endpoint="{server.url}":BUCKET\'{trust}\n'
        f'\n'
        f'Ctrl-C stops it.',
        flush=True,
    )


def _print_summary(calls: dict[str, int]) -> None:
    print(f'\nStopped after {sum(calls.values())} calls')
    width = max(map(len, calls), default=0)
    for name, count in calls.items():
        print(f'  {name.ljust(width)}  {count}')
