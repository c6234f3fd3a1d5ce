"""Names of Python objects."""

from __future__ import annotations

import re

_WORD_STARTS = re.compile('(?<=[a-z0-9])(?=[A-Z])|(?<!^)(?=[A-Z][a-z])')


def camelcase_to_underscore(input_: str) -> str:
    """``FileVersionInfo`` as ``file_version_info``; ``HTTPServer`` as ``http_server``."""
    return _WORD_STARTS.sub('_', input_).lower()
