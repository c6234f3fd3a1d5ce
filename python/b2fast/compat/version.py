"""`b2sdk.version`: the version of b2sdk whose interface this is.

Programs compare it to learn what the interface has, so it is not the version of b2fast.
"""

from __future__ import annotations

import sys

from b2fast.version import USER_AGENT

__all__ = ['PYTHON_VERSION', 'USER_AGENT', 'VERSION']

VERSION = '2.13.2'

PYTHON_VERSION = '{}.{}.{}'.format(*sys.version_info[:3])
