"""A backup script as people have written it for b2sdk.v2; prints what it sees.

Arguments: a directory to work in, the size of the large file; then realm, key ID and key, or
nothing to use the simulator in the process.
"""

import os
import sys
from pathlib import Path

from b2sdk.v2 import (
    B2Api,
    B2HttpApiConfig,
    CompareVersionMode,
    EncryptionAlgorithm,
    EncryptionMode,
    EncryptionSetting,
    InMemoryAccountInfo,
    NewerFileSyncMode,
    RawSimulator,
    ScanPoliciesManager,
    Synchronizer,
    parse_sync_folder,
)
from b2sdk.v2.exception import (
    B2Error,
    BadRequest,
    BucketIdNotFound,
    FileNotPresent,
    NonExistentBucket,
    RestrictedBucket,
)


class Backup(Synchronizer):
    """Never made: many scripts can synchronize, and were not asked to this time."""

    newer: NewerFileSyncMode = NewerFileSyncMode.SKIP
    policies: 'ScanPoliciesManager | None' = None

    def run(self, source, target, compare=CompareVersionMode.MODTIME):
        self.sync_folders(parse_sync_folder(source, None), target, 0, None)


def show(*things):
    print(*things)


def shown(file_version):
    fields = file_version.as_dict()
    # These differ from run to run.
    for name in ('accountId', 'bucketId', 'fileId', 'uploadTimestamp'):
        fields.pop(name, None)
    return sorted(fields.items(), key=str)


