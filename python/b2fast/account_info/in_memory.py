"""Account data that live as long as the process."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ..exception import MissingAccountData
from .upload_url_pool import UrlPoolAccountInfo

if TYPE_CHECKING:
    from .abstract import NamedBucket

_T = TypeVar('_T')


@dataclass(frozen=True, repr=False)
class _AuthData:
    """What one authorization gave; replaced as a whole, so that readers see no mixture."""

    account_id: str | None = None
    account_auth_token: str | None = None
    api_url: str | None = None
    download_url: str | None = None
    recommended_part_size: int | None = None
    absolute_minimum_part_size: int | None = None
    application_key: str | None = None
    realm: str | None = None
    s3_api_url: str | None = None
    allowed: dict[str, Any] | None = None
    application_key_id: str | None = None


class InMemoryAccountInfo(UrlPoolAccountInfo):
    """Keeps account data in memory and nothing on disk.

    Pickled, it leaves the key and the tokens behind, since a pickle may be written to a disk or
    a network.  A process that gets it has to authorize; or set `pickle_secrets`.
    """

    pickle_secrets: bool = False
    """Let the key and the token go where pickle goes: set it to use this object in workers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = threading.Lock()
        self._auth = _AuthData()
        self._buckets: dict[str, str] = {}

    def __getstate__(self) -> dict[str, Any]:
        state = self._state()
        if not self.pickle_secrets:
            state['_auth'] = replace(self._auth, account_auth_token=None, application_key=None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = threading.Lock()

    def __copy__(self) -> Self:
        return self._copied(self._state())

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._copied(copy.deepcopy(self._state(), memo))

    def _state(self) -> dict[str, Any]:
        with self._lock:
            return {name: value for name, value in vars(self).items() if name != '_lock'}

    def _copied(self, state: dict[str, Any]) -> Self:
        copied = type(self).__new__(type(self))
        copied.__setstate__(state)
        return copied

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        with self._lock:
            self._auth = _AuthData()
            self._buckets = {}

    def _set_auth_data(
        self,
        account_id: str,
        auth_token: str,
        api_url: str,
        download_url: str,
        recommended_part_size: int,
        absolute_minimum_part_size: int,
        application_key: str,
        realm: str,
        s3_api_url: str,
        allowed: dict[str, Any],
        application_key_id: str,
    ) -> None:
        self._auth = _AuthData(
            account_id=account_id,
            account_auth_token=auth_token,
            api_url=api_url,
            download_url=download_url,
            recommended_part_size=recommended_part_size,
            absolute_minimum_part_size=absolute_minimum_part_size,
            application_key=application_key,
            realm=realm,
            s3_api_url=s3_api_url,
            allowed=allowed,
            application_key_id=application_key_id,
        )

    def _known(self, name: str, value: _T | None) -> _T:
        if value is None:
            raise MissingAccountData(name)
        return value

    def _secret(self, name: str, value: str | None) -> str:
        if value is None and self._auth.account_id is not None:
            error = MissingAccountData(name)
            error.add_note(
                'This InMemoryAccountInfo was pickled, and keys and tokens stay behind then. '
                'Authorize again, or set pickle_secrets = True on it before.'
            )
            raise error
        return self._known(name, value)

    def refresh_entire_bucket_name_cache(self, name_id_iterable: Iterable[tuple[str, str]]) -> None:
        """Know these buckets, by name and ID, and no others."""
        buckets = dict(name_id_iterable)
        with self._lock:
            self._buckets = buckets

    def list_bucket_names_ids(self) -> list[tuple[str, str]]:
        """Name and ID of every known bucket."""
        with self._lock:
            return list(self._buckets.items())

    def get_bucket_id_or_none_from_bucket_name(self, bucket_name: str) -> str | None:
        """The ID of a known bucket."""
        return self._buckets.get(bucket_name)

    def get_bucket_name_or_none_from_bucket_id(self, bucket_id: str) -> str | None:
        """The name of a known bucket."""
        with self._lock:
            for name, cached_id in self._buckets.items():
                if cached_id == bucket_id:
                    return name
        return None

    def save_bucket(self, bucket: NamedBucket) -> None:
        """Remember the name and the ID of a bucket."""
        with self._lock:
            self._buckets[bucket.name] = bucket.id_

    def remove_bucket_name(self, bucket_name: str) -> None:
        """Forget a bucket, if it is known."""
        with self._lock:
            self._buckets.pop(bucket_name, None)

    def get_account_id(self) -> str:
        """The ID of the account."""
        return self._known('account_id', self._auth.account_id)

    def get_application_key_id(self) -> str:
        """The ID of the key."""
        return self._known('application_key_id', self._auth.application_key_id)

    def get_account_auth_token(self) -> str:
        """The token for calls."""
        return self._secret('account_auth_token', self._auth.account_auth_token)

    def get_api_url(self) -> str:
        """The base URL of calls."""
        return self._known('api_url', self._auth.api_url)

    def get_application_key(self) -> str:
        """The key itself, for the next authorization."""
        return self._secret('application_key', self._auth.application_key)

    def get_download_url(self) -> str:
        """The base URL of downloads."""
        return self._known('download_url', self._auth.download_url)

    def get_realm(self) -> str:
        """The realm, by its name or URL, as it was given to the authorization."""
        return self._known('realm', self._auth.realm)

    def get_recommended_part_size(self) -> int:
        """The size of parts that B2 recommends, in bytes."""
        return self._known('recommended_part_size', self._auth.recommended_part_size)

    def get_absolute_minimum_part_size(self) -> int:
        """The least size of a part but the last, in bytes."""
        return self._known('absolute_minimum_part_size', self._auth.absolute_minimum_part_size)

    def get_allowed(self) -> dict[str, Any]:
        """What the key is allowed to do: ``buckets``, ``capabilities`` and ``namePrefix``."""
        return self._known('allowed', self._auth.allowed)

    def get_s3_api_url(self) -> str:
        """The base URL of the S3-compatible API."""
        return self._known('s3_api_url', self._auth.s3_api_url)
