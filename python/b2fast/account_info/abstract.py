"""The interface of account data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..exception import MissingAccountData
from ..raw_api.constants import ALL_CAPABILITIES

if TYPE_CHECKING:
    from typing import Protocol

    class NamedBucket(Protocol):
        """What is remembered of a bucket."""

        @property
        def name(self) -> str:
            """The name."""

        @property
        def id_(self) -> str:
            """The ID."""


class AbstractAccountInfo(ABC):
    """Keeps what an authorization gave, which buckets are called what, and spare upload URLs.

    An implementation must allow the use by many threads at once.  Everything that an
    authorization gives raises `MissingAccountData` before there was one.
    """

    DEFAULT_ALLOWED: dict[str, Any] = {  # noqa: RUF012
        'buckets': None,
        'capabilities': ALL_CAPABILITIES,
        'namePrefix': None,
    }
    """What a key without restrictions is allowed to do."""

    @classmethod
    def all_capabilities(cls) -> list[str]:
        """Every capability that a key can have."""
        return ALL_CAPABILITIES

    @abstractmethod
    def clear(self) -> None:
        """Forget everything."""

    @abstractmethod
    def list_bucket_names_ids(self) -> list[tuple[str, str]]:
        """Name and ID of every known bucket."""

    @abstractmethod
    def refresh_entire_bucket_name_cache(self, name_id_iterable: Iterable[tuple[str, str]]) -> None:
        """Know these buckets, by name and ID, and no others."""

    @abstractmethod
    def remove_bucket_name(self, bucket_name: str) -> None:
        """Forget a bucket, if it is known."""

    @abstractmethod
    def save_bucket(self, bucket: NamedBucket) -> None:
        """Remember the name and the ID of a bucket."""

    @abstractmethod
    def get_bucket_id_or_none_from_bucket_name(self, bucket_name: str) -> str | None:
        """The ID of a known bucket."""

    @abstractmethod
    def get_bucket_name_or_none_from_bucket_id(self, bucket_id: str) -> str | None:
        """The name of a known bucket."""

    @abstractmethod
    def clear_bucket_upload_data(self, bucket_id: str) -> None:
        """Forget the spare upload URLs of a bucket."""

    def is_same_key(self, application_key_id: str, realm: str) -> bool:
        """Was the last authorization made with this key, in this realm?"""
        try:
            return self.get_application_key_id() == application_key_id and (
                self.get_realm() == realm
            )
        except MissingAccountData:
            return False

    def is_same_account(self, account_id: str, realm: str) -> bool:
        """Was the last authorization made for this account, in this realm?"""
        try:
            return self.get_account_id() == account_id and self.get_realm() == realm
        except MissingAccountData:
            return False

    def is_master_key(self) -> bool:
        """Is the key that of the account itself?"""
        application_key_id = self.get_application_key_id()
        account_id = self.get_account_id()
        if account_id == application_key_id:
            return True
        # Newer accounts: three characters that name the cluster, the account, ten zeros.
        return application_key_id[3:] == f'{account_id}0000000000'

    @abstractmethod
    def get_account_id(self) -> str:
        """The ID of the account."""

    @abstractmethod
    def get_application_key_id(self) -> str:
        """The ID of the key."""

    @abstractmethod
    def get_account_auth_token(self) -> str:
        """The token for calls."""

    @abstractmethod
    def get_api_url(self) -> str:
        """The base URL of calls."""

    @abstractmethod
    def get_application_key(self) -> str:
        """The key itself, for the next authorization."""

    @abstractmethod
    def get_download_url(self) -> str:
        """The base URL of downloads."""

    @abstractmethod
    def get_realm(self) -> str:
        """The realm, by its name or URL, as it was given to the authorization."""

    @abstractmethod
    def get_recommended_part_size(self) -> int:
        """The size of parts that B2 recommends, in bytes."""

    @abstractmethod
    def get_absolute_minimum_part_size(self) -> int:
        """The least size of a part but the last, in bytes."""

    @abstractmethod
    def get_allowed(self) -> dict[str, Any]:
        """What the key is allowed to do: ``buckets``, ``capabilities`` and ``namePrefix``."""

    @abstractmethod
    def get_s3_api_url(self) -> str:
        """The base URL of the S3-compatible API."""

    def set_auth_data(
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
        allowed: dict[str, Any] | None,
        application_key_id: str,
    ) -> None:
        """Keep what an authorization gave; ``allowed`` None means a key without restrictions.

        :raises ValueError: if ``allowed`` lacks one of its fields.
        """
        if allowed is None:
            allowed = self.DEFAULT_ALLOWED
        if not self.allowed_is_valid(allowed):
            raise ValueError(f'not a description of what a key may do: {allowed!r}')
        self._set_auth_data(
            account_id,
            auth_token,
            api_url,
            download_url,
            recommended_part_size,
            absolute_minimum_part_size,
            application_key,
            realm,
            s3_api_url,
            allowed,
            application_key_id,
        )

    @classmethod
    def allowed_is_valid(cls, allowed: dict[str, Any]) -> bool:
        """Does ``allowed`` have the fields ``buckets``, ``capabilities`` and ``namePrefix``?"""
        return all(name in allowed for name in ('buckets', 'capabilities', 'namePrefix'))

    @abstractmethod
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
        """Keep what an authorization gave, checked."""

    @abstractmethod
    def take_bucket_upload_url(self, bucket_id: str) -> tuple[str | None, str | None]:
        """Take a spare upload URL and its token, so that nobody else has it; or two None."""

    @abstractmethod
    def put_bucket_upload_url(
        self, bucket_id: str, upload_url: str, upload_auth_token: str
    ) -> None:
        """Give back an upload URL that worked."""

    @abstractmethod
    def put_large_file_upload_url(
        self, file_id: str, upload_url: str, upload_auth_token: str
    ) -> None:
        """Give back an upload URL of a large file that worked."""

    @abstractmethod
    def take_large_file_upload_url(self, file_id: str) -> tuple[str | None, str | None]:
        """Take a spare upload URL of a large file and its token; or two None."""

    @abstractmethod
    def clear_large_file_upload_urls(self, file_id: str) -> None:
        """Forget the spare upload URLs of a large file."""
