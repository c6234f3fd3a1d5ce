"""Stored files as sources of new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ...http_constants import LARGE_FILE_SHA1
from .outbound_source import OutboundTransferSource

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...types import Sha1HexDigest


class CopySource(OutboundTransferSource):
    """A stored file, or a stretch of it, that is copied within B2.

    :param offset: the first byte of it; needs ``length``
    :param length: the number of bytes; None or 0 for all of the file
    :param encryption: how the file is encrypted, with its key if that is a customer's
    :param source_file_info: its file info, if it is known
    :param source_content_type: its content type, if it is known

    Raises `ValueError` for an offset without a length.
    """

    def __init__(
        self,
        file_id: str,
        offset: int = 0,
        length: int | None = None,
        encryption: EncryptionSetting | None = None,
        source_file_info: dict[str, str] | None = None,
        source_content_type: str | None = None,
    ) -> None:
        if offset > 0 and not length:
            raise ValueError('Cannot copy with non zero offset and unknown or zero length')
        self.file_id = file_id
        self.length = length
        self.offset = offset
        self.encryption = encryption
        self.source_file_info = source_file_info
        self.source_content_type = source_content_type

    def __repr__(self) -> str:
        return (
            f'<{type(self).__name__} file_id={self.file_id} offset={self.offset} '
            f'length={self.length} id={id(self)}, encryption={self.encryption},'
            f'source_content_type={self.source_content_type}>, '
            f'source_file_info={self.source_file_info}'
        )

    def get_content_length(self) -> int | None:  # type: ignore[override]
        """The number of bytes, if it is known."""
        return self.length

    def get_content_sha1(self) -> Sha1HexDigest | None:
        """The SHA-1 in hex that the file info has; None for a stretch, or if it has none."""
        if self.offset or self.length or self.source_file_info is None:
            return None
        return self.source_file_info.get(LARGE_FILE_SHA1)

    def is_upload(self) -> bool:
        """No."""
        return False

    def is_copy(self) -> bool:
        """Yes."""
        return True

    def get_bytes_range(self) -> tuple[int, int] | None:
        """The first and the last byte, as ``b2_copy_file`` takes them; None for all.

        Raises `ValueError` for an offset without a length.
        """
        if self.length:
            return self.offset, self.offset + self.length - 1
        if self.offset > 0:
            raise ValueError(
                'cannot return bytes range for non zero offset and unknown or zero length'
            )
        return None

    def get_copy_source_range(self, relative_offset: int, range_length: int) -> Self:
        """A stretch of this source.

        :param relative_offset: bytes from the start of this source
        :param range_length: bytes

        Raises `ValueError` if it reaches beyond this source.
        """
        if self.length is not None and relative_offset + range_length > self.length:
            raise ValueError('Range length overflow source length')
        return type(self)(
            self.file_id,
            self.offset + relative_offset,
            range_length,
            encryption=self.encryption,
            source_file_info=self.source_file_info,
            source_content_type=self.source_content_type,
        )
