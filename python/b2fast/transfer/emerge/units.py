"""What is sent or copied at one go: parts that follow each other in one file are one unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..._core.planning import MAX_PARTS
from ...exception import InvalidUserInput
from ..outbound.file_upload import PartUpload
from ..outbound.upload_source import (
    AbstractUploadSource,
    UploadSourceBytes,
    UploadSourceLocalFile,
    UploadSourceLocalFileBase,
    UploadSourceLocalFileRange,
    stretch_of_file,
)

if TYPE_CHECKING:
    from .planner import EmergePart
    from .stretches import Stretch


@dataclass(frozen=True, slots=True)
class CopyUnit:
    """A part that is copied within B2.

    :ivar sha1: that it has to have, in hex, if it is known
    """

    number: int
    stretch: Stretch
    sha1: str | None


@dataclass(frozen=True, slots=True)
class PiecesUnit:
    """A part that only Python can put together.

    :ivar sha1: in hex, if it is known
    """

    number: int
    part: EmergePart
    sha1: str | None


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes in memory or a local file, which the transfer seam reads by itself.

    :ivar source: the bytes, or something in the file
    :ivar path: the file, or None
    :ivar start: where in the file the source starts
    """

    source: AbstractUploadSource
    path: Path | None
    start: int

    def is_same_as(self, other: Content) -> bool:
        """Can their parts be sent together?"""
        if self.path is None or other.path is None:
            return self.source is other.source
        return (self.path, self.state) == (other.path, other.state)

    def whole(self) -> AbstractUploadSource:
        """All of the bytes, or of the file."""
        return self.source if self.path is None else UploadSourceLocalFile(self.path)

    @property
    def state(self) -> tuple[int, int] | None:
        """What the file was when the source was made."""
        source = self.source
        return source.file_state if isinstance(source, UploadSourceLocalFileBase) else None

    @property
    def size(self) -> int:
        """The bytes that there were when the source was made: those of the whole file."""
        if isinstance(self.source, UploadSourceLocalFileRange):
            return self.source.file_size
        return self.source.get_content_length()


@dataclass(frozen=True, slots=True)
class RunUnit:
    """Parts of the same content."""

    content: Content
    parts: list[PartUpload]


Unit = CopyUnit | PiecesUnit | RunUnit


def units_of(
    parts: Iterable[EmergePart], together: bool, known_sha1: Callable[[int], str | None]
) -> Iterator[Unit]:
    """Make units of parts.

    :param together: look for parts that go together; if not, no part waits for the next one
    :param known_sha1: tells that of the part of a number in hex, if it is known

    Raises `InvalidUserInput` at part 10,001.
    """
    run: RunUnit | None = None
    for number, part in enumerate(parts, start=1):
        if number > MAX_PARTS:
            raise InvalidUserInput(
                f'the content needs more than {MAX_PARTS} parts; make the parts larger, and some '
                'larger files first of many small ones that are copied'
            )
        unit = _unit_of(number, part, known_sha1(number))
        if run is not None:
            if isinstance(unit, RunUnit) and run.content.is_same_as(unit.content):
                run.parts.extend(unit.parts)
                continue
            yield run
            run = None
        if together and isinstance(unit, RunUnit):
            run = unit
        else:
            yield unit
    if run is not None:
        yield run


def _unit_of(number: int, part: EmergePart, sha1: str | None) -> Unit:
    if part.is_copy:
        return CopyUnit(number, part.stretches[0], sha1)
    if len(part.stretches) == 1:
        stretch = part.stretches[0]
        content = content_of(stretch.source)
        if content is not None:
            sha1 = sha1 or known_sha1_of(stretch)
            offset = content.start + stretch.offset
            return RunUnit(content, [PartUpload(number, offset, stretch.length, sha1)])
    return PiecesUnit(number, part, sha1)


def content_of(source: object) -> Content | None:
    """The content that the transfer seam reads by itself, or None."""
    if isinstance(source, UploadSourceBytes) and type(source).open is UploadSourceBytes.open:
        return Content(source, None, 0)
    if isinstance(source, UploadSourceLocalFileBase):
        found = stretch_of_file(source)
        if found is not None:
            return Content(source, *found)
    return None


def known_sha1_of(stretch: Stretch) -> str | None:
    """The SHA-1 of a stretch in hex, if it is all of its source and that knows it."""
    source = stretch.source
    assert isinstance(source, AbstractUploadSource)
    whole = (stretch.offset, stretch.length) == (0, source.get_content_length())
    return source.get_content_sha1() if whole and source.is_sha1_known() else None
