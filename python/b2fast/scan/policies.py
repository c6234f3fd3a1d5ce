"""Which files and directories take part in a scan."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..exception import InvalidArgument, check_invalid_argument

if TYPE_CHECKING:
    from ..file_version import FileVersion
    from .path import LocalPath


class RegexSet:
    """Regular expressions, of which one has to match the beginning of a text.

    :param regex_iterable: texts, or compiled expressions
    :raises re.error: if one is no regular expression.
    """

    def __init__(self, regex_iterable: Iterable[str | re.Pattern[str]]) -> None:
        self._expressions = [re.compile(regex) for regex in regex_iterable]

    def matches(self, s: str) -> bool:
        """Does one of them match the beginning?"""
        return any(expression.match(s) for expression in self._expressions)


def convert_dir_regex_to_dir_prefix_regex(dir_regex: str | re.Pattern[str]) -> str:
    """An expression for what is below the directories that an expression matches.

    :param dir_regex: matches the beginning of a directory's path; with ``$`` all of it
    """
    text = dir_regex if isinstance(dir_regex, str) else dir_regex.pattern
    return f'{text[:-1]}/' if text.endswith('$') else f'{text}.*?/'


class IntegerRange:
    """Whole numbers between two ends, both included; None stands for no end.

    :raises ValueError: if an end is negative.
    """

    def __init__(self, begin: int | None, end: int | None) -> None:
        for name, value in (('begin', begin), ('end', end)):
            if value is not None and value < 0:
                raise ValueError(f'{name} time can not be less than 0, use None for the infinity')
        self._begin = begin
        self._end = end

    def __contains__(self, item: int) -> bool:
        return (self._begin is None or item >= self._begin) and (
            self._end is None or item <= self._end
        )


class ScanPoliciesManager:
    """Leaves files, directories and versions out of a scan.

    Regular expressions match the beginning of the path below the scanned folder, with ``/``
    between its parts; ``$`` makes them match the whole. Times are milliseconds since 1970, and
    what has exactly the given time takes part.

    :param exclude_dir_regexes: directories to leave out, with all that is in them
    :param exclude_file_regexes: files to leave out
    :param include_file_regexes: files to take in although ``exclude_file_regexes`` match them
    :param exclude_all_symlinks: leave out symbolic links to files and to directories
    :param exclude_modified_before: leave out what was modified earlier
    :param exclude_modified_after: leave out what was modified later
    :param exclude_uploaded_before: leave out versions that B2 got earlier
    :param exclude_uploaded_after: leave out versions that B2 got later

    :raises InvalidArgument: for what is no regular expression, negative times, and included
        files without excluded ones.
    """

    def __init__(
        self,
        exclude_dir_regexes: Iterable[str | re.Pattern[str]] = (),
        exclude_file_regexes: Iterable[str | re.Pattern[str]] = (),
        include_file_regexes: Iterable[str | re.Pattern[str]] = (),
        exclude_all_symlinks: bool = False,
        exclude_modified_before: int | None = None,
        exclude_modified_after: int | None = None,
        exclude_uploaded_before: int | None = None,
        exclude_uploaded_after: int | None = None,
    ) -> None:
        if include_file_regexes and not exclude_file_regexes:
            raise InvalidArgument(
                'include_file_regexes',
                'cannot be used without exclude_file_regexes at the same time',
            )
        self._excluded_directories = _regex_set(
            'exclude_dir_regexes', 'excluding directories', exclude_dir_regexes
        )
        self._excluded_files = _regex_set(
            'exclude_file_regexes', 'excluding files', exclude_file_regexes
        )
        self._included_files = _regex_set(
            'include_file_regexes', 'including files', include_file_regexes
        )
        self.exclude_all_symlinks = exclude_all_symlinks
        self._modified = _time_range('modified', exclude_modified_before, exclude_modified_after)
        self._uploaded = _time_range('uploaded', exclude_uploaded_before, exclude_uploaded_after)

    def should_exclude_relative_path(self, relative_path: str) -> bool:
        """Is a file of this path left out, whatever its time?"""
        return self._excluded_files.matches(relative_path) and not self._included_files.matches(
            relative_path
        )

    def should_exclude_local_path(self, local_path: LocalPath) -> bool:
        """Is this local file left out?"""
        return (
            self.should_exclude_relative_path(local_path.relative_path)
            or local_path.mod_time not in self._modified
        )

    def should_exclude_b2_file_version(self, file_version: FileVersion, relative_path: str) -> bool:
        """Is this version of a file left out?"""
        return (
            self.should_exclude_relative_path(relative_path)
            or file_version.upload_timestamp not in self._uploaded
            or file_version.mod_time_millis not in self._modified
        )

    def should_exclude_b2_directory(self, dir_path: str) -> bool:
        """Is this folder of a bucket left out, with all that is in it?"""
        return self._excluded_directories.matches(dir_path)

    def should_exclude_local_directory(self, dir_path: str) -> bool:
        """Is this local directory left out, with all that is in it?"""
        return self._excluded_directories.matches(dir_path)


def _regex_set(parameter: str, purpose: str, regexes: Iterable[str | re.Pattern[str]]) -> RegexSet:
    with check_invalid_argument(parameter, f'wrong regex was given for {purpose}', re.error):
        return RegexSet(regexes)


def _time_range(kind: str, before: int | None, after: int | None) -> IntegerRange:
    try:
        return IntegerRange(before, after)
    except ValueError as error:
        parameters = f'exclude_{kind}_before,exclude_{kind}_after'
        raise InvalidArgument(parameters, str(error)) from error


DEFAULT_SCAN_MANAGER = ScanPoliciesManager()
"""Leaves nothing out."""
