"""A program written for b2sdk that runs on b2fast as well, and keeps what it saw."""

from __future__ import annotations

import datetime as dt
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..helpers import fill_for_listing


class Scenario:
    """The program.

    :param sdk: has the names of `b2sdk.v3`
    :param simulator: is the class of the simulator
    :param directory: where local files go
    """

    def __init__(self, sdk: Any, simulator: type, directory: Path) -> None:
        self.sdk = sdk
        self.directory = directory
        self.seen: list[tuple[str, Any]] = []
        self.raw = simulator()
        config = sdk.B2HttpApiConfig(_raw_api_class=lambda *_: self.raw)
        self.new_api = lambda: sdk.B2Api(
            sdk.InMemoryAccountInfo(), sdk.InMemoryCache(), api_config=config
        )
        self.api = self.new_api()
        self.api.authorize_account(*self.raw.create_account())

    def see(self, what: str, call: Callable[[], Any]) -> Any:
        """Make a call and keep what it returns, or the names of its exception's classes."""
        try:
            result = call()
        except Exception as error:
            # The base classes of b2fast's are more, so only its name counts.
            self.seen.append((what, f'raises {type(error).__name__}'))
            return None
        self.seen.append((what, plain(result)))
        return result

    def run(self) -> list[tuple[str, Any]]:
        """Run it; returns what was seen."""
        self.buckets()
        bucket = self.api.create_bucket('bucket-1', 'allPrivate')
        self.uploads(bucket)
        self.local_files(bucket)
        self.listings(self.api.create_bucket('bucket-2', 'allPrivate'))
        self.versions(self.api.create_bucket('bucket-3', 'allPrivate'))
        self.downloads(self.api.create_bucket('bucket-4', 'allPrivate'))
        self.large_files(self.api.create_bucket('bucket-5', 'allPrivate'))
        self.keys(bucket)
        return self.seen

    def buckets(self) -> None:
        see, api = self.see, self.api
        info = {'color': 'blue'}
        bucket = see(
            'create', lambda: api.create_bucket('one-bucket', 'allPublic', bucket_info=info)
        )
        see('create again', lambda: api.create_bucket('one-bucket', 'allPublic'))
        see('create two', lambda: api.create_bucket('two-bucket', 'allPrivate'))
        see('list', api.list_buckets)
        see('list by name', lambda: api.list_buckets('one-bucket'))
        see('list by id', lambda: api.list_buckets(bucket_id=bucket.id_))
        see('list nothing', lambda: api.list_buckets('no-bucket'))
        see('list both', lambda: api.list_buckets('one-bucket', bucket_id=bucket.id_))
        see('list cached', lambda: api.list_buckets(use_cache=True))
        see('by name', lambda: api.get_bucket_by_name('one-bucket'))
        see('by wrong name', lambda: api.get_bucket_by_name('no-bucket'))
        see('by id', lambda: api.get_bucket_by_id(bucket.id_))
        see('by wrong id', lambda: api.get_bucket_by_id('no-id'))
        see('repr', lambda: (repr(bucket), bucket.get_id(), api.get_account_id()))
        see('update', lambda: bucket.update(bucket_type='allPrivate', bucket_info={'x': 'y'}))
        see('update late', lambda: bucket.update(bucket_type='allPublic', if_revision_is=1))
        see('set info', lambda: bucket.set_info({'z': 'y'}))
        see('set type', lambda: bucket.set_type('allPublic'))
        see('fresh', bucket.get_fresh_state)
        see('url', lambda: bucket.get_download_url('a b/ü+&'))
        see('url by id', lambda: api.get_download_url_for_fileid('12'))
        see('download authorization', lambda: bucket.get_download_authorization('a', 100))
        see('delete', lambda: api.delete_bucket(bucket))
        see('delete again', lambda: api.delete_bucket(bucket))
        see('fresh deleted', bucket.get_fresh_state)
        see('upload into deleted', lambda: bucket.upload_bytes(b'x', 'name'))
        see('not authorized', self.new_api().list_buckets)
        see('authorize automatically', self.new_api().authorize_automatically)
        see('wrong key', lambda: self.new_api().authorize_account('no-id', 'no-key'))

    def uploads(self, bucket: Any) -> None:
        see, sdk = self.see, self.sdk
        see('empty', lambda: bucket.upload_bytes(b'', 'empty'))
        for size in (1, 199, 200, 201, 399, 400, 401, 600, 1001):
            see(f'{size} bytes', lambda size=size: bucket.upload_bytes(b'x' * size, 'name'))
        see('bytearray', lambda: bucket.upload_bytes(bytearray(b'x'), 'name'))
        see('text', lambda: bucket.upload_bytes('x', 'name'))
        see(
            'metadata',
            lambda: bucket.upload_bytes(
                b'hello',
                'dir/name',
                content_type='text/plain',
                file_info={'color': 'blue', 'b2-cache-control': 'no-store'},
                cache_control='max-age=3',
                expires=dt.datetime(2030, 1, 2, 3, 4, 5),
                content_disposition='attachment',
                content_encoding='gzip',
                content_language='de',
                custom_upload_timestamp=123,
            ),
        )
        see(
            'metadata of a large file',
            lambda: bucket.upload_bytes(
                b'x' * 500, 'large', file_info={'k': 'v'}, expires='x', large_file_sha1='ab' * 20
            ),
        )
        see('sha1 of a small file', lambda: bucket.upload_bytes(b'x', 'y', large_file_sha1='ab'))
        key = sdk.EncryptionKey(b'k' * 32, 'key-1')
        sse_c = sdk.EncryptionSetting(sdk.EncryptionMode.SSE_C, sdk.EncryptionAlgorithm.AES256, key)
        for setting in (sdk.SSE_B2_AES, sdk.SSE_NONE, sse_c):
            for size in (5, 500):
                see(
                    f'encryption {setting.mode} {size}',
                    lambda size=size, setting=setting: bucket.upload_bytes(
                        b'x' * size, 'encrypted', encryption=setting
                    ),
                )
        retention = sdk.FileRetentionSetting(sdk.RetentionMode.GOVERNANCE, 1000)
        see('retention', lambda: bucket.upload_bytes(b'x', 'kept', file_retention=retention))
        see('hold', lambda: bucket.upload_bytes(b'x', 'held', legal_hold=sdk.LegalHold.ON))

    def local_files(self, bucket: Any) -> None:
        see = self.see
        small, large = self.directory / 'small', self.directory / 'large'
        small.write_bytes(b'x' * 20)
        large.write_bytes(bytes(range(250)) * 3)
        see('small file', lambda: bucket.upload_local_file(small, 'small'))
        see('small file by text', lambda: bucket.upload_local_file(str(small), 'small'))
        see('wrong sha1', lambda: bucket.upload_local_file(small, 'small', sha1_sum='0' * 40))
        see('large file', lambda: bucket.upload_local_file(large, 'large'))
        see('given sha1', lambda: bucket.upload_local_file(large, 'large', sha1_sum='1' * 40))
        see(
            'larger parts',
            lambda: bucket.upload_local_file(large, 'large', min_part_size=400),
        )
        see(
            'time',
            lambda: (
                bucket.upload_local_file(
                    small, 'small', file_info={'src_last_modified_millis': '1600000000123'}
                ).mod_time_millis
            ),
        )
        see('missing', lambda: bucket.upload_local_file(self.directory / 'missing', 'x'))
        see('directory', lambda: bucket.upload_local_file(self.directory, 'x'))
        see('device', lambda: bucket.upload_local_file('/dev/null', 'x'))
        for path in (self.directory / 'missing', self.directory):
            see('source', lambda path=path: self.sdk.UploadSourceLocalFile(path))
        source = self.sdk.UploadSourceLocalFile(small)
        see('source length', source.get_content_length)
        see('source sha1', source.get_content_sha1)
        see('upload', lambda: bucket.upload(source, 'small'))

    def listings(self, bucket: Any) -> None:
        fill_for_listing(bucket)

        def ls(*args: Any, **kwargs: Any) -> None:
            self.see(f'ls {args} {kwargs}', lambda: list(bucket.ls(*args, **kwargs)))

        for path in ('', 'a', 'a/', 'a/c', '/', 'b', 'c', 'missing', 'a.txt'):
            for latest_only in (True, False):
                for recursive in (True, False):
                    ls(path, latest_only=latest_only, recursive=recursive)
                    ls(path, latest_only=latest_only, recursive=recursive, fetch_count=2)
        for pattern in ('*.txt', 'a/*', '**/*.txt', 'c/?.txt', '[ac]*', '[!a]*', '*', 'c', ''):
            ls(pattern, with_wildcard=True, recursive=True)
            ls(pattern, with_wildcard=True, recursive=True, latest_only=False)
        ls('*.txt', with_wildcard=True)
        include, exclude = self.sdk.Filter.include, self.sdk.Filter.exclude
        for filters in (
            [include('*.txt')],
            [exclude('*.txt')],
            [include('*.txt'), exclude('c/*')],
            [exclude('*'), include('*.csv')],
            [exclude('*.txt'), include('c/*'), exclude('*.txt')],
            [include('*.txt'), include('*.csv')],
        ):
            ls(filters=filters)
            ls(filters=filters, recursive=True)
            ls('c', filters=filters, latest_only=False)
        for count in (1, 10000, None):
            self.see('versions', lambda count=count: list(bucket.list_file_versions('a', count)))
        self.see('no versions', lambda: list(bucket.list_file_versions('missing')))
        self.see('zero', lambda: list(bucket.list_file_versions('a', 0)))

    def versions(self, bucket: Any) -> None:
        see = self.see
        version = bucket.upload_bytes(b'hello', 'name')
        see('hide', lambda: bucket.hide_file('name'))
        see('hidden info', lambda: bucket.get_file_info_by_id(version.id_))
        see('unhide', lambda: bucket.unhide_file('name'))
        see('unhide again', lambda: bucket.unhide_file('name'))
        see('unhide missing', lambda: bucket.unhide_file('missing'))
        see('info', lambda: bucket.get_file_info_by_name('name'))
        see('no info', lambda: bucket.get_file_info_by_name('missing'))
        see('fresh', version.get_fresh_state)
        see('equal', lambda: version == version.get_fresh_state())
        see('equal to info', lambda: version == bucket.get_file_info_by_name('name'))
        see('hash', lambda: hash(version))
        see('delete', version.delete)
        see('delete again', lambda: bucket.delete_file_version(version.id_, 'name'))
        see('list', lambda: list(bucket.ls(latest_only=False)))

    def downloads(self, bucket: Any) -> None:
        data = bytes(range(256)) * 4
        info = {'src_last_modified_millis': '1600000000123'}
        version = bucket.upload_bytes(data, 'name', file_info=info, cache_control='no-store')
        small = bucket.upload_bytes(b'small', 'small')
        empty = bucket.upload_bytes(b'', 'empty')

        def saved(downloaded: Any) -> Any:
            file = io.BytesIO()
            downloaded.save(file)
            return downloaded.download_version.as_dict(), file.getvalue()

        for each in (version, small, empty):
            self.see('by id', lambda each=each: saved(bucket.download_file_by_id(each.id_)))
            self.see(
                'by name', lambda each=each: saved(bucket.download_file_by_name(each.file_name))
            )
        for range_ in ((0, 0), (5, 300), (1000, 1023)):
            downloaded = bucket.download_file_by_name('name', range_=range_)
            told = downloaded.download_version
            numbers = told.range_.as_tuple(), told.content_length, told.size
            self.see('range', lambda numbers=numbers: numbers)
            self.see('range saved', lambda downloaded=downloaded: saved(downloaded))
        self.see('beyond', lambda: saved(bucket.download_file_by_name('name', range_=(9, 2000))))
        self.see('missing', lambda: bucket.download_file_by_name('missing'))
        target = self.directory / 'target'
        bucket.download_file_by_name('name').save_to(target)
        self.see('saved', target.read_bytes)
        # b2sdk sets times as floating-point numbers, which are off by less than a millisecond.
        self.see('time', lambda: os.stat(target).st_mtime_ns // 1_000_000)
        for place in (self.directory, self.directory / 'no' / 'x', target / 'x'):
            self.see(
                'bad place',
                lambda place=place: bucket.download_file_by_name('name').save_to(place),
            )

    def large_files(self, bucket: Any) -> None:
        see = self.see
        services = self.api.services.large_file
        first = services.start_large_file(bucket.id_, 'first', 'text/plain', {'a': 'b'})
        second = services.start_large_file(bucket.id_, 'second')
        for parameters in ({}, {'batch_size': 1}, {'prefix': 's'}):
            see(
                'unfinished',
                lambda parameters=parameters: list(
                    bucket.list_unfinished_large_files(**parameters)
                ),
            )
        see('parts', lambda: list(bucket.list_parts(first.file_id)))
        see('cancel', lambda: bucket.cancel_large_file(first.file_id))
        see('cancel by api', lambda: self.api.cancel_large_file(second.file_id))
        see('unfinished', lambda: list(bucket.list_unfinished_large_files()))

    def keys(self, bucket: Any) -> None:
        see, api = self.see, self.api
        key = see(
            'create key',
            lambda: api.create_key(['listBuckets'], 'my-key', None, [bucket.id_], 'a/'),
        )
        see('keys', lambda: list(api.list_keys()))
        see('key', lambda: api.get_key(key.id_))
        see('no key', lambda: api.get_key('zz'))
        restricted = self.new_api()
        restricted.authorize_account(key.id_, key.application_key)
        see('own bucket', lambda: restricted.get_bucket_by_name(bucket.name))
        see('other bucket', lambda: restricted.get_bucket_by_name('bucket-2'))
        see('all buckets', restricted.list_buckets)
        see('own by name', lambda: restricted.list_buckets(bucket.name))
        see('check', lambda: restricted.check_bucket_name_restrictions('bucket-2'))
        see('create', lambda: restricted.create_bucket('bucket-9', 'allPrivate'))
        see('delete key', lambda: api.delete_key(key))
        see('delete no key', lambda: api.delete_key_by_id('zz'))


def plain(value: Any) -> Any:
    """Data that is the same for equal things of both packages."""
    if hasattr(value, 'as_dict'):
        return type(value).__name__, plain(value.as_dict())
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, set):
        return sorted(value)
    if value is None or isinstance(value, str | int | float | bool | bytes):
        return value
    return repr(value)
