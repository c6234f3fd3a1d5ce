"""What a test can do with a faithful simulator besides being its client."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches

from b2fast.raw_api import ALL_CAPABILITIES

from . import ids
from .faults import Fault, FaultScript, FaultState
from .http_door import HttpDoor
from .profile import Profile
from .request_log import ServedRequest
from .state import Key, Service
from .storage import Storage


class Controls:
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
        self._master = master
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

    def inject(self, *faults: Fault) -> None:
        """Lets something go wrong in the calls to come; see `Fault`.

        A request meets the first of the faults, in the order in which they were added, that
        wants to strike it; and of those that strike uploads on their way, the first as well.
        Each fault counts for itself what it skips.

        :raises ValueError: a fault strikes no call that there is; none is added then.
        """
        self._check_calls(faults)
        self._door.faults.add(*faults)

    def play(self, script: FaultScript) -> None:
        """Takes the faults of a script, and its seed, in place of those there are.

        :raises ValueError: a fault strikes no call that there is; nothing changes then.
        """
        self._check_calls(script.faults)
        self._door.play(script)

    def _check_calls(self, faults: tuple[Fault, ...]) -> None:
        names = self._door.call_names
        for fault in faults:
            if not any(map(fault.matches, names)):
                close = get_close_matches(fault.call, names, 1)
                hint = f'; did you mean "{close[0]}"?' if close else ''
                raise ValueError(f'there is no call "{fault.call}"{hint}')

    def seed_faults(self, seed: int) -> None:
        """Begins anew what decides about faults with a `rate` and about `X-Bz-Test-Mode`.

        With the same seed, the same requests in the same order meet the same faults. Without
        a call it is 0.
        """
        self._door.seed(seed)

    def clear_faults(self) -> None:
        """Forgets the faults to come."""
        self._door.faults.clear()

    @property
    def faults(self) -> list[FaultState]:
        """The faults that were added and not cleared, and how often they struck; of those
        that are over, the last 1000 at most."""
        return self._door.faults.states

    @property
    def fault_seed(self) -> int:
        """The seed in use."""
        return self._door.faults.seed

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
        return self._door.log.calls

    @property
    def requests(self) -> list[ServedRequest]:
        """The last 100,000 requests, in the order in which they were answered."""
        return self._door.log.requests
