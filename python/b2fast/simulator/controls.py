"""What a test can do with a faithful simulator besides being its client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter

from b2fast.raw_api import ALL_CAPABILITIES

from . import ids
from .faults import Fault
from .http_door import HttpDoor, ServedRequest
from .profile import Profile
from .state import Key, Service
from .storage import Storage


class Controls(ABC):
    """A service in the faithful profile with an account, and the door to it.

    :param profile: the limits of the service.
    :param key_id: ID of the account's master key; made up by default.
    :param key: the master key; a random one by default.
    :param scheme: of the URLs in answers: http or https.
    :param storage: keeps the service beyond the process; its first account is the one here.
    """

    def __init__(
        self,
        profile: Profile,
        key_id: str | None = None,
        key: str | None = None,
        scheme: str = 'http',
        storage: Storage | None = None,
    ) -> None:
        self._service = Service(profile, journal=storage)
        self._door = HttpDoor(self._service, scheme)
        known = None if storage is None else storage.load(self._service)
        master = self._new_account(key_id, key, known)
        self.account_id = master.account_id
        self.key_id = master.application_key_id
        self.key = master.key

    def _new_account(
        self, key_id: str | None = None, key: str | None = None, known: Key | None = None
    ) -> Key:
        account_id = ids.new_account_id() if known is None else known.account_id
        if known is not None:
            key_id, key = key_id or known.application_key_id, key or known.key
        master = Key(
            account_id,
            'master',
            ids.new_key_id(account_id, 1) if key_id is None else key_id,
            ids.new_key() if key is None else key,
            ALL_CAPABILITIES,
            None,
            None,
            None,
        )
        with self._service.lock:
            self._service.add_account(account_id, master)
        return master

    def create_account(self) -> tuple[str, str]:
        """Makes a further account.

        :return: the ID and the key of its master key.
        """
        master = self._new_account()
        return master.application_key_id, master.key

    def inject(self, fault: Fault) -> None:
        """Lets something go wrong in the calls to come; see `Fault`."""
        if fault.cut_upload_after is not None:
            self._cut_uploads(fault, fault.cut_upload_after)
        else:
            self._door.faults.add(fault)

    @abstractmethod
    def _cut_uploads(self, fault: Fault, after: int) -> None:
        """Breaks the connection of the uploads to come when so many bytes have arrived."""

    def clear_faults(self) -> None:
        """Forgets the faults to come, but not those that cut uploads."""
        self._door.faults.clear()

    def expire_tokens(self) -> None:
        """Ends every account token that was given out, as after 24 hours."""
        with self._service.lock:
            self._service.expire_all_tokens()

    def expire_auth_token(self, auth_token: str) -> None:
        """Ends a token before its time."""
        with self._service.lock:
            self._service.expire_token(auth_token)

    def advance_clock(self, seconds: float) -> None:
        """Moves the simulator's clock forward and does what B2 does daily.

        Every 24 hours on the way, and at the end, lifecycle rules are applied and files that
        are left to replicate are replicated. Without this call that happens with the first
        request of each day by UTC.

        :raises ValueError: `seconds` is negative.
        """
        self._service.advance_clock(seconds)

    @property
    def calls(self) -> Counter[str]:
        """How many requests there were of each call; a download counts as
        `b2_download_file_by_id` or `b2_download_file_by_name`."""
        return self._door.calls

    @property
    def requests(self) -> list[ServedRequest]:
        """The last 100,000 requests, in the order in which they were answered."""
        return self._door.requests
