"""Account data in memory, caches, keys and what a key is restricted to, beside those of b2sdk."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from b2sdk import v3 as theirs
from b2sdk._internal.raw_simulator import RawSimulator as TheirSimulator
from hypothesis import given, settings, strategies as st

import b2fast as ours

from .account_info_worker import Named
from .outcomes import outcome

NAMES = st.sampled_from(['one', 'two', 'three'])
IDS = st.sampled_from(['1', '2', '3'])
BUCKETS = st.builds(Named, NAMES, IDS)
TEXTS = st.text(max_size=4)

AUTHORIZATIONS = st.fixed_dictionaries(
    {
        **dict.fromkeys(
            ('auth_token', 'api_url', 'download_url', 's3_api_url', 'application_key'),
            st.none() | TEXTS,
        ),
        'recommended_part_size': st.none() | st.integers(),
        'absolute_minimum_part_size': st.none() | st.integers(),
        'realm': st.sampled_from(['dev', 'production']),
        'account_id': st.sampled_from(['account', 'other', '']),
        'application_key_id': st.sampled_from(
            ['account', '000account0000000000', '0000000000', '000other00000000000', 'x']
        ),
        'allowed': st.sampled_from(
            [
                None,
                {'buckets': None, 'capabilities': [], 'namePrefix': None},
                {'buckets': [{'id': '1', 'name': None}], 'capabilities': ['a'], 'namePrefix': 'x'},
            ]
        ),
    }
)


def calls_of(*kinds: tuple[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Lists of calls: a name and a tuple or a dict of arguments."""
    return st.lists(st.one_of(*(st.tuples(st.just(name), args) for name, args in kinds)))


NONE = st.just(())
ACCOUNT_CALLS = calls_of(
    ('set_auth_data', AUTHORIZATIONS),
    ('clear', NONE),
    ('save_bucket', st.tuples(BUCKETS)),
    ('remove_bucket_name', st.tuples(NAMES)),
    ('refresh_entire_bucket_name_cache', st.tuples(st.lists(BUCKETS.map(tuple)))),
    ('get_bucket_id_or_none_from_bucket_name', st.tuples(NAMES)),
    ('get_bucket_name_or_none_from_bucket_id', st.tuples(IDS)),
    ('list_bucket_names_ids', NONE),
    ('put_bucket_upload_url', st.tuples(IDS, TEXTS, TEXTS)),
    ('take_bucket_upload_url', st.tuples(IDS)),
    ('clear_bucket_upload_data', st.tuples(IDS)),
    ('put_large_file_upload_url', st.tuples(IDS, TEXTS, TEXTS)),
    ('take_large_file_upload_url', st.tuples(IDS)),
    ('clear_large_file_upload_urls', st.tuples(IDS)),
    ('is_same_account', st.tuples(st.sampled_from(['account', 'other']), st.just('dev'))),
    ('is_same_key', st.tuples(st.sampled_from(['account', 'x']), st.just('dev'))),
    ('is_master_key', NONE),
    *(
        (f'get_{name}', NONE)
        for name in (
            *('account_id', 'application_key_id', 'account_auth_token', 'api_url', 'realm'),
            *('application_key', 'download_url', 'allowed', 's3_api_url'),
            *('recommended_part_size', 'absolute_minimum_part_size'),
        )
    ),
)


def made(thing: Any, calls: Sequence[tuple[str, Any]]) -> list[Any]:
    """What comes of the calls."""

    def make(name: str, arguments: Any) -> Any:
        method = getattr(thing, name)
        return method(**arguments) if isinstance(arguments, dict) else method(*arguments)

    return [outcome(lambda name=name, args=args: make(name, args)) for name, args in calls]


@settings(max_examples=300)
@given(ACCOUNT_CALLS)
def test_account_data_in_memory(calls: Sequence[tuple[str, Any]]) -> None:
    assert made(ours.InMemoryAccountInfo(), calls) == made(theirs.InMemoryAccountInfo(), calls)


@settings(max_examples=300)
@given(
    AUTHORIZATIONS,
    ACCOUNT_CALLS.map(
        # b2sdk's stub keeps this URL when it is cleared, and has none before the first.
        lambda calls: [call for call in calls if call[0] not in ('clear', 'get_s3_api_url')]
    ),
    st.lists(IDS),
)
def test_the_stub(data: dict[str, Any], calls: Sequence[Any], ids: Sequence[str]) -> None:
    calls = [
        *((name, arguments) for name, arguments in calls if name != 'is_master_key'),
        ('set_auth_data', data),
        ('is_master_key', ()),
        ('get_s3_api_url', ()),
        *(('get_bucket_upload_data', (id_,)) for id_ in ids),
        ('clear', ()),
        ('list_bucket_names_ids', ()),
        ('get_api_url', ()),
    ]
    assert made(ours.StubAccountInfo(), calls) == made(theirs.StubAccountInfo(), calls)


