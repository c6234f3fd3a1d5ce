"""Settings of server-side encryption, and their forms in headers and JSON."""

from __future__ import annotations

import enum
from collections.abc import Mapping, MutableMapping
from typing import Any

from ..http_constants import SSE_C_KEY_ID_FILE_INFO_KEY_NAME, SSE_C_KEY_ID_HEADER
from ..utils.hashing import b64_of_bytes, md5_of_bytes
from ..utils.url import b2_url_decode, b2_url_encode
from .types import (
    ENCRYPTION_MODES_WITH_MANDATORY_ALGORITHM,
    ENCRYPTION_MODES_WITH_MANDATORY_KEY,
    EncryptionAlgorithm,
    EncryptionMode,
)

_SSE_HEADER = 'X-Bz-Server-Side-Encryption'
_SSE_C_ALGORITHM_HEADER = 'X-Bz-Server-Side-Encryption-Customer-Algorithm'
_SSE_C_KEY_HEADER = 'X-Bz-Server-Side-Encryption-Customer-Key'
_SSE_C_KEY_MD5_HEADER = 'X-Bz-Server-Side-Encryption-Customer-Key-Md5'


class _UnknownKeyId(enum.Enum):
    """The type of `UNKNOWN_KEY_ID`; an enum, so that type checkers tell it from a string."""

    unknown_key_id = 0


UNKNOWN_KEY_ID = _UnknownKeyId.unknown_key_id
"""The key may have an ID, but nobody said which."""


class EncryptionKey:
    """A customer's key and the ID that tells keys apart; the secret never shows in ``repr``.

    :param secret: the key (32 bytes for AES256), None when only its ID is known.
    :param key_id: what to store with a file to find its key again; None stores nothing.
    """

    SECRET_REPR = '******'  # noqa: S105

    def __init__(self, secret: bytes | None, key_id: str | _UnknownKeyId | None) -> None:
        self.secret = secret
        self.key_id = key_id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EncryptionKey):
            return NotImplemented
        return self.secret == other.secret and self.key_id == other.key_id

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        secret = self.SECRET_REPR if self.secret is not None else None
        key_id = 'unknown' if self.key_id is UNKNOWN_KEY_ID else repr(self.key_id)
        return f'<EncryptionKey({secret}, {key_id})>'

    def as_dict(self) -> dict[str, str]:
        """The key as it is sent; masked when the secret is not known."""
        if self.secret is None:
            return {'customerKey': self.SECRET_REPR, 'customerKeyMd5': self.SECRET_REPR}
        return {'customerKey': self.key_b64(), 'customerKeyMd5': self.key_md5()}

    def key_b64(self) -> str:
        """The secret in Base64."""
        return b64_of_bytes(self._known_secret())

    def key_md5(self) -> str:
        """The MD5 of the secret in Base64, by which the service detects a garbled key."""
        return b64_of_bytes(md5_of_bytes(self._known_secret()))

    def _known_secret(self) -> bytes:
        if self.secret is None:
            raise TypeError('the secret of the encryption key is not known')
        return self.secret


