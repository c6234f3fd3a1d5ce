"""A script of raw calls that runs on any RawSimulator.

Run as a program it prints what b2sdk's simulator answers; imported, it runs on another one.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable
from typing import Any


def sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def script(sdk: Any) -> list[Any]:
    """Makes the calls and returns what came of each: the answer, or the exception.

    :param sdk: has RawSimulator and the value types, as `b2sdk.v3` has them.
    """
    raw = sdk.RawSimulator()
    record: list[Any] = []

    def did(label: str, call: Callable[[], Any]) -> Any:
        try:
            answer = call()
        except Exception as error:
            record.append([label, type(error).__name__, str(error)])
            return None
        record.append([label, plain(answer)])
        return answer

    key_id, key = did('account', raw.create_account)
    did('second account', raw.create_account)
    did('wrong key', lambda: raw.authorize_account('production', key_id, 'x'))
    did('unknown key', lambda: raw.authorize_account('production', 'x', key))
    account = did('authorize', lambda: raw.authorize_account('production', key_id, key))
    token = account['authorizationToken']
    api = account['apiInfo']['storageApi']['apiUrl']
    download = account['apiInfo']['storageApi']['downloadUrl']
    auth = (api, token)

    one = did('create', lambda: raw.create_bucket(*auth, key_id, 'one-bucket', 'allPublic'))
    two = did(
        'create with settings',
        lambda: raw.create_bucket(
            *auth,
            key_id,
            'Two-bucket',
            'allPrivate',
            bucket_info={'a': 'b'},
            lifecycle_rules=[{'fileNamePrefix': '', 'daysFromHidingToDeleting': 1}],
            is_file_lock_enabled=True,
        ),
    )
    bucket, locked = one['bucketId'], two['bucketId']
    did('create again', lambda: raw.create_bucket(*auth, key_id, 'one-bucket', 'allPublic'))
    did('illegal name', lambda: raw.create_bucket(*auth, key_id, 'one bucket', 'allPublic'))
    did('buckets', lambda: raw.list_buckets(*auth, key_id))
    did('bucket by name', lambda: raw.list_buckets(*auth, key_id, bucket_name='one-bucket'))
    did('no such bucket', lambda: raw.list_buckets(*auth, key_id, bucket_id='zzz'))
    did('update', lambda: raw.update_bucket(*auth, key_id, bucket, bucket_type='allPrivate'))
    did(
        'update an old revision',
        lambda: raw.update_bucket(*auth, key_id, bucket, bucket_type='x', if_revision_is=9),
    )
    did('update none', lambda: raw.update_bucket(*auth, key_id, 'zzz', bucket_type='allPublic'))
    did('unlock', lambda: raw.update_bucket(*auth, key_id, locked, is_file_lock_enabled=False))

    url = did('upload url', lambda: raw.get_upload_url(*auth, bucket))
    did('another upload url', lambda: raw.get_upload_url(*auth, bucket))
    locked_url = raw.get_upload_url(*auth, locked)
    did('upload url of no bucket', lambda: raw.get_upload_url(*auth, 'zzz'))

    def upload(
        name: str, data: bytes, claim: str | None = None, at: Any = url, **kwargs: Any
    ) -> Any:
        return did(
            f'upload {name}',
            lambda: raw.upload_file(
                at['uploadUrl'],
                at['authorizationToken'],
                name,
                len(data),
                kwargs.pop('content_type', 'text/plain'),
                claim or sha1(data),
                kwargs.pop('file_info', {}),
                io.BytesIO(data),
                **kwargs,
            ),
        )

    first = upload('b/one', b'first', file_info={'Foo': 'Bär', 'b2-cache-control': 'max-age=1'})
    upload('a ä&b', b'0123456789' * 10, content_type='b2/x-auto')
    ended = b'data' + sha1(b'data').encode()
    upload('c', ended, 'hex_digits_at_end')
    upload('c', b'DATA' + ended[4:], 'hex_digits_at_end')
    upload('wrong', b'x', '0' * 40)
    upload('late', b'x', custom_upload_timestamp=77)
    upload('sse', b'x', server_side_encryption=sdk.SSE_B2_AES)
    upload('none', b'x', server_side_encryption=sdk.SSE_NONE)
    second = upload('b/one', b'second')
    did(
        'upload to nowhere',
        lambda: raw.upload_file('x', 'x', 'n', 0, 't', '0' * 40, {}, io.BytesIO()),
    )
    big = upload('big', b'z' * 300)

    did('info', lambda: raw.get_file_info_by_id(*auth, first['fileId']))
    did('headers', lambda: raw.get_file_info_by_name(download, token, 'one-bucket', 'a ä&b'))
    did('headers of none', lambda: raw.get_file_info_by_name(download, token, 'one-bucket', 'zz'))
    did('headers nowhere', lambda: raw.get_file_info_by_name(download, token, 'zz', 'zz'))

    for count in (None, 1, 2, 3, 100):
        did(f'names {count}', lambda n=count: raw.list_file_names(*auth, bucket, None, n))
        did(
            f'versions {count}',
            lambda n=count: raw.list_file_versions(*auth, bucket, None, None, n),
        )
    did('names from', lambda: raw.list_file_names(*auth, bucket, 'b/', 2, 'b'))
    did('versions from', lambda: raw.list_file_versions(*auth, bucket, 'b/one', None, 1))
    did(
        'versions from id',
        lambda: raw.list_file_versions(*auth, bucket, 'b/one', first['fileId'], 2),
    )
    did(
        'versions from successor',
        lambda: raw.list_file_versions(*auth, bucket, 'b/one', str(int(second['fileId']) + 1), 1),
    )
    did('hide', lambda: raw.hide_file(*auth, bucket, 'b/one'))
    did('hide again', lambda: raw.hide_file(*auth, bucket, 'b/one'))
    did('hide none', lambda: raw.hide_file(*auth, bucket, 'never'))
    did('names with hidden', lambda: raw.list_file_names(*auth, bucket))
    did('versions with hidden', lambda: raw.list_file_versions(*auth, bucket))

    def read(label: str, url: str, **kwargs: Any) -> None:
        def get() -> Any:
            with raw.download_file_from_url(token, url, **kwargs) as response:
                return [dict(response.headers), response.url, response.data_bytes.decode()]

        did(label, get)

    read('download by id', raw.get_download_url_by_id(download, first['fileId']))
    by_name = raw.get_download_url_by_name
    read('download by name', by_name(download, 'one-bucket', 'a ä&b'))
    read('download a range', by_name(download, 'one-bucket', 'a ä&b'), range_=(3, 7))
    read('download hidden', by_name(download, 'one-bucket', 'b/one'))
    read('download none', by_name(download, 'one-bucket', 'zz'))
    read('download nowhere', by_name(download, 'zz', 'zz'))

    copy = raw.copy_file
    did('copy', lambda: copy(*auth, second['fileId'], 'copy'))
    did('copy a range', lambda: copy(*auth, second['fileId'], 'copy', bytes_range=(1, 2)))
    did('copy away', lambda: copy(*auth, second['fileId'], 'x', destination_bucket_id=locked))
    did('copy too much', lambda: copy(*auth, big['fileId'], 'copy'))
    did('copy beyond', lambda: copy(*auth, big['fileId'], 'copy', bytes_range=(290, 310)))
    replace = sdk.MetadataDirectiveMode.REPLACE
    did(
        'copy and replace',
        lambda: copy(
            *auth,
            second['fileId'],
            'copy',
            metadata_directive=replace,
            content_type='x/y',
            file_info={'n': 'm'},
        ),
    )
    did('copy badly', lambda: copy(*auth, second['fileId'], 'c', metadata_directive=replace))

    start = raw.start_large_file
    large = did('start', lambda: start(*auth, bucket, 'large', 'text/plain', {'K': 'v'}))
    other = did('start another', lambda: start(*auth, bucket, 'large2', 'text/plain', {}))
    part_url = raw.get_upload_part_url(*auth, large['fileId'])
    parts = [b'a' * 300, b'b' * 300, b'c' * 10]
    digests = [sha1(part) for part in parts]

    def add(number: int, data: bytes, sha1: str) -> None:
        did(
            f'part {number}',
            lambda: raw.upload_part(
                part_url['uploadUrl'],
                part_url['authorizationToken'],
                number,
                len(data),
                sha1,
                io.BytesIO(data),
            ),
        )

    for number, (part, digest) in enumerate(zip(parts, digests, strict=True), 1):
        add(number, part, digest)
    add(10001, b'x', digests[0])
    add(4, b'x', '0' * 40)
    did('parts', lambda: raw.list_parts(*auth, large['fileId'], 1, 2))
    did('more parts', lambda: raw.list_parts(*auth, large['fileId'], 3, 10))
    unfinished = raw.list_unfinished_large_files
    did('unfinished', lambda: unfinished(*auth, bucket))
    did('one unfinished', lambda: unfinished(*auth, bucket, max_file_count=1))
    did('unfinished from', lambda: unfinished(*auth, bucket, start_file_id=other['fileId']))
    did('unfinished with prefix', lambda: unfinished(*auth, bucket, prefix='large2'))
    finish = raw.finish_large_file
    did('finish wrongly', lambda: finish(*auth, large['fileId'], digests[:2]))
    did('finish', lambda: finish(*auth, large['fileId'], digests))
    did('cancel', lambda: raw.cancel_large_file(*auth, other['fileId']))
    read('download large', by_name(download, 'one-bucket', 'large'))
    did('copy part source', lambda: copy(*auth, large['fileId'], 'x', bytes_range=(299, 301)))

    did('delete', lambda: raw.delete_file_version(*auth, first['fileId'], 'b/one'))
    did('delete again', lambda: raw.delete_file_version(*auth, first['fileId'], 'b/one'))
    did('delete misnamed', lambda: raw.delete_file_version(*auth, second['fileId'], 'zz'))

    upload('kept', b'x', at=locked_url, legal_hold=sdk.LegalHold.OFF)
    caps = ['listFiles', 'readFiles', 'listBuckets']
    limited = did('key', lambda: raw.create_key(*auth, key_id, caps, 'kn', None, [bucket], 'pre'))
    did('bad key name', lambda: raw.create_key(*auth, key_id, caps, 'kn!', None, None, None))
    did('bad duration', lambda: raw.create_key(*auth, key_id, caps, 'kn', 0, None, None))
    did('keys', lambda: raw.list_keys(*auth, key_id))
    small = did(
        'authorize limited',
        lambda: raw.authorize_account(
            'production', limited['applicationKeyId'], limited['applicationKey']
        ),
    )['authorizationToken']
    did('limited buckets', lambda: raw.list_buckets(api, small, key_id))
    did('limited bucket', lambda: raw.list_buckets(api, small, key_id, bucket_id=bucket))
    did('limited upload', lambda: raw.get_upload_url(api, small, bucket))
    did('limited create', lambda: raw.create_bucket(api, small, key_id, 'foo', 'allPublic'))
    did('delete key', lambda: raw.delete_key(*auth, limited['applicationKeyId']))
    did('delete key again', lambda: raw.delete_key(*auth, limited['applicationKeyId']))
    did('download auth', lambda: raw.get_download_authorization(*auth, bucket, 'pre', 100))
    did('delete full bucket', lambda: raw.delete_bucket(*auth, key_id, bucket))
    did('delete bucket again', lambda: raw.delete_bucket(*auth, key_id, bucket))
    raw.set_upload_errors([OSError('one'), ValueError('two')])
    for name in ('fails', 'fails again', 'works'):
        upload(name, b'x', at=locked_url)
    raw.expire_auth_token(token)
    did('expired', lambda: raw.list_buckets(*auth, key_id))
    return record


def plain(answer: Any) -> Any:
    """Returns an answer as JSON can carry it, without what is random."""
    return json.loads(json.dumps(answer, default=_plain_object))


def _plain_object(value: Any) -> Any:
    if isinstance(value, set):
        return sorted(value)
    return dict(value)


if __name__ == '__main__':
    import b2sdk.v3
    from b2sdk._internal.raw_simulator import RawSimulator

    class Sdk:
        """b2sdk.v3, which leaves out the simulator in some releases."""

        def __getattr__(self, name: str) -> Any:
            return RawSimulator if name == 'RawSimulator' else getattr(b2sdk.v3, name)

    json.dump(script(Sdk()), sys.stdout)
