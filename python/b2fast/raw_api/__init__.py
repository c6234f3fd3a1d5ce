"""The calls of the B2 native API, one method each."""

from __future__ import annotations

from ..http_constants import (
    FILE_INFO_HEADER_PREFIX,
    LIST_FILE_NAMES_MAX_LIMIT,
)
from ..types import (
    EVENT_TYPE,
    JSON,
    LifecycleRule,
    NameValueDict,
    NotificationRule,
    NotificationRuleResponse,
    NotificationTargetConfiguration,
)
from .abstract import AbstractRawApi
from .constants import ALL_CAPABILITIES, API_VERSION, REALM_URLS, MetadataDirectiveMode
from .http_api import B2RawHTTPApi
from .rules import notification_rule_response_to_request

__all__ = [
    'ALL_CAPABILITIES',
    'API_VERSION',
    'EVENT_TYPE',
    'FILE_INFO_HEADER_PREFIX',
    'JSON',
    'LIST_FILE_NAMES_MAX_LIMIT',
    'REALM_URLS',
    'AbstractRawApi',
    'B2RawHTTPApi',
    'LifecycleRule',
    'MetadataDirectiveMode',
    'NameValueDict',
    'NotificationRule',
    'NotificationRuleResponse',
    'NotificationTargetConfiguration',
    'notification_rule_response_to_request',
]
