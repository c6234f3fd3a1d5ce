"""One request of `B2Http`: what is sent, what it is billed as, and what no message may show."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from .http_body import StreamBody
from .retry import RetryPolicy

Method = Literal['POST', 'GET', 'HEAD']

_CALL = re.compile(r'/b2api/[^/]+/(b2_\w+)')
_INSTEAD = '******'
# Nothing shorter is a secret, and to take it out would make messages unreadable.
_SHORTEST_SECRET = 8
# Cut off or not.
_TOLD_SECRET = re.compile(rb'("(?:authorizationToken|applicationKey)"\s*:\s*")[^"]*')
_SECRET_HEADERS = ('authorization', 'x-bz-server-side-encryption-customer-key')


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A request, and how it is sent.

    :param policy: when to send it again.
    :param idle_timeout: seconds without a byte received.
    :param stream: leave the body of the answer to be read by the caller.
    :param sends_content: is the body content for an upload URL?
    :param post_params: what it is about, for the messages of errors.
    """

    method: Method
    url: str = field(repr=False)
    # What is not shown may hold a token or a customer's key.
    headers: dict[str, str] = field(repr=False)
    body: StreamBody | bytes | None = field(default=None, repr=False)
    params: dict[str, str] | None = field(default=None, repr=False)
    policy: RetryPolicy
    idle_timeout: float
    stream: bool = False
    sends_content: bool = False
    post_params: dict[str, Any] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        # Without the query, where a download's token may be.
        return f'{self.method} {self.url.partition("?")[0]}'

    @property
    def call(self) -> str | None:
        """The call of the native API that this is, None for anything else."""
        if self.sends_content:
            # Upload URLs are the service's own business, whatever they look like.
            return 'b2_upload_part' if 'X-Bz-Part-Number' in self.headers else 'b2_upload_file'
        return call_of_url(self.url)


class Redactor:
    """Takes the secrets of a request out of what is told of it and of its answer.

    :param url: of the request; a download's token may be in its query.
    :param headers: of the request.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        found = {*parse_qs(urlsplit(url).query).get('Authorization', ())}
        for name, value in headers.items():
            if name.lower() in _SECRET_HEADERS:
                found |= {value, *_secrets_of_basic(value)}
        # The longest first: one may be a part of another.
        self._secrets = sorted(
            (secret for secret in found if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True
        )

    def text(self, text: str) -> str:
        """The text without the secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _INSTEAD)
        return text

    def content(self, content: bytes) -> bytes:
        """A body without the secrets, nor those that the service tells in answers."""
        for secret in self._secrets:
            content = content.replace(secret.encode(), _INSTEAD.encode())
        return _TOLD_SECRET.sub(rb'\1' + _INSTEAD.encode(), content)


def call_of_url(url: str) -> str | None:
    """The call of the native API at a URL, None if it is none."""
    path = urlsplit(url).path
    if path.startswith('/file/'):
        return 'b2_download_file_by_name'
    found = _CALL.search(path)
    return found[1] if found else None


def _secrets_of_basic(authorization: str) -> Iterator[str]:
    scheme, _, encoded = authorization.partition(' ')
    if scheme == 'Basic':
        yield encoded
        try:
            yield base64.b64decode(encoded).decode().partition(':')[2]
        except (binascii.Error, UnicodeDecodeError):
            return
