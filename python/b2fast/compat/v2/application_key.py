"""Application keys of v2: each is for one bucket, ``bucket_id``, or for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ... import application_key as v3


class BaseApplicationKey(v3.BaseApplicationKey):
    """As in v3, for one bucket or for all.

    :param bucket_id: the bucket that it is restricted to; None for all
    """

    def __init__(
        self,
        key_name: str,
        application_key_id: str,
        capabilities: list[str],
        account_id: str,
        expiration_timestamp_millis: int | None = None,
        bucket_id: str | None = None,
        name_prefix: str | None = None,
        options: list[str] | None = None,
    ) -> None:
        super().__init__(
            key_name,
            application_key_id,
            capabilities,
            account_id,
            expiration_timestamp_millis,
            name_prefix=name_prefix,
            options=options,
        )
        self.bucket_id = bucket_id

    @classmethod
    def parse_response_dict(cls, response: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of this class that a key object of B2 has."""
        result = super().parse_response_dict(response)
        result.pop('bucket_ids', None)
        if response.get('bucketId') is not None:
            result['bucket_id'] = response['bucketId']
        return result

    def as_dict(self) -> dict[str, Any]:
        """The key object as B2 writes it."""
        result = super().as_dict()
        if self.bucket_id is not None:
            result['bucketId'] = self.bucket_id
        return result


class ApplicationKey(BaseApplicationKey, v3.ApplicationKey):
    """As in v3, for one bucket or for all."""


class FullApplicationKey(BaseApplicationKey):
    """As in v3, for one bucket or for all."""

    def __init__(
        self,
        key_name: str,
        application_key_id: str,
        application_key: str,
        capabilities: list[str],
        account_id: str,
        expiration_timestamp_millis: int | None = None,
        bucket_id: str | None = None,
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
            bucket_id,
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
        return {
            **super().parse_response_dict(response),
            'application_key': response['applicationKey'],
        }

    def as_dict(self) -> dict[str, Any]:
        """The key object as B2 writes it, with the secret."""
        return {**super().as_dict(), 'applicationKey': self.application_key}
