"""Random calls on three simulators, judged by a model.

`SimulatorServer` and `FaithfulSimulator` have to answer alike to the last header, and as the model
says. `RawSimulator` has to agree with the model wherever it does not simplify.

`B2FAST_MODEL_SECONDS` makes it go on for so many seconds with new examples.
"""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ..helpers import Clock
from .simulator_doors import Door, ProcessDoor, RawDoor, Seen, ServerDoor
from .simulator_model import DAY, File, Model, Part, Refused, Retention

NOW = 1_700_000_000_000
PART_SIZE = 5

NAMES = st.sampled_from(['a', 'a/b', 'a/c/d', 'a/c/e', 'ab', 'b', 'ä', '\uffff', '\U0001f600'])
BUCKET_NAMES = st.sampled_from(['bucket-a', 'bucket-b', 'bucket-c'])
BUCKET_TYPES = st.sampled_from(['allPrivate', 'allPublic'])
CONTENTS = st.sampled_from([b'', b'x', b'12345', b'abcdefgh', bytes(range(256))])
PART_CONTENTS = st.sampled_from([b'12345', b'abcdefgh', b'12345', b'x', b''])
INFOS = st.sampled_from([{}, {'color': 'blue'}, {'src_last_modified_millis': '1', 'k': 'ä +%'}])
SHA1S = st.sampled_from(['right', 'right', 'at the end', 'nothing', 'wrong'])
PREFIXES = st.sampled_from(['', '', 'a', 'a/', 'b', 'ä', 'none'])
DELIMITERS = st.sampled_from([None, None, '/', 'b'])
COUNTS = st.sampled_from([1, 2, 3, 100])
WHICH = st.integers(0, 40)
KEYS = st.one_of(st.none(), st.none(), st.integers(0, 5))
RANGES = st.sampled_from([None, None, (0, 0), (1, 3), (2, 10_000), (300, 400)])
COPY_RANGES = st.sampled_from([None, None, (0, 0), (0, 4), (300, 400)])
CAPABILITIES = st.lists(
    st.sampled_from(
        [
            'listFiles',
            'readFiles',
            'writeFiles',
            'deleteFiles',
            'shareFiles',
            'readFileRetentions',
            'writeFileRetentions',
            'readFileLegalHolds',
            'writeFileLegalHolds',
            'bypassGovernance',
        ]
    ),
    min_size=3,
    unique=True,
)
MODES = st.sampled_from(['governance', 'compliance'])
# Days from now; negative ones are refused.
RETENTIONS = st.one_of(st.none(), st.tuples(MODES, st.sampled_from([1, 2, 30, -1])))
HOLDS = st.sampled_from([None, None, 'on', 'off'])

#: What `RawSimulator` shows as the service does.
RAW_FIELDS = {
    'action',
    'bucketId',
    'bucketInfo',
    'bucketName',
    'bucketType',
    'contentLength',
    'contentSha1',
    'fileId',
    'fileInfo',
    'fileName',
    'partNumber',
}
#: The rule of a call that lists a bucket.
listing = rule(
    key=KEYS,
    which=WHICH,
    start=st.one_of(st.none(), NAMES),
    prefix=PREFIXES,
    delimiter=DELIMITERS,
    count=COUNTS,
)
#: Calls of which `RawSimulator` has another idea altogether (keys, download authorizations).
NOT_RAW = {'authorize_download', 'create_key', 'delete_key', 'list_keys'}


