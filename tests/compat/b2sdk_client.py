"""b2sdk as a client of any server: does the usual things, stops at the first that is wrong.

Arguments: realm URL, key ID, key, a directory to work in.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

from b2sdk.v3 import AuthInfoCache, B2Api, InMemoryAccountInfo
from b2sdk.v3.exception import FileNotPresent


def expect(found: Any, wanted: Any) -> None:
    if found != wanted:
        raise AssertionError(f'{found!r} instead of {wanted!r}')


def content(downloaded: Any) -> bytes:
    stream = io.BytesIO()
    downloaded.save(stream)
    return stream.getvalue()


def main(realm: str, key_id: str, key: str, directory: Path) -> None:
    info = InMemoryAccountInfo()
    api = B2Api(info, cache=AuthInfoCache(info))
    api.authorize_account(application_key_id=key_id, application_key=key, realm=realm)
    bucket = api.create_bucket('bucket-b2sdk', 'allPrivate')
    expect([found.name for found in api.list_buckets()], ['bucket-b2sdk'])

    for number in range(25):
        data = bytes([number]) * number
        bucket.upload_bytes(data, f'small/{number:02} ä+%', file_info={'number': str(number)})
    data = os.urandom(11_000_000)
    source = directory / 'source'
    source.write_bytes(data)
    large = bucket.upload_local_file(str(source), 'large.bin', min_part_size=5_000_000)
    expect(large.size, len(data))

    expect(
        [(file.file_name, folder) for file, folder in bucket.ls()],
        [('large.bin', None), ('small/00 ä+%', 'small/')],
    )
    expect(len(list(bucket.ls('small', fetch_count=10))), 25)

    target = directory / 'target'
    bucket.download_file_by_name('large.bin').save_to(str(target))
    expect(target.read_bytes(), data)
    expect(content(bucket.download_file_by_id(large.id_, range_=(5, 10))), data[5:11])
    small = bucket.download_file_by_name('small/07 ä+%')
    expect(small.download_version.file_info, {'number': '7'})
    expect(content(small), b'\x07' * 7)
    expect(bucket.get_file_info_by_name('small/07 ä+%').size, 7)
    expect(api.get_file_info(large.id_).file_name, 'large.bin')

    copy = bucket.copy(large.id_, 'copy.bin', offset=10, length=100)
    expect(content(bucket.download_file_by_id(copy.id_)), data[10:110])

    bucket.hide_file('large.bin')
    try:
        bucket.download_file_by_name('large.bin')
    except FileNotPresent:
        pass
    else:
        raise AssertionError('a hidden file can be downloaded')
    bucket.unhide_file('large.bin')
    expect(bucket.get_file_info_by_name('large.bin').id_, large.id_)

    expect(bucket.update(bucket_info={'a': 'b'}).bucket_info, {'a': 'b'})
    token = bucket.get_download_authorization('small/', 100)
    expect(bool(token), True)
    for file, _ in bucket.ls(recursive=True, latest_only=False):
        api.delete_file_version(file.id_, file.file_name)
    api.delete_bucket(bucket)
    expect(list(api.list_buckets()), [])


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
