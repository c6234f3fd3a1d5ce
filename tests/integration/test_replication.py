"""Replication from its set-up to its monitoring, in one account and across two."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from b2fast import (
    ApplicationKey,
    B2Api,
    B2Folder,
    Bucket,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    FileRetentionSetting,
    LegalHold,
    ProgressReport,
    ReplicationConfiguration,
    ReplicationMonitor,
    ReplicationReport,
    ReplicationRule,
    ReplicationScanResult,
    ReplicationSetupHelper,
    ReplicationStatus,
    RetentionMode,
    ScanPoliciesManager,
)
from b2fast.exception import B2Error, BadRequest, BucketIdNotFound, ServiceError, Unauthorized
from b2fast.simulator import Fault, FaultScript

from ..conftest import PART_SIZE, Account
from ..helpers import Reporter

replicating = pytest.mark.parametrize(
    'account', ['faithful', 'http', 'http-streams'], indirect=True
)
SSE_C = EncryptionSetting(
    EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(b'k' * 32, 'key-id')
)
DAY = 24 * 3600


@dataclass
class Pair:
    """A bucket, the one that it is replicated to, and what was reported."""

    source: Bucket
    destination: Bucket
    reporter: Reporter

    @property
    def rule(self) -> ReplicationRule:
        assert self.source.replication is not None
        return self.source.replication.rules[0]

    def monitor(self, **options: Any) -> ReplicationMonitor:
        options = {
            'rule': self.rule,
            'destination_api': self.destination.api,
            'report': self.reporter,
            **options,
        }
        return ReplicationMonitor(self.source, **options)

    def results(self, **options: Any) -> dict[str, ReplicationScanResult]:
        """The result for each name; from pairs, since reports count them."""
        return {
            path.selected_version.file_name: ReplicationScanResult.from_files(*pair)
            for pair in self.monitor(**options).iter_pairs()
            for path in pair
            if path is not None
        }


def other_account(account: Account) -> B2Api:
    assert account.server is not None
    api = account.new_api()
    api.authorize_account(*account.server.create_account(), account.realm)
    return api


@pytest.fixture(params=['one account', 'two accounts'])
def pair(request: pytest.FixtureRequest, account: Account) -> Pair:
    is_one = request.param == 'one account'
    target = account.api if is_one else other_account(account)
    return Pair(
        account.api.create_bucket('the-source', 'allPrivate'),
        target.create_bucket('the-destination', 'allPrivate'),
        Reporter(),
    )


def set_up(pair: Pair, **options: Any) -> None:
    pair.source, pair.destination = ReplicationSetupHelper().setup_both(
        pair.source, pair.destination, **options
    )


def content(bucket: Bucket, name: str) -> bytes:
    stream = io.BytesIO()
    bucket.download_file_by_name(name).save(stream)
    return stream.getvalue()


def store(bucket: Bucket, names: list[str]) -> None:
    """Make files by copying one, `seed`, since uploads refuse some of the names that B2 has."""
    seed = bucket.upload_bytes(b'data', 'seed')
    for name in names:
        bucket.api.session.copy_file(seed.id_, name)


REPLICATED = ReplicationScanResult(
    source_replication_status=ReplicationStatus.COMPLETED,
    source_has_hide_marker=False,
    source_encryption_mode=EncryptionMode.SSE_B2,
    source_has_large_metadata=False,
    source_has_file_retention=False,
    source_has_legal_hold=False,
    destination_replication_status=ReplicationStatus.REPLICA,
    metadata_differs=False,
    hash_differs=False,
)


@replicating
def test_from_set_up_to_report(pair: Pair) -> None:
    pair.source.upload_bytes(b'old', 'in/old')
    set_up(pair, name='a-rule', prefix='in/')
    large = bytes(range(256)) * 2
    assert len(large) > 2 * PART_SIZE
    uploaded = pair.source.upload_bytes(b'data', 'in/small', file_info={'a': 'b'})
    assert uploaded.replication_status is ReplicationStatus.PENDING
    pair.source.upload_bytes(large, 'in/large')
    pair.source.upload_bytes(b'data', 'out')
    assert content(pair.destination, 'in/small') == b'data'
    assert content(pair.destination, 'in/large') == large
    pair.destination.upload_bytes(b'data', 'in/of its own')

    results = pair.results()
    assert sorted(results) == ['in/large', 'in/of its own', 'in/old', 'in/small']
    assert results['in/small'] == results['in/large'] == REPLICATED
    assert results['in/old'].source_replication_status is None
    assert results['in/of its own'] == ReplicationScanResult()

    report = pair.monitor().scan()
    assert isinstance(report, ReplicationReport)
    assert report.counter_by_status == {
        REPLICATED: 2,
        results['in/old']: 1,
        results['in/of its own']: 1,
    }
    first, last = report.samples_by_status_first, report.samples_by_status_last
    assert [version and version.file_name for version in first[REPLICATED]] == ['in/large'] * 2
    assert [version and version.bucket_id for version in last[REPLICATED]] == [
        pair.source.id_,
        pair.destination.id_,
    ]
    assert last[results['in/old']][1] is None
    source_only = pair.monitor().scan(scan_destination=False)
    assert isinstance(source_only, ReplicationReport)
    assert sorted(source_only.counter_by_status.values()) == [1, 2]
    assert pair.reporter.events == []


@replicating
def test_existing_files(account: Account, pair: Pair) -> None:
    pair.source.upload_bytes(b'old', 'old')
    set_up(pair, include_existing_files=True)
    assert pair.results()['old'].destination_replication_status is None
    assert account.server is not None
    account.server.advance_clock(DAY)
    assert pair.results()['old'] == REPLICATED


@replicating
def test_what_keeps_files_from_being_replicated(account: Account, pair: Pair) -> None:
    set_up(pair)
    source = pair.source
    source.upload_bytes(b'data', 'hidden')
    source.hide_file('hidden')
    source.upload_bytes(b'data', 'large metadata', file_info={'a': 'x' * 2100})
    source.upload_bytes(b'data', 'secret', encryption=SSE_C)
    source.upload_bytes(b'data', 'deleted there')
    source.upload_bytes(b'data', 'changed there')
    pair.destination.get_file_info_by_name('deleted there')
    pair.destination.hide_file('deleted there')
    pair.destination.upload_bytes(b'other', 'changed there', file_info={'a': 'b'})

    results = pair.results()
    assert results['hidden'].source_has_hide_marker
    assert results['hidden'].destination_replication_status is ReplicationStatus.REPLICA
    assert results['large metadata'].source_has_large_metadata
    assert results['secret'].source_encryption_mode is EncryptionMode.SSE_C
    for name in ('large metadata', 'secret'):
        assert results[name].source_replication_status is None
        assert results[name].destination_replication_status is None
        assert results[name].hash_differs is None
    assert results['changed there'].hash_differs
    assert results['changed there'].metadata_differs
    assert results['changed there'].destination_replication_status is None
    assert results['deleted there'].hash_differs


@replicating
def test_locked_files(account: Account) -> None:
    """They tell their locks only to who may read them."""
    source, destination = (
        account.api.create_bucket(name, 'allPrivate', is_file_lock_enabled=True)
        for name in ('the-source', 'the-destination')
    )
    source.upload_bytes(
        b'data',
        'locked',
        file_retention=FileRetentionSetting(
            RetentionMode.GOVERNANCE, round(time.time() + DAY) * 1000
        ),
        legal_hold=LegalHold.ON,
    )
    source.upload_bytes(b'data', 'free')
    pair = Pair(source, destination, Reporter())
    set_up(pair)
    results = pair.results()
    assert results['locked'].source_has_file_retention
    assert results['locked'].source_has_legal_hold
    assert results['free'].source_has_file_retention is False
    assert results['free'].source_has_legal_hold is False

    key = account.api.create_key(
        ['listBuckets', 'listFiles', 'readFiles', 'readBucketReplications'], 'reader'
    )
    reader = account.new_api()
    reader.authorize_account(key.id_, key.application_key, account.realm)
    pair.source = reader.get_bucket_by_name(source.name).get_fresh_state()
    for result in pair.results().values():
        assert result.source_has_file_retention is None
        assert result.source_has_legal_hold is None


# What is scanned


@replicating
@pytest.mark.parametrize('prefix', ['in', 'a[b]*', 'in/x', '/'])
def test_prefixes_that_are_no_folders(account: Account, pair: Pair, prefix: str) -> None:
    """A rule covers names that begin with its prefix; b2sdk looks into a folder of that name."""
    set_up(pair, prefix=prefix)
    names = ['in', 'in/a', 'in/x', 'in/xy', 'inside', 'other', 'a[b]*c', 'ab', '/a', '//']
    store(pair.source, names)
    covered = [name for name in names if name.startswith(prefix)]
    results = pair.results()
    assert sorted(results) == sorted(covered)
    assert set(results.values()) == {REPLICATED}


@replicating
def test_names_that_no_local_file_could_have(pair: Pair) -> None:
    """B2 replicates them, so they count; b2sdk's monitor stops at some of them."""
    set_up(pair)
    names = ['../up', 'a//b', '/abs', 'C:x', 'dir/', 'x' * 300, 'é', 'z\U00010000', 'z\uffff']
    store(pair.source, names)
    assert pair.results() == dict.fromkeys([*names, 'seed'], REPLICATED)
    assert pair.reporter.events == []


