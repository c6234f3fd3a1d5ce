"""Every kind of fault in every kind of request, met once and met each time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from b2fast import RetryPolicy, Timeouts
from b2fast.exception import MaxRetriesExceeded
from b2fast.simulator import Fault

from . import kinds
from .clients import (
    HURRIED,
    PATIENT,
    QUICK,
    SEAMS,
    SHORT,
    new_api,
    no_descriptor_left,
    no_thread_left,
    quick_collections,
)
from .outcomes import SPECIAL, TABLE, Outcome
from .scenes import DEEDS, Deed, Download, Scene, StartLargeFile, Upload
from .service import Service, serving

ALWAYS = 100_000

UNREADABLE = 3
"""Attempts at most when answers cannot be read."""


@pytest.fixture(scope='module')
def service() -> Iterator[Service]:
    with serving() as service, no_thread_left(), quick_collections():
        yield service


def kinds_of(deed: type[Deed]) -> list[str]:
    if deed.group == 'content':
        return [*kinds.ANSWERS, *kinds.UPLOADS]
    return list(kinds.ANSWERS)


def seams_of(deed: type[Deed]) -> list[str]:
    # Calls without content go the same way in both.
    return SEAMS if deed.group != 'call' or issubclass(deed, Upload) else SEAMS[:1]


CELLS = [(deed, kind, seam) for deed in DEEDS for kind in kinds_of(deed) for seam in seams_of(deed)]


def outcomes_of(deed: type[Deed], kind: str, seam: str) -> tuple[Outcome, Outcome]:
    """The outcomes if one request and if each request meets the fault."""
    row = TABLE[kind]
    once, always = row.once[deed.group], row.always(deed.group)
    return SPECIAL.get((deed.__name__, kind, seam), (once, always))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ('deed', 'kind', 'seam'),
    CELLS,
    ids=[f'{deed.__name__}-{kind}-{seam}' for deed, kind, seam in CELLS],
)
def test_fault(service: Service, tmp_path: Path, deed: type[Deed], kind: str, seam: str) -> None:
    once, always = outcomes_of(deed, kind, seam)
    fields = kinds.fields_of(kind, deed.within)
    for count, outcome in ((1, once), (ALWAYS, always)):
        directory = tmp_path / str(count)
        directory.mkdir()
        service.clear_faults()
        with no_descriptor_left():
            api = new_api(service, seam, *haste(fields, count))
            scene = Scene(service, api, f'{deed.__name__} {kind} {seam} {count}', directory)
            it = deed(scene)
            service.inject(Fault(call=deed.call, count=count, **fields))
            error = what_came_of(it)
            assert service.struck() > 0
            service.clear_faults()
            attempts = api.session.retry_policies.uploads.attempts
            check_outcome(error, outcome, UNREADABLE if kind == 'flipped byte' else attempts)
            if isinstance(it, StartLargeFile):
                it.answer_is_lost = kind in kinds.LOSE_ANSWER
            if isinstance(it, Download):
                it.flipped = kind == 'flipped byte'
            if error is None:
                it.done()
            else:
                it.not_done(error)
            del api, scene, it, error


def what_came_of(deed: Deed) -> Exception | None:
    try:
        deed.act()
    except Exception as error:
        # What it refers to, such as open files, is not to outlive the check.
        return error.with_traceback(None)
    return None


def haste(fields: dict[str, Any], count: int) -> tuple[Timeouts, RetryPolicy]:
    if not kinds.stalls(fields):
        return PATIENT, QUICK
    # An attempt that the machine was too slow for is not to be the last one.
    return HURRIED, QUICK if count == 1 else SHORT


def check_outcome(error: Exception | None, outcome: Outcome, attempts: int) -> None:
    if outcome is None:
        assert error is None
        return
    if isinstance(error, MaxRetriesExceeded):
        assert error.limit == attempts
        error = error.exception_info_list[-1]
    assert isinstance(error, outcome), error


def test_table_is_complete() -> None:
    assert set(TABLE) == {*kinds.ANSWERS, *kinds.UPLOADS}
    assert {(name, kind) for name, kind, _ in SPECIAL} <= {
        (deed.__name__, kind) for deed, kind, _ in CELLS
    }
