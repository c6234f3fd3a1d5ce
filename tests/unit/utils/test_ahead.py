from __future__ import annotations

import os
import threading

import pytest

from b2fast import CancelToken, cancel_scope
from b2fast.cancel import check_scope
from b2fast.exception import TransferCancelled
from b2fast.utils.ahead import Ahead


def test_the_call_goes_on_before_its_result_is_wanted() -> None:
    called = threading.Event()
    go_on = threading.Event()

    def call() -> int:
        called.set()
        go_on.wait()
        return 5

    ahead = Ahead(call)
    called.wait()
    go_on.set()
    assert ahead.result() == 5


def test_an_error_comes_with_the_result() -> None:
    def call() -> int:
        raise KeyError('x')

    ahead = Ahead(call)
    with pytest.raises(KeyError):
        ahead.result()


def test_the_scope_of_the_caller_holds() -> None:
    token = CancelToken()
    with cancel_scope(token):
        token.cancel()
        ahead = Ahead(check_scope)
    with pytest.raises(TransferCancelled):
        ahead.result()


def test_a_child_of_fork_calls_itself() -> None:
    never = threading.Event()
    parent = os.getpid()

    def call() -> int:
        if os.getpid() == parent:
            never.wait()
        return 7

    ahead = Ahead(call)
    child = os.fork()
    if child == 0:
        os._exit(ahead.result())
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    finally:
        never.set()
