"""Runs a program as ``python`` itself does, with b2fast in the place of b2sdk."""

from __future__ import annotations

import os
import runpy
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec

from .finder import install_as_b2sdk

_USAGE = """\
usage: python -m b2fast.compat -m MODULE [argument ...]
       python -m b2fast.compat SCRIPT [argument ...]

Runs a program that was written for b2sdk on b2fast. MODULE may also be the name of a command
that a package has installed: -m b2 runs the b2 command line tool."""


def main(arguments: list[str]) -> int:
    """Run the program that the arguments name.

    It ends by returning, by `SystemExit` or by any other exception, as it would by itself.

    :param arguments: ``-m`` and a module, or the path of a script; then those of the program
    :return: the exit status, if the program has not raised one
    """
    if arguments[:1] in (['-h'], ['--help']):
        print(_USAGE)
        return 0
    is_module = arguments[:1] == ['-m']
    program = arguments[1:] if is_module else arguments
    if not program or (not is_module and program[0].startswith('-')):
        print(_USAGE, file=sys.stderr)
        return 2
    install_as_b2sdk()
    sys.argv[:] = program
    return _run_module(program[0]) if is_module else _run_script(program[0])


def _run_script(path: str) -> int:
    if not os.path.exists(path):
        print(f'there is no file {path!r}', file=sys.stderr)
        return 2
    # A script finds the modules beside it; -m had put the current directory there.
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    runpy.run_path(path, run_name='__main__')
    return 0


def _run_module(name: str) -> int:
    if _can_be_run(name):
        runpy.run_module(name, run_name='__main__', alter_sys=True)
        return 0
    command = next(iter(entry_points(group='console_scripts', name=name)), None)
    if command is None:
        print(f'there is no module {name!r} that can be run, and no command', file=sys.stderr)
        return 1
    sys.exit(command.load()())


def _can_be_run(name: str) -> bool:
    try:
        spec = find_spec(name)
        is_package = spec is not None and spec.submodule_search_locations is not None
        return spec is not None and (not is_package or find_spec(f'{name}.__main__') is not None)
    except ModuleNotFoundError:
        return False
