"""How fast transfers may be."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from .exception import InvalidArgument

if TYPE_CHECKING:
    from ._core.transfer import RateLimits as _CoreLimits


class RateLimits:
    """Limits to the bytes per second of transfers, which can be changed while they run.

    All clients whose `B2HttpApiConfig` has the same object keep to them together, whatever the
    number of their connections. What is counted is content; a transfer that is repeated counts
    again. Calls without content are not held up. A child process goes on with a copy::

        limits = RateLimits(upload=10_000_000)
        api = B2Api(api_config=B2HttpApiConfig(rate_limits=limits))
        ...
        limits.upload = None

    :param upload: bytes per second that are sent; None for no limit.
    :param download: bytes per second that are received; None for no limit.
    :raises InvalidArgument: a limit is below 1.
    """

    def __init__(self, upload: int | None = None, download: int | None = None) -> None:
        self._upload = _checked('upload', upload)
        self._download = _checked('download', download)

    def __reduce__(self) -> tuple[type[RateLimits], tuple[int | None, int | None]]:
        return type(self), (self._upload, self._download)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(upload={self._upload}, download={self._download})'

    @property
    def upload(self) -> int | None:
        """Bytes per second that are sent; None for no limit."""
        return self._upload

    @upload.setter
    def upload(self, bytes_per_second: int | None) -> None:
        self._upload = self.core.upload = _checked('upload', bytes_per_second)

    @property
    def download(self) -> int | None:
        """Bytes per second that are received; None for no limit."""
        return self._download

    @download.setter
    def download(self, bytes_per_second: int | None) -> None:
        self._download = self.core.download = _checked('download', bytes_per_second)

    @cached_property
    def core(self) -> _CoreLimits:
        """What a transfer engine is given."""
        from ._core.transfer import RateLimits as CoreLimits

        limits = CoreLimits()
        limits.upload, limits.download = self._upload, self._download
        return limits


def _checked(name: str, bytes_per_second: int | None) -> int | None:
    if bytes_per_second is not None and bytes_per_second < 1:
        raise InvalidArgument(name, 'must be at least 1 byte per second, or None')
    return bytes_per_second
