"""Tells by their SHA-1 whether the files of two folders are the same."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias

from ..cancel import check_scope, in_this_context
from ..exception import B2Error, DeadlineExceeded, SourceChanged, TransferCancelled
from ..scan.path import B2Path, LocalPath
from ..utils.waiting import result_of

if TYPE_CHECKING:
    from ..file_version import FileVersion
    from ..scan.path import AbstractPath
    from .digest_cache import DigestCache

Pair: TypeAlias = 'tuple[AbstractPath | None, AbstractPath | None]'
_Waiting: TypeAlias = 'tuple[AbstractPath | None, AbstractPath | None, bool | Future[bool] | None]'

_THREADS = 4
_AHEAD = 256
"""So many pairs are read ahead while one of them is hashed."""
_ATTEMPTS = 3
"""How often a file is read that changes while it is read."""
_SHA1 = re.compile('[0-9a-f]{40}')


class Sha1Comparison:
    """Compares pairs of files; what has to be read is hashed ahead, in a few threads.

    :param cache: knows the SHA-1 of local files
    """

    def __init__(self, cache: DigestCache) -> None:
        self._cache = cache

    def compared(
        self, pairs: Iterable[Pair]
    ) -> Iterator[tuple[AbstractPath | None, AbstractPath | None, bool | None]]:
        """The pairs in their order, and whether they have the same content.

        That is None if there are not two files, or if no SHA-1 that B2 has checked, or that the
        uploader gave for a large file (``large_file_sha1``), proves anything. A local file that
        cannot be read, or that changes all the time, differs.
        """
        stopped = threading.Event()
        threads = ThreadPoolExecutor(_THREADS, 'b2fast-sync-hash')
        ahead: deque[_Waiting] = deque()
        try:
            for waiting in self._begun(pairs, threads, stopped):
                ahead.append(waiting)
                while ahead and (len(ahead) > _AHEAD or _is_done(ahead[0])):
                    yield _done(ahead.popleft())
            while ahead:
                yield _done(ahead.popleft())
        finally:
            stopped.set()
            threads.shutdown(cancel_futures=True)
            self._cache.close()

    def _begun(
        self, pairs: Iterable[Pair], threads: ThreadPoolExecutor, stopped: threading.Event
    ) -> Iterator[_Waiting]:
        try:
            for source, dest in pairs:
                yield source, dest, self._verdict(source, dest, threads, stopped)
        except Exception as error:
            # It is raised in its turn: after what was found before.
            failed: Future[bool] = Future()
            failed.set_exception(error)
            yield None, None, failed

    def _verdict(
        self,
        source: AbstractPath | None,
        dest: AbstractPath | None,
        threads: ThreadPoolExecutor,
        stopped: threading.Event,
    ) -> bool | Future[bool] | None:
        if source is None or dest is None or not (source.is_visible() and dest.is_visible()):
            return None
        if source.size != dest.size:
            return False
        stored = [path.selected_version for path in (source, dest) if isinstance(path, B2Path)]
        local = [path.absolute_path for path in (source, dest) if isinstance(path, LocalPath)]
        sha1s = {proven_sha1(version) for version in stored}
        if not stored or len(stored) + len(local) < 2 or None in sha1s:
            return None
        if not local:
            return len(sha1s) == 1
        (path,), (sha1,) = local, sha1s
        try:
            known = self._cache.known_sha1(path)
        except OSError:
            return False
        if known is not None:
            return known[1] == sha1
        return threads.submit(in_this_context(self._has), path, sha1, stopped)

    def _has(self, path: str, sha1: str | None, stopped: threading.Event) -> bool:
        def check() -> None:
            check_scope()
            if stopped.is_set():
                raise TransferCancelled

        for _ in range(_ATTEMPTS):
            try:
                return self._cache.read(path, check=check).sha1 == sha1
            except SourceChanged:
                continue
            except (TransferCancelled, DeadlineExceeded):
                raise
            except B2Error:
                break
        return False


def proven_sha1(version: FileVersion) -> str | None:
    """The SHA-1 of a version in hex, if B2 checked it or the uploader of a large file gave it."""
    if not version.content_sha1_verified:
        return None
    sha1 = (version.get_content_sha1() or '').lower()
    return sha1 if _SHA1.fullmatch(sha1) else None


def _is_done(waiting: _Waiting) -> bool:
    return not isinstance(waiting[2], Future) or waiting[2].done()


def _done(
    waiting: _Waiting,
) -> tuple[AbstractPath | None, AbstractPath | None, bool | None]:
    source, dest, verdict = waiting
    return source, dest, result_of(verdict) if isinstance(verdict, Future) else verdict
