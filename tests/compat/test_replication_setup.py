"""Setting up replication: the same keys, rules and configurations.

`docs/compatibility.md` lists what b2fast refuses before it changes anything.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given, strategies as st

import b2fast

from .worlds import World, assert_same_in_both

SOURCE = ('readFiles', 'readFileLegalHolds', 'readFileRetentions')
DESTINATION = ('writeFiles', 'writeFileLegalHolds', 'writeFileRetentions', 'deleteFiles')
NAMES = ['bucket-a', 'bucket-b', 'bucket-c']

buckets = st.sampled_from(NAMES)
pairs = st.tuples(buckets, buckets).filter(lambda pair: pair[0] != pair[1])
keys = st.fixed_dictionaries(
    {
        'capabilities': st.sampled_from(
            [SOURCE, DESTINATION, (*SOURCE, *DESTINATION), SOURCE[:2], DESTINATION[1:]]
        ),
        'name_prefix': st.sampled_from([None, None, None, 'in/']),
        'is_deleted': st.sampled_from([False, False, False, True]),
    }
)
rules = st.fixed_dictionaries(
    {'name': st.sampled_from(['first', *NAMES]), 'priority': st.integers(1, 2**31 - 1)}
)
configurations = st.fixed_dictionaries(
    {
        'source_key': st.none() | keys,
        'rules': st.lists(rules, max_size=3, unique_by=lambda rule: rule['name']),
        'destination_keys': st.lists(keys, max_size=3),
    }
)
setups = st.fixed_dictionaries(
    {'pair': pairs},
    optional={
        'priority': st.none() | st.integers(1, 2**31 - 1),
        'prefix': st.none() | st.sampled_from(['', 'in/', 'in']),
        'include_existing_files': st.booleans(),
        'name': st.none(),
    },
)


class Program:
    """Configures buckets as drawn, and sets up replication between them."""

    def __init__(self, world: World, configured: dict[str, Any]) -> None:
        self.world, self.sdk, self.api = world, world.sdk, world.api
        for name in NAMES:
            self.api.create_bucket(name, 'allPrivate')
        for name, configuration in configured.items():
            self._configure(self.bucket(name), **configuration)
        self.helper = self.sdk.ReplicationSetupHelper()

    def bucket(self, name: str) -> Any:
        return self.api.get_bucket_by_name(name).get_fresh_state()

    def _configure(
        self, bucket: Any, source_key: Any, rules: list[Any], destination_keys: list[Any]
    ) -> None:
        other = self.bucket(next(name for name in NAMES if name != bucket.name))
        key_id = source_key and self.make_key(bucket, **source_key)
        made = [self.make_key(bucket, **key) for key in destination_keys]
        bucket.update(
            replication=self.sdk.ReplicationConfiguration(
                rules=[
                    self.sdk.ReplicationRule(destination_bucket_id=other.id_, **rule)
                    for rule in rules
                    if key_id
                ],
                source_key_id=key_id,
                source_to_destination_key_mapping={
                    f'source-key-{number}': made_id for number, made_id in enumerate(made)
                },
            )
        )

    def make_key(
        self, bucket: Any, capabilities: tuple[str, ...], name_prefix: str | None, is_deleted: bool
    ) -> str:
        key = self.api.create_key(
            list(capabilities), 'a-key', bucket_ids=[bucket.id_], name_prefix=name_prefix
        )
        if is_deleted:
            self.api.delete_key(key)
        return str(key.id_)

    def look(self, what: str) -> None:
        self.world.see(f'{what}: buckets', lambda: list(map(self.bucket, NAMES)))
        self.world.see(f'{what}: keys', lambda: keys_of(self.api))


def keys_of(api: Any) -> list[Any]:
    """Those of the account; b2sdk's simulator lists all."""
    return [key for key in api.list_keys() if key.account_id == api.get_account_id()]


@given(st.dictionaries(buckets, configurations), st.lists(setups, min_size=1, max_size=3))
def test_both_sides(configured: dict[str, Any], wanted: list[dict[str, Any]]) -> None:
    def run(world: World) -> None:
        program = Program(world, configured)
        for number, arguments in enumerate(wanted):
            pair = [program.bucket(name) for name in arguments['pair']]
            options = {key: value for key, value in arguments.items() if key != 'pair'}
            set_up = partial(program.helper.setup_both, *pair, **options)
            found = world.see(f'setup {number}', set_up)
            assert len(found) == 2
            program.look(f'after {number}')

    assert_same_in_both(run)


@given(configurations, configurations, st.sampled_from([None, 'a-rule']))
def test_one_side_at_a_time(source: Any, destination: Any, name: str | None) -> None:
    def run(world: World) -> None:
        program = Program(world, {'bucket-a': source, 'bucket-b': destination})
        helper, bucket = program.helper, program.bucket
        key = world.api.create_key(list(SOURCE), 'reader', bucket_ids=[bucket('bucket-a').id_])
        assert world.see(
            'destination', lambda: helper.setup_destination(key.id_, bucket('bucket-b'))
        )
        program.look('after the destination')
        options = ('in/', name, 7, True)
        assert world.see(
            'source',
            lambda: helper.setup_source(bucket('bucket-a'), key, bucket('bucket-b'), *options),
        )
        program.look('after the source')

    assert_same_in_both(run)


def test_another_account() -> None:
    def run(world: World) -> None:
        program = Program(world, {})
        config = world.sdk.B2HttpApiConfig(_raw_api_class=lambda *_: world.raw)
        other = world.sdk.B2Api(world.sdk.InMemoryAccountInfo(), api_config=config)
        other.authorize_account(*world.raw.create_account())
        theirs = other.create_bucket('theirs', 'allPrivate')
        world.see('both', lambda: program.helper.setup_both(program.bucket('bucket-a'), theirs))
        program.look('after')
        world.see('their keys', lambda: keys_of(other))
        assert len(world.seen['after: keys']) == len(world.seen['their keys']) == 1

    assert_same_in_both(run)


@pytest.mark.parametrize(
    'options',
    [
        {'name': 'not a name'},
        {'name': 'x' * 65},
        {'name': ''},
        {'priority': 0},
        {'priority': 2**31},
    ],
)
def test_rules_that_cannot_be(options: dict[str, Any]) -> None:
    """b2sdk finds them out when the key is made and the destination is changed."""

    def run(world: World) -> None:
        program = Program(world, {})
        pair = program.bucket('bucket-a'), program.bucket('bucket-b')
        world.see('setup', lambda: program.helper.setup_both(*pair, **options))
        assert world.seen['setup'].startswith('raises ValueError: ')
        if world.sdk is b2fast:
            assert list(world.api.list_keys()) == []
            assert [program.bucket(bucket.name).revision for bucket in pair] == [1, 1]

    assert_same_in_both(run)


@pytest.mark.parametrize('side', ['source', 'destination'])
def test_a_bucket_that_was_changed_meanwhile(side: str) -> None:
    """b2sdk finds it out when that side is to be changed."""

    def run(world: World) -> None:
        program = Program(world, {})
        pair = {'source': program.bucket('bucket-a'), 'destination': program.bucket('bucket-b')}
        pair[side].update(bucket_info={'a': 'b'})
        world.see('setup', lambda: program.helper.setup_both(*pair.values()))
        world.seen['setup'], _, text = world.seen['setup'].partition(': ')
        if world.sdk is b2fast:
            assert pair[side].name in text
            assert list(world.api.list_keys()) == []

    assert_same_in_both(run)
