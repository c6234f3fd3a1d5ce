"""Links to B2's documentation in the docstrings of classes."""

from __future__ import annotations

import re

_LINK = re.compile(r'^\s*\.\. _(.+?): (.+?)\s*$', re.MULTILINE)


def get_b2sdk_doc_urls(type_: type) -> dict[str, str]:
    """The links in a class's docstring, by their names.

    A link is a line of reStructuredText of its own: ``.. _Name: https://...``.

    :return: the addresses; an empty dict for a class without links or without a docstring
    """
    return dict(_LINK.findall(type_.__doc__ or ''))