@pytest.mark.parametrize('missing', ['buckets', 'capabilities', 'namePrefix', None])
def test_allowances(missing: str | None) -> None:
    allowed = {name: None for name in ('buckets', 'capabilities', 'namePrefix') if name != missing}
    for kind in ('InMemoryAccountInfo', 'StubAccountInfo', 'AbstractAccountInfo'):
        mine, other = getattr(ours, kind), getattr(theirs, kind)
        assert mine.allowed_is_valid(allowed) == other.allowed_is_valid(allowed) == (not missing)
        assert mine.DEFAULT_ALLOWED == other.DEFAULT_ALLOWED
        assert mine.all_capabilities() == other.all_capabilities()


@given(
    calls_of(
        ('put', st.tuples(IDS, TEXTS, TEXTS)),
        ('take', st.tuples(IDS)),
        ('clear_for_key', st.tuples(IDS)),
    )
)
def test_upload_url_pools(calls: Sequence[tuple[str, Any]]) -> None:
    assert made(ours.UploadUrlPool(), calls) == made(theirs.UploadUrlPool(), calls)


@pytest.mark.parametrize('kind', ['DummyCache', 'InMemoryCache', 'AuthInfoCache'])
@given(
    calls=calls_of(
        ('save_bucket', st.tuples(BUCKETS)),
        ('set_bucket_name_cache', st.tuples(st.lists(BUCKETS))),
        ('clear', NONE),
        ('get_bucket_id_or_none_from_bucket_name', st.tuples(NAMES)),
        ('get_bucket_name_or_none_from_bucket_id', st.tuples(IDS)),
        ('list_bucket_names_ids', NONE),
    )
)
def test_caches(kind: str, calls: Sequence[tuple[str, Any]]) -> None:
    def cache(library: Any) -> Any:
        arguments = (library.InMemoryAccountInfo(),) if kind == 'AuthInfoCache' else ()
        return getattr(library, kind)(*arguments)

    assert made(cache(ours), calls) == made(cache(theirs), calls)


KEY_OBJECTS = st.fixed_dictionaries(
    {
        'keyName': TEXTS,
        'applicationKeyId': TEXTS,
        'capabilities': st.lists(TEXTS),
        'accountId': TEXTS,
        'applicationKey': TEXTS,
    },
    optional={
        'expirationTimestamp': st.none() | st.integers(),
        'bucketIds': st.none() | st.lists(TEXTS),
        'namePrefix': st.none() | TEXTS,
        'options': st.none() | st.lists(TEXTS),
        'more': TEXTS,
    },
)


@given(KEY_OBJECTS, st.lists(TEXTS), st.none() | st.sampled_from(['keyName', 'applicationKey']))
def test_application_keys(
    answer: dict[str, Any], capabilities: list[str], missing: str | None
) -> None:
    answer = {name: value for name, value in answer.items() if name != missing}

    def look(make: Callable[[dict[str, Any]], Any]) -> Any:
        key = make(answer)
        return key.as_dict(), vars(key), key.has_capabilities(capabilities)

    for call in (
        lambda library: look(library.ApplicationKey.from_api_response),
        lambda library: look(library.FullApplicationKey.from_create_response),
        lambda library: library.ApplicationKey.parse_response_dict(answer),
        lambda library: library.FullApplicationKey.parse_response_dict(answer),
    ):
        mine, other = (outcome(lambda lib=lib, call=call: call(lib)) for lib in (ours, theirs))
        # The order of attributes is not what counts.
        assert sorted(str(mine)) == sorted(str(other))


def test_no_key_is_shown() -> None:
    answer = {'keyName': 'n', 'applicationKeyId': 'i', 'capabilities': [], 'accountId': 'a'}
    key = ours.FullApplicationKey.from_create_response({**answer, 'applicationKey': 'hush'})
    assert 'hush' not in repr(key) + str(key)


class Restricted:
    """An API object whose key is restricted as given."""

    def __init__(self, library: Any, simulator: type, buckets: Any) -> None:
        self.raw = simulator()
        config = library.B2HttpApiConfig(_raw_api_class=lambda *_: self.raw)
        info = library.InMemoryAccountInfo()
        self.api = library.B2Api(info, library.InMemoryCache(), api_config=config)
        self.api.authorize_account(*self.raw.create_account())
        data = {
            'account_id': info.get_account_id(),
            'auth_token': info.get_account_auth_token(),
            'api_url': info.get_api_url(),
            'download_url': info.get_download_url(),
            'recommended_part_size': 1,
            'absolute_minimum_part_size': 1,
            'application_key': info.get_application_key(),
            'realm': info.get_realm(),
            's3_api_url': info.get_s3_api_url(),
            'application_key_id': info.get_application_key_id(),
        }
        allowed = {'buckets': buckets, 'capabilities': [], 'namePrefix': None}
        info.set_auth_data(**data, allowed=allowed)


