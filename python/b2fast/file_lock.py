"""Object Lock: retention and legal hold of files, default retention of buckets."""

from __future__ import annotations

import enum
from collections.abc import Mapping, MutableMapping
from typing import Any, Self

from .exception import UnexpectedCloudBehaviour

ACTIONS_WITHOUT_LOCK_SETTINGS = frozenset(('hide', 'folder'))
"""Entries of listings that cannot be locked and come without lock fields."""

_RETENTION_MODE_HEADER = 'X-Bz-File-Retention-Mode'
_RETENTION_UNTIL_HEADER = 'X-Bz-File-Retention-Retain-Until-Timestamp'
_LEGAL_HOLD_HEADER = 'X-Bz-File-Legal-Hold'
_UNREADABLE_HEADER = 'X-Bz-Client-Unauthorized-To-Read'


@enum.unique
class RetentionMode(enum.Enum):
    """How firmly a file version is kept."""

    GOVERNANCE = 'governance'
    """Those who may bypass governance can shorten it."""
    COMPLIANCE = 'compliance'
    """Nobody can shorten it."""
    NONE = None
    """Not kept."""
    UNKNOWN = 'unknown'
    """The application key may not read it."""


RETENTION_MODES_REQUIRING_PERIODS = frozenset((RetentionMode.COMPLIANCE, RetentionMode.GOVERNANCE))


class RetentionPeriod:
    """How long new files of a bucket are kept: a number of years or of days.

    :raises ValueError: if not exactly one of the two is given.
    """

    KNOWN_UNITS = ['days', 'years']  # noqa: RUF012

    def __init__(self, years: int | None = None, days: int | None = None) -> None:
        if years is not None and days is None:
            self.duration, self.unit = years, 'years'
        elif days is not None and years is None:
            self.duration, self.unit = days, 'days'
        else:
            raise ValueError('a retention period needs either years or days')

    @classmethod
    def from_period_dict(cls, period_dict: dict[str, Any]) -> Self:
        """Read ``{'duration': 5, 'unit': 'days'}``."""
        unit = period_dict['unit']
        if unit not in cls.KNOWN_UNITS:
            raise ValueError(f'unknown unit of a retention period: {unit!r}')
        return cls(**{unit: period_dict['duration']})

    def as_dict(self) -> dict[str, Any]:
        """Write what `from_period_dict` reads."""
        return {'duration': self.duration, 'unit': self.unit}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RetentionPeriod):
            return NotImplemented
        return (self.duration, self.unit) == (other.duration, other.unit)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f'RetentionPeriod({self.duration} {self.unit})'


