"""The native API over HTTP."""

from __future__ import annotations

from .bucket_calls import BucketCalls
from .file_calls import FileCalls
from .upload_calls import UploadCalls


class B2RawHTTPApi(BucketCalls, FileCalls, UploadCalls):
    """Makes every call by HTTP, in version 4 of the native API.

    :param b2_http: what sends the requests and repeats the failed ones.
    """
