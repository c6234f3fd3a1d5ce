"""What an HTTP request says, checked and as the core takes it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from b2fast.encryption.setting import SSE_NONE, EncryptionKey, EncryptionSetting
from b2fast.encryption.types import EncryptionAlgorithm, EncryptionMode
from b2fast.file_lock import FileRetentionSetting, LegalHold, RetentionMode

from . import errors
from .bucket import NewFile

_INFO_PREFIX = 'x-bz-info-'
_SSE_C_PREFIX = 'x-bz-server-side-encryption-customer-'
_FORBIDDEN_HEADERS = (
    'content-disposition',
    'content-encoding',
    'content-language',
    'content-location',
    'content-range',
    'expires',
)
_RANGE = re.compile(r'bytes=([0-9]{1,18})-([0-9]{1,18})')
_INTEGER = re.compile(r'-?[0-9]{1,18}')
#: Retention modes by the names that requests have for them.
RETENTION_MODES = {
    'governance': RetentionMode.GOVERNANCE,
    'compliance': RetentionMode.COMPLIANCE,
}
_LEGAL_HOLDS = {'on': LegalHold.ON, 'off': LegalHold.OFF}


class Params:
    """The fields of a request; null is the same as absent.

    :param values: the fields by their names.
    :param textual: they come from a query, where numbers are text.
    """

    def __init__(self, values: Mapping[str, Any], textual: bool = False) -> None:
        self._values = values
        self._textual = textual

    @classmethod
    def of_json(cls, body: bytes) -> Params:
        """Reads a body; an empty one has no fields."""
        return cls(json_object(body) if body.decode(errors='replace').strip() else {})

    @classmethod
    def of_query(cls, query: str) -> Params:
        """Reads what follows the `?` of a URL."""
        return cls(dict(parse_qsl(query, keep_blank_values=True)), textual=True)

    def _get(self, name: str, types: type | tuple[type, ...], wanted: str) -> Any:
        value = self._values.get(name)
        if value is None:
            return None
        if self._textual and types in (dict, list):
            value = _parsed(value)
        if not isinstance(value, types) or (isinstance(value, bool) and types is int):
            raise errors.bad_json(f'{name} has to be {wanted}')
        return value

    def optional(self, name: str) -> str | None:
        value: str | None = self._get(name, str, 'a string')
        return value

    def required(self, name: str) -> str:
        value = self.optional(name)
        if value is None:
            raise errors.bad_request(f'{name} is required')
        return value

    def integer(self, name: str) -> int | None:
        if self._textual:
            text = self.optional(name)
            return None if text is None else integer(text, name)
        value: int | None = self._get(name, int, 'an integer')
        return value

    def timestamp(self, *names: str) -> int | None:
        """Returns a time in milliseconds, a number or its decimal digits, by any of its names."""
        for name in names:
            value = self._values.get(name)
            if isinstance(value, str):
                return integer(value, name)
            if value is not None:
                return self.integer(name)
        return None

    def boolean(self, name: str) -> bool | None:
        if self._textual:
            text = self.optional(name)
            return None if text is None else text == 'true'
        value: bool | None = self._get(name, bool, 'a boolean')
        return value

    def mapping(self, name: str) -> dict[str, Any] | None:
        value: dict[str, Any] | None = self._get(name, dict, 'an object')
        return value

    def texts(self, name: str) -> dict[str, str] | None:
        value = self.mapping(name)
        if value is not None and not all(isinstance(text, str) for text in value.values()):
            raise errors.bad_json(f'{name} has to be an object of strings')
        return value

    def sequence(self, name: str, item: type) -> list[Any] | None:
        value: list[Any] | None = self._get(name, list, 'an array')
        if value is not None and not all(isinstance(entry, item) for entry in value):
            raise errors.bad_json(f'{name} has entries of a wrong type')
        return value

    def range(self) -> tuple[int, int] | None:
        """Returns the first and the last byte of a copy."""
        text = self.optional('range')
        if text is None:
            return None
        match = _RANGE.fullmatch(text)
        if match is None:
            raise errors.bad_request(f'range is not of the form bytes=first-last: {text!r}')
        return int(match[1]), int(match[2])

    def encryption(self, name: str) -> EncryptionSetting | None:
        """Returns an encryption setting; a mode of null or `none` asks for no encryption."""
        value = self.mapping(name)
        if value is None:
            return None
        if value.get('mode') in (None, 'none'):
            return SSE_NONE
        if value.get('algorithm') != 'AES256':
            raise errors.bad_request(f'{name}: the algorithm has to be AES256')
        if value['mode'] == 'SSE-B2':
            return _sse_b2()
        if value['mode'] == 'SSE-C':
            return _sse_c(value.get('customerKey'), value.get('customerKeyMd5'))
        raise errors.bad_request(f'{name}: invalid mode {value["mode"]!r}')

    def retention(self, name: str) -> FileRetentionSetting | None:
        value = self.mapping(name)
        if value is None or value.get('mode') is None:
            return None
        return _retention(value.get('mode'), value.get('retainUntilTimestamp'))

    def legal_hold(self, name: str) -> LegalHold | None:
        return _legal_hold(self.optional(name))


def integer(text: str, name: str) -> int:
    """Returns what decimal digits say.

    :param name: of what has them.
    :raises SimulatedError: 400 if there are others, or too many.
    """
    if not _INTEGER.fullmatch(text):
        raise errors.bad_request(f'{name} has to be an integer')
    return int(text)


def _parsed(text: str) -> Any:
    """Returns what JSON in a query says."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def json_object(body: bytes) -> dict[str, Any]:
    """Reads a body that has to be a JSON object.

    :raises SimulatedError: 400 `bad_json`.
    """
    try:
        text = body.decode()
        values = json.loads(text)
        if '\\u' in text:
            # Half of a surrogate pair is no text: this cannot encode it.
            json.dumps(values, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise errors.bad_json('The request body is not valid JSON') from None
    if not isinstance(values, dict):
        raise errors.bad_json('The request body is not a JSON object')
    return values


@dataclass(frozen=True)
class Call:
    """A request for one of the JSON calls.

    :param version: of the API: 1 to 4.
    :param base_url: of this server, as the client reaches it.
    :param token: what it authorizes itself with.
    """

    version: int
    base_url: str
    token: str | None
    params: Params


def decode(text: str) -> str:
    """Decodes `%XX` and `+`, as in headers, paths and queries.

    :raises SimulatedError: 400 if the bytes are not UTF-8.
    """
    try:
        return unquote_plus(text, errors='strict')
    except UnicodeDecodeError:
        raise errors.bad_request('Percent-encoded text has to be UTF-8') from None


def header(headers: Mapping[str, str], name: str) -> str:
    """Returns a header that has to be there."""
    value = headers.get(name)
    if value is None:
        raise errors.bad_request(f'Missing header: {name}')
    return value


def uploaded_file(headers: Mapping[str, str]) -> NewFile:
    """Returns what the headers of `b2_upload_file` say about the file."""
    for name in _FORBIDDEN_HEADERS:
        if name in headers:
            raise errors.bad_request(f'Header not allowed in uploads: {name}')
    timestamp = headers.get('x-bz-custom-upload-timestamp')
    mode = headers.get('x-bz-file-retention-mode')
    until = headers.get('x-bz-file-retention-retain-until-timestamp')
    if (mode is None) != (until is None):
        raise errors.bad_request('Retention needs both of its headers')
    return NewFile(
        name=decode(header(headers, 'x-bz-file-name')),
        content_type=header(headers, 'content-type'),
        info={
            name.removeprefix(_INFO_PREFIX): decode(value)
            for name, value in headers.items()
            if name.startswith(_INFO_PREFIX)
        },
        encryption=header_encryption(headers),
        retention=None if until is None else _retention(mode, until),
        legal_hold=_legal_hold(headers.get('x-bz-file-legal-hold')),
        timestamp=(
            None if timestamp is None else integer(timestamp, 'X-Bz-Custom-Upload-Timestamp')
        ),
    )


def header_encryption(headers: Mapping[str, str]) -> EncryptionSetting | None:
    """Returns the encryption that a request's headers ask for."""
    algorithm = headers.get('x-bz-server-side-encryption')
    customer_algorithm = headers.get(_SSE_C_PREFIX + 'algorithm')
    key = headers.get(_SSE_C_PREFIX + 'key')
    md5 = headers.get(_SSE_C_PREFIX + 'key-md5')
    if customer_algorithm is key is md5 is None:
        if algorithm is None:
            return None
        if algorithm != 'AES256':
            raise errors.bad_request('X-Bz-Server-Side-Encryption has to be AES256')
        return _sse_b2()
    if algorithm is not None or customer_algorithm != 'AES256':
        raise errors.bad_request('Invalid combination of encryption headers')
    return _sse_c(key, md5)


def _sse_b2() -> EncryptionSetting:
    return EncryptionSetting(EncryptionMode.SSE_B2, EncryptionAlgorithm.AES256)


def _sse_c(key: object, md5: object) -> EncryptionSetting:
    try:
        secret = base64.b64decode(str(key), validate=True)
    except ValueError:
        secret = b''
    digest = base64.b64encode(hashlib.md5(secret, usedforsecurity=False).digest()).decode()
    if len(secret) != 32 or digest != md5:
        raise errors.bad_request('SSE-C needs a key of 256 bits and its MD5, both in base64')
    return EncryptionSetting(
        EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(secret, None)
    )


def _retention(mode: object, until: object) -> FileRetentionSetting:
    if str(mode) not in RETENTION_MODES or isinstance(until, bool):
        raise errors.bad_request('Invalid retention mode or retain until timestamp')
    return FileRetentionSetting(
        RETENTION_MODES[str(mode)], integer(str(until), 'retain until timestamp')
    )


def _legal_hold(text: str | None) -> LegalHold | None:
    if text is None:
        return None
    if text not in _LEGAL_HOLDS:
        raise errors.bad_request('Legal hold has to be on or off')
    return _LEGAL_HOLDS[text]
