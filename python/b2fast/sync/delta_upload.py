"""Uploads that send the changed parts of a large file and copy the rest from its last version."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .._core.planning import MAX_PARTS
from ..cancel import check_scope
from ..encryption.types import EncryptionMode
from ..exception import (
    AccessDenied,
    B2Error,
    BadRequest,
    ChecksumMismatch,
    PartSha1Mismatch,
    ResourceNotFound,
    SourceChanged,
    Unauthorized,
)
from ..log import logger_of
from ..progress import DoNothingProgressListener
from ..transfer.emerge.executor import MonotonicProgress
from ..transfer.emerge.new_file import NewFile
from ..transfer.emerge.write_intent import WriteIntent
from ..transfer.outbound.copy_source import CopySource
from ..transfer.outbound.upload_source import UploadSourceLocalFile, UploadSourceLocalFileRange
from ..utils.file_names import validate_b2_file_name
from .action import B2UploadAction
from .delta_plan import DeltaStretch, plan_delta
from .file_digests import FileDigests, FileState
from .uploaded_blocks import MAX_BLOCKS, MAX_GROWN_BLOCKS, BlockDigests, UploadedBlocks

if TYPE_CHECKING:
    from ..bucket import Bucket
    from ..bulk.items import UploadItem
    from ..encryption.setting import EncryptionSetting
    from ..file_version import FileVersion
    from ..progress import AbstractProgressListener
    from ..transfer.emerge.planner import PartSizes
    from ..transfer.outbound.outbound_source import OutboundTransferSource
    from .digest_cache import DigestCache
    from .encryption_provider import AbstractSyncEncryptionSettingsProvider

logger = logger_of(__name__)

_BLOCKS_OF_PART = 5
"""A block is a fifth of the least part: what is sent is cut into parts anyway."""
_REFUSALS = (
    AccessDenied,
    BadRequest,
    PartSha1Mismatch,
    ResourceNotFound,
    Unauthorized,
)
"""What is said of a version that is gone, may not be read, or is not what it was taken for."""


class DeltaUploads:
    """What the uploads of a sync to one bucket need to send changed parts only.

    :param cache: keeps the digests of what was uploaded
    """

    def __init__(self, cache: DigestCache, bucket: Bucket) -> None:
        self.cache = cache
        self.blocks = UploadedBlocks(cache)
        self.bucket = bucket

    @property
    def least_part(self) -> int:
        """Bytes that a part has to have."""
        return self.bucket.api.account_info.get_absolute_minimum_part_size()

    def suits(self, size: int) -> bool:
        """Has a file of so many bytes two parts at least, of which one may be unchanged?"""
        return size >= 2 * self.least_part

    def action(self, *args: Any) -> B2DeltaUploadAction:
        """The upload of a file that suits; takes what a `B2DeltaUploadAction` does after this."""
        return B2DeltaUploadAction(self, *args)


class B2DeltaUploadAction(B2UploadAction):
    """Uploads what was changed in a large local file; the rest is copied within B2.

    The file is compared, in blocks, with what was remembered when its stored version was uploaded.
    If nothing is, or if the version cannot be copied, the whole file is sent.

    :param deltas: knows what was uploaded
    :param file_version: the stored version; None if there is none
    """

    def __init__(
        self,
        deltas: DeltaUploads,
        local_full_path: str,
        relative_name: str,
        b2_file_name: str,
        mod_time_millis: int,
        size: int,
        encryption_settings_provider: AbstractSyncEncryptionSettingsProvider,
        file_version: FileVersion | None,
    ) -> None:
        super().__init__(
            local_full_path,
            relative_name,
            b2_file_name,
            mod_time_millis,
            size,
            encryption_settings_provider,
        )
        self.file_version = file_version
        self._deltas = deltas

    def _upload(
        self, bucket: Bucket, item: UploadItem, listener: AbstractProgressListener | None
    ) -> None:
        # What is sent again as a whole does not count down.
        progress = MonotonicProgress(listener or DoNothingProgressListener())
        former = self._former(bucket)
        block_size = self._block_size() if former is None else former.block_size
        digests = self._deltas.cache.read(self.local_full_path, block_size, check=check_scope)
        if not self._is_as_read(digests):
            raise SourceChanged(self.local_full_path)
        self._upload_source = UploadSourceLocalFile(self.local_full_path, digests.sha1)
        self._upload_source.file_state = digests.state.size, digests.state.mtime_ns
        version = None
        if former is not None:
            version = self._upload_delta(bucket, item, progress, former, digests)
        if version is None:
            sizes = bucket.api.services.emerger.part_sizes()
            version = self._made_of([self._upload_source], bucket, item, progress, sizes, digests)
        if version.get_content_sha1() == digests.sha1:
            blocks = BlockDigests(digests.state.size, block_size, digests.blocks)
            stored = self.file_version
            former_id = None if stored is None else stored.id_
            self._deltas.blocks.put(bucket.id_, version.id_, blocks, former_id)

    def _block_size(self) -> int:
        return max(1, self._deltas.least_part // _BLOCKS_OF_PART, -(-self.size // MAX_BLOCKS))

    def _former(self, bucket: Bucket) -> BlockDigests | None:
        """What is known of the stored version, if that can be copied."""
        version = self.file_version
        if version is None or version.action != 'upload':
            return None
        found = self._deltas.blocks.get(bucket.id_, version.id_)
        if found is None or found.size != version.size:
            return None
        if self.size > found.block_size * MAX_GROWN_BLOCKS:
            return None
        needs_key = _is_sse_c(version.server_side_encryption)
        return None if needs_key and self._key_of(bucket, version) is None else found

    def _key_of(self, bucket: Bucket, version: FileVersion) -> EncryptionSetting | None:
        """What B2 has to know to read a version: a customer's key, if it needs one."""
        encryption = version.server_side_encryption
        if not (encryption.is_unknown() or _is_sse_c(encryption)):
            return None
        setting = self.encryption_settings_provider.get_source_setting_for_copy(
            bucket=bucket, source_file_version=version
        )
        return setting if _is_sse_c(setting) else None

    def _upload_delta(
        self,
        bucket: Bucket,
        item: UploadItem,
        listener: AbstractProgressListener,
        former: BlockDigests,
        digests: FileDigests,
    ) -> FileVersion | None:
        """The new version; None if the whole file has to be sent."""
        assert self.file_version is not None
        size, least_part = digests.state.size, self._deltas.least_part
        if not self._deltas.suits(size):
            return None
        plan = plan_delta(former.unchanged(digests.blocks), former.block_size, size, least_part)
        if not any(stretch.is_copy for stretch in plan):
            return None
        # Half of the parts are for what is sent, whatever is copied in between.
        recommended = max(
            bucket.api.account_info.get_recommended_part_size(), -(-size // (MAX_PARTS // 2))
        )
        sizes = bucket.api.services.emerger.part_sizes(least_part, recommended)
        sources = self._sources(bucket, plan, digests)
        try:
            return self._made_of(sources, bucket, item, listener, sizes, digests)
        except _REFUSALS as error:
            logger.warning('%s is sent as a whole: %s', self.b2_file_name, error)
            if error.unfinished_large_file_id is not None:
                # Its parts are of other sizes than those of the whole, which cannot go on with it.
                with suppress(B2Error):
                    bucket.api.cancel_large_file(error.unfinished_large_file_id)
            return None

    def _made_of(
        self,
        sources: Iterable[OutboundTransferSource],
        bucket: Bucket,
        item: UploadItem,
        listener: AbstractProgressListener,
        sizes: PartSizes,
        digests: FileDigests,
    ) -> FileVersion:
        """A new version of sources that are, one after the other, what was read."""
        validate_b2_file_name(self.b2_file_name)
        try:
            return bucket.api.services.emerger.emerge(
                NewFile(bucket.id_, self.b2_file_name, None, item.file_info, item.encryption),
                WriteIntent.wrap_sources_iterator(sources),
                listener,
                sizes,
                content=self._upload_source,
            )
        except (ChecksumMismatch, *_REFUSALS) as error:
            # What was sent may have had another SHA-1 than B2 was told.
            if self._is_as_read(digests):
                raise
            raise SourceChanged(self.local_full_path) from error

    def _sources(
        self, bucket: Bucket, plan: list[DeltaStretch], digests: FileDigests
    ) -> list[OutboundTransferSource]:
        version = self.file_version
        assert version is not None
        encryption = self._key_of(bucket, version)
        sources: list[OutboundTransferSource] = []
        for offset, length, is_copy in plan:
            if is_copy:
                sources.append(CopySource(version.id_, offset, length, encryption))
                continue
            try:
                stretch = UploadSourceLocalFileRange(
                    self.local_full_path, offset=offset, length=length
                )
            except ValueError as error:
                # It has become shorter.
                raise SourceChanged(self.local_full_path) from error
            stretch.file_state = self._upload_source.file_state
            stretch.file_size = digests.state.size
            sources.append(stretch)
        return sources

    def _is_as_read(self, digests: FileDigests) -> bool:
        try:
            return FileState.of(os.stat(self.local_full_path)) == digests.state
        except OSError:
            return False


def _is_sse_c(encryption: EncryptionSetting | None) -> bool:
    return encryption is not None and encryption.mode is EncryptionMode.SSE_C
