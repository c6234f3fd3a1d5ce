"""The event notification rules of a bucket, which the simulator keeps and does not act on."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, cast

from b2fast.types import NotificationRule, NotificationRuleResponse

from . import errors


class NotificationRules:
    """The rules of one bucket by their names."""

    def __init__(self) -> None:
        self._rules: dict[str, NotificationRuleResponse] = {}

    def all(self) -> list[NotificationRuleResponse]:
        """Returns copies of the rules, by name."""
        return [copy.deepcopy(self._rules[name]) for name in sorted(self._rules)]

    def replace(self, rules: Iterable[NotificationRule]) -> list[NotificationRuleResponse]:
        """Replaces all rules; the caller's objects stay its own."""
        self._rules = {rule['name']: self._stored(rule) for rule in rules}
        return self.all()

    def _stored(self, rule: NotificationRule) -> NotificationRuleResponse:
        fields: dict[str, Any] = {
            'isSuspended': False,
            'suspensionReason': '',
            **copy.deepcopy(cast('dict[str, Any]', rule)),
        }
        return cast(NotificationRuleResponse, fields)

    def suspend(self, name: str, reason: str, is_suspended: bool | None) -> None:
        """Marks a rule as suspended, or no longer.

        :param is_suspended: None means suspended if there is a reason.
        :raises SimulatedError: 400 if there is no such rule.
        """
        rule = self._rules.get(name)
        if rule is None:
            raise errors.bad_request(f'no notification rule {name}')
        rule['isSuspended'] = bool(reason) if is_suspended is None else is_suspended
        rule['suspensionReason'] = reason
