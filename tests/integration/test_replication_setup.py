"""Setting up replication: what is refused before anything changes, and what is told half way."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from b2fast import B2Api, Bucket, ReplicationConfiguration, ReplicationRule, ReplicationSetupHelper
from b2fast.exception import (
    B2Error,
    BadRequest,
    BucketIdNotFound,
    Conflict,
    InvalidArgument,
    Unauthorized,
)
from b2fast.simulator import Fault, FaultScript

from ..conftest import Account, new_raw_account

NEEDED = {
    'listBuckets',
    'listKeys',
    'readBucketReplications',
    'writeBucketReplications',
    'writeBuckets',
    'writeKeys',
}
faithful = pytest.mark.parametrize('account', ['faithful', 'http'], indirect=True)


@pytest.fixture
def source(api: B2Api) -> Bucket:
    return api.create_bucket('the-source', 'allPrivate')


@pytest.fixture
def destination(api: B2Api) -> Bucket:
    return api.create_bucket('the-destination', 'allPrivate')


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The secrets of all keys that are made from now on."""
    made: list[str] = []
    create_key = B2Api.create_key

    def create_and_note(*args: Any, **kwargs: Any) -> Any:
        key = create_key(*args, **kwargs)
        made.append(key.application_key)
        return key

    monkeypatch.setattr(B2Api, 'create_key', create_and_note)
    return made


def with_capabilities(account: Account, capabilities: set[str]) -> B2Api:
    key = account.api.create_key(sorted(capabilities), 'restricted')
    api = account.new_api()
    api.authorize_account(key.id_, key.application_key, account.realm)
    return api


def key_names(api: B2Api) -> list[str]:
    return [key.key_name for key in api.list_keys()]


def unchanged(*buckets: Bucket) -> bool:
    return all(bucket.get_fresh_state().revision == bucket.revision for bucket in buckets)


def test_keys_are_made_once(api: B2Api, source: Bucket, destination: Bucket) -> None:
    helper = ReplicationSetupHelper()
    source, destination = helper.setup_both(source, destination)
    source, destination = helper.setup_both(source, destination, prefix='in/')
    assert sorted(key_names(api)) == ['the-destination-replidst', 'the-source-replisrc']
    assert source.replication is not None
    assert [
        (rule.name, rule.priority, rule.file_name_prefix) for rule in source.replication.rules
    ] == [('the-destination', 128, ''), ('the-destination2', 133, 'in/')]
    assert unchanged(source, destination)
    for key in api.list_keys():
        bucket = source if key.key_name.endswith('src') else destination
        assert key.bucket_ids == [bucket.id_]


def test_buckets_from_the_cache_keep_what_they_have(
    api: B2Api, source: Bucket, destination: Bucket
) -> None:
    """They know their names only, and b2sdk takes their configurations for empty."""
    helper = ReplicationSetupHelper()
    helper.setup_both(source, destination, 'first')
    cached = api.get_bucket_by_name(source.name), api.get_bucket_by_name(destination.name)
    assert [bucket.replication for bucket in cached] == [None, None]
    changed, _ = helper.setup_both(*cached, 'second')
    assert changed.replication is not None
    assert [rule.name for rule in changed.replication.rules] == ['first', 'second']


def test_arguments_are_not_changed(source: Bucket, destination: Bucket) -> None:
    before = source.as_dict(), destination.as_dict()
    ReplicationSetupHelper().setup_both(source, destination)
    assert (source.as_dict(), destination.as_dict()) == before


def test_a_new_source_key_is_told_to_the_log(
    source: Bucket, destination: Bucket, api: B2Api, caplog: pytest.LogCaptureFixture
) -> None:
    helper = ReplicationSetupHelper()
    source, destination = helper.setup_both(source, destination, 'first')
    assert source.replication is not None
    api.delete_key_by_id(str(source.replication.source_key_id))
    with caplog.at_level(logging.INFO, 'b2fast'):
        helper.setup_both(source, destination, 'second')
    gone, replaced = caplog.messages
    assert 'does not exist any more' in gone
    assert 'the-source' in replaced
    assert replaced.endswith(': first')


