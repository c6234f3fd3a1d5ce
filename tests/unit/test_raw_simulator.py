"""What programs lean on in RawSimulator besides its answers: hooks, subclasses, threads."""

from __future__ import annotations

import hashlib
import io
import threading
from typing import Any

import pytest

from b2fast.encryption import EncryptionAlgorithm, EncryptionKey, EncryptionMode, EncryptionSetting
from b2fast.exception import (
    FileNotPresent,
    InvalidAuthToken,
    SSECKeyError,
    UnsatisfiableRange,
    UploadTokenUsedConcurrently,
)
from b2fast.simulator import BucketSimulator, FakeResponse, FileSimulator, RawSimulator


class Account:
    """A simulator with one account and one bucket."""

    def __init__(self, raw: RawSimulator) -> None:
        self.raw = raw
        self.key_id, self.key = raw.create_account()
        answer = raw.authorize_account('production', self.key_id, self.key)
        self.storage = answer['apiInfo']['storageApi']
        self.auth = (self.storage['apiUrl'], answer['authorizationToken'])
        bucket = raw.create_bucket(*self.auth, self.key_id, 'bucket-1', 'allPrivate')
        self.bucket_id: str = bucket['bucketId']

    def upload(self, name: str, data: bytes = b'data', stream: Any = None, **kwargs: Any) -> Any:
        url = kwargs.pop('url', None) or self.raw.get_upload_url(*self.auth, self.bucket_id)
        return self.raw.upload_file(
            url['uploadUrl'],
            url['authorizationToken'],
            name,
            len(data),
            'text/plain',
            hashlib.sha1(data, usedforsecurity=False).hexdigest(),
            {},
            stream or io.BytesIO(data),
            **kwargs,
        )

    def download(self, name: str, **kwargs: Any) -> Any:
        url = self.raw.get_download_url_by_name(self.storage['downloadUrl'], 'bucket-1', name)
        with self.raw.download_file_from_url(self.auth[1], url, **kwargs) as response:
            return b''.join(response.iter_content(2))


@pytest.fixture
def account() -> Account:
    return Account(RawSimulator())


def test_subclasses_are_used() -> None:
    class BrokenResponse(FakeResponse):
        def iter_content(self, chunk_size: int = 1) -> Any:
            yield from list(super().iter_content(chunk_size))[:-1]

    class File(FileSimulator):
        pass

    class Bucket(BucketSimulator):
        FILE_SIMULATOR_CLASS = File
        RESPONSE_CLASS = BrokenResponse

    class Simulator(RawSimulator):
        BUCKET_SIMULATOR_CLASS = Bucket
        MIN_PART_SIZE = 17

    account = Account(Simulator())
    assert account.storage['recommendedPartSize'] == 17
    file_id = account.upload('a', b'abcd')['fileId']
    bucket = account.raw.bucket_id_to_bucket[account.bucket_id]
    assert type(bucket) is Bucket
    assert type(bucket.file_id_to_file[file_id]) is File
    assert account.download('a') == b'ab'


def test_stored_content_can_be_changed(account: Account) -> None:
    file_id = account.upload('a', b'abcd')['fileId']
    bucket = account.raw.bucket_name_to_bucket['bucket-1']
    file = bucket.get_file(file_id, 'a')
    assert file.data_bytes == b'abcd'
    file.data_bytes = b'xyz'
    assert account.download('a') == b'xyz'


def test_digest_mismatch_stores_nothing_and_frees_the_url(account: Account) -> None:
    url = account.raw.get_upload_url(*account.auth, account.bucket_id)
    with pytest.raises(Exception, match='SHA1 mismatch'):
        account.upload('a', b'abcd', io.BytesIO(b'abcx'), url=url)
    with pytest.raises(FileNotPresent):
        account.download('a')
    account.upload('a', b'abcd', url=url)


def test_stream_of_another_length(account: Account) -> None:
    with pytest.raises(Exception, match='3 bytes instead of 4'):
        account.upload('a', b'abcd', io.BytesIO(b'abc'))


def test_url_used_twice_at_once(account: Account) -> None:
    url = account.raw.get_upload_url(*account.auth, account.bucket_id)

    class Stream(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            with pytest.raises(UploadTokenUsedConcurrently):
                account.upload('b', url=url)
            return super().read(size)

    account.upload('a', stream=Stream(b'data'), url=url)
    with pytest.raises(FileNotPresent):
        account.download('b')


def test_others_work_while_a_stream_is_read(account: Account) -> None:
    class Stream(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            thread = threading.Thread(target=account.upload, args=('b',))
            thread.start()
            thread.join(10)
            assert not thread.is_alive()
            return super().read(size)

    account.upload('a', stream=Stream(b'data'))
    assert account.download('b') == b'data'


def test_ranges(account: Account) -> None:
    account.upload('a', b'0123456789')
    assert account.download('a', range_=(2, 4)) == b'234'
    assert account.download('a', range_=(8, 20)) == b'89'
    with pytest.raises(UnsatisfiableRange):
        account.download('a', range_=(10, 20))


def test_customer_keys(account: Account) -> None:
    def setting(secret: bytes) -> EncryptionSetting:
        key = EncryptionKey(secret, 'id')
        return EncryptionSetting(EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, key)

    file = account.upload('a', server_side_encryption=setting(b'k' * 32))
    assert file['fileInfo'] == {'sse_c_key_id': 'id'}
    assert file['serverSideEncryption'] == {'mode': 'SSE-C', 'algorithm': 'AES256'}
    assert account.download('a', encryption=setting(b'k' * 32)) == b'data'
    for encryption in (None, setting(b'x' * 32)):
        with pytest.raises(SSECKeyError):
            account.download('a', encryption=encryption)


def test_tokens(account: Account) -> None:
    raw, (api, token) = account.raw, account.auth
    assert raw.auth_token_to_key[token].application_key_id == account.key_id
    assert account.key not in repr(raw.auth_token_to_key[token])
    with pytest.raises(InvalidAuthToken):
        raw.list_buckets(api, 'nonsense', account.key_id)
    raw.expire_auth_token(token)
    with pytest.raises(InvalidAuthToken, match='auth_token_expired'):
        raw.list_buckets(api, token, account.key_id)


def test_notification_rules_are_kept_and_suspended(account: Account) -> None:
    raw = account.raw
    rule = {'name': 'rule-1', 'eventTypes': ['b2:ObjectCreated:*'], 'isEnabled': True}
    stored = raw.set_bucket_notification_rules(*account.auth, account.bucket_id, [rule])
    added = {'isSuspended': False, 'suspensionReason': '', 'targetConfiguration': {}}
    assert stored == [{**rule, **added}]
    assert 'isSuspended' not in rule
    bucket = raw.bucket_id_to_bucket[account.bucket_id]
    bucket.simulate_notification_rule_suspension('rule-1', 'tired')
    (stored_rule,) = raw.get_bucket_notification_rules(*account.auth, account.bucket_id)
    assert (stored_rule['isSuspended'], stored_rule['suspensionReason']) == (True, 'tired')
