"""What b2sdk's signatures hand over, as the core takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from b2fast._core.server import Content
from b2fast.encryption.setting import EncryptionSetting
from b2fast.encryption.types import EncryptionMode
from b2fast.exception import WrongEncryptionModeForBucketDefault, WrongEncryptionSettingForFileWrite
from b2fast.file_lock import BucketRetentionSetting, FileRetentionSetting, LegalHold
from b2fast.http_constants import HEX_DIGITS_AT_END
from b2fast.raw_api import MetadataDirectiveMode
from b2fast.types import LifecycleRule, ReadOnlyStream

from . import errors, rules
from .bucket import NewFile
from .bucket_settings import BucketSettings
from .file import File


def receive(stream: ReadOnlyStream, length: int, sha1: str) -> tuple[Content, str]:
    """Reads an upload's stream.

    :param length: bytes in the stream, with those of a digest at its end.
    :param sha1: hex digits, `hex_digits_at_end` or `do_not_verify`.
    :return: the content, and hex digits or `do_not_verify`.
    :raises SimulatedError: 400 if the stream has another length.
    """
    chunks = []
    while chunk := stream.read():
        chunks.append(chunk)
    data = b''.join(chunks)
    if len(data) != length:
        raise errors.bad_request(f'The upload has {len(data)} bytes instead of {length}')
    if sha1 == HEX_DIGITS_AT_END:
        if length < rules.DIGEST_LENGTH:
            raise errors.bad_request('The upload has no SHA1 at its end')
        sha1 = data[-rules.DIGEST_LENGTH :].decode('ascii', 'replace')
        data = data[: -rules.DIGEST_LENGTH]
    return Content(data), sha1


def new_file(
    name: str,
    content_type: str,
    info: Mapping[str, str],
    encryption: EncryptionSetting | None,
    retention: FileRetentionSetting | None,
    legal_hold: LegalHold | None,
    timestamp: int | None = None,
) -> NewFile:
    """Returns what is said about a file to be.

    :raises WrongEncryptionSettingForFileWrite: no file is written with this encryption.
    """
    if encryption is not None:
        if not encryption.can_be_used_for_file_write():
            raise WrongEncryptionSettingForFileWrite(encryption)
        if encryption.mode == EncryptionMode.SSE_C:
            info = encryption.add_key_id_to_file_info(dict(info)) or info
    return NewFile(
        name=name,
        content_type=content_type,
        info=info,
        encryption=encryption,
        retention=retention,
        legal_hold=legal_hold,
        timestamp=timestamp,
    )


def copied_metadata(
    source: File,
    directive: MetadataDirectiveMode | None,
    content_type: str | None,
    info: Mapping[str, str] | None,
) -> tuple[str, Mapping[str, str]]:
    """Returns content type and file information of a copy.

    :raises SimulatedError: 400 if they do not fit the directive.
    """
    if directive == MetadataDirectiveMode.REPLACE:
        if content_type is None:
            raise errors.bad_metadata_directive(
                'content_type cannot be None when metadata_directive is REPLACE'
            )
        return content_type, source.file_info if info is None else info
    if directive == MetadataDirectiveMode.COPY and (content_type is not None or info is not None):
        raise errors.bad_metadata_directive(
            'content_type and file_info should be None when metadata_directive is COPY'
        )
    return source.content_type or 'application/octet-stream', source.file_info


def bucket_settings(
    bucket_type: str | None,
    bucket_info: Mapping[str, str] | None,
    cors_rules: Sequence[Mapping[str, Any]] | None,
    lifecycle_rules: list[LifecycleRule] | None,
    encryption: EncryptionSetting | None,
    file_lock: bool | None,
    replication: Any | None,
    retention: BucketRetentionSetting | None = None,
) -> BucketSettings:
    """Returns the settings of a bucket.

    :raises WrongEncryptionModeForBucketDefault: only SSE-B2 can be a bucket's default.
    """
    if encryption is not None and encryption.mode != EncryptionMode.SSE_B2:
        raise WrongEncryptionModeForBucketDefault(encryption.mode)
    return BucketSettings(
        bucket_type=bucket_type,
        bucket_info=bucket_info,
        cors_rules=cors_rules,
        lifecycle_rules=lifecycle_rules,
        encryption=encryption,
        retention=retention,
        replication=replication,
        file_lock=file_lock,
    )
