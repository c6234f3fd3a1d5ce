"""The command line: ``b2fast`` and ``python -m b2fast``, one subcommand per file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from b2fast.version import VERSION

from . import demo, simulator


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name.

    :param argv: the arguments without the program's name; None for those of the process
    :return: the exit code: 0 for success, 1 for a failure that was reported in one line, 130 for
        an interruption; wrong usage exits with 2 through `SystemExit`
    """
    parser = argparse.ArgumentParser(
        prog='b2fast', description='Moves data to and from Backblaze B2.'
    )
    parser.add_argument('--version', action='version', version=f'b2fast {VERSION}')
    commands = parser.add_subparsers(metavar='COMMAND', required=True)
    demo.add_parser(commands)
    simulator.add_parser(commands)
    arguments = parser.parse_args(argv)

    from b2fast.exception import B2Error

    try:
        code: int = arguments.run(arguments)
    except KeyboardInterrupt:
        print('b2fast: interrupted', file=sys.stderr)
        return 130
    except (B2Error, OSError) as error:
        print(f'b2fast: {error}', file=sys.stderr)
        return 1
    return code
