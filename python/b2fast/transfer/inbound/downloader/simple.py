"""Receiving a file in order, over one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from .abstract import AbstractDownloader, body_of, is_decoded, range_of, receive, write_all

if TYPE_CHECKING:
    from ....encryption.setting import EncryptionSetting
    from ....file_version import DownloadVersion
    from ....session import B2Session


class SimpleDownloader(AbstractDownloader):
    """Receives a file in order on the calling thread; it need only be writable."""

    REQUIRES_SEEKING = False
    SUPPORTS_DECODE_CONTENT = True

    def download(
        self,
        file: BinaryIO,
        response: Any,
        download_version: DownloadVersion,
        session: B2Session,
        encryption: EncryptionSetting | None = None,
    ) -> tuple[int, str]:
        """See `AbstractDownloader.download`.

        Of content that is decoded on the way, the number is that of the bytes before it, and a
        connection that breaks is an error.
        """
        range_ = range_of(response, download_version)
        length = range_.size()
        hasher = self._new_hasher()

        def take(chunk: bytes) -> None:
            write_all(file, chunk)
            hasher.update(chunk)

        if not length:
            response.close()
            received = 0
        elif is_decoded(download_version):
            try:
                for chunk in response.iter_content(self._chunk_size(length)):
                    take(chunk)
                received = response.raw.tell()
            finally:
                response.close()
        else:
            body = body_of(
                response,
                range_,
                download_version,
                session,
                encryption,
                self._chunk_size(length),
            )
            received = receive(body, length, take)
        return received, hasher.hexdigest()
