"""Encryption settings beside those of b2sdk, over all combinations."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from b2sdk import v3 as theirs

import b2fast.encryption as ours

from .outcomes import filled, outcome

SECRETS = [None, b'0' * 32, b'short']
KEY_IDS = [None, 'key-7', 'unknown']
MODES = ['UNKNOWN', 'NONE', 'SSE_B2', 'SSE_C']


def key(library: Any, secret: bytes | None, key_id: str | None) -> Any:
    known: Any = library.UNKNOWN_KEY_ID if key_id == 'unknown' else key_id
    return library.EncryptionKey(secret, known)


def behaviour(library: Any, mode: str, algorithm: bool, key_parts: Any) -> list[Any]:
    try:
        setting = library.EncryptionSetting(
            library.EncryptionMode[mode],
            library.EncryptionAlgorithm.AES256 if algorithm else None,
            key(library, *key_parts) if key_parts is not None else None,
        )
    except ValueError as error:
        return [str(error)]
    return [
        outcome(call)
        for call in (
            lambda: setting,
            setting.as_dict,
            setting.serialize_to_json_for_request,
            setting.can_be_used_for_file_write,
            setting.mode.can_be_set_as_bucket_default,
            filled(setting.add_to_upload_headers),
            filled(setting.add_to_download_headers),
            lambda: setting.add_key_id_to_file_info(None),
            lambda: setting.add_key_id_to_file_info({'a': 'b'}),
            lambda: setting.add_key_id_to_file_info({'sse_c_key_id': 'key-7'}),
            lambda: setting.add_key_id_to_file_info({'sse_c_key_id': 'another'}),
            lambda: setting == setting,
            lambda: hash(setting),
        )
    ]


KEYS = [None, *itertools.product(SECRETS, KEY_IDS)]


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('algorithm', [True, False])
@pytest.mark.parametrize('key_parts', KEYS)
def test_settings_behave_the_same(mode: str, algorithm: bool, key_parts: Any) -> None:
    expected = behaviour(theirs, mode, algorithm, key_parts)
    assert behaviour(ours, mode, algorithm, key_parts) == expected


@pytest.mark.parametrize(('secret', 'key_id'), list(itertools.product(SECRETS, KEY_IDS)))
def test_keys_behave_the_same(secret: bytes | None, key_id: str | None) -> None:
    mine, other = key(ours, secret, key_id), key(theirs, secret, key_id)
    assert repr(mine) == repr(other)
    assert mine.as_dict() == other.as_dict()
    if secret is not None:
        assert (mine.key_b64(), mine.key_md5()) == (other.key_b64(), other.key_md5())


FILES: list[dict[str, Any]] = [
    {},
    {'serverSideEncryption': None},
    {'serverSideEncryption': {'mode': None, 'algorithm': None}},
    {'serverSideEncryption': {'mode': 'none'}},
    {'serverSideEncryption': {'mode': 'SSE-B2', 'algorithm': 'AES256'}},
    {'serverSideEncryption': {'mode': 'SSE-C', 'algorithm': 'AES256'}, 'fileInfo': {}},
    {
        'serverSideEncryption': {'mode': 'SSE-C', 'algorithm': 'AES256'},
        'fileInfo': {'sse_c_key_id': 'key-7'},
    },
    {'serverSideEncryption': {'mode': 'SSE-X', 'algorithm': 'AES256'}},
]
BUCKETS: list[dict[str, Any]] = [
    {},
    *(
        {'defaultServerSideEncryption': {'isClientAuthorizedToRead': readable, 'value': value}}
        for readable, value in (
            (False, None),
            (True, None),
            (True, {'mode': None, 'algorithm': None}),
            (True, {'mode': 'none'}),
            (True, {'mode': 'SSE-B2', 'algorithm': 'AES256'}),
        )
    ),
]
HEADERS: list[dict[str, str]] = [
    {},
    {'X-Bz-Server-Side-Encryption': 'AES256'},
    {'X-Bz-Server-Side-Encryption-Customer-Algorithm': 'AES256'},
    {
        'X-Bz-Server-Side-Encryption-Customer-Algorithm': 'AES256',
        'X-Bz-Info-sse_c_key_id': 'key-7',
    },
]


@pytest.mark.parametrize(
    ('method', 'answer'),
    [
        *(('from_file_version_dict', answer) for answer in FILES),
        *(('from_bucket_dict', answer) for answer in BUCKETS),
        *(('from_response_headers', answer) for answer in HEADERS),
    ],
)
def test_answers_are_read_the_same(method: str, answer: Any) -> None:
    expected = outcome(lambda: getattr(theirs.EncryptionSettingFactory, method)(answer))
    assert outcome(lambda: getattr(ours.EncryptionSettingFactory, method)(answer)) == expected


def test_only_unknown_is_unknown() -> None:
    # In b2sdk the method says this of "none".
    assert ours.EncryptionSetting(ours.EncryptionMode.UNKNOWN).is_unknown()
    assert not ours.SSE_NONE.is_unknown()
    assert not ours.SSE_B2_AES.is_unknown()


def test_secrets_do_not_show() -> None:
    key = ours.EncryptionKey(b'very secret key of 32 bytes long', 'key-7')
    mode, algorithm = ours.EncryptionMode.SSE_C, ours.EncryptionAlgorithm.AES256
    setting = ours.EncryptionSetting(mode, algorithm, key)
    for shown in (repr(key), str(key), repr(setting), f'{setting}'):
        assert 'secret' not in shown
        assert key.key_b64() not in shown
