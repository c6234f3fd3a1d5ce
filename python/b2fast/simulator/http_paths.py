"""The paths that the HTTP door serves."""

from __future__ import annotations

import re

#: Version, name of the call and, for uploads, two parts more.
CALL_PATH = re.compile(r'/b2api/v([1-4])/(b2_[a-z0-9_]+)(?:/([^/]+)/([^/]+))?')
#: Names of bucket and file.
FILE_PATH = re.compile(r'/file/([^/]+)/(.+)', re.DOTALL)
