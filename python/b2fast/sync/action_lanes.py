"""What runs the actions of a sync: the queue of the Rust core where it can, threads elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from .._core.transfer import Anchor
from ..bulk.downloads import Downloads, Wanted
from ..bulk.engine_lane import EngineLane
from ..bulk.items import UploadItem
from ..bulk.pump import Lane
from ..bulk.threads import ThreadLane
from ..bulk.uploads import Uploads
from .action import AbstractAction, B2DownloadAction, B2UploadAction

if TYPE_CHECKING:
    from ..bucket import Bucket
    from ..bulk.progress import BulkProgress

Act: TypeAlias = Callable[[AbstractAction], None]
"""Does an action on a thread of its own."""

MakeLane: TypeAlias = 'Callable[[Bucket, Act, int, BulkProgress], Lane[Any]]'
"""Makes a lane for the actions on a bucket.

The value of a transfer by the queue is the version that was moved, that of other actions None.
"""


def lane_of_threads(bucket: Bucket, act: Act, workers: int, progress: BulkProgress) -> Lane[Any]:
    """Runs all actions in threads."""
    return ThreadLane(lambda action, _share: act(action), workers, progress)


def lane_of_uploads(bucket: Bucket, act: Act, workers: int, progress: BulkProgress) -> Lane[Any]:
    """Leaves plain uploads to the queue, if the client has one."""
    lane = _Uploads(bucket, UploadItem(b'', '')).lane(workers, progress)
    if isinstance(lane, EngineLane):
        return _LaneWithQueue(lane, _is_plain_upload, act)
    return lane_of_threads(bucket, act, workers, progress)


def lane_of_downloads(bucket: Bucket, act: Act, workers: int, progress: BulkProgress) -> Lane[Any]:
    """Leaves plain downloads to the queue, if the client has one."""
    lane = _Downloads(bucket).lane(workers, progress)
    if isinstance(lane, EngineLane):
        return _LaneWithQueue(lane, _is_plain_download, act)
    return lane_of_threads(bucket, act, workers, progress)


def lane_of_caller(bucket: Bucket, act: Act, workers: int, progress: BulkProgress) -> Lane[Any]:
    """Runs all actions on the thread that reads the results: what only reports needs no other."""
    return _LaneOfCaller(act)


class _LaneOfCaller(Lane[Any]):
    def __init__(self, act: Act) -> None:
        self._act = act
        self._done: list[tuple[int, Any, Exception | None]] = []

    def start(self, ticket: int, item: Any) -> None:
        self._act(item)
        self._done.append((ticket, None, None))

    def finished(self, wait: float) -> Iterable[tuple[int, Any, Exception | None]]:
        done, self._done = self._done, []
        return done

    def stop(self) -> None:
        """Nothing: no action runs while another method does."""


class _LaneWithQueue(Lane[Any]):
    def __init__(
        self,
        transfers: EngineLane[Any, Any],
        is_plain: Callable[[AbstractAction], bool],
        act: Act,
    ) -> None:
        self._transfers = transfers
        self._is_plain = is_plain
        self._act = act

    def start(self, ticket: int, item: Any) -> None:
        if self._is_plain(item):
            self._transfers.start(ticket, item)
        else:
            self._transfers.start_in_thread(ticket, lambda _share: self._act(item))

    def finished(self, wait: float) -> Iterable[tuple[int, Any, Exception | None]]:
        return self._transfers.finished(wait)

    def stop(self) -> None:
        self._transfers.stop()


class _Uploads(Uploads):
    def complete(self, item: Any) -> UploadItem:
        action: B2UploadAction = item
        return action.upload_item(self.bucket)


class _Downloads(Downloads):
    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket, None, None)
        self._anchors: dict[str, Anchor] = {}

    def complete(self, item: Any) -> Wanted:
        action: B2DownloadAction = item
        asked = action.download_item(self.bucket)
        folder = action.local_folder
        anchor = self._anchors.get(folder)
        if anchor is None:
            anchor = self._anchors[folder] = Anchor(folder, replaces_all=True)
        return Wanted(asked.source, asked.encryption, action.local_full_path, anchor)


def _is_plain_upload(action: AbstractAction) -> bool:
    return type(action) is B2UploadAction


def _is_plain_download(action: AbstractAction) -> bool:
    return type(action) is B2DownloadAction
