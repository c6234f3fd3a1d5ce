"""What a simulated service tells whoever keeps its state beyond the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bucket import Bucket
    from .bucket_settings import ConfiguredBucket
    from .file import File, Part
    from .state import DownloadToken, Key


class Journal:
    """Hears of every change before it is made, under the lock of the service.

    What a method refuses by an exception does not happen, and when it returns, the change is
    to survive the end of the process. This one remembers nothing.
    """

    def save_master_key(self, key: Key) -> None:
        """The account has this master key."""

    def add_key(self, key: Key) -> None:
        """A key is created."""

    def remove_key(self, key: Key) -> None:
        """A created key is deleted."""

    def save_bucket(self, bucket: ConfiguredBucket) -> None:
        """A bucket is created, or its settings are now these."""

    def remove_bucket(self, bucket: Bucket) -> None:
        """A bucket is deleted."""

    def add_file(self, file: File) -> None:
        """There is a new version: an upload, a copy, a hide marker or a large file to be."""

    def save_file(self, file: File) -> None:
        """The settings of a version are now these; its content stays."""

    def remove_file(self, file: File) -> None:
        """A version is deleted, with its parts."""

    def save_part(self, file: File, part: Part) -> None:
        """A large file gets a part, which replaces the one of its number."""

    def finish_file(self, file: File, parts: dict[int, Part]) -> None:
        """A large file has its content now, and its parts, which it had before, no more."""

    def add_download_token(self, token: str, granted: DownloadToken) -> None:
        """A download authorization is given out."""


@contextmanager
def undone_on_error(thing: ConfiguredBucket | File) -> Iterator[None]:
    """Gives an object its former attributes back if the block fails.

    The block has to replace values, not to change them in place.
    """
    before = vars(thing).copy()
    try:
        yield
    except BaseException:
        vars(thing).clear()
        vars(thing).update(before)
        raise
