"""Faults that a test scripts, and whether they struck."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2fast.simulator import Fault, SimulatorServer


class ScriptedFaults:
    """Gives faults to a simulator and remembers which of them are still to strike.

    :param server: the simulator.
    """

    def __init__(self, server: SimulatorServer) -> None:
        self._server = server
        self._expected: list[Fault] = []

    def add(self, *faults: Fault, optional: bool = False) -> None:
        """Let something go wrong in the calls to come, in this order; see `b2fast.simulator.Fault`.

        :param optional: it is fine if they never strike.
        :raises ValueError: a fault strikes no call that there is.
        """
        self._server.inject(*faults)
        if not optional:
            self._expected.extend(faults)

    @property
    def missed(self) -> list[Fault]:
        """The faults, but for the optional ones, that have not struck yet."""
        # Two faults may be equal.
        struck = {id(state.fault) for state in self._server.faults if state.struck}
        return [fault for fault in self._expected if id(fault) not in struck]


def brief(fault: Fault) -> str:
    """The fault with what was chosen for it, without all that was not."""
    chosen = ((field, getattr(fault, field.name)) for field in fields(fault))
    shown = (f'{field.name}={value!r}' for field, value in chosen if value != field.default)
    return f'Fault({", ".join(shown)})'
