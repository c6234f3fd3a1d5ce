"""Sessions of v2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...cache import DummyCache
from ..v3 import B2Session as V3B2Session
from .account_info import SqliteAccountInfo
from .api_config import DEFAULT_HTTP_API_CONFIG
from .b2http import B2Http
from .old_parameters import takes_file_infos, with_cache_control

if TYPE_CHECKING:
    from ... import api_config as v3_config
    from ...account_info import AbstractAccountInfo
    from ...cache import AbstractCache
    from ...encryption.setting import EncryptionSetting
    from ...file_lock import FileRetentionSetting, LegalHold
    from ...types import ReadOnlyStream


class B2Session(V3B2Session):
    """As in v3, but a key has one bucket, and names are not cached with given account data."""

    SQLITE_ACCOUNT_INFO_CLASS = SqliteAccountInfo
    B2HTTP_CLASS = B2Http

    def __init__(
        self,
        account_info: AbstractAccountInfo | None = None,
        cache: AbstractCache | None = None,
        api_config: v3_config.B2HttpApiConfig = DEFAULT_HTTP_API_CONFIG,
    ) -> None:
        if account_info is not None and cache is None:
            cache = DummyCache()
        super().__init__(account_info, cache, api_config)

    def create_key(  # type: ignore[override]
        self,
        account_id: str,
        capabilities: Sequence[str],
        key_name: str,
        valid_duration_seconds: int | None,
        bucket_id: str | None,
        name_prefix: str | None,
    ) -> dict[str, Any]:
        """As in v3, for one bucket or for all."""
        # The raw API is one of v2, and has the same parameter in this place.
        call: Any = self.raw_api.create_key
        answer: dict[str, Any] = self._call(
            call,
            account_id,
            capabilities,
            key_name,
            valid_duration_seconds,
            bucket_id,
            name_prefix,
        )
        return answer

    @takes_file_infos
    def upload_file(
        self,
        bucket_id: str,
        file_name: str,
        content_length: int,
        content_type: str,
        content_sha1: str,
        file_info: dict[str, str],
        data_stream: ReadOnlyStream,
        server_side_encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        custom_upload_timestamp: int | None = None,
        cache_control: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """As in v3.

        :param cache_control: the header ``Cache-Control`` of later downloads
        """
        return super().upload_file(
            bucket_id,
            file_name,
            content_length,
            content_type,
            content_sha1,
            with_cache_control(file_info, cache_control),
            data_stream,
            server_side_encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
            *args,
            **kwargs,
        )

    def _allowed_in(self, storage: dict[str, Any]) -> dict[str, Any]:
        return {
            name: storage[name] for name in ('bucketId', 'bucketName', 'capabilities', 'namePrefix')
        }

    def _bucket_restriction(self, allowed: dict[str, Any]) -> list[str]:
        name = allowed['bucketName']
        return [] if name is None else [f"restricted to bucket '{name}'"]
