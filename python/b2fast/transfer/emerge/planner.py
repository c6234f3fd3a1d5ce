"""From write intents to the parts of a file, within B2's limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..._core.planning import MAX_PART_SIZE, MAX_PARTS
from ...exception import InvalidArgument, InvalidUserInput
from .growth import grown_part_size
from .stretches import Stretch, choose_stretches

if TYPE_CHECKING:
    from ...account_info.abstract import AbstractAccountInfo
    from .write_intent import WriteIntent


@dataclass(frozen=True, slots=True)
class EmergePart:
    """One part of a new file, or all of it.

    A single stretch of a stored file is copied within B2. All else is sent: stretches of stored
    files among others are downloaded for that.
    """

    stretches: tuple[Stretch, ...]

    @property
    def length(self) -> int:
        """Bytes."""
        return sum(stretch.length for stretch in self.stretches)

    @property
    def is_copy(self) -> bool:
        """Is it copied within B2?"""
        return len(self.stretches) == 1 and self.stretches[0].source.is_copy()


@dataclass(frozen=True, slots=True)
class PartSizes:
    """The sizes that parts may have, in bytes.

    :param minimum: of every part but the last one
    :param recommended: of parts that are sent
    :param maximum: of every part; parts that are copied are as large as that

    Raises `InvalidUserInput` if they contradict each other.
    """

    minimum: int
    recommended: int
    maximum: int

    def __post_init__(self) -> None:
        if self.minimum > self.recommended:
            raise InvalidUserInput(
                f'min_part_size value ({self.minimum}) exceeding '
                f'recommended_upload_part_size value ({self.recommended})'
            )
        if self.recommended > self.maximum:
            raise InvalidUserInput(
                f'recommended_upload_part_size value ({self.recommended}) exceeding '
                f'max_part_size value ({self.maximum})'
            )

    @classmethod
    def of_account(
        cls,
        account_info: AbstractAccountInfo,
        minimum: int | None = None,
        recommended: int | None = None,
        maximum: int | None = None,
    ) -> PartSizes:
        """What is None is what the service says, as far as it fits to the rest.

        Raises `InvalidUserInput` for sizes that contradict each other, `InvalidArgument` for
        one that is not positive.
        """
        for name, size in (
            ('min_part_size', minimum),
            ('recommended_upload_part_size', recommended),
            ('max_part_size', maximum),
        ):
            if size is not None and size < 1:
                raise InvalidArgument(name, 'must be at least 1')
        most = min(maximum or MAX_PART_SIZE, MAX_PART_SIZE)
        least = minimum
        if least is None:
            announced = account_info.get_absolute_minimum_part_size()
            least = min(announced, recommended or announced, most)
        if recommended is None:
            recommended = min(max(account_info.get_recommended_part_size(), least), most)
        return cls(least, recommended, most)

    def check_for_large_file(self, absolute_minimum: int) -> None:
        """Raise `InvalidArgument` if B2 would refuse parts of these sizes.

        :param absolute_minimum: the service's minimum, in bytes
        """
        for name, size in (
            ('max_part_size', self.maximum),
            ('recommended_upload_part_size', self.recommended),
            ('min_part_size', self.minimum),
        ):
            if size < absolute_minimum:
                raise InvalidArgument(
                    name, f'{size} is not between {absolute_minimum} and {MAX_PART_SIZE} bytes'
                )


def plan_file(intents: Iterable[WriteIntent], sizes: PartSizes) -> list[EmergePart]:
    """Plan a file of which all intents are known, in whatever order they come.

    Parts are larger than recommended where more than 10,000 of them would be needed.

    Raises `ValueError` if there are no intents or gaps between them, `InvalidArgument` if
    10,000 parts of the largest size cannot hold the file.
    """
    ordered = sorted(intents, key=lambda intent: intent.destination_offset)
    if not ordered:
        raise ValueError('there is nothing to make a file of')
    parts = list(plan_parts(ordered, sizes))
    if len(parts) <= MAX_PARTS:
        return parts
    # Every part but the last one has at least the minimum, which bounds their number.
    length = max(intent.destination_end_offset for intent in ordered)
    needed = -(-length // (MAX_PARTS - 1))
    if needed > sizes.maximum:
        raise InvalidArgument(
            'max_part_size', f'{MAX_PARTS} parts of that size cannot hold {length} bytes'
        )
    recommended = max(sizes.recommended, needed)
    return list(plan_parts(ordered, replace(sizes, minimum=needed, recommended=recommended)))


def plan_parts(
    intents: Iterable[WriteIntent], sizes: PartSizes, *, grow: bool = False
) -> Iterator[EmergePart]:
    """Plan parts while intents come in, in the order of their offsets.

    Every part has at least the minimum size, but for the last one, and at most the maximum
    size; their number is not limited here. A file without content has one part.

    :param grow: let parts that are sent grow, for a file of unknown length: see `grown_part_size`

    Raises `ValueError` for intents out of order and for a gap between them.
    """
    empty = True
    for part in _Parts(sizes, grow).of(_joined(choose_stretches(intents, sizes.minimum))):
        empty = False
        yield part
    if empty:
        yield EmergePart(())


def _joined(stretches: Iterator[Stretch]) -> Iterator[Stretch]:
    """Put together what follows in the same source."""
    last: Stretch | None = None
    for stretch in stretches:
        if last is None:
            last = stretch
        elif last.source is stretch.source and last.offset + last.length == stretch.offset:
            last = last.head(last.length + stretch.length)
        else:
            yield last
            last = stretch
    if last is not None:
        yield last


class _Parts:
    """Makes parts of stretches; what cannot be a part yet waits for what follows."""

    def __init__(self, sizes: PartSizes, grow: bool) -> None:
        self._sizes = sizes
        self._grow = grow
        self._before = 0
        self._waiting: list[Stretch] = []
        self._length = 0

    def of(self, stretches: Iterator[Stretch]) -> Iterator[EmergePart]:
        sizes = self._sizes
        for stretch in stretches:
            # A part that is too small gets its missing bytes from the copy that follows.
            missing = self._missing(self._length)
            if stretch.source.is_copy() and stretch.length - missing >= sizes.minimum:
                if missing:
                    self._put(stretch.head(missing))
                yield from self._take_all()
                yield from self._copies(stretch.tail(missing))
                continue
            self._put(stretch)
            while self._length >= (size := self._recommended()) + sizes.minimum:
                yield self._take(size)
        while self._length > sizes.maximum:
            yield self._take(sizes.maximum)
        if self._length:
            yield self._take(self._length)

    def _recommended(self) -> int:
        """Bytes of the next part that is sent."""
        sizes = self._sizes
        if not self._grow:
            return sizes.recommended
        return grown_part_size(sizes.recommended, self._before, sizes.maximum)

    def _missing(self, length: int) -> int:
        """How many bytes more it takes to cut so many into parts of allowed sizes."""
        count = -(-length // self._sizes.maximum)
        return max(0, count * self._sizes.minimum - length)

    def _copies(self, stretch: Stretch) -> Iterator[EmergePart]:
        """Parts that are copied; a rest that fits into none waits."""
        length = stretch.length
        if self._missing(length):
            length -= length % self._sizes.maximum
        offset = 0
        for size in self._equal_sizes(length):
            yield EmergePart((stretch.tail(offset).head(size),))
            offset += size
            self._before += size
        if offset < stretch.length:
            self._put(stretch.tail(offset))

    def _take_all(self) -> Iterator[EmergePart]:
        for size in self._equal_sizes(self._length):
            yield self._take(size)

    def _equal_sizes(self, length: int) -> list[int]:
        """The fewest parts, larger ones first."""
        count = -(-length // self._sizes.maximum)
        if count == 0:
            return []
        size, more = divmod(length, count)
        return [size + (number < more) for number in range(count)]

    def _put(self, stretch: Stretch) -> None:
        self._waiting.append(stretch)
        self._length += stretch.length

    def _take(self, length: int) -> EmergePart:
        """The first bytes of what waits as one part."""
        self._length -= length
        self._before += length
        taken = []
        for index, stretch in enumerate(self._waiting):
            if stretch.length > length:
                if length:
                    taken.append(stretch.head(length))
                self._waiting[: index + 1] = [stretch.tail(length)]
                break
            taken.append(stretch)
            length -= stretch.length
        else:
            self._waiting = []
        return EmergePart(tuple(taken))
