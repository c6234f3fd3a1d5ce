"""Many downloads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._core.transfer import Anchor
from ..exception import DestinationIsADirectory, DestinationOutsideDirectory, InvalidArgument
from ..transfer.engine_seam import EngineSeam
from ..transfer.inbound.destination import place_below
from ..utils.filesystem import link_out_of, path_below
from .items import LocalPath, download_item
from .progress import BulkProgress, Share
from .pump import Lane
from .threads import ThreadLane

if TYPE_CHECKING:
    from ..bucket import Bucket
    from ..encryption.setting import EncryptionSetting
    from ..file_version import DownloadVersion, FileVersion
    from ..transfer.inbound.downloaded_file import DownloadedFile


@dataclass(slots=True, frozen=True)
class Wanted:
    """A file to fetch, and where it goes."""

    source: FileVersion | DownloadVersion | str
    encryption: EncryptionSetting | None
    path: str
    anchor: Anchor | None
    """The directory that it stays below; None for a path of its own."""


class Downloads:
    """Downloads items of a bucket.

    :param directory: where files without a path go; None if there are none
    :param encryption: for items that have none of their own
    """

    def __init__(
        self, bucket: Bucket, directory: LocalPath | None, encryption: EncryptionSetting | None
    ) -> None:
        self.bucket = bucket
        self._directory = None if directory is None else os.fspath(directory)
        self._anchor = None if directory is None else Anchor(directory)
        self._encryption = encryption
        self._bucket_name = bucket.name or bucket.get_fresh_state().name

    def complete(self, item: Any) -> Wanted:
        """The item with what it leaves open.

        Raises `TypeError` for what is none, `ValueError` for a name that leads out of the
        directory, `DestinationOutsideDirectory` where a symbolic link does,
        `DestinationIsADirectory` for the name of a folder, and `InvalidArgument` for an item
        without a path if there is no directory.
        """
        given = download_item(item)
        encryption = given.encryption or self._encryption
        if given.local_path is not None:
            return Wanted(given.source, encryption, os.fspath(given.local_path), None)
        name = given.source if isinstance(given.source, str) else given.source.file_name
        return Wanted(given.source, encryption, self._path_of(name), self._anchor)

    def _path_of(self, name: str) -> str:
        if self._directory is None:
            raise InvalidArgument('directory', f'is needed for {name!r}, which has no local path')
        path = path_below(self._directory, name)
        if name.endswith(('/', '\\')):
            raise DestinationIsADirectory(path)
        link = link_out_of(self._directory, name)
        if link is not None:
            raise DestinationOutsideDirectory(path, link)
        return path

    def lane(self, workers: int, progress: BulkProgress) -> Lane[DownloadVersion]:
        """What downloads the items."""
        services = self.bucket.api.services
        seam = services.transfer_seam
        if isinstance(seam, EngineSeam) and services.download_manager.leaves_all_to_engine():
            from .engine_downloads import EngineDownloads

            return EngineDownloads(self, seam, workers, progress)
        return ThreadLane(
            lambda item, share: self.download(self.complete(item), share), workers, progress
        )

    def url_of(self, source: FileVersion | DownloadVersion | str) -> str:
        """Where the file is found."""
        session = self.bucket.api.session
        if isinstance(source, str):
            return session.get_download_url_by_name(self._bucket_name, source)
        return session.get_download_url_by_id(source.id_)

    def download(self, wanted: Wanted, share: Share) -> DownloadVersion:
        """Download one file; see `DownloadedFile.save_to`."""
        source, encryption = wanted.source, wanted.encryption
        if isinstance(source, str):
            opened = self.bucket.download_file_by_name(source, share, encryption=encryption)
        else:
            opened = self.bucket.download_file_by_id(source.id_, share, encryption=encryption)
        return self.save(opened, wanted)

    def save(self, opened: DownloadedFile, wanted: Wanted) -> DownloadVersion:
        """Save an open download where it goes."""
        try:
            if wanted.anchor is None:
                opened.save_to(wanted.path)
            else:
                opened.save_at(place_below(wanted.anchor, wanted.path), wanted.path)
        finally:
            opened.response.close()
        return opened.download_version