class Simulators(RuleBasedStateMachine):
    """Calls of all kinds; each is made on every door and compared with the model."""

    @initialize(locks=st.sampled_from([False, False, True]))
    def start(self, locks: bool) -> None:
        self.clock = Clock(NOW)
        profile: dict[str, Any] = {
            'clock': self.clock,
            'minimum_part_size': PART_SIZE,
            'recommended_part_size': 100,
            'token_lifetime': 10**9,
        }
        self.model = Model(self.clock, PART_SIZE)
        self.exact: list[Door] = [ServerDoor(**profile), ProcessDoor(**profile)]
        self.locks = locks
        # It takes retention for a number of seconds, and never forgets what it locks.
        self.raw = None if locks else RawDoor()
        self.do('create_bucket', 'bucket-a', 'allPrivate', {}, locks)

    def teardown(self) -> None:
        for door in getattr(self, 'exact', []):
            door.close()

    # Making a call

    def do(self, call: str, *args: Any, count: int | None = None, **kwargs: Any) -> None:
        """Makes a call everywhere and compares.

        :param count: the size of pages; the model has none
        """
        expected: Any = None
        refusal: Refused | None = None
        try:
            expected = getattr(self.model, call)(*args, **kwargs)
        except Refused as refused:
            refusal = refused
        if count is not None:
            kwargs['count'] = count
        seen = [door.see(call, *args, **kwargs) for door in self.exact]
        assert seen[0] == seen[1]
        self.compare(expected, refusal, seen[0], exact=True)
        if self.raw and call not in NOT_RAW and self.suits_raw(args, kwargs, refusal):
            self.compare(expected, refusal, self.raw.see(call, *args, **kwargs), exact=False)

    @staticmethod
    def suits_raw(args: Any, kwargs: Any, refusal: Refused | None) -> bool:
        if kwargs.get('delimiter') or kwargs.get('anonymous') or kwargs.get('grant') is not None:
            return False
        return refusal is None or refusal.in_raw

    @staticmethod
    def compare(expected: Any, refusal: Refused | None, seen: Seen, exact: bool) -> None:
        if refusal is not None:
            assert seen.error is not None, f'expected {refusal}, got {seen.answer}'
            if exact:
                assert (seen.status, seen.code) in refusal.answers, f'{refusal}, got {seen}'
            return
        assert seen.error is None, f'expected {expected}, got {seen}'
        if isinstance(expected, tuple):
            status, content, file_id = expected
            assert seen.answer['content'] == content
            assert seen.answer['headers']['x-bz-file-id'] == file_id
            assert not exact or seen.answer['status'] == status
        else:
            assert_shown(expected, seen.answer, exact)

    # Picking things; those that were deleted are among them

    def bucket_id(self, which: int) -> str:
        return self.model.buckets[which % len(self.model.buckets)].id

    def file(self, which: int) -> File:
        """One of the versions, of the last ones rather."""
        return self.model.files[-1 - which % len(self.model.files)]

    def unfinished(self, which: int) -> File:
        started = [f for f in self.model.files if f.action == 'start' and not f.deleted]
        return started[which % len(started)] if started else self.file(which)

    def key(self, which: int | None) -> int | None:
        return None if which is None or not self.model.keys else which % len(self.model.keys)

    def until(self, retention: tuple[str, int] | None) -> Retention | None:
        if retention is None or not self.locks:
            return None
        return retention[0], self.clock.now + retention[1] * DAY

    def has_files(self) -> bool:
        return bool(self.model.files)

    # Time, buckets and keys

    @rule(milliseconds=st.sampled_from([1, 1000, 3_600_000, 2 * DAY]))
    def time_passes(self, milliseconds: int) -> None:
        self.clock.now += milliseconds

    @rule(name=BUCKET_NAMES, type_=BUCKET_TYPES, info=INFOS, locks=st.booleans())
    def create_bucket(self, name: str, type_: str, info: dict[str, str], locks: bool) -> None:
        self.do('create_bucket', name, type_, info, locks and self.locks)

    @rule(which=WHICH, type_=BUCKET_TYPES, old=st.sampled_from([None, None, 0, 1]))
    def update_bucket(self, which: int, type_: str, old: int | None) -> None:
        bucket = self.model.buckets[which % len(self.model.buckets)]
        # The counts of `RawSimulator` begin with another number.
        revision = None if old is None or self.raw else bucket.revision - old
        self.do('update_bucket', bucket.id, type_, {'updated': 'yes'}, revision)

    @precondition(lambda self: self.locks)
    @rule(which=WHICH, mode=MODES, days=st.integers(1, 40))
    def update_default_retention(self, which: int, mode: str, days: int) -> None:
        self.do('update_bucket', self.bucket_id(which), default_retention=(mode, days))

    @rule(which=WHICH)
    def delete_bucket(self, which: int) -> None:
        self.do('delete_bucket', self.bucket_id(which))

    @rule(which=st.one_of(st.none(), WHICH), name=st.one_of(st.none(), BUCKET_NAMES))
    def list_buckets(self, which: int | None, name: str | None) -> None:
        self.do('list_buckets', None if which is None else self.bucket_id(which), name)

    @rule(
        capabilities=CAPABILITIES,
        which=st.one_of(st.none(), WHICH),
        prefix=st.sampled_from([None, None, 'a', 'a/']),
    )
    def create_key(self, capabilities: list[str], which: int | None, prefix: str | None) -> None:
        ids = None if which is None else [self.bucket_id(which)]
        self.do('create_key', capabilities, ids, prefix)

    @precondition(lambda self: self.model.keys)
    @rule(which=WHICH)
    def delete_key(self, which: int) -> None:
        self.do('delete_key', which % len(self.model.keys))

    @rule(count=COUNTS)
    def list_keys(self, count: int) -> None:
        self.do('list_keys', count=count)

    # Storing

    @rule(
        key=KEYS,
        which=WHICH,
        name=NAMES,
        content=CONTENTS,
        info=INFOS,
        sha1=SHA1S,
        retention=RETENTIONS,
        hold=HOLDS,
    )
    def upload(
        self,
        key: int | None,
        which: int,
        name: str,
        content: bytes,
        info: dict[str, str],
        sha1: str,
        retention: tuple[str, int] | None,
        hold: str | None,
    ) -> None:
        self.do(
            'upload',
            self.key(key),
            self.bucket_id(which),
            name,
            content,
            info,
            sha1,
            self.until(retention),
            hold if self.locks else None,
        )

    @rule(key=KEYS, which=WHICH, name=NAMES)
    def hide(self, key: int | None, which: int, name: str) -> None:
        self.do('hide', self.key(key), self.bucket_id(which), name)

    @precondition(has_files)
    @rule(key=KEYS, which=WHICH, bypass=st.booleans(), other=st.sampled_from([None, None, 'a']))
    def delete(self, key: int | None, which: int, bypass: bool, other: str | None) -> None:
        file = self.file(which)
        self.do('delete', self.key(key), file.id, other or file.name, bypass)

    # Large files

    @rule(key=KEYS, which=WHICH, name=NAMES, info=INFOS, retention=RETENTIONS, hold=HOLDS)
    def start_large_file(
        self,
        key: int | None,
        which: int,
        name: str,
        info: dict[str, str],
        retention: tuple[str, int] | None,
        hold: str | None,
    ) -> None:
        self.do(
            'start_large_file',
            self.key(key),
            self.bucket_id(which),
            name,
            info,
            self.until(retention),
            hold if self.locks else None,
        )

    @precondition(has_files)
    @rule(which=WHICH, number=st.integers(1, 3), content=PART_CONTENTS, sha1=SHA1S)
    def upload_part(self, which: int, number: int, content: bytes, sha1: str) -> None:
        self.do('upload_part', self.unfinished(which).id, number, content, sha1)

    @precondition(has_files)
    @rule(source=WHICH, which=WHICH, number=st.integers(1, 3), range_=COPY_RANGES)
    def copy_part(
        self, source: int, which: int, number: int, range_: tuple[int, int] | None
    ) -> None:
        source_file = self.file(source)
        self.do(
            'copy_part',
            source_file.id,
            self.unfinished(which).id,
            number,
            inside_or_beyond(source_file, range_),
        )

    @precondition(has_files)
    @rule(which=WHICH, start=st.sampled_from([None, 1, 2]), count=COUNTS)
    def list_parts(self, which: int, start: int | None, count: int) -> None:
        self.do('list_parts', self.unfinished(which).id, start, count=count)

    @precondition(has_files)
    @rule(which=WHICH, damage=st.sampled_from([None, None, None, 'swap', 'short', 'long']))
    def finish_large_file(self, which: int, damage: str | None) -> None:
        file = self.unfinished(which)
        sha1s = [
            file.parts.get(number, Part(b'', 'f' * 40, 0)).sha1.removeprefix('unverified:')
            for number in range(1, max(file.parts, default=0) + 1)
        ]
        if damage == 'swap':
            sha1s.reverse()
        elif damage == 'short':
            del sha1s[-1:]
        elif damage == 'long':
            sha1s.append('f' * 40)
        self.do('finish_large_file', file.id, sha1s)

    @precondition(has_files)
    @rule(which=WHICH)
    def cancel_large_file(self, which: int) -> None:
        self.do('cancel_large_file', self.unfinished(which).id)

    # Copies and locks

    @precondition(has_files)
    @rule(
        key=KEYS,
        source=WHICH,
        name=NAMES,
        which=st.one_of(st.none(), WHICH),
        range_=COPY_RANGES,
        info=st.one_of(st.none(), INFOS),
    )
    def copy_file(
        self,
        key: int | None,
        source: int,
        name: str,
        which: int | None,
        range_: tuple[int, int] | None,
        info: dict[str, str] | None,
    ) -> None:
        file = self.file(source)
        self.do(
            'copy_file',
            self.key(key),
            file.id,
            name,
            None if which is None else self.bucket_id(which),
            inside_or_beyond(file, range_),
            info,
        )

    @precondition(lambda self: self.has_files())
    @rule(which=WHICH, retention=RETENTIONS, bypass=st.booleans())
    def update_retention(self, which: int, retention: tuple[str, int] | None, bypass: bool) -> None:
        file = self.file(which)
        self.do('update_retention', file.id, file.name, self.until(retention), bypass)

    @precondition(lambda self: self.has_files())
    @rule(which=WHICH, hold=st.sampled_from(['on', 'off']))
    def update_legal_hold(self, which: int, hold: str) -> None:
        if self.locks:
            file = self.file(which)
            self.do('update_legal_hold', file.id, file.name, hold)

    # Listings

    @listing
    def list_names(
        self,
        key: int | None,
        which: int,
        start: str | None,
        prefix: str,
        delimiter: str | None,
        count: int,
    ) -> None:
        self.do(
            'list_names',
            self.key(key),
            self.bucket_id(which),
            start,
            prefix,
            delimiter=delimiter,
            count=count,
        )

    @listing
    def list_versions(
        self,
        key: int | None,
        which: int,
        start: str | None,
        prefix: str,
        delimiter: str | None,
        count: int,
    ) -> None:
        self.do(
            'list_versions',
            self.key(key),
            self.bucket_id(which),
            start,
            prefix,
            delimiter=delimiter,
            count=count,
        )

    @precondition(has_files)
    @rule(which=WHICH, prefix=PREFIXES, delimiter=DELIMITERS, count=COUNTS)
    def list_versions_from(
        self, which: int, prefix: str, delimiter: str | None, count: int
    ) -> None:
        file = self.file(which)
        self.do(
            'list_versions', None, file.bucket.id, file, prefix, delimiter=delimiter, count=count
        )

    @precondition(has_files)
    @rule(key=KEYS, which=WHICH, from_one=st.booleans(), prefix=PREFIXES, count=COUNTS)
    def list_unfinished(
        self, key: int | None, which: int, from_one: bool, prefix: str, count: int
    ) -> None:
        file = self.unfinished(which)
        start = file if from_one and file.action == 'start' else None
        self.do('list_unfinished', self.key(key), file.bucket.id, start, prefix, count=count)

    # Reading

    @precondition(has_files)
    @rule(key=KEYS, which=WHICH)
    def file_info(self, key: int | None, which: int) -> None:
        self.do('file_info', self.key(key), self.file(which).id)

    @precondition(has_files)
    @rule(key=KEYS, which=WHICH, range_=RANGES)
    def download_by_id(self, key: int | None, which: int, range_: tuple[int, int] | None) -> None:
        self.do('download_by_id', self.key(key), self.file(which).id, range_)

    @rule(key=KEYS, bucket=BUCKET_NAMES, name=NAMES, range_=RANGES, anonymous=st.booleans())
    def download_by_name(
        self,
        key: int | None,
        bucket: str,
        name: str,
        range_: tuple[int, int] | None,
        anonymous: bool,
    ) -> None:
        self.do('download_by_name', self.key(key), bucket, name, range_, anonymous=anonymous)

    @rule(key=KEYS, which=WHICH, prefix=PREFIXES, seconds=st.sampled_from([1, 3600, 604_800]))
    def authorize_download(self, key: int | None, which: int, prefix: str, seconds: int) -> None:
        self.do('authorize_download', self.key(key), self.bucket_id(which), prefix, seconds)

    @precondition(lambda self: self.model.grants)
    @rule(which=WHICH, bucket=BUCKET_NAMES, name=NAMES)
    def download_as_granted(self, which: int, bucket: str, name: str) -> None:
        grant = which % len(self.model.grants)
        self.do('download_by_name', None, bucket, name, None, grant=grant)


