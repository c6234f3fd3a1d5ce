"""b2sdk against the simulator: encryption with B2's keys and with the customer's."""

from __future__ import annotations

import pytest
from b2sdk.v3 import (
    SSE_B2_AES,
    CopySource,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    UploadSourceBytes,
)
from b2sdk.v3.exception import B2Error, SSECKeyError

from .sdk import MINIMUM_PART_SIZE, PART_SIZE, World, content

LARGE = bytes(range(251)) * 40


def customer_key(byte: int) -> EncryptionSetting:
    secret = bytes([byte]) * 32
    return EncryptionSetting(
        EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(secret, f'key-{byte}')
    )


MINE, OTHER = customer_key(1), customer_key(2)


def test_encryption_of_b2(world: World) -> None:
    bucket = world.new_bucket(default_server_side_encryption=SSE_B2_AES)
    assert bucket.get_fresh_state().default_server_side_encryption == SSE_B2_AES
    for name, data in (('small', b'data'), ('large', LARGE)):
        version = bucket.upload_bytes(data, name, encryption=SSE_B2_AES)
        assert version.server_side_encryption == SSE_B2_AES
        downloaded = version.download()
        assert downloaded.download_version.server_side_encryption == SSE_B2_AES
        assert content(downloaded) == data


def test_keys_of_the_customer(world: World) -> None:
    bucket = world.new_bucket()
    for name, data in (('small', b'data'), ('large', LARGE)):
        version = bucket.upload_bytes(data, name, encryption=MINE)
        found = bucket.get_file_info_by_id(version.id_)
        assert found.server_side_encryption.mode == EncryptionMode.SSE_C
        assert found.file_info['sse_c_key_id'] == 'key-1'
        assert content(version.download(encryption=MINE)) == data
        assert content(bucket.download_file_by_name(name, encryption=MINE)) == data
        with pytest.raises(SSECKeyError):
            content(version.download(encryption=OTHER))
        with pytest.raises(B2Error):
            content(version.download())


def test_copies_between_keys(world: World) -> None:
    bucket = world.new_bucket()
    source = bucket.upload_bytes(LARGE, 'source', encryption=MINE)
    known = {'source_file_info': source.file_info, 'source_content_type': source.content_type}
    again = bucket.copy(
        source.id_, 'again', source_encryption=MINE, destination_encryption=OTHER, **known
    )
    in_parts = bucket.copy(
        source.id_,
        'in parts',
        length=len(LARGE),
        min_part_size=MINIMUM_PART_SIZE,
        max_part_size=PART_SIZE,
        source_encryption=MINE,
        destination_encryption=OTHER,
        **known,
    )
    for copy in (again, in_parts):
        assert content(copy.download(encryption=OTHER)) == LARGE
        assert copy.file_info['sse_c_key_id'] == 'key-2'
    decrypted = bucket.copy(
        source.id_, 'plain', source_encryption=MINE, destination_encryption=SSE_B2_AES, **known
    )
    assert content(decrypted.download()) == LARGE
    joined = bucket.concatenate(
        [CopySource(source.id_, length=len(LARGE), encryption=MINE), UploadSourceBytes(b'end')],
        'joined',
        encryption=OTHER,
    )
    assert content(joined.download(encryption=OTHER)) == LARGE + b'end'
    with pytest.raises(B2Error):
        bucket.copy(source.id_, 'wrong', source_encryption=OTHER, **known)
