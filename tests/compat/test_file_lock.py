"""Retention, legal holds and lock configurations beside those of b2sdk."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from b2sdk import v3 as theirs

import b2fast.file_lock as ours

from .outcomes import filled, outcome

RETENTION_MODES = ['GOVERNANCE', 'COMPLIANCE', 'NONE', 'UNKNOWN']


def both(call: Callable[[Any], Any]) -> tuple[Any, Any]:
    return outcome(lambda: call(ours)), outcome(lambda: call(theirs))


@pytest.mark.parametrize(
    ('mode', 'until'), list(itertools.product(RETENTION_MODES, [None, 0, 1234]))
)
def test_file_retention(mode: str, until: int | None) -> None:
    def make(library: Any) -> Any:
        return library.FileRetentionSetting(library.RetentionMode[mode], until)

    calls: list[Callable[[Any], Any]] = [
        make,
        lambda library: make(library).as_dict(),
        lambda library: make(library).serialize_to_json_for_request(),
        lambda library: make(library) == make(library),
    ]
    if mode != 'NONE':  # of which b2sdk writes 'None' into the headers
        calls.append(lambda library: filled(make(library).add_to_to_upload_headers)())
    for call in calls:
        mine, other = both(call)
        assert mine == other


@pytest.mark.parametrize('hold', ['ON', 'OFF', 'UNSET', 'UNKNOWN'])
def test_legal_hold(hold: str) -> None:
    for name in ('is_on', 'is_off', 'is_unknown', 'to_server'):
        mine, other = both(lambda library, name=name: getattr(library.LegalHold[hold], name)())
        assert mine == other
    mine, other = both(lambda library: filled(library.LegalHold[hold].add_to_upload_headers)())
    assert mine == other


def field(readable: bool, value: Any) -> dict[str, Any]:
    return {'isClientAuthorizedToRead': readable, 'value': value}


FILES: list[dict[str, Any]] = [
    *({'action': action} for action in ('upload', 'start', 'hide', 'folder', 'copy')),
    {
        'fileRetention': field(True, {'mode': 'governance', 'retainUntilTimestamp': 5}),
        'legalHold': field(True, 'on'),
    },
    {
        'fileRetention': field(True, {'mode': None, 'retainUntilTimestamp': None}),
        'legalHold': field(True, 'off'),
    },
    {'fileRetention': field(False, None), 'legalHold': field(False, None)},
    {
        'fileRetention': field(True, {'mode': None, 'retainUntilTimestamp': None}),
        'legalHold': field(True, None),
    },
]
ANSWERS: list[dict[str, Any]] = [
    {'fileRetention': {'mode': 'compliance', 'retainUntilTimestamp': 7}, 'legalHold': 'on'},
    {'fileRetention': {'mode': None, 'retainUntilTimestamp': None}, 'legalHold': 'off'},
    {'fileRetention': {'mode': None}, 'legalHold': None},
]
HEADERS: list[dict[str, str]] = [
    {},
    {
        'X-Bz-File-Retention-Mode': 'governance',
        'X-Bz-File-Retention-Retain-Until-Timestamp': '5',
    },
    {'X-Bz-File-Retention-Mode': 'governance'},
    {'X-Bz-File-Legal-Hold': 'on'},
    {'X-Bz-File-Legal-Hold': 'off'},
    {'X-Bz-Client-Unauthorized-To-Read': 'X-Bz-File-Retention-Mode'},
    {'X-Bz-Client-Unauthorized-To-Read': 'X-Bz-File-Legal-Hold,X-Bz-File-Retention-Mode'},
]


@pytest.mark.parametrize('cls', ['FileRetentionSetting', 'LegalHold'])
@pytest.mark.parametrize(
    ('method', 'answer'),
    [
        *(('from_file_version_dict', answer) for answer in FILES),
        *(('from_server_response', answer) for answer in ANSWERS),
        *(('from_response_headers', answer) for answer in HEADERS),
    ],
)
def test_answers_are_read_the_same(cls: str, method: str, answer: Any) -> None:
    mine, other = both(lambda library: getattr(getattr(library, cls), method)(answer))
    assert mine == other


def test_names_withheld_may_be_separated_by_spaces() -> None:
    headers = {'X-Bz-Client-Unauthorized-To-Read': 'X-Other, X-Bz-File-Legal-Hold'}
    assert ours.LegalHold.from_response_headers(headers) is ours.LegalHold.UNKNOWN


@pytest.mark.parametrize('arguments', [{'years': 1}, {'days': 30}])
@pytest.mark.parametrize('mode', RETENTION_MODES)
@pytest.mark.parametrize('with_period', [True, False])
def test_bucket_retention(arguments: dict[str, int], mode: str, with_period: bool) -> None:
    def make(library: Any) -> Any:
        period = library.RetentionPeriod(**arguments) if with_period else None
        return library.BucketRetentionSetting(library.RetentionMode[mode], period)

    for call in (
        make,
        lambda library: make(library).as_dict(),
        lambda library: make(library).serialize_to_json_for_request(),
        lambda library: make(library) == make(library),
    ):
        mine, other = both(call)
        assert mine == other


@pytest.mark.parametrize(
    'value',
    [
        field(False, None),
        field(
            True, {'defaultRetention': {'mode': None, 'period': None}, 'isFileLockEnabled': True}
        ),
        field(
            True,
            {
                'defaultRetention': {
                    'mode': 'governance',
                    'period': {'duration': 7, 'unit': 'days'},
                },
                'isFileLockEnabled': False,
            },
        ),
    ],
)
def test_lock_configuration(value: Any) -> None:
    def make(library: Any) -> Any:
        return library.FileLockConfiguration.from_bucket_dict({'fileLockConfiguration': value})

    for call in (make, lambda library: make(library).as_dict()):
        mine, other = both(call)
        assert mine == other


@pytest.mark.parametrize('arguments', [{}, {'years': 1, 'days': 1}])
def test_a_period_has_one_unit(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match='either years or days'):
        ours.RetentionPeriod(**arguments)


def test_an_unknown_unit() -> None:
    with pytest.raises(ValueError, match='fortnights'):
        ours.RetentionPeriod.from_period_dict({'duration': 1, 'unit': 'fortnights'})
