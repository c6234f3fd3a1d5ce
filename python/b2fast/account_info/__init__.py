"""Where a client keeps who it is: keys, tokens, URLs, names of buckets, upload URLs."""

from __future__ import annotations

from .abstract import AbstractAccountInfo
from .in_memory import InMemoryAccountInfo
from .stub import StubAccountInfo
from .upload_url_pool import UploadUrlPool, UrlPoolAccountInfo

__all__ = [
    'AbstractAccountInfo',
    'InMemoryAccountInfo',
    'StubAccountInfo',
    'UploadUrlPool',
    'UrlPoolAccountInfo',
]
