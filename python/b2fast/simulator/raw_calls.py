"""How the in-process door takes a call: one at a time, with a client's exceptions."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from .errors import SimulatedError
from .state import Service

P = ParamSpec('P')
R = TypeVar('R')


class _HasService(Protocol):
    @property
    def service(self) -> Service: ...


S = TypeVar('S', bound=_HasService)


def client_errors(method: Callable[P, R]) -> Callable[P, R]:
    """Turns refusals into the exceptions that clients of the service raise."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except SimulatedError as refusal:
            raise refusal.as_client_exception() from None

    return call


def service_call(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Runs a method under the lock of its object's service, with `client_errors`."""

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.service.lock:
            return method(self, *args, **kwargs)

    return client_errors(call)
