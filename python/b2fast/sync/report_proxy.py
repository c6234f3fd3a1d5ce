"""What stands between scans and a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .report import SyncReport


class ReportProxy:
    """Passes on what scans say to a report, if there is one; subclasses listen to some of it.

    :param reporter: may be None
    """

    def __init__(self, reporter: SyncReport | None) -> None:
        self._reporter = cast('SyncReport', _Nobody()) if reporter is None else reporter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)


class _Nobody:
    """Listens to nothing."""

    def __getattr__(self, name: str) -> Any:
        return _ignore


def _ignore(*_args: Any, **_kwargs: Any) -> None:
    """Takes the place of the methods of a report."""
