"""Which files and directories take part in a scan."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..exception import InvalidArgument, check_invalid_argument
from .rules import NameRules, ScanExplanation, ScanRule, globs_of

if TYPE_CHECKING:
    from ..file_version import FileVersion
    from .folder import AbstractFolder
    from .path import LocalPath


class RegexSet:
    """Regular expressions, of which one has to match the beginning of a text.

    :param regex_iterable: texts, or compiled expressions
    :raises re.error: if one is no regular expression.
    """

    def __init__(self, regex_iterable: Iterable[str | re.Pattern[str]]) -> None:
        self._expressions = [re.compile(regex) for regex in regex_iterable]

    @property
    def expressions(self) -> list[re.Pattern[str]]:
        """The compiled expressions."""
        return self._expressions

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

    @property
    def is_limited(self) -> bool:
        """Is there anything that is not in it?"""
        return self._begin is not None or self._end is not None

    def side_of(self, item: int) -> tuple[str, int | None] | None:
        """``'before'`` and the beginning, or ``'after'`` and the end; None for what is within."""
        if item in self:
            return None
        if self._begin is not None and item < self._begin:
            return 'before', self._begin
        return 'after', self._end


class ScanPoliciesManager:
    """Leaves files, directories and versions out of a scan.

    Regular expressions match the beginning of the path below the scanned folder, with ``/``
    between its parts; ``$`` makes them match the whole. Times are milliseconds since 1970, and
    what has exactly the given time takes part.

    Globs match whole paths, upper and lower case being different:

    - ``*`` stands for any characters but ``/``, or none; ``?`` for one of them
    - ``[a-z_]`` stands for one of these characters, ``[!a-z_]`` for one of the others but ``/``
    - ``**``, alone between slashes, stands for any number of directories, or none; at the end
      for all files below
    - a backslash takes away the meaning of the next character
    - with a ``/`` in front, the pattern begins at the scanned folder, otherwise in any directory:
      ``a/*.txt`` matches ``x/a/1.txt``, and ``/a/*.txt`` does not
    - with a ``/`` at the end, it names directories and all that is below them, otherwise files

    What is below an excluded directory is not even looked at, so nothing includes it again.
    ``exclude_globs=['*'], include_globs=['*.jpg']`` takes nothing but ``.jpg`` files.
    `explain` tells which rule decides about a file.

    :param exclude_dir_regexes: directories to leave out, with all that is in them
    :param exclude_file_regexes: files to leave out
    :param include_file_regexes: files to take in although ``exclude_file_regexes`` or
        ``exclude_globs`` match them
    :param exclude_all_symlinks: leave out symbolic links to files and to directories
    :param exclude_modified_before: leave out what was modified earlier
    :param exclude_modified_after: leave out what was modified later
    :param exclude_uploaded_before: leave out versions that B2 got earlier
    :param exclude_uploaded_after: leave out versions that B2 got later
    :param exclude_globs: files and, with a ``/`` at the end, directories to leave out
    :param include_globs: files, and files below directories, to take in although
        ``exclude_file_regexes`` or ``exclude_globs`` match them

    :raises InvalidArgument: for what is no regular expression or a malformed glob, negative
        times, and included files without excluded ones.
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
        *,
        exclude_globs: Iterable[str] = (),
        include_globs: Iterable[str] = (),
    ) -> None:
        excluded = globs_of('exclude_globs', exclude_globs)
        included = globs_of('include_globs', include_globs)
        if include_file_regexes and not (exclude_file_regexes or excluded):
            raise InvalidArgument(
                'include_file_regexes',
                'cannot be used without exclude_file_regexes at the same time',
            )
        if included and not (exclude_file_regexes or excluded):
            raise InvalidArgument(
                'include_globs',
                'cannot be used without exclude_globs or exclude_file_regexes at the same time',
            )
        self._excluded_directories, self._excluded_files, self._included_files = (
            _name_rules(parameter, purpose, regexes)
            for parameter, purpose, regexes in (
                ('exclude_dir_regexes', 'excluding directories', exclude_dir_regexes),
                ('exclude_file_regexes', 'excluding files', exclude_file_regexes),
                ('include_file_regexes', 'including files', include_file_regexes),
            )
        )
        for glob in excluded:
            rules = self._excluded_directories if glob.is_directory else self._excluded_files
            rules.add_glob('exclude_globs', glob, glob.path)
        for glob in included:
            expression = glob.below() if glob.is_directory else glob.path
            self._included_files.add_glob('include_globs', glob, expression)
        self.exclude_all_symlinks = exclude_all_symlinks
        self._modified = _time_range('modified', exclude_modified_before, exclude_modified_after)
        self._uploaded = _time_range('uploaded', exclude_uploaded_before, exclude_uploaded_after)

    def explain(self, path: str, folder: AbstractFolder | None = None) -> ScanExplanation:
        """Tell whether a file takes part in a scan, and which rule decides.

        :param path: its path below the scanned folder
        :param folder: what is scanned: the file is looked up there, by a scan of nothing but the
            way to it. Without it, the path alone decides, as if the file were there and had times
            that are not excluded.
        :raises B2Error: what a scan of the folder raises.
        """
        from .explanation import explain_file, explain_path

        return explain_path(self, path) if folder is None else explain_file(self, path, folder)

    def has_rules(self) -> bool:
        """Is there anything that could leave a file out?"""
        return bool(
            self.exclude_all_symlinks
            or self._excluded_directories
            or self._excluded_files
            or self._modified.is_limited
            or self._uploaded.is_limited
        )

    def should_exclude_relative_path(self, relative_path: str) -> bool:
        """Is a file of this path left out, whatever its time?"""
        return self._excluded_files.match(relative_path) and not self._included_files.match(
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
        return self._excluded_directories.match(dir_path)

    def should_exclude_local_directory(self, dir_path: str) -> bool:
        """Is this local directory left out, with all that is in it?"""
        return self._excluded_directories.match(dir_path)

    def rule_of_directory(self, dir_path: str) -> ScanRule | None:
        """The rule by which a directory is left out; None if none does."""
        return self._excluded_directories.first(dir_path)

    def rules_of_file(self, relative_path: str) -> tuple[ScanRule | None, ScanRule | None]:
        """The rule that excludes a file of this path, and the one that includes it all the same."""
        excluding = self._excluded_files.first(relative_path)
        including = self._included_files.first(relative_path) if excluding is not None else None
        return excluding, including

    def rule_of_times(
        self, relative_path: str, modified: int, uploaded: int | None = None
    ) -> ScanRule | None:
        """The time limit by which a file or version is left out; None if none does.

        :param modified: when it was modified, in milliseconds since 1970
        :param uploaded: when it was uploaded; None for a local file
        """
        for kind, range_, time in (
            ('uploaded', self._uploaded, uploaded),
            ('modified', self._modified, modified),
        ):
            side = None if time is None else range_.side_of(time)
            if side is not None:
                parameter, limit = side
                text = f'{limit} ({kind} at {time})'
                return ScanRule(f'exclude_{kind}_{parameter}', text, relative_path)
        return None


def leaves_nothing_out(policies: ScanPoliciesManager) -> bool:
    """Is it plain to see that all files take part, so that none need be asked about?

    For a class of the program's own it is not.
    """
    return type(policies) is ScanPoliciesManager and not policies.has_rules()


def _name_rules(
    parameter: str, purpose: str, regexes: Iterable[str | re.Pattern[str]]
) -> NameRules:
    rules = NameRules()
    with check_invalid_argument(parameter, f'wrong regex was given for {purpose}', re.error):
        rules.add_regexes(parameter, RegexSet(regexes))
    return rules


def _time_range(kind: str, before: int | None, after: int | None) -> IntegerRange:
    try:
        return IntegerRange(before, after)
    except ValueError as error:
        parameters = f'exclude_{kind}_before,exclude_{kind}_after'
        raise InvalidArgument(parameters, str(error)) from error


DEFAULT_SCAN_MANAGER = ScanPoliciesManager()
"""Leaves nothing out."""
