"""Programs that say when their content moves, and are interrupted then, or kill themselves."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable

LISTENER = """
class Listener(AbstractProgressListener):
    def set_total_bytes(self, total_byte_count):
        pass

    def bytes_completed(self, byte_count):
        if not said:
            said.append('moving')
            print('moving', flush=True)

said = []
"""
"""The part of a program that says it, over `from b2fast import *`."""

KILLER = """
class Killer(AbstractProgressListener):
    def __init__(self, moment):
        super().__init__()
        self.moment = moment

    def set_total_bytes(self, total_byte_count):
        pass

    def bytes_completed(self, byte_count):
        if byte_count >= self.moment:
            os.kill(os.getpid(), signal.SIGKILL)
"""
"""The part of a program that kills it when so many bytes have moved."""


def interrupt(
    process: subprocess.Popen[str], seconds: float, is_ready: Callable[[], object] = lambda: True
) -> None:
    """Interrupt a program once its content moves; it ends as one that was interrupted.

    :param seconds: how long it may take to end
    :param is_ready: waits for what has to be the case before, and says that it is
    """
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == 'moving\n'
        assert is_ready()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=seconds)
    finally:
        process.kill()
        process.communicate()
    assert err.splitlines(keepends=True)[-1] == 'KeyboardInterrupt\n'
    assert process.returncode == -signal.SIGINT
