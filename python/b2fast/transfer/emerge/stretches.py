"""Which of the write intents that overlap is taken for which bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..outbound.outbound_source import OutboundTransferSource
    from .write_intent import WriteIntent


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of a source, as many as ``length`` from ``offset`` on."""

    source: OutboundTransferSource
    offset: int
    length: int

    def head(self, length: int) -> Stretch:
        """The first bytes of it."""
        return Stretch(self.source, self.offset, length)

    def tail(self, start: int) -> Stretch:
        """What is left of it without its first bytes."""
        return Stretch(self.source, self.offset + start, self.length - start)


def choose_stretches(intents: Iterable[WriteIntent], worth_a_copy: int) -> Iterator[Stretch]:
    """Cover a new file from its start to its end with stretches of the sources.

    Where intents overlap they are taken to say the same. What can be copied within B2 is not
    sent; what is too short to be copied is rather sent than downloaded. No more than one intent
    of each kind, besides the one that is being looked at, is kept in mind.

    :param intents: in the order of their offsets
    :param worth_a_copy: how many bytes a stretch needs to be copied as a part of its own

    Raises `ValueError` for intents out of order and for a gap between them.
    """
    cover = _Cover(_in_order(intents), worth_a_copy)
    while True:
        stretch = cover.next_stretch()
        if stretch is None:
            return
        yield stretch


def _in_order(intents: Iterable[WriteIntent]) -> Iterator[WriteIntent]:
    last = 0
    for intent in intents:
        if intent.length is None:
            raise ValueError('Planner cannot support write intents of unknown length')
        if intent.destination_offset < last:
            raise ValueError('Write intent stream have to be sorted by destination offset')
        last = intent.destination_offset
        yield intent


class _Cover:
    def __init__(self, intents: Iterator[WriteIntent], worth_a_copy: int) -> None:
        self._intents = intents
        self._worth_a_copy = worth_a_copy
        self._position = 0
        self._incoming = next(intents, None)
        # Of the intents that have started, the one of each kind that reaches furthest.
        self._upload: WriteIntent | None = None
        self._copy: WriteIntent | None = None

    def next_stretch(self) -> Stretch | None:
        start = self._position
        self._take_in(start)
        chosen = self._best()
        if chosen is None:
            if self._incoming is None:
                return None
            raise ValueError(
                'Cannot emerge file with holes. '
                f'Found hole range: ({start}, {self._incoming.destination_offset})'
            )
        end = chosen.destination_end_offset
        if not chosen.is_copy():
            end = self._start_of_copy(end)
        self._position = end
        return Stretch(chosen.outbound_source, start - chosen.destination_offset, end - start)

    def _take_in(self, position: int) -> None:
        """Look at all intents that start there or before."""
        while self._incoming is not None and self._incoming.destination_offset <= position:
            self._take_in_one(self._incoming)

    def _take_in_one(self, intent: WriteIntent) -> None:
        if intent.is_copy():
            self._copy = _further(self._copy, intent)
        else:
            self._upload = _further(self._upload, intent)
        self._incoming = next(self._intents, None)

    def _start_of_copy(self, end: int) -> int:
        """Where before ``end`` a copy starts that is worth it, or else ``end``."""
        while self._incoming is not None and self._incoming.destination_offset < end:
            intent = self._incoming
            self._take_in_one(intent)
            if intent.is_copy() and intent.length >= self._worth_a_copy:
                return intent.destination_offset
        return end

    def _best(self) -> WriteIntent | None:
        copied, sent = self._rest_of(self._copy), self._rest_of(self._upload)
        if copied and (copied >= self._worth_a_copy or not sent):
            return self._copy
        return self._upload if sent else None

    def _rest_of(self, intent: WriteIntent | None) -> int:
        return 0 if intent is None else max(0, intent.destination_end_offset - self._position)


def _further(one: WriteIntent | None, other: WriteIntent) -> WriteIntent:
    if one is None or other.destination_end_offset > one.destination_end_offset:
        return other
    return one
