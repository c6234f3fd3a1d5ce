"""Does what a sync decides, while it decides the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from ..bulk.items import BulkResult
from ..bulk.pump import results
from ..exception import DestinationParentIsNotADirectory
from ..progress import AbstractProgressListener
from .action import (
    AbstractAction,
    B2CopyAction,
    B2DeleteAction,
    B2DownloadAction,
    B2HideAction,
    B2IncrementalUploadAction,
    B2UploadAction,
    LocalDeleteAction,
)
from .action_lanes import MakeLane, lane_of_caller, lane_of_threads
from .result import SyncFailure, SyncResult
from .withheld import WithheldActions

if TYPE_CHECKING:
    from ..bucket import Bucket
    from .events import SyncEvents
    from .report import SyncReport
    from .scan_watch import ScanWatch

_DESTRUCTIVE = (B2HideAction, B2DeleteAction, LocalDeleteAction)


class Execution:
    """Runs actions, several at a time.

    What hides or deletes waits for the end of the scans, and is left out if one of them was
    incomplete: what they did not find may well be there.  It is left out for a file whose
    transfer failed, too, so that an old version stays until there is a new one.  A local file that
    is deleted may have been in the place of a directory: then downloads into it are made once more.

    Small files are left to the bulk calls' queue in the Rust core; actions of other classes than
    the package's own run as they are.

    :param bucket: what the actions are given
    :param workers: how many actions run at a time
    :param watch: knows what the scans had to leave out
    :param events: is told what is done and what fails, and how it ended; may be None
    """

    def __init__(
        self,
        bucket: Bucket,
        reporter: SyncReport | None,
        dry_run: bool,
        workers: int,
        watch: ScanWatch,
        events: SyncEvents | None,
    ) -> None:
        self._bucket = bucket
        self._reporter = reporter
        self._dry_run = dry_run
        self._workers = workers
        self._watch = watch
        self._events = events
        self._withheld = WithheldActions()
        self._failed_paths: set[str] = set()
        self._obstructed: list[tuple[AbstractAction, Exception]] = []
        self._may_be_obstructed = True
        self._end_of_scan: Exception | None = None
        self.result = SyncResult()

    def run(self, actions: Iterable[AbstractAction], make_lane: MakeLane) -> None:
        """Run actions as they come; a failed one does not keep the others from running.

        :param make_lane: makes what runs them; see `lane_of_uploads`
        :raises Exception: what ``actions`` raises, after what had been begun.
        """
        try:
            self._run(self._without_destructive(actions), make_lane)
            for failure in self._watch.failures:
                self._fail(failure)
            may_delete = self._end_of_scan is None and not self._watch.failures
            if may_delete:
                self._run(self._still_wanted(), lane_of_threads)
            else:
                self.result.withheld += len(self._withheld)
            self._retry_obstructed(make_lane, anew=may_delete and len(self._withheld) > 0)
            if self._end_of_scan is not None:
                raise self._end_of_scan
        finally:
            self._withheld.close()
            if self._events is not None:
                self._events.end(self.result)

    def _without_destructive(self, actions: Iterable[AbstractAction]) -> Iterator[AbstractAction]:
        try:
            for action in actions:
                if isinstance(action, _DESTRUCTIVE):
                    self._withheld.add(action)
                else:
                    yield action
        except Exception as error:
            # Were it raised here, what has been begun would be broken off.
            self._end_of_scan = error

    def _still_wanted(self) -> Iterator[AbstractAction]:
        for action in self._withheld.take():
            if self._is_of_failed_file(action):
                self.result.withheld += 1
            else:
                yield action

    def _is_of_failed_file(self, action: AbstractAction) -> bool:
        path = path_of(action)
        if path in self._failed_paths:
            return True
        # Such a file may be what is below a directory in the place of a file.
        return isinstance(action, LocalDeleteAction) and any(
            path[:end] in self._failed_paths for end, char in enumerate(path) if char == '/'
        )

    def _retry_obstructed(self, make_lane: MakeLane, *, anew: bool) -> None:
        self._may_be_obstructed = False
        if anew:
            self._run([action for action, _ in self._obstructed], make_lane)
        else:
            for action, error in self._obstructed:
                self._take_failed(action, error)

    def _run(self, actions: Iterable[AbstractAction], make_lane: MakeLane) -> None:
        listener = None if self._reporter is None else _Bytes(self._reporter)
        # The actions of a dry run only report, and do so in their order.
        make = partial(lane_of_caller if self._dry_run else make_lane, self._bucket, self._act)
        for done in results(actions, make, self._workers, listener):
            self._take(done)

    def _act(self, action: AbstractAction) -> None:
        if type(action) not in _OWN:
            action.run(self._bucket, self._reporter, self._dry_run)
        elif not self._dry_run:
            action.do_action(self._bucket, self._reporter)

    def _take(self, done: BulkResult[Any]) -> None:
        action: AbstractAction = done.item
        if done.error is not None:
            self._take_failed(action, done.error)
            return
        if type(action) in _OWN:
            if self._reporter is not None and done.value is not None:
                # The queue moved it, and not the action, whose listener would have counted it.
                self._reporter.update_transfer(1, 0)
            action.do_report(self._bucket, self._reporter)
        self._count(action)

    def _take_failed(self, action: AbstractAction, error: Exception) -> None:
        # `AbstractAction.run` reports itself.
        is_own = type(action) in _OWN
        if (
            is_own
            and self._may_be_obstructed
            and isinstance(error, DestinationParentIsNotADirectory)
        ):
            self._obstructed.append((action, error))
            return
        path = path_of(action)
        self._failed_paths.add(path)
        self._fail(SyncFailure(path, kind_of(action), error))
        if is_own:
            action.report_failure(error, self._reporter)

    def _fail(self, failure: SyncFailure) -> None:
        self.result.failures.append(failure)
        if self._events is not None:
            self._events.failed(failure)

    def _count(self, action: AbstractAction) -> None:
        result = self.result
        kind = kind_of(action)
        match kind:
            case 'upload':
                result.uploaded += 1
            case 'download':
                result.downloaded += 1
            case 'copy':
                result.copied += 1
            case 'hide':
                result.hidden += 1
            case 'delete':
                result.deleted += 1
        byte_count = action.get_bytes()
        result.bytes_transferred += byte_count
        if self._events is not None:
            self._events.done(kind, path_of(action), byte_count, result)


_OWN = {
    B2UploadAction: 'upload',
    B2IncrementalUploadAction: 'upload',
    B2DownloadAction: 'download',
    B2CopyAction: 'copy',
    B2HideAction: 'hide',
    B2DeleteAction: 'delete',
    LocalDeleteAction: 'delete',
}


def kind_of(action: AbstractAction) -> str:
    """What an action does, in a word; the name of its class if that is none of the package's."""
    for own, kind in _OWN.items():
        if isinstance(action, own):
            return kind
    return type(action).__name__


def path_of(action: AbstractAction) -> str:
    """The path of an action's file below the synced folder; for other classes what they say."""
    if isinstance(action, (B2DownloadAction, B2CopyAction)):
        return action.source_path.relative_path
    return str(getattr(action, 'relative_name', action))


class _Bytes(AbstractProgressListener):
    """Passes on what the queue moves."""

    def __init__(self, reporter: SyncReport) -> None:
        super().__init__()
        self._reporter = reporter
        self._done = 0

    def set_total_bytes(self, total_byte_count: int) -> None:
        pass

    def bytes_completed(self, byte_count: int) -> None:
        self._reporter.update_transfer(0, byte_count - self._done)
        self._done = byte_count
