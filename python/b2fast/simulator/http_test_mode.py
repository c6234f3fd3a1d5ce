"""B2's own faults on request: the header `X-Bz-Test-Mode`."""

from __future__ import annotations

from random import Random
from threading import Lock
from typing import TypeGuard

from .errors import SimulatedError
from .faults import UPLOAD_CALLS
from .state import Service

# Which failures, and how many, B2 does not say.
_FAILING_UPLOADS = 0.25
_CALLS_OF_A_TOKEN = (2, 10)

# Of the calls that are not here B2 documents no cap; class A is free.
_CAPS = {
    'storage_cap_exceeded': """
        b2_get_upload_url b2_get_upload_part_url b2_upload_file b2_upload_part
    """,
    'download_cap_exceeded': 'b2_download_file_by_id b2_download_file_by_name',
    'cap_exceeded': """
        b2_copy_file b2_copy_part b2_update_file_legal_hold b2_update_file_retention
    """,
    'transaction_cap_exceeded': """
        b2_authorize_account b2_create_bucket b2_create_key b2_get_bucket_notification_rules
        b2_get_download_authorization b2_get_file_info b2_list_buckets b2_list_file_names
        b2_list_file_versions b2_list_keys b2_list_parts b2_list_unfinished_large_files
        b2_set_bucket_notification_rules b2_update_bucket
    """,
}
_CAP_OF_CALL = {call: code for code, calls in _CAPS.items() for call in calls.split()}


class RequestedFaults:
    """Commits the faults that clients ask for. Safe for several threads.

    - `fail_some_uploads`: a quarter of the uploads is answered with 503.
    - `expire_some_account_authorization_tokens`: a token ends with one of its second to tenth
      calls in this mode, so that a fresh one always serves once.
    - `force_cap_exceeded`: each call on which B2 has a cap is answered with 403 and its code.

    Other values mean nothing.

    :param service: whose tokens expire.
    :param seed: what decides which uploads and tokens it strikes.
    """

    def __init__(self, service: Service, seed: int = 0) -> None:
        self._service = service
        self._lock = Lock()
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Begins all draws anew."""
        with self._lock:
            self._uploads = Random(f'{seed}/uploads')  # noqa: S311
            self._tokens = Random(f'{seed}/tokens')  # noqa: S311
            self._calls_left: dict[str, int] = {}

    def strike(self, mode: str, call: str, token: str | None) -> None:
        """Commits what goes wrong with a request, if anything.

        :param mode: the value of the header.
        :raises SimulatedError: the request is refused.
        """
        if mode == 'fail_some_uploads':
            if call in UPLOAD_CALLS and self._fails_upload():
                raise SimulatedError(503, 'service_unavailable', 'Test mode: fail some uploads')
        elif mode == 'expire_some_account_authorization_tokens':
            with self._service.lock:
                if self._is_alive(token) and self._is_last_call(token):
                    self._service.expire_token(token)
        elif mode == 'force_cap_exceeded' and call in _CAP_OF_CALL:
            raise SimulatedError(403, _CAP_OF_CALL[call], 'Test mode: force cap exceeded')

    def _is_alive(self, token: str | None) -> TypeGuard[str]:
        service = self._service
        return token in service.account_tokens and token not in service.expired_tokens

    def _fails_upload(self) -> bool:
        with self._lock:
            return self._uploads.random() < _FAILING_UPLOADS

    def _is_last_call(self, token: str) -> bool:
        with self._lock:
            left = self._calls_left.pop(token, None) or self._tokens.randint(*_CALLS_OF_A_TOKEN)
            if left > 1:
                self._calls_left[token] = left - 1
            return left == 1