def failure(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except (B2Error, ValueError) as error:
        return type(error).__name__, str(error)
    return 'no error'


def new_api(account):
    config = B2HttpApiConfig(
        user_agent_append='backup', _raw_api_class=None if account else RawSimulator
    )
    return B2Api(InMemoryAccountInfo(), api_config=config)


def sign_in(account):
    api = new_api(account)
    realm, key_id, key = account or ('production', *api.session.raw_api.create_account())
    api.authorize_account(realm, key_id, key)
    return api


def upload(bucket, directory, large_size):
    files = {'docs/readme.txt': b'read me', 'docs/a/b.bin': bytes(range(200)), 'top.txt': b'top'}
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1_600_000_000, 1_600_000_000))
        info = {'src_last_modified_millis': '1600000000000'}
        show('uploaded', shown(bucket.upload_local_file(str(path), name, file_info=info)))
    large = directory / 'large.bin'
    large.write_bytes(b'0123456789' * (large_size // 10))
    version = bucket.upload_local_file(
        local_file=large, file_name='large.bin', file_infos={'kind': 'large'}
    )
    show('large', version.size, version.content_type, version.file_info['kind'])
    version = bucket.upload_bytes(b'index', 'index.html', 'text/html', cache_control='max-age=5')
    show('bytes', shown(version), version.cache_control, type(version).__name__)
    key = EncryptionSetting(EncryptionMode.SSE_B2, EncryptionAlgorithm.AES256)
    show('encrypted', shown(bucket.upload_bytes(b'secret', 'docs', encryption=key)))
    return version


def listings(bucket):
    for args, kwargs in (
        ((), {}),
        (('docs',), {}),
        (('docs/',), {}),
        (('docs', True, True), {}),
        (('docs/readme.txt',), {}),
        (('docs/readme.txt',), {'folder_to_list_can_be_a_file': True}),
        (('docs',), {'folder_to_list_can_be_a_file': True}),
        (('*.txt',), {'with_wildcard': True, 'recursive': True}),
        ((), {'latest_only': False, 'recursive': True, 'fetch_count': 2}),
    ):
        found = [
            (v.file_name, v.action, v.size, folder) for v, folder in bucket.ls(*args, **kwargs)
        ]
        show('ls', args, kwargs, found)


def downloads(bucket, directory):
    for name in ('top.txt', 'docs/a/b.bin', 'large.bin'):
        target = directory / 'restored'
        bucket.download_file_by_name(name).save_to(target)
        show('same', target.read_bytes() == (directory / name).read_bytes())
    version = bucket.get_file_info_by_name('top.txt')
    show('info', shown(version))
    bucket.download_file_by_id(version.id_, range_=(1, 2)).save_to(directory / 'restored')
    show('range', (directory / 'restored').read_bytes())
    try:
        bucket.download_file_by_name('no-such-file')
    except FileNotPresent as error:
        show('missing', type(error).__name__)


def versions(bucket):
    bucket.upload_bytes(b'top 2', 'top.txt')
    show('hidden', shown(bucket.hide_file('top.txt')))
    show('versions', [(v.action, v.size) for v in bucket.list_file_versions('top.txt')])
    bucket.unhide_file('top.txt')
    show('unhidden', bucket.get_file_info_by_name('top.txt').size)


def keys(api, bucket, other, account):
    full = api.create_key(['listBuckets', 'listFiles', 'readFiles'], 'reader', 3600, bucket.id_)
    fields = full.as_dict()
    show('key', sorted(fields), fields['keyName'], fields['bucketId'] == bucket.id_)
    for key in api.list_keys():
        show('listed', key.key_name, key.bucket_id == bucket.id_, key.capabilities, key.name_prefix)
    show('got', api.get_key(full.id_).key_name, api.get_key('missing'))
    show('allowed before', sorted(api.account_info.get_allowed()))
    reader = new_api(account)
    if not account:
        reader.session.raw_api = api.session.raw_api
    realm = account[0] if account else 'production'
    reader.authorize_account(realm, full.id_, full.application_key)
    allowed = reader.account_info.get_allowed()
    show('allowed', allowed['bucketId'] == bucket.id_, allowed['bucketName'], len(allowed))
    show('own bucket', reader.get_bucket_by_name(bucket.name).name)
    try:
        reader.get_bucket_by_name(other.name)
    except RestrictedBucket as error:
        show('restricted', error.bucket_name, str(error))
    show('all buckets', failure(reader.list_buckets))
    show('by id', failure(reader.get_bucket_by_id, other.id_))
    show('no right', failure(reader.get_bucket_by_name(bucket.name).hide_file, 'top.txt'))
    show('deleted', api.delete_key(full).key_name)
    show('keys', [key.key_name for key in api.list_keys()])


def errors(api):
    show('no bucket', failure(api.get_bucket_by_name, 'no-such-bucket'))
    try:
        api.get_bucket_by_name('no-such-bucket')
    except NonExistentBucket as error:
        show('no bucket', error.bucket_name)
    show('no id', failure(api.get_bucket_by_id, 'no-such-id'))
    show('bad request', issubclass(BucketIdNotFound, BadRequest))


def clean_up(api, *buckets):
    for bucket in buckets:
        for version, _ in bucket.ls(latest_only=False, recursive=True):
            api.delete_file_version(version.id_, version.file_name)
        api.delete_bucket(bucket)
        show('gone', failure(bucket.get_fresh_state))
    show('buckets', api.list_buckets())


def main():
    directory, large_size, account = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    api = sign_in(account)
    bucket = api.create_bucket('backup-of-mine', 'allPrivate', bucket_info={'owner': 'me'})
    other = api.create_bucket('another-bucket', 'allPublic')
    show('buckets', sorted((b.name, b.type_, b.bucket_info) for b in api.list_buckets()))
    version = upload(bucket, directory, large_size)
    show('equal', version == version.get_fresh_state(), version.get_fresh_state().size)
    listings(bucket)
    downloads(bucket, directory)
    versions(bucket)
    keys(api, bucket, other, account)
    errors(api)
    updated = bucket.update(bucket_type='allPublic', bucket_info={'owner': 'you'})
    show('updated', updated.type_, updated.bucket_info, updated.revision)
    clean_up(api, bucket, other)


if __name__ == '__main__':
    main()
