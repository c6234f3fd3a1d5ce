"""The simulator as a process of its own, for commands that measure the client alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

_STOP_SECONDS = 10
# Between the moment a dying process's connections close and the one its parent can see it.
_DEATH_SECONDS = 1


class SimulatorEnded(BaseException):
    """The simulator's process ended by itself.

    Like `KeyboardInterrupt` no `Exception`: it strikes in the middle of anything, and nobody on the
    way up may take it for a failure of their own.
    """


class SimulatorProcess:
    """Runs ``b2fast simulator`` on a free loopback port while the context is open.

    The process is out of reach of the terminal's Ctrl-C, so that transfers in flight can end in
    order, and stops by itself when this one is gone. If it ends before it is told to,
    `SimulatorEnded` is raised in the main thread, in which the context has to be opened:
    transfers would try for minutes to reach it.
    """

    url: str
    key_id: str
    key: str

    def __init__(self, data_dir: Path) -> None:
        """:param data_dir: an empty directory, or one that is to be made, for all that it keeps"""
        self._data_dir = data_dir

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - our own module and an own directory
            [
                sys.executable,
                '-m',
                'b2fast',
                'simulator',
                '--port=0',
                '--json',
                '--until-eof',
                f'--data-dir={self._data_dir}',
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        greeting = self._process.stdout.readline()
        if not greeting:
            self._process.communicate()
            raise OSError('the simulator did not start')
        values = json.loads(greeting)
        self.url, self.key_id, self.key = values['url'], values['key_id'], values['key']
        self._previous_handler = signal.signal(signal.SIGCHLD, self._on_child)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGCHLD, self._previous_handler)
        if isinstance(exc_value, Exception) and self._ends_within(_DEATH_SECONDS):
            # The refused connection came first, but it is not the cause.
            raise SimulatorEnded from exc_value
        self._process.terminate()
        if not self._ends_within(_STOP_SECONDS):
            self._process.kill()
        # Not before: the end of its standard input would stop it.
        self._process.communicate()

    def _on_child(self, _number: int, _frame: FrameType | None) -> None:
        if self._process.poll() is not None:
            raise SimulatorEnded

    def _ends_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True
