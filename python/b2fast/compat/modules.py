"""Where b2fast has what the modules of b2sdk have."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

_INTERNAL = 'b2sdk._internal'

MODULES = {
    'b2sdk._internal.account_info.sqlite_account_info': 'b2fast.account_info.sqlite',
    'b2sdk._internal.raw_simulator': 'b2fast.simulator',
    'b2sdk._internal.scan.exception': 'b2fast.exception',
    'b2sdk._internal.sync.exception': 'b2fast.exception',
    'b2sdk._internal.transfer.emerge.exception': 'b2fast.exception',
    'b2sdk._internal.transfer.emerge.planner.upload_subpart': (
        'b2fast.transfer.emerge.downloaded_stretch'
    ),
    'b2sdk._internal.utils.escape': 'b2fast.utils.text',
    'b2sdk._internal.utils.typing': 'b2fast.types',
}
"""Internal modules of b2sdk that are called otherwise here; all others keep their path."""

_FACES = {
    'b2sdk': 'b2fast.compat.root',
    'b2sdk.v2': 'b2fast.compat.v2',
    'b2sdk.v2.testing': 'b2fast.compat.testing',
    'b2sdk.v3': 'b2fast.compat.v3',
    'b2sdk.v3.exception': 'b2fast.exception',
    'b2sdk.v3.testing': 'b2fast.compat.testing',
    'b2sdk.version': 'b2fast.compat.version',
}

_WITH_MODULES_BELOW = {
    '.'.join(parts[:count])
    for parts in (name.split('.') for name in (*_FACES, *MODULES))
    for count in range(1, len(parts))
}


@dataclass(frozen=True)
class Place:
    """What a module of b2sdk is made of here.

    :ivar target: the module of b2fast, if there is one
    :ivar is_package: has it modules below it?
    """

    target: str | None
    is_package: bool


def place_of(module: str) -> Place | None:
    """What stands for a module of b2sdk; None if nothing does."""
    target = _target_of(module)
    spec = None
    if target is not None:
        try:
            spec = find_spec(target)
        except ModuleNotFoundError:
            # Not even the package that it would be in is there.
            target = None
    below = module in _WITH_MODULES_BELOW
    if spec is None and not below:
        return None
    return Place(
        None if spec is None else target,
        below or (spec is not None and spec.submodule_search_locations is not None),
    )


def _target_of(module: str) -> str | None:
    target = _FACES.get(module) or MODULES.get(module)
    if target is not None:
        return target
    for theirs, ours in (('b2sdk.v2.', 'b2fast.compat.v2.'), (f'{_INTERNAL}.', 'b2fast.')):
        if module.startswith(theirs):
            return ours + module.removeprefix(theirs)
    return None
