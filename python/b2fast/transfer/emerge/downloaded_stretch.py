"""Stretches of stored files that are too short to be copied, and so are downloaded."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...encryption.types import EncryptionMode
from ...stream.chained import StreamOpener

if TYPE_CHECKING:
    from ...services import Services
    from ..outbound.copy_source import CopySource


class CachedBytesStreamOpener(StreamOpener):
    """Opens bytes that are got when they are asked for first, and kept until `cleanup`.

    :param bytes_data_callback: gets them
    """

    def __init__(self, bytes_data_callback: Callable[[], bytes]) -> None:
        self.bytes_data_callback = bytes_data_callback
        self._cached: bytes | None = None

    def __call__(self) -> io.BytesIO:
        """The bytes as a file, at its start."""
        if self._cached is None:
            self._cached = self.bytes_data_callback()
        return io.BytesIO(self._cached)

    def cleanup(self) -> None:
        """Forget the bytes; the next call gets them again."""
        self._cached = None


def download_stretch(services: Services, source: CopySource) -> bytes:
    """The bytes of a stored file, or of a stretch of it."""
    encryption = source.encryption
    if encryption is not None and encryption.mode is not EncryptionMode.SSE_C:
        # A download needs to be told of a customer's key only.
        encryption = None
    content = io.BytesIO()
    services.download_manager.download_file_from_url(
        services.session.get_download_url_by_id(source.file_id),
        range_=source.get_bytes_range(),
        encryption=encryption,
    ).save(content)
    return content.getvalue()
