"""The event notification rules of a bucket, which the simulator keeps and does not act on."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, cast

from b2fast.types import NotificationRule, NotificationRuleResponse

from . import errors

_OF_THE_SERVICE = ('isSuspended', 'suspensionReason')


class NotificationRules:
    """The rules of one bucket, in the order that they were given."""

    def __init__(self) -> None:
        self._rules: list[dict[str, Any]] = []

    def all(self) -> list[NotificationRuleResponse]:
        """Returns copies of the rules."""
        return cast('list[NotificationRuleResponse]', copy.deepcopy(self._rules))

    def replace(self, rules: Iterable[NotificationRule]) -> list[NotificationRuleResponse]:
        """Replaces all rules; the caller's objects stay its own.

        As in b2sdk, what a rule does not say it takes from the former one of its name.
        """
        former = {rule['name']: rule for rule in self._rules}
        self._rules = [self._stored(cast('dict[str, Any]', rule), former) for rule in rules]
        return self.all()

    @staticmethod
    def _stored(rule: dict[str, Any], former: dict[str, dict[str, Any]]) -> dict[str, Any]:
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

    def suspend(self, name: str, reason: str, is_suspended: bool | None) -> None:
        """Marks a rule as suspended, or no longer.

        :param is_suspended: None means suspended if there is a reason.
        :raises SimulatedError: 404 if there is no such rule.
        """
        for rule in self._rules:
            if rule['name'] == name:
                rule['isSuspended'] = bool(reason) if is_suspended is None else is_suspended
                rule['suspensionReason'] = reason
                return
        raise errors.no_such_rule(name)
