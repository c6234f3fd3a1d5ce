"""The JSON calls of the HTTP door, one method each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from b2fast.file_lock import BucketRetentionSetting, RetentionMode, RetentionPeriod

from . import errors, http_shapes, ids, rules
from .bucket import Bucket, NewFile
from .bucket_settings import BucketSettings
from .file import File
from .http_keys import KeyCalls
from .http_locks import LockCalls
from .http_notifications import NotificationCalls
from .http_request import RETENTION_MODES, Call, Params
from .listing import Folder
from .state import DownloadToken, Service

_MAX_DOWNLOAD_SECONDS = 604_800
_LISTED_BUCKET_TYPES = {*rules.BUCKET_TYPES, 'snapshot', 'restricted', 'shared'}


class JsonCalls:
    """Answers the calls that take and give JSON. Callers hold the service's lock."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._calls: dict[str, Callable[[Call], dict[str, Any]]] = {
            'b2_cancel_large_file': self._cancel_large_file,
            'b2_copy_file': self._copy_file,
            'b2_copy_part': self._copy_part,
            'b2_create_bucket': self._create_bucket,
            'b2_delete_bucket': self._delete_bucket,
            'b2_delete_file_version': self._delete_file_version,
            'b2_finish_large_file': self._finish_large_file,
            'b2_get_download_authorization': self._get_download_authorization,
            'b2_get_file_info': self._get_file_info,
            'b2_get_upload_part_url': self._get_upload_part_url,
            'b2_get_upload_url': self._get_upload_url,
            'b2_hide_file': self._hide_file,
            'b2_list_buckets': self._list_buckets,
            'b2_list_file_names': self._list_file_names,
            'b2_list_file_versions': self._list_file_versions,
            'b2_list_parts': self._list_parts,
            'b2_list_unfinished_large_files': self._list_unfinished_large_files,
            'b2_start_large_file': self._start_large_file,
            'b2_update_bucket': self._update_bucket,
            **KeyCalls(service).by_name,
            **NotificationCalls(self._bucket).by_name,
            **LockCalls(service).by_name,
        }

    @property
    def names(self) -> frozenset[str]:
        """The names of the calls."""
        return frozenset(self._calls)

    def knows(self, name: str) -> bool:
        """Tells whether there is such a call."""
        return name in self._calls

    def answer(self, name: str, call: Call) -> dict[str, Any]:
        """Returns the answer of a call.

        :raises SimulatedError: the call is refused.
        """
        return self._calls[name](call)

    # Buckets

    def _create_bucket(self, call: Call) -> dict[str, Any]:
        params = call.params
        account_id = params.required('accountId')
        self._service.check(call.token, 'writeBuckets', account_id=account_id)
        settings = self._bucket_settings(call)
        if settings.retention is not None:
            raise errors.bad_request('defaultRetention cannot be set when a bucket is created')
        params.required('bucketType')
        bucket = self._service.create_bucket(
            account_id, self._service.ids.bucket_id, params.required('bucketName'), settings
        )
        return self._bucket_answer(bucket, call)

    def _delete_bucket(self, call: Call) -> dict[str, Any]:
        bucket = self._own_bucket(call, 'deleteBuckets')
        self._service.delete_bucket(bucket)
        return self._bucket_answer(bucket, call)

    def _list_buckets(self, call: Call) -> dict[str, Any]:
        params = call.params
        key = self._service.check(
            call.token, 'listBuckets', account_id=params.required('accountId')
        )
        types = _bucket_types(params)
        found = self._service.buckets(
            key, params.optional('bucketId'), params.optional('bucketName')
        )
        return {
            'buckets': [
                self._bucket_answer(bucket, call)
                for bucket in found
                if types is None or bucket.bucket_type in types
            ]
        }

    def _update_bucket(self, call: Call) -> dict[str, Any]:
        bucket = self._own_bucket(call, 'writeBuckets')
        bucket.update(self._bucket_settings(call), call.params.integer('ifRevisionIs'))
        return self._bucket_answer(bucket, call)

    def _bucket_settings(self, call: Call) -> BucketSettings:
        params = call.params
        settings = BucketSettings(
            bucket_type=params.optional('bucketType'),
            bucket_info=params.texts('bucketInfo'),
            cors_rules=params.sequence('corsRules', dict),
            lifecycle_rules=params.sequence('lifecycleRules', dict),
            encryption=params.encryption('defaultServerSideEncryption'),
            retention=_bucket_retention(params),
            file_lock=params.boolean('fileLockEnabled'),
            replication=params.mapping('replicationConfiguration'),
        )
        if settings.encryption is not None:
            self._service.check(call.token, 'writeBucketEncryption')
            self._check_default_encryption(params)
        if settings.file_lock or settings.retention is not None:
            self._service.check(call.token, 'writeBucketRetentions')
        if settings.replication is not None:
            self._service.check(call.token, 'writeBucketReplications')
        return settings

    def _check_default_encryption(self, params: Params) -> None:
        value = params.mapping('defaultServerSideEncryption') or {}
        options = self._service.profile.options
        if value.get('mode') == 'none' and options.default_encryption != 'none':
            raise errors.bad_request('defaultServerSideEncryption: none is no longer possible')

    # Uploads

    def _new_upload_token(self, call: Call, bucket: Bucket, file_id: str | None = None) -> str:
        key = self._service.key_of(call.token)
        token = ids.new_token(key.application_key_id)
        self._service.add_upload_token(token, bucket, key, file_id)
        return token

    def _get_upload_url(self, call: Call) -> dict[str, Any]:
        bucket = self._bucket(call, 'writeFiles')
        token = self._new_upload_token(call, bucket)
        pod = self._service.ids.pod()
        return {
            'bucketId': bucket.bucket_id,
            'uploadUrl': (
                f'{call.base_url}/b2api/v{call.version}/b2_upload_file/{bucket.bucket_id}/{pod}'
            ),
            'authorizationToken': token,
        }

    def _get_upload_part_url(self, call: Call) -> dict[str, Any]:
        file = self._unfinished(call)
        token = self._new_upload_token(call, file.bucket, file.file_id)
        pod = self._service.ids.pod()[-4:]
        return {
            'fileId': file.file_id,
            'uploadUrl': (
                f'{call.base_url}/b2api/v{call.version}/b2_upload_part/{file.file_id}/{pod}'
            ),
            'authorizationToken': token,
        }

    def _start_large_file(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = params.required('fileName')
        bucket = self._bucket(call, 'writeFiles', name)
        # b2sdk 2.12 misspells it.
        timestamp = params.timestamp('customUploadTimestamp', 'custom_upload_timestamp')
        new = NewFile(
            name=name,
            content_type=params.required('contentType'),
            info=_lower_case_keys(params.texts('fileInfo')),
            encryption=params.encryption('serverSideEncryption'),
            retention=params.retention('fileRetention'),
            legal_hold=params.legal_hold('legalHold'),
            timestamp=timestamp,
        )
        self._check_lock_capabilities(call.token, new)
        return self._file_answer(bucket.begin_large_file(new), call)

    def _finish_large_file(self, call: Call) -> dict[str, Any]:
        file = self._unfinished(call)
        sha1s = call.params.sequence('partSha1Array', str)
        if sha1s is None:
            raise errors.bad_request('partSha1Array is required')
        return self._file_answer(file.bucket.complete_large_file(file.file_id, sha1s), call)

    def _cancel_large_file(self, call: Call) -> dict[str, Any]:
        file = self._unfinished(call)
        file.bucket.abandon_large_file(file.file_id)
        return {
            'accountId': file.account_id,
            'bucketId': file.bucket.bucket_id,
            'fileId': file.file_id,
            'fileName': file.name,
        }

    def _list_parts(self, call: Call) -> dict[str, Any]:
        file = self._unfinished(call)
        maximum = self._service.profile.options.maximum_part_page
        count = rules.check_page_size(
            call.params.integer('maxPartCount'), 100, maximum, 'maxPartCount'
        )
        start = call.params.integer('startPartNumber')
        parts, following = file.bucket.page_of_parts(file.file_id, start, count)
        return {
            'parts': [http_shapes.part(part, file, listed=True) for part in parts],
            'nextPartNumber': None if following is None else following.part_number,
        }

    def _list_unfinished_large_files(self, call: Call) -> dict[str, Any]:
        params = call.params
        prefix = params.optional('namePrefix') or ''
        bucket = self._bucket(call, 'listFiles', prefix)
        count = rules.check_page_size(params.integer('maxFileCount'), 100, 100, 'maxFileCount')
        files, following = bucket.page_of_unfinished(params.optional('startFileId'), count, prefix)
        return {
            'files': [self._file_answer(file, call) for file in files],
            'nextFileId': None if following is None else following.file_id,
        }

    def _unfinished(self, call: Call) -> File:
        file_id = call.params.required('fileId')
        self._service.key_of(call.token)
        bucket = self._service.bucket_of(file_id)
        if bucket is None:
            raise errors.no_unfinished_file(file_id)
        file = bucket.unfinished_file(file_id)
        self._service.check(call.token, 'writeFiles', bucket, file.name)
        return file

    # Files

    def _copy_file(self, call: Call) -> dict[str, Any]:
        params = call.params
        source = self._copy_source(call)
        bucket_id = params.optional('destinationBucketId')
        bucket = source.bucket if bucket_id is None else self._service.bucket(bucket_id)
        name = params.required('fileName')
        self._service.check(call.token, 'writeFiles', bucket, name)
        content_type, info = self._copied_metadata(params, source)
        new = NewFile(
            name=name,
            content_type=content_type,
            info=info,
            encryption=params.encryption('destinationServerSideEncryption'),
            retention=params.retention('fileRetention'),
            legal_hold=params.legal_hold('legalHold'),
        )
        self._check_lock_capabilities(call.token, new)
        file = bucket.copy(
            source, new, params.range(), params.encryption('sourceServerSideEncryption')
        )
        return {**self._file_answer(file, call), 'action': 'copy'}

    @staticmethod
    def _copied_metadata(params: Params, source: File) -> tuple[str, dict[str, str]]:
        content_type = params.optional('contentType')
        info = params.texts('fileInfo')
        directive = params.optional('metadataDirective') or 'COPY'
        if directive == 'REPLACE':
            return params.required('contentType'), _lower_case_keys(info)
        if directive != 'COPY':
            raise errors.bad_request(f'Invalid metadataDirective: {directive!r}')
        if content_type is not None or info is not None:
            raise errors.bad_request(
                'contentType and fileInfo are not allowed with metadataDirective COPY'
            )
        return source.content_type or 'application/octet-stream', source.file_info

    def _copy_part(self, call: Call) -> dict[str, Any]:
        params = call.params
        source = self._copy_source(call)
        file_id = params.required('largeFileId')
        bucket = self._service.bucket_of(file_id)
        if bucket is None:
            raise errors.no_unfinished_file(file_id)
        file = bucket.unfinished_file(file_id)
        self._service.check(call.token, 'writeFiles', bucket, file.name)
        number = params.integer('partNumber')
        if number is None:
            raise errors.bad_request('partNumber is required')
        part = bucket.copy_part(
            source,
            file_id,
            number,
            params.range(),
            params.encryption('sourceServerSideEncryption'),
            params.encryption('destinationServerSideEncryption'),
        )
        return http_shapes.part(part, file)

    def _copy_source(self, call: Call) -> File:
        key = self._service.key_of(call.token)
        source = self._service.file(call.params.required('sourceFileId'))
        if source.account_id != key.account_id:
            raise errors.not_found(source.file_id)
        if not source.bucket.is_public:
            self._service.check(call.token, 'readFiles', source.bucket, source.name)
        return source

    def _hide_file(self, call: Call) -> dict[str, Any]:
        name = call.params.required('fileName')
        bucket = self._bucket(call, 'writeFiles', name)
        return self._file_answer(bucket.hide(name), call)

    def _delete_file_version(self, call: Call) -> dict[str, Any]:
        file_id = call.params.required('fileId')
        name = call.params.required('fileName')
        bypass = bool(call.params.boolean('bypassGovernance'))
        self._service.check(call.token, 'deleteFiles')
        bucket = self._service.bucket_of(file_id)
        if bucket is None:
            raise errors.file_not_present(name, file_id)
        self._service.check(call.token, 'deleteFiles', bucket, name)
        if bypass:
            self._service.check(call.token, 'bypassGovernance')
        bucket.delete(file_id, name, bypass)
        return {'fileId': file_id, 'fileName': name}

    def _get_file_info(self, call: Call) -> dict[str, Any]:
        self._service.check(call.token, 'readFiles')
        file_id = call.params.required('fileId')
        ids.check_file_id(file_id)
        file = self._service.file(file_id)
        self._service.check(call.token, 'readFiles', file.bucket, file.name)
        if file.action == 'start':
            raise errors.not_found(file.file_id)
        return self._file_answer(file, call)

    def _list_file_names(self, call: Call) -> dict[str, Any]:
        params = call.params
        prefix = params.optional('prefix') or ''
        bucket = self._bucket(call, 'listFiles', prefix)
        count = rules.check_page_size(params.integer('maxFileCount'), 100, 10_000, 'maxFileCount')
        page = bucket.page_of_names(
            params.optional('startFileName'), count, prefix, params.optional('delimiter')
        )
        following = None if page.following is None else page.following.name
        if self._service.profile.options.synthetic_next_names and len(page.entries) == count:
            following = page.entries[-1].name_behind()
        return {
            'files': [self._file_answer(file, call) for file in page.entries],
            'nextFileName': following,
        }

    def _list_file_versions(self, call: Call) -> dict[str, Any]:
        params = call.params
        prefix = params.optional('prefix') or ''
        bucket = self._bucket(call, 'listFiles', prefix)
        page = bucket.page_of_versions(
            params.optional('startFileName'),
            # rclone of 2022 sends an empty one.
            params.optional('startFileId') or None,
            rules.check_page_size(params.integer('maxFileCount'), 100, 10_000, 'maxFileCount'),
            prefix,
            params.optional('delimiter'),
        )
        following = page.following
        return {
            'files': [self._file_answer(file, call) for file in page.entries],
            'nextFileName': None if following is None else following.name,
            'nextFileId': (
                None if following is None or isinstance(following, Folder) else following.file_id
            ),
        }

    def _get_download_authorization(self, call: Call) -> dict[str, Any]:
        params = call.params
        prefix = params.required('fileNamePrefix')
        bucket = self._bucket(call, 'shareFiles', prefix)
        seconds = params.integer('validDurationInSeconds')
        if seconds is None or not 1 <= seconds <= _MAX_DOWNLOAD_SECONDS:
            raise errors.bad_request(
                f'validDurationInSeconds has to be 1 to {_MAX_DOWNLOAD_SECONDS}'
            )
        token = ids.new_token(self._service.key_of(call.token).application_key_id)
        limit = self._service.profile.options.header_limit
        overrides = rules.download_overrides(params.optional, limit)
        expires = self._service.profile.clock() + seconds * 1000
        self._service.add_download_token(
            token, DownloadToken(bucket.bucket_id, prefix, expires, overrides)
        )
        return {
            'bucketId': bucket.bucket_id,
            'fileNamePrefix': prefix,
            'authorizationToken': token,
        }

    # What the calls have in common

    def _bucket(self, call: Call, capability: str, file_name: str | None = None) -> Bucket:
        self._service.check(call.token, capability)
        bucket = self._service.bucket(call.params.required('bucketId'))
        self._service.check(call.token, capability, bucket, file_name)
        return bucket

    def _own_bucket(self, call: Call, capability: str) -> Bucket:
        account_id = call.params.required('accountId')
        self._service.check(call.token, capability, account_id=account_id)
        return self._bucket(call, capability)

    def _check_lock_capabilities(self, token: str | None, new: NewFile) -> None:
        """Refuses retention and legal hold to keys that may not set them."""
        if new.retention is not None:
            self._service.check(token, 'writeFileRetentions')
        if new.legal_hold is not None:
            self._service.check(token, 'writeFileLegalHolds')

    def _bucket_answer(self, bucket: Bucket, call: Call) -> dict[str, Any]:
        return http_shapes.bucket(bucket, partial(self._service.may, call.token))

    def _file_answer(self, file: File | Folder, call: Call) -> dict[str, Any]:
        may = partial(self._service.may, call.token)
        return http_shapes.file_version(file, call.version, may)


def _bucket_types(params: Params) -> list[str] | None:
    types = params.sequence('bucketTypes', str)
    if types is None or types == ['all']:
        return None
    if not types or not set(types) <= _LISTED_BUCKET_TYPES:
        raise errors.bad_request(f'Invalid bucketTypes: {types}')
    return types


def _lower_case_keys(info: dict[str, str] | None) -> dict[str, str]:
    lowered = {key.lower(): value for key, value in (info or {}).items()}
    if len(lowered) != len(info or {}):
        raise errors.bad_request('fileInfo: two names differ in their case alone')
    return lowered


def _bucket_retention(params: Params) -> BucketRetentionSetting | None:
    value = params.mapping('defaultRetention')
    if value is None:
        return None
    mode = value.get('mode')
    period = value.get('period')
    if mode is None:
        return BucketRetentionSetting(RetentionMode.NONE)
    if str(mode) not in RETENTION_MODES:
        raise errors.bad_request('defaultRetention: invalid mode')
    if (
        not isinstance(period, dict)
        or period.get('unit') not in ('days', 'years')
        or type(period.get('duration')) is not int
        or period['duration'] < 1
    ):
        raise errors.bad_request('defaultRetention: invalid period')
    return BucketRetentionSetting(
        RETENTION_MODES[str(mode)], RetentionPeriod(**{period['unit']: period['duration']})
    )
