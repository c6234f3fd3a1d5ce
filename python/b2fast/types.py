"""Types that several layers share; no behaviour."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, Protocol, TypedDict, Union

JSON = Union[dict[str, 'JSON'], list['JSON'], str, int, float, bool, None]  # noqa: UP007

EVENT_TYPE = Literal[
    'b2:ObjectCreated:*',
    'b2:ObjectCreated:Upload',
    'b2:ObjectCreated:MultipartUpload',
    'b2:ObjectCreated:Copy',
    'b2:ObjectCreated:Replica',
    'b2:ObjectCreated:MultipartReplica',
    'b2:ObjectDeleted:*',
    'b2:ObjectDeleted:Delete',
    'b2:ObjectDeleted:LifecycleRule',
    'b2:HideMarkerCreated:*',
    'b2:HideMarkerCreated:Hide',
    'b2:HideMarkerCreated:LifecycleRule',
]

Sha1HexDigest = str
"""40 lower-case hexadecimal digits."""


class ReadOnlyStream(Protocol):
    """What can be read as content: a file, a socket, a stream of this package."""

    def read(self, size: int = -1, /) -> bytes:
        """Read at most ``size`` bytes; none at the end."""
        ...


class LifecycleRule(TypedDict):
    """When B2 hides and deletes the files below a prefix by itself; numbers are days >= 1.

    .. _B2 Cloud Storage Lifecycle Rules: https://www.backblaze.com/docs/cloud-storage-lifecycle-rules
    """

    fileNamePrefix: str
    daysFromHidingToDeleting: NotRequired[int | None]
    daysFromUploadingToHiding: NotRequired[int | None]
    daysFromStartingToCancelingUnfinishedLargeFiles: NotRequired[int | None]


class NameValueDict(TypedDict):
    """A header of an event notification."""

    name: str
    value: str


class NotificationTargetConfiguration(TypedDict):
    """Where B2 sends event notifications."""

    targetType: Literal['webhook']
    url: str
    customHeaders: NotRequired[list[NameValueDict] | None]
    hmacSha256SigningSecret: NotRequired[str | None]


class NotificationRule(TypedDict):
    """An event notification rule as it is sent."""

    eventTypes: list[EVENT_TYPE]
    isEnabled: bool
    name: str
    objectNamePrefix: str
    targetConfiguration: NotificationTargetConfiguration
    suspensionReason: NotRequired[str]
    isSuspended: NotRequired[bool]


class NotificationRuleResponse(TypedDict):
    """An event notification rule as it is received."""

    eventTypes: list[EVENT_TYPE]
    isEnabled: bool
    name: str
    objectNamePrefix: str
    targetConfiguration: NotificationTargetConfiguration
    suspensionReason: NotRequired[str]
    isSuspended: bool


ServerAnswer = dict[str, Any]
"""The JSON object that a call of the native API answers with."""
