"""A stretch of a source as a stream that gives all of it or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exception import SourceChanged
from ...stream.range import RangeOfInputStream
from ..outbound.upload_source import AbstractUploadSource, UploadSourceLocalFileBase, name_of

if TYPE_CHECKING:
    from .stretches import Stretch


class StretchStream(RangeOfInputStream):
    """The bytes of a stretch, no more and no fewer.

    :param source: that of the stretch; it is opened

    Reading raises `SourceChanged` if the source ends before the stretch, and at its end if a
    local file is not as it was when the source was made.
    """

    def __init__(self, source: AbstractUploadSource, stretch: Stretch) -> None:
        super().__init__(source.open(), stretch.offset, stretch.length)
        self._source = source

    def read(self, size: int | None = None) -> bytes:
        """Read at most ``size`` bytes, or all that are left of the stretch; none at its end."""
        data = super().read(size)
        left = self.length - self.relative_pos
        if left and not data and size != 0:
            raise SourceChanged(name_of(self._source), f'it ended {left} bytes early')
        if not left and isinstance(self._source, UploadSourceLocalFileBase):
            self._source.check_unchanged()
        return data
