"""Progress listeners: who is told how many bytes of a transfer are done."""

from __future__ import annotations

import importlib.util
import time
from abc import ABCMeta, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .utils.text import escape_control_chars

if TYPE_CHECKING:
    from tqdm import tqdm


class AbstractProgressListener(metaclass=ABCMeta):
    """Is told the total number of bytes first, then how many of them are done.

    The calls come from the thread that runs the transfer. The number of completed bytes never
    falls, and the last call of a successful transfer has the total. A transfer does not close
    its listener: whoever made it does, most simply in a ``with`` statement.
    """

    def __init__(self, description: str = '') -> None:
        self.description = description
        self._closed = False

    @abstractmethod
    def set_total_bytes(self, total_byte_count: int) -> None:
        """Take the number of bytes that the whole transfer has."""

    @abstractmethod
    def bytes_completed(self, byte_count: int) -> None:
        """Take the number of bytes that are done since the start of the transfer."""

    # Not abstract: programs written for b2sdk do not have it.
    def bytes_retried(self, byte_count: int) -> None:  # noqa: B027
        """Take the number of bytes that were sent again, because an attempt had failed.

        They are not among those that are completed, and their number does not fall. It is called
        only when there are any. This class does nothing with it. A download goes on where it
        broke off, so it has none.
        """

    def close(self) -> None:
        """Show no more progress. Closing again does nothing."""
        self._closed = True

    def change_description(self, new_description: str) -> bool:
        """Replace the description, if it can still be shown; returns whether it can."""
        if not self._can_change_description():
            return False
        self.description = new_description
        return True

    def _can_change_description(self) -> bool:
        """Would another description be shown?"""
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class DoNothingProgressListener(AbstractProgressListener):
    """Shows nothing."""

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Do nothing."""

    def bytes_completed(self, byte_count: int) -> None:
        """Do nothing."""


class ProgressListenerForTest(AbstractProgressListener):
    """Keeps its calls as text, such as ``bytes_completed(5)``, for tests to look at."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.calls: list[str] = []

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Keep the call."""
        self.calls.append(f'set_total_bytes({total_byte_count})')

    def bytes_completed(self, byte_count: int) -> None:
        """Keep the call."""
        self.calls.append(f'bytes_completed({byte_count})')

    def close(self) -> None:
        """Keep the call."""
        self.calls.append('close()')
        super().close()

    def get_calls(self) -> list[str]:
        """All calls so far, oldest first."""
        return self.calls


class SimpleProgressListener(AbstractProgressListener):
    """Prints a percentage every few seconds; a short transfer prints nothing."""

    SECONDS_BETWEEN_LINES = 3.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.complete = 0
        self.last_time = time.time()
        self.any_printed = False
        self.total = 0

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Take the total."""
        self.total = total_byte_count

    def bytes_completed(self, byte_count: int) -> None:
        """Print a line if the last one is a while ago."""
        now = time.time()
        if now - self.last_time < self.SECONDS_BETWEEN_LINES or self.total == 0:
            return
        if not self.any_printed:
            print(escape_control_chars(self.description))
        print(f'     {int(100 * byte_count / self.total)}%')
        self.last_time = now
        self.any_printed = True

    def _can_change_description(self) -> bool:
        return not self.any_printed

    def close(self) -> None:
        """Print that the transfer is over, if it printed anything."""
        if self.any_printed and not self._closed:
            print('    DONE.')
        super().close()


class TqdmProgressListener(AbstractProgressListener):
    """Shows a progress bar; needs the package ``tqdm`` (the extra ``cli`` installs it).

    Raises `ModuleNotFoundError` if it is not installed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not _has_tqdm():
            raise ModuleNotFoundError("no module named 'tqdm': install b2fast[cli]", name='tqdm')
        super().__init__(*args, **kwargs)
        self.tqdm: tqdm[Any] | None = None
        self.prev_value = 0

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Draw the bar, or give it another total."""
        if self.tqdm is not None:
            self.tqdm.total = total_byte_count
            self.tqdm.refresh()
            return
        from tqdm import tqdm

        self.tqdm = tqdm(
            desc=escape_control_chars(self.description),
            total=total_byte_count,
            unit='B',
            unit_scale=True,
            leave=True,
            miniters=1,
            mininterval=0.2,
            smoothing=0.1,
        )

    def bytes_completed(self, byte_count: int) -> None:
        """Move the bar; a number below the last one is ignored."""
        if self.tqdm is not None and byte_count > self.prev_value:
            self.tqdm.update(byte_count - self.prev_value)
            self.prev_value = byte_count

    def change_description(self, new_description: str) -> bool:
        """Replace the description, also of a bar that is shown."""
        changed = super().change_description(new_description)
        if changed and self.tqdm is not None:
            self.tqdm.set_description(escape_control_chars(new_description))
        return changed

    def close(self) -> None:
        """Leave the bar as it is."""
        if self.tqdm is not None:
            self.tqdm.close()
        super().close()


def make_progress_listener(description: str, quiet: bool) -> AbstractProgressListener:
    """A listener for a person at a terminal: a bar if ``tqdm`` is installed, else lines.

    :param description: what is transferred
    :param quiet: show nothing
    """
    if quiet:
        return DoNothingProgressListener()
    if _has_tqdm():
        return TqdmProgressListener(description)
    return SimpleProgressListener(description)


def _has_tqdm() -> bool:
    return importlib.util.find_spec('tqdm') is not None


def tell_retried(listener: AbstractProgressListener, byte_count: int) -> None:
    """Call `AbstractProgressListener.bytes_retried`, which others that b2sdk takes do not have."""
    if isinstance(listener, AbstractProgressListener):
        listener.bytes_retried(byte_count)


class TransferProgress:
    """Tells a listener about one transfer, keeping the promises of the listener's class."""

    def __init__(self, listener: AbstractProgressListener, total: int) -> None:
        self._listener = listener
        self._total = total
        self._last: int | None = None
        self._retried = 0
        listener.set_total_bytes(total)

    def update(self, byte_count: int, retried: int = 0) -> None:
        """Tell the number of completed bytes, and that of bytes moved again, if they grew."""
        if retried > self._retried:
            self._retried = retried
            tell_retried(self._listener, retried)
        byte_count = min(byte_count, self._total)
        if byte_count > (self._last or 0):
            self._last = byte_count
            self._listener.bytes_completed(byte_count)

    def finish(self) -> None:
        """Tell the total, if that was not done yet."""
        if self._last != self._total:
            self._last = self._total
            self._listener.bytes_completed(self._total)
