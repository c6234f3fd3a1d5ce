"""Faults, scripts of them, and the files that scripts come in."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from b2fast.simulator import Fault, FaultFileError, FaultScript, load_faults
from b2fast.simulator.faults import ArmedFaults

CALLS = ['b2_upload_file', 'b2_upload_part', 'b2_list_buckets', 'b2_get_file_info']

faults = st.builds(
    Fault,
    call=st.sampled_from([*CALLS, '*', 'b2_upload_*', 'b2_get_*']),
    status=st.sampled_from([429, 503]),
    count=st.none() | st.integers(1, 4),
    skip=st.integers(0, 3),
    rate=st.none() | st.floats(0, 1),
)
requests = st.lists(st.sampled_from(CALLS), max_size=40)


def played(script: FaultScript, calls: list[str]) -> list[Fault | None]:
    armed = ArmedFaults()
    armed.play(script)
    return [armed.strike(call) for call in calls]


class TestFault:
    @pytest.mark.parametrize(
        'fields',
        [
            {},
            {'message': 'nothing'},
            {'status': 503, 'count': 0},
            {'status': 503, 'skip': -1},
            {'status': 503, 'rate': 1.1},
            {'status': 503, 'rate': -0.1},
            {'status': 503, 'rate': float('nan')},
            {'status': 200},
            {'status': 600},
            {'status': 429, 'retry_after': -1},
            {'code': 'bad_request', 'delay': 1},
            {'retry_after': 1, 'delay': 1},
            {'delay': -1},
            {'delay': float('inf')},
            {'cut_after': -1},
            {'cut_after': 1, 'reset_after': 1},
            {'stall_after': 0, 'reset_after': 1},
            {'bytes_per_second': 0},
            {'cut_upload_after': 1, 'stall_upload_after': 1},
            {'upload_bytes_per_second': 0},
            {'cut_upload_after': 1, 'status': 503},
            {'flip_upload_at': 1, 'expire_token': True},
            {'call': 'b2_list_buckets', 'cut_upload_after': 1},
            {'call': '', 'status': 503},
        ],
        ids=str,
    )
    def test_that_makes_no_sense(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ValueError):  # noqa: PT011
            Fault(**{'call': 'b2_upload_file', **fields})

    @pytest.mark.parametrize(
        'fields',
        [
            {'delay': 0},
            {'cut_after': 0},
            {'flip_at': 0, 'bytes_per_second': 1, 'stall_after': 0, 'delay': 0.5},
            {'status': 400, 'reset_after': 0},
            {'cut_upload_after': 0},
            {'reset_upload_after': 0, 'upload_bytes_per_second': 1, 'flip_upload_at': 0},
            {'expire_token': True},
        ],
        ids=str,
    )
    def test_that_makes_sense(self, fields: dict[str, Any]) -> None:
        Fault(call='b2_upload_*', **fields)


class TestScript:
    @given(faults, requests)
    def test_each_counts_what_it_skips_and_strikes(self, fault: Fault, calls: list[str]) -> None:
        struck = [found is not None for found in played(FaultScript((fault,)), calls)]
        its_own = [index for index, call in enumerate(calls) if fault.matches(call)]
        could_strike = its_own[fault.skip :]
        hits = [index for index, hit in enumerate(struck) if hit]
        assert set(hits) <= set(could_strike)
        count = fault.count
        if fault.rate is None:
            assert hits == could_strike[: count or 1]
        elif fault.rate == 1:
            assert hits == could_strike[:count]
        elif fault.rate == 0:
            assert hits == []
        if count is not None:
            assert len(hits) <= count

    @given(st.lists(faults, max_size=4), st.integers(), requests)
    def test_the_seed_and_the_requests_decide(
        self, chosen: list[Fault], seed: int, calls: list[str]
    ) -> None:
        script = FaultScript(tuple(chosen), seed)
        assert played(script, calls) == played(script, calls)

    @given(faults, st.integers(), requests)
    def test_other_calls_change_nothing(self, fault: Fault, seed: int, calls: list[str]) -> None:
        script = FaultScript((fault,), seed)
        own = [call for call in calls if fault.matches(call)]
        among_others = zip(calls, played(script, calls), strict=True)
        assert [found for call, found in among_others if fault.matches(call)] == played(script, own)

    @settings(max_examples=20)
    @given(st.integers())
    def test_a_rate_is_about_what_it_says(self, seed: int) -> None:
        fault = Fault(call='*', status=503, rate=0.3)
        struck = played(FaultScript((fault,), seed), ['b2_list_buckets'] * 2000)
        assert 400 < len([found for found in struck if found]) < 800

    def test_seeds_differ(self) -> None:
        fault = Fault(call='*', status=503, rate=0.5)
        calls = ['b2_list_buckets'] * 64
        assert len({tuple(played(FaultScript((fault,), seed), calls)) for seed in range(9)}) == 9

    def test_the_first_that_is_due_strikes_and_the_others_wait(self) -> None:
        one = Fault(call='*', status=503, count=2)
        two = Fault(call='b2_list_buckets', status=429)
        three = Fault(call='b2_list_buckets', status=408, skip=4)
        struck = played(FaultScript((one, two, three)), ['b2_list_buckets'] * 6)
        assert struck == [one, one, two, None, three, None]

    def test_uploads_on_their_way_have_a_draw_of_their_own(self) -> None:
        armed = ArmedFaults()
        told: list[bool] = []
        armed.tell(told.append)
        answer = Fault(call='b2_upload_file', status=503)
        upload = Fault(call='b2_upload_file', cut_upload_after=7)
        armed.add(answer, upload)
        assert told[-1]
        assert armed.strike_upload('b2_upload_file') is upload
        assert not told[-1]
        assert armed.strike_upload('b2_upload_file') is None
        assert armed.strike('b2_upload_file') is answer
        armed.add(upload)
        assert told[-1]
        armed.clear()
        assert not told[-1]

    def test_a_new_seed_begins_anew(self) -> None:
        fault = Fault(call='*', status=503, rate=0.5)
        armed = ArmedFaults()
        armed.play(FaultScript((fault,), 7))
        first = [armed.strike('b2_list_buckets') for _ in range(50)]
        armed.seed = 7
        assert [armed.strike('b2_list_buckets') for _ in range(50)] == first

    def test_says_what_has_become_of_each(self) -> None:
        armed = ArmedFaults()
        once = Fault(call='b2_list_buckets', status=503)
        often = Fault(call='*', status=429, rate=1)
        armed.add(often, once)
        for _ in range(3):
            armed.strike('b2_get_file_info')
        assert [(state.struck, state.is_over) for state in armed.states] == [(3, False), (0, False)]
        armed.play(FaultScript((once, often)))
        for _ in range(3):
            armed.strike('b2_list_buckets')
        assert [(state.struck, state.is_over) for state in armed.states] == [(1, True), (2, False)]
        assert [state.fault for state in armed.states] == [once, often]


SCRIPT = FaultScript(
    (
        Fault(call='b2_upload_*', status=503, code='service_unavailable', retry_after=2, rate=0.1),
        Fault(call='*', delay=1, count=3),
        Fault(call='b2_list_buckets', expire_token=True),
    ),
    seed=42,
)


class TestFile:
    def test_json(self, tmp_path: Path) -> None:
        file = tmp_path / 'faults.json'
        file.write_text("""
            {"seed": 42, "faults": [
                {"call": "b2_upload_*", "status": 503, "code": "service_unavailable",
                 "retry_after": 2, "rate": 0.1},
                {"call": "*", "delay": 1, "count": 3},
                {"call": "b2_list_buckets", "expire_token": true}
            ]}
        """)
        assert load_faults(file) == SCRIPT

    def test_toml(self, tmp_path: Path) -> None:
        file = tmp_path / 'faults.toml'
        file.write_text("""
            seed = 42

            [[faults]]
            call = "b2_upload_*"
            status = 503
            code = "service_unavailable"
            retry_after = 2
            rate = 0.1

            [[faults]]
            call = "*"
            delay = 1
            count = 3

            [[faults]]
            call = "b2_list_buckets"
            expire_token = true
        """)
        assert load_faults(str(file)) == SCRIPT

    @pytest.mark.parametrize(
        ('values', 'message'),
        [
            ([], 'a fault script is an object with "faults" and perhaps "seed"'),
            ({'fault': []}, 'unknown field "fault"; did you mean "faults"?'),
            ({'xyz': []}, 'unknown field "xyz"; known are faults, seed'),
            ({'faults': {}}, 'faults has to be an array'),
            ({'seed': '1'}, 'seed has to be an integer'),
            ({'seed': True}, 'seed has to be an integer'),
            ({'faults': [1]}, 'fault 1 is not an object'),
            ({'faults': [{}]}, 'fault 1: the field "call" is missing'),
            (
                {'faults': [{'call': '*', 'delay': 1}, {'call': '*', 'stauts': 503}]},
                'fault 2: unknown field "stauts"; did you mean "status"?',
            ),
            (
                {'faults': [{'call': '*', 'status': '503'}]},
                'fault 1: status has to be an integer, not "503"',
            ),
            (
                {'faults': [{'call': '*', 'status': 503.5}]},
                'fault 1: status has to be an integer, not 503.5',
            ),
            (
                {'faults': [{'call': '*', 'delay': True}]},
                'fault 1: delay has to be a number, not true',
            ),
            (
                {'faults': [{'call': '*', 'expire_token': 1}]},
                'fault 1: expire_token has to be true or false, not 1',
            ),
            ({'faults': [{'call': 7}]}, 'fault 1: call has to be a string, not 7'),
            ({'faults': [{'call': '*'}]}, 'fault 1: the fault does nothing'),
        ],
        ids=str,
    )
    def test_says_what_is_wrong(self, tmp_path: Path, values: object, message: str) -> None:
        file = tmp_path / 'faults.json'
        file.write_text(json.dumps(values))
        with pytest.raises(FaultFileError) as caught:
            load_faults(file)
        assert str(caught.value) == f'{file}: {message}'

    @pytest.mark.parametrize('name', ['faults.json', 'faults.toml'])
    @pytest.mark.parametrize('content', [b'{"faults": [', b'\xff\xfe', b'seed = '])
    def test_that_cannot_be_parsed(self, tmp_path: Path, name: str, content: bytes) -> None:
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(FaultFileError, match=name):
            load_faults(file)

    def test_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            load_faults(tmp_path / 'none.json')


class TestDocumentation:
    PAGE = (Path(__file__).parents[2] / 'docs' / 'simulator.md').read_text()

    def test_examples_are_scripts(self, tmp_path: Path) -> None:
        expected = FaultScript(
            (Fault(call='b2_upload_*', cut_upload_after=100_000, rate=0.1),), seed=42
        )
        for language in ('toml', 'json'):
            (example,) = re.findall(f'```{language}\n(.*?call.*?)```', self.PAGE, re.DOTALL)
            file = tmp_path / f'faults.{language}'
            file.write_text(example)
            assert load_faults(file) == expected

    def test_every_field_is_in_the_table(self) -> None:
        told = re.findall(r'^\| (`.*?) \|', self.PAGE, re.MULTILINE)
        names = {name for cell in told for name in re.findall(r'`([a-z_]+)`', cell)}
        assert {field.name for field in fields(Fault)} <= names
