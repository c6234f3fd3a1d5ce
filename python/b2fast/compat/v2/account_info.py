"""Account data of v2: a key is restricted to one bucket or to none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import account_info as v3
from ...account_info.sqlite import SqliteAccountInfo as V3SqliteAccountInfo
from ...exception import MissingAccountData
from ...raw_api.constants import ALL_CAPABILITIES

# The mixin stands before classes that have what it calls by ``super()``.
if TYPE_CHECKING:
    _Base = v3.AbstractAccountInfo
else:
    _Base = object


class _OneBucket(_Base):
    """What the key is allowed has ``bucketId`` and ``bucketName``; ``buckets`` is kept."""

    DEFAULT_ALLOWED = {  # noqa: RUF012
        'bucketId': None,
        'bucketName': None,
        'capabilities': ALL_CAPABILITIES,
        'namePrefix': None,
    }

    @classmethod
    def allowed_is_valid(cls, allowed: dict[str, Any]) -> bool:
        """Does ``allowed`` have all of its fields, and an ID of a bucket that has a name?"""
        if not all(name in allowed for name in _OneBucket.DEFAULT_ALLOWED):
            return False
        return allowed['bucketId'] is not None or allowed['bucketName'] is None

    def get_allowed(self) -> dict[str, Any]:
        """``bucketId``, ``bucketName``, ``capabilities`` and ``namePrefix`` of the key.

        Raises `MissingAccountData` for a key that is restricted to several buckets.
        """
        allowed = dict(super().get_allowed())  # type: ignore[safe-super]
        if 'buckets' in allowed:
            buckets = allowed.pop('buckets') or [{'id': None, 'name': None}]
            if len(buckets) > 1:
                raise MissingAccountData('b2sdk.v2 has no keys for several buckets')
            allowed['bucketId'] = buckets[0]['id']
            allowed['bucketName'] = buckets[0]['name']
        return allowed

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
        allowed = dict(allowed)
        bucket = {'id': allowed.pop('bucketId'), 'name': allowed.pop('bucketName')}
        allowed['buckets'] = None if bucket['id'] is None else [bucket]
        super()._set_auth_data(  # type: ignore[safe-super]
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


class AbstractAccountInfo(_OneBucket, v3.AbstractAccountInfo):
    """As in v3, but an implementation need not list its buckets."""

    def list_bucket_names_ids(self) -> list[tuple[str, str]]:
        """No bucket."""
        return []


class UrlPoolAccountInfo(_OneBucket, v3.UrlPoolAccountInfo):
    """As in v3, for keys of one bucket."""


class InMemoryAccountInfo(_OneBucket, v3.InMemoryAccountInfo):
    """As in v3, for keys of one bucket."""


class SqliteAccountInfo(_OneBucket, V3SqliteAccountInfo):
    """As in v3, for keys of one bucket."""


class StubAccountInfo(_OneBucket, v3.StubAccountInfo):
    """As in v3, for keys of one bucket."""
