"""Faults that a test scripts, and whether they struck."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2fast.simulator import Fault, SimulatorServer


@dataclass(frozen=True)
class _Expected:
    """:ivar first_strike: the number of the request, among those of its call, that it strikes."""

    fault: Fault
    first_strike: int


class ScriptedFaults:
    """Gives faults to a simulator and remembers which of them are still to strike.

    :param server: the simulator; nobody else gives it faults meanwhile.
    """

    def __init__(self, server: SimulatorServer) -> None:
        self._server = server
        self._expected: list[_Expected] = []
        # By call: the requests after which the faults there are so far are used up.
        self._used_up_after: Counter[str] = Counter()

    def add(self, *faults: Fault, optional: bool = False) -> None:
        """Let something go wrong in the calls to come, in this order; see `b2fast.simulator.Fault`.

        :param optional: it is fine if they never strike. Of faults that cut uploads nobody can
            tell, so they are always optional.
        """
        for fault in faults:
            before = max(self._server.calls[fault.call], self._used_up_after[fault.call])
            self._server.inject(fault)
            if fault.cut_upload_after is not None:
                continue
            self._used_up_after[fault.call] = before + fault.skip + fault.count
            if not optional:
                self._expected.append(_Expected(fault, before + fault.skip + 1))

    @property
    def missed(self) -> list[Fault]:
        """The faults, but for the optional ones, that have not struck yet."""
        calls = self._server.calls
        return [
            expected.fault
            for expected in self._expected
            if calls[expected.fault.call] < expected.first_strike
        ]


def brief(fault: Fault) -> str:
    """The fault with what was chosen for it, without all that was not."""
    chosen = ((field, getattr(fault, field.name)) for field in fields(fault))
    shown = (f'{field.name}={value!r}' for field, value in chosen if value != field.default)
    return f'Fault({", ".join(shown)})'
