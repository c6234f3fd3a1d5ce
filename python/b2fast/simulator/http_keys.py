"""The calls of the HTTP door about application keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import errors, http_shapes, ids, rules
from .http_request import Call
from .state import Key, NamedBucket, Service

FIRST_VERSION_WITH_SEVERAL_BUCKETS = 4


class KeyCalls:
    """Answers the calls about application keys. Callers hold the service's lock."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.by_name: dict[str, Callable[[Call], dict[str, Any]]] = {
            'b2_create_key': self._create_key,
            'b2_delete_key': self._delete_key,
            'b2_list_keys': self._list_keys,
        }

    def _create_key(self, call: Call) -> dict[str, Any]:
        params = call.params
        creator = self._service.check(
            call.token, 'writeKeys', account_id=params.required('accountId')
        )
        name = params.required('keyName')
        capabilities = params.sequence('capabilities', str) or []

        def make(account_id: str, end: int | None, buckets: list[NamedBucket] | None) -> Key:
            return Key(
                account_id,
                name,
                # The master key has number 1.
                ids.new_key_id(account_id, self._service.key_count + 2),
                ids.new_key(),
                capabilities,
                end,
                buckets,
                params.optional('namePrefix'),
            )

        key = self._service.create_key(
            creator,
            make,
            capabilities,
            name,
            params.integer('validDurationInSeconds'),
            self._bucket_ids(call),
        )
        return {**http_shapes.key(key, call.version), 'applicationKey': key.key}

    @staticmethod
    def _bucket_ids(call: Call) -> list[str] | None:
        one = call.params.optional('bucketId')
        several = call.params.sequence('bucketIds', str)
        if call.version < FIRST_VERSION_WITH_SEVERAL_BUCKETS:
            if several is not None:
                raise errors.bad_request('bucketIds needs version 4 of the API')
            return None if one is None else [one]
        if one is not None:
            raise errors.bad_request('bucketId is called bucketIds in version 4 of the API')
        return several

    def _delete_key(self, call: Call) -> dict[str, Any]:
        key_id = call.params.required('applicationKeyId')
        key = self._service.check(call.token, 'deleteKeys')
        found = self._service.keys.get(key_id)
        if found is None or found.account_id != key.account_id:
            raise errors.bad_request(f'application key does not exist: {key_id}')
        return http_shapes.key(self._service.delete_key(key_id), call.version)

    def _list_keys(self, call: Call) -> dict[str, Any]:
        params = call.params
        account_id = params.required('accountId')
        self._service.check(call.token, 'listKeys', account_id=account_id)
        count = rules.check_page_size(params.integer('maxKeyCount'), 100, 10_000, 'maxKeyCount')
        start = params.optional('startApplicationKeyId') or ''
        keys = sorted(
            (
                key
                for key in self._service.keys_in_force(account_id)
                if key.application_key_id >= start
            ),
            key=lambda key: key.application_key_id,
        )
        return {
            'keys': [http_shapes.key(key, call.version) for key in keys[:count]],
            'nextApplicationKeyId': keys[count].application_key_id if len(keys) > count else None,
        }