def inside_or_beyond(file: File, range_: tuple[int, int] | None) -> tuple[int, int] | None:
    """What becomes of a copy's range that only begins inside the file is not documented."""
    if range_ is None or range_[0] >= len(file.content) or range_[1] < len(file.content):
        return range_
    return range_[0], len(file.content) - 1


def assert_shown(expected: Any, shown: Any, exact: bool) -> None:
    """Everything that is expected is in the answer.

    :param exact: of `RawSimulator` if not; only `RAW_FIELDS` count then
    """
    if isinstance(expected, list):
        assert len(expected) == len(shown), f'expected {expected}, got {shown}'
        for one, other in zip(expected, shown, strict=True):
            assert_shown(one, other, exact)
        return
    if not exact:
        is_file = 'action' in expected
        expected = {
            name: value
            for name, value in expected.items()
            if name in RAW_FIELDS and (name in shown or not is_file)
        }
        shown = {name: shown[name] for name in expected}
        if expected.get('action') == 'hide':
            shown.pop('contentSha1', None)
    assert expected == {name: shown.get(name) for name in expected}


SECONDS = float(os.environ.get('B2FAST_MODEL_SECONDS', '0'))


# To find the shortest program that fails may take five minutes more.
@pytest.mark.timeout(600 + SECONDS)
def test_simulators_agree_with_the_model() -> None:
    profile = settings(
        max_examples=60,
        stateful_step_count=40,
        suppress_health_check=list(HealthCheck),
    )
    if not SECONDS:
        run_state_machine_as_test(Simulators, settings=profile)  # type: ignore[no-untyped-call]
        return
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        again = settings(profile, derandomize=False, max_examples=200)
        run_state_machine_as_test(Simulators, settings=again)  # type: ignore[no-untyped-call]
