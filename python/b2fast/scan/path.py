"""What a scan finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..file_version import FileVersion


class AbstractPath(ABC):
    """A file below a scanned folder.

    :ivar relative_path: its path below the folder, with ``/`` between the parts
    :ivar mod_time: when it was modified, in milliseconds since 1970
    :ivar size: its bytes
    """

    __slots__ = ('mod_time', 'relative_path', 'size')

    def __init__(self, relative_path: str, mod_time: int, size: int) -> None:
        self.relative_path = relative_path
        self.mod_time = mod_time
        self.size = size

    @abstractmethod
    def is_visible(self) -> bool:
        """Is the file there, and not hidden?"""

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.relative_path!r}, {self.mod_time!r}, {self.size!r})'


class LocalPath(AbstractPath):
    """A file of this machine; ``absolute_path`` is where it is."""

    __slots__ = ('absolute_path',)

    def __init__(self, absolute_path: str, relative_path: str, mod_time: int, size: int) -> None:
        # Not by the constructor above: a scan makes one for every file.
        self.absolute_path = absolute_path
        self.relative_path = relative_path
        self.mod_time = mod_time
        self.size = size

    def is_visible(self) -> bool:
        """Always: there are no hidden ones among local files."""
        return True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LocalPath):
            return NotImplemented
        return (self.absolute_path, self.relative_path, self.mod_time, self.size) == (
            other.absolute_path,
            other.relative_path,
            other.mod_time,
            other.size,
        )


class B2Path(AbstractPath):
    """A file of a bucket.

    :ivar selected_version: the version that stands for the file, which is the newest
    :ivar all_versions: the versions that take part in the scan, newest first
    """

    __slots__ = ('all_versions', 'selected_version')

    def __init__(
        self, relative_path: str, selected_version: FileVersion, all_versions: list[FileVersion]
    ) -> None:
        super().__init__(
            relative_path, selected_version.mod_time_millis, selected_version.size or 0
        )
        self.selected_version = selected_version
        self.all_versions = all_versions

    def is_visible(self) -> bool:
        """Is the selected version one with content, and not one that hides the file?"""
        return self.selected_version.action == 'upload'

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, B2Path):
            return NotImplemented
        return (self.relative_path, self.selected_version, self.all_versions) == (
            other.relative_path,
            other.selected_version,
            other.all_versions,
        )

    def __repr__(self) -> str:
        versions = [
            (version.id_, version.mod_time_millis, version.action) for version in self.all_versions
        ]
        return f'{type(self).__name__}({self.relative_path}, {versions!r})'
