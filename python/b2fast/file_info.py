"""The file info that stands for HTTP headers.

B2 keeps five headers of a later download in the file info, under ``b2-*`` keys; uploads take
them as parameters of their own, which win over the file info.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping

from .utils.http_date import format_http_date, parse_http_date

logger = logging.getLogger(__name__)

EXPIRES = 'b2-expires'
CACHE_CONTROL = 'b2-cache-control'
CONTENT_DISPOSITION = 'b2-content-disposition'
CONTENT_ENCODING = 'b2-content-encoding'
CONTENT_LANGUAGE = 'b2-content-language'


def with_standard_headers(
    file_info: Mapping[str, str] | None,
    *,
    cache_control: str | None,
    expires: str | dt.datetime | None,
    content_disposition: str | None,
    content_encoding: str | None,
    content_language: str | None,
) -> dict[str, str]:
    """A copy of the file info with the headers that are not None added.

    :param expires: an HTTP date, or a moment (in UTC, if it has no time zone)
    """
    result = dict(file_info or {})
    if isinstance(expires, dt.datetime):
        expires = format_http_date(expires)
    for key, value in (
        (EXPIRES, expires),
        (CACHE_CONTROL, cache_control),
        (CONTENT_DISPOSITION, content_disposition),
        (CONTENT_ENCODING, content_encoding),
        (CONTENT_LANGUAGE, content_language),
    ):
        if value is None:
            continue
        if result.get(key, value) != value:
            logger.warning('%s=%r of the file info gives way to %r', key, result[key], value)
        result[key] = value
    return result


class StandardHeadersOfFileInfo:
    """Reads the headers back from the attribute ``file_info`` of the class it is mixed into."""

    __slots__ = ()

    file_info: dict[str, str]

    @property
    def cache_control(self) -> str | None:
        """The ``Cache-Control`` header of a download."""
        return self.file_info.get(CACHE_CONTROL)

    @property
    def expires(self) -> str | None:
        """The ``Expires`` header of a download."""
        return self.file_info.get(EXPIRES)

    def expires_parsed(self) -> dt.datetime | None:
        """The ``Expires`` header as a moment. Raises `ValueError` if it is no HTTP date."""
        return None if self.expires is None else parse_http_date(self.expires)

    @property
    def content_disposition(self) -> str | None:
        """The ``Content-Disposition`` header of a download."""
        return self.file_info.get(CONTENT_DISPOSITION)

    @property
    def content_encoding(self) -> str | None:
        """The ``Content-Encoding`` header of a download."""
        return self.file_info.get(CONTENT_ENCODING)

    @property
    def content_language(self) -> str | None:
        """The ``Content-Language`` header of a download."""
        return self.file_info.get(CONTENT_LANGUAGE)
