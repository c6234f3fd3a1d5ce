"""Responses of requests whose content is left as it was sent.

B2 stores a ``Content-Encoding`` with a file and sends it with the download. The SHA-1 is that of
the encoded content, so decoding it would make it useless, and a gzip file would arrive unpacked.
"""

from __future__ import annotations

from http.client import HTTPResponse
from typing import Any, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter


def turn_off_decoding(response: requests.Response) -> None:
    """Have the body read as B2 stored it; to be called before anything of it is read."""
    if isinstance(response.raw, urllib3.HTTPResponse):
        response.raw.CONTENT_DECODERS = []


def read_content(response: requests.Response) -> None:
    """Read the body, in one piece if its length is known.

    requests itself reads 10 kB at a time, which costs a long listing more than parsing it.
    """
    raw = response.raw
    if (
        isinstance(getattr(raw, '_original_response', None), HTTPResponse)
        and raw.length_remaining is not None
        and not vars(response).get('_content_consumed')
    ):
        # Asked for no number, urllib3 reads from a connection to the end.  Through requests, whose
        # exceptions it has to raise.
        content = next(response.iter_content(None), b'')
        vars(response).update(_content=content, _content_consumed=True)
    response.content  # noqa: B018


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
