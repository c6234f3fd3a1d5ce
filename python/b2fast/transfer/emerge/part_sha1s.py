"""The SHA-1 of the parts of a plan, each computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .part_content import PartContent
from .units import known_sha1_of

if TYPE_CHECKING:
    from ...services import Services
    from .planner import EmergePart


class PartSha1s:
    """The SHA-1 of parts in hex, by their numbers.

    :param parts: all of them, if they are known in advance
    :param known: the SHA-1 of each, if they are known
    """

    def __init__(
        self, services: Services, parts: Sequence[EmergePart], known: Sequence[str] = ()
    ) -> None:
        self._services = services
        self._parts = parts
        self._known: dict[int, str | None] = dict(enumerate(known, start=1))

    def known(self, number: int) -> str | None:
        """What is known without reading the part."""
        return self._known.get(number)

    def computed(self, number: int) -> str | None:
        """The SHA-1 of a part that is sent from here, for which it is read; None for another.

        What is copied, or downloaded to be sent with others, would have to be received first.
        """
        if number not in self._known:
            self._known[number] = self._compute(self._parts[number - 1])
        return self._known[number]

    def _compute(self, part: EmergePart) -> str | None:
        if any(stretch.source.is_copy() for stretch in part.stretches):
            return None
        if len(part.stretches) == 1:
            sha1 = known_sha1_of(part.stretches[0])
            if sha1 is not None:
                return sha1
        return PartContent(self._services, part).get_content_sha1()
