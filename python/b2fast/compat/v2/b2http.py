"""HTTP with the exceptions of v2."""

from __future__ import annotations

from typing import Any

from ... import b2http as v3, exception as v3_exception
from .exception import BucketIdNotFound


class B2Http(v3.B2Http):
    """As in v3, but `BucketIdNotFound` is that of v2."""

    def _attempt(self, request: Any) -> Any:
        try:
            return super()._attempt(request)
        except v3_exception.BucketIdNotFound as error:
            raise BucketIdNotFound(error.bucket_id) from None
