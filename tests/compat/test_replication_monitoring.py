"""Monitoring of replication: the same reports of the same files.

The prefixes of rules are those that b2sdk scans rightly; `docs/compatibility.md` lists the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from .worlds import World, assert_same_in_both, plain

SOURCE, DESTINATION = 'the-source', 'the-destination'
UNTIL = 4_000_000_000_000

statuses = st.sampled_from([None, 'PENDING', 'COMPLETED', 'FAILED', 'REPLICA'])
uploads = st.fixed_dictionaries(
    {
        'action': st.just('upload'),
        'size': st.integers(0, 3),
        'info': st.sampled_from([{}, {'a': 'b'}, {'a': 'x' * 1400}, {'a': 'x' * 2100}]),
        'encryption': st.sampled_from([None, 'SSE-B2', 'SSE-C']),
        'retention': st.sampled_from([None, None, 'governance', 'compliance']),
        'legal_hold': st.sampled_from([None, 'ON', 'OFF']),
        'status': statuses,
    }
)
hidings = st.fixed_dictionaries({'action': st.just('hide'), 'status': st.none()})
starts = st.fixed_dictionaries({'action': st.just('start'), 'status': st.none()})
steps = st.tuples(
    st.sampled_from(['in/a', 'in/b', 'in/b/c', 'in/é', 'out', 'b']),
    st.one_of(uploads, uploads, hidings, starts),
)
histories = st.lists(steps, max_size=12)
prefixes = st.sampled_from(['', 'in/', 'in/b/', 'elsewhere/'])
policies = st.fixed_dictionaries(
    {},
    optional={
        'exclude_dir_regexes': st.just(['b$']),
        'exclude_file_regexes': st.sampled_from([['.*a$'], ['in/b'], ['.*']]),
    },
)


class Program:
    """Two buckets with a history each, and a rule between them."""

    def __init__(self, world: World, prefix: str, others: bool = False) -> None:
        self.world, self.sdk = world, world.sdk
        self.other = self._other_account() if others else None
        self.source = self._bucket(world.api, SOURCE)
        self.destination = self._bucket(self.other or world.api, DESTINATION)
        self.rule = self.sdk.ReplicationRule(self.destination.id_, 'a-rule', prefix)
        self.source = self.source.update(
            replication=self.sdk.ReplicationConfiguration([self.rule], 'a-key')
        )

    def _other_account(self) -> Any:
        config = self.sdk.B2HttpApiConfig(_raw_api_class=lambda *_: self.world.raw)
        api = self.sdk.B2Api(self.sdk.InMemoryAccountInfo(), api_config=config)
        api.authorize_account(*self.world.raw.create_account())
        return api

    def _bucket(self, api: Any, name: str) -> Any:
        return api.create_bucket(name, 'allPrivate', is_file_lock_enabled=True)

    def fill(self, bucket: Any, history: list[tuple[str, dict[str, Any]]]) -> None:
        stored = self.world.raw.bucket_name_to_bucket[bucket.name].file_id_to_file
        for name, step in history:
            latest = next((version for version, _ in bucket.ls(name, latest_only=False)), None)
            if step['action'] == 'start':
                bucket.api.services.large_file.start_large_file(bucket.id_, name)
            elif step['action'] == 'upload':
                version = self._upload(bucket, name, **step)
                status = step['status']
                stored[version.id_].replication_status = (
                    status and self.sdk.ReplicationStatus[status]
                )
            elif latest is not None and latest.action == 'upload':
                bucket.hide_file(name)

    def _upload(
        self,
        bucket: Any,
        name: str,
        size: int,
        info: dict[str, str],
        encryption: str | None,
        retention: str | None,
        legal_hold: str | None,
        **_: Any,
    ) -> Any:
        sdk = self.sdk
        key = sdk.EncryptionKey(b'k' * 32, 'key-id') if encryption == 'SSE-C' else None
        return bucket.upload_bytes(
            bytes(size),
            name,
            file_info=dict(info),
            encryption=encryption
            and sdk.EncryptionSetting(
                sdk.EncryptionMode(encryption), sdk.EncryptionAlgorithm.AES256, key
            ),
            file_retention=retention
            and sdk.FileRetentionSetting(sdk.RetentionMode(retention), UNTIL),
            legal_hold=legal_hold and sdk.LegalHold[legal_hold],
        )

    def monitor(self, policy: dict[str, Any] | None = None, **options: Any) -> Any:
        return self.sdk.ReplicationMonitor(
            self.source,
            self.rule,
            destination_api=self.other,
            report=self.sdk.ProgressReport(open_nowhere(), True),
            scan_policies_manager=self.sdk.ScanPoliciesManager(**policy or {}),
            **options,
        )


class open_nowhere:  # noqa: N801
    """A stream that forgets what is written."""

    encoding = 'utf-8'

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing to do."""


