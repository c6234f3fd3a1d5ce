"""`b2sdk.v2.exception`: two exceptions are others than in v3, and one has another name too."""

from __future__ import annotations

from ... import exception as v3
from ...exception import *  # noqa: F403

UnSyncableFilename = v3.UnsupportedFilename


class BucketIdNotFound(v3.BucketIdNotFound, v3.BadRequest):  # type: ignore[no-redef]
    """There is no bucket of this ID; the service calls it a bad request."""

    def __init__(self, bucket_id: str | None) -> None:
        v3.BadRequest.__init__(self, f'Bucket with id={bucket_id} not found', 'bad_bucket_id')
        self.bucket_id = bucket_id

    def __str__(self) -> str:
        return v3.BadRequest.__str__(self)


class RestrictedBucket(v3.B2Error):  # type: ignore[no-redef]
    """The application key is restricted to another bucket, ``bucket_name``."""

    def __init__(self, bucket_name: str) -> None:
        super().__init__()
        self.bucket_name = bucket_name

    def __str__(self) -> str:
        return f'Application key is restricted to bucket: {self.bucket_name}'


__all__ = sorted({*v3.__all__, 'UnSyncableFilename'})
