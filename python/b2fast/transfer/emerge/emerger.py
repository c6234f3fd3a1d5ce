"""Makes files of sources that are sent and sources that are copied, in any mix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain, islice
from typing import TYPE_CHECKING, Any

from ..._core.planning import MAX_FILE_SIZE, MAX_PART_SIZE
from ...cancel import ending_together, naming_transfer
from ...encryption.types import EncryptionMode
from ...exception import (
    CopyArgumentsMismatch,
    CopySourceTooBig,
    FileNotPresent,
    InvalidArgument,
    MaxFileSizeExceeded,
    SourceChanged,
    WrongEncryptionSettingForFileWrite,
)
from ...http_constants import LARGE_FILE_SHA1, SSE_C_KEY_ID_FILE_INFO_KEY_NAME
from ...large_file.unfinished import LargeFilePlan, StartedFile, claimed_or_refused
from ...progress import AbstractProgressListener, TransferProgress
from ...utils.waiting import result_of
from ..outbound.copy_source import CopySource
from ..outbound.large_file_making import (
    LargeFileMaking,
    StoredParts,
    file_info_with_sha1,
    how_to_go_on,
)
from ..outbound.upload_source import AbstractUploadSource, UploadSourceBytes, name_of
from .executor import MonotonicProgress, PartsOfLargeFile, check_unchanged
from .part_content import PartContent
from .part_sha1s import PartSha1s
from .planner import EmergePart, PartSizes, plan_file, plan_parts
from .unbound import read_parts
from .units import content_of, known_sha1_of, units_of
from .write_intent import WriteIntent

if TYPE_CHECKING:
    from ...encryption.setting import EncryptionSetting
    from ...file_version import FileVersion
    from ...services import Services
    from ..outbound.file_upload import FileUpload
    from ..outbound.outbound_source import OutboundTransferSource
    from .new_file import NewFile


class Emerger:
    """Plans files of several sources and has them made.

    What one call can do is done by one: an upload, or a copy. Else it is a large file, whose
    parts are sent and copied side by side.
    """

    def __init__(self, services: Services) -> None:
        self.services = services

    def part_sizes(
        self,
        minimum: int | None = None,
        recommended: int | None = None,
        maximum: int | None = None,
    ) -> PartSizes:
        """The sizes of parts, in bytes; see `PartSizes.of_account`."""
        return PartSizes.of_account(
            self.services.session.account_info, minimum, recommended, maximum
        )

    def emerge(
        self,
        new_file: NewFile,
        intents: Iterable[WriteIntent],
        listener: AbstractProgressListener,
        sizes: PartSizes,
        *,
        continue_large_file_id: str | None = None,
        large_file_sha1: str | None = None,
        content: AbstractUploadSource | None = None,
    ) -> FileVersion:
        """Make a file of intents in any order; see `Bucket.create_file`.

        :param content: all of the content, if that is here, although some of it is copied; a large
                    file gets the SHA-1 of it, and each part has to have that of its stretch
        :raises PartSha1Mismatch: if a part that was copied is not what ``content`` has there.
        """
        intents = list(intents)
        parts = plan_file(intents, sizes)
        total = sum(part.length for part in parts)
        if total > MAX_FILE_SIZE:
            raise MaxFileSizeExceeded(total, MAX_FILE_SIZE)
        if len(parts) == 1:
            return self._small_file(new_file, parts[0], listener, continue_large_file_id)
        sizes.check_for_large_file(self._absolute_minimum)
        part_sha1s: Sequence[str] = ()
        if content is not None:
            large_file_sha1, part_sha1s = self._hash_parts(content, parts)
        elif large_file_sha1 is None and len(intents) == 1:
            large_file_sha1, part_sha1s = self._hash(intents[0].outbound_source, parts)
        return self._large_file(
            new_file,
            parts,
            listener,
            total=total,
            continue_large_file_id=continue_large_file_id,
            sha1=large_file_sha1,
            part_sha1s=part_sha1s,
        )

    def _hash(
        self, source: OutboundTransferSource, parts: Sequence[EmergePart]
    ) -> tuple[str | None, Sequence[str]]:
        """The SHA-1 of a source that is all of the file; those of the parts too, if it is read."""
        content = content_of(source)
        if not isinstance(source, AbstractUploadSource) or (content and source.is_sha1_known()):
            return source.get_content_sha1(), ()
        if content and not self.services.api.whole_file_sha1:
            return None, ()
        # A stream is read part by part, each time anew: only this pass shows one state of it.
        return self._hash_parts(source, parts)

    def _hash_parts(
        self, source: AbstractUploadSource, parts: Sequence[EmergePart]
    ) -> tuple[str, Sequence[str]]:
        """The SHA-1 of a source that has all of the content, and of each part."""
        lengths = [part.length for part in parts]
        offsets = accumulate(lengths[:-1], initial=0)
        with self.services.transfer_seam.open(source) as opened:
            check_unchanged(source, opened.length, source.get_content_length())
            sha1, part_sha1s = opened.hash_parts(list(zip(offsets, lengths, strict=True)))
        if source.is_sha1_known() and source.get_content_sha1() != sha1:
            raise SourceChanged(name_of(source), f'its SHA-1 is {sha1}')
        return sha1, part_sha1s

    def copy(
        self,
        new_file: NewFile,
        source: CopySource,
        listener: AbstractProgressListener,
        min_part_size: int | None = None,
        max_part_size: int | None = None,
    ) -> FileVersion:
        """Make a file of a stored one, in parts if it is too big for one call.

        See `Bucket.copy`.
        """
        sizes = self.part_sizes(min_part_size, None, max_part_size)
        whole = not source.length
        if whole:
            try:
                return self._copied_file(new_file, source, new_file.file_info, listener)
            except CopySourceTooBig as error:
                if error.size <= sizes.maximum:
                    raise
                source = source.get_copy_source_range(0, error.size)
        sha1 = None
        if source.length is not None and source.length > sizes.maximum:
            new_file, sha1 = self._with_metadata_of(source, whole, new_file)
        return self.emerge(new_file, [WriteIntent(source)], listener, sizes, large_file_sha1=sha1)

    def _with_metadata_of(
        self, source: CopySource, whole: bool, new_file: NewFile
    ) -> tuple[NewFile, str | None]:
        """What a copy in parts takes from its source, as one call does; and its SHA-1, if known.

        :param whole: is it certain that all of the source is copied?
        """
        if new_file.content_type is not None:
            return new_file, None
        if new_file.file_info:
            raise CopyArgumentsMismatch('File info can be set only when content type is set')
        content_type, info = source.source_content_type, source.source_file_info
        sha1 = (info or {}).get(LARGE_FILE_SHA1)
        if content_type is None or info is None:
            found = self.services.api.get_file_info(source.file_id)
            content_type, info = found.content_type, found.file_info
            whole = (source.offset, source.length) == (0, found.size)
            sha1 = found.get_content_sha1()
        # The key is that of the copy, and the SHA-1 that of all the content.
        own = (SSE_C_KEY_ID_FILE_INFO_KEY_NAME, LARGE_FILE_SHA1)
        kept = {key: value for key, value in info.items() if key not in own}
        copy = replace(new_file, content_type=content_type, file_info=kept)
        return copy, sha1 if whole else None

    def emerge_stream(
        self,
        new_file: NewFile,
        intents: Iterable[WriteIntent],
        listener: AbstractProgressListener,
        sizes: PartSizes,
        *,
        continue_large_file_id: str | None = None,
        large_file_sha1: str | None = None,
    ) -> FileVersion:
        """Make a file while its intents come in; see `Bucket.create_file_stream`."""
        known_in_advance = isinstance(intents, Sequence)
        first, intents = _peek(intents, 2)
        if not first:
            raise ValueError('there is nothing to make a file of')
        parts: Iterable[EmergePart]
        two, parts = _peek(plan_parts(intents, sizes, grow=True), 2)
        if len(two) == 1:
            return self._small_file(new_file, two[0], listener, continue_large_file_id)
        sizes.check_for_large_file(self._absolute_minimum)
        part_sha1s: Sequence[str] = ()
        if known_in_advance or len(first) == 1:
            parts = list(parts)
            if large_file_sha1 is None and len(first) == 1:
                large_file_sha1, part_sha1s = self._hash(first[0].outbound_source, parts)
        del first, two
        return self._large_file(
            new_file,
            parts,
            listener,
            continue_large_file_id=continue_large_file_id,
            sha1=large_file_sha1,
            part_sha1s=part_sha1s,
        )

    def emerge_unbound(
        self,
        new_file: NewFile,
        stream: Any,
        listener: AbstractProgressListener,
        *,
        buffers_count: int,
        buffer_size: int,
        read_size: int,
        patience: float,
        large_file_sha1: str | None = None,
    ) -> FileVersion:
        """Make a file of a stream of unknown length; see `Bucket.upload_unbound_stream`."""
        two, parts = _peek(read_parts(stream, buffer_size, read_size), 2)
        if len(two) == 1:
            return self._small_file(new_file, two[0], listener, None)
        if not self._absolute_minimum <= buffer_size <= MAX_PART_SIZE:
            raise InvalidArgument(
                'buffer_size',
                f'{buffer_size} is not between {self._absolute_minimum} and {MAX_PART_SIZE} bytes',
            )
        # One part is read while the others are sent.
        del two
        return self._large_file(
            new_file,
            parts,
            listener,
            sha1=large_file_sha1,
            most_units=buffers_count - 1,
            patience=patience,
        )

    @property
    def _absolute_minimum(self) -> int:
        return self.services.session.account_info.get_absolute_minimum_part_size()

    def _small_file(
        self,
        new_file: NewFile,
        part: EmergePart,
        listener: AbstractProgressListener,
        continue_large_file_id: str | None,
    ) -> FileVersion:
        if continue_large_file_id is not None:
            raise ValueError('Cannot resume emerging single part plan.')
        if part.is_copy:
            stretch = part.stretches[0]
            assert isinstance(stretch.source, CopySource)
            return self._copied_file(
                new_file,
                stretch.source.get_copy_source_range(stretch.offset, stretch.length),
                # One without the other is refused, unless there is nothing to be lost.
                new_file.file_info or (None if new_file.content_type is None else {}),
                listener,
            )
        _check_encryption(new_file.encryption)
        source, sha1 = self._source_of(part)
        with (
            naming_transfer(new_file.file_name, 'make it again'),
            self.services.transfer_seam.open(source) as content,
        ):
            check_unchanged(source, content.length, part.length)
            progress = TransferProgress(listener, content.length)
            answer = content.send(new_file.as_upload(), sha1, progress.update)
            progress.finish()
        return self._version(answer)

    def _copied_file(
        self,
        new_file: NewFile,
        source: CopySource,
        file_info: dict[str, str] | None,
        listener: AbstractProgressListener,
    ) -> FileVersion:
        if new_file.custom_upload_timestamp is not None:
            raise InvalidArgument('custom_upload_timestamp', 'b2_copy_file does not take it')
        with naming_transfer(new_file.file_name, 'copy it again'), ending_together():
            copy = self.services.copy_manager.copy_file(
                source,
                new_file.file_name,
                content_type=new_file.content_type,
                file_info=file_info,
                destination_bucket_id=new_file.bucket_id,
                progress_listener=listener,
                destination_encryption=new_file.encryption,
                source_encryption=source.encryption,
                legal_hold=new_file.legal_hold,
                file_retention=new_file.file_retention,
            )
            return result_of(copy)

    def _source_of(self, part: EmergePart) -> tuple[AbstractUploadSource, str | None]:
        """The content of a part that is a file, and its SHA-1 if it is known."""
        if not part.stretches:
            return UploadSourceBytes(b''), None
        if len(part.stretches) == 1:
            stretch = part.stretches[0]
            source = stretch.source
            if isinstance(source, AbstractUploadSource) and (stretch.offset, stretch.length) == (
                0,
                source.get_content_length(),
            ):
                return source, known_sha1_of(stretch)
        return PartContent(self.services, part), None

    def _large_file(
        self,
        new_file: NewFile,
        parts: Iterable[EmergePart],
        listener: AbstractProgressListener,
        *,
        total: int | None = None,
        continue_large_file_id: str | None = None,
        sha1: str | None = None,
        part_sha1s: Sequence[str] = (),
        most_units: int | None = None,
        patience: float | None = None,
    ) -> FileVersion:
        """Make a large file.

        If all parts are known, it goes on with an unfinished file of them.

        :param total: bytes, if the listener is to know
        :param sha1: of the whole file in hex, if it is known
        :param part_sha1s: of all parts in hex, if they are known
        :param most_units: see `PartsOfLargeFile`, as for ``patience``
        """
        _check_encryption(new_file.encryption)
        listener.set_total_bytes(total or 0)
        upload = new_file.as_upload()
        if sha1 is None:
            sha1 = upload.file_info.get(LARGE_FILE_SHA1)
        known = parts if isinstance(parts, list) else None
        sha1s = PartSha1s(self.services, known or (), part_sha1s)
        progress = MonotonicProgress(listener)

        def store(started: StartedFile) -> StoredParts:
            counted = _Counted(parts)
            stored = PartsOfLargeFile(
                self.services,
                started.file_id,
                new_file.encryption,
                progress,
                started.parts,
                most_units,
                patience,
            ).store(units_of(counted, together=patience is None, known_sha1=sha1s.known))
            return StoredParts(stored, counted.length)

        length = None if known is None else sum(part.length for part in known)
        making = LargeFileMaking(self.services, upload, sha1, length, store)
        with naming_transfer(
            new_file.file_name, 'upload it again' if known is None else how_to_go_on(upload)
        ):
            if continue_large_file_id is not None:
                claimed = self._claimed(upload, sha1, continue_large_file_id, known)
                return self._version(making.complete(claimed))
            plan = None
            # What is only copied would be copied again.
            if known is not None and (sha1 or any(not part.is_copy for part in known)):
                plan = LargeFilePlan(upload, [part.length for part in known], sha1, sha1s.computed)
            return self._version(making.run(plan))

    def _claimed(
        self,
        upload: FileUpload,
        sha1: str | None,
        file_id: str,
        parts: Sequence[EmergePart] | None,
    ) -> StartedFile:
        """An unfinished large file with its parts, after a look whether it may be continued."""
        large_file = self.services.large_file
        found = large_file.get_unfinished_large_file(
            upload.bucket_id, file_id, prefix=upload.file_name
        )
        if found is None or found.file_name != upload.file_name:
            raise FileNotPresent(file_id_or_name=file_id)
        encryption = upload.encryption
        expected: dict[str, str] | None = file_info_with_sha1(upload, sha1)
        if encryption is not None:
            expected = encryption.add_key_id_to_file_info(expected)
        if found.file_info != expected:
            raise ValueError(
                'Cannot manually resume unfinished large file with different file_info'
            )
        if not _may_continue(encryption, found.encryption):
            raise ValueError(
                'Cannot manually resume unfinished large file with different encryption'
            )
        with claimed_or_refused(self.services, file_id):
            there = {part.part_number: part for part in large_file.list_parts(file_id)}
            if parts is not None and any(number > len(parts) for number in there):
                raise ValueError(
                    'Cannot manually resume unfinished large file with more parts than planned'
                )
        return StartedFile(file_id, there)

    def _version(self, answer: dict[str, Any]) -> FileVersion:
        return self.services.api.file_version_factory.from_api_response(answer)


class _Counted:
    """Parts, whose bytes are counted while they go through."""

    def __init__(self, parts: Iterable[EmergePart]) -> None:
        self._parts = parts
        self.length = 0

    def __iter__(self) -> Iterator[EmergePart]:
        for part in self._parts:
            self.length += part.length
            yield part


def _peek(items: Iterable[Any], count: int) -> tuple[list[Any], Iterator[Any]]:
    """The first items, and all of them; who drops the list keeps none of them in memory."""
    iterator = iter(items)
    first = list(islice(iterator, count))
    return first, chain(iter(first), iterator)


def _check_encryption(encryption: EncryptionSetting | None) -> None:
    if encryption is not None and not encryption.can_be_used_for_file_write():
        raise WrongEncryptionSettingForFileWrite(encryption)


def _may_continue(wanted: EncryptionSetting | None, found: EncryptionSetting) -> bool:
    """Is a large file encrypted as it should be? B2 does not tell a customer's key."""
    if wanted is None:
        return found.mode is not EncryptionMode.SSE_C
    return (wanted.mode, wanted.algorithm) == (found.mode, found.algorithm)
