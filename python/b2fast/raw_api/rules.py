"""Event notification rules between what is received and what is sent."""

from __future__ import annotations

from typing import Any, cast

from ..types import NotificationRule, NotificationRuleResponse


def notification_rule_response_to_request(rule: NotificationRuleResponse) -> NotificationRule:
    """Make of a rule as the service tells it one that can be sent back.

    What only the service decides (``isSuspended``, ``suspensionReason``) is left out.
    """
    request = cast('dict[str, Any]', rule).copy()
    for name in ('isSuspended', 'suspensionReason'):
        request.pop(name, None)
    return cast(NotificationRule, request)
