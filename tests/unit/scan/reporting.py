"""A reporter that tests look at."""

from __future__ import annotations

import io

from b2fast import ProgressReport


class Reporter(ProgressReport):
    """Notes what a scan tells: the event and the path, and for names what is wrong with them."""

    def __init__(self) -> None:
        super().__init__(io.StringIO(), no_progress=True)
        self.events: list[tuple[str, str]] = []
        self.problems: dict[str, str] = {}

    def local_access_error(self, path: str) -> None:
        self.events.append(('access', path))

    def local_permission_error(self, path: str) -> None:
        self.events.append(('permission', path))

    def symlink_skipped(self, path: str) -> None:
        self.events.append(('symlink', path))

    def circular_symlink_skipped(self, path: str) -> None:
        self.events.append(('circular', path))

    def invalid_name(self, path: str, error: str) -> None:
        self.events.append(('name', path))
        self.problems[path] = error
