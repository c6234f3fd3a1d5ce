"""How a client of v2 speaks HTTP."""

from __future__ import annotations

from ... import api_config as v3
from .raw_api import B2RawHTTPApi


class B2HttpApiConfig(v3.B2HttpApiConfig):
    """As in v3, with the calls of v2."""

    DEFAULT_RAW_API_CLASS = B2RawHTTPApi


DEFAULT_HTTP_API_CONFIG = B2HttpApiConfig()