class FileRetentionSetting:
    """The retention of a file version.

    :param mode: how firmly the version is kept.
    :param retain_until: until when, in milliseconds since 1970; required with a mode that keeps.
    """

    def __init__(self, mode: RetentionMode, retain_until: int | None = None) -> None:
        if mode in RETENTION_MODES_REQUIRING_PERIODS and retain_until is None:
            raise ValueError(f'must specify retain_until for retention mode {mode}')
        self.mode = mode
        self.retain_until = retain_until

    @classmethod
    def from_file_version_dict(cls, file_version_dict: dict[str, Any]) -> FileRetentionSetting:
        """Read the retention from a file version, as calls and listings answer it."""
        if 'fileRetention' not in file_version_dict:
            _check_lockless(file_version_dict, 'No fileRetention provided')
            return NO_RETENTION_FILE_SETTING
        field = file_version_dict['fileRetention']
        if not field['isClientAuthorizedToRead']:
            return cls(RetentionMode.UNKNOWN)
        if field['value'] is None:
            return NO_RETENTION_FILE_SETTING
        return cls.from_file_retention_value_dict(field['value'])

    @classmethod
    def from_file_retention_value_dict(
        cls, file_retention_value_dict: dict[str, Any]
    ) -> FileRetentionSetting:
        """Read ``{'mode': ..., 'retainUntilTimestamp': ...}``."""
        mode = file_retention_value_dict['mode']
        if mode is None:
            return NO_RETENTION_FILE_SETTING
        return cls(RetentionMode(mode), file_retention_value_dict['retainUntilTimestamp'])

    @classmethod
    def from_server_response(cls, server_response: dict[str, Any]) -> FileRetentionSetting:
        """Read the answer of ``b2_update_file_retention``."""
        return cls.from_file_retention_value_dict(server_response['fileRetention'])

    @classmethod
    def from_response_headers(cls, headers: Mapping[str, Any]) -> FileRetentionSetting:
        """Read the retention from the headers of a download."""
        if _RETENTION_MODE_HEADER in headers:
            until = headers.get(_RETENTION_UNTIL_HEADER)
            mode = RetentionMode(headers[_RETENTION_MODE_HEADER])
            return cls(mode, int(until) if until is not None else None)
        if _is_unreadable(headers, _RETENTION_MODE_HEADER):
            return UNKNOWN_FILE_RETENTION_SETTING
        return NO_RETENTION_FILE_SETTING

    def serialize_to_json_for_request(self) -> dict[str, Any]:
        """The setting for the JSON of a request.

        :raises ValueError: if the setting is unknown.
        """
        self._check_known()
        return self.as_dict()

    def as_dict(self) -> dict[str, Any]:
        """The setting as the service writes it."""
        return {'mode': self.mode.value, 'retainUntilTimestamp': self.retain_until}

    def add_to_to_upload_headers(self, headers: MutableMapping[str, str]) -> None:
        """Add the setting to the headers of an upload; no retention adds nothing.

        :raises ValueError: if the setting is unknown.
        """
        self._check_known()
        if self.mode in RETENTION_MODES_REQUIRING_PERIODS:
            headers[_RETENTION_MODE_HEADER] = str(self.mode.value)
            headers[_RETENTION_UNTIL_HEADER] = str(self.retain_until)

    def _check_known(self) -> None:
        if self.mode is RetentionMode.UNKNOWN:
            raise ValueError('cannot use an unknown file retention setting in requests')

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FileRetentionSetting):
            return NotImplemented
        return (self.mode, self.retain_until) == (other.mode, other.retain_until)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f'FileRetentionSetting({self.mode.value!r}, {self.retain_until!r})'


@enum.unique
class LegalHold(enum.Enum):
    """A lock on a file version without an end date."""

    ON = 'on'
    OFF = 'off'
    UNSET = None
    """Never set; the same as off."""
    UNKNOWN = 'unknown'
    """The application key may not read it."""

    def is_on(self) -> bool:
        """Is the version locked?"""
        return self is LegalHold.ON

    def is_off(self) -> bool:
        """Is the version known not to be locked?"""
        return self in (LegalHold.OFF, LegalHold.UNSET)

    def is_unknown(self) -> bool:
        """Was the application key not allowed to read it?"""
        return self is LegalHold.UNKNOWN

    @classmethod
    def from_file_version_dict(cls, file_version_dict: dict[str, Any]) -> LegalHold:
        """Read the hold from a file version, as calls and listings answer it."""
        if 'legalHold' not in file_version_dict:
            _check_lockless(file_version_dict, 'legalHold not provided')
            return cls.UNSET
        field = file_version_dict['legalHold']
        return cls(field['value']) if field['isClientAuthorizedToRead'] else cls.UNKNOWN

    @classmethod
    def from_server_response(cls, server_response: dict[str, Any]) -> LegalHold:
        """Read the answer of ``b2_update_file_legal_hold``."""
        return cls.from_string_or_none(server_response['legalHold'])

    @classmethod
    def from_response_headers(cls, headers: Mapping[str, Any]) -> LegalHold:
        """Read the hold from the headers of a download."""
        if _LEGAL_HOLD_HEADER in headers:
            return cls(headers[_LEGAL_HOLD_HEADER])
        return cls.UNKNOWN if _is_unreadable(headers, _LEGAL_HOLD_HEADER) else cls.UNSET

    @classmethod
    def from_string_or_none(cls, string: str | None) -> LegalHold:
        """Read ``'on'``, ``'off'`` or None."""
        return cls(string)

    def to_server(self) -> str:
        """The hold for a request: ``'on'`` or ``'off'``.

        :raises ValueError: if it is unknown.
        """
        if self.is_unknown():
            raise ValueError('Cannot use an unknown legal hold in requests')
        return 'on' if self.is_on() else 'off'

    def add_to_upload_headers(self, headers: MutableMapping[str, str]) -> None:
        """Add the hold to the headers of an upload."""
        headers[_LEGAL_HOLD_HEADER] = self.to_server()


