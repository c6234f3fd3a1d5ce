"""The simulator as a process of its own, for commands that measure the client alone."""

from __future__ import annotations

import _thread
import json
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_STOP_SECONDS = 10


class SimulatorProcess:
    """Runs ``b2fast simulator`` on a free loopback port while the context is open.

    The process is out of reach of the terminal's Ctrl-C, so that transfers in flight can end in
    order, and stops by itself when this one is gone. If it ends before it is told to, `ended` is
    set and the main thread is interrupted: a transfer would try for minutes to reach it.
    """

    url: str
    key_id: str
    key: str

    def __init__(self, data_dir: Path) -> None:
        """:param data_dir: an existing directory for the content of the files"""
        self.ended = False
        self._stopping = False
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
            self._process.wait()
            raise OSError('the simulator did not start')
        values = json.loads(greeting)
        self.url, self.key_id, self.key = values['url'], values['key_id'], values['key']
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping = True
        self._process.terminate()
        self._watcher.join(_STOP_SECONDS)
        if self._watcher.is_alive():
            self._process.kill()
            self._watcher.join()
        # Only now: the end of its standard input would stop it.
        self._process.communicate()

    def _watch(self) -> None:
        self._process.wait()
        if not self._stopping:
            self.ended = True
            _thread.interrupt_main()
