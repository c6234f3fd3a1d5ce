"""Calls that are begun before their results are needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

from ..cancel import in_this_context

_Value = TypeVar('_Value')


class Ahead(Generic[_Value]):
    """A call that goes on in a thread of its own, within the scope of the caller's context.

    :param call: is called at once; again, and without a thread, if a child of fork wants the
        result, since it has not got the thread
    """

    def __init__(self, call: Callable[[], _Value]) -> None:
        self._call = call
        self._process = os.getpid()
        self._done: SimpleQueue[Callable[[], _Value]] = SimpleQueue()
        # A daemon: the end of the program need not wait for what nobody wants any more.
        threading.Thread(
            target=in_this_context(self._run), name='b2fast-ahead', daemon=True
        ).start()

    def result(self) -> _Value:
        """What the call returns or raises; to be asked for once."""
        if os.getpid() != self._process:
            return self._call()
        return self._done.get()()

    def _run(self) -> None:
        try:
            value = self._call()
        except BaseException as error:
            failure = error

            def fail() -> _Value:
                raise failure

            self._done.put(fail)
        else:
            self._done.put(lambda: value)
