"""What makes files of several sources: content that is sent and stored files that are copied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .bucket_writes import BucketWrites
from .exception import InvalidArgument
from .file_info import with_standard_headers
from .progress import AbstractProgressListener, DoNothingProgressListener
from .transfer.emerge.new_file import NewFile
from .transfer.emerge.write_intent import WriteIntent
from .utils.file_names import validate_b2_file_name

if TYPE_CHECKING:
    import datetime as dt

    from .encryption.setting import EncryptionSetting
    from .file_lock import FileRetentionSetting, LegalHold
    from .file_version import FileVersion
    from .transfer.outbound.outbound_source import OutboundTransferSource
    from .types import Sha1HexDigest


class BucketEmerging(BucketWrites):
    """The part of `Bucket` that makes files of several sources."""

    def create_file(
        self,
        write_intents: Iterable[WriteIntent],
        file_name: str,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        progress_listener: AbstractProgressListener | None = None,
        recommended_upload_part_size: int | None = None,
        continue_large_file_id: str | None = None,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        min_part_size: int | None = None,
        max_part_size: int | None = None,
        large_file_sha1: Sha1HexDigest | None = None,
        custom_upload_timestamp: int | None = None,
        cache_control: str | None = None,
        expires: str | dt.datetime | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
    ) -> FileVersion:
        """Make a file of sources that are sent and sources that are copied, in any mix.

        What can be copied is copied within B2 and not sent, also where both overlap: overlapping
        intents have to say the same. A stored stretch that is shorter than a part may be is
        downloaded and sent with its neighbours.

        What one call can do is done by one, a copy then with the rules of `copy` for content
        type and file info. Else it is a large file. If that fails for good, its parts stay in
        the bucket, and a note of the exception has its ID. The same call goes on with it: it
        finds the unfinished file of its name, metadata and content, for which it reads what it
        is to send, and sends only the parts that are missing. What is copied, or downloaded to
        be sent, is stored again; a file with a customer's key is begun anew.

        :param write_intents: in any order, without gaps between them
        :param file_name: as in `upload`, as are the parameters that are not explained here
        :param content_type: a MIME type; None lets B2 choose by the extension of the name
        :param progress_listener: is told what is sent and copied; it is not closed. Threads
                    call it, one at a time
        :param recommended_upload_part_size: bytes of the parts that are sent; what the service
                    recommends if None
        :param continue_large_file_id: an unfinished large file of the same name, file info and
                    encryption; parts of the same length and SHA-1 are not sent again
        :param min_part_size: bytes of every part but the last one; B2's minimum if None
        :param max_part_size: bytes; 5 GB if None
        :param large_file_sha1: the SHA-1 of a large file in hex, if known; goes into its file
                    info unchecked. That of a single source is found out if it is sent

        Raises, before anything is sent: `ValueError` for gaps, for no intents, and for a large
        file that cannot be continued; `UnusableFileName`; `InvalidUserInput` for part sizes
        that contradict each other, `InvalidArgument` for those out of B2's limits,
        `MaxFileSizeExceeded` above 10 TB; `FileNotPresent` for a large file to continue that is
        not there. Then what `upload` and `copy` raise.
        """
        return self._create_file(
            self.api.services.emerger.emerge,
            write_intents,
            file_name,
            content_type,
            with_standard_headers(
                file_info,
                cache_control=cache_control,
                expires=expires,
                content_disposition=content_disposition,
                content_encoding=content_encoding,
                content_language=content_language,
            ),
            progress_listener,
            encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
            recommended_upload_part_size,
            min_part_size,
            max_part_size,
            continue_large_file_id,
            large_file_sha1,
        )

    def create_file_stream(
        self,
        write_intents_iterator: Iterable[WriteIntent],
        file_name: str,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        progress_listener: AbstractProgressListener | None = None,
        recommended_upload_part_size: int | None = None,
        continue_large_file_id: str | None = None,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        min_part_size: int | None = None,
        max_part_size: int | None = None,
        large_file_sha1: Sha1HexDigest | None = None,
        custom_upload_timestamp: int | None = None,
        cache_control: str | None = None,
        expires: str | dt.datetime | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
    ) -> FileVersion:
        """Make a file of sources while these come in; see `create_file`.

        The next intent is asked for when there is room for it, so that any number of them can
        come; a file that was left unfinished is gone on with only if they are all there, in a
        sequence. There is no total for the progress. Parts that are sent grow with what is before
        them, so that the 10,000 of a file are enough; those that are copied stay as they are.

        :param write_intents_iterator: in the order of their offsets, without gaps

        Raises `ValueError` for an intent out of order or a gap, and `InvalidUserInput` at part
        10,001, after parts may have been sent; otherwise as `create_file`.
        """
        return self._create_file(
            self.api.services.emerger.emerge_stream,
            write_intents_iterator,
            file_name,
            content_type,
            with_standard_headers(
                file_info,
                cache_control=cache_control,
                expires=expires,
                content_disposition=content_disposition,
                content_encoding=content_encoding,
                content_language=content_language,
            ),
            progress_listener,
            encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
            recommended_upload_part_size,
            min_part_size,
            max_part_size,
            continue_large_file_id,
            large_file_sha1,
        )

    def concatenate(
        self,
        outbound_sources: Iterable[OutboundTransferSource],
        file_name: str,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        progress_listener: AbstractProgressListener | None = None,
        recommended_upload_part_size: int | None = None,
        continue_large_file_id: str | None = None,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        min_part_size: int | None = None,
        max_part_size: int | None = None,
        large_file_sha1: Sha1HexDigest | None = None,
        custom_upload_timestamp: int | None = None,
        cache_control: str | None = None,
        expires: str | dt.datetime | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
    ) -> FileVersion:
        """Make a file of sources, one after the other; see `create_file`.

        :param outbound_sources: content to send and stored files to copy
        """
        return self._create_file(
            self.api.services.emerger.emerge,
            WriteIntent.wrap_sources_iterator(outbound_sources),
            file_name,
            content_type,
            with_standard_headers(
                file_info,
                cache_control=cache_control,
                expires=expires,
                content_disposition=content_disposition,
                content_encoding=content_encoding,
                content_language=content_language,
            ),
            progress_listener,
            encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
            recommended_upload_part_size,
            min_part_size,
            max_part_size,
            continue_large_file_id,
            large_file_sha1,
        )

    def concatenate_stream(
        self,
        outbound_sources_iterator: Iterable[OutboundTransferSource],
        file_name: str,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        progress_listener: AbstractProgressListener | None = None,
        recommended_upload_part_size: int | None = None,
        continue_large_file_id: str | None = None,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        large_file_sha1: Sha1HexDigest | None = None,
        custom_upload_timestamp: int | None = None,
        cache_control: str | None = None,
        expires: str | dt.datetime | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
    ) -> FileVersion:
        """Make a file of sources, one after the other, while they come in.

        See `create_file_stream`.

        :param outbound_sources_iterator: content to send and stored files to copy
        """
        intents = WriteIntent.wrap_sources_iterator(outbound_sources_iterator)
        return self._create_file(
            self.api.services.emerger.emerge_stream,
            list(intents) if isinstance(outbound_sources_iterator, Sequence) else intents,
            file_name,
            content_type,
            with_standard_headers(
                file_info,
                cache_control=cache_control,
                expires=expires,
                content_disposition=content_disposition,
                content_encoding=content_encoding,
                content_language=content_language,
            ),
            progress_listener,
            encryption,
            file_retention,
            legal_hold,
            custom_upload_timestamp,
            recommended_upload_part_size,
            None,
            None,
            continue_large_file_id,
            large_file_sha1,
        )

    def upload_unbound_stream(
        self,
        read_only_object: Any,
        file_name: str,
        content_type: str | None = None,
        file_info: dict[str, str] | None = None,
        progress_listener: AbstractProgressListener | None = None,
        recommended_upload_part_size: int | None = None,
        encryption: EncryptionSetting | None = None,
        file_retention: FileRetentionSetting | None = None,
        legal_hold: LegalHold | None = None,
        min_part_size: int | None = None,
        max_part_size: int | None = None,
        large_file_sha1: Sha1HexDigest | None = None,
        buffers_count: int = 2,
        buffer_size: int | None = None,
        read_size: int = 8192,
        unused_buffer_timeout_seconds: float = 3600.0,
        custom_upload_timestamp: int | None = None,
        cache_control: str | None = None,
        expires: str | dt.datetime | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
    ) -> FileVersion:
        """Upload what can be read from a pipe, a socket or any other stream, once.

        A part is kept in memory until it is stored, so it can be sent again. A stream of one
        part becomes an ordinary file. The stream is not closed.

        Each part has at least a thousandth of the bytes before it, so that the 10,000 parts of
        a file hold what B2 stores in one, 10 TB: with parts of 100 MB, those behind 100 GB are
        larger, and 1 TB takes parts of 1 GB in memory.

        The parameters that are not explained here are those of `create_file`.

        :param read_only_object: has a method ``read`` that takes a number of bytes, waits, and
                    returns at most as many, none at the end
        :param recommended_upload_part_size: bytes of a part if there is no ``buffer_size``; what
                    the service recommends if None
        :param buffers_count: parts that are in memory at most, at least 2: one is read while the
                    others are sent
        :param buffer_size: bytes of a part until the stream is 1,000 times as long
        :param read_size: bytes to ask the stream for at a time
        :param unused_buffer_timeout_seconds: how long no part may be stored

        Raises, after the stream was read that far: `UnboundStreamBufferTimeout`,
        `InvalidArgument` for parts of a size that B2 refuses, and what the stream raises.
        """
        if buffers_count <= 1:
            raise ValueError('buffers_count has to be at least 2')
        if read_size <= 0:
            raise ValueError('read_size has to be a positive integer')
        if unused_buffer_timeout_seconds <= 0.0:
            raise ValueError('unused_buffer_timeout_seconds has to be a positive float')
        if buffer_size is not None and buffer_size < 0:
            raise InvalidArgument('buffer_size', 'must not be negative')
        emerger = self.api.services.emerger
        sizes = emerger.part_sizes(min_part_size, recommended_upload_part_size, max_part_size)
        validate_b2_file_name(file_name)
        return emerger.emerge_unbound(
            NewFile(
                self.id_,
                file_name,
                content_type,
                with_standard_headers(
                    file_info,
                    cache_control=cache_control,
                    expires=expires,
                    content_disposition=content_disposition,
                    content_encoding=content_encoding,
                    content_language=content_language,
                ),
                encryption,
                file_retention,
                legal_hold,
                custom_upload_timestamp,
            ),
            read_only_object,
            progress_listener or DoNothingProgressListener(),
            buffers_count=buffers_count,
            buffer_size=buffer_size or sizes.recommended,
            read_size=read_size,
            patience=unused_buffer_timeout_seconds,
            large_file_sha1=large_file_sha1,
        )

    def _create_file(
        self,
        emerge: Callable[..., FileVersion],
        intents: Iterable[WriteIntent],
        file_name: str,
        content_type: str | None,
        file_info: dict[str, str],
        progress_listener: AbstractProgressListener | None,
        encryption: EncryptionSetting | None,
        file_retention: FileRetentionSetting | None,
        legal_hold: LegalHold | None,
        custom_upload_timestamp: int | None,
        recommended_part_size: int | None,
        min_part_size: int | None,
        max_part_size: int | None,
        continue_large_file_id: str | None,
        large_file_sha1: Sha1HexDigest | None,
    ) -> FileVersion:
        validate_b2_file_name(file_name)
        return emerge(
            NewFile(
                self.id_,
                file_name,
                content_type,
                file_info,
                encryption,
                file_retention,
                legal_hold,
                custom_upload_timestamp,
            ),
            intents,
            progress_listener or DoNothingProgressListener(),
            self.api.services.emerger.part_sizes(
                min_part_size, recommended_part_size, max_part_size
            ),
            continue_large_file_id=continue_large_file_id,
            large_file_sha1=large_file_sha1,
        )
