"""Parameters that v3 no longer has."""

from __future__ import annotations

from collections.abc import Mapping

from ...version_utils import rename_argument

takes_file_infos = rename_argument('file_infos', 'file_info', None, 'v3')
"""Lets ``file_info`` be called ``file_infos``, with a `DeprecationWarning`."""


def with_cache_control(file_info: Mapping[str, str], cache_control: str | None) -> dict[str, str]:
    """The file info with the header that later downloads get, if one is given."""
    header = {} if cache_control is None else {'b2-cache-control': cache_control}
    return {**file_info, **header}
