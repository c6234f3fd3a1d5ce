"""Many files at once: what is reported about them."""

from __future__ import annotations

from .report import ProgressReport

__all__ = ['ProgressReport']
