"""The calls of the HTTP door about event notification rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import errors
from .bucket import Bucket
from .http_request import Call


class NotificationCalls:
    """Answers the calls about event notification rules. Callers hold the service's lock.

    :param bucket_of: returns the bucket of a call, which needs a capability.
    """

    def __init__(self, bucket_of: Callable[[Call, str], Bucket]) -> None:
        self._bucket_of = bucket_of
        self.by_name: dict[str, Callable[[Call], dict[str, Any]]] = {
            'b2_get_bucket_notification_rules': self._get,
            'b2_set_bucket_notification_rules': self._set,
        }

    def _get(self, call: Call) -> dict[str, Any]:
        return self._answer(self._bucket_of(call, 'readBucketNotifications'))

    def _set(self, call: Call) -> dict[str, Any]:
        bucket = self._bucket_of(call, 'writeBucketNotifications')
        given = call.params.sequence('eventNotificationRules', dict)
        if given is None:
            raise errors.bad_request('eventNotificationRules is required')
        bucket.replace_notification_rules(given)
        return self._answer(bucket)

    @staticmethod
    def _answer(bucket: Bucket) -> dict[str, Any]:
        return {
            'bucketId': bucket.bucket_id,
            'eventNotificationRules': bucket.notification_rules,
        }
