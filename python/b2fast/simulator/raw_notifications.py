"""How b2sdk's simulator keeps event notification rules: without checks, merged with former ones."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any, cast

from b2fast.types import NotificationRule

from .notifications import Rule

_OF_THE_SERVICE = ('isSuspended', 'suspensionReason')


def merged(rules: Iterable[NotificationRule], former: Sequence[Rule]) -> list[Rule]:
    """Returns new rules, in the order given; the caller's objects stay its own.

    :param former: what a rule does not say it takes from the one of its name in here.
    """
    by_name = {rule['name']: rule for rule in former}
    return [_merged_rule(cast('dict[str, Any]', rule), by_name) for rule in rules]


def _merged_rule(rule: dict[str, Any], former: dict[str, Rule]) -> Rule:
    old = former.get(rule['name'], {})
    said = {key: value for key, value in rule.items() if key not in _OF_THE_SERVICE}
    target = {**old.get('targetConfiguration', {}), **rule.get('targetConfiguration', {})}
    return copy.deepcopy(
        {
            'isSuspended': False,
            'suspensionReason': '',
            **old,
            **said,
            'targetConfiguration': target,
        }
    )
