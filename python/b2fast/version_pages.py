"""Pages of the file versions of a bucket."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ._core.listing import read_page
from .b2http import B2Http
from .encryption.setting import EncryptionSetting, EncryptionSettingFactory
from .file_lock import FileRetentionSetting, LegalHold
from .file_version import FileVersion, FileVersionFactory
from .raw_api import B2RawHTTPApi
from .replication.types import ReplicationStatus
from .session import B2Session

if TYPE_CHECKING:
    from .api import B2Api
    from .types import JSON

_SETTINGS: dict[str, Callable[[dict[str, Any]], object]] = {
    'serverSideEncryption': EncryptionSettingFactory.from_file_version_dict,
    'fileRetention': FileRetentionSetting.from_file_version_dict,
    'legalHold': LegalHold.from_file_version_dict,
    'replicationStatus': lambda entry: ReplicationStatus.from_api_value(
        entry.get('replicationStatus')
    ),
}


class VersionPage:
    """One page of a listing.

    :ivar next_name: the name with which the next page begins; None after the last one
    :ivar next_id: the version with which the next page begins; None in listings of names
    """

    def __init__(self, answer: dict[str, Any], factory: FileVersionFactory) -> None:
        self.next_name: str | None = answer['nextFileName']
        self.next_id: str | None = answer.get('nextFileId')
        self._entries: list[Any] = answer['files']
        self._factory = factory

    def versions(self, wants: Callable[[str], bool] | None = None) -> Iterable[FileVersion]:
        """The versions in the order of the answer.

        :param wants: tells which names are wanted; others are not even made
        """
        entries, make = self._entries, self._factory.from_api_response
        if entries and isinstance(entries[0], FileVersion):
            return (
                entries
                if wants is None
                else (version for version in entries if wants(version.file_name))
            )
        return (make(entry) for entry in entries if wants is None or wants(entry['fileName']))


def page_of_names(
    api: B2Api, bucket_id: str, start_name: str | None, count: int | None, prefix: str | None
) -> VersionPage:
    """A page of the newest versions (``b2_list_file_names``)."""
    call = _reading_call(api, 'list_file_names')
    return VersionPage(call(bucket_id, start_name, count, prefix), api.file_version_factory)


def page_of_versions(
    api: B2Api,
    bucket_id: str,
    start_name: str | None,
    start_id: str | None,
    count: int | None,
    prefix: str | None,
) -> VersionPage:
    """A page of all versions (``b2_list_file_versions``)."""
    call = _reading_call(api, 'list_file_versions')
    answer = call(bucket_id, start_name, start_id, count, prefix)
    return VersionPage(answer, api.file_version_factory)


def _reading_call(api: B2Api, name: str) -> Callable[..., dict[str, Any]]:
    """A call of the session whose answer has versions among its ``files``, if it can be.

    Who put a class or function of his own into the way sees the entries as they were sent.
    """
    session, raw_api, factory = api.session, api.session.raw_api, api.file_version_factory
    if not (
        isinstance(raw_api, B2RawHTTPApi)
        and '_end_reading' in vars(factory.FILE_VERSION_CLASS)
        and _is_own(factory, FileVersionFactory, 'from_api_response')
        and _is_own(session, B2Session, name)
        and _is_own(raw_api, B2RawHTTPApi, name)
        and _is_own(raw_api.b2_http, B2Http, 'post_json_return_json')
    ):
        call: Callable[..., dict[str, Any]] = getattr(session, name)
        return call
    reading = copy.copy(raw_api)
    reading.b2_http = cast(B2Http, _ReadingHttp(raw_api.b2_http, factory))
    return partial(session._call, getattr(reading, name))


def _is_own(owner: object, class_: type, method: str) -> bool:
    """Has the object the method of the class, and nothing in its place?"""
    return getattr(getattr(owner, method), '__func__', None) is getattr(class_, method)


class _ReadingHttp:
    """Makes versions of what comes by HTTP."""

    def __init__(self, http: B2Http, factory: FileVersionFactory) -> None:
        self._http = http
        self._factory = factory

    def post_json_return_json(
        self, url: str, headers: dict[str, str], params: dict[str, Any]
    ) -> JSON:
        return self._http.post_json(url, headers, params, self._read)

    def _read(self, content: bytes) -> JSON:
        class_ = self._factory.FILE_VERSION_CLASS
        answer = read_page(content, class_, self._factory.api, _setting_of)
        if answer is None:
            decoded: JSON = json.loads(content)
            return decoded
        if class_ is not FileVersion:
            for version in answer['files']:
                version._end_reading()
        return answer


def _setting_of(
    field: str, text: str | None, action: str, file_info: dict[str, str]
) -> tuple[object, bool]:
    """A setting, and whether versions with the same text may share it."""
    entry: dict[str, Any] = {'action': action, 'fileInfo': file_info}
    if text is not None:
        entry[field] = json.loads(text)
    setting = _SETTINGS[field](entry)
    # A key's ID is in the file info, and its secret is for the caller to set.
    return setting, not (isinstance(setting, EncryptionSetting) and setting.key is not None)
