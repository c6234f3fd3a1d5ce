"""What the service answers, in the shapes of API versions 1 to 4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from b2fast.file_lock import NO_RETENTION_FILE_SETTING

from . import replication
from .bucket import Bucket
from .file import File, Part, encryption_fields
from .listing import Folder
from .profile import Profile
from .state import Key


def account(call_version: int, key: Key, token: str, base_url: str, profile: Profile) -> Any:
    """Returns the answer of `b2_authorize_account`."""
    seconds = key.expiration_timestamp_or_none
    buckets = key.buckets_or_none
    only = buckets[0] if buckets else None
    urls = {'apiUrl': base_url, 'downloadUrl': base_url}
    sizes = {
        'absoluteMinimumPartSize': profile.minimum_part_size,
        'recommendedPartSize': profile.recommended_part_size,
    }
    # The simulator speaks the native API only; the address is there because clients read it.
    s3_url = {'s3ApiUrl': base_url}
    prefix = {'namePrefix': key.name_prefix_or_none}
    capabilities = {'capabilities': key.capabilities}
    bucket_id = {'bucketId': only and only['id']}
    bucket_name = {'bucketName': only and only['name']}
    answer: dict[str, Any] = {'accountId': key.account_id, 'authorizationToken': token}
    if call_version < 3:
        # The documentation gives the name from version 2 on; rclone relies on it in version 1.
        allowed = {**capabilities, **bucket_id, **bucket_name, **prefix}
        old_size = {'minimumPartSize': profile.recommended_part_size}
        only_here = old_size if call_version == 1 else s3_url
        return {**answer, **urls, **sizes, **only_here, 'allowed': allowed}
    storage: dict[str, Any] = {**urls, **sizes, **s3_url}
    if call_version == 3:
        storage |= {**capabilities, **bucket_id, **bucket_name, **prefix}
        storage['infoType'] = 'storageApi'
    else:
        storage['allowed'] = {'buckets': buckets, **capabilities, **prefix}
    return {
        **answer,
        'applicationKeyExpirationTimestamp': None if seconds is None else seconds * 1000,
        'apiInfo': {'storageApi': storage},
    }


def key(found: Key, version: int) -> dict[str, Any]:
    """Returns a key object, without its secret."""
    seconds = found.expiration_timestamp_or_none
    answer: dict[str, Any] = {
        'accountId': found.account_id,
        'applicationKeyId': found.application_key_id,
        'capabilities': found.capabilities,
        'expirationTimestamp': None if seconds is None else seconds * 1000,
        'keyName': found.name,
        'namePrefix': found.name_prefix_or_none,
        'options': ['s3'],
    }
    bucket_ids = [allowed['id'] for allowed in found.buckets_or_none or []]
    if version < 4:
        return {**answer, 'bucketId': bucket_ids[0] if bucket_ids else None}
    return {**answer, 'bucketIds': bucket_ids or None}


def bucket(found: Bucket, may: Callable[[str], bool]) -> dict[str, Any]:
    """Returns a bucket object.

    :param may: tells whether the reader has a capability.
    """
    retention = found.default_retention
    period = retention.period
    return {
        'accountId': found.account_id,
        'bucketId': found.bucket_id,
        'bucketName': found.bucket_name,
        'bucketType': found.bucket_type,
        'bucketInfo': found.bucket_info,
        'corsRules': found.cors_rules,
        'lifecycleRules': found.lifecycle_rules,
        'revision': found.revision,
        'options': sorted(found.options_set),
        'defaultServerSideEncryption': _filtered(
            may('readBucketEncryption'),
            encryption_fields(found.default_server_side_encryption),
        ),
        'fileLockConfiguration': _filtered(
            may('readBucketRetentions'),
            {
                'defaultRetention': {
                    'mode': retention.mode.value,
                    'period': None if period is None else period.as_dict(),
                },
                'isFileLockEnabled': bool(found.is_file_lock_enabled),
            },
        ),
        'replicationConfiguration': _filtered(
            may('readBucketReplications'), replication.as_value(found.replication)
        ),
    }


def file_version(file: File | Folder, version: int, may: Callable[[str], bool]) -> dict[str, Any]:
    """Returns a file version object, or the entry of a folder in a listing.

    :param may: tells whether the reader has a capability.
    """
    if isinstance(file, Folder):
        return _with_size(_FOLDER | {'fileName': file.name}, version)
    answer = _with_size(_plain(file), version)
    if file.replication_status is not None:
        answer['replicationStatus'] = replication_status(file)
    if file.action == 'hide':
        return answer
    retention = file.file_retention or NO_RETENTION_FILE_SETTING
    answer['fileRetention'] = _filtered(
        may('readFileRetentions'),
        {'mode': retention.mode.value, 'retainUntilTimestamp': retention.retain_until},
    )
    answer['legalHold'] = _filtered(may('readFileLegalHolds'), file.legal_hold.value)
    answer['serverSideEncryption'] = encryption_fields(file.server_side_encryption)
    return answer


def replication_status(file: File) -> str | None:
    """Returns what replication has made of a version, if it is covered by a rule."""
    if file.replication_status is None:
        return None
    status: str = file.replication_status.value
    lower = file.bucket.profile.options.replication_status_case == 'lower'
    return status.lower() if lower else status


def part(found: Part, file: File, listed: bool = False) -> dict[str, Any]:
    """Returns a part object.

    :param listed: as `b2_list_parts` shows it.
    """
    options = file.bucket.profile.options
    timestamp = found.upload_timestamp
    if listed and options.whole_second_timestamps:
        timestamp = timestamp // 1000 * 1000
    return {
        'fileId': found.file_id,
        'partNumber': found.part_number,
        'contentLength': found.content_length,
        'contentSha1': found.content_sha1,
        'contentMd5': found.content_md5(options.md5_limit),
        'serverSideEncryption': encryption_fields(file.server_side_encryption),
        'uploadTimestamp': timestamp,
    }


_EMPTY_SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'
_FOLDER: dict[str, Any] = {
    'action': 'folder',
    'contentLength': 0,
    'contentMd5': None,
    'contentSha1': None,
    'contentType': None,
    'fileId': None,
    'fileInfo': {},
    'uploadTimestamp': 0,
}


def _plain(file: File) -> dict[str, Any]:
    options = file.bucket.profile.options
    hidden = file.action == 'hide'
    sha1, md5 = file.content_sha1, file.content_md5
    if hidden:
        sha1, md5 = (_EMPTY_SHA1, md5) if options.hide_marker_sha1 == 'empty' else (None, None)
    elif sha1 == 'none' and options.large_file_sha1 == 'null':
        sha1 = None
    return {
        'accountId': file.account_id,
        'action': file.action,
        'bucketId': file.bucket.bucket_id,
        'contentLength': file.content_length,
        'contentMd5': md5,
        'contentSha1': sha1,
        'contentType': 'application/x-bz-hide-marker' if hidden else file.content_type,
        'fileId': file.file_id,
        'fileInfo': file.file_info,
        'fileName': file.name,
        'uploadTimestamp': file.upload_timestamp,
    }


def _with_size(answer: dict[str, Any], version: int) -> dict[str, Any]:
    # Version 1 calls it size; clients of that time read either.
    return {**answer, 'size': answer['contentLength']} if version == 1 else answer


def _filtered(readable: bool, value: object) -> dict[str, Any]:
    return {'isClientAuthorizedToRead': readable, 'value': value if readable else None}
