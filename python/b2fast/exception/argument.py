"""Wrapping of errors of one argument."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .request import InvalidArgument


@contextmanager
def check_invalid_argument(
    parameter_name: str, message: str, *exceptions: type[Exception]
) -> Iterator[None]:
    """Turn the given exceptions of the block into `InvalidArgument` about one parameter."""
    try:
        yield
    except InvalidArgument:
        raise
    except exceptions as error:
        raise InvalidArgument(parameter_name, message) from error
