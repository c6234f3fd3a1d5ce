"""Application keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self


class BaseApplicationKey:
    """What every answer tells about a key.

    :param expiration_timestamp_millis: milliseconds since 1970; None if it never expires
    :param bucket_ids: the buckets that it is restricted to; None for all
    :param name_prefix: the file names that it is restricted to begin with this
    """

    def __init__(
        self,
        key_name: str,
        application_key_id: str,
        capabilities: list[str],
        account_id: str,
        expiration_timestamp_millis: int | None = None,
        bucket_ids: list[str] | None = None,
        name_prefix: str | None = None,
        options: list[str] | None = None,
    ) -> None:
        self.key_name = key_name
        self.id_ = application_key_id
        self.capabilities = capabilities
        self.account_id = account_id
        self.expiration_timestamp_millis = expiration_timestamp_millis
        self.bucket_ids = bucket_ids
        self.name_prefix = name_prefix
        self.options = options

    @classmethod
    def parse_response_dict(cls, response: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of this class that a key object of B2 has."""
        result = {
            'key_name': response['keyName'],
            'application_key_id': response['applicationKeyId'],
            'capabilities': response['capabilities'],
            'account_id': response['accountId'],
        }
        for parameter, name in (
            ('expiration_timestamp_millis', 'expirationTimestamp'),
            ('bucket_ids', 'bucketIds'),
            ('name_prefix', 'namePrefix'),
            ('options', 'options'),
        ):
            if response.get(name) is not None:
                result[parameter] = response[name]
        return result

    def has_capabilities(self, capabilities: Iterable[str]) -> bool:
        """Has it all of them?"""
        return set(capabilities) <= set(self.capabilities)

    def as_dict(self) -> dict[str, Any]:
        """The key object as B2 writes it."""
        result: dict[str, Any] = {
            'keyName': self.key_name,
            'applicationKeyId': self.id_,
            'capabilities': self.capabilities,
            'accountId': self.account_id,
        }
        for name, value in (
            ('expirationTimestamp', self.expiration_timestamp_millis),
            ('bucketIds', self.bucket_ids),
            ('namePrefix', self.name_prefix),
            ('options', self.options),
        ):
            if value is not None:
                result[name] = value
        return result


class ApplicationKey(BaseApplicationKey):
    """A key without its secret, as listings and deletions tell it."""

    @classmethod
    def from_api_response(cls, response: Mapping[str, Any]) -> Self:
        """Made from a key object of B2."""
        return cls(**cls.parse_response_dict(response))


class FullApplicationKey(BaseApplicationKey):
    """A key with its secret, which only its creation tells."""

    def __init__(
        self,
        key_name: str,
        application_key_id: str,
        application_key: str,
        capabilities: list[str],
        account_id: str,
        expiration_timestamp_millis: int | None = None,
        bucket_ids: list[str] | None = None,
        name_prefix: str | None = None,
        options: list[str] | None = None,
    ) -> None:
        self.application_key = application_key
        super().__init__(
            key_name,
            application_key_id,
            capabilities,
            account_id,
            expiration_timestamp_millis,
            bucket_ids,
            name_prefix,
            options,
        )

    @classmethod
    def from_create_response(cls, response: Mapping[str, Any]) -> Self:
        """Made from the answer of ``b2_create_key``."""
        return cls(**cls.parse_response_dict(response))

    @classmethod
    def parse_response_dict(cls, response: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of this class that the answer has."""
        result = super().parse_response_dict(response)
        result['application_key'] = response['applicationKey']
        return result

    def as_dict(self) -> dict[str, Any]:
        """The key object as B2 writes it, with the secret."""
        return {**super().as_dict(), 'applicationKey': self.application_key}
