"""What the service answers becomes the same objects in b2sdk and in b2fast."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from b2sdk import v3 as theirs
from b2sdk._internal.raw_simulator import RawSimulator as TheirSimulator
from b2sdk._internal.utils.range_ import Range as TheirRange
from hypothesis import given, strategies as st
from requests.structures import CaseInsensitiveDict

import b2fast
from b2fast import RawSimulator
from b2fast.utils.range_ import Range

from .account_scenario import plain

ATTRIBUTES = (
    'id_',
    'file_id',
    'file_name',
    'size',
    'content_type',
    'content_sha1',
    'content_sha1_verified',
    'content_md5',
    'file_info',
    'upload_timestamp',
    'mod_time_millis',
    'account_id',
    'bucket_id',
    'action',
    'server_side_encryption',
    'encryption',
    'file_retention',
    'legal_hold',
    'replication_status',
    'cache_control',
    'expires',
    'expires_parsed',
    'content_disposition',
    'content_encoding',
    'content_language',
    'content_length',
    'part_number',
    'range_',
    'name',
    'type_',
    'bucket_info',
    'cors_rules',
    'lifecycle_rules',
    'revision',
    'options_set',
    'default_server_side_encryption',
    'default_retention',
    'is_file_lock_enabled',
    'replication',
    'get_content_sha1',
    'as_dict',
)


class Sdk:
    """One of the packages with an authorized API object."""

    def __init__(self, names: Any, simulator: Any) -> None:
        self.names = names
        config = names.B2HttpApiConfig(_raw_api_class=lambda *_: simulator)
        self.api = names.B2Api(names.InMemoryAccountInfo(), api_config=config)
        self.api.authorize_account(*simulator.create_account())


SDKS = Sdk(theirs, TheirSimulator()), Sdk(b2fast, RawSimulator())


def all_of(make: Any) -> Any:
    """All that can be seen of the object that is made, or the exception."""
    try:
        made = make()
        seen = {name: getattr(made, name) for name in ATTRIBUTES if hasattr(made, name)}
        for name, value in seen.items():
            if callable(value):
                seen[name] = value()
        key_id = (getattr(made, 'file_info', None) or {}).get('sse_c_key_id', '')
        if 'unknown' not in repr(made) and quote(key_id) == key_id:
            # b2sdk cannot tell it of what the key may not read, nor with a key ID that headers
            # have in quotation.
            seen['has_large_header'] = getattr(made, 'has_large_header', None)
        seen['equal'] = made == make()
        return plain(seen), type(made).__name__
    except Exception as error:
        # The texts are those of b2sdk where they are meant for users, in exceptions of its own.
        return type(error).__name__


def same(make: Any) -> None:
    """Does ``make(sdk)`` give the same for both?"""
    their, our = (all_of(lambda sdk=sdk: make(sdk)) for sdk in SDKS)
    assert our == their


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


TEXT = st.text(st.characters(codec='utf-8', exclude_categories=['Cs', 'Cc']), max_size=8)
SHA1 = st.sampled_from([None, 'none', 'a' * 40, 'unverified:' + 'a' * 40, 'unverified:none'])
TIMES = st.sampled_from([0, 1, 1_700_000_000_123])
ENCRYPTION = st.sampled_from(
    [
        {'mode': None, 'algorithm': None},
        {'mode': 'none'},
        {'mode': 'SSE-B2', 'algorithm': 'AES256'},
        {'mode': 'SSE-C', 'algorithm': 'AES256'},
    ]
)
RETENTION = st.sampled_from(
    [
        {'isClientAuthorizedToRead': False, 'value': None},
        {'isClientAuthorizedToRead': True, 'value': {'mode': None, 'retainUntilTimestamp': None}},
        {
            'isClientAuthorizedToRead': True,
            'value': {'mode': 'governance', 'retainUntilTimestamp': 9},
        },
        {
            'isClientAuthorizedToRead': True,
            'value': {'mode': 'compliance', 'retainUntilTimestamp': 9},
        },
    ]
)
HOLD = st.sampled_from(
    [
        {'isClientAuthorizedToRead': False, 'value': None},
        {'isClientAuthorizedToRead': True, 'value': None},
        {'isClientAuthorizedToRead': True, 'value': 'on'},
        {'isClientAuthorizedToRead': True, 'value': 'off'},
    ]
)
INFO = st.dictionaries(
    st.sampled_from(
        [
            'color',
            'large_file_sha1',
            'sse_c_key_id',
            'b2-cache-control',
            'b2-expires',
            'b2-content-disposition',
            'b2-content-encoding',
            'b2-content-language',
        ]
    ),
    st.sampled_from(['17', 'a' * 40, 'x', 'Thu, 01 Dec 1994 16:00:00 GMT', 'y' * 3000]),
    max_size=3,
)

FILE_VERSIONS = st.builds(
    lambda needed, more: {**needed, **more},
    st.fixed_dictionaries(
        {
            'accountId': st.just('account'),
            'bucketId': st.just('bucket'),
            'fileId': TEXT,
            'fileName': TEXT,
            'action': st.sampled_from(['upload', 'hide', 'start', 'copy', 'folder', 'delete']),
            'contentType': st.sampled_from([None, 'text/plain']),
            'fileInfo': INFO,
            'uploadTimestamp': TIMES,
            'contentSha1': SHA1,
        }
    ),
    optional(
        contentLength=st.integers(0, 10),
        size=st.integers(0, 10),
        contentMd5=st.sampled_from([None, 'b' * 32]),
        serverSideEncryption=ENCRYPTION,
        fileRetention=RETENTION,
        legalHold=HOLD,
        replicationStatus=st.sampled_from([None, 'pending', 'COMPLETED', 'failed', 'REPLICA']),
    ),
)


@given(FILE_VERSIONS)
def test_file_versions(answer: dict[str, Any]) -> None:
    same(lambda sdk: sdk.api.file_version_factory.from_api_response(answer))


HEADERS = st.builds(
    lambda needed, more, info: {
        **needed,
        **more,
        **{f'x-bz-info-{name}': value for name, value in info.items()},
    },
    st.fixed_dictionaries(
        {
            'x-bz-file-id': st.just('id'),
            'x-bz-file-name': st.sampled_from(['a', 'a%20b', 'a+b', '%C3%BC/x']),
            'Content-Length': st.sampled_from(['0', '1', '10']),
            'Content-Type': st.just('text/plain'),
            'x-bz-content-sha1': st.sampled_from(['none', 'a' * 40, 'unverified:' + 'a' * 40]),
            'x-bz-upload-timestamp': st.sampled_from(['0', '1700000000123']),
        }
    ),
    st.fixed_dictionaries(
        {},
        optional={
            'Content-Range': st.sampled_from(['bytes 0-9/20', 'bytes 3-3/4', 'bytes 0-0/1']),
            'X-Bz-Server-Side-Encryption': st.just('AES256'),
            'X-Bz-File-Retention-Mode': st.sampled_from(['governance', 'compliance']),
            'X-Bz-File-Retention-Retain-Until-Timestamp': st.just('9'),
            'X-Bz-File-Legal-Hold': st.sampled_from(['on', 'off']),
            'X-Bz-Client-Unauthorized-To-Read': st.sampled_from(
                [
                    'X-Bz-File-Retention-Mode,X-Bz-File-Retention-Retain-Until-Timestamp',
                    'X-Bz-File-Legal-Hold',
                    '',
                ]
            ),
            'X-Bz-Replication-Status': st.sampled_from(['pending', 'REPLICA']),
            'Cache-Control': st.just('max-age=3600'),
            'Expires': st.sampled_from(['Thu, 01 Dec 1994 16:00:00 GMT', 'never']),
            'Content-Disposition': st.just('attachment'),
            'Content-Language': st.just('en'),
            'Content-Encoding': st.just('gzip'),
        },
    ),
    optional(
        color=st.sampled_from(['a%20b', 'a+b', '%C3%BC']),
        src_last_modified_millis=st.sampled_from(['0', '1700000000123']),
        large_file_sha1=st.just('a' * 40),
    ),
)


@given(HEADERS)
def test_download_versions(headers: dict[str, str]) -> None:
    same(
        lambda sdk: sdk.api.download_version_factory.from_response_headers(
            CaseInsensitiveDict(headers)
        )
    )


@given(FILE_VERSIONS)
def test_unfinished_files_and_ids(answer: dict[str, Any]) -> None:
    same(lambda sdk: sdk.names.UnfinishedLargeFile(answer))
    same(lambda sdk: sdk.names.FileIdAndName.from_cancel_or_delete_response(answer))


def lock(value: Any) -> dict[str, Any]:
    return {'isClientAuthorizedToRead': True, 'value': value}


REPLICATIONS = st.builds(
    lambda source, destination: {
        'asReplicationSource': source,
        'asReplicationDestination': destination,
    },
    st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {
                'replicationRules': st.lists(
                    st.fixed_dictionaries(
                        {
                            'destinationBucketId': st.sampled_from(['', 'bucket']),
                            'fileNamePrefix': st.sampled_from(['', 'a/']),
                            'includeExistingFiles': st.booleans(),
                            'isEnabled': st.booleans(),
                            'priority': st.sampled_from([0, 1, 128, 2**31 - 1, 2**31]),
                            'replicationRuleName': st.sampled_from(['rule-1', 'rule 2', '']),
                        }
                    ),
                    max_size=2,
                ),
                'sourceApplicationKeyId': st.sampled_from(['key', '']),
            }
        ),
    ),
    st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {'sourceToDestinationKeyMapping': st.sampled_from([{}, {'a': 'b'}, {'': 'b'}])}
        ),
    ),
)

BUCKETS = st.builds(
    lambda needed, more: {**needed, **more},
    st.fixed_dictionaries(
        {
            'accountId': st.just('account'),
            'bucketId': st.just('id'),
            'bucketName': st.just('bucket-name'),
            'bucketType': st.sampled_from(['allPrivate', 'allPublic', 'restricted', 'new']),
            'bucketInfo': st.sampled_from([{}, {'a': 'b'}]),
            'corsRules': st.sampled_from([[], [{'corsRuleName': 'one'}]]),
            'lifecycleRules': st.sampled_from([[], [{'fileNamePrefix': 'a'}]]),
            'revision': st.integers(1, 3),
            'options': st.sampled_from([[], ['s3']]),
            'defaultServerSideEncryption': st.sampled_from(
                [
                    lock({'mode': None}),
                    lock({'mode': 'none'}),
                    lock({'mode': 'SSE-B2', 'algorithm': 'AES256'}),
                    {'isClientAuthorizedToRead': False, 'value': None},
                ]
            ),
            'fileLockConfiguration': st.sampled_from(
                [
                    lock(
                        {
                            'defaultRetention': {'mode': None, 'period': None},
                            'isFileLockEnabled': False,
                        }
                    ),
                    lock(
                        {
                            'defaultRetention': {
                                'mode': 'governance',
                                'period': {'duration': 2, 'unit': 'years'},
                            },
                            'isFileLockEnabled': True,
                        }
                    ),
                    {'isClientAuthorizedToRead': False, 'value': None},
                ]
            ),
        }
    ),
    optional(
        replicationConfiguration=st.one_of(
            REPLICATIONS.map(lock),
            st.just({'isClientAuthorizedToRead': False, 'value': None}),
            st.just(lock(None)),
        )
    ),
)


@given(BUCKETS)
def test_buckets(answer: dict[str, Any]) -> None:
    same(lambda sdk: sdk.names.BucketFactory.from_api_bucket_dict(sdk.api, answer))


@given(REPLICATIONS)
def test_replications(data: dict[str, Any]) -> None:
    same(lambda sdk: sdk.names.ReplicationConfiguration.from_dict(data))


@given(st.integers(-2, 6), st.integers(-2, 6), st.integers(0, 4), st.integers(0, 4))
def test_ranges(start: int, end: int, sub_start: int, sub_end: int) -> None:
    def seen(cls: Any) -> Any:
        try:
            made = cls(start, end)
            return made.as_tuple(), made.size(), made.subrange(sub_start, sub_end).as_tuple()
        except (ValueError, AssertionError) as error:
            return type(error).__name__

    assert str(seen(Range)).replace('AssertionError', 'ValueError') == str(
        seen(TheirRange)
    ).replace('AssertionError', 'ValueError')


@pytest.mark.parametrize(
    'header', ['bytes 0-9/20', 'bytes=0-9', 'bytes=3-', 'bytes 0-9/*', 'nonsense', 'bytes=9-3']
)
def test_ranges_of_headers(header: str) -> None:
    def seen(cls: Any, method: str) -> Any:
        try:
            return repr(getattr(cls, method)(header))
        except (ValueError, AssertionError):
            return 'ValueError'

    for method in ('from_header', 'from_header_with_size'):
        assert seen(Range, method) == seen(TheirRange, method)
