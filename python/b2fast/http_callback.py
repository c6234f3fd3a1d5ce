"""Callbacks that see every request of `B2Http`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .exception import BadDateFormat, ClockSkew

if TYPE_CHECKING:
    import requests

_MAX_CLOCK_SKEW_SECONDS = 10 * 60


class HttpCallback:
    """Base of callbacks; an exception raised by one ends the request.

    The headers hold the authorization token: do not log them.
    """

    def pre_request(self, method: str, url: str, headers: Mapping[str, Any]) -> None:
        """Called before every attempt to send a request."""

    def post_request(
        self, method: str, url: str, headers: Mapping[str, Any], response: requests.Response
    ) -> None:
        """Called with every answer, whatever its status."""


class ClockSkewHook(HttpCallback):
    """Compares the local clock with that of the service.

    Uploads with a wrong clock get wrong retention times, and syncs compare wrong dates.
    """

    def post_request(
        self, method: str, url: str, headers: Mapping[str, Any], response: requests.Response
    ) -> None:
        """Read the ``Date`` of the answer, if there is one.

        :raises ClockSkew: if the clocks differ by more than ten minutes.
        :raises BadDateFormat: if the header is not a date of HTTP.
        """
        text = response.headers.get('Date')
        if text is None:
            return
        if not text.endswith(' GMT'):
            raise BadDateFormat(text)
        import datetime
        import email.utils

        try:
            server_time = email.utils.parsedate_to_datetime(text).replace(tzinfo=datetime.UTC)
        except ValueError as error:
            raise BadDateFormat(text) from error
        skew = (datetime.datetime.now(datetime.UTC) - server_time).total_seconds()
        if abs(skew) > _MAX_CLOCK_SKEW_SECONDS:
            raise ClockSkew(int(skew))