@replicating
def test_policies_leave_files_of_the_source_out(pair: Pair) -> None:
    set_up(pair, prefix='in/')
    for name in ('in/a', 'in/b', 'in/b/c'):
        pair.source.upload_bytes(b'data', name)
    policies = ScanPoliciesManager(exclude_file_regexes=['a$'], exclude_dir_regexes=['b$'])
    report = pair.monitor(scan_policies_manager=policies).scan(scan_destination=False)
    assert isinstance(report, ReplicationReport)
    assert report.counter_by_status.total() == 1


def test_both_sides_are_listed_in_pages(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """No further than the caller reads."""
    ls = Bucket.ls

    def small_pages(bucket: Bucket, *args: Any, **kwargs: Any) -> Iterator[Any]:
        return iter(ls(bucket, *args, **kwargs, fetch_count=10))

    monkeypatch.setattr(Bucket, 'ls', small_pages)
    source = account.api.create_bucket('the-source', 'allPrivate')
    destination = account.api.create_bucket('the-destination', 'allPrivate')
    for number in range(45):
        for bucket in (source, destination):
            bucket.upload_bytes(b'', f'{number:03}')
    pair = Pair(source, destination, Reporter())
    set_up(pair)
    before = account.api.stats()
    pairs = pair.monitor().iter_pairs()
    assert (account.api.stats() - before).calls.get('b2_list_file_versions', 0) == 0
    next(pairs)
    assert (account.api.stats() - before).calls['b2_list_file_versions'] == 2
    assert len(list(pairs)) == 44
    assert (account.api.stats() - before).calls['b2_list_file_versions'] == 10


# What goes wrong


@replicating
def test_keys_of_a_bucket_are_of_its_own_account(account: Account) -> None:
    other = other_account(account)
    source = account.api.create_bucket('the-source', 'allPrivate')
    destination = other.create_bucket('the-destination', 'allPrivate')
    key = account.api.create_key(['readFiles', 'writeFiles'], 'a-key')
    accepting = ReplicationConfiguration(source_to_destination_key_mapping={key.id_: key.id_})
    with pytest.raises(BadRequest, match=f'key {key.id_} does not exist'):
        destination.update(replication=accepting)
    theirs = other.create_key(['readFiles'], 'their-key')
    with pytest.raises(BadRequest, match=f'key {theirs.id_} does not exist'):
        ReplicationSetupHelper().setup_source(
            source, ApplicationKey('their-key', theirs.id_, ['readFiles'], 'any'), destination
        )


def test_a_bucket_from_the_cache(account: Account) -> None:
    source = account.api.create_bucket('the-source', 'allPrivate')
    rule = ReplicationRule('an-id', 'a-rule')
    cached = account.api.get_bucket_by_name(source.name)
    with pytest.raises(ValueError, match=r'the-source.*get_fresh_state') as refused:
        ReplicationMonitor(cached, rule)
    assert isinstance(refused.value, B2Error)
    with pytest.raises(ValueError, match=r'a-rule.*not a rule from.*the-source.*which has none'):
        ReplicationMonitor(source.get_fresh_state(), rule)


@replicating
def test_a_destination_of_another_account(account: Account) -> None:
    pair = Pair(
        account.api.create_bucket('the-source', 'allPrivate'),
        other_account(account).create_bucket('the-destination', 'allPrivate'),
        Reporter(),
    )
    set_up(pair)
    with pytest.raises(BucketIdNotFound, match=pair.destination.id_) as refused:
        pair.monitor(destination_api=None).scan()
    (note,) = refused.value.__notes__
    assert 'destination_api' in note
    assert 'the-source' in note


@replicating
def test_an_error_of_one_side_ends_the_scan(account: Account, pair: Pair) -> None:
    """b2sdk's scan waits for ever then."""
    set_up(pair)
    assert account.server is not None
    script = FaultScript((Fault(call='b2_list_file_versions', status=503, skip=1, count=100),))
    account.server.play(script)
    with pytest.raises(ServiceError):
        pair.monitor().scan()


@replicating
def test_a_key_that_may_not_list(account: Account, pair: Pair) -> None:
    set_up(pair)
    key = pair.destination.api.create_key(['listBuckets'], 'blind')
    blind = account.new_api()
    blind.authorize_account(key.id_, key.application_key, account.realm)
    with pytest.raises(Unauthorized, match="capabilities 'listBuckets'"):
        pair.monitor(destination_api=blind).scan()


def test_a_report_that_fails_ends_the_scan(account: Account) -> None:
    """b2sdk's scan waits for ever if there is much to scan."""

    class Failing(ReplicationReport):
        def add(self, *files: Any) -> None:
            raise RuntimeError('no')

    class Monitor(ReplicationMonitor):
        REPORT_CLASS = Failing
        QUEUE_SIZE = 1

    pair = Pair(
        account.api.create_bucket('the-source', 'allPrivate'),
        account.api.create_bucket('the-destination', 'allPrivate'),
        Reporter(),
    )
    set_up(pair)
    for name in 'abcdef':
        pair.source.upload_bytes(b'', name)
    with pytest.raises(RuntimeError, match='no'):
        Monitor(pair.source, pair.rule, report=pair.reporter).scan()


def test_progress_goes_to_standard_output(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = Pair(
        account.api.create_bucket('the-source', 'allPrivate'),
        account.api.create_bucket('the-destination', 'allPrivate'),
        Reporter(),
    )
    set_up(pair)
    monitor = ReplicationMonitor(pair.source, pair.rule)
    assert isinstance(monitor.report, ProgressReport)
    monitor.scan(scan_destination=False)
    assert monitor.report.closed
    assert 'count: ' in capsys.readouterr().out


def test_folders_of_ones_own(account: Account) -> None:
    class Folder(B2Folder):
        pass

    class Monitor(ReplicationMonitor):
        B2_FOLDER_CLASS = Folder

    pair = Pair(
        account.api.create_bucket('the-source', 'allPrivate'),
        account.api.create_bucket('the-destination', 'allPrivate'),
        Reporter(),
    )
    set_up(pair, prefix='in/')
    monitor = Monitor(pair.source, pair.rule, report=pair.reporter)
    assert type(monitor.source_folder) is type(monitor.destination_folder) is Folder
    assert str(monitor.source_folder) == 'B2Folder(the-source, in/)'
