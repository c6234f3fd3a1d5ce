"""Spare upload URLs, each of them in the hands of one thread at a time."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable

from .abstract import AbstractAccountInfo

# B2 lets an upload URL live for 24 hours at most; an older one costs a failed upload.
_MAX_AGE_SECONDS = 23 * 3600.0


class UploadUrlPool:
    """Upload URLs with their tokens, in stacks by the ID of a bucket or of a large file.

    The one used last is taken first: its connection is the warmest.
    """

    def __init__(self) -> None:
        self._clock: Callable[[], float] = time.monotonic
        self._reset()

    def __reduce__(self) -> tuple[type[UploadUrlPool], tuple[()]]:
        # A copy is empty: B2 refuses two uploads at once to one URL.
        return type(self), ()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._stacks: defaultdict[str, list[tuple[str, str, float]]] = defaultdict(list)

    def _leave_to_parent(self) -> None:
        # After fork the URLs are the parent's: B2 refuses two uploads at once to one of them.
        if self._pid != os.getpid():
            self._reset()

    def put(self, key: str, url: str, auth_token: str) -> None:
        """Add a URL that may be used again."""
        self._leave_to_parent()
        with self._lock:
            self._stacks[key].append((url, auth_token, self._clock()))

    def take(self, key: str) -> tuple[str | None, str | None]:
        """Remove and return a URL and its token, or two None if there is none."""
        self._leave_to_parent()
        with self._lock:
            stack = self._stacks.get(key)
            if stack:
                url, auth_token, put_at = stack.pop()
                if self._clock() - put_at < _MAX_AGE_SECONDS:
                    return url, auth_token
                # What lies deeper is older still.
                del self._stacks[key]
            return None, None

    def clear_for_key(self, key: str) -> None:
        """Forget the URLs of a bucket or a large file."""
        self._leave_to_parent()
        with self._lock:
            self._stacks.pop(key, None)


class UrlPoolAccountInfo(AbstractAccountInfo):
    """Account data with the upload URLs in memory: they are of use to this process alone."""

    BUCKET_UPLOAD_POOL_CLASS = UploadUrlPool
    LARGE_FILE_UPLOAD_POOL_CLASS = UploadUrlPool

    def __init__(self) -> None:
        super().__init__()
        self._reset_upload_pools()

    def clear(self) -> None:
        """Forget all upload URLs; subclasses forget everything."""
        self._reset_upload_pools()

    def _reset_upload_pools(self) -> None:
        self._bucket_uploads = self.BUCKET_UPLOAD_POOL_CLASS()
        self._large_file_uploads = self.LARGE_FILE_UPLOAD_POOL_CLASS()

    def put_bucket_upload_url(
        self, bucket_id: str, upload_url: str, upload_auth_token: str
    ) -> None:
        """Give back an upload URL that worked."""
        self._bucket_uploads.put(bucket_id, upload_url, upload_auth_token)

    def clear_bucket_upload_data(self, bucket_id: str) -> None:
        """Forget the spare upload URLs of a bucket."""
        self._bucket_uploads.clear_for_key(bucket_id)

    def take_bucket_upload_url(self, bucket_id: str) -> tuple[str | None, str | None]:
        """Take a spare upload URL and its token, so that nobody else has it; or two None."""
        return self._bucket_uploads.take(bucket_id)

    def put_large_file_upload_url(
        self, file_id: str, upload_url: str, upload_auth_token: str
    ) -> None:
        """Give back an upload URL of a large file that worked."""
        self._large_file_uploads.put(file_id, upload_url, upload_auth_token)

    def take_large_file_upload_url(self, file_id: str) -> tuple[str | None, str | None]:
        """Take a spare upload URL of a large file and its token; or two None."""
        return self._large_file_uploads.take(file_id)

    def clear_large_file_upload_urls(self, file_id: str) -> None:
        """Forget the spare upload URLs of a large file."""
        self._large_file_uploads.clear_for_key(file_id)
