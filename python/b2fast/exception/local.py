"""Local files and directories, and syncing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import B2Error, B2SimpleError

if TYPE_CHECKING:
    from ..sync.result import SyncFailure, SyncResult


class LocalFileError(B2Error, OSError):
    """The operating system refused to read or write a local file.

    It has ``errno``, ``strerror`` and ``filename`` as every `OSError`, so that a full disk can
    be told from a missing permission.
    """

    def __init__(self, path: str, errno: int | None, reason: str) -> None:
        super().__init__()
        self.filename = path
        self.errno = errno
        self.strerror = reason

    def __str__(self) -> str:
        return f'{self.filename}: {self.strerror}'


class SourceChanged(B2Error):
    """A source changed while it was uploaded; the upload is void. Repeat it.

    ``path`` names it, which is mostly a local file; ``detail`` says how it changed, if known.
    """

    def __init__(self, path: str, detail: str | None = None) -> None:
        super().__init__()
        self.path = path
        self.detail = detail

    def __str__(self) -> str:
        message = f'{self.path} changed while it was being uploaded'
        return message if self.detail is None else f'{message}: {self.detail}'


class InvalidUploadSource(B2SimpleError):
    """The source of an upload is missing or is no ordinary file."""


class DestinationError(B2Error):
    """A download cannot be written where it should go."""


class DestinationDirectoryError(DestinationError):
    """The directory of the destination is the problem."""


class DestinationDirectoryDoesntExist(DestinationDirectoryError, FileNotFoundError):
    """The directory of the destination does not exist."""


class DestinationParentIsNotADirectory(DestinationDirectoryError, NotADirectoryError):
    """Something in the destination's path is not a directory."""


class DestinationIsADirectory(DestinationDirectoryError, IsADirectoryError):
    """The destination is a directory, where a file belongs."""


class DestinationDirectoryDoesntAllowOperation(DestinationDirectoryError, PermissionError):
    """The directory of the destination does not allow to write."""


class DestinationOutsideDirectory(DestinationDirectoryError):
    """A symbolic link leads out of the directory below which a download should stay.

    ``path`` is where the file should go, ``link`` is the link. Remove the link, or give the file
    a local path of its own.
    """

    def __init__(self, path: str, link: str) -> None:
        super().__init__()
        self.path = path
        self.link = link

    def __str__(self) -> str:
        return (
            f'{self.path} is not written: the symbolic link {self.link} leads out of the '
            'directory; remove the link, or name the local path of this file'
        )


class BaseDirectoryError(B2SimpleError):
    """Base of the errors of a directory that is scanned; ``path`` names it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class EmptyDirectory(BaseDirectoryError):
    """The source of a sync is empty, which is more often a mistake than a wish."""


class UnableToCreateDirectory(BaseDirectoryError):
    """The target directory of a sync cannot be made."""


class NotADirectory(BaseDirectoryError, NotADirectoryError):
    """A sync needs a directory and found something else."""


class EnvironmentEncodingError(B2Error):
    """The name of a local file does not fit the encoding of the file system."""

    def __init__(self, filename: str | bytes, encoding: str) -> None:
        super().__init__()
        self.filename = filename
        self.encoding = encoding

    def __str__(self) -> str:
        return (
            f'file name {self.filename!s} cannot be decoded with system encoding '
            f'({self.encoding}).\n'
            'We think this is an environment error which you should workaround by\n'
            'setting your system encoding properly, for example like this:\n'
            'export LANG=en_US.UTF-8'
        )


class UnsupportedFilename(B2Error):
    """The file cannot be synced under this name; ``message`` says why."""

    def __init__(self, message: str, filename: str) -> None:
        super().__init__()
        self.message = message
        self.filename = filename

    def __str__(self) -> str:
        return f'{self.message}: {self.filename}'


class DestFileNewer(B2Error):
    """Both sides have the file, and the one to be replaced is newer."""

    def __init__(
        self, dest_path: Any, source_path: Any, dest_prefix: str, source_prefix: str
    ) -> None:
        super().__init__()
        self.dest_path = dest_path
        self.source_path = source_path
        self.dest_prefix = dest_prefix
        self.source_prefix = source_prefix

    def __str__(self) -> str:
        source, dest = self.source_path, self.dest_path
        return (
            f'source file is older than destination: {self.source_prefix}{source.relative_path} '
            f'with a time of {source.mod_time} cannot be synced to '
            f'{self.dest_prefix}{dest.relative_path} with a time of {dest.mod_time}, '
            'unless a valid newer_file_mode is provided'
        )

    def should_retry_http(self) -> bool:
        """Yes, as b2sdk says."""
        return True


class IncompleteSync(B2SimpleError):
    """Some actions of a sync failed, or a scan had to leave files out; the rest is done.

    ``result`` has the failures with their paths and causes, and what was done; it is None in an
    exception that no sync has raised. A sync that is repeated does what is left.
    """

    result: SyncResult | None = None

    @property
    def failures(self) -> list[SyncFailure]:
        """What failed, and what the scans left out."""
        return [] if self.result is None else self.result.failures