ENTRIES = [{'id': '1', 'name': 'one-1'}, {'id': '2', 'name': 'two-2'}, {'id': '3', 'name': None}]
BUCKET_LISTS: list[Any] = [
    None,
    *(list(entries) for n in range(4) for entries in itertools.combinations(ENTRIES, n)),
]
VALUES = ['one-1', 'two-2', 'four-4', '1', '2', '3', '4', '', None, 'One-1']


@pytest.mark.parametrize('buckets', BUCKET_LISTS)
def test_restrictions(buckets: Any) -> None:
    def look(library: Any, simulator: type) -> list[Any]:
        api = Restricted(library, simulator, buckets).api
        calls: list[Callable[[Any], Any]] = [
            api.check_bucket_name_restrictions,
            api.check_bucket_id_restrictions,
            lambda value: api.get_download_url_for_file_name(value, 'a b/ü+&?#%'),
            lambda value: api.get_bucket_by_name(value or 'x').name,
            lambda value: api.get_bucket_by_id(value or 'x').id_,
            lambda value: [b.name for b in api.list_buckets(value)],
            lambda value: [b.name for b in api.list_buckets(bucket_id=value)],
            lambda value: [b.name for b in api.list_buckets(value, use_cache=True)],
        ]
        return [
            outcome(lambda call=call, value=value: call(value))
            for call in calls
            for value in VALUES
        ]

    assert look(ours, ours.RawSimulator) == look(theirs, TheirSimulator)


@pytest.mark.parametrize('numbers', [(), (0,), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize('deleted', [(), (0,), (1,), (0, 1)])
def test_keys_whose_buckets_are_gone(numbers: Sequence[int], deleted: Sequence[int]) -> None:
    def look(library: Any, simulator: type) -> list[Any]:
        raw = simulator()
        config = library.B2HttpApiConfig(_raw_api_class=lambda *_: raw)

        def new_api() -> Any:
            return library.B2Api(library.InMemoryAccountInfo(), api_config=config)

        api = new_api()
        api.authorize_account(*raw.create_account())
        buckets = [api.create_bucket(f'bucket-{n}', 'allPrivate') for n in range(3)]
        ids = [buckets[number].id_ for number in numbers]
        key = api.create_key(['listBuckets', 'readFiles'], 'key', bucket_ids=ids or None)
        for number in deleted:
            api.delete_bucket(buckets[number])
        other = new_api()
        return [
            outcome(call)
            for call in (
                lambda: other.authorize_account(key.id_, key.application_key),
                other.account_info.get_allowed,
                lambda: sorted(other.cache.list_bucket_names_ids()),
                lambda: other.get_bucket_by_name('bucket-0').id_,
                lambda: other.get_bucket_by_id(buckets[1].id_).name,
                lambda: [bucket.name for bucket in other.list_buckets()],
                lambda: other.create_bucket('another-bucket', 'allPrivate'),
                other.authorize_automatically,
            )
        ]

    assert look(ours, ours.RawSimulator) == look(theirs, TheirSimulator)


FILE_NAMES = st.text(st.characters(exclude_categories=['Cs']), max_size=8)


@given(FILE_NAMES, st.integers(1, 604800))
def test_urls_and_download_authorization(name: str, seconds: int) -> None:
    def look(library: Any, simulator: type) -> list[Any]:
        api = Restricted(library, simulator, None).api
        bucket = api.create_bucket('a-bucket', 'allPrivate')
        return [
            outcome(call)
            for call in (
                lambda: api.get_download_url_for_file_name('a-bucket', name),
                lambda: api.get_download_url_for_fileid(name),
                lambda: bucket.get_download_url(name),
                lambda: bucket.get_download_authorization(name, seconds),
                lambda: api.session.get_download_url_by_name('a-bucket', name),
                lambda: api.session.get_download_url_by_id(name),
            )
        ]

    assert look(ours, ours.RawSimulator) == look(theirs, TheirSimulator)


def test_listing_and_deleting_keys() -> None:
    def look(library: Any, simulator: type) -> list[Any]:
        api = Restricted(library, simulator, None).api
        api.DEFAULT_LIST_KEY_COUNT = 2
        bucket = api.create_bucket('a-bucket', 'allPrivate')
        keys = [api.create_key(['listFiles'], f'key-{n}', 100 if n % 2 else None) for n in range(3)]
        keys.append(api.create_key(['listFiles'], 'x', None, [bucket.id_], 'prefix'))
        return [
            [key.as_dict() for key in keys],
            [key.as_dict() for key in api.list_keys()],
            [key.as_dict() for key in api.list_keys(keys[1].id_)],
            [api.get_key(key.id_).as_dict() for key in keys],
            api.get_key('none'),
            api.delete_key(keys[0]).as_dict(),
            api.delete_key_by_id(keys[1].id_).as_dict(),
            outcome(lambda: api.delete_key_by_id('none')),
            outcome(lambda: api.create_key(['listFiles'], 'bad name!')),
            [key.id_ for key in api.list_keys()],
        ]

    assert look(ours, ours.RawSimulator) == look(theirs, TheirSimulator)
