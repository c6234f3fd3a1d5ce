"""What became of a sync."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SyncFailure:
    """Something that a sync could not do, or had to leave out.

    :ivar path: the file below the synced folder; for what the scan left out, what it is called
        there: the whole local path, or the name in the bucket
    :ivar action: ``'scan'``, ``'upload'``, ``'download'``, ``'copy'``, ``'hide'`` or ``'delete'``
    :ivar error: why
    """

    path: str
    action: str
    error: Exception

    def __str__(self) -> str:
        text = str(self.error)
        # Many errors name the file themselves.
        return (
            f'{self.action}: {text}'
            if self.path in text
            else f'{self.action} {self.path!r}: {text}'
        )


@dataclass(slots=True)
class SyncResult:
    """What a sync did; in a dry run, what it would have done.

    :ivar bytes_transferred: the sizes of the files that were uploaded, downloaded and copied
    :ivar failures: what failed, and what the scans left out
    :ivar withheld: how many files or versions were not hidden or deleted, because a scan was
        incomplete or the new version of the file could not be stored
    """

    uploaded: int = 0
    downloaded: int = 0
    copied: int = 0
    hidden: int = 0
    deleted: int = 0
    bytes_transferred: int = 0
    failures: list[SyncFailure] = field(default_factory=list)
    withheld: int = 0

    @property
    def files(self) -> int:
        """How many files and versions something was done with."""
        return self.uploaded + self.downloaded + self.copied + self.hidden + self.deleted

    def __str__(self) -> str:
        done = (
            f'{self.uploaded} uploaded, {self.downloaded} downloaded, {self.copied} copied, '
            f'{self.hidden} hidden, {self.deleted} deleted; {self.bytes_transferred} bytes'
        )
        if not self.failures and not self.withheld:
            return done
        return f'{done}; {len(self.failures)} failed, {self.withheld} not hidden or deleted'
