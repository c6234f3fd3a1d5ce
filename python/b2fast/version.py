"""The version of the package, and how it introduces itself to the service."""

from __future__ import annotations

import sys

from ._core import __version__

VERSION: str = __version__

USER_AGENT = 'b2fast/{} python/{}.{}.{}'.format(VERSION, *sys.version_info[:3])
"""Start of the ``User-Agent`` of every request; see `B2HttpApiConfig.user_agent_append`."""