def told(report: Any) -> list[Any]:
    """What a report says: counts and samples, by result, in their order."""
    return [
        [
            plain(vars(result)),
            number,
            [sample(version) for version in report.samples_by_status_first[result]],
            [sample(version) for version in report.samples_by_status_last[result]],
        ]
        for result, number in report.counter_by_status.items()
    ]


def sample(version: Any) -> Any:
    return version and (version.file_name, version.id_, version.action, version.bucket_id)


@given(histories, histories, prefixes, policies, st.booleans())
def test_reports(
    ours: list[Any], theirs: list[Any], prefix: str, policy: dict[str, Any], others: bool
) -> None:
    def run(world: World) -> None:
        program = Program(world, prefix, others)
        program.fill(program.source, ours)
        program.fill(program.destination, theirs)
        monitor = program.monitor(policy)
        world.see('both', lambda: told(monitor.scan()))
        world.see('source only', lambda: told(monitor.scan(scan_destination=False)))
        world.see('pairs', lambda: list(relative_paths(monitor.iter_pairs())))

    assert_same_in_both(run)


@given(uploads, uploads)
def test_one_name_on_both_sides(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    def run(world: World) -> None:
        program = Program(world, '')
        program.fill(program.source, [('a', ours)])
        program.fill(program.destination, [('a', theirs)])
        world.see('report', lambda: told(program.monitor().scan()))

    assert_same_in_both(run)


def relative_paths(pairs: Any) -> Iterator[list[Any]]:
    for pair in pairs:
        yield [path and (path.relative_path, len(path.all_versions)) for path in pair]


def test_what_a_monitor_is_made_of() -> None:
    def run(world: World) -> None:
        program = Program(world, 'in/', others=True)
        monitor = program.monitor()
        for folder in (monitor.source_folder, monitor.destination_folder):
            world.see(str(folder), lambda folder=folder: [folder.bucket_name, folder.prefix])
        world.see('destination', lambda: monitor.destination_bucket.name)
        world.see('api', lambda: monitor.source_api is world.api)
        world.see('equal', lambda: monitor == monitor and monitor != program.monitor())
        world.see('result', lambda: vars(world.sdk.ReplicationScanResult.from_files()))

    assert_same_in_both(run, at_least=6)


@pytest.mark.parametrize('change', ['no configuration', 'another rule'])
def test_rules_that_are_not_there(change: str) -> None:
    def run(world: World) -> None:
        program = Program(world, '')
        if change == 'no configuration':
            program.source.replication = None
        else:
            program.rule = world.sdk.ReplicationRule(program.destination.id_, 'other-rule')
        with pytest.raises(ValueError, match=r'replication configuration|is not a rule') as refused:
            program.monitor()
        assert SOURCE in str(refused.value)

    assert_same_in_both(run, at_least=0)


def test_a_destination_that_is_gone() -> None:
    def run(world: World) -> None:
        program = Program(world, '')
        world.api.delete_bucket(program.destination)
        world.api.cache.set_bucket_name_cache([])
        world.see('bucket', lambda: program.monitor().destination_bucket)
        assert world.seen['bucket'].startswith('raises BucketIdNotFound')

    assert_same_in_both(run)
