from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from b2fast.api_config import B2HttpApiConfig
from b2fast.b2http import B2Http
from b2fast.raw_api import (
    AbstractRawApi,
    B2RawHTTPApi,
    NotificationRuleResponse,
    notification_rule_response_to_request,
)


def minimal_raw_api() -> AbstractRawApi:
    """An implementation with every abstract method and nothing else, as b2sdk asks for."""
    abstract = AbstractRawApi.__abstractmethods__
    cls: Any = type('Minimal', (AbstractRawApi,), dict.fromkeys(abstract))
    raw_api: AbstractRawApi = cls()
    return raw_api


def test_who_does_not_speak_http_has_no_engine() -> None:
    assert minimal_raw_api().transfer_engine(10) is None


def test_legal_holds_are_optional() -> None:
    with pytest.raises(NotImplementedError, match='Minimal'):
        minimal_raw_api().update_file_legal_hold('url', 'token', 'fid', 'name', None)  # type: ignore[arg-type]


def test_the_engine_over_http_is_shared() -> None:
    http = B2Http(B2HttpApiConfig())
    raw_api = B2RawHTTPApi(http)
    engine = raw_api.transfer_engine(10)
    assert engine is not None
    assert raw_api.transfer_engine(10) is engine
    http.session.close()


def test_lists_of_rules_may_be_any_iterable() -> None:
    sent: list[Any] = []

    def post(url: str, headers: object, params: dict[str, Any]) -> dict[str, Any]:
        sent.append(params)
        return {'eventNotificationRules': []}

    raw_api = B2RawHTTPApi(SimpleNamespace(post_json_return_json=post))  # type: ignore[arg-type]
    rules: Any = ({'name': f'rule-{i}'} for i in range(2))
    assert raw_api.set_bucket_notification_rules('url', 'token', 'bid', rules) == []
    assert sent[0]['eventNotificationRules'] == [{'name': 'rule-0'}, {'name': 'rule-1'}]


def test_a_received_rule_becomes_one_to_send() -> None:
    received: NotificationRuleResponse = {
        'name': 'rule-1',
        'eventTypes': ['b2:ObjectCreated:*'],
        'isEnabled': True,
        'isSuspended': False,
        'suspensionReason': '',
        'objectNamePrefix': '',
        'targetConfiguration': {'targetType': 'webhook', 'url': 'https://example.com'},
    }
    before = dict(received)
    sent = notification_rule_response_to_request(received)
    assert set(before) - set(sent) == {'isSuspended', 'suspensionReason'}
    assert received == before
