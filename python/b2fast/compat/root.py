"""What ``import b2sdk`` gives."""

from __future__ import annotations

from . import version as version

__version__ = version.VERSION
