"""Which attributes of the simulator's objects are stored, and as what in JSON.

An attribute that has to outlive the process needs a line here. One that an older version did not
store keeps what the constructor gave it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from b2fast.encryption.setting import EncryptionKey, EncryptionSetting
from b2fast.encryption.types import EncryptionAlgorithm, EncryptionMode
from b2fast.file_lock import (
    BucketRetentionSetting,
    FileRetentionSetting,
    LegalHold,
    RetentionMode,
    RetentionPeriod,
)
from b2fast.replication.setting import ReplicationConfiguration
from b2fast.replication.types import ReplicationStatus


class CustomerKeyDigest(EncryptionKey):
    """A customer's key of which only the MD5 is known: enough to refuse other keys.

    :param md5: of the key, in Base64.
    """

    def __init__(self, md5: str) -> None:
        super().__init__(None, None)
        self._md5 = md5

    def key_md5(self) -> str:
        """The MD5 of the secret in Base64."""
        return self._md5


class Form(NamedTuple):
    """How values of an attribute become JSON, and values again."""

    store: Callable[[Any], Any]
    load: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _unless_none(form: Form) -> Form:
    return Form(
        lambda value: None if value is None else form.store(value),
        lambda value: None if value is None else form.load(value),
    )


def _stored_encryption(setting: EncryptionSetting) -> dict[str, Any]:
    return {
        'mode': setting.mode.value,
        'algorithm': None if setting.algorithm is None else setting.algorithm.value,
        'keyMd5': None if setting.key is None else setting.key.key_md5(),
    }


def _loaded_encryption(value: dict[str, Any]) -> EncryptionSetting:
    algorithm, md5 = value['algorithm'], value['keyMd5']
    return EncryptionSetting(
        EncryptionMode(value['mode']),
        None if algorithm is None else EncryptionAlgorithm(algorithm),
        None if md5 is None else CustomerKeyDigest(md5),
    )


def _stored_bucket_retention(setting: BucketRetentionSetting) -> dict[str, Any]:
    period = setting.period
    return {
        'mode': setting.mode.value,
        'period': None if period is None else period.as_dict(),
    }


def _loaded_bucket_retention(value: dict[str, Any]) -> BucketRetentionSetting:
    period = value['period']
    return BucketRetentionSetting(
        RetentionMode(value['mode']),
        None if period is None else RetentionPeriod.from_period_dict(period),
    )


#: What JSON has itself.
PLAIN = Form(_same, _same)
SET = Form(sorted, set)
ENCRYPTION = _unless_none(Form(_stored_encryption, _loaded_encryption))
BUCKET_RETENTION = Form(_stored_bucket_retention, _loaded_bucket_retention)
FILE_RETENTION = _unless_none(
    Form(FileRetentionSetting.as_dict, FileRetentionSetting.from_file_retention_value_dict)
)
LEGAL_HOLD = Form(lambda hold: hold.value, LegalHold)
REPLICATION = _unless_none(
    Form(ReplicationConfiguration.as_dict, ReplicationConfiguration.from_dict)
)
REPLICATION_STATUS = _unless_none(Form(lambda status: status.value, ReplicationStatus))

KEY_FIELDS: Mapping[str, Form] = {
    'account_id': PLAIN,
    'name': PLAIN,
    'application_key_id': PLAIN,
    'key': PLAIN,
    'capabilities': PLAIN,
    'expiration_timestamp_or_none': PLAIN,
    'buckets_or_none': PLAIN,
    'name_prefix_or_none': PLAIN,
}
BUCKET_FIELDS: Mapping[str, Form] = {
    'account_id': PLAIN,
    'bucket_name': PLAIN,
    'bucket_type': PLAIN,
    'bucket_info': PLAIN,
    'cors_rules': PLAIN,
    'lifecycle_rules': PLAIN,
    'default_server_side_encryption': ENCRYPTION,
    'is_file_lock_enabled': PLAIN,
    'default_retention': BUCKET_RETENTION,
    'replication': REPLICATION,
    'notification_rules': PLAIN,
    'options_set': SET,
    'revision': PLAIN,
}
FILE_FIELDS: Mapping[str, Form] = {
    'account_id': PLAIN,
    'action': PLAIN,
    'name': PLAIN,
    'content_type': PLAIN,
    'content_sha1': PLAIN,
    'known_md5': PLAIN,
    'file_info': PLAIN,
    'upload_timestamp': PLAIN,
    'server_side_encryption': ENCRYPTION,
    'file_retention': FILE_RETENTION,
    'legal_hold': LEGAL_HOLD,
    'replication_status': REPLICATION_STATUS,
}
PART_FIELDS: Mapping[str, Form] = {
    'content_length': PLAIN,
    'content_sha1': PLAIN,
    'upload_timestamp': PLAIN,
}
DOWNLOAD_TOKEN_FIELDS: Mapping[str, Form] = {
    'bucket_id': PLAIN,
    'prefix': PLAIN,
    'expires': PLAIN,
    'overrides': PLAIN,
}

_encode = json.JSONEncoder(separators=(',', ':')).encode


def stored(thing: object, fields: Mapping[str, Form], **more: Any) -> str:
    """Returns the JSON text that keeps an object.

    :param more: what is to be stored beside its attributes.
    """
    values = {name: form.store(getattr(thing, name)) for name, form in fields.items()}
    return _encode({**values, **more})


def loaded(values: Mapping[str, Any], fields: Mapping[str, Form]) -> dict[str, Any]:
    """Returns the attributes that were stored."""
    return {name: form.load(values[name]) for name, form in fields.items() if name in values}


def restore(thing: object, values: Mapping[str, Any], fields: Mapping[str, Form]) -> None:
    """Gives an object the attributes that were stored."""
    for name, value in loaded(values, fields).items():
        setattr(thing, name, value)
