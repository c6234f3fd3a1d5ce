"""Parameters that v3 no longer has."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

P = ParamSpec('P')
R = TypeVar('R')


def takes_file_infos(function: Callable[P, R]) -> Callable[P, R]:
    """Lets ``file_info`` be called ``file_infos``, with a `DeprecationWarning`."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if 'file_infos' in kwargs:
            if 'file_info' in kwargs:
                raise TypeError(f'{function.__name__}: file_infos is another name of file_info')
            warnings.warn(
                f'{function.__name__}: file_infos is called file_info now',
                DeprecationWarning,
                stacklevel=2,
            )
            kwargs['file_info'] = kwargs.pop('file_infos')
        return function(*args, **kwargs)

    return call


def with_cache_control(file_info: Mapping[str, str], cache_control: str | None) -> dict[str, str]:
    """The file info with the header that later downloads get, if one is given."""
    header = {} if cache_control is None else {'b2-cache-control': cache_control}
    return {**file_info, **header}
