"""The objects inside the simulator answer as those of b2sdk's do."""

from __future__ import annotations

import b2sdk.v3
from b2sdk._internal import raw_simulator

import b2fast
from b2fast import simulator

from .outcomes import assert_same
from .simulator_objects import Objects


def test_objects_answer_alike() -> None:
    expected = Objects(b2sdk.v3, raw_simulator).run()
    actual = Objects(b2fast, simulator).run()
    assert len(expected) > 250
    assert_same(expected, actual)
