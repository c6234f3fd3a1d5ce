"""What the managers of uploads, downloads and copies have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exception import InvalidArgument
from ..utils.thread_pool import ThreadPoolMixin

if TYPE_CHECKING:
    from ..account_info.abstract import AbstractAccountInfo
    from ..services import Services

DEFAULT_WORKERS = 10


class TransferManager(ThreadPoolMixin):
    """Plans transfers and has them done.

    :param thread_pool: what runs the calls that return a future; a pool of its own if None
    :param max_workers: how many connections one of its transfers uses at a time, and how many
                such calls run at a time; 10 if None
    """

    def __init__(self, services: Services, max_workers: int | None = None, **kwargs: Any) -> None:
        self.services = services
        super().__init__(
            max_workers=DEFAULT_WORKERS if max_workers is None else _checked(max_workers), **kwargs
        )

    @property
    def account_info(self) -> AbstractAccountInfo:
        """The account data of the session."""
        return self.services.session.account_info

    def set_thread_pool_size(self, max_workers: int) -> None:
        """Change the number of connections and calls of what starts from now on.

        Raises `InvalidArgument` below 1.
        """
        super().set_thread_pool_size(_checked(max_workers))


def _checked(max_workers: int) -> int:
    if max_workers < 1:
        raise InvalidArgument('max_workers', 'must be at least 1')
    return max_workers
