"""Listing the files of a bucket like the directories of a file system."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from .filter import Filter, FilterMatcher
from .utils.ahead import Ahead
from .version_pages import VersionPage, page_of_names, page_of_versions

if TYPE_CHECKING:
    from .bucket import Bucket
    from .file_version import FileVersion

_WILDCARD = re.compile(r'[*?\[]')
_SEPARATOR = '/'
_AFTER_SEPARATOR = chr(ord(_SEPARATOR) + 1)

_ENTRIES_BEFORE_NEXT_PAGE = 1000
"""Who has taken so many will want more; who wants a few pays for no page that is not read."""


class FolderListing:
    """What `Bucket.ls` lists; its parameters are explained there."""

    def __init__(
        self,
        bucket: Bucket,
        path: str,
        latest_only: bool,
        recursive: bool,
        fetch_count: int | None,
        with_wildcard: bool,
        filters: Sequence[Filter],
    ) -> None:
        self._bucket = bucket
        self._path = path
        self._latest_only = latest_only
        self._recursive = recursive
        self._fetch_count = fetch_count
        self._with_wildcard = with_wildcard
        self._filter = FilterMatcher(filters)
        self._wants = self._is_wanted if with_wildcard or filters else None

    def entries(self) -> Iterator[tuple[FileVersion, str | None]]:
        """The entries, in order of their names."""
        path = self._path
        if self._with_wildcard:
            return self._below(_prefix_without_wildcard(path))
        if not path or path.endswith(_SEPARATOR):
            return self._below(path)
        return self._file_or_below(path)

    def _file_or_below(self, path: str) -> Iterator[tuple[FileVersion, str | None]]:
        versions = self._bucket.list_file_versions(
            path, 1 if self._latest_only else self._fetch_count
        )
        found = False
        for version in versions:
            found = True
            if not self._latest_only:
                yield version, None
                continue
            if version.action == 'upload':
                yield version, None
            break
        if not found:
            yield from self._below(path + _SEPARATOR)

    def _below(self, prefix: str) -> Iterator[tuple[FileVersion, str | None]]:
        if self._recursive:
            yield from self._all_below(prefix)
            return
        start_name: str | None = prefix
        start_id: str | None = None
        while start_name is not None:
            page = self._page(prefix, start_name, start_id)
            folder: str | None = None
            for version in page.versions(self._wants):
                folder_of_file = _folder_of(version.file_name, prefix)
                if folder_of_file is None or folder_of_file != folder:
                    yield version, folder_of_file
                folder = folder_of_file
            start_name, start_id = page.next_name, page.next_id
            if folder is not None and start_name is not None and start_name.startswith(folder):
                # The rest of the folder is not shown, so it need not be listed either.
                start_name, start_id = folder[:-1] + _AFTER_SEPARATOR, None

    def _all_below(self, prefix: str) -> Iterator[tuple[FileVersion, str | None]]:
        page = self._page(prefix, prefix, None)
        while True:
            ahead: Ahead[VersionPage] | None = None
            for count, version in enumerate(page.versions(self._wants)):
                if count == _ENTRIES_BEFORE_NEXT_PAGE and page.next_name is not None:
                    ahead = Ahead(partial(self._page, prefix, page.next_name, page.next_id))
                yield version, None
            if page.next_name is None:
                return
            if ahead is None:
                page = self._page(prefix, page.next_name, page.next_id)
            else:
                page = ahead.result()

    def _page(self, prefix: str, start_name: str, start_id: str | None) -> VersionPage:
        api, bucket_id = self._bucket.api, self._bucket.id_
        if self._latest_only:
            return page_of_names(api, bucket_id, start_name, self._fetch_count, prefix)
        return page_of_versions(api, bucket_id, start_name, start_id, self._fetch_count, prefix)

    def _is_wanted(self, name: str) -> bool:
        if self._with_wildcard and not fnmatch.fnmatchcase(name, self._path):
            return False
        return self._filter.match(name)


def _folder_of(name: str, prefix: str) -> str | None:
    end = name.find(_SEPARATOR, len(prefix))
    return None if end < 0 else name[: end + 1]


def _prefix_without_wildcard(pattern: str) -> str:
    """What every matching name begins with."""
    found = _WILDCARD.search(pattern)
    return pattern if found is None else pattern[: found.start()]