class BucketRetentionSetting:
    """The retention that new files of a bucket get.

    :param mode: how firmly a file version is kept.
    :param period: how long; required with a mode that keeps.
    """

    def __init__(self, mode: RetentionMode, period: RetentionPeriod | None = None) -> None:
        if mode in RETENTION_MODES_REQUIRING_PERIODS and period is None:
            raise ValueError(f'must specify period for retention mode {mode}')
        self.mode = mode
        self.period = period

    @classmethod
    def from_bucket_retention_dict(cls, retention_dict: dict[str, Any]) -> Self:
        """Read ``{'mode': ..., 'period': ...}``."""
        period = retention_dict.get('period')
        return cls(
            RetentionMode(retention_dict['mode']),
            RetentionPeriod.from_period_dict(period) if period is not None else None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Write what `from_bucket_retention_dict` reads."""
        result: dict[str, Any] = {'mode': self.mode.value}
        if self.period is not None:
            result['period'] = self.period.as_dict()
        return result

    def serialize_to_json_for_request(self) -> dict[str, Any]:
        """The setting for the JSON of a request.

        :raises ValueError: if the setting is unknown.
        """
        if self.mode is RetentionMode.UNKNOWN:
            raise ValueError('cannot use an unknown file lock configuration in requests')
        return self.as_dict()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BucketRetentionSetting):
            return NotImplemented
        return (self.mode, self.period) == (other.mode, other.period)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f'BucketRetentionSetting({self.mode.value!r}, {self.period!r})'


class FileLockConfiguration:
    """Whether files of a bucket can be locked, and how new ones are.

    :param is_file_lock_enabled: None when the application key may not read it.
    """

    def __init__(
        self, default_retention: BucketRetentionSetting, is_file_lock_enabled: bool | None
    ) -> None:
        self.default_retention = default_retention
        self.is_file_lock_enabled = is_file_lock_enabled

    @classmethod
    def from_bucket_dict(cls, bucket_dict: dict[str, Any]) -> Self:
        """Read the ``fileLockConfiguration`` of a bucket."""
        field = bucket_dict['fileLockConfiguration']
        if not field['isClientAuthorizedToRead']:
            return cls(UNKNOWN_BUCKET_RETENTION, None)
        value = field['value']
        return cls(
            BucketRetentionSetting.from_bucket_retention_dict(value['defaultRetention']),
            value['isFileLockEnabled'],
        )

    def as_dict(self) -> dict[str, Any]:
        """The configuration as the service writes it."""
        return {
            'defaultRetention': self.default_retention.as_dict(),
            'isFileLockEnabled': self.is_file_lock_enabled,
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FileLockConfiguration):
            return NotImplemented
        return (self.default_retention, self.is_file_lock_enabled) == (
            other.default_retention,
            other.is_file_lock_enabled,
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f'FileLockConfiguration({self.default_retention!r}, {self.is_file_lock_enabled!r})'


def _check_lockless(file_version_dict: dict[str, Any], what: str) -> None:
    action = file_version_dict['action']
    if action not in ACTIONS_WITHOUT_LOCK_SETTINGS:
        raise UnexpectedCloudBehaviour(f'{what} for file version with action={action}')


def _is_unreadable(headers: Mapping[str, Any], name: str) -> bool:
    names = headers.get(_UNREADABLE_HEADER, '').split(',')
    return name in (unreadable.strip() for unreadable in names)


NO_RETENTION_FILE_SETTING = FileRetentionSetting(RetentionMode.NONE)
"""The file is not kept."""
UNKNOWN_FILE_RETENTION_SETTING = FileRetentionSetting(RetentionMode.UNKNOWN)
"""The application key may not read the file's retention."""
NO_RETENTION_BUCKET_SETTING = BucketRetentionSetting(RetentionMode.NONE)
"""New files are not kept."""
UNKNOWN_BUCKET_RETENTION = BucketRetentionSetting(RetentionMode.UNKNOWN)
"""The application key may not read the bucket's default."""
UNKNOWN_FILE_LOCK_CONFIGURATION = FileLockConfiguration(UNKNOWN_BUCKET_RETENTION, None)
"""The application key may not read the bucket's configuration."""
