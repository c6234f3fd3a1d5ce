"""The parameters of calls, as the service wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..encryption.types import EncryptionMode
from ..exception import (
    WrongEncryptionModeForBucketDefault,
    WrongEncryptionSettingForFileWrite,
)

if TYPE_CHECKING:
    from ..encryption.setting import EncryptionSetting


def given(**params: Any) -> dict[str, Any]:
    """The parameters that have a value: what is absent stays as it is in the service."""
    return {name: value for name, value in params.items() if value is not None}


def range_text(range_: tuple[int, int]) -> str:
    first, last = range_
    if not 0 <= first <= last:
        raise ValueError(f'not a range of bytes, first to last: {range_!r}')
    return f'bytes={first}-{last}'


def json_or_none(setting: Any | None) -> Any | None:
    return setting.serialize_to_json_for_request() if setting is not None else None


def bucket_default(setting: EncryptionSetting | None) -> dict[str, Any] | None:
    if setting is None:
        return None
    if not setting.mode.can_be_set_as_bucket_default():
        raise WrongEncryptionModeForBucketDefault(setting.mode)
    return setting.serialize_to_json_for_request()


def for_write(setting: EncryptionSetting | None) -> dict[str, Any] | None:
    if setting is None:
        return None
    if not setting.can_be_used_for_file_write():
        raise WrongEncryptionSettingForFileWrite(setting)
    return setting.serialize_to_json_for_request()


def source_key(setting: EncryptionSetting | None) -> dict[str, Any] | None:
    """The key to read the source with; the service itself has every other one."""
    if setting is None or setting.mode is not EncryptionMode.SSE_C:
        return None
    return setting.serialize_to_json_for_request()
