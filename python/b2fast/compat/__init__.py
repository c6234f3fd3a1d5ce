"""Runs programs that were written for b2sdk.

`install_as_b2sdk` lets every later ``import b2sdk`` of the process find b2fast, as PyMySQL does
for MySQLdb.  ``python -m b2fast.compat`` runs a whole program like that.  What differs between
``b2sdk.v2`` and ``b2sdk.v3`` is in here alone.
"""

from __future__ import annotations

from .finder import install_as_b2sdk
from .modules import MODULES

__all__ = ['MODULES', 'install_as_b2sdk']
