"""The b2 command line tool with account data of its own: nothing of the user's gets in."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from b2fast.cli.simulator_process import SimulatorProcess
from b2fast.simulator import SimulatorServer

from .programs import Program


class B2Tool(Program):
    """The tool, signed in at a simulator.

    :param command: starts it: its path, or a Python and its arguments.
    :param directory: for its account data.
    :param variables: further ones of the environment.
    """

    def __init__(
        self,
        *command: str,
        server: SimulatorServer | SimulatorProcess,
        directory: Path,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        kept = {name: os.environ[name] for name in ('PATH', 'PYTHONPATH') if name in os.environ}
        environment = {
            **kept,
            **variables,
            'B2_ACCOUNT_INFO': str(directory / 'account_info'),
            'HOME': str(directory),
            'NO_COLOR': '1',
        }
        access = {
            'B2_ENVIRONMENT': server.url,
            'B2_APPLICATION_KEY_ID': server.key_id,
            'B2_APPLICATION_KEY': server.key,
        }
        Program(*command, environment=environment | access)('account', 'authorize')
        # From now on the key comes from the account data.
        super().__init__(*command, environment=environment)


def objects(output: str) -> Any:
    """The JSON at the end of an output."""
    return json.loads(output[output.index('{') :])
