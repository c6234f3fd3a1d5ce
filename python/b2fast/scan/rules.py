"""What decides whether a file takes part in a scan, and how it is told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..exception import InvalidArgument
from .globs import Glob, parse_glob

if TYPE_CHECKING:
    from .policies import RegexSet


@dataclass(frozen=True)
class ScanRule:
    """A rule that decided something about a file or a directory.

    :ivar kind: the parameter of `ScanPoliciesManager` that it comes from; for what no parameter
        decides, ``'folder'`` (the folder cannot give the file) or ``'method'`` (a method of a
        subclass of `ScanPoliciesManager`)
    :ivar text: the expression, the pattern or the limit; or what is the matter
    :ivar path: the relative path that it was applied to: the file's, or that of a directory
        above it
    """

    kind: str
    text: str
    path: str

    def __str__(self) -> str:
        if self.kind == 'folder':
            return self.text
        if self.kind == 'method':
            return f'{self.text}() says so about {self.path!r}'
        return f'{self.kind} {self.text} applies to {self.path!r}'


@dataclass(frozen=True)
class ScanExplanation:
    """Whether a file takes part in a scan, and why.

    :ivar path: its relative path
    :ivar included: does it take part?
    :ivar rule: what decided; None if no rule applies, so that it takes part
    :ivar overridden: the rule that would have left it out, had ``rule`` not included it
    """

    path: str
    included: bool
    rule: ScanRule | None = None
    overridden: ScanRule | None = None

    def __str__(self) -> str:
        if not self.included:
            return f'{self.path!r} is left out: {self.rule}'
        if self.rule is None:
            return f'{self.path!r} takes part: no rule leaves it out'
        return f'{self.path!r} takes part: {self.rule}, although {self.overridden}'


class NameRules:
    """Regular expressions and globs for paths, in the order in which they are asked."""

    def __init__(self) -> None:
        self._rules: list[tuple[str, str, re.Pattern[str]]] = []

    def add_regexes(self, parameter: str, regexes: RegexSet) -> None:
        """Add expressions that match the beginning of a path."""
        self._rules += [(parameter, repr(regex.pattern), regex) for regex in regexes.expressions]

    def add_glob(self, parameter: str, glob: Glob, expression: re.Pattern[str]) -> None:
        """Add a glob by an expression that matches whole paths."""
        self._rules.append((parameter, repr(glob.text), expression))

    def __bool__(self) -> bool:
        return bool(self._rules)

    def match(self, path: str) -> bool:
        """Does one of them match?"""
        return bool(self._rules) and any(rule.match(path) for _, _, rule in self._rules)

    def first(self, path: str) -> ScanRule | None:
        """The first one that matches."""
        for parameter, text, expression in self._rules:
            if expression.match(path):
                return ScanRule(parameter, text, path)
        return None


def globs_of(parameter: str, patterns: Iterable[str]) -> list[Glob]:
    """Read the globs of a parameter.

    :raises InvalidArgument: if one is malformed, or all are one text.
    """
    if isinstance(patterns, str):
        raise InvalidArgument(parameter, f'needs a list of patterns, not the text {patterns!r}')
    globs = []
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise InvalidArgument(parameter, f'not a text: {pattern!r}')
        try:
            globs.append(parse_glob(pattern))
        except ValueError as error:
            raise InvalidArgument(parameter, f'malformed pattern {pattern!r}: {error}') from error
    return globs
