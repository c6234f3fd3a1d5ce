"""What a client knows of the names of buckets, to spare calls of ``b2_list_buckets``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .account_info.abstract import AbstractAccountInfo, NamedBucket


class _Known(NamedTuple):
    name: str
    id_: str


class AbstractCache(ABC):
    """Maps names of buckets to their IDs and back."""

    def clear(self) -> None:
        """Forget all buckets."""
        self.set_bucket_name_cache(())

    @abstractmethod
    def get_bucket_id_or_none_from_bucket_name(self, name: str) -> str | None:
        """The ID of a known bucket."""

    @abstractmethod
    def get_bucket_name_or_none_from_allowed(self) -> str | None:
        """The name of the one bucket that the application key is restricted to, if there is."""

    @abstractmethod
    def get_bucket_name_or_none_from_bucket_id(self, bucket_id: str) -> str | None:
        """The name of a known bucket."""

    @abstractmethod
    def list_bucket_names_ids(self) -> list[tuple[str, str]]:
        """Name and ID of every known bucket."""

    @abstractmethod
    def save_bucket(self, bucket: NamedBucket) -> None:
        """Remember a bucket."""

    @abstractmethod
    def set_bucket_name_cache(self, buckets: Iterable[NamedBucket]) -> None:
        """Know these buckets and no others."""

    def forget_bucket(self, bucket_id: str) -> None:
        """Forget a bucket, if it is known.

        A cache that is used by several threads or processes had better override this: here the
        other buckets are listed and set.
        """
        known = [_Known(name, id_) for name, id_ in self.list_bucket_names_ids()]
        self.set_bucket_name_cache([bucket for bucket in known if bucket.id_ != bucket_id])


class DummyCache(AbstractCache):
    """Knows nothing, so that every name is asked for."""

    def get_bucket_id_or_none_from_bucket_name(self, name: str) -> str | None:
        """None."""
        return None

    def get_bucket_name_or_none_from_bucket_id(self, bucket_id: str) -> str | None:
        """None."""
        return None

    def get_bucket_name_or_none_from_allowed(self) -> str | None:
        """None."""
        return None

    def list_bucket_names_ids(self) -> list[tuple[str, str]]:
        """No bucket."""
        return []

    def save_bucket(self, bucket: NamedBucket) -> None:
        """Nothing."""

    def set_bucket_name_cache(self, buckets: Iterable[NamedBucket]) -> None:
        """Nothing."""


class InMemoryCache(AbstractCache):
    """Keeps the names in memory."""

    def __init__(self) -> None:
        self.name_id_map: dict[str, str] = {}
        self.bucket_name: str | None = None

    def get_bucket_id_or_none_from_bucket_name(self, name: str) -> str | None:
        """The ID of a known bucket."""
        return self.name_id_map.get(name)

    def get_bucket_name_or_none_from_bucket_id(self, bucket_id: str) -> str | None:
        """The name of a known bucket."""
        # A copy: another thread may be saving a bucket.
        items = self.name_id_map.copy().items()
        return next((name for name, id_ in items if id_ == bucket_id), None)

    def get_bucket_name_or_none_from_allowed(self) -> str | None:
        """What ``bucket_name`` was set to."""
        return self.bucket_name

    def list_bucket_names_ids(self) -> list[tuple[str, str]]:
        """Name and ID of every known bucket, by name."""
        return sorted(self.name_id_map.copy().items())

    def save_bucket(self, bucket: NamedBucket) -> None:
        """Remember a bucket."""
        self.name_id_map[bucket.name] = bucket.id_

    def set_bucket_name_cache(self, buckets: Iterable[NamedBucket]) -> None:
        """Know these buckets and no others."""
        self.name_id_map = {bucket.name: bucket.id_ for bucket in buckets}

    def forget_bucket(self, bucket_id: str) -> None:
        """Forget a bucket, if it is known."""
        for name, id_ in self.name_id_map.copy().items():
            if id_ == bucket_id:
                self.name_id_map.pop(name, None)


class AuthInfoCache(AbstractCache):
    """Keeps the names with the account data, where a later process may find them."""

    def __init__(self, info: AbstractAccountInfo) -> None:
        self.info = info

    def get_bucket_id_or_none_from_bucket_name(self, name: str) -> str | None:
        """The ID of a known bucket."""
        return self.info.get_bucket_id_or_none_from_bucket_name(name)

    def get_bucket_name_or_none_from_bucket_id(self, bucket_id: str) -> str | None:
        """The name of a known bucket."""
        return self.info.get_bucket_name_or_none_from_bucket_id(bucket_id)

    def get_bucket_name_or_none_from_allowed(self) -> str | None:
        """The name of the one bucket that the application key is restricted to, if there is."""
        buckets = self.info.get_allowed()['buckets'] or []
        name: str | None = buckets[0]['name'] if len(buckets) == 1 else None
        return name

    def list_bucket_names_ids(self) -> list[tuple[str, str]]:
        """Name and ID of every known bucket."""
        return self.info.list_bucket_names_ids()

    def save_bucket(self, bucket: NamedBucket) -> None:
        """Remember a bucket."""
        self.info.save_bucket(bucket)

    def set_bucket_name_cache(self, buckets: Iterable[NamedBucket]) -> None:
        """Know these buckets and no others."""
        self.info.refresh_entire_bucket_name_cache((b.name, b.id_) for b in buckets)

    def forget_bucket(self, bucket_id: str) -> None:
        """Forget a bucket, if it is known."""
        name = self.info.get_bucket_name_or_none_from_bucket_id(bucket_id)
        if name is not None:
            self.info.remove_bucket_name(name)
