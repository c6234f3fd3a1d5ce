"""How far the replication of a bucket is, and what stands in its way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ..exception import BucketIdNotFound, InvalidUserInput
from ..file_lock import NO_RETENTION_FILE_SETTING, LegalHold, RetentionMode
from ..scan.folder import B2Folder
from ..scan.policies import DEFAULT_SCAN_MANAGER, ScanPoliciesManager
from ..scan.report import ProgressReport
from ..scan.scan import (
    AbstractScanReport,
    AbstractScanResult,
    CountAndSampleScanReport,
    zip_folders,
)

if TYPE_CHECKING:
    from ..api import B2Api
    from ..bucket import Bucket
    from ..encryption.types import EncryptionMode
    from ..file_version import FileVersion
    from ..scan.path import AbstractPath, B2Path
    from .setting import ReplicationRule
    from .types import ReplicationStatus


@dataclass(frozen=True)
class ReplicationScanResult(AbstractScanResult):
    """What the newest versions of one name, in the source and in the destination, are like.

    None says that there is no such version, that it was not looked for, or that the application
    key may not read it.

    :ivar source_has_large_metadata: name and file info are above `LARGE_METADATA_SIZE`, which
        keeps B2 from replicating the file
    :ivar metadata_differs: the file info is not the same
    :ivar hash_differs: the SHA-1 or the MD5 is not the same
    """

    LARGE_METADATA_SIZE: ClassVar[int] = 2048
    """Bytes."""

    source_replication_status: ReplicationStatus | None = None
    source_has_hide_marker: bool | None = None
    source_encryption_mode: EncryptionMode | None = None
    source_has_large_metadata: bool | None = None
    source_has_file_retention: bool | None = None
    source_has_legal_hold: bool | None = None
    destination_replication_status: ReplicationStatus | None = None
    metadata_differs: bool | None = None
    hash_differs: bool | None = None

    @classmethod
    def from_files(  # type: ignore[override]
        cls, source_file: B2Path | None = None, destination_file: B2Path | None = None
    ) -> ReplicationScanResult:
        """The result for one name.

        :param source_file: None if the source does not have it
        :param destination_file: None if the destination does not have it, or is not scanned
        """
        known: dict[str, Any] = {}
        if source_file is not None:
            source = source_file.selected_version
            known.update(
                source_replication_status=source.replication_status,
                source_has_hide_marker=not source_file.is_visible(),
                source_encryption_mode=source.server_side_encryption.mode,
                source_has_large_metadata=source.has_large_header,
                source_has_file_retention=_has_retention(source),
                source_has_legal_hold=_has_legal_hold(source),
            )
        if destination_file is not None:
            replica = destination_file.selected_version
            known.update(destination_replication_status=replica.replication_status)
        if source_file is not None and destination_file is not None:
            known.update(
                metadata_differs=source.file_info != replica.file_info,
                hash_differs=_hashes(source) != _hashes(replica),
            )
        return cls(**known)


def _has_retention(version: FileVersion) -> bool | None:
    if version.file_retention.mode is RetentionMode.UNKNOWN:
        return None
    return version.file_retention != NO_RETENTION_FILE_SETTING


def _has_legal_hold(version: FileVersion) -> bool | None:
    return None if version.legal_hold is LegalHold.UNKNOWN else version.legal_hold is LegalHold.ON


def _hashes(version: FileVersion) -> tuple[str | None, str | None]:
    return version.content_sha1, version.content_md5


@dataclass
class ReplicationReport(CountAndSampleScanReport):
    """Counts names with equal results, and keeps the first and the last one of each."""

    SCAN_RESULT_CLASS = ReplicationScanResult


@dataclass
class ReplicationMonitor:
    """Compares a bucket with the one that a rule replicates it to.

    ::

        (rule,) = bucket.replication.rules
        for result, number in ReplicationMonitor(bucket, rule).scan().counter_by_status.items():
            print(number, result)

    Names count by their newest version; all names that begin with the rule's prefix do.

    :param bucket: the source, as it is now (`Bucket.get_fresh_state`)
    :param rule: one of its rules
    :param destination_api: lists the destination, if that is of another account
    :param report: is told of the progress; it writes to ``sys.stdout`` by default
    :param scan_policies_manager: decides which files of the source take part
    :raises InvalidUserInput: if the bucket has no such rule, or its key may not see them.
    """

    bucket: Bucket
    rule: ReplicationRule
    destination_api: B2Api | None = None
    report: ProgressReport = field(
        default_factory=lambda: ProgressReport(sys.stdout, no_progress=False)
    )
    scan_policies_manager: ScanPoliciesManager = DEFAULT_SCAN_MANAGER

    REPORT_CLASS: ClassVar[type[AbstractScanReport]] = ReplicationReport
    B2_FOLDER_CLASS: ClassVar[type[B2Folder]] = B2Folder
    QUEUE_SIZE: ClassVar[int] = 20_000
    """Of no effect: names go into the report as they are listed."""

    def __post_init__(self) -> None:
        if not self.bucket.replication:
            raise InvalidUserInput(
                f'Bucket {self.bucket} has no replication configuration, or it is not known: '
                'take what its get_fresh_state() returns'
            )
        if self.rule not in self.bucket.replication.rules:
            names = ', '.join(rule.name for rule in self.bucket.replication.rules)
            raise InvalidUserInput(
                f'Rule {self.rule} is not a rule from {self.bucket}, which has '
                f'{names or "none, or none that the application key may see"}'
            )

    @property
    def source_api(self) -> B2Api:
        """Lists the source."""
        return self.bucket.api

    @property
    def source_folder(self) -> B2Folder:
        """The files of the source that the rule covers."""
        return self._covered(self.bucket)

    @property
    def destination_bucket(self) -> Bucket:
        """The destination. Raises `BucketIdNotFound` if the account has no such bucket."""
        api = self.destination_api or self.source_api
        try:
            return api.get_bucket_by_id(self.rule.destination_bucket_id)
        except BucketIdNotFound as error:
            error.add_note(
                f'Rule {self.rule.name} of bucket {self.bucket.name} replicates to it. If it is '
                'of another account, destination_api has to be an API object of that one.'
            )
            raise

    @property
    def destination_folder(self) -> B2Folder:
        """The files of the destination that the rule could have brought."""
        return self._covered(self.destination_bucket)

    def _covered(self, bucket: Bucket) -> B2Folder:
        return self.B2_FOLDER_CLASS.of_prefix(bucket.name, self.rule.file_name_prefix, bucket.api)

    def iter_pairs(self) -> Iterator[tuple[AbstractPath | None, AbstractPath | None]]:
        """The files of source and destination in pairs; None where only the other one has it.

        Both are listed in pages, as far as the caller reads.
        """
        yield from zip_folders(
            self.source_folder, self.destination_folder, self.report, self.scan_policies_manager
        )

    def scan(self, scan_destination: bool = True) -> AbstractScanReport:
        """Look at all files of the rule, and report.

        :param scan_destination: also look at the destination; without it, only what the source
            tells of the files is known
        """
        report = self.REPORT_CLASS()
        if scan_destination:
            for pair in self.iter_pairs():
                report.add(*pair)
            return report
        for path in self.source_folder.all_files(self.report, self.scan_policies_manager):
            report.add(path)
        self.report.close()
        return report
