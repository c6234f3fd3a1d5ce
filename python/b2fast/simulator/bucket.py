"""A bucket: what its calls do, whichever door they come through."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2fast._core.server import Content
from b2fast.encryption.setting import EncryptionSetting
from b2fast.encryption.types import EncryptionMode
from b2fast.file_lock import (
    FileRetentionSetting,
    LegalHold,
)
from b2fast.replication.types import ReplicationStatus

from . import errors, locks, notifications, replication, rules
from .bucket_settings import BucketSettings, ConfiguredBucket
from .file import File, Part
from .journal import undone_on_error
from .listing import FileIndex, Page, Position
from .ranges import exact_range

if TYPE_CHECKING:
    from .state import Service

_FIRST_TIMESTAMP = 5000
# Older than every version: where a listing goes on after an ID that never existed.
_OLDEST: Position = (0, 1)


@dataclass(frozen=True, kw_only=True)
class NewFile:
    """What a caller says about a file to be."""

    name: str
    content_type: str
    info: Mapping[str, str]
    encryption: EncryptionSetting | None = None
    retention: FileRetentionSetting | None = None
    legal_hold: LegalHold | None = None
    timestamp: int | None = None
    replication_status: ReplicationStatus | None = None


class Bucket(ConfiguredBucket):
    """A bucket and the versions in it; its parameters are those of `ConfiguredBucket`."""

    FIRST_FILE_NUMBER = 9999

    file_class: type[File] = File
    part_class: type[Part] = Part

    def __init__(
        self,
        service: Service,
        account_id: str,
        bucket_id: str,
        bucket_name: str,
        bucket_type: str,
        settings: BucketSettings,
        options_set: set[str] | None = None,
    ) -> None:
        super().__init__(
            service, account_id, bucket_id, bucket_name, bucket_type, settings, options_set
        )
        self.file_id_to_file: dict[str, File] = {}
        self.file_id_counter: Iterator[int] = itertools.count(self.FIRST_FILE_NUMBER, -1)
        self.upload_timestamp_counter: Iterator[int] = itertools.count(_FIRST_TIMESTAMP)
        self.upload_url_counter: Iterator[int] = itertools.count()
        self._index: FileIndex[File] = FileIndex(self.profile.options.unfinished_hides)
        self._unfinished: dict[str, File] = {}
        # Deleted versions keep their place: a listing may be continued from one of them.
        self._positions: dict[str, Position] = {}
        self._last_sequence = 0

    @property
    def maximum_copy_size(self) -> int:
        """Most bytes in one simple copy."""
        return self.profile.maximum_copy_size

    def is_empty(self) -> bool:
        return not self._index

    # Finding files

    def file(self, file_id: str) -> File:
        """Returns a version by its ID.

        :raises SimulatedError: 404.
        """
        found = self.file_id_to_file.get(file_id)
        if found is None:
            raise errors.not_found(file_id)
        return found

    def file_of_name(self, file_id: str, file_name: str) -> File:
        """Returns a version that has this ID and this name.

        :raises SimulatedError: 400 `file_not_present`.
        """
        found = self.file_id_to_file.get(file_id)
        if found is None or found.name != file_name:
            raise errors.file_not_present(file_name, file_id)
        return found

    def unfinished_file(self, file_id: str) -> File:
        """Returns a large file that is not finished.

        :raises SimulatedError: 400.
        """
        found = self._unfinished.get(file_id)
        if found is None:
            raise errors.no_unfinished_file(file_id)
        return found

    def visible_file(self, file_name: str) -> File:
        """Returns the version that a download of the name gets.

        :raises SimulatedError: 404 if there is none or it is hidden.
        """
        found = self._index.visible(file_name)
        if found is None:
            raise errors.not_found(file_name)
        return found

    def versions_by_name(self, prefix: str) -> list[list[File]]:
        """Returns the versions of each name with the prefix, the newest first."""
        return self._index.versions_by_name(prefix)

    def page_of_names(
        self, start: str | None, count: int, prefix: str | None, delimiter: str | None = None
    ) -> Page[File]:
        return self._index.page_of_names(start or '', count, prefix or '', delimiter)

    def page_of_versions(
        self,
        start: str | None,
        start_id: str | None,
        count: int,
        prefix: str | None,
        delimiter: str | None = None,
    ) -> Page[File]:
        position = None
        if start_id is not None:
            if not start:
                raise errors.bad_request('startFileId needs startFileName')
            position = self._position(start_id)
        return self._index.page_of_versions(start or '', position, count, prefix or '', delimiter)

    def page_of_unfinished(
        self, start_id: str | None, count: int, prefix: str | None
    ) -> tuple[list[File], File | None]:
        """Returns unfinished large files, the oldest first, and the first of the next page."""
        # The position grows smaller with time, so that of the first wanted is the largest.
        limit = None if start_id is None else self._position(start_id)
        found = (
            file
            for file in self._unfinished.values()
            if file.name.startswith(prefix or '') and (limit is None or file.position <= limit)
        )
        page = sorted(found, key=lambda file: file.position, reverse=True)
        return page[:count], page[count] if len(page) > count else None

    def page_of_parts(
        self, file_id: str, start: int | None, count: int
    ) -> tuple[list[Part], Part | None]:
        """Returns parts of an unfinished file from a number on, and the next page's first."""
        return self.unfinished_file(file_id).page_of_parts(start, count)

    def _position(self, file_id: str) -> Position:
        position = self._positions.get(file_id)
        if position is None:
            if not self.profile.counted_ids:
                raise errors.bad_request(f'Invalid fileId: {file_id}', 'invalid_file_id')
            return _OLDEST
        return position

    # Writing

    def check_new_file(self, new: NewFile) -> None:
        """Refuses a file before its content is looked at.

        :raises SimulatedError: 400.
        """
        options = self.profile.options
        if self.profile.checks_names:
            rules.check_file_name(new.name, options.old_file_names)
            rules.check_content_type(new.content_type)
            customer_key = new.encryption and new.encryption.mode == EncryptionMode.SSE_C
            is_short = customer_key or self.is_file_lock_enabled
            rules.check_file_info(
                new.name, new.info, options.short_header_limit if is_short else options.header_limit
            )
        if self.profile.checks_settings and not self.is_file_lock_enabled:
            held = new.legal_hold in (LegalHold.ON, LegalHold.OFF)
            if held or (new.retention is not None and new.retention.retain_until is not None):
                raise errors.no_file_lock()
        if self.profile.checks_settings and new.retention is not None:
            locks.check_new_retention(new.retention, self.profile)
        if new.timestamp is not None:
            if not self.profile.custom_timestamps:
                raise errors.bad_request(
                    'Custom upload timestamps are not enabled for this account',
                    'custom_timestamp_not_allowed',
                )
            if self.profile.checks_settings and not 0 <= new.timestamp <= self.profile.clock():
                raise errors.bad_request(
                    'The custom upload timestamp is in the future, or negative'
                )

    def upload(self, new: NewFile, content: Content, sha1: str) -> File:
        """Stores a file.

        :param content: what arrived.
        :param sha1: what the caller says of it: see `rules.stored_sha1`.
        :raises SimulatedError: 400; nothing is stored then.
        """
        self.check_new_file(new)
        if len(content) > self.profile.options.maximum_upload_size:
            raise errors.bad_request(f'File size too big: {len(content)}')
        unverified = self.profile.options.accepts_unverified_sha1
        stored = rules.stored_sha1(sha1, content.sha1(), unverified)
        if stored is None:
            raise errors.file_sha1_mismatch(new.name)
        file = self._store('upload', new, stored, content)
        self._created(file, notifications.UPLOADED)
        return file

    def begin_large_file(self, new: NewFile) -> File:
        """Starts a large file, whose parts are to follow."""
        self.check_new_file(new)
        file = self._store('start', new, 'none', None)
        self._happened(notifications.STARTED, file)
        return file

    def add_part(
        self,
        file_id: str,
        part_number: int,
        content: Content,
        sha1: str,
        encryption: EncryptionSetting | None = None,
    ) -> Part:
        """Stores a part of a large file; a former part of that number is replaced.

        :raises SimulatedError: 400; the former part stays then.
        """
        file = self.unfinished_file(file_id)
        lowest = 1 if self.profile.checks_parts else 0
        if not lowest <= part_number <= rules.MAX_PART_NUMBER:
            raise errors.bad_request('Part number must be in range 1 - 10000')
        if len(content) > self.profile.options.maximum_upload_size:
            raise errors.bad_request(f'Part size too big: {len(content)}')
        repeats = encryption is not None and encryption.mode == EncryptionMode.SSE_B2
        if self.profile.checks_parts and repeats:
            raise errors.bad_request('SSE-B2 is said when the large file is started, not for parts')
        file.check_encryption(encryption)
        unverified = self.profile.options.accepts_unverified_sha1
        stored = rules.stored_sha1(sha1, content.sha1(), unverified)
        if stored is None:
            raise errors.part_sha1_mismatch(file_id)
        part = self.part_class(file_id, part_number, len(content), stored, content)
        part.upload_timestamp = self.profile.clock()
        self.service.journal.save_part(file, part)
        file.numbered_parts[part_number] = part
        return part

    def complete_large_file(self, file_id: str, part_sha1s: Sequence[str]) -> File:
        """Makes a file of its parts.

        :raises SimulatedError: 400; the file stays unfinished then.
        """
        file = self.unfinished_file(file_id)
        if self.profile.checks_parts:
            self._check_part_sizes(file, len(part_sha1s))
        parts = file.numbered_parts
        with undone_on_error(file):
            try:
                file.finish(list(part_sha1s))
            except errors.SimulatedError as refusal:
                if self.profile.options.finish_codes:
                    raise
                raise errors.bad_request(refusal.message) from None
            if self.profile.options.retention_from_finish and file.file_retention is None:
                file.file_retention = self._default_retention(self.profile.clock())
            self.service.journal.finish_file(file, parts)
        del self._unfinished[file_id]
        self._created(file, notifications.UPLOADED_IN_PARTS)
        return file

    def _check_part_sizes(self, file: File, count: int) -> None:
        if count < 2:
            raise errors.bad_request('large files must have at least 2 parts')
        smallest = self.profile.minimum_part_size
        last = max(file.numbered_parts, default=0)
        for number, part in sorted(file.numbered_parts.items()):
            if part.content_length < (1 if number == last else smallest):
                raise errors.bad_request(f'Part number {number} is smaller than {smallest} bytes')
        if sum(part.content_length for part in file.numbered_parts.values()) > rules.MAX_FILE_SIZE:
            raise errors.bad_request('Large files have at most 10 TB')

    def abandon_large_file(self, file_id: str) -> File:
        """Removes an unfinished file and its parts."""
        file = self.unfinished_file(file_id)
        self._remove(file)
        return file

    def hide(self, file_name: str) -> File:
        """Puts a hide marker before the versions of a name.

        :raises SimulatedError: 400 `already_hidden`, `no_such_file`.
        """
        if self.profile.checks_names:
            rules.check_file_name(file_name, self.profile.options.old_file_names)
        if self.profile.checks_hiding and self._index.visible(file_name) is None:
            if any(version.action == 'hide' for version in self._index.versions(file_name)):
                raise errors.already_hidden(file_name)
            raise errors.no_such_file(file_name)
        return self._hide(file_name, notifications.HIDDEN)

    def _hide(self, file_name: str, event_type: str) -> File:
        new = NewFile(name=file_name, content_type='', info={})
        file = self._store('hide', new, None, None)
        self._happened(event_type, file)
        return file

    def delete(self, file_id: str, file_name: str, bypass_governance: bool = False) -> File:
        """Deletes a version, finished or not.

        :raises SimulatedError: 400 `file_not_present`, 401 `access_denied`.
        """
        file = self.file_of_name(file_id, file_name)
        # A lock begins to protect when the large file is finished: before, it can be cancelled.
        if file.is_visible() or not self.profile.checks_deletion:
            file.check_deletable(self.profile.clock(), bypass_governance)
        self._remove(file)
        if file.action != 'start':
            self._happened(notifications.DELETED, file)
        return file

    def update_retention(
        self,
        file_id: str,
        file_name: str,
        retention: FileRetentionSetting,
        bypass_governance: bool = False,
    ) -> File:
        """Replaces the retention of a version.

        :raises SimulatedError: 400; 403 `access_denied`.
        """
        file = self.file_of_name(file_id, file_name)
        with self.service.change(file):
            if self.profile.checks_locks:
                locks.set_retention(file, retention, self.profile, bypass_governance)
            else:
                file.file_retention = retention
        return file

    def update_legal_hold(self, file_id: str, file_name: str, legal_hold: LegalHold) -> File:
        """Puts a version under legal hold, or ends it.

        :raises SimulatedError: 400.
        """
        file = self.file_of_name(file_id, file_name)
        if self.profile.checks_locks:
            locks.check_lockable(file)
        with self.service.change(file):
            file.legal_hold = legal_hold
        return file

    # What lifecycle rules do

    def hide_by_rule(self, file_name: str) -> File:
        """Puts a hide marker before the versions of a name."""
        return self._hide(file_name, notifications.HIDDEN_BY_RULE)

    def delete_by_rule(self, file: File) -> None:
        """Deletes a version or hide marker."""
        self._remove(file)
        self._happened(notifications.DELETED_BY_RULE, file)

    # Copies

    def copy(
        self,
        source: File,
        new: NewFile,
        range_: tuple[int, int] | None,
        source_encryption: EncryptionSetting | None,
    ) -> File:
        """Stores a copy of a file, or of its bytes first to last, in this bucket.

        :raises SimulatedError: 400, 404, 416.
        """
        self.check_new_file(new)
        self._check_source(source, source_encryption)
        # b2sdk's simulator counts a copy in the bucket it is taken from, and counts its ID
        # even if the range is then refused.
        counters = source.bucket if self.profile.counted_ids else self
        file_id = counters._next_file_id(large=False)
        content = self._copied_content(source, range_)
        if len(content) > self.maximum_copy_size:
            raise errors.copy_source_too_big(len(content))
        timestamp = counters._next_timestamp()
        file = self._store('upload', new, content.sha1(), content, file_id, timestamp)
        self._created(file, notifications.COPIED)
        return file

    def copy_part(
        self,
        source: File,
        file_id: str,
        part_number: int,
        range_: tuple[int, int] | None,
        source_encryption: EncryptionSetting | None,
        encryption: EncryptionSetting | None,
    ) -> Part:
        """Stores a copy of a file, or of its bytes first to last, as a part."""
        self._check_source(source, source_encryption)
        content = self._copied_content(source, range_)
        return self.add_part(file_id, part_number, content, content.sha1(), encryption)

    def store_replica(self, source: File) -> File:
        """Stores what replication brings from another bucket.

        It has the time of its source; the encryption is that of this bucket, and retention and
        legal hold come along if this bucket knows them.
        """
        in_parts = source.content_sha1 == 'none'
        new = NewFile(
            name=source.name,
            content_type=source.content_type or 'application/octet-stream',
            info=source.file_info,
            retention=source.file_retention if self.is_file_lock_enabled else None,
            legal_hold=source.legal_hold if self.is_file_lock_enabled else None,
            timestamp=source.upload_timestamp,
            replication_status=ReplicationStatus.REPLICA,
        )
        file_id = self._next_file_id(large=in_parts)
        file = self._store('upload', new, source.content_sha1, source.content, file_id)
        self._happened(
            notifications.REPLICATED_IN_PARTS if in_parts else notifications.REPLICATED, file
        )
        return file

    def set_replication_status(self, file: File, status: ReplicationStatus) -> None:
        """Notes what replication has made of a version."""
        with self.service.change(file):
            file.replication_status = status

    @staticmethod
    def _check_source(source: File, encryption: EncryptionSetting | None) -> None:
        if not source.is_visible():
            raise errors.not_found(source.file_id)
        source.check_encryption(encryption)

    def _copied_content(self, source: File, range_: tuple[int, int] | None) -> Content:
        if range_ is None:
            return source.content
        # b2sdk's simulator lets a range end one byte behind the file.
        beyond = 1 if self.profile.counted_ids else 0
        return source.content.slice(*exact_range(range_, source.content_length, beyond))

    def _created(self, file: File, event_type: str) -> None:
        if self.profile.acts_on_rules:
            replication.begin(file)
        self._happened(event_type, file)

    def _happened(self, event_type: str, file: File) -> None:
        post = self.service.post_event
        if post is None or not self.profile.acts_on_rules:
            return
        for rule in notifications.matching(self.notification_rules, event_type, file.name):
            post(self, rule, notifications.new_event(self, rule, event_type, file))

    def _store(
        self,
        action: str,
        new: NewFile,
        sha1: str | None,
        content: Content | None,
        file_id: str | None = None,
        timestamp: int | None = None,
    ) -> File:
        content_type: str | None = new.content_type
        encryption: EncryptionSetting | None = (
            self.default_server_side_encryption
            if new.encryption is None
            else self._encryption(new.encryption)
        )
        if action == 'hide':
            content_type = encryption = None
        elif self.profile.resolves_content_type:
            content_type = rules.resolve_content_type(new.content_type, new.name)
        if timestamp is None:
            timestamp = self._next_timestamp()
        if new.timestamp is not None:
            timestamp = new.timestamp
        if file_id is None:
            file_id = self._next_file_id(large=action == 'start')
        retention = new.retention
        late = action == 'start' and self.profile.options.retention_from_finish
        if retention is None and action != 'hide' and not late:
            retention = self._default_retention(timestamp)
        file = self.file_class(
            self.account_id,
            self,
            file_id,
            action,
            new.name,
            content_type,
            sha1,
            new.info,
            content,
            timestamp,
            server_side_encryption=encryption,
            file_retention=retention,
            legal_hold=new.legal_hold,
            replication_status=new.replication_status,
        )
        age = 0 if self.profile.counted_ids else -timestamp
        file.position = (age, -self._last_sequence - 1)
        self.service.journal.add_file(file)
        self.add_file(file)
        return file

    def add_file(self, file: File) -> None:
        """Adds a version at its position."""
        self.remember_position(file.file_id, file.position)
        self.file_id_to_file[file.file_id] = file
        self._index.add(file)
        if file.action == 'start':
            self._unfinished[file.file_id] = file
        self.service.remember_file(file.file_id, self.bucket_id)

    def remember_position(self, file_id: str, position: Position) -> None:
        """Notes where a version is, or was, among those of its name."""
        self._positions[file_id] = position
        self._last_sequence = max(self._last_sequence, -position[1])

    def _remove(self, file: File) -> None:
        self.service.journal.remove_file(file)
        del self.file_id_to_file[file.file_id]
        self._unfinished.pop(file.file_id, None)
        self._index.remove(file)
        self.service.forget_file(file.file_id)

    def _next_timestamp(self) -> int:
        if self.profile.counted_ids:
            return next(self.upload_timestamp_counter)
        now = self.profile.clock()
        return now // 1000 * 1000 if self.profile.options.whole_second_timestamps else now

    def _next_file_id(self, large: bool) -> str:
        if self.profile.counted_ids:
            return str(next(self.file_id_counter))
        return self.service.ids.file_id(self.bucket_id, self.profile.clock(), large)

    def _default_retention(self, timestamp: int) -> FileRetentionSetting | None:
        # b2sdk's simulator only stores the default.
        if self.profile.counted_ids:
            return None
        return locks.default_retention(self.default_retention, timestamp)
