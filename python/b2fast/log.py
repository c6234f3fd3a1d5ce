"""Loggers of the package: silent, unless the program configures logging."""

from __future__ import annotations

import logging

logging.getLogger('b2fast').addHandler(logging.NullHandler())


def logger_of(module: str) -> logging.Logger:
    """The logger of a module, below the logger ``b2fast``.

    What is logged holds no key, no token and no content.
    """
    return logging.getLogger(module)
