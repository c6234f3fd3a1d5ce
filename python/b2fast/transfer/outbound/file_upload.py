"""What a new file shall be, apart from its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...file_lock import FileRetentionSetting, LegalHold


@dataclass(frozen=True, slots=True)
class FileUpload:
    """The name, the place and the metadata of a file that is being uploaded."""

    bucket_id: str
    file_name: str
    content_type: str
    file_info: dict[str, str]
    encryption: EncryptionSetting | None = None
    file_retention: FileRetentionSetting | None = None
    legal_hold: LegalHold | None = None
    custom_upload_timestamp: int | None = None
    """Milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class PartUpload:
    """One part of a large file; offset and length are in bytes."""

    number: int
    offset: int
    length: int
    sha1: str | None
    """In hex; None if it is computed while the part is sent."""