class EncryptionSetting:
    """How a file is encrypted, or how new files of a bucket shall be.

    :param mode: who holds the key.
    :param algorithm: required for SSE-B2 and SSE-C.
    :param key: required for SSE-C.
    :raises ValueError: if the three do not fit together.
    """

    def __init__(
        self,
        mode: EncryptionMode,
        algorithm: EncryptionAlgorithm | None = None,
        key: EncryptionKey | None = None,
    ) -> None:
        if mode is EncryptionMode.NONE and (algorithm or key):
            raise ValueError("cannot specify algorithm or key for 'plaintext' encryption mode")
        if mode in ENCRYPTION_MODES_WITH_MANDATORY_ALGORITHM and not algorithm:
            raise ValueError(f'must specify algorithm for encryption mode {mode}')
        if mode in ENCRYPTION_MODES_WITH_MANDATORY_KEY and not key:
            raise ValueError(
                f'must specify key for encryption mode {mode} and algorithm {algorithm}'
            )
        self.mode = mode
        self.algorithm = algorithm
        self.key = key

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EncryptionSetting):
            return NotImplemented
        return (self.mode, self.algorithm, self.key) == (other.mode, other.algorithm, other.key)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f'<EncryptionSetting({self.mode}, {self.algorithm}, {self.key})>'

    def as_dict(self) -> dict[str, str | None]:
        """The setting as the service writes it, with an SSE-C key."""
        result = {'mode': self.mode.value}
        if self.algorithm is not None:
            result['algorithm'] = self.algorithm.value
        if self.mode is EncryptionMode.SSE_C:
            result.update(self._key().as_dict())
        return result

    def serialize_to_json_for_request(self) -> dict[str, str | None]:
        """The setting for the JSON of a request.

        :raises ValueError: if the secret of the key is not known.
        """
        if self.key is not None and self.key.secret is None:
            raise ValueError('cannot use an unknown key in requests')
        return self.as_dict()

    def add_to_upload_headers(self, headers: MutableMapping[str, str]) -> None:
        """Add what an upload needs: the mode, an SSE-C key, and that key's ID as file info."""
        if self.mode is EncryptionMode.NONE:
            headers[_SSE_HEADER] = 'NONE'
        elif self.mode is EncryptionMode.SSE_B2:
            headers[_SSE_HEADER] = self._algorithm().value
        elif self.mode is EncryptionMode.SSE_C:
            key = self._key()
            if isinstance(key.key_id, _UnknownKeyId):
                raise ValueError('Cannot upload a file with an unknown key id')
            self._add_key_headers(headers)
            if key.key_id is not None:
                self._add_key_id_header(headers, key.key_id)
        else:
            raise NotImplementedError(f'unsupported encryption setting: {self}')

    def add_to_download_headers(self, headers: MutableMapping[str, str]) -> None:
        """Add what a download needs: the key of an SSE-C file."""
        if self.mode is EncryptionMode.NONE:
            return
        if self.mode is EncryptionMode.SSE_B2:
            headers[_SSE_HEADER] = self._algorithm().value
        elif self.mode is EncryptionMode.SSE_C:
            self._add_key_headers(headers)
        else:
            raise NotImplementedError(f'unsupported encryption setting: {self}')

    def add_key_id_to_file_info(self, file_info: dict[str, str] | None) -> dict[str, str] | None:
        """Give the file info with the key's ID in it, so that the key can be found again.

        :raises ValueError: if the ID is unknown, or the file info names another one.
        """
        if self.key is None or self.key.key_id is None:
            return file_info
        if isinstance(self.key.key_id, _UnknownKeyId):
            raise ValueError('Cannot add an unknown key id to file info')
        named = (file_info or {}).get(SSE_C_KEY_ID_FILE_INFO_KEY_NAME)
        if named is not None and named != self.key.key_id:
            raise ValueError(
                f'Ambiguous key id set: "{named}" in file_info '
                f'and "{self.key.key_id}" in EncryptionSetting'
            )
        return {**(file_info or {}), SSE_C_KEY_ID_FILE_INFO_KEY_NAME: self.key.key_id}

    def is_unknown(self) -> bool:
        """Was the application key not allowed to read the setting?"""
        return self.mode is EncryptionMode.UNKNOWN

    def can_be_used_for_file_write(self) -> bool:
        """Does the service accept the setting for a new file?"""
        if self.mode is EncryptionMode.SSE_B2:
            return self.key is None
        return self.mode is EncryptionMode.SSE_C and self._key().secret is not None

    def _algorithm(self) -> EncryptionAlgorithm:
        if self.algorithm is None:
            raise ValueError(f'must specify algorithm for encryption mode {self.mode}')
        return self.algorithm

    def _key(self) -> EncryptionKey:
        if self.key is None:
            raise ValueError(f'must specify key for encryption mode {self.mode}')
        return self.key

    def _add_key_headers(self, headers: MutableMapping[str, str]) -> None:
        key = self._key()
        if key.secret is None:
            raise ValueError('Cannot use an unknown key in http headers')
        headers[_SSE_C_ALGORITHM_HEADER] = self._algorithm().value
        headers[_SSE_C_KEY_HEADER] = key.key_b64()
        headers[_SSE_C_KEY_MD5_HEADER] = key.key_md5()

    def _add_key_id_header(self, headers: MutableMapping[str, str], key_id: str) -> None:
        encoded = b2_url_encode(key_id)
        named = headers.get(SSE_C_KEY_ID_HEADER)
        if named is not None and named != encoded:
            raise ValueError(
                f'Ambiguous key id set: "{b2_url_decode(named)}" in headers '
                f'and "{key_id}" in EncryptionSetting'
            )
        headers[SSE_C_KEY_ID_HEADER] = encoded


class EncryptionSettingFactory:
    """Reads settings from what the service answers."""

    @classmethod
    def from_file_version_dict(cls, file_version_dict: dict[str, Any]) -> EncryptionSetting:
        """Read the setting of a file version; a file without one is not encrypted."""
        value = file_version_dict.get('serverSideEncryption')
        key_id = (file_version_dict.get('fileInfo') or {}).get(SSE_C_KEY_ID_FILE_INFO_KEY_NAME)
        return cls._from_value(value, key_id)

    @classmethod
    def from_bucket_dict(cls, bucket_dict: dict[str, Any]) -> EncryptionSetting | None:
        """Read the default of a bucket; unknown when the application key may not read it."""
        default = bucket_dict.get('defaultServerSideEncryption')
        if default is None or not default['isClientAuthorizedToRead']:
            return EncryptionSetting(EncryptionMode.UNKNOWN)
        return cls._from_value(default['value'], None)

    @classmethod
    def from_response_headers(cls, headers: Mapping[str, Any]) -> EncryptionSetting:
        """Read the setting of a file from the headers of its download."""
        if algorithm := headers.get(_SSE_HEADER):
            return cls._from_value({'mode': 'SSE-B2', 'algorithm': algorithm}, None)
        if algorithm := headers.get(_SSE_C_ALGORITHM_HEADER):
            key_id = headers.get(SSE_C_KEY_ID_HEADER)
            return cls._from_value(
                {'mode': 'SSE-C', 'algorithm': algorithm},
                b2_url_decode(key_id) if key_id is not None else None,
            )
        return EncryptionSetting(EncryptionMode.NONE)

    @classmethod
    def _from_value(cls, value: dict[str, Any] | None, key_id: str | None) -> EncryptionSetting:
        if value is None or value['mode'] is None:
            return EncryptionSetting(EncryptionMode.NONE)
        mode = EncryptionMode(value['mode'])
        algorithm = value.get('algorithm')
        return EncryptionSetting(
            mode,
            EncryptionAlgorithm(algorithm) if algorithm is not None else None,
            EncryptionKey(None, key_id) if mode is EncryptionMode.SSE_C else None,
        )


SSE_NONE = EncryptionSetting(EncryptionMode.NONE)
"""Not encrypted."""
SSE_B2_AES = EncryptionSetting(EncryptionMode.SSE_B2, EncryptionAlgorithm.AES256)
"""Encrypted with a key that the service holds."""
