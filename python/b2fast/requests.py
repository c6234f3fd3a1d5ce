"""Responses of requests whose content is left as it was sent.

B2 stores a ``Content-Encoding`` with a file and sends it with the download. The SHA-1 is that of
the encoded content, so decoding it would make it useless, and a gzip file would arrive unpacked.
"""

from __future__ import annotations

from typing import Any, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter


def turn_off_decoding(response: requests.Response) -> None:
    """Have the body read as B2 stored it; to be called before anything of it is read."""
    if isinstance(response.raw, urllib3.HTTPResponse):
        response.raw.CONTENT_DECODERS = []


class NotDecompressingResponse(requests.Response):
    """A response whose content is not decoded."""

    @classmethod
    def from_builtin_response(cls, response: requests.Response) -> Self:
        """A response of this class, of which nothing was read yet, from one of requests.

        Both have the same connection: use the new one only.
        """
        made = cls()
        vars(made).update(vars(response))
        turn_off_decoding(made)
        return made


class NotDecompressingHTTPAdapter(HTTPAdapter):
    """For ``requests.Session.mount``: makes the responses `NotDecompressingResponse`."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> NotDecompressingResponse:
        """Make the response of an answer."""
        return NotDecompressingResponse.from_builtin_response(super().build_response(req, resp))
