"""The calls of the HTTP door about retention and legal hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from b2fast.file_lock import NO_RETENTION_FILE_SETTING, FileRetentionSetting

from . import errors
from .bucket import Bucket
from .http_request import Call
from .state import Service


class LockCalls:
    """Answers the calls that change object locks. Callers hold the service's lock."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.by_name: dict[str, Callable[[Call], dict[str, Any]]] = {
            'b2_update_file_legal_hold': self._update_file_legal_hold,
            'b2_update_file_retention': self._update_file_retention,
        }

    def _update_file_retention(self, call: Call) -> dict[str, Any]:
        params = call.params
        bucket, file_id, name = self._version(call, 'writeFileRetentions')
        wanted = _retention(call)
        bypass = bool(params.boolean('bypassGovernance'))
        if bypass:
            self._check_capability(call, 'bypassGovernance')
        bucket.update_retention(file_id, name, wanted, bypass)
        return {
            'fileId': file_id,
            'fileName': name,
            'fileRetention': {
                'mode': wanted.mode.value,
                'retainUntilTimestamp': wanted.retain_until,
            },
        }

    def _update_file_legal_hold(self, call: Call) -> dict[str, Any]:
        bucket, file_id, name = self._version(call, 'writeFileLegalHolds')
        wanted = call.params.legal_hold('legalHold')
        if wanted is None:
            raise errors.bad_request('legalHold is required')
        bucket.update_legal_hold(file_id, name, wanted)
        return {'fileId': file_id, 'fileName': name, 'legalHold': wanted.value}

    def _version(self, call: Call, capability: str) -> tuple[Bucket, str, str]:
        """Returns the bucket, the ID and the name of the version to be changed."""
        self._check_capability(call, capability)
        file_id = call.params.required('fileId')
        name = call.params.required('fileName')
        bucket = self._service.bucket_of(file_id)
        if bucket is None:
            raise errors.file_not_present(name, file_id)
        self._service.check(call.token, capability, bucket, name)
        return bucket, file_id, name

    def _check_capability(self, call: Call, capability: str) -> None:
        # Other calls answer 401 `unauthorized`; live tests of B2's clients see these two refuse
        # a key as they refuse a change that the lock does not allow.
        if capability not in self._service.key_of(call.token).capabilities:
            raise errors.access_denied(self._service.profile.options.locked_update_status)


def _retention(call: Call) -> FileRetentionSetting:
    value = call.params.mapping('fileRetention')
    if value is None:
        raise errors.bad_request('fileRetention is required')
    if value.get('mode') is None and value.get('retainUntilTimestamp') is not None:
        raise errors.bad_request('fileRetention: a timestamp needs a mode')
    return call.params.retention('fileRetention') or NO_RETENTION_FILE_SETTING