def test_long_bucket_names_make_short_rule_names() -> None:
    """`RawSimulator` takes any number of rules."""
    api = new_raw_account().api
    source = api.create_bucket('the-source', 'allPrivate')
    destination = api.create_bucket('x' * 63, 'allPrivate')
    names = ['x' * 63, *('x' * 63 + str(digit) for digit in range(2, 10))]
    rules = [ReplicationRule(destination.id_, name) for name in names]
    source = source.update(replication=ReplicationConfiguration(rules, 'a-key'))
    source, _ = ReplicationSetupHelper().setup_both(source, destination)
    assert source.replication is not None
    assert source.replication.rules[-1].name == 'x' * 62 + '10'


# Refused before anything is changed


@pytest.mark.parametrize('side', ['source', 'destination'])
@pytest.mark.parametrize(
    'missing',
    [
        'listBuckets',
        'readBucketReplications',
        'writeBucketReplications',
        'writeBuckets',
        'writeKeys',
    ],
)
def test_a_capability_is_missing(
    account: Account, source: Bucket, destination: Bucket, side: str, missing: str
) -> None:
    restricted = with_capabilities(account, NEEDED - {missing})
    pair = {'source': source, 'destination': destination}
    name = pair[side].name
    pair[side] = Bucket(restricted, pair[side].id_, name)
    with pytest.raises(Unauthorized, match=rf'lacks {missing}, .*bucket {name}'):
        ReplicationSetupHelper().setup_both(*pair.values())
    assert unchanged(source, destination)
    assert key_names(account.api) == ['restricted']


def test_the_capability_to_look_for_keys_is_missing(
    account: Account, source: Bucket, destination: Bucket
) -> None:
    helper = ReplicationSetupHelper()
    source, destination = helper.setup_both(source, destination)
    restricted = with_capabilities(account, NEEDED - {'listKeys'})
    for pair in (
        (Bucket(restricted, source.id_, source.name), destination),
        (source, Bucket(restricted, destination.id_, destination.name)),
    ):
        with pytest.raises(Unauthorized, match='lacks listKeys'):
            helper.setup_both(*pair)
    assert unchanged(source, destination)


def test_the_capabilities_that_are_needed_suffice(
    account: Account, source: Bucket, destination: Bucket
) -> None:
    restricted = with_capabilities(
        account,
        NEEDED
        | {*ReplicationSetupHelper.DEFAULT_SOURCE_CAPABILITIES}
        | {*ReplicationSetupHelper.DEFAULT_DESTINATION_CAPABILITIES},
    )
    helper = ReplicationSetupHelper()
    changed, _ = helper.setup_both(
        Bucket(restricted, source.id_, source.name),
        Bucket(restricted, destination.id_, destination.name),
    )
    assert changed.replication is not None
    assert changed.replication.is_source


@pytest.mark.parametrize('side', ['source', 'destination'])
def test_a_bucket_is_gone(api: B2Api, source: Bucket, destination: Bucket, side: str) -> None:
    gone = source if side == 'source' else destination
    api.delete_bucket(gone)
    with pytest.raises(BucketIdNotFound, match=gone.id_):
        ReplicationSetupHelper().setup_both(source, destination)
    assert key_names(api) == []


def test_bad_input(api: B2Api, source: Bucket, destination: Bucket) -> None:
    helper = ReplicationSetupHelper()
    with pytest.raises(InvalidArgument, match='bucket the-source cannot replicate to itself'):
        helper.setup_both(source, source)
    with pytest.raises(InvalidArgument, match='source_key_id is required'):
        helper.setup_destination('', destination)
    assert unchanged(source, destination)
    assert key_names(api) == []
    source, destination = helper.setup_both(source, destination, 'a-rule')
    with pytest.raises(InvalidArgument, match='bucket the-source has already: a-rule'):
        helper.setup_both(source, destination, 'a-rule')
    assert unchanged(source, destination)


# Half way


Inject = Callable[..., None]


@pytest.fixture
def inject(account: Account) -> Inject:
    def inject(**fields: Any) -> None:
        assert account.server is not None
        account.server.play(FaultScript((Fault(**fields),)))

    return inject


