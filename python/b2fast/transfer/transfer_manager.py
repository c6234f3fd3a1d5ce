"""What the managers of uploads and downloads have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exception import InvalidArgument

if TYPE_CHECKING:
    from ..account_info.abstract import AbstractAccountInfo
    from ..services import Services

DEFAULT_WORKERS = 10


class TransferManager:
    """Plans transfers and has them done.

    :param max_workers: how many connections one of its transfers uses at a time
    """

    def __init__(self, services: Services, max_workers: int | None = None) -> None:
        self.services = services
        self._max_workers = DEFAULT_WORKERS
        if max_workers is not None:
            self.set_thread_pool_size(max_workers)

    @property
    def account_info(self) -> AbstractAccountInfo:
        """The account data of the session."""
        return self.services.session.account_info

    def get_thread_pool_size(self) -> int:
        """How many connections a transfer uses at a time."""
        return self._max_workers

    def set_thread_pool_size(self, max_workers: int) -> None:
        """Change the number of connections of the transfers that start from now on."""
        if max_workers < 1:
            raise InvalidArgument('max_workers', 'must be at least 1')
        self._max_workers = max_workers
