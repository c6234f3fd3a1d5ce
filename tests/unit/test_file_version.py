"""File versions, made of answers and of headers."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import pytest

from b2fast import (
    EMPTY_RANGE,
    SSE_B2_AES,
    SSE_NONE,
    B2Api,
    DownloadVersionFactory,
    EncryptionMode,
    FileIdAndName,
    FileRetentionSetting,
    FileVersion,
    FileVersionFactory,
    LegalHold,
    Part,
    Range,
    ReplicationStatus,
    RetentionMode,
    UnfinishedLargeFile,
)
from b2fast.exception import UnexpectedCloudBehaviour

API = cast(B2Api, None)
SHA1 = 'a' * 40
OTHER_SHA1 = 'c' * 40

ANSWER: dict[str, Any] = {
    'accountId': 'account',
    'bucketId': 'bucket',
    'fileId': 'id',
    'fileName': 'name',
    'action': 'upload',
    'contentLength': 5,
    'contentSha1': SHA1,
    'contentMd5': None,
    'contentType': 'text/plain',
    'fileInfo': {},
    'uploadTimestamp': 77,
    'fileRetention': {
        'isClientAuthorizedToRead': True,
        'value': {'mode': None, 'retainUntilTimestamp': None},
    },
    'legalHold': {'isClientAuthorizedToRead': True, 'value': None},
    'serverSideEncryption': {'mode': None, 'algorithm': None},
}

HEADERS = {
    'Content-Length': '10',
    'Content-Type': 'text/plain',
    'X-Bz-File-Id': 'id',
    'X-Bz-File-Name': 'a+b%2Bc%20d%C3%BC',
    'X-Bz-Content-Sha1': SHA1,
    'X-Bz-Upload-Timestamp': '77',
    'X-Bz-Info-color': 'light%20blue',
    'x-bz-info-Form': 'r%C3%BCnd',
}


def made_of(**changes: Any) -> FileVersion:
    return FileVersionFactory(API).from_api_response({**ANSWER, **changes})


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in ANSWER.items() if name not in names}


def test_plain_version() -> None:
    version = made_of()
    assert version.as_dict() == {
        'accountId': 'account',
        'bucketId': 'bucket',
        'fileId': 'id',
        'fileName': 'name',
        'action': 'upload',
        'size': 5,
        'contentSha1': SHA1,
        'contentType': 'text/plain',
        'fileInfo': {},
        'uploadTimestamp': 77,
        'fileRetention': {'mode': None, 'retainUntilTimestamp': None},
        'legalHold': None,
        'serverSideEncryption': {'mode': 'none'},
        'replicationStatus': None,
    }


def test_everything_that_can_be_told() -> None:
    version = made_of(
        contentMd5='d' * 32,
        fileRetention={
            'isClientAuthorizedToRead': True,
            'value': {'mode': 'governance', 'retainUntilTimestamp': 5},
        },
        legalHold={'isClientAuthorizedToRead': True, 'value': 'on'},
        serverSideEncryption={'mode': 'SSE-B2', 'algorithm': 'AES256'},
        replicationStatus='pending',
    )
    assert version.content_md5 == version.as_dict()['contentMd5'] == 'd' * 32
    assert version.file_retention == FileRetentionSetting(RetentionMode.GOVERNANCE, 5)
    assert version.legal_hold is LegalHold.ON
    assert version.server_side_encryption == SSE_B2_AES
    assert version.replication_status is ReplicationStatus.PENDING
    assert version.as_dict()['replicationStatus'] == 'PENDING'


def test_what_the_key_may_not_read() -> None:
    hidden = {'isClientAuthorizedToRead': False, 'value': None}
    version = made_of(fileRetention=hidden, legalHold=hidden)
    assert version.file_retention.mode is RetentionMode.UNKNOWN
    assert version.legal_hold is LegalHold.UNKNOWN


@pytest.mark.parametrize(
    ('content_sha1', 'info', 'digest', 'verified', 'known'),
    [
        (SHA1, {}, SHA1, True, SHA1),
        (f'unverified:{SHA1}', {}, SHA1, False, SHA1),
        ('none', {}, 'none', True, None),
        (None, {}, None, True, None),
        ('none', {'large_file_sha1': OTHER_SHA1}, 'none', True, OTHER_SHA1),
        (None, {'large_file_sha1': OTHER_SHA1}, None, True, OTHER_SHA1),
        (SHA1, {'large_file_sha1': OTHER_SHA1}, SHA1, True, SHA1),
    ],
)
def test_content_sha1(
    content_sha1: str | None,
    info: dict[str, str],
    digest: str | None,
    verified: bool,
    known: str | None,
) -> None:
    version = made_of(contentSha1=content_sha1, fileInfo=info)
    assert version.content_sha1 == digest
    assert version.content_sha1_verified is verified
    assert version.get_content_sha1() == known
    assert version.as_dict().get('contentSha1') == content_sha1


@pytest.mark.parametrize(
    ('text', 'expected'),
    [('123', 123), ('-5', -5), ('nonsense', 77), ('1.5', 77), ('', 77)],
)
def test_mod_time(text: str, expected: int) -> None:
    assert made_of(fileInfo={'src_last_modified_millis': text}).mod_time_millis == expected


def test_mod_time_of_a_file_without_one() -> None:
    assert made_of().mod_time_millis == 77


def test_answers_of_other_shapes() -> None:
    factory = FileVersionFactory(API)
    assert factory.from_api_response({**without('contentLength'), 'size': 7}).size == 7
    assert factory.from_api_response(without('action'), force_action='hide').action == 'hide'
    bare = factory.from_api_response(
        {**without('contentType', 'contentSha1', 'fileInfo', 'uploadTimestamp'), 'action': 'hide'}
    )
    assert (bare.content_type, bare.content_sha1, bare.file_info) == (None, None, {})
    with pytest.raises(ValueError, match='no size'):
        factory.from_api_response(without('contentLength'))
    with pytest.raises(AssertionError):
        factory.from_api_response(ANSWER, force_action='hide')


def test_hide_marker_and_folder_have_no_lock() -> None:
    for action in ('hide', 'folder'):
        version = FileVersionFactory(API).from_api_response(
            {**without('fileRetention', 'legalHold', 'serverSideEncryption'), 'action': action}
        )
        assert version.legal_hold is LegalHold.UNSET
        assert version.server_side_encryption == SSE_NONE


def test_headers_in_the_file_info() -> None:
    version = made_of(
        fileInfo={
            'b2-expires': 'Wed, 02 Jan 2030 03:04:05 GMT',
            'b2-cache-control': 'max-age=1',
            'b2-content-disposition': 'inline',
            'b2-content-encoding': 'gzip',
            'b2-content-language': 'de',
        }
    )
    assert version.expires_parsed() == dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert version.cache_control == 'max-age=1'
    assert version.content_disposition == 'inline'
    assert version.content_encoding == 'gzip'
    assert version.content_language == 'de'
    assert made_of().expires_parsed() is None
    with pytest.raises(ValueError, match='tomorrow'):
        made_of(fileInfo={'b2-expires': 'tomorrow'}).expires_parsed()


def test_equality() -> None:
    assert made_of() == made_of()
    assert made_of() != made_of(fileInfo={'a': 'b'})
    assert made_of() != 3
    assert made_of() != download_version()
    with pytest.raises(TypeError):
        hash(made_of())


def test_repr_tells_what_matters() -> None:
    assert "id_='id'" in repr(made_of())
    assert "file_name='name'" in repr(made_of())


def test_versions_are_small() -> None:
    assert not hasattr(made_of(), '__dict__')


def test_updates_return_a_changed_version() -> None:
    class Api:
        def update_file_legal_hold(self, id_: str, name: str, hold: LegalHold) -> LegalHold:
            assert (id_, name) == ('id', 'name')
            return hold

        def update_file_retention(
            self, id_: str, name: str, retention: FileRetentionSetting, bypass: bool
        ) -> FileRetentionSetting:
            assert (id_, name, bypass) == ('id', 'name', True)
            return retention

    version = FileVersionFactory(cast(B2Api, Api())).from_api_response(ANSWER)
    held = version.update_legal_hold(LegalHold.ON)
    assert held.legal_hold is LegalHold.ON
    assert version.legal_hold is LegalHold.UNSET
    retention = FileRetentionSetting(RetentionMode.COMPLIANCE, 9)
    assert held.update_retention(retention, True).file_retention == retention
    assert isinstance(held, FileVersion)


@pytest.mark.parametrize(('length', 'large'), [(2000, False), (2048, True), (7000, True)])
def test_large_header(length: int, large: bool) -> None:
    assert made_of(fileInfo={'key': 'x' * length}).has_large_header is large


def test_large_header_counts_what_is_encoded() -> None:
    assert made_of(fileInfo={'key': 'ü' * 400}).has_large_header


def download_version(**headers: str) -> Any:
    named = {name.replace('_', '-'): value for name, value in headers.items()}
    return DownloadVersionFactory(API).from_response_headers({**HEADERS, **named})


def test_download_version() -> None:
    version = download_version()
    assert version.id_ == 'id'
    assert version.file_name == 'a b+c dü'
    assert version.file_info == {'color': 'light blue', 'Form': 'ründ'}
    assert (version.size, version.content_length, version.range_) == (10, 10, Range(0, 9))
    assert version.upload_timestamp == version.mod_time_millis == 77
    assert version.server_side_encryption == SSE_NONE
    assert version == download_version()


def test_names_of_headers_in_lower_case() -> None:
    lower = {name.lower(): value for name, value in HEADERS.items()}
    version = DownloadVersionFactory(API).from_response_headers(lower)
    assert version.content_sha1 == SHA1
    assert version.content_type == 'text/plain'


def test_download_version_of_a_range() -> None:
    version = download_version(Content_Range='bytes 3-12/100')
    assert (version.size, version.content_length, version.range_) == (100, 10, Range(3, 12))
    with pytest.raises(AssertionError):
        download_version(Content_Range='bytes 3-12/*')


def test_download_version_of_nothing() -> None:
    assert download_version(Content_Length='0').range_ == EMPTY_RANGE


def test_further_headers() -> None:
    version = download_version(
        X_Bz_Server_Side_Encryption='AES256',
        X_Bz_File_Legal_Hold='on',
        X_Bz_Replication_Status='completed',
        Cache_Control='no-store',
        Expires='Wed, 02 Jan 2030 03:04:05 GMT',
        Content_Disposition='inline',
        Content_Encoding='gzip',
        Content_Language='de',
    )
    assert version.server_side_encryption.mode is EncryptionMode.SSE_B2
    assert version.legal_hold is LegalHold.ON
    assert version.replication_status is ReplicationStatus.COMPLETED
    told = version.as_dict()
    assert told['cacheControl'] == 'no-store'
    assert told['expires'] == 'Wed, 02 Jan 2030 03:04:05 GMT'
    assert told['contentDisposition'] == 'inline'
    assert told['contentEncoding'] == 'gzip'
    assert told['contentLanguage'] == 'de'
    assert version.expires_parsed() == dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert download_version().expires_parsed() is None


def test_file_id_and_name() -> None:
    deleted = FileIdAndName.from_cancel_or_delete_response({'fileId': 'i', 'fileName': 'n'})
    assert deleted == FileIdAndName('i', 'n')
    assert deleted != FileIdAndName('i', 'm')
    assert deleted != 3
    assert deleted.as_dict() == {'action': 'delete', 'fileId': 'i', 'fileName': 'n'}
    assert repr(deleted) == "FileIdAndName('i', 'n')"


def test_part() -> None:
    part = Part('file', 1, 5, SHA1)
    assert part == Part('file', 1, 5, SHA1)
    assert part != Part('file', 2, 5, SHA1)
    assert repr(part) == f'<Part file 1 5 {SHA1}>'


def test_unfinished_large_file() -> None:
    unfinished = UnfinishedLargeFile({**ANSWER, 'fileInfo': {'b2-expires': 'x'}})
    assert (unfinished.file_id, unfinished.bucket_id) == ('id', 'bucket')
    assert unfinished.expires == 'x'
    assert unfinished.encryption == SSE_NONE
    assert repr(unfinished) == '<UnfinishedLargeFile bucket name>'
    assert unfinished != UnfinishedLargeFile(ANSWER)


def test_headers_of_another_server() -> None:
    with pytest.raises(UnexpectedCloudBehaviour, match='x-bz-file-id, x-bz-file-name'):
        DownloadVersionFactory(API).from_response_headers({'Content-Length': '5'})