@faithful
@pytest.mark.parametrize(
    ('call', 'skip', 'done', 'not_done'),
    [
        ('b2_create_key', 1, ['the-source-replisrc'], ['the-destination-replidst', 'accepts']),
        ('b2_update_bucket', 0, ['the-source-replisrc', 'the-destination-replidst'], ['accepts']),
        (
            'b2_update_bucket',
            1,
            ['the-source-replisrc', 'the-destination-replidst', 'the-destination accepts'],
            [],
        ),
    ],
)
def test_what_has_been_done_is_told(
    api: B2Api,
    source: Bucket,
    destination: Bucket,
    inject: Inject,
    secrets: list[str],
    caplog: pytest.LogCaptureFixture,
    call: str,
    skip: int,
    done: list[str],
    not_done: list[str],
) -> None:
    inject(call=call, skip=skip, status=400)
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(BadRequest, match='A scripted fault') as refused,
    ):
        ReplicationSetupHelper().setup_both(source, destination)
    (note,) = refused.value.__notes__
    for text in done:
        assert text in note
    for text in not_done:
        assert text not in note
    for key in api.list_keys():
        assert key.id_ in note
    assert any(note in message for message in caplog.messages)
    assert len(secrets) == len(list(api.list_keys())) > 0
    for secret in secrets:
        assert secret not in repr(refused.value) + str(refused.value) + note
        assert secret not in caplog.text


@faithful
def test_going_on_from_half_way(
    api: B2Api, source: Bucket, destination: Bucket, inject: Inject
) -> None:
    helper = ReplicationSetupHelper()
    inject(call='b2_update_bucket', skip=0, status=400)
    with pytest.raises(BadRequest):
        helper.setup_both(source, destination)
    (source_key,) = (key for key in api.list_keys() if key.key_name == 'the-source-replisrc')
    destination = helper.setup_destination(source_key.id_, destination)
    source = helper.setup_source(source, source_key, destination)
    version = source.upload_bytes(b'data', 'file')
    assert destination.get_file_info_by_name('file').size == version.size


@faithful
def test_nothing_is_told_if_nothing_was_done(
    api: B2Api, source: Bucket, destination: Bucket, inject: Inject
) -> None:
    helper = ReplicationSetupHelper()
    inject(call='b2_create_key', status=400)
    with pytest.raises(BadRequest) as refused:
        helper.setup_both(source, destination)
    assert not hasattr(refused.value, '__notes__')
    assert key_names(api) == []
    assert unchanged(source, destination)


@faithful
@pytest.mark.parametrize('side', ['source', 'destination'])
def test_a_bucket_is_changed_in_between(
    source: Bucket, destination: Bucket, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    """Somebody else is faster; what they did stays."""
    changed = source if side == 'source' else destination
    create_key = B2Api.create_key

    def change_and_create(api: B2Api, *args: Any, **kwargs: Any) -> Any:
        changed.update(replication=ReplicationConfiguration(), bucket_info={'a': 'b'})
        return create_key(api, *args, **kwargs)

    monkeypatch.setattr(B2Api, 'create_key', change_and_create)
    with pytest.raises(Conflict) as refused:
        ReplicationSetupHelper().setup_both(source, destination)
    (note,) = refused.value.__notes__
    assert ('the-destination accepts' in note) is (side == 'source')
    present = changed.get_fresh_state()
    assert present.bucket_info == {'a': 'b'}
    assert present.replication == ReplicationConfiguration()


@faithful
@pytest.mark.parametrize('skip', [0, 1])
def test_a_lost_answer(source: Bucket, destination: Bucket, inject: Inject, skip: int) -> None:
    """The update is repeated, and refused because of the revision that the first one made."""
    inject(call='b2_update_bucket', skip=skip, cut_after=0)
    changed = ReplicationSetupHelper().setup_both(source, destination)
    assert [bucket.revision for bucket in changed] == [
        bucket.get_fresh_state().revision for bucket in changed
    ]
    changed[0].upload_bytes(b'data', 'file')
    assert changed[1].get_file_info_by_name('file').size == 4


@faithful
def test_a_key_that_may_have_been_made(
    api: B2Api, source: Bucket, destination: Bucket, inject: Inject
) -> None:
    inject(call='b2_create_key', cut_after=0, count=100)
    with pytest.raises(B2Error) as failed:
        ReplicationSetupHelper().setup_both(source, destination)
    (note,) = failed.value.__notes__[-1:]
    assert 'a key the-source-replisrc may have been made' in note
    assert set(key_names(api)) == {'the-source-replisrc'}
    assert unchanged(source, destination)


def test_no_secret_is_shown(
    source: Bucket, destination: Bucket, secrets: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    helper = ReplicationSetupHelper()
    with caplog.at_level(logging.DEBUG):
        changed = helper.setup_both(source, destination)
    assert len(secrets) == 2
    shown = ''.join([caplog.text, repr(helper), *map(repr, changed), str(changed[0].as_dict())])
    assert not [secret for secret in secrets if secret in shown]
