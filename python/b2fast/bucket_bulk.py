"""Many files of a bucket in one call."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from functools import partial
from typing import TYPE_CHECKING, cast

from .exception import InvalidArgument

if TYPE_CHECKING:
    from .api import B2Api
    from .bucket import Bucket
    from .bulk.items import (
        BulkResult,
        Content as Content,
        CopyItem,
        DownloadItem,
        LocalPath,
        UploadItem,
    )
    from .encryption.setting import EncryptionSetting
    from .file_lock import FileRetentionSetting, LegalHold
    from .file_version import DownloadVersion, FileIdAndName, FileVersion
    from .progress import AbstractProgressListener


class BucketBulk:
    """The part of `Bucket` that works on many files.

    Each call takes any iterable and returns a generator of a `BulkResult` for each item, in the
    order in which they end. Nothing happens before the first result is asked for. The items are
    read as they are needed, some ahead of the results, so that there may be any number of them.
    What goes wrong with an item is in its result; what the iterable itself raises is raised.

    The call ends with its generator: after the last result, by `close`, by leaving the loop over
    it, or by Ctrl-C. What is running then is given up within a second, and has no result. At the
    end of a `cancel_scope` no more items are read; there are results for those that were begun,
    and then the exception is raised.
    """

    api: B2Api
    id_: str

    def upload_many(
        self,
        items: Iterable[tuple[Content, str] | UploadItem],
        *,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        progress_listener: AbstractProgressListener | None = None,
        max_workers: int | None = None,
    ) -> Generator[BulkResult[FileVersion], None, None]:
        """Upload files; the values of the results are their versions.

        :param items: (local path or bytes or source, file name), or `UploadItem` for more; what
                    these leave open is taken from the parameters, which are those of `upload`
        :param progress_listener: is told the bytes of all files; the total grows as the sizes
                    of the files become known
        :param max_workers: how many files are sent at a time; ``max_upload_workers`` of `B2Api`
                    if None

        Raises `InvalidArgument` below one worker.
        """
        from .bulk.items import UploadItem
        from .bulk.pump import results
        from .bulk.uploads import Uploads

        manager = self.api.services.upload_manager
        defaults = UploadItem(
            b'', '', content_type, file_info, encryption, file_retention, legal_hold
        )
        workers = _workers(max_workers, manager.get_thread_pool_size())
        uploads = Uploads(self._bucket, defaults)
        return results(items, uploads.lane, workers, progress_listener)

    def download_many(
        self,
        items: Iterable[
            FileVersion
            | DownloadVersion
            | str
            | tuple[FileVersion, None]
            | tuple[str, LocalPath]
            | DownloadItem
        ],
        directory: LocalPath | None = None,
        *,
        encryption: EncryptionSetting | None = None,
        progress_listener: AbstractProgressListener | None = None,
        max_workers: int | None = None,
    ) -> Generator[BulkResult[DownloadVersion], None, None]:
        """Download files; the values of the results are what B2 told about them.

        Each file replaces its target in one step, after the check of its content; see
        `DownloadedFile.save_to`.

        :param items: versions, also as `ls` gives them; names; (name, local path); or
                    `DownloadItem`. A name stands for its newest version.
        :param directory: where items without a local path go, each under its name; directories
                    in the name are made. A name that could lead out of it is an error of the
                    item (`validate_b2_file_name_as_path`), and so is one that does by a
                    symbolic link (`DestinationOutsideDirectory`).
        :param encryption: the key of SSE-C files, for items that have none of their own
        :param progress_listener: is told the bytes of all files; the total grows as the sizes
                    of the files become known
        :param max_workers: how many files are received at a time; ``max_download_workers`` of
                    `B2Api` if None

        Raises `InvalidArgument` below one worker.
        """
        from .bulk.downloads import Downloads
        from .bulk.pump import results

        manager = self.api.services.download_manager
        workers = _workers(max_workers, manager.get_thread_pool_size())
        downloads = Downloads(self._bucket, directory, encryption)
        return results(items, downloads.lane, workers, progress_listener)

    def delete_many(
        self,
        items: Iterable[FileVersion | DownloadVersion | tuple[FileVersion, None] | tuple[str, str]],
        *,
        bypass_governance: bool = False,
        max_workers: int | None = None,
    ) -> Generator[BulkResult[FileIdAndName], None, None]:
        """Delete versions (``b2_delete_file_version``, one call each).

        :param items: versions, also as `ls` gives them, or (file ID, file name)
        :param bypass_governance: delete them although governance retention protects them
        :param max_workers: how many calls are made at a time; 10 if None

        Raises `InvalidArgument` below one worker.
        """
        from .bulk.calls import Deletions
        from .bulk.pump import results
        from .bulk.threads import ThreadLane
        from .transfer.transfer_manager import DEFAULT_WORKERS

        workers = _workers(max_workers, DEFAULT_WORKERS)
        deletions = Deletions(self._bucket, bypass_governance)
        return results(items, partial(ThreadLane, deletions.delete), workers, None)

    def copy_many(
        self,
        items: Iterable[tuple[FileVersion | DownloadVersion | str, str] | CopyItem],
        *,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        source_encryption: EncryptionSetting | None = None,
        destination_encryption: EncryptionSetting | None = None,
        progress_listener: AbstractProgressListener | None = None,
        max_workers: int | None = None,
    ) -> Generator[BulkResult[FileVersion], None, None]:
        """Copy files into this bucket within B2; the values of the results are the copies.

        :param items: (version or file ID, new file name), or `CopyItem` for more; what these
                    leave open is taken from the parameters, which are those of `copy`
        :param progress_listener: is told the bytes of all files that are copied
        :param max_workers: how many calls are made at a time; ``max_copy_workers`` of `B2Api` if
                    None, and never more than these

        Raises `InvalidArgument` below one worker.
        """
        from .bulk.calls import Copies
        from .bulk.items import CopyItem
        from .bulk.pump import results
        from .bulk.threads import ThreadLane

        manager = self.api.services.copy_manager
        defaults = CopyItem(
            '', '', content_type, file_info, source_encryption, destination_encryption
        )
        workers = _workers(max_workers, manager.get_thread_pool_size())
        copies = Copies(self._bucket, defaults)
        return results(items, partial(ThreadLane, copies.copy), workers, progress_listener)

    @property
    def _bucket(self) -> Bucket:
        return cast('Bucket', self)


def _workers(asked: int | None, default: int) -> int:
    if asked is None:
        return default
    if asked < 1:
        raise InvalidArgument('max_workers', 'must be at least 1')
    return asked
