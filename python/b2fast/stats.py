"""Counts of the calls that a client makes, as B2 bills them."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# B2's pricing page: class A is free; 2500 calls a day of each of the others are free.
_CALLS_OF_CLASS = {
    'A': """
        b2_cancel_large_file b2_delete_bucket b2_delete_file_version b2_delete_key
        b2_finish_large_file b2_get_upload_part_url b2_get_upload_url b2_hide_file
        b2_start_large_file b2_update_file_legal_hold b2_update_file_retention b2_upload_file
        b2_upload_part
    """,
    'B': 'b2_download_file_by_id b2_download_file_by_name b2_get_file_info',
    'C': """
        b2_authorize_account b2_copy_file b2_copy_part b2_create_bucket b2_create_key
        b2_get_bucket_notification_rules b2_get_download_authorization b2_list_buckets
        b2_list_file_names b2_list_file_versions b2_list_keys b2_list_parts
        b2_list_unfinished_large_files b2_set_bucket_notification_rules b2_update_bucket
    """,
}
_CLASS_OF_CALL = {
    call: class_ for class_, calls in _CALLS_OF_CLASS.items() for call in calls.split()
}
_LISTED = {
    'b2_list_buckets': 'buckets',
    'b2_list_file_names': 'files',
    'b2_list_file_versions': 'files',
    'b2_list_keys': 'keys',
    'b2_list_parts': 'parts',
    'b2_list_unfinished_large_files': 'files',
}
_ENTRIES_OF_ONE_TRANSACTION = 1000


@dataclass(frozen=True)
class ClientStats:
    """What a client has asked the service for; see `B2Api.stats`.

    The difference of two says what was done in between, the sum adds up several clients.

    :param calls: requests by the name of the call (``b2_upload_file``), repeated ones included.
        One whose answer was lost counts, and so does one that was cancelled on its way; one
        that found no connection does not.
    :param transactions: the same by the class that B2 bills, ``'A'``, ``'B'`` and ``'C'``; a
        listing counts once for each 1000 entries, the last of them begun.
    :param retries: requests that repeated one that had failed.
    :param bytes_sent: bytes of content sent, those of failed uploads included.
    :param bytes_received: bytes of content received, those of no use included.
    """

    calls: Mapping[str, int]
    transactions: Mapping[str, int]
    retries: int
    bytes_sent: int
    bytes_received: int

    def __add__(self, other: ClientStats) -> ClientStats:
        return self._combined(other, 1)

    def __sub__(self, other: ClientStats) -> ClientStats:
        return self._combined(other, -1)

    def _combined(self, other: ClientStats, sign: int) -> ClientStats:
        calls = {
            name: self.calls.get(name, 0) + sign * other.calls.get(name, 0)
            for name in sorted({*self.calls, *other.calls})
        }
        return ClientStats(
            {name: number for name, number in calls.items() if number},
            {
                class_: self.transactions[class_] + sign * other.transactions[class_]
                for class_ in self.transactions
            },
            self.retries + sign * other.retries,
            self.bytes_sent + sign * other.bytes_sent,
            self.bytes_received + sign * other.bytes_received,
        )


class CallCounter:
    """Counts what is sent by Python, and takes in what the transfer engine counts.

    Safe for many threads.  A child process goes on with the numbers of its parent; the copy in
    another process that pickle makes begins at 0.
    """

    def __init__(self) -> None:
        from ._core.transfer import Counters

        #: To be given to each engine of the client.
        self.engine = Counters()
        self._calls: Counter[str] = Counter()
        self._further_transactions = 0
        self._retries = 0
        self._sent = 0
        self._received = 0
        self._new_lock()

    def __reduce__(self) -> tuple[type[CallCounter], tuple[()]]:
        return type(self), ()

    def _new_lock(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def _locked(self) -> threading.Lock:
        if self._pid != os.getpid():
            # A child of fork: a thread that the child does not have may hold it.
            self._new_lock()
        return self._lock

    def requested(self, call: str | None) -> None:
        """A request was sent; None if it is no call of the native API."""
        if call is not None:
            with self._locked():
                self._calls[call] += 1

    def answered(self, call: str | None, answer: Any) -> None:
        """A call succeeded; long listings cost more than one transaction."""
        field = _LISTED.get(call or '')
        if field is not None and isinstance(answer, Mapping):
            entries = len(answer.get(field) or ())
            with self._locked():
                self._further_transactions += max(0, (entries - 1) // _ENTRIES_OF_ONE_TRANSACTION)

    def retried(self) -> None:
        """A failed request is repeated."""
        with self._locked():
            self._retries += 1

    def sent(self, bytes_: int) -> None:
        """Bytes of content were sent."""
        with self._locked():
            self._sent += bytes_

    def received(self, bytes_: int) -> None:
        """Bytes of content were received."""
        with self._locked():
            self._received += bytes_

    def stats(self) -> ClientStats:
        """The numbers so far."""
        engine = self.engine
        with self._locked():
            calls = self._calls + Counter(dict(engine.calls))
            transactions = dict.fromkeys('ABC', 0)
            for call, number in calls.items():
                if call in _CLASS_OF_CALL:
                    transactions[_CLASS_OF_CALL[call]] += number
            transactions['C'] += self._further_transactions
            return ClientStats(
                dict(sorted(calls.items())),
                transactions,
                self._retries + engine.retries,
                self._sent + engine.bytes_sent,
                self._received + engine.bytes_received,
            )
